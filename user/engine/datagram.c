/* SPDX-License-Identifier: BSD-2-Clause */
#include "datagram.h"

#include "conn.h"
#include "rbuf.h"
#include "window.h"

static struct xl_fragments *table_of(const struct xl_engine *e, const struct xl_partial *p)
{
	return (struct xl_fragments *)xl_block_ptr(e, p->table);
}

/* --- ids that are over -------------------------------------------------------------------------- */
static u8 *bit_of(const struct xl_engine *e, const struct xl_conn *c, u64 id, u8 *mask)
{
	u32 bit = id % XL_DATAGRAM_WINDOW;

	*mask = (u8)(1 << bit % 8);
	return xl_datagrams_of(e, c)->over + bit / 8;
}

static bool is_over(const struct xl_engine *e, const struct xl_conn *c, u64 id)
{
	u8 mask;

	if (!c->datagram_any || id > c->datagram_top)
		return false;
	return c->datagrams == XL_NONE || c->datagram_top - id >= XL_DATAGRAM_WINDOW || *bit_of(e, c, id, &mask) & mask;
}

/* The window moves up to `id`: ids that are new in it are not over. A packet may do that with each of its records, so whole
 * bytes are cleared at once. */
static void move_top(struct xl_engine *e, struct xl_conn *c, u64 id)
{
	u64 from = c->datagram_top + 1, left = xl_min(id - c->datagram_top, XL_DATAGRAM_WINDOW);

	c->datagram_top = id;
	while (left) {
		u32 bit = from % XL_DATAGRAM_WINDOW, whole = (u32)xl_min(left, XL_DATAGRAM_WINDOW - bit) / 8 * !(bit % 8);
		u8 *byte = xl_datagrams_of(e, c)->over + bit / 8;

		if (whole)
			memset(byte, 0, whole);
		else
			*byte &= (u8)~(1u << bit % 8);
		from += whole ? 8 * whole : 1;
		left -= whole ? 8 * whole : 1;
	}
}

/* Before the first id none is over; after the table was given back all below the highest are. */
static bool have_table(struct xl_engine *e, struct xl_conn *c)
{
	struct xl_datagrams *d;

	if (c->datagrams != XL_NONE)
		return true;
	c->datagrams = xl_window_table(e, c);
	if (c->datagrams == XL_NONE)
		return false;
	d = xl_datagrams_of(e, c);
	for (u32 i = 0; i < XLANE_DATAGRAMS_PARTIAL_MAX; i++)
		d->partial[i].table = XL_NONE;
	memset(d->over, c->datagram_any ? 0xff : 0, sizeof d->over);
	return true;
}

static void set_over(struct xl_engine *e, struct xl_conn *c, u64 id)
{
	bool table = have_table(e, c);
	u8 mask;

	if (!c->datagram_any || (!table && id > c->datagram_top))
		c->datagram_top = id;
	c->datagram_any = true;
	if (!table)
		return;
	if (id > c->datagram_top)
		move_top(e, c, id);
	if (c->datagram_top - id < XL_DATAGRAM_WINDOW)
		*bit_of(e, c, id, &mask) |= mask;
}

/* --- the queue ---------------------------------------------------------------------------------- */
/* What a datagram in reassembly takes of the window: all its blocks and its head, so it has room in the queue later. */
static u64 cost(u32 total) { return (u64)xl_partial_blocks(total) * XLANE_BLOCK_BYTES + XLANE_MESSAGE_HEAD_BYTES; }

/* Bytes of the window that are in use. */
static u64 used(const struct xl_engine *e, const struct xl_conn *c)
{
	u64 sum = c->recv_next - c->consumed;

	for (const struct xl_partial *p = NULL; (p = xl_partial_next(e, c, p));)
		sum += cost(p->total);
	return sum;
}

static void queue_head(struct xl_engine *e, struct xl_conn *c, u32 bytes)
{
	struct xl_message_head h = { .bytes = bytes };
	u8 head[XLANE_MESSAGE_HEAD_BYTES];

	xl_message_head_emit(head, &h);
	xl_rbuf_reserve(e, &c->rbuf, c->consumed, c->recv_next, c->recv_next + sizeof head);
	xl_rbuf_put(e, &c->rbuf, c->recv_next, head, sizeof head);
	c->recv_next += sizeof head;
}

static void queued(struct xl_engine *e, struct xl_conn *c, u64 id, u32 bytes)
{
	e->counters[XL_C_DATA_BYTES_IN] += bytes;
	c->bytes_received += bytes;
	c->messages_ready++;
	set_over(e, c, id);
	xl_conn_notify(e, c, XL_EVENT_READABLE);
}

static void give_up(struct xl_engine *e, struct xl_conn *c, struct xl_partial *p, enum xl_engine_counter why);

static struct xl_partial *oldest(const struct xl_engine *e, const struct xl_conn *c)
{
	struct xl_partial *old = NULL;

	for (struct xl_partial *p = NULL; (p = xl_partial_next(e, c, p));)
		if (!old || p->since_ns < old->since_ns)
			old = p;
	return old;
}

/* There is room for `bytes` more in the window; datagrams in reassembly make it, the oldest first. */
static bool make_room(struct xl_engine *e, struct xl_conn *c, u64 bytes)
{
	struct xl_partial *p;

	if (c->recv_next - c->consumed + bytes > c->window)
		return false;
	while (used(e, c) + bytes > c->window && (p = oldest(e, c)))
		give_up(e, c, p, XL_C_DATAGRAM_EVICTED);
	return xl_window_back(e, c, used(e, c) + bytes);
}

static void take_whole(struct xl_engine *e, struct xl_conn *c, const struct xl_record_dgram *r, struct xl_cursor *cur)
{
	if (!make_room(e, c, XLANE_MESSAGE_HEAD_BYTES + r->bytes)) {
		xl_count(e, XL_C_DATAGRAM_NO_ROOM);
		set_over(e, c, r->datagram);
		return;
	}
	queue_head(e, c, r->bytes);
	if (r->bytes) {
		xl_rbuf_reserve(e, &c->rbuf, c->consumed, c->recv_next, c->recv_next + r->bytes);
		xl_rbuf_write(e, &c->rbuf, c->recv_next, cur, r->bytes);
		c->recv_next += r->bytes;
	}
	queued(e, c, r->datagram, r->bytes);
}

/* --- reassembly --------------------------------------------------------------------------------- */
static void rearm(struct xl_engine *e, struct xl_conn *c)
{
	struct xl_partial *p = oldest(e, c);

	c->partial_due_ns = p ? p->since_ns + xl_max(XL_DATAGRAM_AGE_NS, 8 * c->rtt.srtt_ns) : XL_NEVER;
}

static void give_blocks(struct xl_engine *e, struct xl_conn *c, struct xl_partial *p)
{
	struct xl_fragments *t = table_of(e, p);

	for (u32 i = 0; i < XL_DATAGRAM_BLOCKS; i++)
		if (t->block[i] != XL_NONE)
			xl_block_give(e, t->block[i]);
	xl_block_give(e, p->table);
	p->table = XL_NONE;
	rearm(e, c);
}

static void give_up(struct xl_engine *e, struct xl_conn *c, struct xl_partial *p, enum xl_engine_counter why)
{
	xl_count(e, why);
	set_over(e, c, p->id);
	give_blocks(e, c, p);
}

static struct xl_partial *find(const struct xl_engine *e, const struct xl_conn *c, u64 id)
{
	struct xl_partial *p = NULL;

	while ((p = xl_partial_next(e, c, p)) && p->id != id)
		;
	return p;
}

static struct xl_partial *start(struct xl_engine *e, struct xl_conn *c, const struct xl_record_dgram *r)
{
	struct xl_partial *p = NULL;
	struct xl_datagrams *d;
	struct xl_fragments *t;

	if (!make_room(e, c, cost(r->total)) || !have_table(e, c)) {
		xl_count(e, XL_C_DATAGRAM_NO_ROOM);
		set_over(e, c, r->datagram);
		return NULL;
	}
	d = xl_datagrams_of(e, c);
	for (u32 i = 0; i < XLANE_DATAGRAMS_PARTIAL_MAX && !p; i++)
		if (d->partial[i].table == XL_NONE)
			p = &d->partial[i];
	if (!p) {
		p = oldest(e, c);
		give_up(e, c, p, XL_C_DATAGRAM_EVICTED);
	}
	*p = (struct xl_partial){ .id = r->datagram, .since_ns = e->now_ns, .total = r->total, .table = xl_block_take(e) };
	t = table_of(e, p);
	t->count = t->got = 0;
	for (u32 i = 0; i < XL_DATAGRAM_BLOCKS; i++)
		t->block[i] = i + 1 < xl_partial_blocks(r->total) ? xl_block_take(e) : XL_NONE;
	rearm(e, c);
	return p;
}

/* Put together: block by block to the queue, each given back as soon as it is copied, so that no more are needed. */
static void complete(struct xl_engine *e, struct xl_conn *c, struct xl_partial *p)
{
	struct xl_fragments *t = table_of(e, p);
	u32 total = p->total;
	u64 id = p->id;

	xl_count(e, XL_C_DATAGRAM_FRAGMENTED);
	queue_head(e, c, total);
	for (u32 i = 0, done = 0, n; done < total; i++, done += n) {
		n = (u32)xl_min(total - done, XLANE_BLOCK_BYTES);
		xl_rbuf_reserve(e, &c->rbuf, c->consumed, c->recv_next, c->recv_next + n);
		xl_rbuf_put(e, &c->rbuf, c->recv_next, xl_block_ptr(e, t->block[i]), n);
		c->recv_next += n;
		xl_block_give(e, t->block[i]);
		t->block[i] = XL_NONE;
	}
	give_blocks(e, c, p);
	queued(e, c, id, total);
}

static void store(struct xl_engine *e, struct xl_fragments *t, u32 at, u32 bytes, struct xl_cursor *cur)
{
	while (bytes) {
		u32 off = at % XLANE_BLOCK_BYTES, n = (u32)xl_min(bytes, XLANE_BLOCK_BYTES - off);

		xl_cursor_copy(cur, xl_block_ptr(e, t->block[at / XLANE_BLOCK_BYTES]) + off, n);
		at += n;
		bytes -= n;
	}
}

/* Index of the first fragment that ends behind `at`. */
static u32 first_behind(const struct xl_fragments *t, u32 at)
{
	u32 low = 0, high = t->count;

	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (t->fragment[middle].end <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void add(struct xl_engine *e, struct xl_conn *c, struct xl_partial *p, const struct xl_record_dgram *r,
		struct xl_cursor *cur)
{
	struct xl_fragments *t = table_of(e, p);
	u32 from = r->offset, to = r->offset + r->bytes, i = first_behind(t, from);
	struct xl_fragment *f = &t->fragment[i];

	if (i < t->count && f->start == from && f->end == to) {
		xl_count(e, XL_C_DATAGRAM_DUPLICATE);
		return;
	}
	if (i < t->count && f->start < to) {
		give_up(e, c, p, XL_C_DATAGRAM_OVERLAP);
		return;
	}
	if (t->count == XL_DATAGRAM_FRAGMENTS) {
		give_up(e, c, p, XL_C_DATAGRAM_FRAGMENTS);
		return;
	}
	memmove(f + 1, f, (size_t)(t->count++ - i) * sizeof *f);
	*f = (struct xl_fragment){ from, to };
	store(e, t, from, r->bytes, cur);
	t->got += r->bytes;
	if (t->got == p->total)
		complete(e, c, p);
}

void xl_datagram_data(struct xl_engine *e, struct xl_conn *c, const struct xl_record_dgram *r, struct xl_cursor *cur)
{
	struct xl_partial *p;

	if (xl_conn_gone(c) || c->fin_received) {
		xl_count(e, c->fin_received ? XL_C_DATAGRAM_LATE : XL_C_DATA_AFTER_CLOSE);
		return;
	}
	p = find(e, c, r->datagram);
	if (!p && is_over(e, c, r->datagram)) {
		xl_count(e, XL_C_DATAGRAM_REPEATED);
		return;
	}
	if (p && p->total != r->total) {
		give_up(e, c, p, XL_C_DATAGRAM_TWO_TOTALS);
		return;
	}
	if (!p && r->bytes == r->total) {
		take_whole(e, c, r, cur);
		return;
	}
	if (!p)
		p = start(e, c, r);
	if (p)
		add(e, c, p, r, cur);
}

enum xl_receive_verdict xl_datagram_end(struct xl_engine *e, struct xl_conn *c, const struct xl_record_data *r)
{
	if (r->offset || r->bytes) {
		xl_count(e, XL_C_DATAGRAM_BAD_DATA);
		xl_conn_end(e, c, XLANE_WIRE_PROTOCOL, true);
		return XL_RECEIVE_BROKEN;
	}
	if (c->fin_received)
		return XL_RECEIVE_TAKEN;
	c->fin_received = true;
	c->fin_at = 0;
	xl_datagram_drop(e, c);
	xl_conn_event(e, c, XL_EV_FIN_RECEIVED);
	return XL_RECEIVE_TAKEN;
}

void xl_datagram_timeout(struct xl_engine *e, struct xl_conn *c)
{
	while (c->partial_due_ns <= e->now_ns)
		give_up(e, c, oldest(e, c), XL_C_DATAGRAM_TOO_OLD);
	xl_window_settle(e, c);
}

void xl_datagram_forget(struct xl_engine *e, struct xl_conn *c)
{
	if (c->datagrams != XL_NONE)
		xl_block_give(e, c->datagrams);
	c->datagrams = XL_NONE;
}

void xl_datagram_drop(struct xl_engine *e, struct xl_conn *c)
{
	struct xl_partial *p;

	while ((p = oldest(e, c)))
		give_blocks(e, c, p);
	xl_datagram_forget(e, c);
	xl_window_settle(e, c);
}
