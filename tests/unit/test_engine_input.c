/* SPDX-License-Identifier: BSD-2-Clause */
/* Bad packets on a connection: each is dropped without any effect, and counted under its own name. */
#include "engine_pair.h"

struct bad {
	const char *name;
	void (*make)(struct raw *r, const struct peer *x);
	u32 one, two;               /* counters that rise, NO_COUNTER: none */
};

static struct raw r;

/* A good packet, of which the makers spoil something. */
static void good(struct raw *p, const struct peer *x)
{
	peer_header(x, p);
	raw_data(p, 0, 0, 'g', 10);
	raw_seal(p);
}

static void good_ext(struct raw *p, const struct peer *x)
{
	raw_outer(p, 0, 3, x->remote_id, x->next);
	raw_ext(p, x->node, NODE(2), x->id);
	raw_data(p, 0, 0, 'g', 10);
	raw_seal(p);
}

static void begin(struct raw *p, const struct peer *x)
{
	peer_header(x, p);
	raw_data(p, 0, 0, 'g', 10); /* which must not arrive either */
}

#define MAKE(name) static void name(struct raw *p, const struct peer *x)
#define SPOIL(name, at, value) MAKE(name) { good(p, x); p->b[at] = (value); raw_tag(p); }
#define RECORD(name, type, flags, bytes, filled) \
	MAKE(name) { begin(p, x); raw_record(p, type, flags, bytes); raw_fill(p, 0, filled); raw_seal(p); }

MAKE(nothing) { good(p, x); p->n = 0; }
MAKE(nineteen) { good(p, x); p->n = 19; }
SPOIL(version_0, 0, 0x00)
SPOIL(version_2, 0, 0x20)
SPOIL(version_15, 0, 0xf0)
SPOIL(type_5, 0, 0x15)
SPOIL(type_15, 0, 0x1f)
SPOIL(flag_4, 1, 0x06)
SPOIL(flag_80, 1, 0x82)
MAKE(length_over) { good(p, x); xl_put16(p->b + 2, (u16)(p->n + 1)); raw_tag(p); }
MAKE(length_65535) { good(p, x); xl_put16(p->b + 2, 65535); raw_tag(p); }
MAKE(length_below) { good(p, x); xl_put16(p->b + 2, 23); raw_tag(p); }
MAKE(length_0) { good(p, x); xl_put16(p->b + 2, 0); raw_tag(p); }
MAKE(length_no_ext) { good_ext(p, x); xl_put16(p->b + 2, 51); raw_tag(p); }
MAKE(length_9217) { good(p, x); raw_fill(p, 0, 9217 - p->n); xl_put16(p->b + 2, 9217); raw_tag(p); }
MAKE(ext_size) { good_ext(p, x); p->b[20] = 27; raw_tag(p); }
MAKE(ext_reserved) { good_ext(p, x); p->b[23] = 1; raw_tag(p); }
MAKE(init_no_ext) { good(p, x); p->b[0] = 0x11; raw_tag(p); }
MAKE(accept_no_ext) { good(p, x); p->b[0] = 0x12; raw_tag(p); }
MAKE(cookie_no_ext) { good(p, x); p->b[0] = 0x13; raw_tag(p); }
MAKE(reset_no_ext) { good(p, x); p->b[0] = 0x14; raw_tag(p); }
MAKE(crc_wrong) { good(p, x); p->b[p->n - 1] ^= 1; }
MAKE(crc_body) { good(p, x); p->b[30] ^= 0x80; }
MAKE(crc_header) { good(p, x); p->b[19] ^= 1; }
MAKE(crc_missing) { good(p, x); p->b[1] = 0; }
MAKE(reset_without_crc)
{
	raw_outer(p, 4, 1, x->remote_id, 0);
	raw_ext(p, x->node, NODE(2), 0);
	raw_record(p, 0x23, 0, 20);
	raw32(p, 3);
	raw64(p, x->id);
	raw64(p, FIRST);
	raw_seal(p);
}
MAKE(empty) { peer_header(x, p); raw_seal(p); }
MAKE(head_cut) { begin(p, x); raw_fill(p, 0, 3); raw_seal(p); }
RECORD(record_past_end, 0x13, 0, 1, 0)
RECORD(record_far_past_end, 0x00, 0, 65535, 20)
RECORD(data_short, 0x01, 0, 7, 7)
RECORD(data_empty, 0x01, 0, 8, 8)
RECORD(data_flag, 0x01, 4, 9, 9)
RECORD(data_fin_begin_empty, 0x01, 3, 8, 8)
RECORD(large, 0x02, 0, 13, 13)
RECORD(datagram, 0x03, 0, 17, 17)
RECORD(grant, 0x12, 0, 12, 12)
RECORD(unknown_7f, 0x7f, 0, 4, 4)
RECORD(unknown_04, 0x04, 0, 4, 4)
RECORD(init_in_data, 0x20, 0, 4, 4)
RECORD(pad_flag, 0x00, 1, 4, 4)
RECORD(ack_flag, 0x10, 1, 20, 20)
RECORD(ping_flag, 0x13, 1, 0, 0)
RECORD(ping_body, 0x13, 0, 1, 1)
RECORD(credit_flag, 0x11, 1, 8, 8)
RECORD(credit_short, 0x11, 0, 7, 7)
RECORD(credit_long, 0x11, 0, 9, 9)
RECORD(blocked_flag, 0x14, 0x80, 8, 8)
RECORD(blocked_long, 0x14, 0, 9, 9)
RECORD(abort_flag, 0x15, 1, 4, 4)
RECORD(abort_short, 0x15, 0, 3, 3)
RECORD(abort_empty, 0x15, 0, 0, 0)
RECORD(ack_short, 0x10, 0, 19, 19)
RECORD(ack_half_range, 0x10, 0, 24, 24)
RECORD(ack_too_many, 0x10, 0, 20 + 16 * 8, 20 + 16 * 8)
RECORD(ack_huge, 0x10, 0, 1000, 1000)

static void ack(struct raw *p, u64 largest, u32 run, u32 gap, u32 second)
{
	raw_record(p, 0x10, 0, 28);
	raw64(p, largest);
	raw64(p, 0);
	raw32(p, run);
	raw32(p, gap);
	raw32(p, second);
	raw_seal(p);
}

MAKE(ack_gap_0) { begin(p, x); ack(p, FIRST, 0, 0, 0); }
MAKE(ack_first_below_0) { begin(p, x); ack(p, 5, 6, 1, 0); }
MAKE(ack_gap_below_0) { begin(p, x); ack(p, 5, 1, 5, 0); }
MAKE(ack_second_below_0) { begin(p, x); ack(p, 5, 1, 1, 3); }
MAKE(records_65)
{
	peer_header(x, p);
	for (u32 i = 0; i < 65; i++)
		raw_record(p, 0x13, 0, 0);
	raw_seal(p);
}
MAKE(number_below_first) { good(p, x); xl_put64(p->b + 12, FIRST_RAW - 1); raw_tag(p); }
MAKE(number_0) { good(p, x); xl_put64(p->b + 12, 0); raw_tag(p); }
MAKE(number_repeated) { good(p, x); xl_put64(p->b + 12, x->next - 1); raw_tag(p); }
MAKE(unknown_id) { good(p, x); p->b[11] ^= 1; raw_tag(p); }
MAKE(unknown_id_0) { good(p, x); memset(p->b + 4, 0, 8); raw_tag(p); }
MAKE(over_credit) { peer_header(x, p); raw_data(p, 0, XLANE_RECV_WINDOW_MIN_BYTES - 9, 'o', 10); raw_seal(p); }
MAKE(far_over_credit) { peer_header(x, p); raw_data(p, 0, 1ull << 63, 'o', 10); raw_seal(p); }
MAKE(offset_wraps) { peer_header(x, p); raw_data(p, 0, UINT64_MAX - 8, 'o', 10); raw_seal(p); }
MAKE(fin_over_credit) { peer_header(x, p); raw_data(p, 1, XLANE_RECV_WINDOW_MIN_BYTES + 1, 'o', 0); raw_seal(p); }

static const struct bad bads[] = {
#define BAD(make, one) { #make, make, XL_C_##one, NO_COUNTER }
#define BAD2(make, one, two) { #make, make, XL_C_##one, XL_C_##two }
	BAD(nothing, OUTER_SHORT), BAD(nineteen, OUTER_SHORT),
	BAD(version_0, OUTER_BAD_VERSION), BAD(version_2, OUTER_BAD_VERSION), BAD(version_15, OUTER_BAD_VERSION),
	BAD(type_5, OUTER_BAD_TYPE), BAD(type_15, OUTER_BAD_TYPE),
	BAD(flag_4, OUTER_BAD_FLAGS), BAD(flag_80, OUTER_BAD_FLAGS),
	BAD(length_over, OUTER_BAD_LENGTH), BAD(length_65535, OUTER_BAD_LENGTH), BAD(length_below, OUTER_BAD_LENGTH),
	BAD(length_0, OUTER_BAD_LENGTH), BAD(length_no_ext, OUTER_BAD_LENGTH),
	BAD(ext_size, OUTER_BAD_EXTENSION), BAD(ext_reserved, OUTER_BAD_EXTENSION),
	BAD(init_no_ext, OUTER_BAD_EXTENSION), BAD(accept_no_ext, OUTER_BAD_EXTENSION),
	BAD(cookie_no_ext, OUTER_BAD_EXTENSION), BAD(reset_no_ext, OUTER_BAD_EXTENSION),
	BAD(crc_wrong, BAD_CRC), BAD(crc_body, BAD_CRC), BAD(crc_header, BAD_CRC),
	BAD(crc_missing, NO_CRC), BAD(reset_without_crc, NO_CRC),
	BAD(empty, BAD_RECORD), BAD(head_cut, BAD_RECORD), BAD(record_past_end, BAD_RECORD),
	BAD(record_far_past_end, BAD_RECORD), BAD(data_short, BAD_RECORD), BAD(data_empty, BAD_RECORD),
	BAD(data_flag, BAD_RECORD), BAD(data_fin_begin_empty, BAD_RECORD), BAD2(large, BAD_RECORD, WRONG_KIND),
	BAD2(datagram, BAD_RECORD, WRONG_KIND), BAD2(grant, BAD_RECORD, WRONG_KIND), BAD(unknown_7f, UNKNOWN_RECORD),
	BAD(unknown_04, UNKNOWN_RECORD), BAD(init_in_data, UNKNOWN_RECORD), BAD(pad_flag, BAD_RECORD),
	BAD(ack_flag, BAD_RECORD), BAD(ping_flag, BAD_RECORD), BAD(ping_body, BAD_RECORD), BAD(credit_flag, BAD_RECORD),
	BAD(credit_short, BAD_RECORD), BAD(credit_long, BAD_RECORD), BAD(blocked_flag, BAD_RECORD),
	BAD(blocked_long, BAD_RECORD), BAD(abort_flag, BAD_RECORD), BAD(abort_short, BAD_RECORD),
	BAD(abort_empty, BAD_RECORD),
	BAD2(ack_short, BAD_RECORD, ACK_BAD), BAD2(ack_half_range, BAD_RECORD, ACK_BAD),
	BAD2(ack_too_many, BAD_RECORD, ACK_BAD), BAD2(ack_huge, BAD_RECORD, ACK_BAD),
	BAD2(ack_gap_0, BAD_RECORD, ACK_BAD), BAD2(ack_first_below_0, BAD_RECORD, ACK_BAD),
	BAD2(ack_gap_below_0, BAD_RECORD, ACK_BAD), BAD2(ack_second_below_0, BAD_RECORD, ACK_BAD),
	BAD(records_65, TOO_MANY_RECORDS),
	BAD(number_below_first, OLD_PACKET), BAD(number_0, OLD_PACKET), BAD(number_repeated, DUPLICATE_PACKET),
	BAD(unknown_id, UNKNOWN_CONNECTION), BAD(unknown_id_0, UNKNOWN_CONNECTION),
	BAD(over_credit, DATA_OVER_CREDIT), BAD(far_over_credit, DATA_OVER_CREDIT), BAD(offset_wraps, DATA_OVERFLOW),
	BAD(fin_over_credit, DATA_OVER_CREDIT),
};

/* The connection is as it was: the packet's number is still free and its bytes are not there. */
static void still_good(struct pair *p, struct peer *x, const char *name)
{
	u8 in[20];

	if (xl_conn_readable(p->h[1].e, x->conn) != -EAGAIN)
		fail_msg("%s: something was delivered", name);
	x->next--;
	good(&r, x);
	peer_send(p, x, &r);
	if (xl_conn_recv(p->h[1].e, x->conn, in, sizeof in, p->now) != 10 || in[0] != 'g' || in[9] != 'g')
		fail_msg("%s: the connection does not go on", name);
}

static void test_bad_packets(void **state)
{
	(void)state;
	for (u32 i = 0; i < XL_ARRAY_SIZE(bads); i++) {
		struct counters before;
		struct pair p;
		struct peer x;

		pair_open(&p, NULL);
		x = peer_open(&p, 3, 100, XLANE_KIND_STREAM, 1 << 20);
		before = counters_of(&p.h[1]);
		bads[i].make(&r, &x);
		peer_send(&p, &x, &r);
		only_counted(&p.h[1], &before, bads[i].one, bads[i].two, bads[i].name);
		CHECK(!xl_engine_check(p.h[1].e));
		still_good(&p, &x, bads[i].name);
		bystander_lives(&p);
		pair_close(&p);
	}
}

/* Larger than any link's packet: such a one needs several frames. */
static void test_length_past_the_largest_link(void **state)
{
	struct counters before;
	struct pair p;
	struct peer x;

	(void)state;
	pair_open(&p, NULL);
	x = peer_open(&p, 3, 100, XLANE_KIND_STREAM, 1 << 20);
	before = counters_of(&p.h[1]);
	length_9217(&r, &x);
	peer_send(&p, &x, &r);
	only_counted(&p.h[1], &before, XL_C_OUTER_BAD_LENGTH, NO_COUNTER, "length 9217");
	pair_close(&p);
}

/* Packets for a connection that does not exist do nothing; only those with extension, large enough, are answered. */
static void test_unknown_connection(void **state)
{
	struct counters before;
	struct pair p;
	struct peer x;

	(void)state;
	pair_open(&p, NULL);
	x = peer_open(&p, 3, 100, XLANE_KIND_STREAM, 1 << 20);
	before = counters_of(&p.h[1]);
	x.remote_id ^= 0x10;
	raw_outer(&r, 0, 3, x.remote_id, x.next);
	raw_ext(&r, x.node, NODE(2), x.id);
	raw_record(&r, 0x00, 0, 20);
	raw_fill(&r, 0, 20);
	raw_seal(&r);
	peer_send(&p, &x, &r);
	only_counted(&p.h[1], &before, XL_C_UNKNOWN_CONNECTION, NO_COUNTER, "unknown with extension");
	CHECK(peer_hears(&p, &x, &r) && r.n == 76 && r.b[0] == 0x14 && r.b[1] == 3);
	CHECK(xl_get64(r.b + 4) == x.id && xl_get64(r.b + 24) == NODE(2) && xl_get64(r.b + 32) == x.node);
	CHECK(xl_get32(r.b + 52) == XLANE_WIRE_UNKNOWN && xl_get64(r.b + 56) == x.remote_id);
	CHECK(xl_get64(r.b + 64) == x.next - 1);
	/* One byte smaller than the answer would be: none. */
	raw_outer(&r, 0, 3, x.remote_id, x.next);
	raw_ext(&r, x.node, NODE(2), x.id);
	raw_record(&r, 0x00, 0, 19);
	raw_fill(&r, 0, 19);
	raw_seal(&r);
	peer_send(&p, &x, &r);
	CHECK(!peer_hears(&p, &x, &r));
	/* Reflected. */
	before = counters_of(&p.h[1]);
	raw_outer(&r, 0, 3, x.remote_id, x.next);
	raw_ext(&r, NODE(2), NODE(2), x.id);
	raw_record(&r, 0x00, 0, 40);
	raw_fill(&r, 0, 40);
	raw_seal(&r);
	peer_send(&p, &x, &r);
	CHECK(count_of(&p.h[1], XL_C_OWN_PACKET) == before.n[XL_C_OWN_PACKET] + 1 && !peer_hears(&p, &x, &r));
	bystander_lives(&p);
	pair_close(&p);
}

/* Well formed: 64 records, unknown ones that may be skipped, padding behind the tag. */
static void test_what_is_legal(void **state)
{
	struct counters before;
	struct pair p;
	struct peer x;

	(void)state;
	pair_open(&p, NULL);
	x = peer_open(&p, 3, 100, XLANE_KIND_STREAM, 1 << 20);
	before = counters_of(&p.h[1]);
	peer_header(&x, &r);
	for (u32 i = 0; i < 62; i++)
		raw_record(&r, 0x13, 0, 0);
	raw_record(&r, 0xff, 0x55, 3);
	raw_fill(&r, 9, 3);
	raw_record(&r, 0x80, 0, 0);
	raw_seal(&r);
	raw_fill(&r, 0xee, 30); /* the link's padding */
	peer_send(&p, &x, &r);
	CHECK(count_of(&p.h[1], XL_C_IGNORED_RECORD) == before.n[XL_C_IGNORED_RECORD] + 2);
	CHECK(peer_hears(&p, &x, &r) && raw_acked(&r) == x.next - 1);
	bystander_lives(&p);
	pair_close(&p);
}

/* A packet that is not stored is not acknowledged; a repeated one is, again. */
static void test_acknowledged_or_not(void **state)
{
	struct pair p;
	struct peer x;

	(void)state;
	pair_open(&p, NULL);
	x = peer_open(&p, 3, 100, XLANE_KIND_STREAM, 1 << 20);
	over_credit(&r, &x);
	peer_send(&p, &x, &r);
	pair_run(&p, 10 * XL_MS);
	peer_header(&x, &r);
	raw_record(&r, 0x13, 0, 0);
	raw_seal(&r);
	peer_send(&p, &x, &r);
	CHECK(peer_hears(&p, &x, &r) && raw_acked(&r) == x.next - 1);
	CHECK(xl_get16(r.b + 22) == 28 && xl_get32(r.b + 40) == 0 && xl_get32(r.b + 44) == 1); /* a gap of one */
	x.next--;
	peer_header(&x, &r);
	raw_record(&r, 0x00, 0, 0);
	raw_seal(&r);
	peer_send(&p, &x, &r);
	CHECK(!peer_hears(&p, &x, &r)); /* repeated, but it asks for no ACK */
	x.next--;
	peer_header(&x, &r);
	raw_record(&r, 0x13, 0, 0);
	raw_seal(&r);
	peer_send(&p, &x, &r);
	CHECK(peer_hears(&p, &x, &r) && raw_acked(&r) == x.next - 1);
	pair_close(&p);
}

/* ACKs that are well formed but not plausible are ignored, and the rest of their packet is not. */
static void test_implausible_acks(void **state)
{
	static const struct { u64 largest; u32 run; } acks[] = {
		{ FIRST + 2, 0 }, { UINT64_MAX, 0 }, { FIRST - 1, 0 }, { 0, 0 }, { FIRST, 1 }, { FIRST + 2, 2 }, { FIRST + 1, 2 },
	};
	struct pair p;
	struct peer x;

	(void)state;
	pair_open(&p, NULL);
	x = peer_open(&p, 3, 100, XLANE_KIND_STREAM, 1 << 20);
	while (peer_hears(&p, &x, &r))
		;
	CHECK(info_of(&p.h[1], x.conn).packets_sent == 2); /* FIRST and FIRST + 1 */
	for (u32 i = 0; i < XL_ARRAY_SIZE(acks); i++) {
		struct counters before = counters_of(&p.h[1]);

		peer_header(&x, &r);
		raw_record(&r, 0x10, 0, 20);
		raw64(&r, acks[i].largest);
		raw64(&r, 0);
		raw32(&r, acks[i].run);
		raw_seal(&r);
		peer_send(&p, &x, &r);
		only_counted(&p.h[1], &before, XL_C_ACKS_IN, XL_C_ACK_UNSENT, "implausible ACK");
		CHECK(!xl_engine_check(p.h[1].e));
	}
	CHECK(xl_conn_send(p.h[1].e, x.conn, "data", 4, p.now) == 4);
	CHECK(peer_hears(&p, &x, &r) && info_of(&p.h[1], x.conn).inflight_bytes == r.n);
	bystander_lives(&p);
	pair_close(&p);
}

/* Every way to cut a packet in two gives what the whole gives. */
static void test_cut_anywhere(void **state)
{
	struct pair p;
	struct peer x;
	u8 in[64];

	(void)state;
	pair_open(&p, NULL);
	x = peer_open(&p, 3, 100, XLANE_KIND_STREAM, 1 << 20);
	for (u64 done = 0, cut = 0, n = 1; cut <= n; cut++, done += 30) {
		struct counters before = counters_of(&p.h[1]);

		raw_outer(&r, 0, 3, x.remote_id, x.next);
		raw_ext(&r, x.node, NODE(2), x.id);
		raw_record(&r, 0x90, 0, 2);
		raw16(&r, 0);
		raw_data(&r, 0, done, (u8)cut, 30);
		raw_record(&r, 0x10, 0, 20);
		raw64(&r, FIRST);
		raw_fill(&r, 0, 12);
		raw_record(&r, 0x14, 0, 8);
		raw64(&r, UINT64_MAX);
		raw_seal(&r);
		n = r.n;
		host_input_split(&p.h[1], r.b, r.n, 3, (u32)cut, 4096, p.now);
		x.next++;
		CHECK(count_of(&p.h[1], XL_C_IGNORED_RECORD) == before.n[XL_C_IGNORED_RECORD] + 1);
		CHECK(count_of(&p.h[1], XL_C_BLOCKED_IN) == before.n[XL_C_BLOCKED_IN] + 1);
		CHECK(count_of(&p.h[1], XL_C_ACKS_IN) == before.n[XL_C_ACKS_IN] + 1);
		CHECK(count_of(&p.h[1], XL_C_ACK_UNSENT) == before.n[XL_C_ACK_UNSENT]);
		CHECK(xl_conn_recv(p.h[1].e, x.conn, in, sizeof in, p.now) == 30 && in[0] == (u8)cut && in[29] == (u8)cut);
	}
	bystander_lives(&p);
	pair_close(&p);
}

/* In pieces of a few bytes, as far as pieces go; every bad packet as well, cut anywhere. */
static void test_bad_packets_cut_anywhere(void **state)
{
	struct pair p;
	struct peer x;

	(void)state;
	pair_open(&p, NULL);
	x = peer_open(&p, 3, 100, XLANE_KIND_STREAM, 1 << 20);
	for (u32 i = 0; i < XL_ARRAY_SIZE(bads); i++) {
		bads[i].make(&r, &x);
		for (u32 cut = 1; cut < r.n && cut < 200; cut++) {
			struct counters before = counters_of(&p.h[1]);

			host_input_split(&p.h[1], r.b, r.n, 3, cut, 2000, p.now);
			only_counted(&p.h[1], &before, bads[i].one, bads[i].two, bads[i].name);
		}
	}
	still_good(&p, (x.next++, &x), "cut");
	bystander_lives(&p);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_packets),
		cmocka_unit_test(test_length_past_the_largest_link),
		cmocka_unit_test(test_unknown_connection),
		cmocka_unit_test(test_what_is_legal),
		cmocka_unit_test(test_acknowledged_or_not),
		cmocka_unit_test(test_implausible_acks),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_bad_packets_cut_anywhere),
	};

	return RUN_TAP(tests);
}
