/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * figures_json.h - the JSON objects of figures.h, one builder for each text. Names and units: docs/man/xlane-json.5.
 *
 * Each returns a new object, or NULL without memory. `only`: the name of one interface; NULL: all.
 */
#ifndef XL_FIGURES_JSON_H
#define XL_FIGURES_JSON_H

#include <jansson.h>

#include "figures.h"

json_t *xl_figures_status(const struct xl_figures *all, const char *only);
json_t *xl_figures_workers(const struct xl_figures *all, const char *only);
json_t *xl_figures_peers(const struct xl_figures *all, const char *only);
json_t *xl_figures_conns(const struct xl_figures *all, const char *only);
json_t *xl_figures_stats(const struct xl_figures *all, const char *only);

bool xl_figures_selected(const struct xl_figures_interface *i, const char *only);
/* Name and text of a counter of the parts that have no functions for it. */
const char *xl_figures_drv_text(u32 counter);
const char *xl_figures_xdp_name(u32 counter);
const char *xl_figures_xdp_text(u32 counter);
/* The tables of counters of a snapshot. */
enum xl_figures_table { XL_FIGURES_DRV, XL_FIGURES_LINK, XL_FIGURES_ENGINE, XL_FIGURES_CHANNEL, XL_FIGURES_TABLES };
u32 xl_figures_table_count(enum xl_figures_table table);
const char *xl_figures_table_name(enum xl_figures_table table);          /* "drv" */
const char *xl_figures_key(enum xl_figures_table table, u32 counter);    /* "rx_packets" */
const char *xl_figures_key_text(enum xl_figures_table table, u32 counter);
const u64 *xl_figures_values(const struct xl_snapshot *s, enum xl_figures_table table);

#endif
