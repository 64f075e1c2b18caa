// SPDX-License-Identifier: BSD-2-Clause
/*
 * turn.c - the loop of a worker's thread.
 *
 *	  inbox -> round of the worker -> channels -> send -> work? --yes--> again
 *	                                                  --no---> spin, or sleep until driver, client, inbox or a time
 */
#include "turn.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

static void take_inbox(struct xl_thread *t, u64 now_ns)
{
	void *p;
	u32 kind;

	while (xl_inbox_take(&t->in, &kind, &p)) {
		switch (kind) {
		case XL_THREAD_ADD:
			xl_channels_add(t->channels, p, now_ns);
			if (t->down || t->stopping)
				xl_channels_stop(t->channels, now_ns);
			break;
		case XL_THREAD_SNAPSHOT:
			t->filling = p;
			break;
		case XL_THREAD_DROP:
			xl_channels_drop(t->channels, (u32)((uintptr_t)p / XL_INBOX_KINDS), now_ns);
			break;
		default:
			t->stopping = true;
			t->stop_until_ns = now_ns + XL_THREAD_STOP_NS;
			xl_channels_stop(t->channels, now_ns);
			break;
		}
	}
}

static void give_back(struct xl_thread *t, u64 now_ns)
{
	struct xl_channel *ch;

	while ((ch = xl_channels_gone(t->channels)))
		xl_inbox_post(&t->out, XL_THREAD_GONE, ch);
	if (t->filling && xl_snapshot_fill(t->filling, &t->worker, t->channels, &t->figures, now_ns)) {
		xl_inbox_post(&t->out, XL_THREAD_SNAPSHOT_DONE, t->filling);
		t->filling = NULL;
	}
}

/* Time since the turn before counts by what that turn found. */
static void account(struct xl_thread *t, u64 now_ns, u64 before_ns, bool worked)
{
	*(worked ? &t->figures.busy_ns : &t->figures.idle_ns) += now_ns - before_ns;
	t->figures.rounds++;
	atomic_store_explicit(&t->beat_ns, now_ns, memory_order_relaxed);
}

static u32 turn(struct xl_thread *t, u64 now_ns)
{
	int n = xl_worker_round(&t->worker, now_ns);
	u32 work = n > 0 ? (u32)n : 0;

	if (n < 0) {
		t->down = true;
		xl_channels_stop(t->channels, now_ns);
		xl_inbox_post(&t->out, XL_THREAD_DOWN, NULL);
		return 1;
	}
	work += xl_channels_run(t->channels, now_ns);
	return work + xl_worker_send(&t->worker, now_ns);
}

static void rest(struct xl_thread *t, u64 now_ns)
{
	u64 until = xl_min(xl_worker_deadline(&t->worker), xl_channels_deadline(t->channels));

	if (t->stopping)
		until = xl_min(until, t->stop_until_ns);
	if (t->filling || until <= now_ns)
		return;
	if (xl_wait_spins(&t->wait, now_ns)) {
		xl_wait_spin(&t->wait);
		return;
	}
	t->figures.sleeps++;
	xl_wait_sleep(&t->wait, until, now_ns);
	if (until == XL_NEVER || xl_worker_clock() < until)
		t->figures.wakes++;
}

/* Without a device there is nothing but the inbox. */
static void rest_down(struct xl_thread *t)
{
	struct pollfd p = { .fd = t->in.fd, .events = POLLIN };

	if (!t->filling && !t->stopping && !xl_inbox_arm(&t->in, true))
		poll(&p, 1, -1);
	xl_inbox_arm(&t->in, false);
}

static bool over(const struct xl_thread *t, u64 now_ns)
{
	return t->stopping && (t->down || !xl_engine_conns(t->worker.engine) || now_ns >= t->stop_until_ns) &&
	       (t->down || !xl_channels_count(t->channels) || now_ns >= t->stop_until_ns) && !t->filling;
}

void *xl_turn_run(void *arg)
{
	struct xl_thread *t = arg;
	u64 now = xl_worker_clock(), before = now;
	u32 work = 0;

	t->figures.started_ns = now;
	t->figures.tid = (u32)gettid();
	t->figures.core = t->config.core;
	while (!over(t, now)) {
		account(t, now, before, work);
		before = now;
		take_inbox(t, now);
		work = t->down ? 0 : turn(t, now);
		give_back(t, now);
		if (!t->down)
			xl_wait_note(&t->wait, work, now);
		if (t->down)
			rest_down(t);
		else if (!work)
			rest(t, now);
		now = xl_worker_clock();
	}
	give_back(t, now);
	xl_inbox_post(&t->out, XL_THREAD_STOPPED, NULL);
	return NULL;
}
