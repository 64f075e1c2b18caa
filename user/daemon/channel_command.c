/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * channel_command.c - what clients ask for. A command is copied, then checked against the table: the operation must
 * exist, the slot must be there and in a state that the operation knows.
 */
#include <errno.h>

#include "handover.h"
#include "ports.h"

#define SLOT_IN(state) (1u << XL_SLOT_##state)
#define QUIET true

struct asked {
	struct xl_channels *s;
	struct xl_channel *ch;
	union { struct xlane_command c; struct xlane_command_take take; };
	struct xlane_reply r;
};

static bool kind_known(u8 kind)
{
	return kind >= XLANE_KIND_STREAM && kind <= XLANE_KIND_DATAGRAM;
}

static u64 user_of(const struct asked *a)
{
	return xl_user(XL_USER_SLOT, a->ch->id, a->c.slot);
}

static int do_connect(struct asked *a)
{
	struct xl_connect how = { .port = a->c.port, .kind = a->c.kind, .user = user_of(a) };
	const u8 *mac = a->c.mac;
	u32 conn;
	int err;

	if (!kind_known(a->c.kind) || !a->c.port || mac[0] & 1 || !memcmp(mac, a->s->worker->link.mac, 6))
		return -EINVAL;
	xl_link_path(&a->s->worker->link, mac, &how.path);
	err = xl_engine_connect(a->s->engine, &how, a->s->now_ns, &conn);
	if (!err)
		xl_slot_begin(a->s, a->ch, a->c.slot, conn, a->c.kind);
	return err;
}

static int do_listen(struct asked *a)
{
	const u32 number = a->c.slot;
	int at, err;

	if (number >= XLANE_CHANNEL_LISTENERS_MAX || a->ch->listener[number].used || !kind_known(a->c.kind) ||
	    !a->c.port || !a->c.backlog || a->c.backlog > XLANE_BACKLOG_MAX)
		return -EINVAL;
	err = xl_ports_claim(a->s->ports, a->c.port, a->ch->config.client, a->ch->config.uid);
	if (err)
		return err;
	at = xl_engine_listen(a->s->engine, a->c.port, a->c.kind, a->c.backlog,
			      xl_user(XL_USER_LISTENER, a->ch->id, number));
	if (at < 0) {
		xl_ports_release(a->s->ports, a->c.port, a->ch->config.client);
		return at;
	}
	a->ch->listener[number] = (struct xl_channel_listener){ .used = true, .kind = a->c.kind, .port = a->c.port,
								.index = (u32)at };
	return 0;
}

void xl_channel_unlisten(struct xl_channels *s, struct xl_channel *ch, u32 listener)
{
	struct xl_channel_listener *l = &ch->listener[listener];

	xl_engine_unlisten(s->engine, l->index, s->now_ns);
	xl_ports_release(s->ports, l->port, ch->config.client);
	l->used = false;
}

static int do_unlisten(struct asked *a)
{
	if (a->c.slot >= XLANE_CHANNEL_LISTENERS_MAX || !a->ch->listener[a->c.slot].used)
		return -EINVAL;
	xl_channel_unlisten(a->s, a->ch, a->c.slot);
	return 0;
}

static void tell_peer(struct asked *a)
{
	struct xl_conn_info info;

	xl_conn_info(a->s->engine, a->ch->slot[a->c.slot].conn, &info);
	memcpy(a->r.mac, info.path.remote, sizeof a->r.mac);
	a->r.port = info.remote_port;
	a->r.kind = info.kind;
}

static int do_accept(struct asked *a)
{
	const struct xl_channel_listener *l;
	u32 conn;
	int err;

	if (a->c.listener >= XLANE_CHANNEL_LISTENERS_MAX || !a->ch->listener[a->c.listener].used)
		return -EINVAL;
	l = &a->ch->listener[a->c.listener];
	err = xl_engine_accept(a->s->engine, l->index, user_of(a), &conn);
	if (err)
		return err;
	xl_slot_begin(a->s, a->ch, a->c.slot, conn, l->kind);
	atomic_store_explicit(&a->ch->map.slot[a->c.slot].worker.message_max,
			      xl_conn_message_max(a->s->engine, conn), memory_order_relaxed);
	xl_slot_bits(a->ch, a->c.slot, XLANE_SLOT_OPEN);
	tell_peer(a);
	return 0;
}

/* What the client has sent up to here is the last. */
static int do_shutdown(struct asked *a)
{
	struct xl_slot *sl = &a->ch->slot[a->c.slot];

	if (!sl->shut_wanted) {
		sl->shut_at = atomic_load_explicit(&a->ch->map.slot[a->c.slot].client.sent, memory_order_acquire);
		sl->shut_wanted = true;
	}
	xl_channel_look(a->s, a->ch, a->c.slot);
	return 0;
}

static int do_close(struct asked *a)
{
	struct xl_slot *sl = &a->ch->slot[a->c.slot];

	if (sl->state == XL_SLOT_ENDED) {
		xl_slot_free(a->s, a->ch, a->c.slot);
		return 0;
	}
	do_shutdown(a);
	sl->state = XL_SLOT_CLOSING;
	if (sl->shut_done) {
		xl_conn_close(a->s->engine, sl->conn, a->s->now_ns);
		xl_slot_free(a->s, a->ch, a->c.slot);
	}
	return 0;
}

static int do_abort(struct asked *a)
{
	struct xl_slot *sl = &a->ch->slot[a->c.slot];

	if (sl->state == XL_SLOT_FREE) {
		/* it was over just before, or there was no connection after all */
		xl_slot_bits(a->ch, a->c.slot, XLANE_SLOT_OVER);
		return 0;
	}
	if (sl->state != XL_SLOT_ENDED)
		xl_conn_abort(a->s->engine, sl->conn, XLANE_WIRE_CANCELLED, a->s->now_ns);
	xl_slot_free(a->s, a->ch, a->c.slot);
	return 0;
}

static int do_set(struct asked *a)
{
	if (a->c.option >= XL_CONN_OPTIONS)
		return -EINVAL;
	return xl_conn_set(a->s->engine, a->ch->slot[a->c.slot].conn, (enum xl_conn_option)a->c.option, a->c.value);
}

static int do_get(struct asked *a)
{
	if (a->c.option >= XL_CONN_OPTIONS)
		return -EINVAL;
	a->r.value = xl_conn_get(a->s->engine, a->ch->slot[a->c.slot].conn, (enum xl_conn_option)a->c.option);
	return 0;
}

static int do_info(struct asked *a)
{
	struct xl_conn_info info;

	_Static_assert(sizeof info <= XLANE_CHANNEL_INFO_BYTES, "the figures fit");
	memset(&info, 0, sizeof info);
	xl_conn_info(a->s->engine, a->ch->slot[a->c.slot].conn, &info);
	memcpy(a->ch->map.head->info, &info, sizeof info);
	a->r.value = sizeof info;
	return 0;
}

static int do_give(struct asked *a)
{
	return xl_handover_give(a->s, a->ch, a->c.slot, a->c.value, a->r.token);
}

static int do_take(struct asked *a)
{
	int err = xl_handover_take(a->s, a->ch, a->c.slot, a->take.token, &a->r);

	if (!err)
		tell_peer(a);
	return err;
}

static const struct {
	int (*run)(struct asked *a);
	u32 states;     /* of the slot; 0: `slot` is a listener's number */
	bool quiet;
} table[XLANE_COMMAND_OPS] = {
	[XLANE_COMMAND_CONNECT] = { do_connect, SLOT_IN(FREE), false },
	[XLANE_COMMAND_LISTEN] = { do_listen, 0, false },
	[XLANE_COMMAND_UNLISTEN] = { do_unlisten, 0, false },
	[XLANE_COMMAND_ACCEPT] = { do_accept, SLOT_IN(FREE), false },
	[XLANE_COMMAND_SHUTDOWN] = { do_shutdown, SLOT_IN(LIVE) | SLOT_IN(ENDED), QUIET },
	[XLANE_COMMAND_CLOSE] = { do_close, SLOT_IN(LIVE) | SLOT_IN(ENDED), QUIET },
	[XLANE_COMMAND_ABORT] = { do_abort, SLOT_IN(FREE) | SLOT_IN(LIVE) | SLOT_IN(CLOSING) | SLOT_IN(ENDED), QUIET },
	[XLANE_COMMAND_SET] = { do_set, SLOT_IN(LIVE), false },
	[XLANE_COMMAND_GET] = { do_get, SLOT_IN(LIVE), false },
	[XLANE_COMMAND_INFO] = { do_info, SLOT_IN(LIVE), false },
	[XLANE_COMMAND_GIVE] = { do_give, SLOT_IN(LIVE), false },
	[XLANE_COMMAND_TAKE] = { do_take, SLOT_IN(FREE), false },
};

static int execute(struct asked *a)
{
	int err;

	if (a->c.op >= XLANE_COMMAND_OPS || !table[a->c.op].run ||
	    (table[a->c.op].states && a->c.slot >= a->ch->config.slots)) {
		xl_channels_count_up(a->s, XL_CHANNEL_BAD_COMMAND);
		return -EINVAL;
	}
	if (table[a->c.op].states && !(table[a->c.op].states & 1u << a->ch->slot[a->c.slot].state)) {
		xl_channels_count_up(a->s, XL_CHANNEL_BAD_SLOT);
		return -EBADF;
	}
	err = table[a->c.op].run(a);
	if (err == -EINVAL)
		xl_channels_count_up(a->s, XL_CHANNEL_BAD_COMMAND);
	return err;
}

bool xl_channel_reply_room(struct xl_channels *s, struct xl_channel *ch)
{
	u64 head;

	if (ch->reply_tail - ch->reply_head < XLANE_CHANNEL_COMMANDS)
		return true;
	head = atomic_load_explicit(&ch->map.head->reply_head, memory_order_seq_cst);
	if (ch->reply_tail - head > XLANE_CHANNEL_COMMANDS) {
		xl_channel_bad_index(s, ch);
		return false;
	}
	ch->reply_head = head;
	return ch->reply_tail - ch->reply_head < XLANE_CHANNEL_COMMANDS;
}

static void reply(struct asked *a, int error)
{
	struct xl_channel *ch = a->ch;

	a->r.op = a->c.op;
	a->r.slot = a->c.slot;
	a->r.tag = a->c.tag;
	a->r.error = error;
	ch->map.replies[ch->reply_tail & (XLANE_CHANNEL_COMMANDS - 1)] = a->r;
	ch->reply_tail++;
	ch->replied = true;
	atomic_store_explicit(&ch->map.head->reply_tail, ch->reply_tail, memory_order_seq_cst);
}

u64 xl_channel_commands(struct xl_channels *s, struct xl_channel *ch)
{
	const u64 tail = atomic_load_explicit(&ch->map.head->command_tail, memory_order_acquire);
	u64 copied = s->copied;
	u32 n = 0;

	if (tail - ch->command_head > XLANE_CHANNEL_COMMANDS) {
		xl_channel_bad_index(s, ch);
		return 0;
	}
	while (ch->command_head != tail && n < XL_CHANNEL_TURN_COMMANDS &&
	       s->copied - copied < XL_CHANNEL_TURN_BYTES && !ch->dying) {
		struct asked a = { .s = s, .ch = ch };
		int err;

		if (!xl_channel_reply_room(s, ch)) {
			xl_channels_count_up(s, XL_CHANNEL_REPLIES_WAIT);
			break;
		}
		memcpy(&a.c, &ch->map.commands[ch->command_head & (XLANE_CHANNEL_COMMANDS - 1)], sizeof a.c);
		ch->command_head++;
		n++;
		err = execute(&a);
		if (err || a.c.op >= XLANE_COMMAND_OPS || !table[a.c.op].quiet)
			reply(&a, err);
	}
	if (n)
		atomic_store_explicit(&ch->map.head->command_head, ch->command_head, memory_order_release);
	s->counters[XL_CHANNEL_COMMANDS] += n;
	return n * (u64)XL_CHANNEL_COMMAND_BYTES + s->copied - copied;
}
