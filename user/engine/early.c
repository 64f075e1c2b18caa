/* SPDX-License-Identifier: BSD-2-Clause */
#include "early.h"

#include "../wire/record.h"
#include "rbuf.h"

static struct xl_starts *starts_of(const struct xl_engine *e, const struct xl_conn *c)
{
	return c->early == XL_NONE ? NULL : (struct xl_starts *)xl_block_ptr(e, c->early);
}

/* Index of the first start at or behind `offset`; the count when there is none. */
static u32 find(const struct xl_starts *s, u64 offset)
{
	u32 low = 0, high = s ? s->count : 0;

	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (s->start[middle].offset < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct xl_start *at(struct xl_starts *s, u64 offset)
{
	u32 i = find(s, offset);

	return s && i < s->count && s->start[i].offset == offset ? &s->start[i] : NULL;
}

static void forget(struct xl_engine *e, struct xl_conn *c, struct xl_start *start)
{
	struct xl_starts *s = starts_of(e, c);
	u32 i = (u32)(start - s->start);

	memmove(start, start + 1, (size_t)(--s->count - i) * sizeof *start);
	if (s->count == 0)
		xl_early_drop(e, c);
}

void xl_early_drop(struct xl_engine *e, struct xl_conn *c)
{
	if (c->early != XL_NONE)
		xl_block_give(e, c->early);
	c->early = XL_NONE;
}

bool xl_early_cut(struct xl_engine *e, struct xl_conn *c, u64 from)
{
	struct xl_starts *s = starts_of(e, c);
	u32 keep = find(s, from);

	for (u32 i = keep; s && i < s->count; i++)
		if (s->start[i].state == XL_EARLY_READY || s->start[i].state == XL_EARLY_OPEN)
			return false;
	if (s)
		s->count = keep;
	if (!keep)
		xl_early_drop(e, c);
	return true;
}

/* The start at `offset`, a new one if there is a place for it; NULL when there is none. */
static struct xl_start *learn(struct xl_engine *e, struct xl_conn *c, u64 offset)
{
	struct xl_starts *s = starts_of(e, c);
	struct xl_start *known = at(s, offset);
	u32 i;

	if (known)
		return known;
	if (!s) {
		c->early = xl_block_take(e);
		s = starts_of(e, c);
		*s = (struct xl_starts){ 0 };
	}
	if (s->count == XL_EARLY_MAX) {
		xl_count(e, XL_C_EARLY_FULL);
		return NULL;
	}
	i = find(s, offset);
	memmove(&s->start[i + 1], &s->start[i], (size_t)(s->count++ - i) * sizeof s->start[0]);
	s->start[i] = (struct xl_start){ .offset = offset, .state = XL_EARLY_START };
	return &s->start[i];
}

/* What is known of the start grows by what lies in [offset, end). The offset of the next message; 0 when this one is not
 * whole; XL_NONE64 when there is no header where one should be. */
static u64 look_at(struct xl_engine *e, struct xl_conn *c, u64 offset, u64 end)
{
	u8 bytes[XLANE_MESSAGE_HEAD_BYTES];
	struct xl_message_head h;
	struct xl_start *s;

	if (end - offset < sizeof bytes) {
		learn(e, c, offset);
		return 0;
	}
	xl_rbuf_read(e, &c->rbuf, offset, bytes, sizeof bytes);
	if (!xl_message_head_parse(bytes, sizeof bytes, &h))
		return XL_NONE64;
	if (h.class == XLANE_MESSAGE_LARGE) { /* its turn is when order gets there */
		s = at(starts_of(e, c), offset);
		if (s)
			forget(e, c, s);
		return offset + sizeof bytes;
	}
	if (h.bytes > XLANE_MESSAGE_SMALL_MAX_BYTES)
		return XL_NONE64;
	s = learn(e, c, offset);
	if (!s)
		return 0;
	s->bytes = h.bytes;
	if (end - offset - sizeof bytes < h.bytes) {
		s->state = XL_EARLY_PARTIAL;
		return 0;
	}
	if (s->state < XL_EARLY_READY) {
		s->state = XL_EARLY_READY;
		c->messages_ready++;
		xl_count(e, XL_C_EARLY_DELIVERED);
	}
	return offset + sizeof bytes + h.bytes;
}

/* Follow the messages from the start at `offset` to the interval's end. */
static bool follow(struct xl_engine *e, struct xl_conn *c, u64 offset, u64 end)
{
	while (offset && offset != XL_NONE64 && offset < end)
		offset = look_at(e, c, offset, end);
	return offset != XL_NONE64;
}

/* The received interval behind the contiguous part that holds `offset`. */
static struct xl_range interval(const struct xl_engine *e, const struct xl_conn *c, u64 offset)
{
	const struct xl_ranges *h = (const struct xl_ranges *)xl_block_ptr(e, c->holes);
	u32 low = 0, high = h->count;

	while (high - low > 1) {
		u32 middle = low + (high - low) / 2;

		if (h->r[middle].start <= offset)
			low = middle;
		else
			high = middle;
	}
	return h->r[low];
}

bool xl_early_stored(struct xl_engine *e, struct xl_conn *c, u64 start, u64 end, bool begin)
{
	struct xl_range r = interval(e, c, start);
	struct xl_starts *s = starts_of(e, c);
	u32 i = find(s, start + 1);

	(void)end;
	/* Only the last start before the new bytes can have waited for them; a later one in the interval had its own. */
	if (i > 0 && s->start[i - 1].offset >= r.start && !follow(e, c, s->start[i - 1].offset, r.end))
		return false;
	return !begin || at(starts_of(e, c), start) || follow(e, c, start, r.end);
}

enum xl_early_pass xl_early_pass(struct xl_engine *e, struct xl_conn *c, u64 offset, u64 end)
{
	struct xl_starts *s = starts_of(e, c);
	u32 i = find(s, offset);
	struct xl_start *here = at(s, offset);
	u32 next = i + !!here;
	enum xl_early_state state;

	if (s && next < s->count && s->start[next].offset < end)
		return XL_EARLY_BROKEN; /* a start in the middle of a message */
	if (!here)
		return XL_EARLY_UNKNOWN;
	state = here->state;
	if (state <= XL_EARLY_READY)
		forget(e, c, here);
	return state < XL_EARLY_READY ? XL_EARLY_UNKNOWN : XL_EARLY_COUNTED;
}

u64 xl_early_skip(struct xl_engine *e, struct xl_conn *c, u64 offset)
{
	struct xl_start *s = at(starts_of(e, c), offset);
	u64 bytes;

	if (!s || s->state != XL_EARLY_READ)
		return 0;
	bytes = XLANE_MESSAGE_HEAD_BYTES + (u64)s->bytes;
	forget(e, c, s);
	return bytes;
}

static struct xl_start *first_in(const struct xl_engine *e, const struct xl_conn *c, enum xl_early_state state)
{
	struct xl_starts *s = starts_of(e, c);

	for (u32 i = 0; s && i < s->count; i++)
		if (s->start[i].state == state)
			return &s->start[i];
	return NULL;
}

struct xl_start *xl_early_first(const struct xl_engine *e, const struct xl_conn *c)
{
	return first_in(e, c, XL_EARLY_READY);
}

void xl_early_close(struct xl_engine *e, struct xl_conn *c)
{
	struct xl_start *s = first_in(e, c, XL_EARLY_OPEN);

	XL_ASSERT(s);
	s->state = XL_EARLY_READ;
}
