/* SPDX-License-Identifier: BSD-2-Clause */
/* Fragments of datagrams in all orders and with all overlaps, against a byte map: a datagram is delivered when each byte has
 * come exactly once, byte for byte as it came first; one whose fragments overlap is given up, and nothing of it is delivered. */
#include "engine_pair.h"

#define UNITS      6
#define UNIT_BYTES 7
#define TOTAL      (UNITS * UNIT_BYTES)
#define DEPTH      4   /* fragments, in all orders; XLANE_REASSEMBLY_DEPTH=5 asks for all of five, half a minute */

static struct pair p;
static struct peer x;
static u64 datagram;
static u8 in[TOTAL + 1];

/* What the receiver must make of the fragments of one datagram. */
struct model {
	u8 map[UNITS];              /* 0: not here */
	struct { u32 from, to; } part[16];
	u32 parts;
	bool over, whole;
};

static void fragment(u32 from, u32 to, u8 value)
{
	static struct raw r;

	peer_header(&x, &r);
	raw_record(&r, 0x03, 0, (u16)(16 + (to - from) * UNIT_BYTES));
	raw64(&r, datagram);
	raw32(&r, TOTAL);
	raw32(&r, from * UNIT_BYTES);
	raw_fill(&r, value, (to - from) * UNIT_BYTES);
	raw_seal(&r);
	peer_send(&p, &x, &r);
}

static void model_add(struct model *m, u32 from, u32 to, u8 value)
{
	bool overlaps = false;

	if (m->over)
		return;
	for (u32 i = 0; i < m->parts; i++)
		if (m->part[i].from == from && m->part[i].to == to)
			return; /* the same again */
	for (u32 i = from; i < to; i++)
		overlaps = overlaps || m->map[i];
	if (overlaps) {
		m->over = true;
		return;
	}
	memset(m->map + from, value, to - from);
	m->part[m->parts].from = from;
	m->part[m->parts++].to = to;
	m->over = m->whole = !memchr(m->map, 0, UNITS);
}

static void give(struct model *m, u32 from, u32 to, u8 value)
{
	s64 n;

	fragment(from, to, value);
	model_add(m, from, to, value);
	n = xl_conn_readable(p.h[1].e, x.conn);
	if (n != (m->whole ? TOTAL : -EAGAIN))
		fail_msg("datagram %llu: %lld", (unsigned long long)datagram, (long long)n);
}

static void one(u8 at[][2], u32 depth)
{
	static struct raw r;
	struct model m = { 0 };

	datagram++;
	for (u32 i = 0; i < depth; i++)
		give(&m, at[i][0], at[i][1], (u8)('a' + i));
	for (u32 i = 0; i < UNITS; i++)
		if (!m.map[i])
			give(&m, i, i + 1, 'z');
	if (m.whole) {
		CHECK(xl_conn_recv(p.h[1].e, x.conn, in, sizeof in, p.now) == TOTAL);
		for (u32 i = 0; i < TOTAL; i++)
			CHECK(in[i] == m.map[i / UNIT_BYTES]);
	}
	CHECK(xl_conn_readable(p.h[1].e, x.conn) == -EAGAIN);
	while (datagram % 16 == 0 && peer_hears(&p, &x, &r))
		;
	p.now += XL_US;
}

static void sequences(u8 at[][2], u32 depth, u32 n)
{
	for (u32 from = 0; from < UNITS; from++) {
		for (u32 to = from + 1; to <= UNITS; to++) {
			at[n][0] = (u8)from;
			at[n][1] = (u8)to;
			if (n + 1 < depth)
				sequences(at, depth, n + 1);
			else
				one(at, depth);
		}
	}
}

static void test_all_orders(void **state)
{
	const char *asked = getenv("XLANE_REASSEMBLY_DEPTH");
	u32 most = asked ? (u32)xl_min(strtoul(asked, NULL, 10), 8) : DEPTH;
	u8 at[8][2];

	(void)state;
	for (u32 depth = 1; depth <= most; depth++) {
		u64 expected = 1;

		pair_open(&p, &(struct xl_engine_config){ .blocks = 256 });
		x = peer_open(&p, 3, 100, XLANE_KIND_DATAGRAM, 1 << 20);
		datagram = 0;
		sequences(at, depth, 0);
		for (u32 i = 0; i < depth; i++)
			expected *= UNITS * (UNITS + 1) / 2;
		CHECK(datagram == expected);
		pair_check(&p);
		bystander_lives(&p);
		pair_close(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_all_orders) };

	return RUN_TAP(tests);
}
