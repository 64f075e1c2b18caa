/* SPDX-License-Identifier: BSD-2-Clause */
/* figures_tables.c - names, texts and places of the counters of a snapshot: four tables of one form. */
#include "figures_json.h"

#include <string.h>

static const char *const drv_texts[] = {
#define DRV_TEXT(name, key, text) [XL_DRV_##name] = text,
	XL_DRV_COUNTERS(DRV_TEXT)
};
static const char *const xdp_names[] = {
#define XDP_NAME(name, key, text) [XLANE_BPF_##name] = key,
	XLANE_BPF_COUNTERS(XDP_NAME)
};
static const char *const xdp_texts[] = {
#define XDP_TEXT(name, key, text) [XLANE_BPF_##name] = text,
	XLANE_BPF_COUNTERS(XDP_TEXT)
};

static const char *drv_name(u32 c) { return xl_drv_counter_name(c); }
static const char *link_name(u32 c) { return xl_link_counter_name(c); }
static const char *link_text(u32 c) { return xl_link_counter_text(c); }
static const char *engine_name(u32 c) { return xl_engine_counter_name(c); }
static const char *engine_text(u32 c) { return xl_engine_counter_text(c); }

static const struct {
	const char *name;
	u32 count;
	size_t offset;      /* of the values in a snapshot */
	const char *(*key)(u32 counter), *(*text)(u32 counter);
} tables[XL_FIGURES_TABLES] = {
	[XL_FIGURES_DRV] = { "drv", XL_DRV_COUNTER_COUNT, offsetof(struct xl_snapshot, drv), drv_name, xl_figures_drv_text },
	[XL_FIGURES_LINK] = { "link", XL_LINK_COUNTER_COUNT, offsetof(struct xl_snapshot, link), link_name, link_text },
	[XL_FIGURES_ENGINE] = { "engine", XL_ENGINE_COUNTER_COUNT, offsetof(struct xl_snapshot, engine), engine_name,
				engine_text },
	[XL_FIGURES_CHANNEL] = { "channel", XL_CHANNEL_COUNTER_COUNT, offsetof(struct xl_snapshot, channel),
				 xl_channel_counter_name, xl_channel_counter_text },
};

bool xl_figures_selected(const struct xl_figures_interface *i, const char *only)
{
	return !only || !strcmp(i->interface, only);
}

const char *xl_figures_drv_text(u32 counter)
{
	return counter < XL_DRV_COUNTER_COUNT ? drv_texts[counter] : "?";
}

const char *xl_figures_xdp_name(u32 counter)
{
	return counter < XLANE_BPF_COUNTER_COUNT ? xdp_names[counter] : "?";
}

const char *xl_figures_xdp_text(u32 counter)
{
	return counter < XLANE_BPF_COUNTER_COUNT ? xdp_texts[counter] : "?";
}

u32 xl_figures_table_count(enum xl_figures_table table) { return tables[table].count; }
const char *xl_figures_table_name(enum xl_figures_table table) { return tables[table].name; }
const char *xl_figures_key(enum xl_figures_table table, u32 counter) { return tables[table].key(counter); }
const char *xl_figures_key_text(enum xl_figures_table table, u32 counter) { return tables[table].text(counter); }

const u64 *xl_figures_values(const struct xl_snapshot *s, enum xl_figures_table table)
{
	return (const u64 *)((const char *)s + tables[table].offset);
}
