// SPDX-License-Identifier: BSD-2-Clause
/* crowd_block.c - the same with calls that wait: connections are served a step each in turn, a server's one by one. */
#include <errno.h>

#include "crowd.h"

#define PIECE_MS 500     /* a call waits so long before patience is looked at */

static bool out_of_patience(const struct crowd *w)
{
	return w->o.quiet_s && crowd_now_ns() - w->moved_ns > (uint64_t)w->o.quiet_s * 1000000000;
}

static int run_server(struct crowd *w)
{
	while (!crowd_over(w)) {
		struct crowd_conn *k;
		xlane_conn *c;
		int err = xlane_accept(w->listener, PIECE_MS, &c);

		crowd_control(w, false);
		if (out_of_patience(w))
			return -ETIME;
		if (err == -EAGAIN || err == -EINTR || err == -ETIMEDOUT)
			continue;
		if (err)
			return err;
		k = crowd_conn_new(w, c, CROWD_RUNNING);
		if (!k) {
			xlane_conn_abort(c);
			continue;
		}
		while (k->state != CROWD_ENDED) {
			crowd_conn_step(w, k, PIECE_MS);
			if (k->paused)
				crowd_control(w, true);   /* it stands still until told to go on */
			if (out_of_patience(w))
				return -ETIME;
		}
	}
	return 0;
}

static int run_client(struct crowd *w)
{
	int err = crowd_connect_all(w);

	if (err)
		return err;
	if (w->opened == w->o.conns)
		crowd_say("open %u", w->opened);
	if (w->o.work == CROWD_HOLD)
		crowd_control(w, true);
	while (!crowd_over(w)) {
		for (unsigned i = 0; i < w->o.conns; i++) {
			struct crowd_conn *k = &w->conns[i];

			if (k->state != CROWD_FREE && k->state != CROWD_ENDED)
				crowd_conn_step(w, k, PIECE_MS);
		}
		if (out_of_patience(w))
			return -ETIME;
	}
	return 0;
}

int crowd_run_blocking(struct crowd *w)
{
	return w->o.serve ? run_server(w) : run_client(w);
}
