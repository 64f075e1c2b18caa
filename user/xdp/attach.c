// SPDX-License-Identifier: BSD-2-Clause
/* attach.c - putting the demultiplexer on an interface: new, already there, or in the place of an older one. */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attach.h"
#include "loader.h"
#include "steps.h"

#define ETHERTYPE_MIN 0x600   /* below it the field is a length (IEEE 802.3) */

/* One attach in progress. */
struct job {
	const char *ifname;
	const struct xl_attach_options *options;
	struct xl_attach_result *result;
	struct xl_bpffs bpffs;
	char *why;
	size_t why_bytes;
};

bool xl_ethertype_usable(u32 ethertype)
{
	static const u16 taken[] = { 0x0800, 0x0806, 0x86dd, 0x8100, 0x88a8 };

	for (size_t i = 0; i < XL_ARRAY_SIZE(taken); i++)
		if (taken[i] == ethertype)
			return false;
	return ethertype >= ETHERTYPE_MIN && ethertype <= 0xffff;
}

static int check_interface(const char *ifname, char *why, size_t why_bytes)
{
	struct ifreq request = { 0 };
	int fd, err;

	if (!if_nametoindex(ifname) || strlen(ifname) >= sizeof request.ifr_name)
		return xl_step_fail(-ENODEV, why, why_bytes,
				    "there is no interface %s; `ip link` lists what there is", ifname);
	err = xl_step_privileges(why, why_bytes);
	if (err)
		return err;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return xl_step_fail(-errno, why, why_bytes, "no socket to ask about %s: %s", ifname, strerror(errno));
	memcpy(request.ifr_name, ifname, strlen(ifname) + 1);
	err = ioctl(fd, SIOCGIFFLAGS, &request) ? -errno : 0;
	close(fd);
	if (err)
		return xl_step_fail(err, why, why_bytes, "the flags of %s can not be read: %s", ifname, strerror(-err));
	if (!(request.ifr_flags & IFF_UP))
		return xl_step_fail(-ENETDOWN, why, why_bytes, "interface %s is down; run `ip link set %s up` first",
				    ifname, ifname);
	return 0;
}

static int map_failure(const struct job *j, int err)
{
	return xl_step_fail(err, j->why, j->why_bytes,
			    "the maps of the demux program on %s can not be %s; detach it first with "
			    "`xlane detach %s`",
			    j->ifname, err == -EPROTO ? "used: it is of another version" : strerror(-err), j->ifname);
}

/* Hook and policy, and for fresh maps every bucket to worker 0. `armed` stays as it is. */
static int settle(const struct job *j, const struct xl_maps *m, bool fresh)
{
	struct xlane_bpf_config config;
	int err = xl_maps_get_config(m, &config);

	config.absent_drop = j->options->absent_drop;
	if (!err)
		err = xl_maps_set_config(m, &config);
	for (u32 bucket = 0; bucket < XLANE_BUCKETS && fresh && !err; bucket++)
		err = xl_maps_set_bucket(m, bucket, 0);
	if (!err)
		err = xl_maps_set_hook(m, j->options->ethertype, XLANE_HOOK(XLANE_HOOK_XLANE, 0));
	return err;
}

struct try {
	enum xl_xdp_mode mode;
	bool linear, alone;   /* the form for frames of one buffer; without a dispatcher */
	const char *note;
};

/* Load one object in one mode, and prefer the first failure's explanation: it is about what was asked for. */
static int try_load(const struct job *j, const struct try *t, bool first)
{
	char object[XL_LOADER_PATH_BYTES], why[XL_ATTACH_NOTE_BYTES];
	int err = xl_loader_object(t->linear, object);

	if (err && first)
		xl_step_fail(err, j->why, j->why_bytes,
			     "the object file %s can not be read (%s); build or install it, or name it in "
			     "XLANE_BPF_OBJECT", object, strerror(errno));
	if (err)
		return err;
	err = xl_loader_load(&j->bpffs, j->ifname, t->mode, t->alone, object, j->result->pins, why, sizeof why);
	if (err && first)
		snprintf(j->why, j->why_bytes, "%s", why);
	return err;
}

/* The multi-buffer form before the other, and native before skb where the choice is ours. A large MTU needs the first in
 * native mode, and a dispatcher of libxdp 1.3 never has it (-ERANGE): then the program goes alone. */
static int load(const struct job *j, enum xl_xdp_mode wanted)
{
	static const struct try tries[] = {
		{ XL_XDP_NATIVE, false, false, "" },
		{ XL_XDP_NATIVE, false, true, ", without a dispatcher: no other program can join it" },
		{ XL_XDP_NATIVE, true, false, ", for frames of one buffer only" },
		{ XL_XDP_SKB, false, false, "" },
		{ XL_XDP_SKB, true, false, ", for frames of one buffer only" },
	};
	bool first = true;
	int err, last = -EINVAL;

	for (size_t i = 0; i < XL_ARRAY_SIZE(tries); i++) {
		if ((wanted != XL_XDP_NONE && tries[i].mode != wanted) || (tries[i].alone && last != -ERANGE))
			continue;
		err = try_load(j, &tries[i], first);
		if (!err && !first)
			snprintf(j->result->note, sizeof j->result->note, "%.*s; it runs in %s mode%s",
				 (int)strcspn(j->why, ";"), j->why, xl_xdp_mode_name(tries[i].mode),
				 tries[i].note);
		if (!err)
			return 0;
		last = first ? err : last;
		first = false;
		if (err == -ENOEXEC || last == -ENOENT)
			break;
	}
	return last;
}

/* Old pins stay when a worker of them is armed (it survives a program that was unloaded and comes back); anything else
 * in the directory is left over. */
static int prepare_pins(const struct job *j, bool *kept)
{
	const char *dir = j->result->pins;
	struct xlane_bpf_config config;
	struct xl_maps maps;
	int err;

	*kept = false;
	if (!xl_pins_free(j->bpffs.path, dir))
		return xl_step_fail(-EEXIST, j->why, j->why_bytes,
				    "the maps pinned in %s are used by a program on another "
				    "interface; detach that one, or set LIBXDP_BPFFS to a BPF file system of its own",
				    dir);
	if (!xl_maps_open_dir(&maps, dir)) {
		*kept = !xl_maps_get_config(&maps, &config) && config.armed;
		xl_maps_close(&maps);
	}
	if (*kept)
		return 0;
	xl_pins_remove(j->bpffs.path, dir);
	err = xl_pins_make(j->bpffs.path, dir);
	if (err)
		return xl_step_fail(err, j->why, j->why_bytes,
				    "the directory %s can not be made (%s); run it as root", dir, strerror(-err));
	return 0;
}

/* A process that may attach but not look programs up by id goes by the pins that it has just made. */
static int open_and_settle(const struct job *j, bool fresh)
{
	struct xl_program *p = &j->result->program;
	struct xl_maps maps;
	int err = xl_step_find(j->ifname, p, j->why, j->why_bytes);

	if (err && err != -EPERM)
		return err;
	err = err ? xl_maps_open_dir(&maps, j->result->pins) : xl_maps_open_ids(&maps, p->map_id);
	if (err)
		return map_failure(j, err);
	err = settle(j, &maps, fresh);
	xl_maps_close(&maps);
	return err ? map_failure(j, err) : 0;
}

static int attach_new(const struct job *j)
{
	char ignored[XL_ATTACH_NOTE_BYTES];
	bool kept;
	int err = prepare_pins(j, &kept);

	if (err)
		return err;
	err = load(j, j->options->mode);
	if (err)
		goto unpin;
	err = open_and_settle(j, !kept);
	if (err)
		goto take_off;
	j->result->done = XL_ATTACH_NEW;
	return 0;
take_off:
	xl_step_take_off(j->ifname, &j->result->program, &j->bpffs, ignored, sizeof ignored);
unpin:
	if (!kept)
		xl_pins_remove(j->bpffs.path, j->result->pins);
	return err;
}

/* A dispatcher whose bpffs was unmounted has lost its programs, and libxdp can neither use nor undo it. */
static int attach_over_husk(const struct job *j, const struct xl_program *husk)
{
	int err = xl_step_take_off_top(j->ifname, husk, j->why, j->why_bytes);

	return err ? err : attach_new(j);
}

/* The maps of the attached program get pins in the interface's directory when they have none (xdp-loader was run
 * without -p, or the bpffs was unmounted). */
static int ensure_pinned(const struct job *j, const struct xl_program *p, const struct xl_maps *maps)
{
	char *dir = j->result->pins;
	int err;

	if (xl_pins_hold(j->bpffs.path, j->ifname, p->map_id, dir))
		return 0;
	xl_pins_dir(j->bpffs.path, j->ifname, false, dir);
	if (!xl_pins_free(j->bpffs.path, dir))
		return -EEXIST;
	xl_pins_remove(j->bpffs.path, dir);
	err = xl_pins_make(j->bpffs.path, dir);
	return err ? err : xl_maps_pin(maps, dir);
}

static int replace_chained(const struct job *j, const struct xl_program *old)
{
	int err = load(j, old->mode);

	return err ? err : xl_loader_unload(&j->bpffs, j->ifname, old->demux_id, j->why, j->why_bytes);
}

/* In one step, so that no frame meets an interface without program. */
static int replace_swap(const struct job *j, const struct xl_program *old)
{
	char object[XL_LOADER_PATH_BYTES];
	int err = -ENOENT;

	for (int linear = 0; linear < 2 && err; linear++)
		if (!xl_loader_object(linear, object))
			err = xl_step_swap(old, object, j->result->pins);
	if (err)
		return xl_step_fail(err, j->why, j->why_bytes,
				    "the program on %s (id %u) can not be replaced: %s; it stays as it was",
				    j->ifname, old->top_id, err == -ENOENT ? "no object file" : strerror(-err));
	return 0;
}

/* The kernel holds one mode at a time: off and on. When the new mode is refused, the old one comes back. */
static int replace_mode(const struct job *j, const struct xl_program *old)
{
	char why[XL_ATTACH_NOTE_BYTES];
	struct job back = *j;
	int err = xl_step_take_off(j->ifname, old, &j->bpffs, j->why, j->why_bytes);

	if (err)
		return err;
	err = load(j, j->options->mode);
	back.why = why;
	back.why_bytes = sizeof why;
	if (err)
		load(&back, old->mode);
	return err;
}

static int replace(const struct job *j, const struct xl_program *old, bool same_mode)
{
	if (!same_mode)
		return replace_mode(j, old);
	return old->dispatcher ? replace_chained(j, old) : replace_swap(j, old);
}

static int attach_over(const struct job *j, const struct xl_program *old)
{
	enum xl_xdp_mode wanted = j->options->mode;
	bool same_mode = wanted == XL_XDP_NONE || wanted == old->mode;
	struct xl_maps maps;
	int err;

	if (!same_mode && !j->options->replace)
		return xl_step_fail(-EEXIST, j->why, j->why_bytes,
				    "xlane is already attached to %s in %s mode; use --replace to change it",
				    j->ifname, xl_xdp_mode_name(old->mode));
	err = xl_maps_open_ids(&maps, old->map_id);
	if (err)
		return map_failure(j, err);
	err = ensure_pinned(j, old, &maps);
	xl_maps_close(&maps);
	if (err)
		return xl_step_fail(err, j->why, j->why_bytes,
				    "the maps of %s can not be pinned in %s (%s); detach it first with "
				    "`xlane detach %s`",
				    j->ifname, j->result->pins, strerror(-err), j->ifname);
	if (j->options->replace)
		err = replace(j, old, same_mode);
	if (err)
		return err;
	j->result->done = j->options->replace ? XL_ATTACH_REPLACED : XL_ATTACH_ALREADY;
	return open_and_settle(j, false);
}

int xl_xdp_attach(const char *ifname, const struct xl_attach_options *options, struct xl_attach_result *result,
		  char *why, size_t why_bytes)
{
	struct job j = { .ifname = ifname, .options = options, .result = result, .why = why, .why_bytes = why_bytes };
	struct xl_program p;
	int err = check_interface(ifname, why, why_bytes);

	memset(result, 0, sizeof *result);
	if (!err)
		err = xl_bpffs_open(&j.bpffs, why, why_bytes);
	if (err)
		return err;
	err = xl_step_find(ifname, &p, why, why_bytes);
	if (err)
		goto out;
	err = xl_pins_dir(j.bpffs.path, ifname, false, result->pins);
	if (err) {
		xl_step_fail(err, why, why_bytes,
			     "the maps can not be pinned below %s (%s); set LIBXDP_BPFFS to a shorter path",
			     j.bpffs.path, strerror(-err));
		goto out;
	}
	xl_pins_sweep(j.bpffs.path);
	if (p.demux_id)
		err = attach_over(&j, &p);
	else if (p.top_id && !p.dispatcher)
		err = xl_step_fail(-EBUSY, why, why_bytes,
				   "another XDP program is on %s (id %u, %s), and it takes no second one; take "
				   "it off with `xdp-loader unload %s --all`, or use another interface",
				   ifname, p.top_id, p.top_name, ifname);
	else if (p.dispatcher && !p.chained)
		err = attach_over_husk(&j, &p);
	else
		err = attach_new(&j);
out:
	xl_bpffs_close(&j.bpffs);
	return err;
}
