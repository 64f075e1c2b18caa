/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control.h - the daemon's socket: attaching as a client, and asking for figures.
 *
 * A UNIX SEQPACKET socket. One request, one answer, as often as wanted on a connection. Structures of fixed layout, of one
 * machine: no byte order. Each side parses what the other sent from (pointer, bytes) and believes nothing: size, magic, version,
 * bounds, strings that end. Descriptors come by SCM_RIGHTS, close-on-exec. The kernel tells who asks (SO_PEERCRED).
 *
 *   ATTACH  -> the answer carries 2 descriptors for each worker: memfd and SEQPACKET socket of its channel, worker 0 first.
 *              The connection stays open as long as the client lives; closing it gives the client up.
 *   QUERY   -> the answer carries 1 descriptor: a sealed memfd with the text (JSON; for "counters" and "census" lines of
 *              "name<TAB>value<TAB>text").
 */
#ifndef XL_CONTROL_H
#define XL_CONTROL_H

#include <net/if.h>
#include <xlane/limits.h>
#include "../base/types.h"

#define XL_CONTROL_MAGIC    0x786c6374u   /* "xlct" */
#define XL_CONTROL_VERSION  1             /* of these structures and of the channel's layout (channel.h) */
#define XL_CONTROL_PATH     "/run/xlane/xlaned.sock"
#define XL_CONTROL_ENV      "XLANE_SOCKET"
#define XL_CONTROL_WHAT_BYTES 32
#define XL_CONTROL_WHY_BYTES 256
#define XL_CONTROL_FDS_MAX  (2 * XLANE_WORKERS_MAX)

enum xl_control_op { XL_CONTROL_ATTACH = 1, XL_CONTROL_QUERY = 2 };

struct xl_control_request {
	u32 magic, version, op;
	u32 slots;                           /* ATTACH: connections of each channel; 0: default */
	u32 ring_bytes;                      /* ATTACH: one direction of one slot; 0: default */
	char interface[IFNAMSIZ];            /* empty: the daemon's first (ATTACH), all (QUERY) */
	char what[XL_CONTROL_WHAT_BYTES];    /* QUERY: "status", "workers", "peers", "conns", "stats", "counters", "census" */
};

struct xl_control_answer {
	u32 magic, version;
	s32 error;                           /* 0, or a negative errno with `why` */
	u32 client;                          /* ATTACH: this client's number */
	u32 workers, slots, ring_bytes;      /* what it got */
	u32 mtu;
	u8 mac[6], pad[2];
	char interface[IFNAMSIZ];
	char driver[96];                     /* "af_xdp (native, copy, 2 queues)" */
	char why[XL_CONTROL_WHY_BYTES];
};

/* --- client ------------------------------------------------------------------------------- */
/* `path` NULL: $XLANE_SOCKET, else XL_CONTROL_PATH. `why` says what is wrong and what to do. -ENOENT, -ECONNREFUSED, -EACCES... */
int xl_control_connect(const char *path, int *fd, char *why, size_t why_bytes);
/* Send, and wait for the answer (at most 5 s: -ETIMEDOUT). fds: room for XL_CONTROL_FDS_MAX, *nfds of them came and are the
 * caller's. A refusal is a->error, returned; -EPROTO: not a daemon of this version, or not one at all. */
int xl_control_ask(int fd, const struct xl_control_request *r, struct xl_control_answer *a, int *fds, u32 *nfds, char *why,
		   size_t why_bytes);
/* QUERY: the text, malloced and ended with a zero, which the caller frees. */
int xl_control_query(int fd, const char *what, const char *interface, char **text, char *why, size_t why_bytes);

/* --- daemon ------------------------------------------------------------------------------- */
/* One request from a ready socket, without waiting: 1 got it, 0 the other side is gone, -EAGAIN, -EPROTO (answer with `error`, then
 * close); also
 * for a request with descriptors. `fd`: made by xl_guest_init, closed by xl_guest_close (guest.h). */
int xl_control_take(int fd, struct xl_control_request *r);
/* Without waiting: -EAGAIN when the client does not take answers. The descriptors stay the caller's. */
int xl_control_answer(int fd, const struct xl_control_answer *a, const int *fds, u32 nfds);
/* A sealed memfd with `text`. */
int xl_control_text_fd(const char *text, size_t bytes, int *fd);

#endif
