/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peer.c - timers of a peer: one, at the earlier of
 *   checked + keepalive            ask about the next of its connections, by a PING with the extension: the answer says that
 *                                  the peer lives, or that it has lost that connection
 *   sweep                          it has lost a connection: the next few of the others are asked about, each once
 *   tell                           this side's MTU has changed: the next few connections say so
 *   raise                          its path is not known to take packets as large as both links do: one is tried
 *   asked + (death - keepalive)    it was silent when asked and is so still: the peer is dead
 */
#include "peer.h"

#include "conn.h"
#include "pmtu.h"

static u32 index_of(const struct xl_engine *e, const struct xl_peer *p) { return (u32)(p - e->peers); }

struct xl_peer *xl_peer_of(const struct xl_engine *e, const struct xl_conn *c)
{
	XL_ASSERT(c->peer < e->cfg.peers_max);
	return &e->peers[c->peer];
}

static struct xl_peer *fresh(struct xl_engine *e)
{
	u32 i = xl_list_pop(&e->l_idle, &e->peer_free);
	struct xl_peer *p;

	if (i == XL_NONE) {
		i = xl_list_pop(&e->l_idle, &e->peer_idle); /* the one idle for longest is forgotten */
		if (i == XL_NONE)
			return NULL;
		if (e->peers[i].node) /* a call that failed at once has left it without a name */
			xl_map_del(&e->by_node, e->peers[i].node);
	}
	p = &e->peers[i];
	*p = (struct xl_peer){ .used = true, .heard_ns = e->now_ns, .checked_ns = e->now_ns, .conns = XL_LIST_EMPTY };
	xl_pmtu_forget(p);
	return p;
}

/* Who is on this path, as far as is known: calls to one node share a peer before it has answered. */
static u32 on_path(const struct xl_engine *e, const struct xl_path *path)
{
	for (u32 i = 0; i < e->cfg.peers_max; i++)
		if (e->peers[i].used && !memcmp(&e->peers[i].path, path, sizeof *path))
			return i;
	return XL_NONE;
}

/* A peer is taken for the one that a newcomer says it is only on its own path: whoever claims its name elsewhere gets a
 * peer of his own, without a name, and moves nobody's traffic. Without connections a peer has no path to lose; what was
 * said on the old one, its incarnation as well, does not hold on the new one: it may have been somebody else. */
static bool at_home(struct xl_peer *p, const struct xl_path *path)
{
	if (p->conns.count == 0 && memcmp(&p->path, path, sizeof *path)) {
		p->path = *path;
		p->incarnation = 0;
		xl_pmtu_forget(p);
	}
	return !memcmp(&p->path, path, sizeof *path);
}

/* Who claims a name that is in use elsewhere has one peer for all connections of his path. */
static u32 nameless_on(const struct xl_engine *e, const struct xl_path *path)
{
	for (u32 i = 0; i < e->cfg.peers_max; i++)
		if (e->peers[i].used && !e->peers[i].node && !memcmp(&e->peers[i].path, path, sizeof *path))
			return i;
	return XL_NONE;
}

struct xl_peer *xl_peer_take(struct xl_engine *e, u64 node, const struct xl_path *path)
{
	u32 i = node ? xl_map_get(&e->by_node, node) : on_path(e, path);
	struct xl_peer *p;

	if (i != XL_NONE && !at_home(&e->peers[i], path)) {
		node = 0;
		i = nameless_on(e, path);
	}
	if (i != XL_NONE)
		return &e->peers[i];
	p = fresh(e);
	if (!p)
		return NULL;
	p->path = *path;
	p->node = node;
	if (node)
		xl_map_put(&e->by_node, node, index_of(e, p));
	p->is_idle = true; /* until a connection joins */
	xl_list_append(&e->l_idle, &e->peer_idle, index_of(e, p));
	return p;
}

void xl_peer_join(struct xl_engine *e, struct xl_peer *p, struct xl_conn *c)
{
	if (p->is_idle) {
		xl_list_remove(&e->l_idle, &e->peer_idle, index_of(e, p));
		p->is_idle = false;
		p->heard_ns = p->checked_ns = e->now_ns;
		p->asked_ns = 0;
	}
	c->peer = index_of(e, p);
	xl_list_append(&e->l_of_peer, &p->conns, xl_conn_index(e, c));
	xl_peer_rearm(e, p);
}

void xl_peer_leave(struct xl_engine *e, struct xl_conn *c)
{
	struct xl_peer *p;

	if (c->peer == XL_NONE)
		return;
	p = xl_peer_of(e, c);
	xl_list_remove(&e->l_of_peer, &p->conns, xl_conn_index(e, c));
	c->peer = XL_NONE;
	p->sweep = (u32)xl_min(p->sweep, p->conns.count);
	p->tell = (u32)xl_min(p->tell, p->conns.count);
	if (p->conns.count)
		return;
	xl_wheel_set(&e->wheel, e->cfg.conns_max + index_of(e, p), XL_NEVER);
	if (p->node) {
		p->is_idle = true;
		xl_list_append(&e->l_idle, &e->peer_idle, index_of(e, p));
	} else {
		p->used = false;
		xl_list_append(&e->l_idle, &e->peer_free, index_of(e, p));
	}
}

int xl_peer_incarnation(struct xl_engine *e, struct xl_peer *p, u64 incarnation)
{
	u32 next;

	if (p->incarnation == incarnation)
		return 0;
	if (p->incarnation == 0) {
		p->incarnation = incarnation;
		return 0;
	}
	if (incarnation < p->incarnation)
		return -1;
	xl_count(e, XL_C_PEER_REBOOTED);
	p->incarnation = incarnation;
	for (u32 i = p->conns.head; i != XL_NONE; i = next) {
		struct xl_conn *c = &e->conns[i];

		next = xl_list_next(&e->l_of_peer, i);
		if ((xl_state_joined(c->state) || c->state == XL_STATE_ANSWERING) && c->peer_incarnation < incarnation)
			xl_conn_end(e, c, XLANE_WIRE_STALE, false);
	}
	return 1;
}

bool xl_peer_identify(struct xl_engine *e, struct xl_conn *c, u64 node, u64 incarnation, const struct xl_path *path)
{
	struct xl_peer *now = xl_peer_of(e, c), *p;
	u32 known = xl_map_get(&e->by_node, node);

	if (now->node == node)
		return incarnation >= now->incarnation;
	if (known == XL_NONE && now->node == 0) {
		now->node = node;
		xl_map_put(&e->by_node, node, index_of(e, now));
		return true;
	}
	if (known != XL_NONE && !at_home(&e->peers[known], path) && now->node == 0)
		return true; /* somebody else's name: it stays without one */
	p = xl_peer_take(e, node, path);
	if (!p || incarnation < p->incarnation)
		return false;
	xl_peer_leave(e, c);
	xl_peer_join(e, p, c);
	return true;
}

void xl_peer_heard(struct xl_engine *e, struct xl_peer *p, const struct xl_path *path, bool newest)
{
	p->heard_ns = e->now_ns;
	p->asked_ns = 0;
	if (!newest || !memcmp(&p->path, path, sizeof *path))
		return;
	xl_count(e, XL_C_PEER_MOVED);
	p->path = *path;
	xl_pmtu_forget(p);
}

/* A connection whose peer matters: both sides know it and it is not just lingering. The one that was looked at longest
 * ago, which then goes behind the others: so each is asked about in its turn. NULL: none among all, or, while p->looked is
 * less than these are, none among the few that are looked at in one go. */
static struct xl_conn *living(struct xl_engine *e, struct xl_peer *p)
{
	p->looked = p->looked < p->conns.count ? p->looked : 0;
	for (u32 n = (u32)xl_min(p->conns.count - p->looked, XL_LIVING_AT_ONCE); n; n--) {
		u32 i = xl_list_pop(&e->l_of_peer, &p->conns);

		xl_list_append(&e->l_of_peer, &p->conns, i);
		if (xl_state_joined(e->conns[i].state) && e->conns[i].state != XL_STATE_LINGER) {
			p->looked = 0;
			return &e->conns[i];
		}
		p->looked++;
	}
	return NULL;
}

static void kill(struct xl_engine *e, struct xl_peer *p)
{
	u32 next;

	xl_count(e, XL_C_PEER_DEAD);
	for (u32 i = p->conns.head; i != XL_NONE; i = next) {
		struct xl_conn *c = &e->conns[i];

		next = xl_list_next(&e->l_of_peer, i);
		if (xl_state_joined(c->state) && c->state != XL_STATE_LINGER)
			xl_conn_end(e, c, XLANE_WIRE_PEER_DEAD, true);
	}
}

/* Ask: is the peer there, and does it know this connection? Whoever has packets in flight asks already. */
static void ask(struct xl_engine *e, struct xl_peer *p, struct xl_conn *c)
{
	p->checked_ns = e->now_ns;
	if (!p->asked_ns && e->now_ns - p->heard_ns >= e->cfg.keepalive_ns)
		p->asked_ns = e->now_ns;
	if (c->inflight_packets)
		return;
	xl_count(e, XL_C_KEEPALIVE_SENT);
	c->control |= XL_CTL_PROBE;
	xl_conn_activate(e, c);
}

void xl_peer_sweep(struct xl_engine *e, struct xl_peer *p)
{
	if (p->sweep || (p->swept_ns && e->now_ns - p->swept_ns < e->cfg.keepalive_ns))
		return;
	xl_count(e, XL_C_PEER_SWEPT);
	p->sweep = p->conns.count;
	p->sweep_ns = p->swept_ns = e->now_ns;
	xl_peer_rearm(e, p);
}

static void sweep_on(struct xl_engine *e, struct xl_peer *p)
{
	u32 n = (u32)xl_min(xl_min(p->sweep, p->conns.count), XL_SWEEP_AT_ONCE);

	p->sweep -= n;
	p->sweep_ns = e->now_ns + XL_SWEEP_GAP_NS;
	for (; n; n--) {
		u32 i = xl_list_pop(&e->l_of_peer, &p->conns);
		struct xl_conn *c = &e->conns[i];

		xl_list_append(&e->l_of_peer, &p->conns, i);
		if (!xl_state_joined(c->state) || c->state == XL_STATE_LINGER)
			continue;
		xl_count(e, XL_C_KEEPALIVE_SENT);
		c->control |= XL_CTL_PROBE;
		xl_conn_activate(e, c);
	}
}

void xl_peer_tell(struct xl_engine *e, struct xl_peer *p)
{
	p->tell = p->conns.count;
	p->tell_ns = e->now_ns;
	xl_peer_rearm(e, p);
}

/* The next few connections get a turn in output: who has something to say about packet size says it there. */
static void tell_on(struct xl_engine *e, struct xl_peer *p)
{
	u32 n = (u32)xl_min(p->tell, XL_SWEEP_AT_ONCE);

	p->tell -= n;
	p->tell_ns = e->now_ns + XL_SWEEP_GAP_NS;
	for (; n; n--) {
		u32 i = xl_list_pop(&e->l_of_peer, &p->conns);

		xl_list_append(&e->l_of_peer, &p->conns, i);
		xl_conn_activate(e, &e->conns[i]);
	}
}

void xl_peer_timeout(struct xl_engine *e, struct xl_peer *p)
{
	struct xl_conn *c;

	if (p->sweep && p->sweep_ns <= e->now_ns) {
		sweep_on(e, p);
		xl_peer_rearm(e, p);
		return; /* what follows turns the list, too */
	}
	if (p->tell && p->tell_ns <= e->now_ns) {
		tell_on(e, p);
		xl_peer_rearm(e, p);
		return;
	}
	c = living(e, p);
	if (!c && p->looked < p->conns.count) {
		xl_wheel_set(&e->wheel, e->cfg.conns_max + index_of(e, p), e->now_ns + XL_SWEEP_GAP_NS);
		return; /* what is due is so still when more have been looked at */
	}
	if (p->pmtu.raise_ns <= e->now_ns)
		xl_pmtu_timeout(e, p, c);
	if (!c) {
		p->asked_ns = 0;
		p->heard_ns = p->checked_ns = e->now_ns; /* nobody waits for it: silence counts from when somebody does */
	} else if (p->asked_ns && e->now_ns - p->asked_ns >= e->cfg.peer_death_ns - e->cfg.keepalive_ns) {
		kill(e, p);
		p->asked_ns = 0;
		p->heard_ns = p->checked_ns = e->now_ns;
	} else if (e->now_ns - p->checked_ns >= e->cfg.keepalive_ns) {
		ask(e, p, c);
	}
	xl_peer_rearm(e, p);
}

u32 xl_engine_peer_list(const struct xl_engine *e, u32 *at, struct xl_peer_info *out, u32 max)
{
	u32 n = 0;

	for (; *at < e->cfg.peers_max && n < max; ++*at) {
		const struct xl_peer *p = &e->peers[*at];
		const struct xl_conn *c = p->used && p->conns.count ? &e->conns[p->conns.head] : NULL;

		if (!p->used)
			continue;
		out[n++] = (struct xl_peer_info){ .node = p->node, .incarnation = p->incarnation,
						  .heard_ns = p->heard_ns - xl_min(p->heard_ns, e->behind_ns),
						  .srtt_ns = c ? c->rtt.srtt_ns : 0, .path = p->path,
						  .conns = p->conns.count };
	}
	if (*at >= e->cfg.peers_max)
		*at = XL_NONE;
	return n;
}

void xl_peer_rearm(struct xl_engine *e, struct xl_peer *p)
{
	u64 check = p->checked_ns + e->cfg.keepalive_ns;
	u64 death = p->asked_ns ? p->asked_ns + e->cfg.peer_death_ns - e->cfg.keepalive_ns : XL_NEVER;
	u64 sweep = p->sweep ? p->sweep_ns : XL_NEVER;

	u64 tell = p->tell ? p->tell_ns : XL_NEVER;
	u64 when = xl_min(xl_min(check, death), xl_min(sweep, tell));

	if (p->conns.count)
		xl_wheel_set(&e->wheel, e->cfg.conns_max + index_of(e, p), xl_min(when, p->pmtu.raise_ns));
}
