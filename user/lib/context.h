/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * context.h - what the files of the library share: a context and how its calls wait.
 *
 * A context is a backend, which does the work, and the table of its handles. Everything is the opening thread's.
 */
#ifndef XL_CONTEXT_H
#define XL_CONTEXT_H

#include <xlane/xlane.h>

#include "../base/log.h"
#include "../worker/wait.h"
#include "../worker/worker.h"
#include "backend.h"
#include "guard.h"
#include "handle.h"

struct xlane {
	struct xl_guard guard;
	struct xl_log log;
	void (*log_line)(int level, const char *line, void *arg);  /* the program's; NULL: stderr */
	void *log_arg;
	struct xl_backend *b;
	struct xl_wait wait;
	struct xl_handles handles;
	struct xl_outboxes outboxes;  /* connections with something in their outbox */
	u64 events;      /* events met so far, and those met up to the last xlane_poll or xlane_progress: when other */
	u64 events_told; /* calls have met events since, a program about to sleep must look first */
	int error;       /* -ENETDOWN once the backend is gone; 0 */
};

/* A context over a backend, which is destroyed with it; on failure it is the caller's. -ENOMEM, or as xl_wait_init and
 * xl_guard_init; `why` says it. */
int xl_context_make(xlane *x, const struct xlane_config *c, struct xl_backend *b, char *why, size_t why_bytes);
/* A zeroed context that xl_context_make can have; NULL: no memory. */
xlane *xl_context_new(const struct xlane_config *c);

/* One call's patience. While it waits signals may be held back (user/worker/wait.h): declared by this macro, they are
 * let through when it goes out of scope. */
struct xl_patience { u64 until_ns; bool over; struct xl_wait *wait; };
#define XL_PATIENCE(p) struct xl_patience p __attribute__((cleanup(xl_patience_end))) = { 0 }

/* timeout_ms as in xlane.h: -1 for ever, 0 not at all. */
struct xl_patience xl_patience(int timeout_ms);
void xl_patience_end(struct xl_patience *p);
/* Between two tries of a call: run the backend, and when that brought nothing, spin or sleep as the wait mode says.
 * 0: try again. -EAGAIN: the patience is over, and there was a try after the last turn. -EINTR, -ENETDOWN. */
int xl_context_step(xlane *x, struct xl_patience *p);
/* After a call that did its work at once: see XL_BACKEND_TURN_NS. */
void xl_context_turn(xlane *x, u64 now_ns);
/* Rounds of the backend, its events to the handles, and what waits in outboxes on its way. Work done, or -ENETDOWN. */
int xl_context_run(xlane *x);

#endif
