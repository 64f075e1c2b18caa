// SPDX-License-Identifier: BSD-2-Clause
/* stale.c - the pins of dispatchers without an interface. */
#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "pins.h"
#include "program.h"
#include "stale.h"

#define DISPATCHERS_DIR "xdp"
#define DISPATCHER_PROGRAMS 10   /* libxdp's MAX_DISPATCHER_ACTIONS */

static bool on_interface(int ifindex, u32 dispatcher)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, q);

	if (bpf_xdp_query(ifindex, 0, &q))
		return false;
	return q.drv_prog_id == dispatcher || q.skb_prog_id == dispatcher || q.hw_prog_id == dispatcher;
}

static bool holds_demux(const char *dir, u32 map_id)
{
	char path[XL_PIN_DIR_BYTES + 16];

	for (int i = 0; i < DISPATCHER_PROGRAMS; i++) {
		snprintf(path, sizeof path, "%s/prog%d-prog", dir, i);
		if (xl_program_pinned_uses_map(path, map_id))
			return true;
	}
	return false;
}

void xl_stale_remove(const char *root, u32 map_id)
{
	char all[XL_PIN_DIR_BYTES], dir[XL_PIN_DIR_BYTES];
	unsigned int dispatcher;
	struct dirent *e;
	int ifindex;
	DIR *d;

	if (snprintf(all, sizeof all, "%s/" DISPATCHERS_DIR, root) >= (int)sizeof all)
		return;
	d = opendir(all);
	while (d && (e = readdir(d))) {
		if (sscanf(e->d_name, "dispatch-%d-%u", &ifindex, &dispatcher) != 2 ||
		    snprintf(dir, sizeof dir, "%s/%s", all, e->d_name) >= (int)sizeof dir)
			continue;
		if (!on_interface(ifindex, dispatcher) && holds_demux(dir, map_id))
			xl_pins_remove(all, dir);
	}
	if (d)
		closedir(d);
}
