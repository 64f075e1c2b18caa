// SPDX-License-Identifier: BSD-2-Clause
/* steps.c - single steps of attaching and detaching. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/capability.h>

#include "loader.h"
#include "steps.h"

int xl_step_fail(int err, char *why, size_t why_bytes, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, why_bytes, format, args);
	va_end(args);
	return err;
}

static u64 effective_capabilities(void)
{
	unsigned long long caps = 0;
	char line[256];
	FILE *f = fopen("/proc/self/status", "re");

	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "CapEff: %llx", &caps) == 1)
			break;
	if (f)
		fclose(f);
	return caps;
}

int xl_step_privileges(char *why, size_t why_bytes)
{
	u64 caps = effective_capabilities();
	bool bpf = caps & (1ull << CAP_SYS_ADMIN | 1ull << CAP_BPF), net = caps & 1ull << CAP_NET_ADMIN;

	if (bpf && net)
		return 0;
	return xl_step_fail(-EPERM, why, why_bytes, "attaching and detaching need the capabilities CAP_BPF and "
			    "CAP_NET_ADMIN; run it as root");
}

int xl_step_find(const char *ifname, struct xl_program *p, char *why, size_t why_bytes)
{
	int err = xl_program_find(ifname, p);

	switch (err) {
	case 0:
		return 0;
	case -ENODEV:
		return xl_step_fail(err, why, why_bytes, "there is no interface %s; `ip link` lists what there is",
				    ifname);
	case -EPERM:
		return xl_step_fail(err, why, why_bytes,
				    "not permitted to look at the XDP program of %s (id %u); run it as root",
				    ifname, p->top_id);
	default:
		return xl_step_fail(err, why, why_bytes, "the XDP program of %s can not be asked for (%s); try again",
				    ifname, strerror(-err));
	}
}

static int silent(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level, (void)format, (void)args;
	return 0;
}

static int attach_in_place_of(const struct xl_program *old, int prog_fd)
{
	LIBBPF_OPTS(bpf_xdp_attach_opts, opts);
	int err;

	opts.old_prog_fd = bpf_prog_get_fd_by_id(old->top_id);
	if (opts.old_prog_fd < 0)
		return errno == ENOENT ? -EAGAIN : -errno;
	err = bpf_xdp_attach(old->ifindex, prog_fd, xl_xdp_mode_flag(old->mode), &opts);
	close(opts.old_prog_fd);
	return err == -EEXIST ? -EAGAIN : err;
}

int xl_step_swap(const struct xl_program *old, const char *object, const char *pins)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .pin_root_path = pins);
	libbpf_print_fn_t print = libbpf_set_print(silent);
	struct bpf_object *obj = bpf_object__open_file(object, &opts);
	struct bpf_program *prog;
	int err;

	if (!obj) {
		err = -errno;
		goto out;
	}
	prog = bpf_object__next_program(obj, NULL);
	if (!prog) {
		err = -ENOEXEC;
		goto close;
	}
	bpf_program__set_type(prog, BPF_PROG_TYPE_XDP);
	err = bpf_object__load(obj);
	if (!err)
		err = attach_in_place_of(old, bpf_program__fd(prog));
close:
	bpf_object__close(obj);
out:
	libbpf_set_print(print);
	return err;
}

/* A program alone on its interface; also a dispatcher that holds nothing but ours and that the loader can not undo. */
static int detach_top(const struct xl_program *p)
{
	LIBBPF_OPTS(bpf_xdp_attach_opts, opts);
	int err;

	opts.old_prog_fd = bpf_prog_get_fd_by_id(p->top_id);
	if (opts.old_prog_fd < 0)
		return errno == ENOENT ? 0 : -errno;
	err = bpf_xdp_detach(p->ifindex, xl_xdp_mode_flag(p->mode), &opts);
	close(opts.old_prog_fd);
	return err;
}

int xl_step_take_off(const char *ifname, const struct xl_program *p, const struct xl_bpffs *b, char *why,
		     size_t why_bytes)
{
	int err;

	if (p->dispatcher) {
		err = xl_loader_unload(b, ifname, p->demux_id, why, why_bytes);
		if (!err || p->chained > 1)
			return err;
	}
	return xl_step_take_off_top(ifname, p, why, why_bytes);
}

int xl_step_take_off_top(const char *ifname, const struct xl_program *p, char *why, size_t why_bytes)
{
	int err = detach_top(p);

	if (err)
		return xl_step_fail(err, why, why_bytes,
				    "the XDP program of %s (id %u) can not be detached: %s; try `xdp-loader "
				    "unload %s --all`",
				    ifname, p->top_id, strerror(-err), ifname);
	return 0;
}
