/* SPDX-License-Identifier: BSD-2-Clause */
#include "snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LIST_BATCH 64

int xl_snapshot_open(u32 want, u32 conns_max, u32 peers_max, struct xl_snapshot **out)
{
	struct xl_snapshot *s = calloc(1, sizeof *s);

	*out = NULL;
	if (!s)
		return -ENOMEM;
	s->want = want;
	s->conns_room = want & XL_SNAPSHOT_CONNS ? (u32)xl_min(conns_max, XLANE_FIGURES_CONNS_MAX) : 0;
	s->peers_room = want & XL_SNAPSHOT_PEERS ? (u32)xl_min(peers_max, XLANE_FIGURES_PEERS_MAX) : 0;
	s->conns = s->conns_room ? calloc(s->conns_room, sizeof *s->conns) : NULL;
	s->peers = s->peers_room ? calloc(s->peers_room, sizeof *s->peers) : NULL;
	if ((s->conns_room && !s->conns) || (s->peers_room && !s->peers)) {
		xl_snapshot_close(s);
		return -ENOMEM;
	}
	*out = s;
	return 0;
}

void xl_snapshot_close(struct xl_snapshot *s)
{
	if (!s)
		return;
	free(s->conns);
	free(s->peers);
	free(s);
}

void xl_snapshot_reset(struct xl_snapshot *s)
{
	const struct xl_snapshot kept = *s;

	memset(s, 0, sizeof *s);
	s->want = kept.want;
	s->conns_room = kept.conns_room;
	s->peers_room = kept.peers_room;
	s->conns = kept.conns;
	s->peers = kept.peers;
}

/* Everything but the lists. */
static void begin(struct xl_snapshot *s, const struct xl_worker *w, const struct xl_channels *ch,
		  const struct xl_worker_figures *f, u64 now_ns)
{
	struct xl_drv *d = w->drv;
	const struct xl_frames *frames = w->frames;

	s->begun = true;
	s->now_ns = now_ns;
	s->figures = *f;
	s->error = w->error;
	s->stalled = w->stalled;
	s->conns_held = xl_engine_conns(w->engine);
	s->tx_room = w->error ? 0 : d->ops->tx_room(d, 1);
	d->ops->update_counters(d);
	memcpy(s->drv, d->counters, sizeof s->drv);
	memcpy(s->link, w->link.counters, sizeof s->link);
	memcpy(s->engine, xl_engine_counters(w->engine), sizeof s->engine);
	if (ch) {
		s->channels = xl_channels_count(ch);
		memcpy(s->channel, xl_channels_counters(ch), sizeof s->channel);
	}
	s->frames_own = frames->own;
	memcpy(s->census, frames->census, sizeof s->census);
	s->ring_fill = s->census[XL_FRAME_FILL];
	s->ring_tx = s->census[XL_FRAME_TX];
	s->census_ok = !(s->want & XL_SNAPSHOT_CENSUS) || xl_frames_census_ok(frames);
	s->conn_at = s->want & XL_SNAPSHOT_CONNS ? 0 : XL_NONE;
	s->peer_at = s->want & XL_SNAPSHOT_PEERS ? 0 : XL_NONE;
}

static void add_conn(struct xl_snapshot *s, const struct xl_worker *w, const struct xl_channels *ch, u32 conn)
{
	struct xl_snapshot_conn *c = &s->conns[s->conns_count++];

	c->index = conn;
	c->client = c->uid = c->pid = 0;
	xl_conn_info(w->engine, conn, &c->info);
	if (ch)
		xl_channels_owner(ch, conn, &c->client, &c->uid, &c->pid);
}

static void list_conns(struct xl_snapshot *s, const struct xl_worker *w, const struct xl_channels *ch)
{
	u32 index[LIST_BATCH];

	for (u32 done = 0; done < XL_SNAPSHOT_STEP && s->conn_at != XL_NONE; done += LIST_BATCH) {
		u32 n = xl_engine_conn_list(w->engine, &s->conn_at, index, LIST_BATCH);

		for (u32 i = 0; i < n; i++) {
			if (s->conns_count < s->conns_room)
				add_conn(s, w, ch, index[i]);
			else
				s->conns_unlisted++;
		}
	}
}

static void list_peers(struct xl_snapshot *s, const struct xl_worker *w)
{
	struct xl_peer_info info[LIST_BATCH];

	for (u32 done = 0; done < XL_SNAPSHOT_STEP && s->peer_at != XL_NONE; done += LIST_BATCH) {
		u32 n = xl_engine_peer_list(w->engine, &s->peer_at, info, LIST_BATCH);
		u32 fits = (u32)xl_min(n, s->peers_room - s->peers_count);

		if (fits)
			memcpy(s->peers + s->peers_count, info, fits * sizeof *info);
		s->peers_count += fits;
		s->peers_unlisted += n - fits;
	}
}

bool xl_snapshot_fill(struct xl_snapshot *s, const struct xl_worker *w, const struct xl_channels *ch,
		      const struct xl_worker_figures *f, u64 now_ns)
{
	if (!s->begun)
		begin(s, w, ch, f, now_ns);
	list_conns(s, w, ch);
	list_peers(s, w);
	s->done = s->conn_at == XL_NONE && s->peer_at == XL_NONE;
	return s->done;
}
