/* SPDX-License-Identifier: BSD-2-Clause */
/* remote_ask.c - what takes a round trip: to the worker by a command and its reply, or to the control thread. */
#include "remote.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>

/* Until something is there, or for at most `ns`. */
static void doze(struct xl_remote *r, u64 ns)
{
	struct pollfd p = { .fd = r->epoll_fd, .events = POLLIN };
	const struct timespec t = { .tv_sec = (time_t)(ns / XL_S), .tv_nsec = (long)(ns % XL_S) };

	if (r->events.count || r->listener_events) {
		/* events wait for the program, so arming refuses: give the core to the worker instead */
		sched_yield();
		return;
	}
	if (!xl_remote_arm(r, true))
		(void)ppoll(&p, 1, &t, NULL);
	xl_remote_arm(r, false);
}

/* The reply to the command with this tag. Its error, -ETIMEDOUT or -ENETDOWN. */
static int await(struct xl_remote *r, u64 tag, u64 until_ns)
{
	u64 began = 0;

	for (r->await_tag = tag;;) {
		int n = xl_remote_run(r);

		if (!r->await_tag)
			return r->awaited.error;
		if (n < 0 || r->ran_ns >= until_ns) {
			r->await_tag = 0;
			return n < 0 ? n : -ETIMEDOUT;
		}
		if (!began)
			began = r->ran_ns;
		if (n || r->ran_ns - began < XL_REMOTE_SPIN_NS)
			sched_yield();
		else
			doze(r, until_ns - r->ran_ns);
	}
}

static int ask(struct xl_remote *r, struct xl_remote_channel *ch, struct xlane_command *c)
{
	if (r->dead)
		return -ENETDOWN;
	/* questions given up still lie there: the worker does not read */
	if (ch->queue_count >= XLANE_CHANNEL_COMMANDS)
		return -ETIMEDOUT;
	return await(r, xl_remote_command(r, ch, c), xl_worker_clock() + XL_REMOTE_ASK_NS);
}

static int ask_slot(struct xl_remote *r, u32 conn, struct xlane_command *c)
{
	const struct xl_remote_slot *sl = &r->slot[conn];
	int err;

	if (sl->state == XL_REMOTE_DEAD)
		return sl->error ? sl->error : -ENOTCONN;
	c->slot = conn % r->slots;
	err = ask(r, xl_remote_channel_of(r, conn), c);
	/* it has ended at the worker: no connection is behind the slot any more */
	return err == -EBADF ? (sl->error ? sl->error : -ENOTCONN) : err;
}

/* --- listeners ------------------------------------------------------------------------------ */
static int tell_listeners(struct xl_remote *r, u32 workers, struct xlane_command *c)
{
	int err = 0, first = 0;

	for (u32 w = 0; w < workers; w++) {
		err = ask(r, &r->ch[w], c);
		if (!first)
			first = err;
	}
	return first;
}

int xl_remote_listen(struct xl_backend *b, u16 port, u8 kind, u32 backlog, u64 user, u32 *listener)
{
	struct xl_remote *r = xl_remote_of(b);
	struct xlane_command c = { .op = XLANE_COMMAND_LISTEN, .port = port, .kind = kind, .backlog = backlog };
	struct xlane_command un = { .op = XLANE_COMMAND_UNLISTEN };
	u32 l = 0, w, generation;
	int err = 0;

	while (l < XLANE_CHANNEL_LISTENERS_MAX && r->listener[l].used)
		l++;
	if (l == XLANE_CHANNEL_LISTENERS_MAX)
		return -ENOSPC;
	generation = r->listener[l].generation + 1;
	r->listener[l] = (struct xl_remote_listener){ .used = true, .kind = kind, .port = port, .backlog = backlog,
						      .generation = generation, .user = user,
						      .waiting = XL_LIST_EMPTY };
	c.slot = un.slot = l;
	for (w = 0; w < r->workers && !err; w++)
		err = ask(r, &r->ch[w], &c);
	if (err) {
		/* a worker that did not answer in time may have it all the same */
		xl_remote_unlisten_here(r, l);
		tell_listeners(r, err == -ETIMEDOUT ? w : w - 1, &un);
		return err;
	}
	*listener = l;
	return 0;
}

void xl_remote_unlisten(struct xl_backend *b, u32 listener, u64 now_ns)
{
	struct xl_remote *r = xl_remote_of(b);
	struct xlane_command c = { .op = XLANE_COMMAND_UNLISTEN, .slot = listener };

	(void)now_ns;
	xl_remote_unlisten_here(r, listener);
	/* waits, so that the port is free for another program when this returns */
	(void)tell_listeners(r, r->workers, &c);
}

/* --- one connection --------------------------------------------------------------------------- */
int xl_remote_info(struct xl_backend *b, u32 conn, struct xl_conn_info *out)
{
	struct xl_remote *r = xl_remote_of(b);
	struct xlane_command c = { .op = XLANE_COMMAND_INFO };
	int err = ask_slot(r, conn, &c);

	if (!err && r->awaited.value != sizeof *out)
		err = -EPROTO;
	if (!err)
		memcpy(out, xl_remote_channel_of(r, conn)->map.head->info, sizeof *out);
	return err;
}

int xl_remote_set(struct xl_backend *b, u32 conn, enum xl_conn_option option, u64 value)
{
	struct xl_remote *r = xl_remote_of(b);
	struct xlane_command c = { .op = XLANE_COMMAND_SET, .option = option, .value = value };

	if (option != XL_CONN_PRIORITY)
		return ask_slot(r, conn, &c);
	/* goes with each message, so that those in the ring keep theirs */
	if (value > UINT8_MAX)
		return -EINVAL;
	r->slot[conn].priority = (u8)value;
	return 0;
}

int xl_remote_get(struct xl_backend *b, u32 conn, enum xl_conn_option option, u64 *value)
{
	struct xl_remote *r = xl_remote_of(b);
	struct xlane_command c = { .op = XLANE_COMMAND_GET, .option = option };
	int err;

	if (option == XL_CONN_PRIORITY) {
		*value = r->slot[conn].priority;
		return 0;
	}
	err = ask_slot(r, conn, &c);
	if (!err)
		*value = r->awaited.value;
	return err;
}

/* A message that is put together in memory of the library can not go along: -EBUSY until it is read. */
int xl_remote_give(struct xl_backend *b, u32 conn, u8 token[32])
{
	struct xl_remote *r = xl_remote_of(b);
	struct xl_remote_slot *sl = &r->slot[conn];
	struct xlane_command c = { .op = XLANE_COMMAND_GIVE, .value = sl->in_message ? sl->left : 0 };
	u64 until = xl_worker_clock() + XL_REMOTE_ASK_NS;
	int err;

	if (sl->gather || sl->large_left)
		return -EBUSY;
	do {
		err = ask_slot(r, conn, &c);
		/* the worker is putting a message together: soon it is not */
		if (err == -EBUSY)
			sched_yield();
	} while (err == -EBUSY && xl_worker_clock() < until);
	if (err == -ETIMEDOUT) {
		sl->abandoned = true;
		sl->tag = c.tag;
	}
	if (err)
		return err;
	memcpy(token, r->awaited.token, sizeof r->awaited.token);
	xl_remote_slot_free(r, conn);
	return 0;
}

int xl_remote_take(struct xl_backend *b, const u8 token[32], u64 user, u8 *kind, u32 *conn)
{
	struct xl_remote *r = xl_remote_of(b);
	union { struct xlane_command c; struct xlane_command_take take; } q = { .take.op = XLANE_COMMAND_TAKE };
	struct xl_remote_slot *sl;
	int err;

	if (token[0] >= r->workers)
		return -ENOENT;
	*conn = xl_remote_slot_take(r, token[0]);
	if (*conn == XL_NONE)
		return -ENOSPC;
	sl = &r->slot[*conn];
	q.take.slot = *conn % r->slots;
	memcpy(q.take.token, token, sizeof q.take.token);
	err = ask(r, &r->ch[token[0]], &q.c);
	if (err == -ETIMEDOUT) {
		sl->abandoned = true;
		sl->tag = q.c.tag;
		sl->state = XL_REMOTE_CLOSING;
		return err;
	}
	if (err) {
		xl_remote_slot_free(r, *conn);
		return err;
	}
	sl->kind = *kind = r->awaited.kind;
	sl->user = user;
	sl->port = r->awaited.port;
	memcpy(sl->mac, r->awaited.mac, sizeof sl->mac);
	sl->sent = r->awaited.begin.sent;
	sl->accepted = atomic_load_explicit(&xl_remote_shared(r, *conn)->worker.accepted, memory_order_relaxed);
	sl->taken = sl->given = sl->told = r->awaited.begin.taken;
	sl->left = r->awaited.begin.left;
	sl->in_message = sl->left;
	sl->shut = r->awaited.begin.shut;
	sl->open = true;
	sl->asked = false;
	xl_remote_slot_news(r, *conn);
	return 0;
}

/* --- figures of the daemon ---------------------------------------------------------------------- */
/* The next "name<TAB>value[<TAB>text]" of *at: false at the end. Parts are ended in place. */
static bool next_line(char **at, char **name, u64 *value, char **text)
{
	char *line = strsep(at, "\n"), *number;

	if (!line || !*line)
		return false;
	*name = strsep(&line, "\t");
	number = strsep(&line, "\t");
	*text = line ? line : "";
	*value = number ? strtoull(number, NULL, 10) : 0;
	return number != NULL;
}

static int query(struct xl_remote *r, const char *what, char **text)
{
	char why[XL_CONTROL_WHY_BYTES];

	return r->dead ? -ENETDOWN : xl_control_query(r->control_fd, what, r->interface, text, why, sizeof why);
}

int xl_remote_counters(struct xl_backend *b,
		       void (*each)(const char *name, const char *text, uint64_t value, void *arg), void *arg)
{
	char *all, *at, *name, *text;
	u64 value;
	int n = query(xl_remote_of(b), "counters", &all);

	if (n)
		return n;
	for (at = all; next_line(&at, &name, &value, &text); n++)
		each(name, text, value, arg);
	free(all);
	return n;
}

int xl_remote_census(struct xl_backend *b, void (*each)(const char *owner, uint64_t frames, void *arg), void *arg)
{
	char *all, *at, *name, *text;
	u64 value;
	int err = query(xl_remote_of(b), "census", &all);

	if (err)
		return err;
	for (at = all; next_line(&at, &name, &value, &text);) {
		/* the daemon's word for workers whose recount failed */
		if (!strcmp(name, "unaccounted") && value)
			err = -EUCLEAN;
		each(name, value, arg);
	}
	free(all);
	return err;
}
