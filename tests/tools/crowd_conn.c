// SPDX-License-Identifier: BSD-2-Clause
/* crowd_conn.c - the life of one connection, from opening to its graceful end. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "crowd.h"

#define CONNECT_MS 10000
#define CLOSE_MS 10000
#define LOST_MS 300      /* datagrams not answered for so long are taken for lost */

uint64_t crowd_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

void crowd_moved(struct crowd *w)
{
	w->moved_ns = crowd_now_ns();
}

void crowd_error(struct crowd *w, int err)
{
	const int number = err < 0 && err > -CROWD_ERRNOS ? -err : EINVAL;

	if (!w->errors[number]++)
		crowd_say("error %s", strerrorname_np(number));
	if (err == -ENETDOWN)
		w->down = true;
}

struct crowd_conn *crowd_conn_new(struct crowd *w, xlane_conn *c, enum crowd_state state)
{
	for (unsigned i = 0; i < w->o.conns; i++) {
		struct crowd_conn *k = &w->conns[i];

		if (k->state != CROWD_FREE)
			continue;
		k->c = c;
		k->state = state;
		k->number = i;
		k->key = crowd_mix(w->o.seed, i);
		k->slow = w->o.serve && w->slow_taken < w->o.slow;
		w->slow_taken += k->slow;
		w->slow_running += k->slow;
		w->running++;
		w->opened += state == CROWD_RUNNING;
		xlane_conn_set_user(c, k);
		crowd_moved(w);
		return k;
	}
	return NULL;
}

static void forget(struct crowd *w, struct crowd_conn *k)
{
	free(k->in.data);
	free(k->out.data);
	free(k->seen);
	k->in.data = k->out.data = k->seen = NULL;
	k->c = NULL;
	k->state = CROWD_ENDED;
	w->lost += k->lost;
	w->running--;
	w->slow_running -= k->slow;
	w->ended++;
	crowd_moved(w);
	if (w->o.slow && !w->told_fast && w->ended + w->slow_running == w->o.conns && w->slow_running == w->o.slow) {
		w->told_fast = true;
		crowd_say("fast done");
	}
}

void crowd_conn_fail(struct crowd *w, struct crowd_conn *k, int err)
{
	crowd_error(w, err);
	xlane_conn_abort(k->c);
	forget(w, k);
}

/* Both sides have said all. */
static int finish(struct crowd *w, struct crowd_conn *k)
{
	/* A server with others to serve does not wait for this one. */
	const int err = xlane_conn_close(k->c, w->o.serve ? 0 : CLOSE_MS);
	const bool good = !err || (w->o.serve && (err == -EAGAIN || err == -ETIMEDOUT));

	if (!good)
		crowd_error(w, err);
	w->finished += good;
	forget(w, k);
	return 0;
}

static bool all_sent(const struct crowd *w, const struct crowd_conn *k)
{
	if (w->o.work == CROWD_HOLD)
		return w->quit;
	return w->o.type == XLANE_STREAM ? k->out.bytes == w->o.bytes : k->out.items == w->o.count;
}

/* Client, echo: how much may still go before an answer is due. */
static bool may_send(const struct crowd *w, struct crowd_conn *k)
{
	const struct crowd_flow *in = &k->in, *out = &k->out;

	if (all_sent(w, k) || w->o.work == CROWD_HOLD)
		return false;
	if (w->o.work == CROWD_ONEWAY)
		return true;
	if (w->o.type == XLANE_STREAM)
		return out->bytes - in->bytes < w->o.depth * CROWD_PIECE_BYTES;
	return out->items - in->items - k->lost < w->o.depth;
}

static bool all_answered(const struct crowd *w, struct crowd_conn *k)
{
	if (w->o.work != CROWD_ECHO)
		return true;
	if (w->o.type == XLANE_STREAM)
		return k->in.bytes == k->out.bytes;
	return k->in.items + k->lost >= k->out.items;
}

/* Datagrams that get no answer would hold up the rest. */
static bool give_up_lost(const struct crowd *w, struct crowd_conn *k)
{
	if (w->o.type != XLANE_DATAGRAM || w->o.work != CROWD_ECHO || all_answered(w, k) ||
	    crowd_now_ns() - k->heard_ns < LOST_MS * 1000000ull)
		return false;
	k->lost = k->out.items - k->in.items;
	return true;
}

/* An answer that was given up may still come. */
static void late_answer(struct crowd_conn *k)
{
	if (k->lost > k->out.items - k->in.items)
		k->lost = k->out.items - k->in.items;
}

static int step_client(struct crowd *w, struct crowd_conn *k, int timeout_ms)
{
	const bool sends = may_send(w, k);
	int sent = -EAGAIN, got = -EAGAIN;

	if (sends) {
		sent = crowd_flow_send(w, k, timeout_ms);
		if (k->out.items + k->out.bytes && !k->heard_ns)
			k->heard_ns = w->moved_ns;
		if (sent <= 0 && sent != -EAGAIN && sent != -EINTR)
			return sent;
	}
	if (all_sent(w, k) && all_answered(w, k)) {
		int err = xlane_shutdown(k->c);

		if (err)
			return err;
		k->state = CROWD_DRAINING;
		return 1;
	}
	if (!sends || !timeout_ms)
		got = crowd_flow_recv(w, k, sends ? 0 : timeout_ms);
	late_answer(k);
	if (got == 0)
		return -ECONNRESET;  /* it has nothing to end yet */
	if (got < 0 && got != -EAGAIN && got != -EINTR)
		return got;
	return sent == 1 || got == 1 || give_up_lost(w, k) ? 1 : -EAGAIN;
}

static void pause_slow(struct crowd *w, struct crowd_conn *k)
{
	k->paused = k->stood = true;
	if (++w->paused == w->o.slow)
		crowd_say("paused");
}

static int step_server(struct crowd *w, struct crowd_conn *k, int timeout_ms)
{
	int got;

	if (k->paused)
		return -EAGAIN;
	got = w->o.work == CROWD_ECHO ? crowd_flow_echo(w, k, timeout_ms) : crowd_flow_recv(w, k, timeout_ms);
	if (got == 1 && k->slow && !k->stood && k->in.bytes >= w->o.slow_bytes) {
		pause_slow(w, k);
		return -EAGAIN;
	}
	if (got)
		return got;
	if (w->o.work != CROWD_HOLD && !crowd_check_end(w, k))
		return -EBADMSG;
	return finish(w, k);
}

/* The end of what the peer says, then the handshake of closing. Datagrams may still come. */
static int step_draining(struct crowd *w, struct crowd_conn *k, int timeout_ms)
{
	int got = crowd_flow_recv(w, k, timeout_ms);

	late_answer(k);
	return got ? got : finish(w, k);
}

static int step_opening(struct crowd *w, struct crowd_conn *k)
{
	int64_t n = xlane_readable(k->c);

	if (n < 0 && n != -EAGAIN && n != -ENODATA)
		return (int)n;
	k->state = CROWD_RUNNING;
	w->opened++;
	crowd_moved(w);
	return 1;
}

int crowd_conn_step(struct crowd *w, struct crowd_conn *k, int timeout_ms)
{
	int got = 1;

	do {
		switch (k->state) {
		case CROWD_OPENING: got = step_opening(w, k); break;
		case CROWD_RUNNING:
			got = w->o.serve ? step_server(w, k, timeout_ms) : step_client(w, k, timeout_ms);
			break;
		case CROWD_DRAINING: got = step_draining(w, k, timeout_ms); break;
		default: return 0;
		}
	} while (got == 1 && !timeout_ms);
	if (got < 0 && got != -EAGAIN && got != -EINTR)
		crowd_conn_fail(w, k, got);
	return got < 0 ? -EAGAIN : got;
}

int crowd_connect_all(struct crowd *w)
{
	for (unsigned i = 0; i < w->o.conns; i++) {
		xlane_conn *c;
		int err = xlane_connect(w->x, &w->o.to, w->o.type, w->o.epoll ? 0 : CONNECT_MS, &c);

		if (err) {
			crowd_error(w, err);
			fprintf(stderr, "crowd: can not connect: %s\n", xlane_strerror(err));
			if (w->down)
				return err;
			w->ended++;
			continue;
		}
		crowd_conn_new(w, c, w->o.epoll ? CROWD_OPENING : CROWD_RUNNING);
	}
	return 0;
}

bool crowd_over(const struct crowd *w)
{
	return w->down || w->ended >= w->o.conns || (w->quit && (w->o.serve || !w->running));
}

void crowd_control(struct crowd *w, bool wait)
{
	struct pollfd p = { .fd = w->control, .events = POLLIN };
	char said;

	if (w->control < 0)
		return;
	while (poll(&p, 1, wait ? -1 : 0) == 1 && read(w->control, &said, 1) == 1) {
		wait = false;
		crowd_moved(w);
		if (said == 'q')
			w->quit = true;
		if (said != 'g')
			continue;
		w->paused = 0;
		for (unsigned i = 0; i < w->o.conns; i++) {
			if (!w->conns[i].paused)
				continue;
			w->conns[i].paused = false;
			if (w->o.epoll)
				crowd_conn_step(w, &w->conns[i], 0);
		}
	}
}
