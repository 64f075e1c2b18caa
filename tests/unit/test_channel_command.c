/* SPDX-License-Identifier: BSD-2-Clause */
/* Every command in every state of a slot, and commands that can not be. A client without the library. */
#include "channel_rig.h"

#include <errno.h>
#include <sched.h>
#include <sys/socket.h>
#include <xlane/wire.h>

#include "channel/ring.h"

#define RING (2u << 20)   /* twice what the engine takes for a connection */
#define PORT 9
enum state { FREE, LIVE, CLOSING, ENDED, STATES };

static const struct { u32 op; int error[STATES]; } expected[] = {
	{ XLANE_COMMAND_CONNECT, { 0, -EBADF, -EBADF, -EBADF } },
	{ XLANE_COMMAND_ACCEPT, { -EAGAIN, -EBADF, -EBADF, -EBADF } },
	{ XLANE_COMMAND_SHUTDOWN, { -EBADF, 0, -EBADF, 0 } },
	{ XLANE_COMMAND_CLOSE, { -EBADF, 0, -EBADF, 0 } },
	{ XLANE_COMMAND_ABORT, { 0, 0, 0, 0 } },
	{ XLANE_COMMAND_SET, { -EBADF, 0, -EBADF, -EBADF } },
	{ XLANE_COMMAND_GET, { -EBADF, 0, -EBADF, -EBADF } },
	{ XLANE_COMMAND_INFO, { -EBADF, 0, -EBADF, -EBADF } },
	{ XLANE_COMMAND_GIVE, { -EBADF, -ENOTCONN, -EBADF, -EBADF } },
	{ XLANE_COMMAND_TAKE, { -ENOENT, -EBADF, -EBADF, -EBADF } },
};

static struct xlane_command make(u32 op, u32 slot, u8 kind)
{
	/* a station that is not there: the connection stays under way */
	return (struct xlane_command){ .op = op, .slot = slot, .port = PORT, .kind = kind, .backlog = 4,
		.option = op == XLANE_COMMAND_SET || op == XLANE_COMMAND_GET ? XL_CONN_SEND_BUFFER : 0,
		.value = op == XLANE_COMMAND_SET ? 65536 : 0, .mac = { 2, 0, 0, 0, 0, 0xcc } };
}

static u32 bits_of(struct rig_raw *c, u32 slot)
{
	return atomic_load(&c->map.slot[slot].worker.bits);
}

static void await_bits(struct rig_raw *c, u32 slot, u32 bits)
{
	while ((bits_of(c, slot) & bits) != bits)
		sched_yield();
}

static void reach(struct rig_raw *c, u32 slot, enum state state)
{
	const struct xlane_ring_head bad = { .bytes = UINT32_MAX };

	atomic_store(&c->map.slot[slot].client.sent, 0);
	atomic_store(&c->map.slot[slot].client.taken, 0);
	if (state == FREE)
		return;
	assert_int_equal(rig_raw_do(c, make(XLANE_COMMAND_CONNECT, slot, state == ENDED ? XLANE_KIND_MESSAGE :
									  XLANE_KIND_STREAM), NULL), 0);
	if (state == CLOSING) {
		rig_raw_sent(c, slot, RING);
		assert_int_equal(rig_raw_do(c, make(XLANE_COMMAND_CLOSE, slot, 0), NULL), 0);
		assert_false(bits_of(c, slot) & XLANE_SLOT_OVER);
	}
	if (state == ENDED) {
		memcpy(xl_layout_send_ring(&c->map, slot), &bad, sizeof bad);
		rig_raw_sent(c, slot, sizeof bad);
		await_bits(c, slot, XLANE_SLOT_CLOSED | XLANE_SLOT_END);
		assert_int_equal(atomic_load(&c->map.slot[slot].worker.error), -EPROTO);
	}
}

static bool conns_gone(void *arg)
{
	return rig_conns(arg, 0) == 0;
}

static void test_states(void **state)
{
	struct rig_raw c;
	struct rig r;

	(void)state;
	rig_open(&r, 1);
	rig_raw_open(&r, 0, 2, RING, &c);
	assert_int_equal(rig_raw_do(&c, make(XLANE_COMMAND_LISTEN, 0, XLANE_KIND_STREAM), NULL), 0);
	for (enum state s = FREE; s < STATES; s++) {
		for (u32 i = 0; i < XL_ARRAY_SIZE(expected); i++) {
			u64 bad = rig_counter(&r, 0, XL_CHANNEL_BAD_SLOT);

			reach(&c, 1, s);
			assert_int_equal(rig_raw_do(&c, make(expected[i].op, 1, XLANE_KIND_STREAM), NULL),
					 expected[i].error[s]);
			assert_int_equal(rig_counter(&r, 0, XL_CHANNEL_BAD_SLOT) - bad, expected[i].error[s] == -EBADF);
			assert_int_equal(rig_raw_do(&c, make(XLANE_COMMAND_ABORT, 1, 0), NULL), 0);
			await_bits(&c, 1, XLANE_SLOT_OVER);
		}
	}
	assert_int_equal(rig_counter(&r, 0, XL_CHANNEL_BAD_INDEX), 0);
	rig_until(conns_gone, &r);
	rig_raw_close(&c);
	rig_close(&r);
}

static void test_arguments(void **state)
{
	static const u8 group[6] = { 1, 0, 0, 0, 0, 1 };
	struct xlane_command q;
	struct xlane_reply reply;
	struct rig_raw c;
	struct rig r;

	(void)state;
	rig_open(&r, 1);
	rig_raw_open(&r, 0, 3, 4096, &c);
	for (u32 op = 0; op < 2; op++) {
		const u32 ops[] = { 0, XLANE_COMMAND_OPS };

		assert_int_equal(rig_raw_do(&c, make(ops[op], 0, 1), NULL), -EINVAL);
	}
	assert_int_equal(rig_raw_do(&c, make(UINT32_MAX, 0, 1), NULL), -EINVAL);
	assert_int_equal(rig_raw_do(&c, make(XLANE_COMMAND_CONNECT, 3, 1), NULL), -EINVAL);
	assert_int_equal(rig_raw_do(&c, make(XLANE_COMMAND_CONNECT, UINT32_MAX, 1), NULL), -EINVAL);
	assert_int_equal(rig_raw_do(&c, make(XLANE_COMMAND_CONNECT, 0, 0), NULL), -EINVAL);
	assert_int_equal(rig_raw_do(&c, make(XLANE_COMMAND_CONNECT, 0, 5), NULL), -EINVAL);
	q = make(XLANE_COMMAND_CONNECT, 0, 1);
	memcpy(q.mac, group, 6);
	assert_int_equal(rig_raw_do(&c, q, NULL), -EINVAL);
	memcpy(q.mac, rig_mac[0], 6);
	assert_int_equal(rig_raw_do(&c, q, NULL), -EINVAL);
	q = make(XLANE_COMMAND_LISTEN, XLANE_CHANNEL_LISTENERS_MAX, 1);
	assert_int_equal(rig_raw_do(&c, q, NULL), -EINVAL);
	q = make(XLANE_COMMAND_LISTEN, 5, 1);
	assert_int_equal(rig_raw_do(&c, q, NULL), 0);
	assert_int_equal(rig_raw_do(&c, q, NULL), -EINVAL);
	q.slot = 6;
	assert_int_equal(rig_raw_do(&c, q, NULL), -EADDRINUSE);
	q = make(XLANE_COMMAND_ACCEPT, 0, 1);
	q.listener = 6;
	assert_int_equal(rig_raw_do(&c, q, NULL), -EINVAL);
	q.listener = UINT32_MAX;
	assert_int_equal(rig_raw_do(&c, q, NULL), -EINVAL);
	assert_int_equal(rig_raw_do(&c, make(XLANE_COMMAND_UNLISTEN, 6, 1), NULL), -EINVAL);
	assert_int_equal(rig_raw_do(&c, make(XLANE_COMMAND_CONNECT, 0, 1), NULL), 0);
	q = make(XLANE_COMMAND_SET, 0, 1);
	q.option = 77;
	assert_int_equal(rig_raw_do(&c, q, NULL), -EINVAL);
	q.option = XL_CONN_SEND_BUFFER;
	q.value = 1;
	assert_int_equal(rig_raw_do(&c, q, NULL), -EINVAL);
	q.value = 70000;
	assert_int_equal(rig_raw_do(&c, q, NULL), 0);
	q.op = XLANE_COMMAND_GET;
	assert_int_equal(rig_raw_do(&c, q, &reply), 0);
	assert_int_equal(reply.value, 70000);
	assert_true(rig_counter(&r, 0, XL_CHANNEL_BAD_COMMAND) > 12);
	rig_raw_close(&c);
	rig_close(&r);
}

static bool channel_gone(void *arg)
{
	return rig_channels(arg, 0) == 0;
}

/* Counters that can not be cost the channel; the next client finds everything free. */
static void test_indices(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, 1);
	for (u32 i = 0; i < 4; i++) {
		struct rig_raw c;
		char byte;

		rig_raw_open(&r, 0, 2, 4096, &c);
		assert_int_equal(rig_raw_do(&c, make(XLANE_COMMAND_LISTEN, 0, XLANE_KIND_STREAM), NULL), 0);
		assert_int_equal(rig_raw_do(&c, make(XLANE_COMMAND_CONNECT, 0, 1), NULL), 0);
		if (i == 0)
			rig_raw_sent(&c, 0, 4097);
		if (i == 1)
			atomic_store(&c.map.slot[0].client.taken, 1);
		if (i == 1)
			rig_raw_sent(&c, 0, 0);
		if (i == 2)
			atomic_store(&c.map.head->command_tail, c.command_tail + XLANE_CHANNEL_COMMANDS + 1);
		if (i == 3)
			rig_raw_sent(&c, 0, UINT64_MAX);
		rig_raw_ring(&c);
		rig_until(channel_gone, &r);
		assert_int_equal(rig_counter(&r, 0, XL_CHANNEL_BAD_INDEX), i + 1);
		assert_int_equal(rig_counter(&r, 0, XL_CHANNEL_CONNS_RESET), i + 1);
		/* the client sees the hang-up: what is left to read is at most one wake */
		while (recv(c.socket, &byte, 1, 0) > 0)
			;
		rig_raw_close(&c);
	}
	rig_close(&r);
}

static bool replies_wait(void *arg)
{
	return rig_counter(arg, 0, XL_CHANNEL_REPLIES_WAIT) > 0;
}

/* Who does not take replies gets no more commands done, and nothing is lost when it does. */
static void test_replies_full(void **state)
{
	struct xlane_command q = make(XLANE_COMMAND_GET, 0, 1);
	struct rig_raw c;
	struct rig r;

	(void)state;
	rig_open(&r, 1);
	rig_raw_open(&r, 0, 1, 4096, &c);
	for (u32 i = 0; i < 2 * XLANE_CHANNEL_COMMANDS; i++) {
		while (c.command_tail - atomic_load(&c.map.head->command_head) >= XLANE_CHANNEL_COMMANDS)
			sched_yield();
		q.tag = ++c.tag;
		memcpy(&c.map.commands[c.command_tail++ % XLANE_CHANNEL_COMMANDS], &q, sizeof q);
		atomic_store(&c.map.head->command_tail, c.command_tail);
		rig_raw_ring(&c);
	}
	rig_until(replies_wait, &r);
	assert_int_equal(atomic_load(&c.map.head->reply_tail), XLANE_CHANNEL_COMMANDS);
	for (u32 i = 0; i < 2 * XLANE_CHANNEL_COMMANDS; i++) {
		struct xlane_reply reply;

		while (atomic_load(&c.map.head->reply_tail) == c.reply_head)
			sched_yield();
		memcpy(&reply, &c.map.replies[c.reply_head++ % XLANE_CHANNEL_COMMANDS], sizeof reply);
		assert_int_equal(reply.tag, i + 1);
		atomic_store(&c.map.head->reply_head, c.reply_head);
		rig_raw_ring(&c);
	}
	rig_raw_close(&c);
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_indices),
		cmocka_unit_test(test_replies_full),
	};

	return RUN_TAP(tests);
}
