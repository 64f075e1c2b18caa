// SPDX-License-Identifier: BSD-2-Clause
/* inspect.c - what is attached to an interface, and what is in its maps. */
#include <errno.h>
#include <string.h>

#include "attach.h"
#include "steps.h"

static void find_pins(const char *ifname, struct xl_xdp_status *out)
{
	struct xl_bpffs b;

	out->pins[0] = '\0';
	for (enum xl_bpffs_place place = 0; place < XL_BPFFS_PLACES && !out->pins[0]; place++) {
		if (xl_bpffs_open_at(&b, place, false))
			continue;
		if (!xl_pins_hold(b.path, ifname, out->program.map_id, out->pins))
			out->pins[0] = '\0';
		xl_bpffs_close(&b);
	}
}

int xl_xdp_status(const char *ifname, struct xl_xdp_status *out, char *why, size_t why_bytes)
{
	struct xl_maps maps;
	int err = xl_step_find(ifname, &out->program, why, why_bytes);

	if (err)
		return err;
	if (!out->program.top_id)
		return xl_step_fail(-ENOENT, why, why_bytes,
				    "no XDP program is attached to %s; `xlane attach %s` does it", ifname, ifname);
	if (out->program.dispatcher && !out->program.chained)
		return xl_step_fail(-ENOENT, why, why_bytes,
				    "the dispatcher on %s (id %u) has lost its programs: the BPF file system with their "
				    "pins is gone; `xlane attach %s` puts xlane's there again",
				    ifname, out->program.top_id, ifname);
	if (!out->program.demux_id)
		return xl_step_fail(-ENOENT, why, why_bytes,
				    "the XDP program on %s (id %u, %s) is not xlane's; `xdp-loader status` "
				    "lists what there is",
				    ifname, out->program.top_id, out->program.top_name);
	err = xl_maps_open_ids(&maps, out->program.map_id);
	if (err)
		return xl_step_fail(err, why, why_bytes,
				    "the maps of the demux program on %s (id %u) can not be opened: %s; "
				    "detach and attach it again",
				    ifname, out->program.demux_id,
				    err == -EPROTO ? "another version" : strerror(-err));
	err = xl_maps_get_config(&maps, &out->config);
	if (!err)
		err = xl_maps_get_counters(&maps, out->counters);
	if (!err)
		err = xl_maps_get_buckets(&maps, out->buckets);
	if (!err)
		err = xl_maps_get_hooks(&maps, out->hooks);
	xl_maps_close(&maps);
	if (err)
		return xl_step_fail(err, why, why_bytes, "the maps of %s can not be read: %s; run it as root", ifname,
				    strerror(-err));
	find_pins(ifname, out);
	return 0;
}
