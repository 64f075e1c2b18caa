// SPDX-License-Identifier: BSD-2-Clause
/* detach.c - taking the demultiplexer and its pins away, whatever of them is left. */
#include <errno.h>
#include <string.h>

#include "attach.h"
#include "steps.h"

#define CHAIN_MAX 16   /* a dispatcher holds ten programs */

/* The first bpffs there is, locked: xdp-loader finds a dispatcher's pins in it. */
static struct xl_bpffs *any_bpffs(struct xl_bpffs *b)
{
	for (enum xl_bpffs_place place = 0; place < XL_BPFFS_PLACES; place++)
		if (!xl_bpffs_open_at(b, place, true))
			return b;
	return NULL;
}

/* Every demux on the interface: an upgrade that was cut short leaves two in a dispatcher. */
static int take_off_all(const char *ifname, struct xl_program *p, struct xl_detach_result *result, char *why, size_t n)
{
	struct xl_bpffs b, *loader = any_bpffs(&b);
	struct xl_program again = *p;
	int err = 0;

	for (int i = 0; i < CHAIN_MAX && again.demux_id && !err; i++) {
		result->program_id = again.demux_id;
		err = xl_step_take_off(ifname, &again, loader, why, n);
		if (!err)
			err = xl_step_find(ifname, &again, why, n);
	}
	if (loader)
		xl_bpffs_close(loader);
	return err;
}

/* In one bpffs: the interface's own directory, unless a program elsewhere runs on what is pinned there; and the plain
 * one when it holds the maps that the detached program had. */
static void remove_pins(const struct xl_bpffs *b, const char *ifname, const u32 id[XL_MAP_COUNT], u32 *removed)
{
	char dir[XL_PIN_DIR_BYTES];

	while (id[XL_MAP_SOCKETS] && xl_pins_hold(b->path, ifname, id, dir) &&
	       !xl_program_keeps_map(id[XL_MAP_SOCKETS])) {
		if (xl_pins_remove(b->path, dir))
			return;
		(*removed)++;
	}
	if (!xl_pins_dir(b->path, ifname, false, dir) && xl_pins_free(b->path, dir) && !xl_pins_remove(b->path, dir))
		(*removed)++;
}

static void remove_all_pins(const char *ifname, const u32 id[XL_MAP_COUNT], u32 *removed)
{
	struct xl_bpffs b;

	for (enum xl_bpffs_place place = 0; place < XL_BPFFS_PLACES; place++) {
		if (xl_bpffs_open_at(&b, place, true))
			continue;
		remove_pins(&b, ifname, id, removed);
		xl_pins_sweep(b.path);
		xl_bpffs_close(&b);
	}
	xl_bpffs_tidy();
}

int xl_xdp_detach(const char *ifname, struct xl_detach_result *result, char *why, size_t why_bytes)
{
	struct xl_program p;
	int err, found;

	memset(result, 0, sizeof *result);
	err = xl_step_privileges(why, why_bytes);
	if (err)
		return err;
	found = xl_step_find(ifname, &p, why, why_bytes);
	if (found && found != -ENODEV)
		return found;
	err = p.demux_id ? take_off_all(ifname, &p, result, why, why_bytes) : 0;
	if (p.dispatcher && !p.chained) {
		err = xl_step_take_off_top(ifname, &p, why, why_bytes);   /* a husk: its bpffs was unmounted */
		result->program_id = p.top_id;
		p.top_id = 0;
	}
	if (err)
		return err;
	remove_all_pins(ifname, p.map_id, &result->pin_dirs);
	if (p.top_id && !p.demux_id)
		return xl_step_fail(-EBUSY, why, why_bytes,
				    "the XDP program on %s (id %u, %s) is not xlane's and stays; `xdp-loader "
				    "unload %s --all` takes it off",
				    ifname, p.top_id, p.top_name, ifname);
	if (result->program_id || result->pin_dirs)
		return 0;
	if (found)
		return found;
	return xl_step_fail(-ENOENT, why, why_bytes,
			    "nothing of xlane is attached to %s; `xlane status` lists what is", ifname);
}
