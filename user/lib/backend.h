/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * backend.h - who does the work of a context: a worker of its own (embedded.c), or the daemon's over channels
 * (remote.c).
 *
 * The library above it is one: handles, patience, blocking, events. A backend's functions never wait and never look
 * at the guard; connections and listeners are named by index; their meanings and errors are those of
 * user/engine/engine.h, whose events they give too. Whatever `-EAGAIN` refuses is announced by an event (READABLE,
 * WRITABLE, ACCEPT) when it can go on.
 *
 * Messages are whole for the library: readable, recv and peek know a message when all of it is there, as in the
 * engine. A backend with less memory than a message has bytes gathers it. While a message in pieces is under way,
 * send may refuse (-EAGAIN).
 */
#ifndef XL_BACKEND_H
#define XL_BACKEND_H

#include "../engine/engine.h"
#include "../worker/wait.h"

struct xl_backend;

/* A data call that need not wait still makes a round of work when there was none for so long: acknowledgements and
 * credit must flow while a program works through what is buffered. */
#define XL_BACKEND_TURN_NS (50 * XL_US)

struct xl_backend_ops {
	const char *name;                            /* "embedded", "daemon" */
	/* Do what is to be done. Units of work done, 0: nothing; -ENETDOWN: interface or daemon gone (for good). */
	int (*run)(struct xl_backend *b);
	/* After a call that did its work at once: a round of work, if the last began XL_BACKEND_TURN_NS ago or earlier.
	 * True: it did one, and there may be events. */
	bool (*turn)(struct xl_backend *b, u64 now_ns);
	/* What the calls since have queued goes out now: one flush for several calls. */
	void (*flush)(struct xl_backend *b, u64 now_ns);
	u32 (*events)(struct xl_backend *b, struct xl_event *out, u32 max);
	/* Time of the last run, and when the next is needed without anything arriving (XL_NEVER: not). Monotonic ns. */
	u64 (*ran_ns)(const struct xl_backend *b);
	u64 (*deadline)(const struct xl_backend *b);
	/* Connections that are not through yet, closed ones that linger included. */
	u32 (*conns)(const struct xl_backend *b);

	/* These may take a round trip to the daemon (bounded: -ETIMEDOUT after a second): listen, unlisten, info, set,
	 * get, give, take. */
	int (*listen)(struct xl_backend *b, u16 port, u8 kind, u32 backlog, u64 user, u32 *listener);
	void (*unlisten)(struct xl_backend *b, u32 listener, u64 now_ns);
	int (*accept)(struct xl_backend *b, u32 listener, u64 user, u32 *conn);
	int (*connect)(struct xl_backend *b, const u8 mac[6], u16 port, u8 kind, u64 user, u64 now_ns, u32 *conn);

	s64 (*send)(struct xl_backend *b, u32 conn, const void *data, u64 bytes, u64 now_ns);
	/* As xl_conn_large_begin, _more, for every message above send_whole_bytes (where that is less than a datagram
	 * can have, datagrams too). A backend that needs no pieces takes all in the first more. */
	int (*large_begin)(struct xl_backend *b, u32 conn, u64 bytes, u64 now_ns);
	s64 (*large_more)(struct xl_backend *b, u32 conn, const void *data, u64 bytes, u64 now_ns);
	/* Room to fill in place: what commit takes is sent whatever happens in between; 0 gives the room back; the
	 * library sends nothing else on the connection in between. NULL: none; it then stages in memory of its own.
	 * -EMSGSIZE: stage this one. -EAGAIN as send. */
	s64 (*reserve)(struct xl_backend *b, u32 conn, u64 bytes, void **data);
	s64 (*commit)(struct xl_backend *b, u32 conn, u64 bytes, u64 now_ns);
	s64 (*recv)(struct xl_backend *b, u32 conn, void *data, u64 bytes, u64 now_ns);
	s64 (*peek)(struct xl_backend *b, u32 conn, const u8 **data, u64 *left);
	void (*consume)(struct xl_backend *b, u32 conn, u64 bytes, u64 now_ns);
	s64 (*readable)(const struct xl_backend *b, u32 conn);
	u64 (*writable)(const struct xl_backend *b, u32 conn);
	/* The largest message or datagram that can ever be sent on it, as far as known. */
	u64 (*message_max)(const struct xl_backend *b, u32 conn);

	int (*shutdown)(struct xl_backend *b, u32 conn, u64 now_ns);
	void (*close)(struct xl_backend *b, u32 conn, u64 now_ns);
	void (*abort)(struct xl_backend *b, u32 conn, u64 now_ns);
	int (*error)(const struct xl_backend *b, u32 conn);         /* of an ended connection; 0: gracefully */
	void (*peer)(const struct xl_backend *b, u32 conn, u8 mac[6], u16 *port);
	int (*info)(struct xl_backend *b, u32 conn, struct xl_conn_info *out);
	int (*set)(struct xl_backend *b, u32 conn, enum xl_conn_option option, u64 value);
	int (*get)(struct xl_backend *b, u32 conn, enum xl_conn_option option, u64 *value);
	/* As xl_conn_message_id, xl_conn_cancel. Both NULL: -ENOTSUP. */
	u64 (*message_id)(const struct xl_backend *b, u32 conn);
	int (*cancel)(struct xl_backend *b, u32 conn, u64 message, u64 now_ns);
	/* give: the connection is this program's no longer when it returns 0. Both NULL: -ENOTSUP. */
	int (*give)(struct xl_backend *b, u32 conn, u8 token[32]);
	int (*take)(struct xl_backend *b, const u8 token[32], u64 user, u8 *kind, u32 *conn);

	/* Every counter as (name, text, value): the count. The frame census as (owner, frames): 0 or -EUCLEAN. */
	int (*counters)(struct xl_backend *b,
			void (*each)(const char *name, const char *text, uint64_t value, void *arg), void *arg);
	int (*census)(struct xl_backend *b, void (*each)(const char *owner, uint64_t frames, void *arg), void *arg);

	/* The library has aborted what was open, and has run the backend until conns was 0 or its patience over. */
	void (*destroy)(struct xl_backend *b);
};

/* The first member of each implementation. */
struct xl_backend {
	const struct xl_backend_ops *ops;
	struct xl_wait_source source;    /* what its context sleeps on */
	u64 spin_ns;                     /* adaptive: spin so long before sleeping */
	u32 conns_max;                   /* handles that the context needs room for, listeners included */
	u32 send_whole_bytes;            /* the largest message or datagram for `send`; others go by large_begin */
	u32 mtu;
	u8 mac[6];
	char text[96];                   /* "af_xdp (native, copy, 2 queues)", "daemon (eth0, 2 workers, af_xdp ...)" */
};

struct xlane_config;
struct xl_log;
/* Open one. On failure `why` says in one line what is wrong and what to do. */
int xl_embedded_open(const struct xlane_config *c, const struct xl_log *log, struct xl_backend **out, char *why,
		     size_t why_bytes);
int xl_remote_open(const struct xlane_config *c, const struct xl_log *log, struct xl_backend **out, char *why,
		     size_t why_bytes);

#endif
