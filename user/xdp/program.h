/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * program.h - what XDP program runs on an interface, and whether it is xlane's demultiplexer.
 *
 * The kernel is asked, not pins or files: the program of the interface; if that is libxdp's dispatcher, the programs
 * linked into it. Looking a program up by its id needs CAP_SYS_ADMIN. Errors are negative errno values.
 */
#ifndef XL_XDP_PROGRAM_H
#define XL_XDP_PROGRAM_H

#include "maps.h"

enum xl_xdp_mode { XL_XDP_NONE = 0, XL_XDP_NATIVE, XL_XDP_SKB, XL_XDP_HARDWARE };

struct xl_program {
	u32 ifindex;
	u32 top_id;              /* program on the interface; 0: none */
	char top_name[16];       /* as the kernel keeps it; empty when it could not be looked up */
	enum xl_xdp_mode mode;
	bool dispatcher;         /* top is libxdp's dispatcher */
	u32 chained;             /* programs in the dispatcher */
	u32 demux_id;            /* xlane's program: top itself or one of the dispatcher's; 0: not there */
	char demux_name[16];
	bool frags;              /* the demux, and its dispatcher, take frames of several buffers */
	u32 map_id[XL_MAP_COUNT];/* of the demux; 0: it has no map of that name */
};

const char *xl_xdp_mode_name(enum xl_xdp_mode mode);
/* XDP_FLAGS_* bit of a mode, for calls that attach and detach. */
u32 xl_xdp_mode_flag(enum xl_xdp_mode mode);

/* 0 also when there is none (top_id 0) or a foreign one (demux_id 0). -ENODEV: no such interface. -EPERM: there is a
 * program (ifindex, top_id and mode are set), and it may not be looked at. */
int xl_program_find(const char *ifname, struct xl_program *out);
/* Whether some loaded demux program, on whatever interface and in whatever namespace, uses a map. */
bool xl_program_uses_map(u32 map_id);
/* The same, given a moment: the kernel lets go of a program some time after its last pin, link or interface is gone, and
 * tells nobody. False as soon as none uses it, true when one still does after a second. */
bool xl_program_keeps_map(u32 map_id);
/* Whether the program pinned at `path` is a demux that uses a map. */
bool xl_program_pinned_uses_map(const char *path, u32 map_id);

#endif
