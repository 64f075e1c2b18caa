/* SPDX-License-Identifier: BSD-2-Clause */
/* Every invariant of what a connection sends, of timers, and of the engine's sums can fail, and is named when it does. */
#include "engine_broken.h"
#include "engine_large.h"

#include "engine/loss.h"

static struct raw r;
static struct pair p;
static struct image image;
static u8 bytes[1 << 20];

#define WRONG(name, change) BROKEN(&image, name, change)

static struct xl_engine *engine(void) { return p.h[1].e; }
static struct xl_conn *conn(const struct peer *x) { return &engine()->conns[x->conn]; }
static struct xl_txbuf *buffer(u32 tb) { return &engine()->txbufs[tb]; }
static struct xl_sent *sent(u32 i) { return &engine()->sents[i]; }

/* Nothing would ever look at c again. */
static void silence(struct xl_conn *c)
{
	c->is_active = false;
	xl_wheel_set(&engine()->wheel, xl_conn_index(engine(), c), XL_NEVER);
}

static void begin(void)
{
	pair_open(&p, &(struct xl_engine_config){ .blocks = 256 });
}

static void end(void)
{
	image_free(&image);
	pair_close(&p);
}

static void send(const struct peer *x, u32 n)
{
	CHECK(xl_conn_send(engine(), x->conn, bytes, n, p.now) == (s64)n);
}

/* The first `n` packets that host 1 has for x; the others stay. Number of the last one. */
static u64 take(const struct peer *x, u32 n)
{
	u64 number = 0;

	for (; n && peer_hears(&p, x, &r); n--)
		number = xl_get64(r.b + 12);
	return number;
}

static void acknowledge(struct peer *x, u64 number)
{
	peer_header(x, &r);
	raw_record(&r, 0x10, 0, 20);
	raw64(&r, number);
	raw_fill(&r, 0, 12); /* not held back; that packet, and none below */
	raw_seal(&r);
	peer_send(&p, x, &r);
}

/* --- buffers and packets ------------------------------------------------------------------------------ */
static void test_buffers(void **state)
{
	struct peer x;
	struct xl_conn *c;
	u32 first;

	(void)state;
	begin();
	x = peer_open(&p, 3, 100, XLANE_KIND_STREAM, 1 << 20);
	send(&x, 60000);
	CHECK(take(&x, 5));
	image_take(&image, &p.h[1]);
	c = conn(&x);
	CHECK(c->flight.count == 5 && c->queue.count > 3);
	first = c->flight.head;
	WRONG("a transmit buffer is on the list of its state", buffer(first)->state = XL_TXBUF_LOST);
	WRONG("a transmit buffer names its connection", buffer(first)->conn++);
	WRONG("an acknowledged buffer is on no list", buffer(first)->acked = true);
	WRONG("parts of large messages have a queue of their own", buffer(c->queue.head)->type = XL_TXBUF_LARGE);
	WRONG("no datagram is older than the timer for it",
	      (buffer(c->queue.head)->type = XL_TXBUF_DGRAM, buffer(c->queue.head)->due_ns = 5, c->expire_ns = 6));
	WRONG("messages begin inside their buffer", buffer(c->queue.head)->at = buffer(c->queue.head)->seq_bytes + 1);
	WRONG("a list's count is right", c->flight.count++);
	WRONG("a list's count is right", c->sent.count++);
	engine()->frozen[c->local_id >> 62] |= 1ull << (c->local_id >> 56 & 63);
	WRONG("nothing of a frozen bucket has a turn", c->is_active = true);
	engine()->frozen[c->local_id >> 62] = 0;
	WRONG("buffered bytes equal a recount", c->buffered++);
	WRONG("bytes that wait for their offset equal a recount", c->seq_queued--);
	WRONG("the head of a large message is in one buffer until it is sent", buffer(c->queue.head)->large_head = true);
	WRONG("every byte sent is acknowledged or buffered", c->seq_acked_bytes++);
	WRONG("every byte outside the sequence is acknowledged, given up or buffered", c->other_done++);
	WRONG("who holds data has a flow of its own", c->flow = XL_NONE);
	WRONG("who holds data has a flow of its own", engine()->flows[c->flow].conn++);
	WRONG("who holds data has a flow of its own", c->congestion = (u8)(c->congestion + 1) % XL_CC_ALGORITHMS);
	WRONG("connections that hold data add up", engine()->holders++);
	WRONG("the window is counted in packets of today", engine()->flows[c->flow].cc.packet_bytes++);
	WRONG("flows add up", engine()->nflows++);
	WRONG("flows add up", (engine()->flow_free.count--, engine()->flow_rest.count++, engine()->nflows--));
	WRONG("frames of transmit buffers add up", engine()->tx_frames--);
	WRONG("the frame census adds up", p.h[1].f.census[XL_FRAME_FREE]--);
	end();
}

static void test_packets(void **state)
{
	struct peer x;
	struct xl_conn *c;
	u32 first, second;

	(void)state;
	begin();
	x = peer_open(&p, 3, 100, XLANE_KIND_STREAM, 1 << 20);
	send(&x, 60000);
	acknowledge(&x, take(&x, 6));
	image_take(&image, &p.h[1]);
	c = conn(&x);
	CHECK(c->again.count && c->lost.count > 1 && c->sent.count > 1);
	first = c->sent.head;
	second = xl_list_next(&engine()->l_sent, first);
	WRONG("sent packets are in order of their numbers", sent(first)->number = sent(second)->number);
	WRONG("sent packets are in order of their numbers", sent(c->sent.tail)->number = c->next_number);
	WRONG("sent packets are counted in their order", sent(second)->order = sent(first)->order);
	WRONG("sent packets are counted before the next", c->sent_order = sent(first)->order);
	WRONG("lost packets have a list of their own", sent(first)->lost = true);
	WRONG("lost packets have a list of their own", sent(c->lost.head)->lost = false);
	WRONG("in flight equals a recount", c->inflight++);
	WRONG("in flight equals a recount", c->inflight_packets++);
	WRONG("packets taken for lost are bounded", engine()->sents_per_conn = 1);
	WRONG("sent packets add up", engine()->nsents++);
	end();
}

static void test_ranks(void **state)
{
	struct peer x;
	struct xl_conn *c;
	u32 high, low;

	(void)state;
	begin();
	x = peer_open(&p, 3, 100, XLANE_KIND_UNORDERED, 1 << 20);
	for (u64 priority = 0; priority < 3; priority++) {
		CHECK(xl_conn_set(engine(), x.conn, XL_CONN_PRIORITY, priority) == 0);
		send(&x, 5000);
	}
	image_take(&image, &p.h[1]);
	c = conn(&x);
	CHECK(c->ranks.count == 3);
	high = c->ranks.head;
	low = c->ranks.tail;
	WRONG("a priority begins with its first buffer", c->ranks.head = xl_list_next(&engine()->l_rank, high));
	WRONG("a priority ends with its last buffer", buffer(high)->rank_tail = high);
	WRONG("higher priorities are before lower ones",
	      { for (u32 tb = high; tb != low; tb = xl_list_next(&engine()->l_tx, tb))
			buffer(tb)->priority = (u8)(2 - buffer(tb)->priority); });
	WRONG("every unsent buffer has a priority", c->ranks.count--);
	WRONG("every unsent buffer has a priority", c->ranks.head = XL_NONE);
	end();
}

static void test_a_large_message(void **state)
{
	struct xl_large_out *l;
	struct xl_conn *c;
	struct joined j;

	(void)state;
	begin();
	j = pair_join(&p, XLANE_KIND_MESSAGE);
	CHECK(xl_conn_large_begin(p.h[0].e, j.a, 200000, p.now) == 0);
	pair_run(&p, 1 * XL_MS);
	CHECK(xl_conn_large_more(p.h[0].e, j.a, bytes, 50000, p.now) == 50000);
	image_take(&image, &p.h[0]);
	c = &p.h[0].e->conns[j.a];
	l = &c->large_out;
	CHECK(l->open && l->granted == 200000 && l->fed == 50000 && c->queue_large.count);
	WRONG("parts of large messages have a queue of their own",
	      p.h[0].e->txbufs[c->queue_large.head].type = XL_TXBUF_DATA);
	WRONG("a large message is fed as far as it was granted", l->bytes = l->fed);
	WRONG("a large message is fed as far as it was granted", l->granted = l->fed - 1);
	WRONG("a large message is fed as far as it was granted", l->granted = l->bytes + 1);
	WRONG("a timer is armed while a large message is outstanding", {
		c->is_active = false;
		c->ack_pending = 0;
		xl_wheel_set(&p.h[0].e->wheel, j.a, XL_NEVER);
	});
	end();
}

/* --- timers --------------------------------------------------------------------------------------------- */
static void test_timers_in_flight(void **state)
{
	struct peer x, y, z;
	struct xl_conn *c, *q;

	(void)state;
	begin();
	x = peer_open(&p, 3, 100, XLANE_KIND_STREAM, 1 << 20);
	y = peer_open(&p, 4, 100, XLANE_KIND_STREAM, 0);
	z = peer_open(&p, 5, 100, XLANE_KIND_STREAM, 1 << 20);
	send(&x, 1000);
	take(&x, 1);
	send(&z, 1000);
	send(&y, 1000);
	image_take(&image, &p.h[1]);
	c = conn(&x);
	q = conn(&y);
	WRONG("a timer is armed while packets are in flight", silence(c));
	WRONG("a timer is armed while data is outstanding", silence(conn(&z)));
	WRONG("what is to be sent has a turn", (c->control |= XL_CTL_PING, c->is_active = false));
	WRONG("what is to be sent has a turn", (c->ack_now = true, c->is_active = false));
	WRONG("who has a turn may send in it", conn(&z)->deficit = 0);
	WRONG("who has a turn may send in it", conn(&z)->deficit = XL_SCHED_QUANTUM_BYTES + 1);
	WRONG("a timer is armed while a sender stands without credit", (q->control = 0, silence(q)));
	end();
}

static void test_timers_of_states(void **state)
{
	struct xl_connect how = { .path = path_of(2, 9), .port = 80, .kind = XLANE_KIND_STREAM };
	struct xl_conn *c, *answering;
	struct peer x, half = peer_new(6, 100);
	u32 calling;

	(void)state;
	begin();
	x = peer_open(&p, 3, 100, XLANE_KIND_STREAM, 1 << 20);
	CHECK(xl_engine_connect(engine(), &how, p.now, &calling) == 0);
	raw_init(&half, &r, XLANE_KIND_STREAM, 1 << 20);
	raw_init_end(&r);
	peer_send(&p, &half, &r);
	CHECK(peer_hears(&p, &half, &r));
	answering = &engine()->conns[xl_map_get(&engine()->by_local, xl_get64(r.b + 40))];
	CHECK(answering->state == XL_STATE_ANSWERING);
	peer_data(&p, &x, 0, 0, 1, 100);
	image_take(&image, &p.h[1]);
	c = conn(&x);
	CHECK(!c->inflight_packets && c->ack_pending && c->backed);
	WRONG("a timer is armed while an ACK is owed", silence(c));
	WRONG("a timer is armed while calling", silence(&engine()->conns[calling]));
	WRONG("a timer is armed while answering", silence(answering));
	c->ack_pending = c->ack_now = 0;
	image_free(&image);
	image_take(&image, &p.h[1]);
	WRONG("a timer is armed while lingering", (c->state = XL_STATE_LINGER, silence(c)));
	WRONG("a dead connection nobody holds is about to go", (c->state = XL_STATE_DEAD, c->owned = false, silence(c)));
	WRONG("a timer is armed while the end waits for a frame",
	      (c->state = XL_STATE_LOCAL_SHUT, c->shut_wanted = true, silence(c)));
	WRONG("a timer is armed while the end waits for a frame",
	      (c->state = XL_STATE_BOTH_SHUT, c->shut_wanted = true, silence(c)));
	WRONG("who waits for frames is on the list of writers", c->want_write = true);
	WRONG("memory that is promised is looked at again", (c->rest_ns = XL_NEVER, c->is_active = false));
	end();
}

/* --- the engine ----------------------------------------------------------------------------------------- */
/* As many free blocks fewer as there are: what is promised is more than there is. */
static void shrink(struct xl_engine *e)
{
	e->cfg.blocks -= e->nblock_free;
	e->nblock_free = 0;
}

static void test_sums(void **state)
{
	struct xl_engine *e;
	struct xl_conn *c;
	struct peer x;

	(void)state;
	begin();
	x = peer_open(&p, 3, 100, XLANE_KIND_STREAM, 1 << 20);
	peer_data(&p, &x, 0, 0, 1, 100);
	image_take(&image, &p.h[1]);
	e = engine();
	c = conn(&x);
	WRONG("a connection is found by its id", c->local_id ^= 1);
	WRONG("connections add up", e->conns_used++);
	WRONG("connections add up", e->conn_free.count--);
	WRONG("blocks of receive memory add up", e->away++);
	WRONG("blocks of receive memory add up", e->nblock_free--);
	WRONG("promised and granted memory adds up and is there", e->promised++);
	WRONG("promised and granted memory adds up and is there", e->granted++);
	WRONG("promised and granted memory adds up and is there", shrink(e));
	WRONG("connections that wait for memory add up", e->backing.count++);
	WRONG("half-open connections add up", e->half_open++);
	end();
}

/* One more message in reassembly than there may be at once: the count is made wrong while it asks. */
static void test_too_many_grants(void **state)
{
	(void)state;
	pair_open(&p, &(struct xl_engine_config){ .blocks = 8192 });
	image_take(&image, &p.h[1]);
	for (u32 i = 0; i <= XLANE_GRANTS_MAX; i++) {
		struct peer x = peer_open(&p, (u8)(3 + i), 100, XLANE_KIND_MESSAGE, 1 << 20);

		engine()->grants -= i == XLANE_GRANTS_MAX;
		head(&p, &x, 0, XLANE_MESSAGE_SMALL_MAX_BYTES + 1, 1);
		CHECK(conn(&x)->large_in.state == XL_LARGE_GRANTED);
	}
	WRONG("large messages in reassembly add up", engine()->grants++);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buffers), cmocka_unit_test(test_packets), cmocka_unit_test(test_ranks),
		cmocka_unit_test(test_a_large_message), cmocka_unit_test(test_timers_in_flight),
		cmocka_unit_test(test_timers_of_states), cmocka_unit_test(test_sums), cmocka_unit_test(test_too_many_grants),
	};

	return RUN_TAP(tests);
}
