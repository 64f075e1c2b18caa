/* SPDX-License-Identifier: BSD-2-Clause */
#include "context.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "conn.h"
#include "errors.h"
#include "helped.h"
#include "outbox.h"

static int syslog_level(int level)
{
	static const int of[] = { [XL_LOG_ERROR] = 3, [XL_LOG_WARNING] = 4, [XL_LOG_INFO] = 6, [XL_LOG_DEBUG] = 7 };

	return of[level];
}

static void log_line(int level, const char *line, void *arg)
{
	xlane *x = arg;

	if (x->log_line)
		x->log_line(syslog_level(level), line, x->log_arg);
	else if (level <= XL_LOG_WARNING)
		fprintf(stderr, "xlane: %s\n", line);
}

xlane *xl_context_new(const struct xlane_config *c)
{
	xlane *x = calloc(1, sizeof *x);

	if (!x)
		return NULL;
	x->log = (struct xl_log){ .line = log_line, .arg = x };
	x->log_line = c->log;
	x->log_arg = c->log_arg;
	TAILQ_INIT(&x->outboxes);
	return x;
}

int xl_context_make(xlane *x, const struct xlane_config *c, struct xl_backend *b, char *why, size_t why_bytes)
{
	static const enum xl_wait_mode mode[] = {
		[XLANE_WAIT_ADAPTIVE] = XL_WAIT_ADAPTIVE,
		[XLANE_WAIT_SPIN] = XL_WAIT_SPIN,
		[XLANE_WAIT_SLEEP] = XL_WAIT_SLEEP,
	};
	int err = xl_guard_init(&x->guard);

	if (err)
		return err;
	err = xl_handles_init(&x->handles, b->conns_max);
	if (err) {
		snprintf(why, why_bytes, "no memory for %u connections", b->conns_max);
		return err;
	}
	err = xl_wait_init(&x->wait, mode[c->wait], b->spin_ns, &b->source, 1);
	if (err) {
		snprintf(why, why_bytes, "no descriptor to wait on: %s", strerror(-err));
		xl_handles_destroy(&x->handles);
		return err;
	}
	x->b = b;
	return 0;
}

static int open_backend(const struct xlane_config *c, const struct xl_log *log, struct xl_backend **out, char *why,
			size_t why_bytes)
{
	int err;

	if (c->daemon)
		return xl_remote_open(c, log, out, why, why_bytes);
	err = xl_embedded_open(c, log, out, why, why_bytes);
	return err || !c->helper_thread ? err : xl_helped_open(*out, out, why, why_bytes);
}

int xlane_open(const struct xlane_config *config, xlane **out)
{
	char why[XL_LAST_ERROR_BYTES] = "";
	struct xl_backend *b;
	struct xlane_config c;
	xlane *x;
	int err;

	*out = NULL;
	err = xl_config_take(config, &c, why, sizeof why);
	if (err)
		return xl_last_error_set(err, why);
	x = xl_context_new(&c);
	if (!x)
		return xl_last_error_set(-ENOMEM, "no memory for a context");
	err = open_backend(&c, &x->log, &b, why, sizeof why);
	if (err)
		goto no_backend;
	err = xl_context_make(x, &c, b, why, sizeof why);
	if (err)
		goto no_context;
	*out = x;
	return 0;
no_context:
	b->ops->destroy(b);
no_backend:
	free(x);
	return xl_last_error_set(err, why);
}

/* Connections and listeners that the program still has are gone; what it has closed gets its time. */
static void linger(xlane *x, int linger_ms)
{
	XL_PATIENCE(p);
	const struct xl_backend_ops *ops = x->b->ops;
	u64 now = xl_worker_clock();

	p = xl_patience(linger_ms);
	for (u32 i = 0; i < x->handles.size; i++) {
		struct xl_handle *h = x->handles.slot[i];

		if (!h || (!h->is_listener && ((struct xlane_conn *)h)->orphan))
			continue;
		if (h->is_listener) {
			ops->unlisten(x->b, h->index, now);
			xl_handle_release(&x->handles, h);
		} else {
			xl_conn_drop((struct xlane_conn *)h, now);
		}
	}
	xl_context_run(x);
	while (ops->conns(x->b)) {
		int err = xl_context_step(x, &p);

		if (err && err != -EINTR)
			break;
	}
}

void xlane_close(xlane *x, int linger_ms)
{
	if (!x || xl_guard_check(&x->guard))
		return;
	linger(x, linger_ms);
	/* their time is up */
	for (u32 i = 0; i < x->handles.size; i++)
		if (x->handles.slot[i])
			xl_conn_drop((struct xlane_conn *)x->handles.slot[i], xl_worker_clock());
	xl_wait_close(&x->wait);
	x->b->ops->destroy(x->b);
	xl_handles_destroy(&x->handles);
	free(x);
}

struct xl_patience xl_patience(int timeout_ms)
{
	struct xl_patience p = { .until_ns = XL_NEVER };

	if (timeout_ms == 0)
		p.until_ns = 0;
	else if (timeout_ms > 0)
		p.until_ns = xl_worker_clock() + (u64)timeout_ms * XL_MS;
	return p;
}

void xl_patience_end(struct xl_patience *p)
{
	if (p->wait)
		xl_wait_end(p->wait);
}

/* An event of a connection. Returns what of it the program is to hear. */
static u32 take_conn_event(xlane_conn *c, u32 bits)
{
	c->open |= !!(bits & XL_EVENT_OPEN);
	c->closed |= !!(bits & XL_EVENT_CLOSED);
	if (c->orphan) {
		xl_conn_orphan_event(c, bits);
		return 0;
	}
	if (bits & XL_EVENT_WRITABLE && !xl_outbox_take_room(c))
		bits &= ~(u32)XL_EVENT_WRITABLE;
	return bits;
}

static void take_events(xlane *x)
{
	struct xl_event ev[XLANE_BATCH_MAX];
	u32 n;

	_Static_assert((int)XL_EVENT_READABLE == (int)XLANE_READY_READ &&
		       (int)XL_EVENT_WRITABLE == (int)XLANE_READY_WRITE &&
		       (int)XL_EVENT_OPEN == (int)XLANE_READY_OPEN &&
		       (int)XL_EVENT_CLOSED == (int)XLANE_READY_CLOSED &&
		       (int)XL_EVENT_ACCEPT == (int)XLANE_READY_ACCEPT, "the engine's bits are the program's");
	do {
		n = x->b->ops->events(x->b, ev, XLANE_BATCH_MAX);
		for (u32 i = 0; i < n; i++) {
			struct xl_handle *h = xl_handle_find(&x->handles, ev[i].user);
			u32 bits = ev[i].bits;

			if (!h)
				continue;
			if (!h->is_listener)
				bits = take_conn_event((xlane_conn *)h, bits);
			if (bits)
				xl_handle_notify(&x->handles, h, bits);
		}
		x->events += n;
	} while (n == XLANE_BATCH_MAX);
}

int xl_context_run(xlane *x)
{
	int n;

	xl_wait_woken(&x->wait);
	n = x->b->ops->run(x->b);
	take_events(x);
	if (n < 0)
		x->error = n;
	else if (!TAILQ_EMPTY(&x->outboxes))
		n += (int)xl_outbox_pump(x);
	xl_wait_note(&x->wait, n > 0 ? (u32)n : 0, x->b->ops->ran_ns(x->b));
	return n;
}

void xl_context_turn(xlane *x, u64 now_ns)
{
	if (!x->b->ops->turn(x->b, now_ns))
		return;
	take_events(x);
	xl_outbox_pump(x);
}

int xl_context_step(xlane *x, struct xl_patience *p)
{
	const struct xl_backend_ops *ops = x->b->ops;
	const u32 conns = ops->conns(x->b);
	const u64 events = x->events;
	u64 ran_ns;
	int n;

	if (p->over)
		return -EAGAIN;
	n = xl_context_run(x);
	if (n < 0)
		return n;
	ran_ns = ops->ran_ns(x->b);
	if (p->until_ns <= ran_ns) {
		p->over = true;
		return 0;
	}
	p->wait = &x->wait;
	/* a timer, too, may have changed what the caller waits for */
	if (n || x->events != events || ops->conns(x->b) != conns)
		return xl_wait_turn(&x->wait, ran_ns);
	if (xl_wait_spins(&x->wait, ran_ns)) {
		xl_wait_spin(&x->wait);
		return xl_wait_turn(&x->wait, ran_ns);
	}
	return xl_wait_sleep(&x->wait, xl_min(ops->deadline(x->b), p->until_ns), ran_ns);
}

int xlane_fd(xlane *x)
{
	int err = xl_guard_check(&x->guard);

	return err ? err : xl_wait_fd(&x->wait);
}

uint64_t xlane_prepare_wait(xlane *x)
{
	if (xl_guard_check(&x->guard) || x->events != x->events_told || x->error)
		return 0;
	return xl_wait_prepare(&x->wait, x->b->ops->deadline(x->b), xl_worker_clock());
}

int xlane_progress(xlane *x)
{
	int n = xl_guard_check(&x->guard);

	if (n)
		return n;
	n = xl_context_run(x);
	x->events_told = x->events;
	return n;
}
