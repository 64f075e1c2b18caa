// SPDX-License-Identifier: BSD-2-Clause
#include "world.h"

#include "base/assert.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void world_init(struct world *w, u64 first_number)
{
	static struct seen seen[WORLD_SEEN_MAX]; /* one world at a time */

	*w = (struct world){ .now = WORLD_START_NS };
	w->cfg = (struct xl_engine_config){
		.node_id = NODE(ENGINE_ADDRESS), .incarnation = 77, .seed = 1, .first_number = first_number,
		.max_packet = 1500, .segs_max = 1, .tx_frames_max = WORLD_FRAMES / 2, .conns_max = 128, .peers_max = 64,
		.blocks = 8192, .recv_window_bytes = XLANE_RECV_WINDOW_MIN_BYTES,
	};
	w->seen = seen;
}

bool world_begin(struct world *w)
{
	w->frame_memory = malloc((size_t)WORLD_FRAMES * XLANE_FRAME_BYTES);
	w->tables = malloc(xl_frames_table_bytes(WORLD_FRAMES));
	xl_frames_init(&w->frames, w->frame_memory, XLANE_FRAME_BYTES, WORLD_FRAMES, w->tables);
	w->cfg.frames = &w->frames;
	/* Zeroed as it is touched: most of it never is. */
	w->bytes = xl_engine_bytes(&w->cfg);
	w->memory = mmap(NULL, w->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (w->memory == MAP_FAILED)
		return false;
	w->e = xl_engine_init(w->memory, &w->cfg, w->now);
	return w->e;
}

void world_end(struct world *w)
{
	if (w->bytes)
		munmap(w->memory, w->bytes);
	free(w->frame_memory);
	free(w->tables);
}

void world_input(struct world *w, const struct raw *raw, const struct xl_path *path, u32 piece)
{
	struct xl_packet p = { .path = *path };

	for (u32 done = 0; (done < raw->n || !p.nsegs) && p.nsegs < XLANE_PACKET_SEGS_MAX;) {
		u32 n = (u32)xl_min(raw->n - done, piece), f = xl_frames_take(&w->frames, XL_FRAME_RX);

		XL_ASSERT(f != XL_NONE);
		memcpy(xl_frames_ptr(&w->frames, f), raw->b + done, n);
		p.seg[p.nsegs++] = (struct xl_seg){ f, 0, (u16)n };
		done += n;
	}
	xl_engine_input(w->e, &p, 1, w->now);
	for (u32 i = 0; i < p.nsegs; i++) {
		memset(xl_frames_ptr(&w->frames, p.seg[i].frame), 0xdb, XLANE_FRAME_BYTES); /* they are not ours to read later */
		xl_frames_move(&w->frames, p.seg[i].frame, XL_FRAME_RX, XL_FRAME_FREE);
	}
}

static void complete(struct world *w, u32 frame)
{
	if (w->hold)
		w->held[w->nheld++] = frame;
	else
		xl_engine_completed(w->e, &frame, 1);
}

static void collect(struct world *w)
{
	struct xl_packet p;

	while (xl_engine_output(w->e, &p, 1, w->now)) {
		struct seen *s = &w->seen[(w->head + w->count) % WORLD_SEEN_MAX];

		w->overflow |= w->count == WORLD_SEEN_MAX;
		if (w->overflow)
			return;
		w->count++;
		s->raw.n = 0;
		s->time_ns = w->now;
		s->path = p.path;
		for (u32 i = 0; i < p.nsegs; i++) {
			memcpy(s->raw.b + s->raw.n, xl_frames_ptr(&w->frames, p.seg[i].frame) + p.seg[i].off, p.seg[i].len);
			s->raw.n += p.seg[i].len;
		}
		for (u32 i = 0; i < p.nsegs; i++)
			complete(w, p.seg[i].frame);
	}
}

void world_run(struct world *w, u64 until, bool stop)
{
	for (;;) {
		u64 next;

		xl_engine_advance(w->e, w->now);
		collect(w);
		if ((stop && w->count) || w->overflow)
			return;
		next = xl_engine_deadline(w->e);
		if (next > until || w->now >= until)
			break;
		w->now = xl_max(next, w->now + 1);
	}
	w->now = until;
}

struct seen *world_first(struct world *w) { return w->count ? &w->seen[w->head] : NULL; }

void world_pop(struct world *w)
{
	w->head = (w->head + 1) % WORLD_SEEN_MAX;
	w->count--;
}

bool world_front(struct world *w, u32 n)
{
	static struct seen it;

	if (n >= w->count)
		return false;
	it = w->seen[(w->head + n) % WORLD_SEEN_MAX];
	for (; n; n--)
		w->seen[(w->head + n) % WORLD_SEEN_MAX] = w->seen[(w->head + n - 1) % WORLD_SEEN_MAX];
	w->seen[w->head] = it;
	return true;
}

void world_release(struct world *w)
{
	w->hold = false;
	xl_engine_completed(w->e, w->held, w->nheld);
	w->nheld = 0;
}

void world_starve(struct world *w, u32 leave)
{
	while (w->frames.nfree > leave)
		w->starved[w->nstarved++] = xl_frames_take(&w->frames, XL_FRAME_LENT);
}

void world_feed(struct world *w)
{
	while (w->nstarved)
		xl_frames_move(&w->frames, w->starved[--w->nstarved], XL_FRAME_LENT, XL_FRAME_FREE);
}
