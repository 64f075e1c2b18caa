/* SPDX-License-Identifier: BSD-2-Clause */
/* figures.c - which text is asked for, and the plain ones: lines of "name<TAB>value<TAB>text". */
#include "figures.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "figures_json.h"

static const char *const owner_texts[] = {
#define OWNER_TEXT(name, key, text) [XL_FRAME_##name] = text,
	XL_FRAME_OWNERS(OWNER_TEXT)
};

static void put_line(FILE *f, const char *part, const char *key, u64 value, const char *text)
{
	fprintf(f, "%s%s%s\t%" PRIu64 "\t%s\n", part, *part ? "." : "", key, value, text);
}

static u64 sum(const struct xl_figures *all, const char *only, enum xl_figures_table table, u32 counter)
{
	u64 value = 0;

	for (u32 i = 0; i < all->interface_count; i++) {
		const struct xl_figures_interface *p = &all->interfaces[i];

		for (u32 w = 0; w < p->workers && xl_figures_selected(p, only); w++)
			if (p->snapshot[w])
				value += xl_figures_values(p->snapshot[w], table)[counter];
	}
	return value;
}

static void put_counters(FILE *f, const struct xl_figures *all, const char *only)
{
	for (u32 t = 0; t < XL_FIGURES_TABLES; t++)
		for (u32 c = 0; c < xl_figures_table_count(t); c++)
			put_line(f, xl_figures_table_name(t), xl_figures_key(t, c), sum(all, only, t, c),
				 xl_figures_key_text(t, c));
	for (u32 c = 0; c < XLANE_BPF_COUNTER_COUNT; c++) {
		u64 value = 0;

		for (u32 i = 0; i < all->interface_count; i++)
			if (xl_figures_selected(&all->interfaces[i], only) && all->interfaces[i].has_xdp)
				value += all->interfaces[i].xdp[c];
		put_line(f, "xdp", xl_figures_xdp_name(c), value, xl_figures_xdp_text(c));
	}
	for (u32 c = 0; c < all->counters; c++)
		put_line(f, "daemon", all->counter[c].name, all->counter[c].value, all->counter[c].text);
}

static void put_census(FILE *f, const struct xl_figures *all, const char *only)
{
	u64 frames[XL_FRAME_OWNER_COUNT] = { 0 }, broken = 0;

	for (u32 i = 0; i < all->interface_count; i++) {
		const struct xl_figures_interface *p = &all->interfaces[i];

		for (u32 w = 0; w < p->workers && xl_figures_selected(p, only); w++) {
			const struct xl_snapshot *s = p->snapshot[w];

			for (u32 o = 0; s && o < XL_FRAME_OWNER_COUNT; o++)
				frames[o] += s->census[o];
			broken += s && !s->census_ok ? s->frames_own : 0;
		}
	}
	for (u32 o = 0; o < XL_FRAME_OWNER_COUNT; o++)
		if (o != XL_FRAME_FOREIGN)
			put_line(f, "", xl_frame_owner_name(o), frames[o], owner_texts[o]);
	if (broken)
		put_line(f, "", "unaccounted", broken, "frames of workers whose recount failed");
}

/* The texts. One of `build` and `put` is there. */
static const struct {
	const char *what;
	u32 want;
	json_t *(*build)(const struct xl_figures *all, const char *only);
	void (*put)(FILE *f, const struct xl_figures *all, const char *only);
} texts[] = {
	{ "status", 0, xl_figures_status, NULL },
	{ "workers", XL_SNAPSHOT_CENSUS, xl_figures_workers, NULL },
	{ "peers", XL_SNAPSHOT_PEERS, xl_figures_peers, NULL },
	{ "conns", XL_SNAPSHOT_CONNS, xl_figures_conns, NULL },
	{ "stats", 0, xl_figures_stats, NULL },
	{ "counters", 0, NULL, put_counters },
	{ "census", XL_SNAPSHOT_CENSUS, NULL, put_census },
};

static int find(const char *what)
{
	for (u32 i = 0; i < XL_ARRAY_SIZE(texts); i++)
		if (!strcmp(texts[i].what, what))
			return (int)i;
	return -EINVAL;
}

int xl_figures_want(const char *what)
{
	int i = find(what);

	return i < 0 ? i : (int)texts[i].want;
}

static int dump(json_t *object, char **text, size_t *bytes)
{
	char *made = object ? json_dumps(object, JSON_INDENT(2) | JSON_PRESERVE_ORDER) : NULL;

	json_decref(object);
	if (!made)
		return -ENOMEM;
	*text = made;
	*bytes = strlen(made);
	return 0;
}

int xl_figures_text(const struct xl_figures *all, const char *what, const char *interface, char **text, size_t *bytes)
{
	const char *only = interface && *interface ? interface : NULL;
	int i = find(what);
	bool there = !only;
	FILE *f;

	*text = NULL;
	*bytes = 0;
	if (i < 0)
		return i;
	for (u32 k = 0; k < all->interface_count; k++)
		there |= xl_figures_selected(&all->interfaces[k], only);
	if (!there)
		return -ENODEV;
	if (texts[i].build)
		return dump(texts[i].build(all, only), text, bytes);
	f = open_memstream(text, bytes);
	if (!f)
		return -ENOMEM;
	texts[i].put(f, all, only);
	if (fclose(f)) {
		free(*text);
		*text = NULL;
		*bytes = 0;
		return -ENOMEM;
	}
	return 0;
}
