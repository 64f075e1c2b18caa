/* SPDX-License-Identifier: BSD-2-Clause */
#include "oracle.h"

#include <stdio.h>
#include <string.h>
#include <xlane/wire.h>

#include "../../user/base/prng.h"

#define TROUBLE(o, ...) snprintf((o)->trouble, sizeof (o)->trouble, __VA_ARGS__)
#define PIECE 4096

static u64 mix(u64 z)
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static void fill(u64 key, u64 offset, u8 *out, u64 bytes)
{
	while (bytes) {
		u64 word = mix(key + (offset >> 3) * 0x9e3779b97f4a7c15ull);
		u64 skip = offset & 7, n = xl_min(8 - skip, bytes);

		if (n == 8)
			memcpy(out, &word, 8);
		else
			memcpy(out, (const u8 *)&word + skip, n);
		out += n;
		offset += n;
		bytes -= n;
	}
}

u32 sim_oracle_add(struct sim_oracle *o, u8 host, u8 kind, u64 content, u32 message_bytes_max, u32 large_bytes_max)
{
	if (o->ends == SIM_ENDS_MAX)
		return XL_NONE;
	o->end[o->ends] = (struct sim_end){
		.host = host, .kind = kind, .content = mix(content), .message_bytes_max = message_bytes_max,
		.large_bytes_max = kind == XLANE_KIND_MESSAGE || kind == XLANE_KIND_UNORDERED ? large_bytes_max : 0,
		.peer = XL_NONE,
	};
	return o->ends++;
}

bool sim_oracle_join(struct sim_oracle *o, u32 end, u64 remote_id)
{
	struct sim_end *e = &o->end[end];

	for (u32 i = 0; i < o->ends; i++) {
		struct sim_end *other = &o->end[i];

		if (other->host == e->host || !other->local_id || other->local_id != remote_id)
			continue;
		e->peer = i;
		if (other->peer == XL_NONE)
			other->peer = end;
		e->why |= other->why;
		return true;
	}
	TROUBLE(o, "end %u names an other end, id %016llx, that does not exist", end, (unsigned long long)remote_id);
	return false;
}

void sim_oracle_content(const struct sim_end *e, u64 offset, u8 *out, u64 bytes)
{
	fill(e->content, offset, out, bytes);
}

u64 sim_oracle_message_bytes(const struct sim_end *e, u64 message)
{
	u64 r = mix(e->content ^ mix(message + 1));

	if (e->large_bytes_max && (message == 1 || message == 4))
		return XLANE_MESSAGE_SMALL_MAX_BYTES + 1 + r % (e->large_bytes_max - XLANE_MESSAGE_SMALL_MAX_BYTES);
	switch (r & 7) {
	case 0:
		return 0;
	case 1:
		return e->message_bytes_max;
	case 2:
		return (r >> 8) % (e->message_bytes_max / 16 + 1);
	default:
		return (r >> 8) % (e->message_bytes_max + 1ull);
	}
}

void sim_oracle_message(const struct sim_end *e, u64 message, u8 *out)
{
	fill(mix(e->content + message), 0, out, sim_oracle_message_bytes(e, message));
}

void sim_oracle_part(const struct sim_end *e, u64 message, u64 offset, u8 *out, u64 bytes)
{
	fill(mix(e->content + message), offset, out, bytes);
}

/* Who sent what `end` receives, when it is to be checked at all. */
static const struct sim_end *sender_of(struct sim_oracle *o, u32 end, bool *ok)
{
	const struct sim_end *e = &o->end[end];

	*ok = sim_oracle_tainted(o, end);
	if (*ok)
		return NULL;
	if (e->peer == XL_NONE) {
		TROUBLE(o, "end %u received, but nobody is known to have called it", end);
		return NULL;
	}
	if (o->end[e->peer].peer != end) {
		TROUBLE(o, "end %u received from end %u, which is joined with end %u", end, e->peer,
			o->end[e->peer].peer);
		return NULL;
	}
	return &o->end[e->peer];
}

static bool ordered(const struct sim_end *e) { return e->kind == XLANE_KIND_STREAM || e->kind == XLANE_KIND_MESSAGE; }

static bool is_message(const struct sim_end *from, u64 message, const u8 *data, u64 bytes)
{
	u8 right[PIECE];

	for (u64 done = 0, n; done < bytes; done += n) {
		n = xl_min(bytes - done, PIECE);
		sim_oracle_part(from, message, done, right, n);
		if (memcmp(right, data + done, n))
			return false;
	}
	return true;
}

static bool is_gone(const struct sim_end *e, u64 message) { return e->gone[message / 8] & 1 << message % 8; }

void sim_oracle_took_back(struct sim_oracle *o, u32 end, u64 message)
{
	struct sim_end *e = &o->end[end];

	e->gone[message / 8] |= 1 << message % 8;
	e->gone_messages++;
	e->gone_bytes += sim_oracle_message_bytes(e, message);
}

/* The message that is received as number n: those taken back are not. */
static u64 nth(const struct sim_end *from, u64 n)
{
	u64 i = 0;

	for (; i < from->sent_messages; i++)
		if (!is_gone(from, i) && n-- == 0)
			break;
	return i;
}

/* Some message that was sent and not received yet: of two with the same bytes either. */
static bool any_unseen(struct sim_oracle *o, u32 end, const struct sim_end *from, const u8 *data, u64 bytes)
{
	struct sim_end *e = &o->end[end];

	for (u64 i = 0; i < from->sent_messages; i++) {
		if (e->seen[i / 8] & 1 << i % 8 || is_gone(from, i) || sim_oracle_message_bytes(from, i) != bytes ||
		    !is_message(from, i, data, bytes))
			continue;
		e->seen[i / 8] |= 1 << i % 8;
		e->out_of_order |= i < e->last_seen;
		e->last_seen = i;
		return !e->got_end;
	}
	TROUBLE(o, "end %u received a message of %llu bytes that was not sent, or a second time", end,
		(unsigned long long)bytes);
	return false;
}

static bool equal(struct sim_oracle *o, u32 end, u64 key, u64 offset, const u8 *data, u64 bytes)
{
	u8 right[PIECE];

	for (u64 done = 0; done < bytes; done += PIECE) {
		u64 n = xl_min(bytes - done, PIECE);

		fill(key, offset + done, right, n);
		if (!memcmp(right, data + done, n))
			continue;
		for (u64 i = 0; i < n; i++) {
			if (right[i] == data[done + i])
				continue;
			TROUBLE(o, "end %u: byte %llu is %02x, was sent as %02x", end,
				(unsigned long long)(offset + done + i),
				data[done + i], right[i]);
			return false;
		}
	}
	return true;
}

bool sim_oracle_got(struct sim_oracle *o, u32 end, const u8 *data, u64 bytes)
{
	struct sim_end *e = &o->end[end];
	bool ok;
	const struct sim_end *from = sender_of(o, end, &ok);

	if (from) {
		ok = !e->got_end && e->got_bytes + bytes <= from->sent_bytes;
		if (!ok)
			TROUBLE(o, "end %u received up to %llu of %llu bytes sent%s", end,
				(unsigned long long)(e->got_bytes + bytes), (unsigned long long)from->sent_bytes,
				e->got_end ? ", after the end" : "");
		else
			ok = equal(o, end, from->content, e->got_bytes, data, bytes);
	}
	e->got_bytes += bytes;
	o->bytes += bytes;
	return ok;
}

bool sim_oracle_got_message(struct sim_oracle *o, u32 end, const u8 *data, u64 bytes)
{
	struct sim_end *e = &o->end[end];
	bool ok;
	const struct sim_end *from = sender_of(o, end, &ok);

	if (from && !ordered(e)) {
		ok = any_unseen(o, end, from, data, bytes);
	} else if (from) {
		u64 message = nth(from, e->got_messages), right = sim_oracle_message_bytes(from, message);

		ok = !e->got_end && message < from->sent_messages && bytes == right;
		if (!ok)
			TROUBLE(o, "end %u received message %llu of %llu sent, %llu bytes (was %llu)%s", end,
				(unsigned long long)e->got_messages, (unsigned long long)from->sent_messages,
				(unsigned long long)bytes, (unsigned long long)right, e->got_end ? ", after the end" :
					"");
		else
			ok = equal(o, end, mix(from->content + message), 0, data, bytes);
	}
	e->got_messages++;
	e->got_bytes += bytes;
	o->bytes += bytes;
	o->messages++;
	return ok;
}

bool sim_oracle_got_end(struct sim_oracle *o, u32 end)
{
	struct sim_end *e = &o->end[end];
	bool ok;
	const struct sim_end *from = sender_of(o, end, &ok);

	if (from) {
		ok = from->shut && (e->kind == XLANE_KIND_DATAGRAM ||
			(e->got_bytes == from->sent_bytes - from->gone_bytes &&
			 e->got_messages == from->sent_messages - from->gone_messages));
		if (!ok)
			TROUBLE(o, "end %u saw the end after %llu of %llu bytes, %llu of %llu messages%s", end,
				(unsigned long long)e->got_bytes, (unsigned long long)from->sent_bytes,
				(unsigned long long)e->got_messages, (unsigned long long)from->sent_messages,
				from->shut ? "" : "; the sender has not ended");
	}
	e->got_end = true;
	return ok;
}

bool sim_oracle_tainted(const struct sim_oracle *o, u32 end)
{
	return o->forged || o->end[end].why & 1 << SIM_WHY_TAINTED;
}

bool sim_oracle_tainted_id(const struct sim_oracle *o, u64 id)
{
	for (u32 i = 0; i < o->ends; i++)
		if (o->end[i].local_id == id)
			return sim_oracle_tainted(o, i);
	return o->forged;
}

bool sim_oracle_error_legal(struct sim_oracle *o, u32 end, int error, bool world_legal)
{
	const struct sim_end *e = &o->end[end];
	u32 why = e->why | (e->peer == XL_NONE ? 0 : o->end[e->peer].why);

	if (!error || world_legal || o->forged || why)
		return true;
	TROUBLE(o, "end %u ended with error %d, and nothing in this world is a reason for it", end, error);
	return false;
}

static bool got_all(const struct sim_end *e, const struct sim_end *from)
{
	if (e->kind == XLANE_KIND_DATAGRAM)
		return true; /* some may be lost */
	return e->got_bytes == from->sent_bytes - from->gone_bytes &&
	       e->got_messages == from->sent_messages - from->gone_messages;
}

bool sim_oracle_agrees(struct sim_oracle *o, u32 end)
{
	const struct sim_end *e = &o->end[end], *peer = e->peer == XL_NONE ? NULL : &o->end[e->peer];

	if (sim_oracle_tainted(o, end) || !peer || peer->peer != end)
		return true;
	/* One that ended gracefully has had everything acknowledged, so the other can have it. */
	if (e->closed_well && !peer->deaf && !(peer->why & (1 << SIM_WHY_ABORTED | 1 << SIM_WHY_CRASHED)) &&
		!got_all(peer, e)) {
		TROUBLE(o, "end %u ended gracefully, but end %u has %llu of %llu bytes", end, e->peer,
			(unsigned long long)peer->got_bytes, (unsigned long long)e->sent_bytes);
		return false;
	}
	if (!(e->why | peer->why) && e->got_end && !got_all(e, peer)) {
		TROUBLE(o, "end %u saw the end but not everything", end);
		return false;
	}
	return true;
}

void sim_oracle_forged(struct sim_oracle *o, u64 id)
{
	for (u32 i = 0; id && i < o->ends; i++) {
		if (o->end[i].local_id != id)
			continue;
		o->end[i].why |= 1 << SIM_WHY_TAINTED;
		if (o->end[i].peer != XL_NONE)
			o->end[o->end[i].peer].why |= 1 << SIM_WHY_TAINTED;
		return;
	}
	o->forged = true;      /* to a connection that no program knows yet, or to none */
}
