/* SPDX-License-Identifier: BSD-2-Clause */
/* Every invariant of what a connection has received can fail, and is named when it does. */
#include "engine_broken.h"
#include "engine_large.h"

#include "engine/datagram.h"
#include "engine/early.h"
#include "engine/grant.h"
#include "engine/window.h"

#define SLOTS (XLANE_BLOCK_BYTES / 4)

static struct raw r;
static struct pair p;
static struct image image;

#define WRONG(name, change) BROKEN(&image, name, change)

static struct xl_engine *engine(void) { return p.h[1].e; }
static struct xl_conn *conn(const struct peer *x) { return &engine()->conns[x->conn]; }
static void *block(u32 b) { return xl_block_ptr(engine(), b); }
static u32 spare(u32 n) { return engine()->block_free[n]; }   /* a block that nobody uses */

static void begin(void)
{
	pair_open(&p, &(struct xl_engine_config){ .blocks = 1024 });
}

static void end(void)
{
	image_free(&image);
	pair_close(&p);
}

static struct xl_ranges *with_count(struct xl_ranges *h, u32 count)
{
	h->count = count;
	return h;
}

static void move_slot(u32 *slot, u32 from, u32 to)
{
	slot[to] = slot[from];
	slot[from] = XL_NONE;
}

/* --- numbers and sequence ----------------------------------------------------------------------------- */
static void test_numbers(void **state)
{
	struct xl_ack_range *table;
	struct xl_conn *c;
	struct peer x;

	(void)state;
	begin();
	x = peer_open(&p, 3, 100, XLANE_KIND_STREAM, 1 << 20);
	for (u32 i = 0; i < 3; i++, x.next++)
		peer_data(&p, &x, 0, i * 100, 1, 100);
	image_take(&image, &p.h[1]);
	c = conn(&x);
	CHECK(c->received.count >= 3);
	table = block(c->received_table);
	WRONG("ranges of received numbers are counted", c->received.count = XLANE_ACK_RANGES_KEPT + 1);
	WRONG("ranges of received numbers are counted", c->received.any = false);
	WRONG("gaps in received numbers have a table", c->received_table = XL_NONE);
	WRONG("a range of received numbers is not empty", c->received.newest.first = c->received.newest.last + 1);
	WRONG("ranges of received numbers are in order", table[0].first = table[0].last + 1);
	WRONG("ranges of received numbers are in order", table[1].last = table[0].first);
	end();
}

/* Contiguous bytes, a hole, bytes behind it twice; in the slots of the connection itself. */
static struct peer with_holes(void)
{
	struct peer x = peer_open(&p, 3, 100, XLANE_KIND_STREAM, 1 << 20);

	peer_data(&p, &x, 0, 0, 1, 1000);
	peer_data(&p, &x, 0, 8192, 1, 500);
	peer_data(&p, &x, 0, 9000, 1, 500);
	CHECK(conn(&x)->rbuf.table == XL_NONE && conn(&x)->holes != XL_NONE);
	return x;
}

static void test_promise(void **state)
{
	struct xl_conn *c;
	struct peer x;

	(void)state;
	begin();
	x = with_holes();
	image_take(&image, &p.h[1]);
	c = conn(&x);
	CHECK(c->backed && c->promised > 3);
	WRONG("a connection's memory is within its promise", c->promised = xl_window_held(engine(), c) - 1);
	WRONG("a connection's memory is within its promise", c->rbuf.blocks++);
	WRONG("a connection that is not backed is promised what it holds", c->backed = 0);
	WRONG("what is backed is promised", c->promised++);
	WRONG("what is backed is promised", c->awaits_memory = true);
	WRONG("a whole small message fits what is backed",
	      c->promised = xl_window_blocks(c->backed = XLANE_RECV_WINDOW_MIN_BYTES - 1));
	WRONG("a whole small message fits what is backed",
	      c->promised = xl_window_blocks(c->backed = 2 * XLANE_RECV_WINDOW_BYTES + 1));
	WRONG("nothing is stored past what is backed", c->recv_highest = c->consumed + c->backed + 1);
	end();
}

static void test_sequence(void **state)
{
	struct xl_ranges *h;
	struct xl_conn *c;
	struct peer x;

	(void)state;
	begin();
	x = with_holes();
	image_take(&image, &p.h[1]);
	c = conn(&x);
	h = block(c->holes);
	CHECK(h->count == 2);
	WRONG("the credit is within the largest window", c->window = 2 * XLANE_RECV_WINDOW_BYTES + 1);
	WRONG("the credit is within the largest window", c->credit_given = c->consumed + 2 * XLANE_RECV_WINDOW_BYTES + 1);
	WRONG("consumed <= received", c->consumed = c->recv_next + 1);
	WRONG("nothing is stored past the credit", c->recv_highest = c->recv_next - 1);
	WRONG("nothing is stored past the credit", c->credit_given = c->recv_highest - 1);
	WRONG("nothing is stored past the end", c->fin_at = c->recv_highest - 1);
	WRONG("holes begin past the contiguous part", h->count = 0);
	WRONG("holes begin past the contiguous part", h->cap++);
	WRONG("holes begin past the contiguous part", with_count(h, h->cap + 1));
	WRONG("holes begin past the contiguous part", h->r[0].start = c->recv_next);
	WRONG("holes begin past the contiguous part", h->r[1].start = h->r[0].end);
	WRONG("holes begin past the contiguous part", h->r[1].start = h->r[1].end);
	WRONG("holes begin past the contiguous part", h->r[1].end = c->recv_highest + 1);
	WRONG("received bytes behind a hole are in memory", move_slot(c->rbuf.slot, 2, 3));
	end();
}

/* More than the connection's own slots name. */
static void test_sequence_in_a_table(void **state)
{
	struct xl_conn *c;
	struct peer x;

	(void)state;
	begin();
	x = peer_open(&p, 3, 100, XLANE_KIND_STREAM, 1 << 20);
	for (u32 i = 0; i < 20; i++)
		peer_data(&p, &x, 0, i * 1000, 1, 1000);
	image_take(&image, &p.h[1]);
	c = conn(&x);
	CHECK(c->rbuf.table != XL_NONE);
	WRONG("receive memory is within the span held", c->consumed = c->recv_next);
	WRONG("received bytes are in memory", move_slot(block(c->rbuf.table), 1, 500));
	end();
}

/* --- messages ----------------------------------------------------------------------------------------- */
/* Bytes of a sequence of small messages, each `bytes` long; [from, to) of it in one packet. */
static void messages(struct peer *x, u32 bytes, u32 from, u32 to)
{
	peer_header(x, &r);
	raw_record(&r, 0x01, from % (bytes + 8) ? 0 : 2, (u16)(8 + to - from));
	raw64(&r, from);
	for (u32 at = from; at < to; at++) {
		u32 in = at % (bytes + 8);

		raw8(&r, in < 4 ? (u8)(bytes >> (24 - 8 * in)) : in < 8 ? 0 : 0x55);
	}
	raw_seal(&r);
	peer_send(&p, x, &r);
}

static void consume(const struct peer *x, u64 bytes)
{
	const u8 *piece;
	u64 left;

	CHECK(xl_conn_peek(engine(), x->conn, &piece, &left) >= 0 && left > bytes);
	xl_conn_consume(engine(), x->conn, bytes, p.now);
}

static void test_messages_in_order(void **state)
{
	struct peer x, y;
	struct xl_conn *c, *s;
	u8 *first;

	(void)state;
	begin();
	x = peer_open(&p, 3, 100, XLANE_KIND_MESSAGE, 1 << 20);
	messages(&x, 500, 0, 3 * 508);
	consume(&x, 100);
	y = peer_open(&p, 4, 100, XLANE_KIND_STREAM, 1 << 20);
	image_take(&image, &p.h[1]);
	c = conn(&x);
	s = conn(&y);
	CHECK(c->reading == XL_READING_FRONT && c->messages_ready == 3 && c->rbuf.table == XL_NONE);
	first = block(c->rbuf.slot[0]);
	WRONG("a stream has no messages", s->reading = XL_READING_FRONT);
	WRONG("a stream has no messages", s->messages_ready = 1);
	WRONG("messages are read in known ways", c->reading = XL_READINGS);
	WRONG("received messages are whole", c->message_parse = c->recv_next + 1);
	WRONG("received messages are whole", c->message_parse = c->consumed + c->message_left - 1);
	WRONG("received messages are whole", c->message_parse = 508 + 7);
	WRONG("received messages are whole", c->message_parse--);
	WRONG("received messages are whole", first[508 + 4] = 0x77); /* no class of a message */
	WRONG("received messages are whole", first[508] = 0xff);
	WRONG("a table of starts is in use", (c->early = spare(0), c->promised++, c->backed += XLANE_BLOCK_BYTES));
	WRONG("whole messages equal a recount", c->messages_ready++);
	end();
}

static void test_messages_out_of_order(void **state)
{
	struct xl_starts *s;
	struct xl_conn *c;
	struct peer x;

	(void)state;
	begin();
	x = peer_open(&p, 3, 100, XLANE_KIND_UNORDERED, 1 << 20);
	messages(&x, 500, 0, 508);
	messages(&x, 500, 2 * 508, 4 * 508);
	messages(&x, 500, 4 * 508, 5 * 508 - 8);
	CHECK(xl_conn_recv(engine(), x.conn, r.b, sizeof r.b, p.now) == 500); /* the one in front */
	messages(&x, 500, 508, 508 + 100); /* and a part of the next */
	consume(&x, 100); /* of the first behind the hole */
	image_take(&image, &p.h[1]);
	c = conn(&x);
	s = block(c->early);
	CHECK(s->count >= 3 && c->reading == XL_READING_EARLY && s->start[0].state == XL_EARLY_OPEN &&
	      s->start[1].state == XL_EARLY_READY && s->start[2].state == XL_EARLY_PARTIAL);
	WRONG("a table of starts is in use", s->count = 0);
	WRONG("a table of starts is in use", s->count = XL_EARLY_MAX + 1);
	WRONG("starts are in order", s->start[1].offset = s->start[0].offset);
	WRONG("starts are in order", s->start[0].offset = c->consumed - 1);
	WRONG("starts are in order", s->start[1].state = XL_EARLY_STATES);
	WRONG("starts are in order", s->start[1].bytes = XLANE_MESSAGE_SMALL_MAX_BYTES + 1);
	WRONG("starts are in order", s->start[2].offset = c->recv_highest + 1);
	WRONG("an early message is whole", s->start[2].state = XL_EARLY_READY);
	WRONG("an early message is whole", s->start[0].offset = c->recv_next - 1);
	WRONG("an early message is read on", c->early_at = s->start[0].offset - 1);
	WRONG("an early message is read on", c->message_left++);
	WRONG("one early message is read at a time", s->start[0].state = XL_EARLY_READY);
	WRONG("whole messages equal a recount", c->messages_ready++);
	WRONG("whole messages equal a recount", s->start[1].state = XL_EARLY_READ);
	end();
}

/* A start that the parser passes is one that was counted. */
static void test_starts_in_front(void **state)
{
	struct xl_starts *s;
	struct xl_conn *c;
	struct peer x;

	(void)state;
	begin();
	x = peer_open(&p, 3, 100, XLANE_KIND_UNORDERED, 1 << 20);
	messages(&x, 500, 0, 508);
	messages(&x, 500, 2 * 508, 3 * 508);
	image_take(&image, &p.h[1]);
	c = conn(&x);
	s = block(c->early);
	WRONG("received messages are whole", s->start[0] = ((struct xl_start){ 0, 500, XL_EARLY_PARTIAL }));
	WRONG("whole messages equal a recount", s->start[0] = ((struct xl_start){ 0, 500, XL_EARLY_READ }));
	end();
}

/* --- large messages ------------------------------------------------------------------------------------- */
#define BYTES 200000u

static void parts(struct peer *x, u32 from, u32 to)
{
	for (u32 at = from; at < to; at += 1400)
		part(&p, x, 0, at, 1, (u16)xl_min(1400, to - at));
}

static void test_large_in_parts(void **state)
{
	struct peer x, y, z;
	struct xl_conn *c, *s, *m;
	struct xl_large_in *l;
	struct xl_ranges *h;

	(void)state;
	begin();
	x = peer_open(&p, 3, 100, XLANE_KIND_MESSAGE, 1 << 20);
	y = peer_open(&p, 4, 100, XLANE_KIND_STREAM, 1 << 20);
	z = peer_open(&p, 5, 100, XLANE_KIND_MESSAGE, 1 << 20);
	head(&p, &x, 0, BYTES, 1);
	parts(&x, 0, 14000);
	parts(&x, 28000, 42000);
	image_take(&image, &p.h[1]);
	c = conn(&x);
	s = conn(&y);
	m = conn(&z);
	l = &c->large_in;
	CHECK(l->state == XL_LARGE_GRANTED && l->ranges != XL_NONE);
	h = block(l->ranges);
	WRONG("large messages are in known states", l->state = XL_LARGE_DISCARDED + 1);
	WRONG("large messages are in known states", s->large_in.state = XL_LARGE_WAITING);
	WRONG("blocks of a large message equal a recount", l->reserved = l->held - 1);
	WRONG("a granted message is waited for with a bound", l->due_ns = XL_NEVER);
	WRONG("a granted message is waited for with a bound", m->large_in.due_ns = 5);
	WRONG("memory is reserved for what was granted", l->reserved++);
	WRONG("memory is reserved for what was granted", m->large_in.reserved++);
	WRONG("parts of a large message are in order", h->r[1].end = BYTES + 1);
	WRONG("parts of a large message are in order", (l->state = XL_LARGE_COMPLETE, l->due_ns = XL_NEVER));
	WRONG("a grant is for the whole message", l->reserved--);
	WRONG("parts of a large message are in memory", move_slot(block(l->index[0]), 0, 500));
	WRONG("parts of a large message are in memory", move_slot(l->index, 0, 1));
	WRONG("a large message that is read is complete", m->reading = XL_READING_LARGE);
	end();
}

/* What a connection of messages can not have: a block for datagrams, empty. */
static struct xl_datagrams *give_datagrams(struct xl_conn *c, u32 n)
{
	struct xl_datagrams *d = block(c->datagrams = spare(n));

	memset(d, 0xff, XLANE_BLOCK_BYTES);
	c->promised += c->backed ? 0 : 1;
	return d;
}

/* The count of a large message's blocks is part of two sums: a datagram in parts, which should have two blocks and has one,
 * evens the other out. */
static void miscount(struct xl_conn *c)
{
	give_datagrams(c, 0)->partial[0] = (struct xl_partial){ .table = spare(1), .total = XLANE_BLOCK_BYTES };
	memset(block(spare(1)), 0xff, XLANE_BLOCK_BYTES);
	c->large_in.held--;
	c->promised += c->backed ? 0 : 2;
}

static void test_large_complete(void **state)
{
	struct peer x, y, z;
	struct xl_conn *c, *u, *m;
	struct xl_large_in *l;

	(void)state;
	begin();
	x = peer_open(&p, 3, 100, XLANE_KIND_MESSAGE, 1 << 20);
	y = peer_open(&p, 4, 100, XLANE_KIND_UNORDERED, 1 << 20);
	head(&p, &x, 0, BYTES, 1);
	parts(&x, 0, BYTES);
	head(&p, &y, 0, BYTES, 1);
	parts(&y, 0, BYTES);
	z = peer_open(&p, 5, 100, XLANE_KIND_MESSAGE, 1 << 20);
	head(&p, &z, 0, BYTES, 1);
	parts(&z, 0, BYTES);
	consume(&x, 5000);
	image_take(&image, &p.h[1]);
	c = conn(&x);
	u = conn(&y);
	m = conn(&z);
	l = &c->large_in;
	CHECK(l->state == XL_LARGE_COMPLETE && m->large_in.state == XL_LARGE_COMPLETE && c->reading == XL_READING_LARGE);
	WRONG("blocks of a large message equal a recount", miscount(c));
	WRONG("a large message is large", l->read = l->bytes + 1);
	WRONG("a complete message is in memory", l->read = l->bytes);
	WRONG("a complete message is in memory", move_slot(block(l->index[0]), 3, 900));
	WRONG("a complete message is in memory", move_slot(l->index, 0, 1));
	WRONG("a large message that is read is complete", c->message_left++);
	WRONG("whole messages equal a recount", c->messages_ready++);
	WRONG("whole messages equal a recount", u->messages_ready--);
	WRONG("received messages are whole", m->large_in.message++);
	end();
}

static void test_large_that_waits(void **state)
{
	u32 bytes = 1000000;
	struct peer x, y;
	struct xl_large_in *l;

	(void)state;
	begin();
	x = peer_open(&p, 3, 100, XLANE_KIND_MESSAGE, 1 << 20);
	y = peer_open(&p, 4, 100, XLANE_KIND_MESSAGE, 1 << 20);
	head(&p, &x, 0, bytes, 1);
	head(&p, &y, 0, bytes, 1);
	image_take(&image, &p.h[1]);
	l = &conn(&y)->large_in;
	CHECK(l->state == XL_LARGE_WAITING);
	WRONG("a large message is large", l->bytes = XLANE_MESSAGE_SMALL_MAX_BYTES);
	WRONG("a large message is large", l->bytes = XLANE_MESSAGE_MAX_BYTES + 1);
	WRONG("large messages that wait add up", engine()->large_ages.count++);
	WRONG("large messages that wait add up", engine()->large_classes[5].count++);
	WRONG("large messages in reassembly add up", engine()->grants++);
	end();
}

/* --- datagrams ------------------------------------------------------------------------------------------- */
static void fragment(struct peer *x, u64 id, u32 total, u32 offset, u16 bytes)
{
	peer_header(x, &r);
	raw_record(&r, 0x03, 0, (u16)(16 + bytes));
	raw64(&r, id);
	raw32(&r, total);
	raw32(&r, offset);
	raw_fill(&r, 1, bytes);
	raw_seal(&r);
	peer_send(&p, x, &r);
}

static struct xl_partial *partial(const struct xl_conn *c, u32 i) { return &xl_datagrams_of(engine(), c)->partial[i]; }
static struct xl_fragments *table_of(struct xl_conn *c, u32 i) { return block(partial(c, i)->table); }

/* As many blocks are held as ever, but one is in another place than it is counted in. */
static void misplace(struct xl_conn *c)
{
	c->rbuf.slot[XL_RBUF_INLINE - 1] = table_of(c, 0)->block[0];
	table_of(c, 0)->block[0] = XL_NONE;
}

static void enlarge(struct xl_conn *c, u32 total)
{
	partial(c, 0)->total = total;
	for (u32 i = 0; i < XL_DATAGRAM_BLOCKS; i++)
		table_of(c, 0)->block[i] = spare(i);
	table_of(c, 1)->block[1] = spare(XL_DATAGRAM_BLOCKS);
}

static void add_partial(struct xl_conn *c)
{
	struct xl_fragments *t = block(spare(1));

	give_datagrams(c, 0)->partial[0] = (struct xl_partial){ .table = spare(1), .total = 100 };
	memset(t, 0xff, XLANE_BLOCK_BYTES);
	t->count = 1;
	t->got = 50;
	t->fragment[0] = (struct xl_fragment){ 0, 50 };
	t->block[0] = spare(2);
}

static void test_datagrams(void **state)
{
	struct xl_fragments *t;
	struct xl_conn *c, *m;
	struct peer x, y;

	(void)state;
	begin();
	x = peer_open(&p, 3, 100, XLANE_KIND_DATAGRAM, 1 << 20);
	y = peer_open(&p, 4, 100, XLANE_KIND_MESSAGE, 1 << 20);
	messages(&y, 500, 0, 508);
	fragment(&x, 1, 700, 0, 700);
	fragment(&x, 2, 3000, 0, 1000);
	fragment(&x, 2, 3000, 2000, 800);
	fragment(&x, 3, 2000, 0, 1000);
	image_take(&image, &p.h[1]);
	c = conn(&x);
	m = conn(&y);
	t = table_of(c, 0);
	CHECK(t->count == 2 && c->datagrams != XL_NONE);
	WRONG("blocks of received data equal a recount", misplace(c));
	WRONG("datagrams received are within the window", c->window = 0);
	WRONG("datagrams received are within the window", c->recv_highest = 1);
	WRONG("datagrams received are within the window", c->holes = spare(0));
	WRONG("fragments are counted", t->count = 0);
	WRONG("fragments are counted", t->count = XL_DATAGRAM_FRAGMENTS + 1);
	WRONG("fragments are counted", enlarge(c, XLANE_DATAGRAM_MAX_BYTES + 1));
	WRONG("fragments are in order", t->fragment[1].start = 999);
	WRONG("fragments are in order", t->fragment[1].end = 2000);
	WRONG("fragments are in order", t->fragment[1].end = 3001);
	WRONG("bytes of fragments equal a recount", t->got++);
	WRONG("bytes of fragments equal a recount", (t->fragment[1].start = 1000, t->got = partial(c, 0)->total = 2800));
	WRONG("fragments have their memory", (t->block[0] = XL_NONE, t->block[1] = spare(0)));
	WRONG("only datagram connections have datagrams", give_datagrams(m, 0));
	WRONG("only datagram connections have datagrams", add_partial(m));
	WRONG("datagrams in reassembly have a timer", c->partial_due_ns = XL_NEVER);
	WRONG("datagrams in reassembly have a timer", m->partial_due_ns = 5);
	WRONG("received messages are whole", ((u8 *)block(c->rbuf.slot[0]))[1] = 0xff);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers), cmocka_unit_test(test_promise), cmocka_unit_test(test_sequence),
		cmocka_unit_test(test_sequence_in_a_table), cmocka_unit_test(test_messages_in_order),
		cmocka_unit_test(test_messages_out_of_order), cmocka_unit_test(test_starts_in_front),
		cmocka_unit_test(test_large_in_parts), cmocka_unit_test(test_large_complete),
		cmocka_unit_test(test_large_that_waits), cmocka_unit_test(test_datagrams),
	};

	return RUN_TAP(tests);
}
