/* SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/prng.h"
#include "fault.h"

#define MILLION 1000000
#define ETHER_ADDRESSES_BYTES 12
_Static_assert(XL_DRV_FAULT_DELAYED + 1 == XL_DRV_COUNTER_COUNT, "the counters before FAULT_DROPPED are the inner's");

struct held {
	u64 due_ns;
	struct xl_packet packet;   /* its frames are FILL */
};

struct fault {
	struct xl_drv drv;
	struct xl_drv *inner;
	struct xl_fault_config config;
	struct xl_prng prng;
	u64 now_ns;                /* of the last rx */
	u32 leave;                 /* free frames that the last refill had to leave: duplicates leave them too */
	u32 count;
	struct held held[XL_FAULT_HELD_MAX];  /* soonest first */
};

static struct fault *fault_of(struct xl_drv *d)
{
	return (struct fault *)d;
}

static void move(struct fault *f, const struct xl_packet *p, enum xl_frame_owner from, enum xl_frame_owner to)
{
	for (u32 i = 0; i < p->nsegs; i++)
		xl_frames_move(f->drv.frames, p->seg[i].frame, from, to);
}

/* Keep a packet, whose frames are FILL, until due_ns. There is room. Equal times stay in order. */
static void hold(struct fault *f, const struct xl_packet *p, u64 due_ns)
{
	u32 at = f->count++;

	for (; at && f->held[at - 1].due_ns > due_ns; at--)
		f->held[at] = f->held[at - 1];
	f->held[at] = (struct held){ due_ns, *p };
}

static u32 give_due(struct fault *f, struct xl_packet *out, u32 max, u64 now_ns)
{
	u32 n = 0;

	for (; n < max && n < f->count && f->held[n].due_ns <= now_ns; n++) {
		out[n] = f->held[n].packet;
		move(f, &out[n], XL_FRAME_FILL, XL_FRAME_RX);
	}
	f->count -= n;
	memmove(f->held, f->held + n, f->count * sizeof f->held[0]);
	return n;
}

static void corrupt(struct fault *f, const struct xl_packet *p)
{
	u32 bytes = xl_packet_bytes(p), at, i = 0;

	if (bytes <= ETHER_ADDRESSES_BYTES)
		return;
	at = ETHER_ADDRESSES_BYTES + xl_prng_below(&f->prng, bytes - ETHER_ADDRESSES_BYTES);
	for (; at >= p->seg[i].len; i++)
		at -= p->seg[i].len;
	xl_frames_ptr(f->drv.frames, p->seg[i].frame)[p->seg[i].off + at] ^= 1 + xl_prng_below(&f->prng, 255);
	f->drv.counters[XL_DRV_FAULT_CORRUPTED]++;
}

static void duplicate(struct fault *f, const struct xl_packet *p, u64 now_ns)
{
	struct xl_frames *frames = f->drv.frames;
	struct xl_packet copy = *p;

	if (f->count == XL_FAULT_HELD_MAX || frames->nfree < (u64)f->leave + p->nsegs)
		return;
	for (u32 i = 0; i < p->nsegs; i++) {
		copy.seg[i].frame = xl_frames_take(frames, XL_FRAME_FILL);
		memcpy(xl_frames_ptr(frames, copy.seg[i].frame) + copy.seg[i].off,
		       xl_frames_ptr(frames, p->seg[i].frame) + p->seg[i].off, p->seg[i].len);
	}
	hold(f, &copy, now_ns);
	f->drv.counters[XL_DRV_FAULT_DUPLICATED]++;
}

/* One received packet meets its fate. True: it is given now. */
static bool harm(struct fault *f, const struct xl_packet *p, u64 now_ns)
{
	const struct xl_fault_config *c = &f->config;

	if (xl_prng_chance(&f->prng, c->drop)) {
		move(f, p, XL_FRAME_RX, XL_FRAME_FREE);
		f->drv.counters[XL_DRV_FAULT_DROPPED]++;
		return false;
	}
	if (xl_prng_chance(&f->prng, c->corrupt))
		corrupt(f, p);
	if (xl_prng_chance(&f->prng, c->duplicate))
		duplicate(f, p, now_ns);
	if (!xl_prng_chance(&f->prng, c->delay) || f->count == XL_FAULT_HELD_MAX)
		return true;
	move(f, p, XL_FRAME_RX, XL_FRAME_FILL);
	hold(f, p, now_ns + 1 + xl_prng_below(&f->prng, c->delay_ns_max));
	f->drv.counters[XL_DRV_FAULT_DELAYED]++;
	return false;
}

static int fault_rx(struct xl_drv *d, struct xl_packet *packets, u32 max, u64 now_ns)
{
	struct fault *f = fault_of(d);
	u32 n = give_due(f, packets, max, now_ns), kept = n;
	int got = n < max ? f->inner->ops->rx(f->inner, packets + n, max - n, now_ns) : 0;

	f->now_ns = now_ns;
	d->mtu = f->inner->mtu;
	if (got < 0 && !n)
		return got;
	for (int i = 0; i < got; i++) {
		if (harm(f, &packets[n + i], now_ns))
			packets[kept++] = packets[n + i];
	}
	return kept + give_due(f, packets + kept, max - kept, now_ns);
}

static u32 fault_tx_room(struct xl_drv *d, u32 segs)
{
	struct xl_drv *inner = fault_of(d)->inner;

	return inner->ops->tx_room(inner, segs);
}

static u32 fault_tx(struct xl_drv *d, const struct xl_packet *packets, u32 n, u64 now_ns)
{
	struct xl_drv *inner = fault_of(d)->inner;

	return inner->ops->tx(inner, packets, n, now_ns);
}

static int fault_flush(struct xl_drv *d, u64 now_ns)
{
	struct xl_drv *inner = fault_of(d)->inner;

	return inner->ops->flush(inner, now_ns);
}

static u32 fault_complete(struct xl_drv *d, u32 *frames, u32 max)
{
	struct xl_drv *inner = fault_of(d)->inner;

	return inner->ops->complete(inner, frames, max);
}

static void fault_refill(struct xl_drv *d, u32 leave)
{
	struct xl_drv *inner = fault_of(d)->inner;

	fault_of(d)->leave = leave;
	inner->ops->refill(inner, leave);
}

static u32 fault_fds(struct xl_drv *d, int *fds, u32 max)
{
	struct xl_drv *inner = fault_of(d)->inner;

	return inner->ops->fds(inner, fds, max);
}

static int fault_arm(struct xl_drv *d, bool sleep)
{
	struct fault *f = fault_of(d);

	if (sleep && f->count && f->held[0].due_ns <= f->now_ns)
		return -EAGAIN;
	return f->inner->ops->arm(f->inner, sleep);
}

static u64 fault_deadline(struct xl_drv *d)
{
	struct fault *f = fault_of(d);
	u64 inner = f->inner->ops->deadline(f->inner);

	return f->count ? xl_min(inner, f->held[0].due_ns) : inner;
}

static void fault_update_counters(struct xl_drv *d)
{
	struct fault *f = fault_of(d);

	f->inner->ops->update_counters(f->inner);
	memcpy(d->counters, f->inner->counters, XL_DRV_FAULT_DROPPED * sizeof(u64));
}

static void fault_close(struct xl_drv *d)
{
	struct fault *f = fault_of(d);

	for (u32 i = 0; i < f->count; i++)
		move(f, &f->held[i].packet, XL_FRAME_FILL, XL_FRAME_FREE);
	f->inner->ops->close(f->inner);
	free(f);
}

static const struct xl_drv_ops fault_ops = {
	.name = "fault", .rx = fault_rx, .tx_room = fault_tx_room, .tx = fault_tx, .flush = fault_flush,
	.complete = fault_complete, .refill = fault_refill, .fds = fault_fds, .arm = fault_arm,
	.deadline = fault_deadline, .update_counters = fault_update_counters, .close = fault_close,
};

int xl_drv_fault_open(struct xl_drv *inner, const struct xl_fault_config *c, struct xl_drv **out)
{
	struct fault *f;

	*out = NULL;
	if (c->drop > MILLION || c->duplicate > MILLION || c->corrupt > MILLION || c->delay > MILLION ||
	    !c->delay_ns_max || c->delay_ns_max > XL_FAULT_DELAY_NS_MAX)
		return -EINVAL;
	f = calloc(1, sizeof *f);
	if (!f)
		return -ENOMEM;
	f->drv = *inner;
	f->drv.ops = &fault_ops;
	memset(f->drv.counters + XL_DRV_FAULT_DROPPED, 0, (XL_DRV_COUNTER_COUNT - XL_DRV_FAULT_DROPPED) * sizeof(u64));
	f->inner = inner;
	f->config = *c;
	xl_prng_seed(&f->prng, c->seed);
	*out = &f->drv;
	return 0;
}

/* --- the text ------------------------------------------------------------------------------ */
enum key { DROP, DUPLICATE, CORRUPT, DELAY, DELAY_US, SEED, KEYS };

/* Decimal number without sign, all of text[0..n). */
static bool parse_u64(const char *text, size_t n, u64 *out)
{
	*out = 0;
	for (size_t i = 0; i < n; i++) {
		u64 digit = (u64)(text[i] - '0');

		if (!isdigit((unsigned char)text[i]) || *out > (UINT64_MAX - digit) / 10)
			return false;
		*out = *out * 10 + digit;
	}
	return n > 0;
}

/* "0.015" -> 15000. */
static bool parse_chance(const char *text, size_t n, u64 *per_million)
{
	const char *point = memchr(text, '.', n);
	size_t whole_bytes = point ? (size_t)(point - text) : n, digits = point ? n - whole_bytes - 1 : 0;
	u64 whole, part = 0;

	if (!parse_u64(text, whole_bytes, &whole) || whole > 1 || digits > 6)
		return false;
	if (point && !parse_u64(point + 1, digits, &part))
		return false;
	for (size_t i = digits; i < 6; i++)
		part *= 10;
	*per_million = whole * MILLION + part;
	return *per_million <= MILLION;
}

static bool parse_word(const char *word, size_t n, u64 value[KEYS], bool seen[KEYS])
{
	static const char *const name[KEYS] = { "drop=", "dup=", "corrupt=", "delay=", "delay_us=", "seed=" };

	for (int k = 0; k < KEYS; k++) {
		size_t name_bytes = strlen(name[k]);
		bool (*parse)(const char *, size_t, u64 *) = k < DELAY_US ? parse_chance : parse_u64;

		if (n < name_bytes || memcmp(word, name[k], name_bytes))
			continue;
		if (seen[k] || !parse(word + name_bytes, n - name_bytes, &value[k]))
			return false;
		seen[k] = true;
		return k != DELAY_US || (value[k] && value[k] <= XL_FAULT_DELAY_NS_MAX / XL_US);
	}
	return false;
}

int xl_fault_parse(const char *text, struct xl_fault_config *out, char *bad, size_t bad_bytes)
{
	u64 value[KEYS] = { [DELAY_US] = XL_FAULT_DELAY_NS_DEFAULT / XL_US };
	bool seen[KEYS] = { false };

	for (const char *word = text; *text; word += strcspn(word, ",") + 1) {
		size_t n = strcspn(word, ",");

		if (!parse_word(word, n, value, seen)) {
			if (bad && bad_bytes)
				snprintf(bad, bad_bytes, "%.*s", (int)xl_min(n, bad_bytes), word);
			return -EINVAL;
		}
		if (!word[n])
			break;
	}
	*out = (struct xl_fault_config){
		.drop = value[DROP], .duplicate = value[DUPLICATE], .corrupt = value[CORRUPT], .delay = value[DELAY],
		.delay_ns_max = value[DELAY_US] * XL_US, .seed = value[SEED],
	};
	return 0;
}
