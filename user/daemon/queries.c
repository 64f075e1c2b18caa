// SPDX-License-Identifier: BSD-2-Clause
/*
 * queries.c - figures for those who ask. Snapshots of all workers are taken in rounds, one at a time, for all who asked
 * before it began; who asks during a round waits for the next.
 */
#include "server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../drv/why.h"
#include "figures.h"
#include "version.h"

#define ASK_PATIENCE_MS 1000

static void answer_error(struct xl_server *s, struct xl_client *c, int err, const char *why)
{
	struct xl_control_answer a = { .magic = XL_CONTROL_MAGIC, .version = XL_CONTROL_VERSION, .error = err };

	snprintf(a.why, sizeof a.why, "%s", why);
	xl_clients_answer(s, c, &a, NULL, 0);
}

void xl_queries_ask(struct xl_server *s, struct xl_client *c, const struct xl_control_request *r)
{
	if (xl_figures_want(r->what) < 0) {
		s->counters[XL_SERVER_REFUSED_REQUEST]++;
		answer_error(s, c, -EINVAL, "the daemon has no such figures");
		return;
	}
	memcpy(c->what, r->what, sizeof c->what);
	memcpy(c->about, r->interface, sizeof c->about);
	c->asks = XL_ASKS_WAITING;
}

/* --- a round ---------------------------------------------------------------------------------- */
static void lend(struct xl_server *s, struct xl_thread *t)
{
	if (t->lent) {   /* still has the last one's */
		s->counters[XL_SERVER_WORKER_LATE]++;
		return;
	}
	if (xl_snapshot_open(s->round_want, t->config.connections, XLANE_PEERS_DEFAULT, &t->lent)) {
		t->lent = NULL;
		return;
	}
	t->late = false;
	s->round_pending++;
	xl_thread_post(t, XL_THREAD_SNAPSHOT, t->lent);
}

static void begin_round(struct xl_server *s, u64 now_ns)
{
	s->round_want = 0;
	for (u32 i = 0; i < XLANE_CLIENTS_MAX; i++) {
		struct xl_client *c = &s->client[i];

		if (!c->used || c->asks != XL_ASKS_WAITING)
			continue;
		c->asks = XL_ASKS_IN_ROUND;
		s->round = true;
		s->round_want |= (u32)xl_figures_want(c->what);
	}
	if (!s->round)
		return;
	s->round_until_ns = now_ns + XL_SERVER_SNAPSHOT_NS;
	for (u32 i = 0; i < s->interfaces; i++)
		for (u32 w = 0; w < s->interface[i].workers; w++)
			lend(s, s->interface[i].thread[w]);
}

void xl_queries_filled(struct xl_server *s, u32 interface, struct xl_thread *t, struct xl_snapshot *snapshot)
{
	t->lent = NULL;
	if (t->late || !s->round) {
		xl_snapshot_close(snapshot);
		return;
	}
	s->filled[interface][t->config.worker] = snapshot;
	s->round_pending--;
}

void xl_queries_forget(struct xl_server *s, u32 interface)
{
	for (u32 w = 0; w < XLANE_WORKERS_MAX; w++) {
		xl_snapshot_close(s->filled[interface][w]);
		s->filled[interface][w] = NULL;
	}
}

/* --- telling ---------------------------------------------------------------------------------- */
struct telling {
	struct xl_figures all;
	struct xl_figures_client client[XLANE_CLIENTS_MAX];
	struct xl_figures_interface interface[XLANE_INTERFACES_MAX];
	struct xl_figures_counter counter[XL_SERVER_COUNTER_COUNT];
};

static void gather_clients(const struct xl_server *s, struct telling *t)
{
	for (u32 i = 0; i < XLANE_CLIENTS_MAX; i++) {
		const struct xl_client *c = &s->client[i];

		if (!c->used || !c->number)
			continue;
		t->client[t->all.clients++] = (struct xl_figures_client){
			.client = c->number,
			.uid = c->uid,
			.pid = c->pid,
			.interface = c->interface->config->name,
			.slots = c->slots,
			.ring_bytes = c->ring_bytes,
			.channel_bytes = c->use.bytes,
			.since_ns = c->since_ns,
		};
	}
	t->all.client = t->client;
}

static void gather_counters(const struct xl_server *s, struct telling *t)
{
#define COUNTER_NAME(name, key, text) { key, text, 0 },
	static const struct xl_figures_counter names[] = { XL_SERVER_COUNTERS(COUNTER_NAME) };

	for (u32 i = 0; i < XL_SERVER_COUNTER_COUNT; i++) {
		t->counter[i] = names[i];
		t->counter[i].value = s->counters[i];
	}
	t->all.counter = t->counter;
	t->all.counters = XL_SERVER_COUNTER_COUNT;
}

static void gather_interface(struct xl_server *s, u32 at, struct xl_figures_interface *f)
{
	const struct xl_interface *i = &s->interface[at];
	const struct xl_interface_config *c = i->config;
	struct xl_reply r;

	*f = (struct xl_figures_interface){
		.interface = c->name,
		.driver = i->driver,
		.ethertype = (u16)c->ethertype,
		.vlan = { c->vlan[0], c->vlan[1] },
		.error = i->error,
		.workers = i->workers,
		.snapshot = s->filled[at],
	};
	if (!i->workers)
		return;
	memcpy(f->mac, i->drv[0]->mac, sizeof f->mac);
	f->mtu = i->drv[0]->mtu;
	f->queues = i->drv[0]->queues;
	f->has_xdp = !s->helper.broken &&
		     !xl_request_ask(&s->helper, XL_REQUEST_COUNTERS, at, ASK_PATIENCE_MS, &r, NULL, NULL);
	if (f->has_xdp)
		memcpy(f->xdp, r.u.counters, sizeof f->xdp);
}

static struct telling *gather(struct xl_server *s)
{
	struct telling *t = calloc(1, sizeof *t);

	if (!t)
		return NULL;
	t->all = (struct xl_figures){
		.version = XL_VERSION_TEXT,
		.socket = s->config->socket,
		.config = s->config_file,
		.now_ns = xl_worker_clock(),
		.started_ns = s->started_ns,
		.pid = (u32)getpid(),
		.helper_pid = s->helper_pid,
		.uid = (u32)geteuid(),
		.clients_max = XLANE_CLIENTS_MAX,
		.interfaces = t->interface,
		.interface_count = s->interfaces,
	};
	if (s->interfaces == 1) {
		t->all.node = s->interface[0].node;
		t->all.incarnation = s->interface[0].incarnation;
	}
	gather_clients(s, t);
	gather_counters(s, t);
	for (u32 i = 0; i < s->interfaces; i++)
		gather_interface(s, i, &t->interface[i]);
	return t;
}

static void tell(struct xl_server *s, struct xl_client *c, const struct xl_figures *all)
{
	struct xl_control_answer a = { .magic = XL_CONTROL_MAGIC, .version = XL_CONTROL_VERSION };
	char *text = NULL;
	size_t bytes;
	int fd, err;

	c->asks = XL_ASKS_NOTHING;
	err = all ? xl_figures_text(all, c->what, c->about, &text, &bytes) : -ENOMEM;
	if (!err)
		err = xl_control_text_fd(text, bytes, &fd);
	free(text);
	if (err) {
		answer_error(s, c, err, err == -ENODEV ? "the daemon does not serve that interface; `xlane status -d` lists those it serves" : strerror(-err));
		return;
	}
	s->counters[XL_SERVER_QUERIES]++;
	xl_clients_answer(s, c, &a, &fd, 1);
	close(fd);
}

static void end_round(struct xl_server *s)
{
	struct telling *t = gather(s);

	for (u32 i = 0; i < XLANE_CLIENTS_MAX; i++)
		if (s->client[i].used && s->client[i].asks == XL_ASKS_IN_ROUND)
			tell(s, &s->client[i], t ? &t->all : NULL);
	free(t);
	for (u32 i = 0; i < s->interfaces; i++) {
		xl_queries_forget(s, i);
		for (u32 w = 0; w < s->interface[i].workers; w++) {
			struct xl_thread *thread = s->interface[i].thread[w];

			if (thread->lent && !thread->late)
				s->counters[XL_SERVER_WORKER_LATE]++;
			thread->late = thread->lent != NULL;
		}
	}
	s->round = false;
	s->round_pending = 0;
}

void xl_queries_tick(struct xl_server *s, u64 now_ns)
{
	if (s->round && (!s->round_pending || now_ns >= s->round_until_ns))
		end_round(s);
	if (!s->round)
		begin_round(s, now_ns);
	if (s->round && !s->round_pending)   /* no worker to wait for */
		end_round(s);
}

u64 xl_queries_deadline(const struct xl_server *s)
{
	return s->round ? s->round_until_ns : XL_NEVER;
}
