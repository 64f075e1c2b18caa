/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * request.h - what the worker process may ask of its privileged helper, and how it is said.
 *
 * A SEQPACKET pair; messages of fixed size; one request, one answer, never two at once. The helper answers requests
 * about interfaces of its own configuration, by number, and nothing else: no name, path, number of a map or size comes
 * from the worker process. Both sides parse from (pointer, bytes).
 */
#ifndef XL_DAEMON_REQUEST_H
#define XL_DAEMON_REQUEST_H

#include <xlane/bpf_abi.h>
#include "../xdp/port.h"
#include "config.h"

#define XL_REQUEST_MAGIC 0x786c7271u   /* "xlrq" */
#define XL_REQUEST_FDS_MAX 253         /* descriptors in one message: the kernel's SCM_MAX_FD */

enum xl_request_op {
	XL_REQUEST_OPEN = 1, /* -> the port of the interface: a form, then its descriptors. Its slots are filled, it is
				not armed */
	XL_REQUEST_ARM,	     /* its workers run: redirect */
	XL_REQUEST_CLOSE,    /* the interface is given up: disarm */
	XL_REQUEST_COUNTERS, /* -> the demux program's counters */
	XL_REQUEST_READY,    /* everything serves; `interface` is not looked at */
	XL_REQUEST_OPS
};

struct xl_request { u32 magic, op, interface, zero; };

enum xl_reply_kind { XL_REPLY_ANSWER = 1, XL_REPLY_FDS, XL_REPLY_RELOAD };

/* Values that a reload may change. */
struct xl_reload { u32 log_level, clients_per_uid, connections_per_uid, memory_mib_per_uid; };

/* What comes back. FDS: `fds` descriptors of `fds_all` come with it. RELOAD comes unasked for, at any time. */
struct xl_reply {
	u32 magic, kind, op;
	s32 error;
	u32 fds, fds_all;
	u32 native;                           /* OPEN: the program runs in the driver */
	char why[XL_CONFIG_WHY_BYTES];
	union {
		struct xl_port_form form;                     /* OPEN */
		u64 counters[XLANE_BPF_COUNTER_COUNT];        /* COUNTERS */
		struct xl_reload reload;
	} u;
};

/* --- helper ------------------------------------------------------------------------------- */
/* 1: a request, checked; 0: the other side is gone; -EAGAIN; -EPROTO: not one. Never waits. Descriptors are closed. */
int xl_request_take(int fd, u32 interfaces, struct xl_request *out);
/* Send an answer, and for OPEN its descriptors after it, which stay the caller's. Waits at most a second. -errno. */
int xl_request_answer(int fd, struct xl_reply *r, const int *fds);

/* --- worker process, control thread --------------------------------------------------------- */
/* Ask and wait (at most `patience_ms`). The reply's error is returned, too. With OPEN: fds[XL_PORT_FDS_MAX], *nfds of
 * them came and are the caller's. A reload that comes in between is put into *reload and *reloaded set. -EPIPE: the
 * helper is gone. */
struct xl_helper_link {
	int fd;
	bool broken;              /* an answer did not come, or was none: nothing more can be asked */
	bool reloaded;            /* `reload` has something that was not looked at */
	struct xl_reload reload;
};
int xl_request_ask(struct xl_helper_link *h, enum xl_request_op op, u32 interface, int patience_ms, struct xl_reply *r,
		   int *fds, u32 *nfds);
/* What came unasked for: 1 with h->reload set, 0 the helper is gone, -EAGAIN nothing. */
int xl_request_news(struct xl_helper_link *h);

#endif
