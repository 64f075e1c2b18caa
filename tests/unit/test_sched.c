/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose turn it is: shares of bytes, fresh connections before bulk, and bulk in spite of them. */
#include "engine/core.h"
#include "engine/sched.h"
#include "engine_pair.h"

#define CONNS 1024
#define SMALL 64

/* Connections of an engine as the scheduler sees them: each has packets of one size, or none. */
struct model {
	struct host h;
	u32 packet[CONNS], left[CONNS];   /* bytes of a packet; packets that wait */
	u64 sent[CONNS];
};

static void model_open(struct model *m)
{
	struct xl_engine_config like = { .conns_max = CONNS };

	*m = (struct model){ 0 };
	host_open(&m->h, 1, &like);
	for (u32 i = 0; i < CONNS; i++)
		m->h.e->conns[i] = (struct xl_conn){ .queue = XL_LIST_EMPTY, .queue_large = XL_LIST_EMPTY,
						     .again = XL_LIST_EMPTY };
}

static void model_close(struct model *m)
{
	free(m->h.memory);
	free(m->h.frames);
	free(m->h.tables);
}

static void model_give(struct model *m, u32 i, u32 packets)
{
	m->left[i] += packets;
	m->h.e->conns[i].queue.count = m->left[i] > 0;
	xl_sched_join(m->h.e, &m->h.e->conns[i]);
}

/* One packet, as output does it: who sent it, XL_NONE nobody. */
static u32 model_step(struct model *m)
{
	struct xl_engine *e = m->h.e;
	u32 i;

	while ((i = xl_sched_next(e)) != XL_NONE) {
		struct xl_conn *c = &e->conns[i];

		CHECK(c->deficit > 0 && c->deficit <= XL_SCHED_QUANTUM_BYTES);
		if (!m->left[i]) {
			xl_sched_idle(e, c);
			continue;
		}
		c->queue.count = --m->left[i] > 0;
		m->sent[i] += m->packet[i];
		xl_sched_charge(c, m->packet[i]);
		if (c->deficit <= 0)
			xl_sched_spent(e, c);
		return i;
	}
	return XL_NONE;
}

static u64 apart(u64 a, u64 b) { return a > b ? a - b : b - a; }

static void test_equal_bytes(void **state)
{
	static const u32 sizes[] = { 1500, 9000, 256, 64, 4096 };
	struct model *m = malloc(sizeof *m);

	(void)state;
	model_open(m);
	for (u32 i = 0; i < XL_ARRAY_SIZE(sizes); i++) {
		m->packet[i] = sizes[i];
		model_give(m, i, 10000000);
	}
	for (u32 n = 0; n < 200000; n++) {
		CHECK(model_step(m) != XL_NONE);
		for (u32 i = 1; i < XL_ARRAY_SIZE(sizes); i++)
			CHECK(apart(m->sent[0], m->sent[i]) <= XL_SCHED_QUANTUM_BYTES + 9000);
	}
	model_close(m);
	free(m);
}

/* Held up and let on again in the middle of its turn, a connection does not get more than one that always may. */
static void test_held_up(void **state)
{
	struct model *m = malloc(sizeof *m);

	(void)state;
	model_open(m);
	m->packet[0] = m->packet[1] = 1500;
	model_give(m, 0, 10000000);
	for (u32 n = 0; n < 10000; n++) {
		struct xl_conn *c = &m->h.e->conns[1];

		m->left[1] = 10000;
		c->queue.count = 1;
		xl_sched_join(m->h.e, c);
		if (model_step(m) == 1 && m->h.e->conns[1].is_active)
			xl_sched_idle(m->h.e, c); /* its window is full: one packet at a time */
		CHECK(m->sent[1] <= m->sent[0] + 2 * XL_SCHED_QUANTUM_BYTES);
	}
	model_close(m);
	free(m);
}

static void test_fresh_do_not_starve(void **state)
{
	struct model *m = malloc(sizeof *m);
	u32 gap = 0, most = 0;

	(void)state;
	model_open(m);
	m->packet[0] = 1500;
	model_give(m, 0, 10000000);
	for (u32 n = 0; n < 100000; n++) {
		/* each of the others has a small packet again as soon as it was seen to have none */
		for (u32 i = 1; i < CONNS; i++) {
			m->packet[i] = SMALL;
			if (!m->h.e->conns[i].is_active)
				model_give(m, i, 1);
		}
		gap = model_step(m) == 0 ? 0 : gap + 1;
		most = (u32)xl_max(most, gap);
	}
	assert_true(most < CONNS);
	assert_true(m->sent[0] > 80 * XL_SCHED_QUANTUM_BYTES); /* a quantum for each round of CONNS small packets */
	/* and when they always have some, they get no more bytes than it */
	for (u32 n = 0; n < 1000000; n++) {
		for (u32 i = 1; i < CONNS && n % CONNS == 0; i++)
			model_give(m, i, 2);
		model_step(m);
	}
	for (u32 i = 1; i < CONNS; i++)
		CHECK(m->sent[i] <= m->sent[0] + 2 * XL_SCHED_QUANTUM_BYTES);
	model_close(m);
	free(m);
}

/* Bytes of the record that begins with the first byte `mark` in it. */
static u8 sent_byte(const struct raw *r)
{
	const u8 *body = raw_find(r, 1);

	return body ? body[8] : 0;
}

static void test_request_passes_bulk(void **state)
{
	static u8 bulk[200000], request[SMALL];
	struct joined a, b, c;
	struct pair p;
	static struct raw r;
	u8 to;

	(void)state;
	pair_open(&p, NULL);
	a = pair_join(&p, XLANE_KIND_STREAM);
	b = pair_join(&p, XLANE_KIND_STREAM);
	c = pair_join(&p, XLANE_KIND_STREAM);
	pair_run(&p, 5 * XL_MS);
	memset(bulk, 1, sizeof bulk);
	memset(request, 2, sizeof request);
	CHECK(xl_conn_send(p.h[0].e, a.a, bulk, sizeof bulk, p.now) > 0);
	CHECK(xl_conn_send(p.h[0].e, b.a, bulk, sizeof bulk, p.now) > 0);
	CHECK(host_output(&p.h[0], &r, &to, p.now) && sent_byte(&r) == 1);
	/* in the middle of another's turn */
	CHECK(xl_conn_send(p.h[0].e, c.a, request, sizeof request, p.now) == sizeof request);
	CHECK(host_output(&p.h[0], &r, &to, p.now));
	/* the two bulk connections have had a packet or none: all three were fresh, in this order */
	for (u32 n = 0; sent_byte(&r) != 2; n++)
		CHECK(n < 2 * XL_SCHED_QUANTUM_BYTES / 1400 && host_output(&p.h[0], &r, &to, p.now));
	pair_check(&p);
	pair_close(&p);
}

/* Bulk connections that have had their first quantum: a request goes before all that they have queued. */
static void test_request_first(void **state)
{
	static u8 bulk[200000], request[SMALL];
	struct joined a, c;
	struct pair p;
	static struct raw r;
	u8 to;

	(void)state;
	pair_open(&p, NULL);
	a = pair_join(&p, XLANE_KIND_STREAM);
	c = pair_join(&p, XLANE_KIND_STREAM);
	pair_run(&p, 5 * XL_MS);
	memset(bulk, 1, sizeof bulk);
	memset(request, 2, sizeof request);
	CHECK(xl_conn_send(p.h[0].e, a.a, bulk, sizeof bulk, p.now) > 0);
	p.h[0].e->conns[a.a].deficit = 1; /* the first packet ends its turn */
	CHECK(host_output(&p.h[0], &r, &to, p.now) && sent_byte(&r) == 1);
	CHECK(xl_conn_send(p.h[0].e, c.a, request, sizeof request, p.now) == sizeof request);
	CHECK(host_output(&p.h[0], &r, &to, p.now) && sent_byte(&r) == 2);
	CHECK(host_output(&p.h[0], &r, &to, p.now) && sent_byte(&r) == 1);
	pair_check(&p);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal_bytes), cmocka_unit_test(test_held_up),
		cmocka_unit_test(test_fresh_do_not_starve), cmocka_unit_test(test_request_passes_bulk),
		cmocka_unit_test(test_request_first),
	};

	return RUN_TAP(tests);
}
