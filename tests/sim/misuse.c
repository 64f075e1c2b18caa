/* SPDX-License-Identifier: BSD-2-Clause */
#include "misuse.h"

#include <errno.h>
#include <string.h>

#include "world.h"

static u8 bytes[XLANE_MESSAGE_SMALL_MAX_BYTES + 1];

struct call {
	struct xl_engine *e;
	struct xl_prng *prng;
	u32 conn;
	u8 kind;
	bool shut, failed;     /* the connection's sending end, or all of it, is over */
	u64 now_ns;
};

/* Each returns what the engine says; `expected` 0: that call is none to make now. */
static s64 port_zero(const struct call *c, s64 *expected)
{
	struct xl_connect how = { .port = 0, .kind = XLANE_KIND_STREAM };
	u32 conn;

	*expected = -EINVAL;
	return xl_engine_connect(c->e, &how, c->now_ns, &conn);
}

static s64 no_such_kind(const struct call *c, s64 *expected)
{
	struct xl_connect how = { .port = SIM_PORT_FIRST, .kind = (u8)sim_range(c->prng, XLANE_KIND_DATAGRAM + 1, 255) };
	u32 conn;

	*expected = -EINVAL;
	return xl_engine_connect(c->e, &how, c->now_ns, &conn);
}

static s64 listen_nowhere(const struct call *c, s64 *expected)
{
	*expected = -EINVAL;
	return xl_engine_listen(c->e, 0, XLANE_KIND_STREAM, 1, 0);
}

static s64 large_too_small(const struct call *c, s64 *expected)
{
	*expected = c->failed || c->shut ? 0 : -EINVAL;
	return *expected ? xl_conn_large_begin(c->e, c->conn, sim_range(c->prng, 0, XLANE_MESSAGE_SMALL_MAX_BYTES), c->now_ns) : 0;
}

static s64 large_of_stream(const struct call *c, s64 *expected)
{
	*expected = c->failed || c->shut || c->kind != XLANE_KIND_STREAM ? 0 : -EINVAL;
	return *expected ? xl_conn_large_begin(c->e, c->conn, 100000, c->now_ns) : 0;
}

static s64 more_of_nothing(const struct call *c, s64 *expected)
{
	*expected = c->failed || xl_conn_large_left(c->e, c->conn) ? 0 : -EINVAL;
	return *expected ? xl_conn_large_more(c->e, c->conn, bytes, 10, c->now_ns) : 0;
}

static s64 too_long(const struct call *c, s64 *expected)
{
	*expected = c->failed || c->shut || c->kind == XLANE_KIND_STREAM ? 0 : -EMSGSIZE;
	return *expected ? xl_conn_send(c->e, c->conn, bytes, sizeof bytes, c->now_ns) : 0;
}

static s64 send_after_end(const struct call *c, s64 *expected)
{
	*expected = c->failed || !c->shut ? 0 : -EPIPE;
	return *expected ? xl_conn_send(c->e, c->conn, bytes, 1, c->now_ns) : 0;
}

static s64 no_such_option(const struct call *c, s64 *expected)
{
	*expected = -EINVAL;
	return xl_conn_set(c->e, c->conn, XL_CONN_OPTIONS + xl_prng_below(c->prng, 4), 1);
}

static s64 no_such_priority(const struct call *c, s64 *expected)
{
	*expected = -EINVAL;
	return xl_conn_set(c->e, c->conn, XL_CONN_PRIORITY, 256 + xl_prng_below(c->prng, 1000));
}

static s64 import_anything(const struct call *c, s64 *expected)
{
	u32 conn, n = xl_prng_below(c->prng, sizeof bytes);

	for (u32 i = 0; i < xl_min(n, 64); i++)
		bytes[i] = (u8)xl_prng_u64(c->prng);
	*expected = -EINVAL;
	return xl_conn_import(c->e, bytes, n, c->now_ns, &conn);
}

void sim_misuse(struct sim_program *p, const struct sim_actor *a, u64 now_ns)
{
	static s64 (*const calls[])(const struct call *c, s64 *expected) = {
		port_zero, no_such_kind, listen_nowhere, large_too_small, large_of_stream, more_of_nothing, too_long,
		send_after_end, no_such_option, no_such_priority, import_anything,
	};
	const struct sim_end *e = &p->world->oracle.end[a->end];
	struct call c = { .e = p->world->host[p->host].engine, .prng = &p->prng, .conn = a->conn, .kind = e->kind,
			  .shut = e->shut, .now_ns = now_ns };
	u32 pick = xl_prng_below(&p->prng, XL_ARRAY_SIZE(calls));
	struct xl_conn_info info;
	s64 r, expected;

	xl_conn_info(c.e, a->conn, &info);
	c.failed = info.error || a->closed || a->large != XL_NONE64;
	r = calls[pick](&c, &expected);
	if (!expected)
		return;
	if (r != expected)
		sim_world_fail(p->world, "api", "end %u: illegal call %u returned %lld, not %lld", a->end, pick, (long long)r,
			       (long long)expected);
	sim_world_mark(p->world, SIM_MARK_MISUSED);
}
