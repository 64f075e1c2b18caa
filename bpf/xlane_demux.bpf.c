// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * xlane_demux.bpf.c - the demultiplexer: frames of registered ethertypes go to the AF_XDP socket of their worker,
 * malformed xlane frames are dropped and counted by reason, everything else goes on to the kernel's stack as ever.
 *
 * Loadable as it is: xdp-loader load -p <bpffs>/xlane/<abi>/<ifname> <ifname> xlane_demux.bpf.o
 * It does nothing until user space writes a hook, and redirects nothing until user space arms it (bpf_abi.h).
 *
 * One source, two objects. The usual one takes frames of several buffers (kernel 5.18 and later). With
 * -DXLANE_DEMUX_LINEAR the same program takes single-buffer frames only, for kernels and drivers that refuse the other;
 * its name tells user space which of them is attached.
 */
#include "classify.bpf.h"
#include <xdp/xdp_helpers.h>

#ifdef XLANE_DEMUX_LINEAR
#define DEMUX_SECTION "xdp"
#define DEMUX_NAME xlane_demux_lin
#define FRAME_BYTES(ctx) ((__u64)((ctx)->data_end - (ctx)->data))
#else
#define DEMUX_SECTION "xdp.frags"
#define DEMUX_NAME xlane_demux
#define FRAME_BYTES(ctx) bpf_xdp_get_buff_len(ctx)
#endif

/* Early in a dispatcher's chain, and the chain goes on with what is passed. */
struct {
	__uint(priority, 20);
	__uint(XDP_PASS, 1);
} XDP_RUN_CONFIG(DEMUX_NAME);

SEC(DEMUX_SECTION)
int DEMUX_NAME(struct xdp_md *ctx)
{
	struct cursor c = {
		.at = (const __u8 *)(long)ctx->data,
		.end = (const __u8 *)(long)ctx->data_end,
		.left = FRAME_BYTES(ctx),
	};

	return classify(ctx, &c);
}

char _license[] SEC("license") = "Dual BSD/GPL";
