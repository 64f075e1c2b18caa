/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "redirect.h"

#define INSN(op, to, from, jump, value) \
	{ .code = (op), .dst_reg = (to), .src_reg = (from), .off = (jump), .imm = (value) }
#define LOAD(size, to, from, at) INSN(BPF_LDX | BPF_MEM | (size), to, from, at, 0)
#define SET(to, value) INSN(BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, value)

static int load(int map, unsigned workers)
{
	const struct bpf_insn code[] = {
		/* 0 */ LOAD(BPF_W, 2, 1, offsetof(struct xdp_md, data)),
		/* 1 */ LOAD(BPF_W, 3, 1, offsetof(struct xdp_md, data_end)),
		/* 2 */ INSN(BPF_ALU64 | BPF_MOV | BPF_X, 4, 2, 0, 0),
		/* 3 */ INSN(BPF_ALU64 | BPF_ADD | BPF_K, 4, 0, 0, 14),
		/* 4 */ INSN(BPF_JMP | BPF_JGT | BPF_X, 4, 3, 12, 0),   /* too short: to 17 */
		/* 5 */ LOAD(BPF_H, 5, 2, 12),
		/* 6 */ INSN(BPF_JMP | BPF_JNE | BPF_K, 5, 0, 10, htons(REDIRECT_ETHERTYPE)),   /* another: to 17 */
		/* 7 */ LOAD(BPF_B, 6, 2, 5),
		/* 8 */ INSN(BPF_ALU64 | BPF_AND | BPF_K, 6, 0, 0, (int)workers - 1),
		/* 9 */ LOAD(BPF_W, 2, 1, offsetof(struct xdp_md, rx_queue_index)),
		/* 10 */ INSN(BPF_ALU64 | BPF_MUL | BPF_K, 2, 0, 0, (int)workers),
		/* 11 */ INSN(BPF_ALU64 | BPF_ADD | BPF_X, 2, 6, 0, 0),
		/* 12, 13 */ INSN(BPF_LD | BPF_IMM | BPF_DW, 1, BPF_PSEUDO_MAP_FD, 0, map), INSN(0, 0, 0, 0, 0),
		/* 14 */ SET(3, XDP_PASS),   /* where there is no socket */
		/* 15 */ INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_redirect_map),
		/* 16 */ INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
		/* 17 */ SET(0, XDP_PASS),
		/* 18 */ INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};
	LIBBPF_OPTS(bpf_prog_load_opts, frags, .prog_flags = 1U << 5 /* BPF_F_XDP_HAS_FRAGS, 5.18 */);
	size_t n = sizeof code / sizeof code[0];
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "redirect", "GPL", code, n, &frags);

	return fd == -EINVAL ? bpf_prog_load(BPF_PROG_TYPE_XDP, "redirect", "GPL", code, n, NULL) : fd;
}

static int fill_map(int map, const int *fds, unsigned n)
{
	for (unsigned q = 0; q < n; q++) {
		int err = bpf_map_update_elem(map, &q, &fds[q], BPF_ANY);

		if (err)
			return err;
	}
	return 0;
}

int redirect_attach(struct redirect *r, const char *ifname, const int *fds, unsigned queues, unsigned workers)
{
	unsigned n = queues * workers;
	int err;

	memset(r, 0, sizeof *r);
	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);   /* errors as return values, memory limits left alone */
	r->ifindex = if_nametoindex(ifname);
	if (!r->ifindex || n > REDIRECT_SOCKETS_MAX || !workers || workers & (workers - 1))
		return r->ifindex ? -EINVAL : -ENODEV;
	r->map = bpf_map_create(BPF_MAP_TYPE_XSKMAP, "redirect", sizeof(int), sizeof(int), REDIRECT_SOCKETS_MAX, NULL);
	if (r->map < 0)
		return r->map;
	err = fill_map(r->map, fds, n);
	if (err)
		goto no_program;
	r->program = err = load(r->map, workers);
	if (err < 0)
		goto no_program;
	err = bpf_xdp_attach(r->ifindex, r->program, XDP_FLAGS_DRV_MODE | XDP_FLAGS_UPDATE_IF_NOEXIST, NULL);
	if (!err)
		return 0;
	close(r->program);
no_program:
	close(r->map);
	memset(r, 0, sizeof *r);
	return err;
}

void redirect_detach(struct redirect *r)
{
	LIBBPF_OPTS(bpf_xdp_attach_opts, opts, .old_prog_fd = r->program);

	if (!r->program)
		return;
	bpf_xdp_detach(r->ifindex, XDP_FLAGS_DRV_MODE | XDP_FLAGS_REPLACE, &opts);
	close(r->program);
	close(r->map);
	memset(r, 0, sizeof *r);
}
