// SPDX-License-Identifier: BSD-2-Clause
/* status.c - `xlane status`: what is attached where, how it is set, and what it counted. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "query.h"
#include "status_daemon.h"
#include "xdp/attach.h"

static const struct xl_option options[] = {
	{ 'j', "json", NULL, "print a JSON array, one object for each interface (with -d: the daemon's object)" },
	{ 'd', "daemon", NULL, "the daemon's own status: its interfaces and its clients" },
	{ 0, "socket", "PATH", "the daemon's socket (default $XLANE_SOCKET, else /run/xlane/xlaned.sock); implies -d" },
	{ 0 },
};

static const struct { const char *key, *text; } counters[XLANE_BPF_COUNTER_COUNT] = {
#define COUNTER(name, key, text) [XLANE_BPF_##name] = { key, text },
	XLANE_BPF_COUNTERS(COUNTER)
};

static const char *const actions[XLANE_HOOK_ACTIONS] = {
	[XLANE_HOOK_PASS] = "pass",
	[XLANE_HOOK_XLANE] = "xlane",
	[XLANE_HOOK_STEER] = "steer",
	[XLANE_HOOK_DROP] = "drop",
};

static struct xl_xdp_status status;   /* a quarter of a megabyte, filled for one interface after the other */

static const char *action_name(u32 hook)
{
	return (hook & 0xff) < XLANE_HOOK_ACTIONS ? actions[hook & 0xff] : "unknown";
}

/* Buckets of a worker; XLANE_WORKERS_MAX stands for those that point past the last one. */
static u32 buckets_of(u32 worker)
{
	u32 n = 0;

	for (u32 i = 0; i < XLANE_BUCKETS; i++)
		n += status.buckets[i] == worker || (worker == XLANE_WORKERS_MAX && status.buckets[i] > worker);
	return n;
}

static void print_text(const char *ifname)
{
	const struct xl_program *p = &status.program;

	printf("%s\n", ifname);
	printf("  program    %u (%s)%s, %s mode, %s\n", p->demux_id, p->demux_name,
	       p->dispatcher ? " in a dispatcher" : "", xl_xdp_mode_name(p->mode),
	       p->frags ? "frames of any size" : "frames of one buffer");
	printf("  maps       ");
	for (u32 map = 0; map < XL_MAP_COUNT; map++)
		printf("%s%s %u", map ? ", " : "", xl_map_name(map), p->map_id[map]);
	printf("\n  pinned     %s\n", status.pins[0] ? status.pins : "no");
	printf("  armed      %s\n", status.config.armed ? "yes" : "no: no program takes xlane frames now");
	printf("  absent     xlane frames that no program takes are %s\n",
	       status.config.absent_drop ? "dropped" : "passed");
	for (u32 ethertype = 0; ethertype < 65536; ethertype++)
		if (status.hooks[ethertype])
			printf("  hook       0x%04x %s %u\n", ethertype, action_name(status.hooks[ethertype]),
			       status.hooks[ethertype] >> 8);
	for (u32 worker = 0; worker <= XLANE_WORKERS_MAX; worker++)
		if (buckets_of(worker))
			printf("  worker     %u: %u buckets\n", worker, buckets_of(worker));
	for (u32 i = 0; i < XLANE_BPF_COUNTER_COUNT; i++)
		if (status.counters[i])
			printf("  %-14s %12" PRIu64 "  %s\n", counters[i].key, status.counters[i], counters[i].text);
}

static json_t *hooks_json(void)
{
	json_t *all = json_array();

	for (u32 ethertype = 0; ethertype < 65536; ethertype++)
		if (status.hooks[ethertype])
			json_array_append_new(all, json_pack("{s:i, s:s, s:i}", "ethertype", ethertype, "action",
							     action_name(status.hooks[ethertype]), "argument",
							     status.hooks[ethertype] >> 8));
	return all;
}

static json_t *workers_json(void)
{
	json_t *all = json_array();

	for (u32 worker = 0; worker <= XLANE_WORKERS_MAX; worker++)
		if (buckets_of(worker))
			json_array_append_new(
				all, json_pack("{s:i, s:i}", "worker", worker, "buckets", buckets_of(worker)));
	return all;
}

static json_t *status_json(const char *ifname)
{
	const struct xl_program *p = &status.program;
	json_t *maps = json_object(), *counts = json_object();

	for (u32 map = 0; map < XL_MAP_COUNT; map++)
		json_object_set_new(maps, xl_map_name(map), json_integer(p->map_id[map]));
	for (u32 i = 0; i < XLANE_BPF_COUNTER_COUNT; i++)
		json_object_set_new(counts, counters[i].key, json_integer((json_int_t)status.counters[i]));
	return json_pack("{s:s, s:i, s:s, s:s, s:b, s:b, s:o, s:s?, s:b, s:s, s:o, s:o, s:o}", "interface", ifname,
			 "program", p->demux_id, "name", p->demux_name, "mode", xl_xdp_mode_name(p->mode),
			 "dispatcher", p->dispatcher, "frags", p->frags, "maps", maps, "pinned",
			 status.pins[0] ? status.pins : NULL, "armed", status.config.armed != 0, "absent",
			 status.config.absent_drop ? "drop" : "pass", "hooks", hooks_json(), "workers",
			 workers_json(), "counters", counts);
}

/* One interface, onto stdout or into `all`. */
static int show(const char *ifname, json_t *all, char *why, size_t why_bytes)
{
	int err = xl_xdp_status(ifname, &status, why, why_bytes);

	if (err)
		return err;
	if (!all)
		print_text(ifname);
	else if (json_array_append_new(all, status_json(ifname)))
		return -ENOMEM;
	return 0;
}

/* Interfaces without the program are left out; anything else that goes wrong ends it. */
static int show_all(json_t *all, u32 *shown, char *why, size_t why_bytes)
{
	struct if_nameindex *names = if_nameindex();
	int err = names ? 0 : -errno;

	for (struct if_nameindex *i = names; i && i->if_name && !err; i++) {
		err = show(i->if_name, all, why, why_bytes);
		*shown += !err;
		if (err == -ENOENT || err == -ENODEV)
			err = 0;
	}
	if_freenameindex(names);
	return err;
}

static int run_attached(const char *ifname, bool json)
{
	const struct xl_command *c = &xl_command_status;
	char why[512] = "the interfaces can not be listed; try again";
	json_t *all = json ? json_array() : NULL;
	u32 shown = 0;
	int err = ifname ? show(ifname, all, why, sizeof why) : show_all(all, &shown, why, sizeof why);

	if (err)
		xl_cli_error(c, "%s", why);
	else if (all && json_dumpf(all, stdout, JSON_INDENT(2)) == 0)
		putchar('\n');
	else if (!all && !ifname && !shown)
		printf("xlane is attached to no interface; `xlane attach IFACE` does it\n");
	json_decref(all);
	return err ? XL_EXIT_FAILURE : XL_EXIT_OK;
}

static int run(int argc, char **argv)
{
	const struct xl_command *c = &xl_command_status;
	bool daemon = false;
	struct xl_query q;
	int option;

	xl_query_init(&q, c);
	while ((option = xl_cli_option(c, options, argc, argv)) != XL_OPTION_END) {
		if (option < 0)
			return option == XL_OPTION_HELP ? XL_EXIT_OK : XL_EXIT_USAGE;
		daemon |= option != 'j';
		xl_query_option(&q, options, option);
	}
	if (argc - optind > 1)
		return xl_cli_usage(c, "more than one interface named");
	if (!daemon)
		return run_attached(argv[optind], q.json);
	if (argc > optind)
		q.interface = argv[optind];
	return xl_status_daemon(&q);
}

const struct xl_command xl_command_status = {
	.name = "status", .args = "[-d] [--json] [IFACE]", .run = run,
	.summary = "Show where xlane is attached, how it is set, and what its program counted.",
};
