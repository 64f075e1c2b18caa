/* SPDX-License-Identifier: BSD-2-Clause */
/* Who has which port, also when many threads ask at once. */
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "daemon/ports.h"

static void test_claims(void **state)
{
	struct xl_ports *p;

	(void)state;
	assert_int_equal(xl_ports_open(1024, 2, &p), 0);
	assert_int_equal(xl_ports_claim(p, 80, 1, 1000), -EACCES);
	assert_int_equal(xl_ports_claim(p, 80, 1, 0), 0);
	assert_int_equal(xl_ports_owner(p, 80), 1);
	assert_int_equal(xl_ports_claim(p, 80, 2, 0), -EADDRINUSE);
	/* once by each worker of the client: free when all have released it */
	assert_int_equal(xl_ports_claim(p, 80, 1, 0), 0);
	xl_ports_release(p, 80, 2);
	xl_ports_release(p, 80, 1);
	assert_int_equal(xl_ports_owner(p, 80), 1);
	xl_ports_release(p, 80, 1);
	assert_int_equal(xl_ports_owner(p, 80), 0);
	/* the quota is the uid's, whichever client of it */
	assert_int_equal(xl_ports_claim(p, 2000, 3, 1000), 0);
	assert_int_equal(xl_ports_claim(p, 65535, 4, 1000), 0);
	assert_int_equal(xl_ports_claim(p, 2001, 5, 1000), -EDQUOT);
	assert_int_equal(xl_ports_owner(p, 2001), 0);
	assert_int_equal(xl_ports_claim(p, 2001, 5, 1001), 0);
	xl_ports_release(p, 2000, 3);
	assert_int_equal(xl_ports_claim(p, 2002, 6, 1000), 0);
	assert_int_equal(xl_ports_claim(p, 2002, 6, 1000), 0);
	xl_ports_drop(p, 6);
	assert_int_equal(xl_ports_owner(p, 2002), 0);
	assert_int_equal(xl_ports_owner(p, 65535), 4);
	assert_int_equal(xl_ports_claim(p, 2003, 7, 1000), 0);
	xl_ports_close(p);
}

#define THREADS 3
#define ROUNDS 2000
struct racer { struct xl_ports *p; u32 client; _Atomic u32 *holders; u32 won; };

/* Whoever has the port is alone. */
static void *race(void *arg)
{
	struct racer *r = arg;

	for (u32 i = 0; i < ROUNDS; i++) {
		if (xl_ports_claim(r->p, 5000, r->client, r->client))
			continue;
		CHECK(atomic_fetch_add(r->holders, 1) == 0);
		CHECK(xl_ports_owner(r->p, 5000) == r->client);
		atomic_fetch_sub(r->holders, 1);
		xl_ports_release(r->p, 5000, r->client);
		r->won++;
	}
	return NULL;
}

static void test_race(void **state)
{
	struct racer r[THREADS];
	pthread_t t[THREADS];
	_Atomic u32 holders = 0;
	struct xl_ports *p;
	u32 won = 0;

	(void)state;
	assert_int_equal(xl_ports_open(0, 1, &p), 0);
	for (u32 i = 0; i < THREADS; i++) {
		r[i] = (struct racer){ p, i + 1, &holders, 0 };
		assert_int_equal(pthread_create(&t[i], NULL, race, &r[i]), 0);
	}
	for (u32 i = 0; i < THREADS; i++) {
		pthread_join(t[i], NULL);
		won += r[i].won;
	}
	assert_true(won > 0);
	assert_int_equal(xl_ports_owner(p, 5000), 0);
	/* nothing of the quota is lost */
	for (u32 i = 0; i < THREADS; i++)
		assert_int_equal(xl_ports_claim(p, (u16)(6000 + i), i + 1, i + 1), 0);
	xl_ports_close(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_claims),
		cmocka_unit_test(test_race),
	};

	return RUN_TAP(tests);
}
