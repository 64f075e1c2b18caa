/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attach.h - putting the demultiplexer on an interface, taking it off, and looking at it.
 *
 * Guarantee: an attach that fails leaves no program, pin, directory or mount that was not there before; a detach takes
 * away whatever of xlane's is found, also after half of it is gone. Concurrent calls for one bpffs wait for each other.
 * Loading is left to xdp-loader, a child process, so that a dispatcher that others share keeps working.
 * Functions return 0 or a negative errno value; `why` then holds one line: what is wrong; what to do.
 */
#ifndef XL_XDP_ATTACH_H
#define XL_XDP_ATTACH_H

#include "pins.h"
#include "program.h"

#define XL_ATTACH_NOTE_BYTES 512

struct xl_attach_options {
	enum xl_xdp_mode mode;  /* XL_XDP_NATIVE or XL_XDP_SKB; XL_XDP_NONE: native, and skb where native is refused */
	u16 ethertype;          /* host order; its hook is set to xlane */
	bool absent_drop;       /* policy for xlane frames that nobody takes */
	bool replace;           /* put the program of today in the place of one that is attached; sockets stay */
};

enum xl_attach_done { XL_ATTACH_NEW, XL_ATTACH_ALREADY, XL_ATTACH_REPLACED };

struct xl_attach_result {
	enum xl_attach_done done;
	struct xl_program program;
	char pins[XL_PIN_DIR_BYTES];
	char note[XL_ATTACH_NOTE_BYTES];  /* empty, or why it is not the form or mode that was tried first */
};

/* Whether the hook of an ethertype may be set: it is one (>= 0x600), no VLAN tag, and not the kernel's own traffic. */
bool xl_ethertype_usable(u32 ethertype);

/* With a program of xlane's already there and without `replace`: it stays and the settings are made in its maps.
 * -ENODEV, -ENETDOWN, -EPERM, -ENOENT (no object file, no bpffs), -EBUSY (a foreign program), -EEXIST (attached in
 * another mode, or pins in use elsewhere), -EPROTO (another ABI is attached), or what the loader says. */
int xl_xdp_attach(const char *ifname, const struct xl_attach_options *options, struct xl_attach_result *result,
		  char *why, size_t why_bytes);

struct xl_detach_result {
	u32 program_id;  /* 0: none was attached */
	u32 pin_dirs;    /* directories of pins removed */
};
/* -ENOENT: nothing of xlane's is there. -EBUSY: the program is not xlane's and stays. -ENODEV, -EPERM. */
int xl_xdp_detach(const char *ifname, struct xl_detach_result *result, char *why, size_t why_bytes);

struct xl_xdp_status {
	struct xl_program program;
	char pins[XL_PIN_DIR_BYTES];        /* empty: not pinned in one of the directories of this interface */
	struct xlane_bpf_config config;
	u64 counters[XLANE_BPF_COUNTER_COUNT];
	u32 buckets[XLANE_BUCKETS];
	u32 hooks[65536];
};
/* -ENODEV, -ENOENT (no demux attached), -EPERM, -EPROTO. A quarter of a megabyte: not for the stack. */
int xl_xdp_status(const char *ifname, struct xl_xdp_status *out, char *why, size_t why_bytes);

#endif
