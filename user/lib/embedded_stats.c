/* SPDX-License-Identifier: BSD-2-Clause */
/* embedded_stats.c - the figures of an embedded context: every counter of its parts, under one prefix each, and the
 * census. */
#include <errno.h>
#include <stdio.h>

#include "embedded.h"

#define NAME_BYTES 64

static const char *const drv_texts[] = {
#define DRV_TEXT(name, key, text) [XL_DRV_##name] = text,
	XL_DRV_COUNTERS(DRV_TEXT)
};
static const char *const bpf_names[] = {
#define BPF_NAME(name, key, text) [XLANE_BPF_##name] = key,
	XLANE_BPF_COUNTERS(BPF_NAME)
};
static const char *const bpf_texts[] = {
#define BPF_TEXT(name, key, text) [XLANE_BPF_##name] = text,
	XLANE_BPF_COUNTERS(BPF_TEXT)
};

struct sink {
	void (*each)(const char *name, const char *text, uint64_t value, void *arg);
	void *arg;
	int count;
};

static void give(struct sink *s, const char *part, const char *key, const char *text, u64 value)
{
	char name[NAME_BYTES];

	snprintf(name, sizeof name, "%s.%s", part, key);
	s->each(name, text, value, s->arg);
	s->count++;
}

static void give_demux(struct sink *s, const struct xl_demux *d)
{
	u64 value[XLANE_BPF_COUNTER_COUNT];

	if (!d || xl_demux_counters(d, value))
		return;
	for (u32 i = 0; i < XLANE_BPF_COUNTER_COUNT; i++)
		give(s, "xdp", bpf_names[i], bpf_texts[i], value[i]);
}

int xl_embedded_counters(struct xl_backend *b,
			 void (*each)(const char *name, const char *text, uint64_t value, void *arg), void *arg)
{
	struct xl_embedded *m = (struct xl_embedded *)b;
	struct sink s = { .each = each, .arg = arg };
	struct xl_drv *d = m->device.drv;
	const u64 *engine = xl_engine_counters(m->engine);

	d->ops->update_counters(d);
	for (u32 i = 0; i < XL_DRV_COUNTER_COUNT; i++)
		give(&s, "drv", xl_drv_counter_name(i), drv_texts[i], d->counters[i]);
	for (u32 i = 0; i < XL_LINK_COUNTER_COUNT; i++)
		give(&s, "link", xl_link_counter_name(i), xl_link_counter_text(i), m->worker.link.counters[i]);
	for (u32 i = 0; i < XL_ENGINE_COUNTER_COUNT; i++)
		give(&s, "engine", xl_engine_counter_name(i), xl_engine_counter_text(i), engine[i]);
	give_demux(&s, m->device.demux);
	return s.count;
}

int xl_embedded_census(struct xl_backend *b, void (*each)(const char *owner, uint64_t frames, void *arg), void *arg)
{
	const struct xl_frames *f = &((struct xl_embedded *)b)->device.frames;

	for (u32 i = 0; i < XL_FRAME_OWNER_COUNT; i++)
		each(xl_frame_owner_name(i), f->census[i], arg);
	return xl_frames_census_ok(f) ? 0 : -EUCLEAN;
}
