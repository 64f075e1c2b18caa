/* SPDX-License-Identifier: BSD-2-Clause */
/* remote_conn.c - life of connections and listeners, and what the worker says of them. */
#include "remote.h"

#include <errno.h>
#include <stdlib.h>

/* --- slots ---------------------------------------------------------------------------------- */
u32 xl_remote_slot_take(struct xl_remote *r, u32 worker)
{
	u32 conn = xl_list_pop(&r->links, &r->free[worker]);
	struct xlane_slot *sh;

	if (conn == XL_NONE)
		return conn;
	r->slot[conn] = (struct xl_remote_slot){ .state = XL_REMOTE_LIVE, .asked = true, .listener = XL_NONE };
	sh = xl_remote_shared(r, conn);
	atomic_store_explicit(&sh->client.sent, 0, memory_order_relaxed);
	atomic_store_explicit(&sh->client.taken, 0, memory_order_relaxed);
	atomic_store_explicit(&sh->client.want_accepted, 0, memory_order_relaxed);
	r->used++;
	return conn;
}

void xl_remote_slot_free(struct xl_remote *r, u32 conn)
{
	struct xl_remote_slot *sl = &r->slot[conn];

	if (sl->is_event)
		xl_list_remove(&r->event_links, &r->events, conn);
	sl->is_event = false;
	free(sl->gather);
	sl->gather = NULL;
	sl->state = XL_REMOTE_FREE;
	r->used--;
	/* the least recently used first: its memory is touched again the latest, but its bits are long quiet */
	xl_list_append(&r->links, &r->free[conn / r->slots], conn);
	r->accept_again = true;
}

/* It has ended without the worker: the program learns it as an end of the connection. */
static void die(struct xl_remote *r, u32 conn, int error)
{
	struct xl_remote_slot *sl = &r->slot[conn];

	sl->state = XL_REMOTE_DEAD;
	sl->closed = sl->ended = true;
	sl->error = sl->read_end = error;
	xl_remote_event(r, conn, XL_EVENT_CLOSED | XL_EVENT_READABLE | XL_EVENT_WRITABLE);
}

static void slot_command(struct xl_remote *r, u32 conn, u32 op)
{
	struct xlane_command c = { .op = op, .slot = conn % r->slots };

	xl_remote_command(r, xl_remote_channel_of(r, conn), &c);
}

/* --- news ----------------------------------------------------------------------------------- */
/* The bits before the counters: what END says is true of the `given` read after it. */
void xl_remote_slot_news(struct xl_remote *r, u32 conn)
{
	struct xl_remote_slot *sl = &r->slot[conn];
	struct xlane_slot *sh = xl_remote_shared(r, conn);
	u32 bits = atomic_load_explicit(&sh->worker.bits, memory_order_acquire), events = 0;
	u64 given = atomic_load_explicit(&sh->worker.given, memory_order_acquire);

	if (sl->asked || sl->state == XL_REMOTE_FREE || sl->state == XL_REMOTE_DEAD)
		return;
	if (sl->state == XL_REMOTE_CLOSING) {
		if (bits & XLANE_SLOT_OVER)
			xl_remote_slot_free(r, conn);
		return;
	}
	if (bits & XLANE_SLOT_OPEN && !sl->open) {
		sl->open = true;
		events |= XL_EVENT_OPEN | XL_EVENT_WRITABLE;
	}
	if (sl->want && sl->want <= atomic_load_explicit(&sh->worker.accepted, memory_order_acquire)) {
		sl->want = 0;
		atomic_store_explicit(&sh->client.want_accepted, 0, memory_order_relaxed);
		events |= XL_EVENT_WRITABLE;
	}
	/* as of the last news: a recv in between may have seen these bytes, but not have taken them all */
	if (given != sl->told || (bits & XLANE_SLOT_END && !sl->end_told)) {
		sl->told = given;
		sl->end_told = bits & XLANE_SLOT_END;
		if (xl_remote_readable(&r->b, conn) != -EAGAIN)
			events |= XL_EVENT_READABLE;
	}
	if (bits & XLANE_SLOT_CLOSED && !sl->closed) {
		sl->closed = true;
		sl->error = atomic_load_explicit(&sh->worker.error, memory_order_relaxed);
		events |= XL_EVENT_CLOSED | (sl->error ? XL_EVENT_READABLE | XL_EVENT_WRITABLE : 0);
	}
	xl_remote_event(r, conn, events);
}

/* --- accept --------------------------------------------------------------------------------- */
static void ask_one(struct xl_remote *r, u32 listener, u32 worker)
{
	struct xl_remote_listener *l = &r->listener[listener];
	struct xlane_command c = { .op = XLANE_COMMAND_ACCEPT, .listener = listener };
	u32 conn = xl_remote_slot_take(r, worker);
	struct xl_remote_slot *sl = &r->slot[conn];

	c.slot = conn % r->slots;
	sl->listener = listener;
	sl->generation = l->generation;
	sl->waiting = true;
	sl->kind = l->kind;
	l->asked[worker]++;
	l->ahead++;
	sl->tag = xl_remote_command(r, &r->ch[worker], &c);
}

void xl_remote_accept_more(struct xl_remote *r, u32 listener)
{
	struct xl_remote_listener *l = &r->listener[listener];
	const u32 ahead_max = (u32)xl_min(l->backlog, XL_REMOTE_AHEAD_MAX);

	for (u32 w = 0; w < r->workers; w++)
		while (l->more & 1u << w && l->asked[w] < XL_REMOTE_ASKED_MAX && l->ahead < ahead_max &&
		       r->free[w].count)
			ask_one(r, listener, w);
}

static void listener_event(struct xl_remote *r, u32 listener)
{
	r->listener_events |= 1ull << listener;
}

/* A question for a connection to accept is answered. */
static void accepted(struct xl_remote *r, u32 conn, const struct xlane_reply *reply)
{
	struct xl_remote_slot *sl = &r->slot[conn];
	struct xl_remote_listener *l = &r->listener[sl->listener];
	const bool ours = l->used && l->generation == sl->generation;
	const u32 worker = conn / r->slots, listener = sl->listener;

	if (ours)
		l->asked[worker]--;
	if (reply->error) {
		if (ours)
			l->ahead--;
		if (ours && reply->tag >= l->since[worker])
			l->more &= ~(1u << worker);
		xl_remote_slot_free(r, conn);
	} else if (!ours) {
		xl_remote_abort(&r->b, conn, r->ran_ns);
	} else {
		memcpy(sl->mac, reply->mac, sizeof sl->mac);
		sl->port = reply->port;
		xl_list_append(&r->links, &l->waiting, conn);
		xl_remote_slot_news(r, conn);
		listener_event(r, listener);
	}
	if (ours)
		xl_remote_accept_more(r, listener);
}

int xl_remote_accept(struct xl_backend *b, u32 listener, u64 user, u32 *conn)
{
	struct xl_remote *r = xl_remote_of(b);
	struct xl_remote_listener *l = &r->listener[listener];
	struct xl_remote_slot *sl;

	if (r->dead)
		return -ENETDOWN;
	while ((*conn = xl_list_pop(&r->links, &l->waiting)) != XL_NONE) {
		l->ahead--;
		xl_remote_accept_more(r, listener);
		xl_remote_slot_news(r, *conn);
		sl = &r->slot[*conn];
		sl->waiting = false;
		/* one that its peer has reset meanwhile is gone without a word */
		if (sl->closed && sl->error) {
			xl_remote_abort(b, *conn, r->ran_ns);
			continue;
		}
		sl->user = user;
		xl_remote_event(r, *conn, (xl_remote_readable(b, *conn) != -EAGAIN ? XL_EVENT_READABLE : 0) |
					  (sl->closed ? XL_EVENT_CLOSED : 0));
		return 0;
	}
	return -EAGAIN;
}

/* The listener is no more: what it has accepted and the program has not is reset. */
void xl_remote_unlisten_here(struct xl_remote *r, u32 listener)
{
	struct xl_remote_listener *l = &r->listener[listener];
	u32 conn;

	l->used = false;
	r->listener_events &= ~(1ull << listener);
	while ((conn = xl_list_pop(&r->links, &l->waiting)) != XL_NONE) {
		r->slot[conn].waiting = false;
		xl_remote_abort(&r->b, conn, r->ran_ns);
	}
}

/* --- connections ---------------------------------------------------------------------------- */
int xl_remote_connect(struct xl_backend *b, const u8 mac[6], u16 port, u8 kind, u64 user, u64 now_ns, u32 *conn)
{
	struct xl_remote *r = xl_remote_of(b);
	struct xlane_command c = { .op = XLANE_COMMAND_CONNECT, .port = port, .kind = kind };
	struct xl_remote_slot *sl;
	u32 w = 0;

	(void)now_ns;
	if (r->dead)
		return -ENETDOWN;
	for (*conn = XL_NONE; *conn == XL_NONE && w < r->workers; w++) {
		*conn = xl_remote_slot_take(r, r->next_worker);
		r->next_worker = (r->next_worker + 1) % r->workers;
	}
	if (*conn == XL_NONE)
		return -ENOSPC;
	sl = &r->slot[*conn];
	sl->kind = kind;
	sl->user = user;
	sl->port = port;
	memcpy(sl->mac, mac, sizeof sl->mac);
	memcpy(c.mac, mac, sizeof c.mac);
	c.slot = *conn % r->slots;
	sl->tag = xl_remote_command(r, xl_remote_channel_of(r, *conn), &c);
	return 0;
}

static void connected(struct xl_remote *r, u32 conn, const struct xlane_reply *reply)
{
	struct xl_remote_slot *sl = &r->slot[conn];

	if (!reply->error)
		xl_remote_slot_news(r, conn);
	else if (sl->state == XL_REMOTE_CLOSING)
		xl_remote_slot_free(r, conn);
	else
		die(r, conn, reply->error);
}

/* A take that nobody waits for any more. */
static void taken_late(struct xl_remote *r, u32 conn, const struct xlane_reply *reply)
{
	if (reply->error)
		xl_remote_slot_free(r, conn);
	else
		xl_remote_abort(&r->b, conn, r->ran_ns);
}

void xl_remote_replied(struct xl_remote *r, struct xl_remote_channel *ch, const struct xlane_reply *reply)
{
	u32 conn = ch->worker * r->slots + reply->slot;
	struct xl_remote_slot *sl;

	if (reply->tag == r->await_tag) {
		r->awaited = *reply;
		r->await_tag = 0;
		return;
	}
	if (reply->slot >= r->slots)
		return;
	sl = &r->slot[conn];
	/* given after all, when the program had stopped waiting for it */
	if (reply->op == XLANE_COMMAND_GIVE && !reply->error && sl->abandoned && sl->tag == reply->tag)
		die(r, conn, -ECONNABORTED);
	if (!sl->asked || sl->tag != reply->tag)
		return;
	sl->asked = false;
	if (reply->op == XLANE_COMMAND_CONNECT)
		connected(r, conn, reply);
	else if (reply->op == XLANE_COMMAND_ACCEPT)
		accepted(r, conn, reply);
	else if (reply->op == XLANE_COMMAND_TAKE)
		taken_late(r, conn, reply);
}

int xl_remote_shutdown(struct xl_backend *b, u32 conn, u64 now_ns)
{
	struct xl_remote *r = xl_remote_of(b);
	struct xl_remote_slot *sl = &r->slot[conn];

	(void)now_ns;
	if (r->dead)
		return -ENETDOWN;
	if (sl->closed && sl->error)
		return sl->error;
	if (!sl->shut && sl->state == XL_REMOTE_LIVE)
		slot_command(r, conn, XLANE_COMMAND_SHUTDOWN);
	sl->shut = true;
	return 0;
}

/* From the program to the worker, who says when it is over. */
static void leave(struct xl_remote *r, u32 conn, u32 op)
{
	struct xl_remote_slot *sl = &r->slot[conn];

	if (sl->state == XL_REMOTE_DEAD || r->dead) {
		xl_remote_slot_free(r, conn);
		return;
	}
	if (sl->is_event)
		xl_list_remove(&r->event_links, &r->events, conn);
	sl->is_event = false;
	free(sl->gather);
	sl->gather = NULL;
	sl->state = XL_REMOTE_CLOSING;
	slot_command(r, conn, op);
}

void xl_remote_close(struct xl_backend *b, u32 conn, u64 now_ns)
{
	(void)now_ns;
	leave(xl_remote_of(b), conn, XLANE_COMMAND_CLOSE);
}

void xl_remote_abort(struct xl_backend *b, u32 conn, u64 now_ns)
{
	(void)now_ns;
	leave(xl_remote_of(b), conn, XLANE_COMMAND_ABORT);
}
