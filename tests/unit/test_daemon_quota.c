/* SPDX-License-Identifier: BSD-2-Clause */
/* Quotas of users, and who a node is. */
#include "unit.h"

#include <errno.h>

#include "daemon/identity.h"
#include "daemon/quota.h"

static struct xl_quota q;
static char why[128];

static int take(u32 uid, u64 clients, u64 connections, u64 bytes)
{
	const struct xl_quota_use use = { clients, connections, bytes };

	*why = 0;
	return xl_quota_take(&q, uid, &use, why, sizeof why);
}

static void give(u32 uid, u64 clients, u64 connections, u64 bytes)
{
	const struct xl_quota_use use = { clients, connections, bytes };

	xl_quota_give(&q, uid, &use);
}

static void test_limits(void **state)
{
	(void)state;
	memset(&q, 0, sizeof q);
	q.most = (struct xl_quota_use){ 2, 100, 8 << 20 };
	assert_int_equal(take(7, 1, 60, 3 << 20), 0);
	assert_int_equal(take(7, 1, 50, 1 << 20), -EDQUOT);
	assert_non_null(strstr(why, "connections_per_uid = 100 (60 taken)"));
	assert_int_equal(take(7, 1, 10, 6 << 20), -EDQUOT);
	assert_non_null(strstr(why, "memory_mib_per_uid = 8 (3 taken)"));
	assert_int_equal(xl_quota_of(&q, 7).connections, 60);   /* all or nothing */
	assert_int_equal(take(7, 1, 40, 5 << 20), 0);
	assert_int_equal(take(7, 1, 0, 0), -EDQUOT);
	assert_non_null(strstr(why, "clients_per_uid = 2 (2 taken)"));
	assert_int_equal(take(0, 1, 100, 8 << 20), 0);           /* another's, and root is bounded, too */
	assert_int_equal(take(0, 0, 1, 0), -EDQUOT);
	q.most.clients = 1;                                       /* a reload takes nothing from anybody */
	assert_int_equal(xl_quota_of(&q, 7).clients, 2);
	give(7, 1, 60, 3 << 20);
	give(7, 1, 40, 5 << 20);
	assert_int_equal(xl_quota_of(&q, 7).clients, 0);
	assert_int_equal(q.users, 1);
	assert_int_equal(take(7, 1, 100, 8 << 20), 0);
}

/* Against a plain table, at random. */
static void test_random(void **state)
{
	struct { u64 clients, connections, bytes; } model[20] = { { 0 } };
	struct xl_prng r;

	(void)state;
	memset(&q, 0, sizeof q);
	q.most = (struct xl_quota_use){ 5, 50, 500 };
	xl_prng_seed(&r, 3);
	for (u32 i = 0; i < 20000; i++) {
		u32 uid = (u32)xl_prng_below(&r, 20), has = 0;
		u64 n = 1 + xl_prng_below(&r, 20);

		if (xl_prng_below(&r, 2) && model[uid].clients) {
			u64 c = model[uid].connections / model[uid].clients, b = model[uid].bytes / model[uid].clients;

			give(uid, 1, c, b);
			model[uid].clients--, model[uid].connections -= c, model[uid].bytes -= b;
		} else {
			bool fits = model[uid].clients + 1 <= 5 && model[uid].connections + n <= 50 &&
				    model[uid].bytes + 3 * n <= 500;

			CHECK(take(uid, 1, n, 3 * n) == (fits ? 0 : -EDQUOT));
			if (fits)
				model[uid].clients++, model[uid].connections += n, model[uid].bytes += 3 * n;
		}
		CHECK(xl_quota_of(&q, uid).bytes == model[uid].bytes &&
		      xl_quota_of(&q, uid).clients == model[uid].clients);
		for (u32 u = 0; u < 20; u++)
			has += model[u].clients || model[u].connections || model[u].bytes;
		CHECK(q.users == has);
	}
}

static void test_many_users(void **state)
{
	(void)state;
	memset(&q, 0, sizeof q);
	q.most = (struct xl_quota_use){ 1, 1, 1 };
	for (u32 i = 0; i < XLANE_CLIENTS_MAX; i++)
		assert_int_equal(take(i, 1, 0, 0), 0);
	assert_int_equal(take(XLANE_CLIENTS_MAX, 1, 0, 0), -ENOSPC);
	give(5, 1, 0, 0);
	assert_int_equal(take(XLANE_CLIENTS_MAX, 1, 0, 0), 0);
}

static void test_identity(void **state)
{
	static const u8 a[6] = { 2, 0, 0, 0, 0, 1 }, b[6] = { 2, 0, 0, 0, 0, 2 };
	const char *m = "0123456789abcdef0123456789abcdef", *n = "0123456789abcdef0123456789abcdee";
	u64 x = xl_identity_node(m, a);

	(void)state;
	assert_true(x == xl_identity_node(m, a) && x);
	assert_true(x != xl_identity_node(m, b));
	assert_true(x != xl_identity_node(n, a));
	assert_true(xl_identity_node(NULL, a) == xl_identity_node("short", a));
	assert_true(xl_identity_node(NULL, a) != xl_identity_node(NULL, b));
	assert_true(xl_identity_incarnation() <= xl_identity_incarnation());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits), cmocka_unit_test(test_random), cmocka_unit_test(test_many_users),
		cmocka_unit_test(test_identity),
	};

	return RUN_TAP(tests);
}
