/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every state of a connection, at either side: the program's calls, repeats of the handshake, RESET, a peer that starts
 * anew. What both ends come to, what the programs are told, and that nothing is left.
 */
#include <stdio.h>

#include "engine_pair.h"

#define BODY 48   /* of a packet with extension */

enum start { CALLING, ANSWERING, OPEN, LOCAL_SHUT, LOCAL_DONE, REMOTE_SHUT, BOTH_SHUT, LINGER, DEAD, STARTS };
static const char *const starts[STARTS] = {
	"calling", "answering", "open", "local-shut", "local-done", "remote-shut", "both-shut", "linger", "dead"
};

/* A connection brought into a state at host `w`; the other end is that of host !w, if its program has one. */
struct scene {
	struct pair p;
	u32 w, c[2];
	bool has[2];                /* the program of host i holds c[i] */
	struct raw init, accept;    /* as they were sent, unless the state comes before */
};

static struct raw r;
static char at[80]; /* the case in hand: said behind a test that failed */

static int say_where(void **state)
{
	(void)state;
	if (at[0])
		print_message("# the case: %s\n", at);
	at[0] = 0;
	return 0;
}

/* One packet of host `from`; carried to the other unless it is lost. */
static bool carry(struct scene *s, u32 from, struct raw *copy, bool lost)
{
	u8 to;

	if (!host_output(&s->p.h[from], copy, &to, s->p.now))
		return false;
	if (!lost)
		host_input(&s->p.h[!from], copy, s->p.h[from].address, s->p.now);
	return true;
}

static u32 call(struct scene *s, u32 from, u16 local_port, u16 port, u8 kind)
{
	struct xl_connect how = { .path = path_of((u8)(1 + from), (u8)(2 - from)), .port = port, .local_port = local_port,
				  .kind = kind };
	u32 c;

	CHECK(xl_engine_connect(s->p.h[from].e, &how, s->p.now, &c) == 0);
	return c;
}

static void shut(struct scene *s, u32 i) { CHECK(xl_conn_shutdown(s->p.h[i].e, s->c[i], s->p.now) == 0); }

static void join(struct scene *s, u8 kind)
{
	s->c[0] = call(s, 0, 600, PORT_OF(kind), kind);
	CHECK(carry(s, 0, &s->init, false) && (s->init.b[0] & 15) == 1);
	CHECK(carry(s, 1, &s->accept, false) && (s->accept.b[0] & 15) == 2);
	pair_run(&s->p, XL_MS);
	CHECK(xl_engine_accept(s->p.h[1].e, s->p.listener_of[kind], 5, &s->c[1]) == 0);
	s->has[0] = s->has[1] = true;
}

static void enter(struct scene *s, enum start state, u32 w, u8 kind)
{
	*s = (struct scene){ .w = w };
	pair_open(&s->p, &(struct xl_engine_config){ .blocks = 512 });
	if (state == CALLING && w == 0) {
		s->c[0] = call(s, 0, 600, PORT_OF(kind), kind);
	} else if (state <= ANSWERING) { /* both call; for ANSWERING the INIT of the other has come */
		s->c[0] = call(s, 0, 600, 700, kind);
		s->c[1] = call(s, 1, 700, 600, kind);
		if (state == ANSWERING)
			CHECK(carry(s, !w, &r, false));
		s->has[!w] = true;
	} else {
		join(s, kind);
	}
	s->has[w] = true;
	if (state == REMOTE_SHUT || state == BOTH_SHUT || state == LINGER)
		shut(s, !w);
	if (state == DEAD) {
		xl_conn_abort(s->p.h[!w].e, s->c[!w], XLANE_WIRE_CANCELLED, s->p.now);
		s->has[!w] = false;
	}
	if (state > ANSWERING)
		pair_run(&s->p, XL_MS);
	if (state == LOCAL_SHUT || state == LOCAL_DONE || state == BOTH_SHUT || state == LINGER)
		shut(s, w);
	if (state == LOCAL_DONE || state == LINGER)
		pair_run(&s->p, XL_MS);
	if (!state_is(&s->p.h[w], s->c[w], starts[state]))
		fail_msg("it is %s, not %s", xl_conn_state_name(info_of(&s->p.h[w], s->c[w]).state), starts[state]);
	pair_check(&s->p);
}

/* A connection that the other program is to be given. */
static void accept_if_any(struct scene *s, u8 kind)
{
	if (!s->has[1] && xl_engine_accept(s->p.h[1].e, s->p.listener_of[kind], 5, &s->c[1]) == 0)
		s->has[1] = true;
}

/* The programs let go; after that nothing is left but the bystander. */
static void leave(struct scene *s, bool bystander)
{
	for (u32 i = 0; i < 2; i++)
		if (s->has[i])
			xl_conn_close(s->p.h[i].e, s->c[i], s->p.now);
	pair_run(&s->p, 30 * XL_S);
	for (u32 i = 0; i < 2; i++) {
		CHECK(xl_engine_conns(s->p.h[i].e) == bystander);
		CHECK(xl_engine_accept(s->p.h[1].e, s->p.listener, 5, &s->c[1]) == -EAGAIN);
	}
	pair_check(&s->p);
	if (bystander)
		bystander_lives(&s->p);
	pair_close(&s->p);
}

/* --- the program's calls ----------------------------------------------------------------------------- */
enum calls { SHUTDOWN, CLOSE, ABORT, CALLS };
static const char *const calls[CALLS] = { "shutdown", "close", "abort" };

/* What comes of a call in a state: at this end (unless the program has let go), at the other, and the other's error. */
static const struct { const char *here, *there; int error; } outcomes[STARTS][2] = {
	/* shutdown or close; abort. "": the other program never has a connection, or has let go of it */
	[CALLING] = { { "local-done", "remote-shut", 0 }, { "", "", 0 } },
	[ANSWERING] = { { "local-done", "remote-shut", 0 }, { "", "dead", -ECONNREFUSED } },
	[OPEN] = { { "local-done", "remote-shut", 0 }, { "", "dead", -ECONNRESET } },
	[LOCAL_SHUT] = { { "local-done", "remote-shut", 0 }, { "", "dead", -ECONNRESET } },
	[LOCAL_DONE] = { { "local-done", "remote-shut", 0 }, { "", "dead", -ECONNRESET } },
	[REMOTE_SHUT] = { { "linger", "linger", 0 }, { "", "dead", -ECONNRESET } },
	[BOTH_SHUT] = { { "linger", "linger", 0 }, { "", "dead", -ECONNRESET } },
	[LINGER] = { { "linger", "linger", 0 }, { "", "linger", 0 } },
	[DEAD] = { { "dead", "", 0 }, { "", "", 0 } },
};

static void make_call(struct scene *s, enum calls what)
{
	struct xl_engine *e = s->p.h[s->w].e;
	int error = info_of(&s->p.h[s->w], s->c[s->w]).error;

	if (what == SHUTDOWN)
		CHECK(xl_conn_shutdown(e, s->c[s->w], s->p.now) == error);
	else if (what == CLOSE)
		xl_conn_close(e, s->c[s->w], s->p.now);
	else
		xl_conn_abort(e, s->c[s->w], XLANE_WIRE_CANCELLED, s->p.now);
	s->has[s->w] = what == SHUTDOWN;
	pair_check(&s->p);
}

/* The other program reads the end when all is well, and is told that it is over when it is. */
static void told(struct scene *s, const char *there, int error)
{
	struct host *h = &s->p.h[!s->w];
	struct xl_event event;
	u32 bits = 0;
	u8 in[8];

	while (xl_engine_events(h->e, &event, 1))
		bits |= event.index == s->c[!s->w] ? event.bits : 0;
	CHECK(state_is(h, s->c[!s->w], there) && info_of(h, s->c[!s->w]).error == error);
	CHECK(bits & XL_EVENT_READABLE);
	CHECK(!(bits & XL_EVENT_CLOSED) == !strcmp(there, "remote-shut"));
	if (info_of(h, s->c[!s->w]).kind == XLANE_KIND_STREAM)
		CHECK(xl_conn_recv(h->e, s->c[!s->w], in, 8, s->p.now) == error);
}

static void call_in(enum start state, u32 w, enum calls what, u8 kind, u32 lost)
{
	const char *here = outcomes[state][what == ABORT].here, *there = outcomes[state][what == ABORT].there;
	struct scene s;

	enter(&s, state, w, kind);
	make_call(&s, what);
	for (u32 i = 0; i < 2; i++) /* the next packet of each side */
		if (lost & 1u << i)
			carry(&s, i, &r, true);
	pair_run(&s.p, 400 * XL_MS);
	accept_if_any(&s, kind);
	pair_check(&s.p);
	CHECK(s.has[!w] == (there[0] != 0));
	if (s.has[!w])
		told(&s, there, outcomes[state][what == ABORT].error);
	if (s.has[w])
		CHECK(state_is(&s.p.h[w], s.c[w], here));
	leave(&s, true);
}

static void calls_in(enum start state)
{
	for (u32 i = 0; i < 2 * CALLS * 4 * 4; i++) {
		u32 w = i % 2, what = i / 2 % CALLS, lost = i / 2 / CALLS % 4, kind = XLANE_KIND_STREAM + i / 2 / CALLS / 4;

		snprintf(at, sizeof at, "host %u, %s, kind %u, lost %u", w, calls[what], kind, lost);
		if (state != CALLING || w == 0)
			call_in(state, w, what, (u8)kind, lost);
	}
	at[0] = 0;
}

/* --- repeats of the handshake ------------------------------------------------------------------------- */
/* Copies of INIT and ACCEPT that come late change nothing, and start nothing. */
static void repeats_in(enum start state)
{
	for (u32 w = 0; w < 2 && state >= OPEN; w++) {
		struct scene s;
		u32 conns[2];

		snprintf(at, sizeof at, "host %u", w);
		enter(&s, state, w, XLANE_KIND_STREAM);
		conns[0] = xl_engine_conns(s.p.h[0].e);
		conns[1] = xl_engine_conns(s.p.h[1].e);
		for (u32 i = 0; i < 3; i++) {
			host_input(&s.p.h[1], &s.init, 1, s.p.now);
			host_input(&s.p.h[0], &s.accept, 2, s.p.now);
			CHECK(state_is(&s.p.h[w], s.c[w], starts[state]) && xl_engine_conns(s.p.h[0].e) == conns[0]);
			pair_check(&s.p);
		}
		/* Only where the acceptor had let go of it and forgotten it does it begin anew; the caller says that it is over. */
		CHECK(xl_engine_conns(s.p.h[1].e) <= conns[1] + 1);
		pair_run(&s.p, 10 * XL_MS);
		CHECK(xl_engine_conns(s.p.h[1].e) <= conns[1]);
		leave(&s, true);
	}
	at[0] = 0;
}

/* The same when both ends have forgotten it: a replay of the whole handshake, in order. */
static void test_replay(void **state)
{
	struct xl_event event;
	static struct raw data;
	struct scene s;

	(void)state;
	enter(&s, OPEN, 0, XLANE_KIND_STREAM);
	CHECK(xl_conn_send(s.p.h[0].e, s.c[0], "order", 5, s.p.now) == 5 && carry(&s, 0, &data, false));
	pair_run(&s.p, XL_MS);
	for (u32 i = 0; i < 2; i++)
		xl_conn_close(s.p.h[i].e, s.c[i], s.p.now);
	pair_run(&s.p, 30 * XL_S);
	while (xl_engine_events(s.p.h[1].e, &event, 1))
		;
	for (u32 i = 0; i < 5; i++) {
		CHECK(xl_engine_conns(s.p.h[0].e) == 1 && xl_engine_conns(s.p.h[1].e) == 1);
		host_input(&s.p.h[1], &s.init, 1, s.p.now);
		host_input(&s.p.h[0], &s.accept, 2, s.p.now);
		host_input(&s.p.h[1], &data, 1, s.p.now);
		pair_run(&s.p, 10 * XL_MS);
		CHECK(!xl_engine_events(s.p.h[1].e, &event, 1));
	}
	s.has[0] = s.has[1] = false;
	leave(&s, true);
}

/* --- RESET -------------------------------------------------------------------------------------------- */
/* The answer to packet `to` of host 1 - `from`, as host `from` would give it. */
static void reset(struct scene *s, u32 from, const struct raw *to, u32 error)
{
	u64 id = xl_get64(to->b + 4), number = xl_get64(to->b + 12);

	raw_outer(&r, 4, 3, info_of(&s->p.h[!from], s->c[!from]).local_id, 1);
	raw_ext(&r, NODE(1 + from), NODE(2 - from), 0);
	raw_record(&r, 0x23, 0, 20);
	raw32(&r, error);
	raw64(&r, id);
	raw64(&r, number);
	raw_seal(&r);
	host_input(&s->p.h[!from], &r, s->p.h[from].address, s->p.now);
}

/* A RESET that matches ends it, whatever the state; NONE is good news in both-shut, and says "unknown" elsewhere. */
static void resets_in(enum start state)
{
	static const u32 errors[] = { XLANE_WIRE_NONE, XLANE_WIRE_UNKNOWN, XLANE_WIRE_PROTOCOL, 999 };
	static const int told[] = { -ECONNRESET, -ECONNRESET, -EPROTO, -EPROTO };

	for (u32 i = 0; i < 2 * XL_ARRAY_SIZE(errors) && state < LINGER; i++) {
		u32 w = i % 2, k = i / 2;
		static struct raw last;
		u64 end, bystander;
		struct scene s;
		u8 to;

		snprintf(at, sizeof at, "host %u, error %u", w, errors[k]);
		if (state == CALLING && w == 1)
			continue;
		enter(&s, state, w, XLANE_KIND_STREAM);
		bystander = info_of(&s.p.h[!w], w ? s.p.a : s.p.b).local_id;
		/* It sends something of its own accord: INIT, ACCEPT, FIN, or the PING that asks whether the peer lives. */
		for (end = s.p.now + 3 * XL_S; s.p.now < end; s.p.now += 10 * XL_MS) {
			xl_engine_advance(s.p.h[w].e, s.p.now);
			if (host_output(&s.p.h[w], &last, &to, s.p.now) && xl_get64(last.b + 4) != bystander)
				break;
		}
		CHECK(s.p.now < end);
		reset(&s, !w, &last, errors[k]);
		CHECK(count_of(&s.p.h[w], XL_C_REFUSE_RECEIVED) == 1);
		if (state == BOTH_SHUT && errors[k] == XLANE_WIRE_NONE) {
			CHECK(state_is(&s.p.h[w], s.c[w], "linger") && !info_of(&s.p.h[w], s.c[w]).error);
		} else {
			CHECK(state_is(&s.p.h[w], s.c[w], "dead") && info_of(&s.p.h[w], s.c[w]).error == told[k]);
		}
		reset(&s, !w, &last, errors[k]); /* once is enough: in linger it only says that nobody needs it any more */
		CHECK(count_of(&s.p.h[w], XL_C_REFUSE_RECEIVED) == 1 || !info_of(&s.p.h[w], s.c[w]).error);
		leave(&s, true);
	}
	at[0] = 0;
}

/* --- the peer starts anew ------------------------------------------------------------------------------- */
static void restart(struct scene *s, u32 i, u64 incarnation)
{
	struct xl_engine_config cfg = s->p.h[i].cfg;

	host_close(&s->p.h[i]);
	host_open(&s->p.h[i], (u8)(1 + i), &cfg);
	s->p.h[i].cfg.incarnation = incarnation;
	memset(s->p.h[i].memory, 0, xl_engine_bytes(&s->p.h[i].cfg));
	s->p.h[i].cfg.seed = incarnation;
	s->p.h[i].e = xl_engine_init(s->p.h[i].memory, &s->p.h[i].cfg, s->p.now);
	CHECK(s->p.h[i].e);
	for (u8 kind = XLANE_KIND_STREAM; i == 1 && kind <= XLANE_KIND_DATAGRAM; kind++)
		CHECK(xl_engine_listen(s->p.h[i].e, PORT_OF(kind), kind, 160, kind) == (int)s->p.listener_of[kind]);
	s->has[i] = false;
}

/* With packets of the old life still on the way, which the new one answers, or without. */
static void reboots_in(enum start state)
{
	for (u32 i = 0; i < 4; i++) {
		u32 w = i % 2, late = i / 2;
		struct scene s;

		snprintf(at, sizeof at, "host %u, late packets %u", w, late);
		if (state == CALLING && w == 1)
			continue;
		enter(&s, state, w, XLANE_KIND_STREAM);
		restart(&s, !w, 1000);
		if (late && state >= OPEN) {
			host_input(&s.p.h[1], &s.init, 1, s.p.now);
			host_input(&s.p.h[0], &s.accept, 2, s.p.now);
		}
		pair_run(&s.p, 15 * XL_S);
		if (state == CALLING) {
			accept_if_any(&s, XLANE_KIND_STREAM);
			CHECK(state_is(&s.p.h[0], s.c[0], "open") && s.has[1]);
		} else {
			CHECK(state_is(&s.p.h[w], s.c[w], "dead"));
			CHECK(!info_of(&s.p.h[w], s.c[w]).error == (state == LINGER));
		}
		s.w = w ? s.p.b : s.p.a; /* the bystander was lost as well, and its program told */
		CHECK(state_is(&s.p.h[w], s.w, "dead") && info_of(&s.p.h[w], s.w).error == -ECONNRESET);
		xl_conn_close(s.p.h[w].e, s.w, s.p.now);
		leave(&s, false);
	}
	at[0] = 0;
}

/* One of two who call each other starts anew, and calls again: the other's call fails at once or they meet. */
static void test_crossing_and_restart(void **state)
{
	(void)state;
	for (u32 i = 0; i < 16; i++) { /* which of the first packets arrive */
		struct scene s;

		snprintf(at, sizeof at, "%u", i);
		enter(&s, CALLING, 1, XLANE_KIND_STREAM);
		for (u32 k = 0; k < 4; k++)
			carry(&s, k % 2, &r, !(i & 1u << k));
		restart(&s, 0, 1000);
		s.c[0] = call(&s, 0, 600, 700, XLANE_KIND_STREAM);
		s.has[0] = true;
		pair_run(&s.p, 12 * XL_S);
		pair_check(&s.p);
		for (u32 k = 0; k < 2; k++)
			CHECK(state_is(&s.p.h[k], s.c[k], "open") || info_of(&s.p.h[k], s.c[k]).error);
		CHECK(state_is(&s.p.h[0], s.c[0], "open") == state_is(&s.p.h[1], s.c[1], "open"));
		xl_conn_close(s.p.h[1].e, s.p.b, s.p.now);
		leave(&s, false);
	}
	at[0] = 0;
}

#define EACH(what) \
	static void what##_calling(void **state) { (void)state; what##_in(CALLING); } \
	static void what##_answering(void **state) { (void)state; what##_in(ANSWERING); } \
	static void what##_open(void **state) { (void)state; what##_in(OPEN); } \
	static void what##_local_shut(void **state) { (void)state; what##_in(LOCAL_SHUT); } \
	static void what##_local_done(void **state) { (void)state; what##_in(LOCAL_DONE); } \
	static void what##_remote_shut(void **state) { (void)state; what##_in(REMOTE_SHUT); } \
	static void what##_both_shut(void **state) { (void)state; what##_in(BOTH_SHUT); } \
	static void what##_linger(void **state) { (void)state; what##_in(LINGER); } \
	static void what##_dead(void **state) { (void)state; what##_in(DEAD); }
#define NAME(test) cmocka_unit_test_setup_teardown(test, NULL, say_where)
#define EACH_NAME(what) NAME(what##_calling), NAME(what##_answering), NAME(what##_open), NAME(what##_local_shut), \
	NAME(what##_local_done), NAME(what##_remote_shut), NAME(what##_both_shut), NAME(what##_linger), NAME(what##_dead)
EACH(calls)
EACH(repeats)
EACH(resets)
EACH(reboots)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH_NAME(calls), EACH_NAME(repeats), EACH_NAME(resets), EACH_NAME(reboots),
		NAME(test_replay), NAME(test_crossing_and_restart),
	};

	return RUN_TAP(tests);
}
