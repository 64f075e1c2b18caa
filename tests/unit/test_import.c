/* SPDX-License-Identifier: BSD-2-Clause */
/* Every check of an import: one field of what was exported is made wrong, and it is refused for that, with nothing changed. */
#include "engine_acks.h"
#include "engine_feed.h"

#include "engine/blocks.h"
#include "engine/core.h"
#include "engine/export.h"
#include "engine/grant.h"
#include "engine/persist.h"
#include "engine/txbuf.h"

static struct raw r;
static struct pair p;
static u8 bytes[1 << 20], spoilt[1 << 20];
static u64 length;

/* Parts of the copy that is made wrong. */
static struct xl_export *h;
static struct xl_conn *c;
static struct xl_flow *f;
static struct xl_sent *s;
static struct xl_export_frame *fr;

static void spoil(void)
{
	memcpy(spoilt, bytes, length);
	h = (struct xl_export *)spoilt;
	c = (struct xl_conn *)(h + 1);
	f = (struct xl_flow *)(c + 1);
	s = (struct xl_sent *)(f + h->flows);
	fr = (struct xl_export_frame *)(s + h->sents);
}

static void expect(struct host *at, u64 n, int error, const char *change, int line)
{
	u32 conn = 77;
	int got = xl_conn_import(at->e, spoilt, n, p.now, &conn);

	if (got != error)
		fail_msg("line %d: %s: %d, not %d", line, change, got, error);
	CHECK(conn == 77);
}

static void whole(const struct host *at, const char *change, int line)
{
	const char *broken = xl_engine_check(at->e);

	if (broken)
		fail_msg("line %d: %s: %s", line, change, broken);
	spoil();
}

/* Bytes that are wrong; a part of the bytes; good bytes, but an engine that has not what they need, until `undo`. */
#define BAD(at, change) \
	do { change; expect(at, length, -EINVAL, #change, __LINE__); whole(at, #change, __LINE__); } while (0)
#define BAD_LENGTH(at, n) \
	do { expect(at, n, -EINVAL, #n, __LINE__); whole(at, #n, __LINE__); } while (0)
#define FULL(at, change, undo) \
	do { change; expect(at, length, -ENOSPC, #change, __LINE__); undo; whole(at, #change, __LINE__); } while (0)

static void moved_out(struct host *at, u32 conn)
{
	s64 n = xl_conn_export(at->e, conn, bytes, sizeof bytes);

	CHECK(n > 0);
	length = (u64)n;
	spoil();
}

static u32 moved_in(struct host *at)
{
	u32 conn;

	CHECK(xl_conn_import(at->e, bytes, length, p.now, &conn) == 0 && !xl_engine_check(at->e));
	return conn;
}

/* Packets of host 0 to host 1: the first `lost` of them do not arrive. Then what host 1 says to that. */
static void some_packets(u32 n, u32 lost)
{
	u8 to;

	for (u32 i = 0; i < n && host_output(&p.h[0], &r, &to, p.now); i++)
		if (i >= lost)
			host_input(&p.h[1], &r, 1, p.now);
	while (host_output(&p.h[1], &r, &to, p.now))
		host_input(&p.h[0], &r, 2, p.now);
}

/* --- the form ------------------------------------------------------------------------------------------- */
static void test_form(void **state)
{
	struct host *at = &p.h[0];

	(void)state;
	pair_open(&p, &(struct xl_engine_config){ .blocks = 256 });
	CHECK(xl_conn_send(at->e, p.a, data, 100000, p.now) == 100000);
	some_packets(5, 1);
	moved_out(at, p.a);
	CHECK(h->frames && h->sents && h->flows);
	BAD_LENGTH(at, 0);
	BAD_LENGTH(at, sizeof *h - 1);
	BAD_LENGTH(at, sizeof *h);
	BAD_LENGTH(at, length - 1);
	BAD(at, h->magic++);
	BAD(at, h->version++);
	BAD(at, h->conn_bytes++);
	BAD(at, h->frames = at->f.count + 1);
	BAD(at, h->sents = at->e->nsents + 1);
	BAD(at, h->flows = 2);
	BAD(at, h->sents--);
	BAD(at, *(u8 *)&c->received.any = 2);
	BAD(at, *(u8 *)&c->large_out.open = 0xff);
	BAD(at, *(u8 *)&f->cc.in_recovery = 2);
	BAD(at, *(u8 *)&s->lost = 2);
	BAD(at, *(u8 *)&fr->meta.fin = 2);
	p.a = moved_in(at);
	pair_run(&p, 1 * XL_MS);
	CHECK(xl_conn_recv(p.h[1].e, p.b, in, sizeof in, p.now) > 0);
	pair_close(&p);
}

/* --- the connection ------------------------------------------------------------------------------------- */
static void bad_identity(struct host *at)
{
	BAD(at, c->state = XL_STATE_CALLING);
	BAD(at, c->state = XL_STATE_DEAD);
	BAD(at, c->calling = true);
	BAD(at, c->kind = 0);
	BAD(at, c->kind = XLANE_KIND_DATAGRAM + 1);
	BAD(at, c->listener = 0);
	BAD(at, c->local_id = 0);
	BAD(at, c->remote_id = 0);
	BAD(at, c->control |= XL_CTL_HANDSHAKE);
	BAD(at, c->control |= XL_CTL_ABORT);
	BAD(at, c->error = -ECONNRESET);
	BAD(at, c->abort_tries = 1);
	BAD(at, (c->call_mapped = true, c->call_id = 0));
}

static void bad_limits(struct host *at)
{
	BAD(at, c->max_packet = XLANE_MTU_MIN - 1);
	BAD(at, c->max_packet = XLANE_MTU_MAX + 1);
	BAD(at, c->peer_packet = XLANE_MTU_MIN - 1);
	BAD(at, c->pad = XLANE_MTU_MAX + 1);
	BAD(at, c->send_buffer = XLANE_SEND_BUFFER_BYTES + 1);
	BAD(at, c->message_max = XLANE_MESSAGE_MAX_BYTES + 1);
	BAD(at, c->deadline_ns = XL_EXPIRE_NS_MAX + 1);
	BAD(at, c->first_number = c->next_number + 1);
	BAD(at, c->largest_acked = c->next_number);
	BAD(at, c->ack_every = XL_ACK_EVERY - 1);
	BAD(at, c->ack_every = XL_ACK_EVERY_MAX + 1);
	BAD(at, c->reorder_packets = XL_REORDER_PACKETS - 1);
	BAD(at, c->reorder_packets = XL_REORDER_PACKETS_MAX + 1);
	BAD(at, c->reorder_quarters = XL_REORDER_QUARTERS_MAX + 1);
	BAD(at, c->congestion = XL_CC_ALGORITHMS);
	BAD(at, c->window = XLANE_RECV_WINDOW_MIN_BYTES - 1);
	BAD(at, c->window = 2 * XLANE_RECV_WINDOW_BYTES + 1);
	BAD(at, c->persist_count = XL_PERSIST_BACKOFF_MAX + 1);
}

static void bad_timers(struct host *at)
{
	BAD(at, c->call_time_ns = p.now);
	BAD(at, (c->state = XL_STATE_LINGER, c->linger_until_ns = XL_NEVER));
	BAD(at, (c->ack_pending = 1, c->ack_now = false, c->ack_due_ns = XL_NEVER));
	BAD(at, (c->ack_now = true, c->received.any = false));
	BAD(at, (c->ack_pending = 1, c->ack_due_ns = p.now, c->received.any = false));
}

static void bad_large(struct host *at)
{
	BAD(at, c->large_in.bytes = XLANE_MESSAGE_MAX_BYTES + 1);
	BAD(at, c->large_in.reserved = xl_grant_blocks(c->large_in.bytes) + 1);
	BAD(at, (c->large_in.state = XL_LARGE_WAITING, c->large_in.bytes = 0));
}

static void bad_blocks(struct host *at)
{
	CHECK(c->rbuf.blocks && c->rbuf.table == XL_NONE);
	BAD(at, c->rbuf.slot[0] = at->cfg.blocks);
	BAD(at, c->rbuf.slot[0] = at->e->block_free[0]);
	BAD(at, c->rbuf.slot[1] = c->rbuf.slot[0]);
	BAD(at, c->holes = c->rbuf.slot[0]);
	BAD(at, c->rbuf.table = at->e->block_free[0]);
}

static void test_fields(void **state)
{
	struct joined j;
	u32 conn;

	(void)state;
	pair_open(&p, &(struct xl_engine_config){ .blocks = 256 });
	j = pair_join(&p, XLANE_KIND_MESSAGE);
	CHECK(xl_conn_send(p.h[0].e, j.a, data, 1000, p.now) == 1000);
	pair_run(&p, 1 * XL_MS);
	for (u32 i = 0; i < 2; i++) {
		struct host *at = &p.h[i];

		moved_out(at, i ? j.b : j.a);
		bad_identity(at);
		bad_limits(at);
		bad_timers(at);
		bad_large(at);
		if (i)
			bad_blocks(at);
		/* Somebody is here already who has what makes a connection one. */
		BAD(at, c->local_id = at->e->conns[i ? p.b : p.a].local_id);
		if (!i)
			BAD(at, (c->call_mapped = true, c->call_id = at->e->conns[p.a].call_id));
		if (c->remote_key)
			BAD(at, c->remote_id = at->e->conns[p.b].remote_id);
		conn = moved_in(at);
		*(i ? &j.b : &j.a) = conn;
	}
	CHECK(xl_conn_recv(p.h[1].e, j.b, in, sizeof in, p.now) == 1000);
	bystander_lives(&p);
	pair_close(&p);
}

static void test_flow(void **state)
{
	struct host *at = &p.h[0];

	(void)state;
	pair_open(&p, &(struct xl_engine_config){ .blocks = 256 });
	for (u64 how = XL_CONGESTION_DELAY; how <= XL_CONGESTION_NEWRENO; how++) {
		CHECK(xl_conn_set(at->e, p.a, XL_CONN_CONGESTION, how) == 0);
		CHECK(xl_conn_send(at->e, p.a, data, 20000, p.now) == 20000);
		some_packets(3, 0);
		moved_out(at, p.a);
		CHECK(h->flows == 1);
		BAD(at, c->congestion = (u8)(c->congestion + 1) % XL_CC_ALGORITHMS);
		BAD(at, f->cc.packet_bytes = XLANE_MTU_MIN - 1);
		BAD(at, f->cc.packet_bytes = XLANE_MTU_MAX + 1);
		BAD(at, f->cc.cwnd = XL_CC_WINDOW_MAX + 1);
		BAD(at, f->cc.cwnd = how == XL_CONGESTION_DELAY ? f->cc.packet_bytes / XL_CC_LEAST_PARTS - 1 : c->max_packet - 1u);
		p.a = moved_in(at);
		pair_run(&p, 10 * XL_MS);
		while (xl_conn_recv(p.h[1].e, p.b, in, sizeof in, p.now) > 0)
			;
	}
	pair_close(&p);
}

/* --- buffers and packets -------------------------------------------------------------------------------- */
/* The first entry of a buffer in `state`. */
static struct xl_export_frame *first_in(enum xl_txbuf_state state)
{
	for (u32 i = 0; i < h->frames; i++)
		if (fr[i].meta.head == fr[i].frame && fr[i].meta.state == state)
			return &fr[i];
	fail_msg("no buffer is in state %d", state);
	return NULL;
}

#define QUEUED first_in(XL_TXBUF_QUEUED)
#define SENT   first_in(XL_TXBUF_SENT)
#define LOST   first_in(XL_TXBUF_LOST)

static void bad_buffer(struct host *at)
{
	BAD(at, QUEUED->frame = at->f.count);
	BAD(at, QUEUED->frame = xl_frames_take(&at->f, XL_FRAME_QUEUED));
	BAD(at, QUEUED->meta.state = XL_TXBUF_SENT);
	BAD(at, SENT->meta.state = XL_TXBUF_LOST);
	BAD(at, LOST->meta.state = XL_TXBUF_NONE);
	BAD(at, LOST->meta.state = XL_TXBUF_LOST + 1);
	BAD(at, QUEUED->meta.head++);
	BAD(at, QUEUED->meta.frames = (u8)(at->cfg.segs_max + 1));
	BAD(at, QUEUED->meta.in_ring = 1);
	BAD(at, QUEUED->meta.acked = true);
	BAD(at, QUEUED->meta.type = XL_TXBUF_TYPES);
	BAD(at, QUEUED->meta.len = 0);
	BAD(at, QUEUED->meta.len = XLANE_MTU_MAX + 1);
	BAD(at, QUEUED->meta.len = 100);
	BAD(at, QUEUED->meta.seq_bytes = QUEUED->meta.len);
	BAD(at, QUEUED->meta.records = XL_TXBUF_RECORDS_MAX + 1);
	BAD(at, SENT->meta.last_number = c->next_number);
	BAD(at, QUEUED->meta.seq_bytes--);  /* the sum is wrong */
}

static void bad_chain(struct host *at)
{
	CHECK(QUEUED->meta.frames == 3);
	BAD(at, QUEUED->meta.frames = 2);
	BAD(at, QUEUED->meta.chain = at->f.count);
	BAD(at, QUEUED->meta.chain = QUEUED[1].frame = QUEUED->frame);
	BAD(at, QUEUED[1].meta.head++);
	BAD(at, QUEUED->meta.chain = QUEUED[1].frame = at->f.count);
	BAD(at, QUEUED->meta.chain = QUEUED[1].frame = p.h[0].f.free[0]);
	BAD(at, QUEUED[2].meta.chain = QUEUED->frame);
	BAD(at, QUEUED[2].meta.chain = QUEUED[1].frame);
	/* The last one is not whole. */
	h->frames--;
	BAD_LENGTH(at, length - sizeof *fr);
	/* A buffer that came before is no good any more. */
	BAD(at, QUEUED[3] = QUEUED[0]);
}

static void bad_sents(struct host *at)
{
	CHECK(h->sents > 2 && s[0].lost != s[h->sents - 1].lost);
	BAD(at, s[0].number = c->next_number);
	BAD(at, s[0].bytes++);
	BAD(at, s[1].order = s[0].order);
}

static void test_buffers(void **state)
{
	struct host *at = &p.h[0];
	u64 got = 0;
	s64 n;
	u8 to;

	(void)state;
	pair_open(&p, &(struct xl_engine_config){ .blocks = 512, .max_packet = 9000, .segs_max = 3 });
	fill_data(200000, 3);
	CHECK(xl_conn_send(at->e, p.a, data, 200000, p.now) == 200000);
	some_packets(8, 3); /* of which the acknowledgements say that they are lost */
	CHECK(at->e->conns[p.a].again.count == 3 && host_output(at, &r, &to, p.now));
	moved_out(at, p.a);
	bad_buffer(at);
	bad_chain(at);
	bad_sents(at);
	p.a = moved_in(at);
	for (u32 i = 0; i < 100 && got < 200000; i++) {
		while ((n = xl_conn_recv(p.h[1].e, p.b, in, sizeof in, p.now)) > 0) {
			CHECK(!memcmp(in, data + got, (u64)n));
			got += (u64)n;
		}
		pair_run(&p, 1 * XL_MS);
	}
	CHECK(got == 200000);
	bystander_lives(&p);
	pair_close(&p);
}

/* --- no room --------------------------------------------------------------------------------------------- */
static void test_no_room(void **state)
{
	struct xl_connect how = { .path = path_of(1, 9), .port = 5, .kind = XLANE_KIND_STREAM };
	struct host *at = &p.h[0];
	struct xl_engine *e;
	u32 other;

	(void)state;
	pair_open(&p, &(struct xl_engine_config){ .blocks = 256, .conns_max = 8, .peers_max = 2 });
	e = at->e;
	CHECK(xl_conn_send(e, p.a, data, 20000, p.now) == 20000);
	some_packets(5, 1);
	moved_out(at, p.a);
	FULL(at, e->tx_frames += at->f.own, e->tx_frames -= at->f.own);
	FULL(at, e->sent_free.count -= e->nsents - h->sents + 1, e->sent_free.count += e->nsents - h->sents + 1);
	/* Its peer is forgotten, and there is no place for another. */
	CHECK(xl_engine_connect(e, &how, p.now, &other) == 0);
	how.path = path_of(1, 10);
	CHECK(xl_engine_connect(e, &how, p.now, &other) == 0);
	FULL(at, (void)0, (void)0);
	while (!xl_engine_connect(e, &how, p.now, &other))
		;
	CHECK(e->conn_free.head == XL_NONE);
	FULL(at, (void)0, (void)0);
	pair_close(&p);
}

/* What it could come to need of receive memory is promised to others; and as many messages are in reassembly as may be. */
static void test_no_memory(void **state)
{
	struct host *at = &p.h[1];
	struct xl_engine *e;
	struct joined j;
	u32 room;

	(void)state;
	pair_open(&p, &(struct xl_engine_config){ .blocks = 512 });
	e = at->e;
	j = pair_join(&p, XLANE_KIND_MESSAGE);
	CHECK(xl_conn_large_begin(p.h[0].e, j.a, LARGE, p.now) == 0);
	some_packets(1, 0);
	CHECK(xl_conn_large_more(p.h[0].e, j.a, data, LARGE, p.now) == LARGE);
	some_packets(5, 0);
	moved_out(at, j.b);
	CHECK(c->large_in.state == XL_LARGE_GRANTED && c->large_in.held);
	room = at->cfg.blocks - e->promised - c->promised - c->large_in.reserved;
	FULL(at, e->grants = XLANE_GRANTS_MAX, e->grants = 0);
	FULL(at, e->promised += room + 1, e->promised -= room + 1);
	e->promised += room;
	CHECK(xl_conn_import(e, bytes, length, p.now, &j.b) == 0);
	e->promised -= room;
	pair_run(&p, 1 * XL_MS);
	CHECK(xl_conn_recv(e, j.b, in, sizeof in, p.now) == LARGE && !memcmp(in, data, LARGE));
	bystander_lives(&p);
	pair_close(&p);
}

/* The size of packets changes while the connection is away: its window is counted in packets of today. */
static void test_packet_size(void **state)
{
	static const u32 sizes[] = { 256, 9000, 1500 };
	struct joined j;

	(void)state;
	pair_open(&p, &(struct xl_engine_config){ .max_packet = 9000, .segs_max = 3, .congestion = XL_CONGESTION_NEWRENO });
	j = pair_join(&p, XLANE_KIND_STREAM);
	for (u32 i = 0; i < XL_ARRAY_SIZE(sizes); i++) {
		struct xl_engine *e = p.h[0].e;

		CHECK(xl_conn_send(e, j.a, data, 5000, p.now) == 5000);
		pair_run(&p, 1 * XL_MS);
		e->flows[e->conns[j.a].flow].cc.cwnd = 2 * e->conns[j.a].max_packet;
		moved_out(&p.h[0], j.a);
		CHECK(xl_engine_set_max_packet(e, sizes[i], p.now) == 0);
		CHECK(xl_conn_import(e, bytes, length, p.now, &j.a) == 0);
		CHECK(e->conns[j.a].max_packet == sizes[i]);
		pair_check(&p);
		CHECK(e->flows[e->conns[j.a].flow].cc.cwnd >= sizes[i]);
		CHECK(xl_conn_send(e, j.a, data, 20000, p.now) == 20000);
		pair_run(&p, 1 * XL_MS);
		CHECK(xl_conn_recv(p.h[1].e, j.b, in, sizeof in, p.now) == 25000);
	}
	bystander_lives(&p);
	pair_close(&p);
}

/* A frame holds other data than when a late packet named it, and the engine that the connection comes to happens to count as
 * far as the first had then: an ACK of that packet says nothing about what is in the frame now. */
static void test_ack_of_an_earlier_use(void **state)
{
	static struct ears ears;
	struct xl_engine *e;
	u32 frame, generation;
	u64 acked;

	(void)state;
	pair_open(&p, &(struct xl_engine_config){ .blocks = 256 });
	e = p.h[1].e;
	ears_open(&ears, &p, 1 << 20);
	ears_settle(&ears);
	ears_send(&ears, 5000); /* of several packets the first is late */
	frame = e->conns[ears.x.conn].queue.head;
	generation = e->txbufs[frame].generation;
	ears_hear(&ears);
	ears_ack_heard(&ears, 21, ears.n);
	ears_hear(&ears); /* it goes again, and that is acknowledged */
	CHECK(ears.at[ears.n - 1].data && e->conns[ears.x.conn].lost.count == 1);
	ears_ack_one(&ears, ears.at[ears.n - 1].number, ears.at[ears.n - 1].number);
	CHECK(e->txbufs[frame].generation == generation + 1);
	acked = ears_info(&ears).bytes_acked;
	while (e->conns[ears.x.conn].flight.head != frame) {
		ears_send(&ears, 1400);
		ears_hear(&ears);
		CHECK(ears.n < 40);
		if (e->conns[ears.x.conn].flight.head != frame) {
			ears_ack_one(&ears, ears.at[ears.n - 1].number, ears.at[ears.n - 1].number);
			acked = ears_info(&ears).bytes_acked;
		}
	}
	CHECK(e->conns[ears.x.conn].lost.count == 1);
	moved_out(&p.h[1], ears.x.conn);
	e->txbufs[frame].generation = generation;
	ears.x.conn = moved_in(&p.h[1]);
	ears_ack_one(&ears, ears.at[20].number, ears.at[20].number);
	CHECK(ears_info(&ears).bytes_acked == acked);
	ears_ack_one(&ears, ears.at[ears.n - 1].number, ears.at[ears.n - 1].number);
	CHECK(ears_info(&ears).bytes_acked == acked + 1400);
	pair_check(&p);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form), cmocka_unit_test(test_fields), cmocka_unit_test(test_flow),
		cmocka_unit_test(test_buffers), cmocka_unit_test(test_no_room), cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_packet_size), cmocka_unit_test(test_ack_of_an_earlier_use),
	};

	return RUN_TAP(tests);
}
