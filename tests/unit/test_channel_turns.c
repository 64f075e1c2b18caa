/* SPDX-License-Identifier: BSD-2-Clause */
/* What one run of the worker does for a client is bounded, and nobody is passed over. */
#include "channel_rig.h"

#include <errno.h>
#include <sched.h>
#include <sys/socket.h>

#include "daemon/channel_state.h"

#define CLIENTS 8u
#define EACH 200u
#define RING 65536u
#define SLOTS 64u

static u64 counter(const struct xl_channels *s, enum xl_channel_counter c)
{
	return xl_channels_counters(s)[c];
}

static void wake(struct rig_raw *c)
{
	CHECK(send(c->socket, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1);
}

/* A run that looks at all sockets first. */
static void run(struct xl_channels *s)
{
	s->slept = true;
	xl_channels_run(s, xl_worker_clock());
}

static void ask_much(struct rig_raw *c)
{
	const struct xlane_command q = { .op = XLANE_COMMAND_GET };

	for (u32 i = 0; i < EACH; i++)
		memcpy(&c->map.commands[c->command_tail++ % XLANE_CHANNEL_COMMANDS], &q, sizeof q);
	atomic_store(&c->map.head->command_tail, c->command_tail);
	wake(c);
}

static void test_commands(void **state)
{
	const u32 most = XL_CHANNELS_RUN_BYTES / XL_CHANNEL_COMMAND_BYTES + XL_CHANNEL_TURN_COMMANDS;
	struct rig_raw c[CLIENTS];
	struct xl_channels *s;
	struct rig r;
	u64 before;

	(void)state;
	rig_open(&r, 1);
	s = r.host[0].w[0].channels;
	for (u32 i = 0; i < CLIENTS; i++)
		rig_raw_open(&r, 0, 1, RING, &c[i]);
	rig_lock(&r);
	for (u32 i = 0; i < CLIENTS; i++)
		ask_much(&c[i]);
	before = counter(s, XL_CHANNEL_COMMANDS);
	for (u64 done = 0, now; done < CLIENTS * EACH; done = now) {
		run(s);
		now = counter(s, XL_CHANNEL_COMMANDS) - before;
		assert_true(now > done && now - done <= most);
		/* nobody is a turn behind anybody else's who still asks */
		for (u32 i = 0; i < CLIENTS; i++)
			CHECK(atomic_load(&c[i].map.head->command_head) + 2 * XL_CHANNEL_TURN_COMMANDS >=
			      now / CLIENTS);
	}
	rig_unlock(&r);
	for (u32 i = 0; i < CLIENTS; i++)
		rig_raw_close(&c[i]);
	rig_close(&r);
}

/* Many busy slots of one client beside one slot of another. */
static void test_slots(void **state)
{
	struct xlane_command call = { .op = XLANE_COMMAND_CONNECT, .port = 9, .kind = XLANE_KIND_STREAM,
		.mac = { 2, 0, 0, 0, 0, 0xcc } };
	struct xlane_command other = call;
	struct rig_raw busy, one;
	struct xl_channels *s;
	struct xl_backend *b;
	u32 listener;
	struct rig r;
	u64 before;

	(void)state;
	rig_open(&r, 1);
	s = r.host[0].w[0].channels;
	rig_raw_open(&r, 0, SLOTS, RING, &busy);
	rig_raw_open(&r, 0, 1, RING, &one);
	b = rig_attach(&r, 1, 1, 64);
	assert_int_equal(b->ops->listen(b, 9, XLANE_KIND_STREAM, 1, 1, &listener), 0);
	memcpy(other.mac, rig_mac[1], sizeof other.mac);
	assert_int_equal(rig_raw_do(&one, other, NULL), 0);
	while (!(atomic_load(&one.map.slot[0].worker.bits) & XLANE_SLOT_OPEN))
		sched_yield();
	for (; call.slot < SLOTS; call.slot++)
		assert_int_equal(rig_raw_do(&busy, call, NULL), 0);
	rig_lock(&r);
	for (u32 i = 0; i < SLOTS; i++) {
		atomic_store(&busy.map.slot[i].client.sent, RING);
		xl_bits_set(busy.map.words->dirty, &busy.map.head->dirty_summary, i);
	}
	wake(&busy);
	for (u64 sent = 1; sent < 8; sent++) {
		atomic_store(&one.map.slot[0].client.sent, sent);
		xl_bits_set(one.map.words->dirty, &one.map.head->dirty_summary, 0);
		wake(&one);
		before = counter(s, XL_CHANNEL_BYTES_IN);
		run(s);
		assert_int_equal(atomic_load(&one.map.slot[0].worker.accepted), sent);
		before = counter(s, XL_CHANNEL_BYTES_IN) - before;
		assert_true(before <= XL_CHANNEL_TURN_BYTES + XL_SLOT_TURN_BYTES + 1);
	}
	rig_unlock(&r);
	rig_raw_close(&busy);
	rig_raw_close(&one);
	rig_leave(b);
	rig_close(&r);
}

/* Connections given away by one user leave room for those of others. */
static void test_given(void **state)
{
	struct xlane_command call = { .op = XLANE_COMMAND_CONNECT, .port = 9, .kind = XLANE_KIND_STREAM };
	struct xlane_command give = { .op = XLANE_COMMAND_GIVE }, info = { .op = XLANE_COMMAND_INFO };
	const u32 slots = 12, ring = XLANE_CHANNEL_RING_MAX_BYTES;
	struct xl_backend *b;
	struct rig_raw c;
	u32 listener, n = 0;
	struct rig r;
	int err = 0;

	(void)state;
	rig_open(&r, 1);
	b = rig_attach(&r, 1, 1, 64);
	assert_int_equal(b->ops->listen(b, 9, XLANE_KIND_STREAM, slots, 1, &listener), 0);
	memcpy(call.mac, rig_mac[1], sizeof call.mac);
	rig_raw_open(&r, 0, slots, ring, &c);
	for (; n < slots; n++) {
		call.slot = give.slot = info.slot = n;
		assert_int_equal(rig_raw_do(&c, call, NULL), 0);
		while (!(atomic_load(&c.map.slot[n].worker.bits) & XLANE_SLOT_OPEN))
			sched_yield();
		/* all that the ring holds, and nobody reads it */
		rig_raw_sent(&c, n, ring);
		err = rig_raw_do(&c, give, NULL);
		if (err)
			break;
	}
	assert_int_equal(err, -ENOSPC);
	assert_in_range(n, XLANE_HANDOVER_MAX_BYTES / 2 / ring, XLANE_HANDOVER_MAX_BYTES / 2 / ring + 2);
	/* and it stays whose it was */
	assert_int_equal(rig_raw_do(&c, info, NULL), 0);
	rig_raw_close(&c);
	rig_leave(b);
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_slots),
		cmocka_unit_test(test_given),
	};

	return RUN_TAP(tests);
}
