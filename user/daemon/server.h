/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * server.h - the control thread of the worker process: everything it knows, and its loop.
 *
 * One thread owns all of this. It waits in one epoll for clients, workers, interfaces, the helper and signals, and for
 * nobody else: whoever does not read an answer is dropped, a worker that does not answer is reported as such.
 */
#ifndef XL_DAEMON_SERVER_H
#define XL_DAEMON_SERVER_H

#include "../channel/control.h"
#include "interface.h"
#include "quota.h"
#include "request.h"

/* Connections of one uid to the control socket beyond its quota of clients: for asking. */
#define XL_SERVER_ASKERS_MAX 32
/* A worker that has not filled its snapshot after so long is reported as not answering. */
#define XL_SERVER_SNAPSHOT_NS XL_S
/* An interface that is away is looked for at this interval. */
#define XL_SERVER_RETRY_NS (200 * XL_MS)
#define XL_SERVER_RETRY_SLOW_NS (2 * XL_S)   /* it is there, and can not be opened */
/* Exit status of the worker process: start it anew (an interface is back, and this kernel maps rings by inheritance
 * only). */
#define XL_SERVER_AGAIN 75

/* What happened in the daemon, visible as "daemon.<key>". */
#define XL_SERVER_COUNTERS(X) \
	X(CONNECTIONS, "connections", "connections to the control socket") \
	X(ATTACHED, "attached", "clients that attached") \
	X(LEFT, "left", "clients whose channels are all given back") \
	X(QUERIES, "queries", "queries answered") \
	X(REFUSED_QUOTA, "refused_quota", "refused: a quota of the user is reached") \
	X(REFUSED_FULL, "refused_full", "refused: as many connections as the daemon takes, or no descriptors") \
	X(REFUSED_AWAY, "refused_away", "refused: the interface is unknown or away") \
	X(REFUSED_REQUEST, "refused_request", "refused: a request that can not be, or of another version") \
	X(REFUSED_MEMORY, "refused_memory", "refused: no memory or descriptors for channels") \
	X(NOT_READING, "not_reading", "clients dropped as they did not read an answer") \
	X(WORKER_LATE, "worker_late", "snapshots that a worker did not give in time") \
	X(INTERFACE_LOST, "interface_lost", "times an interface went away") \
	X(INTERFACE_BACK, "interface_back", "times it came back") \
	X(RELOADS, "reloads", "configurations reloaded")
enum xl_server_counter {
#define XL_SERVER_COUNTER_ENUM(name, key, text) XL_SERVER_##name,
	XL_SERVER_COUNTERS(XL_SERVER_COUNTER_ENUM)
	XL_SERVER_COUNTER_COUNT
};

enum xl_client_asks { XL_ASKS_NOTHING, XL_ASKS_WAITING, XL_ASKS_IN_ROUND };

struct xl_client {
	bool used;
	int fd;                      /* -1: gone, and its channels have not all come back */
	u32 uid, pid;
	u32 number;                  /* of an attached client; 0: not attached */
	struct xl_interface *interface;
	u32 slots, ring_bytes, out;  /* channels that are with workers */
	struct xl_channel *channel[XLANE_WORKERS_MAX];
	struct xl_quota_use use;     /* to be given back */
	u64 since_ns;
	u8 asks;                     /* enum xl_client_asks */
	char what[XL_CONTROL_WHAT_BYTES], about[IFNAMSIZ];
};

struct xl_server {
	const struct xl_daemon_config *config;
	const char *config_file;     /* NULL: none */
	int epoll, listener, signals, spare;
	struct xl_helper_link helper;
	u32 helper_pid;
	u64 started_ns;
	u32 interfaces;
	struct xl_interface interface[XLANE_INTERFACES_MAX];
	u64 retry_ns[XLANE_INTERFACES_MAX];          /* when to look for it again; XL_NEVER: it serves */
	int told[XLANE_INTERFACES_MAX];              /* the last error that was logged about it */
	bool no_xdp[XLANE_INTERFACES_MAX];           /* its program is gone: retry_ns is when that counts */
	struct xl_quota quota;
	struct xl_client client[XLANE_CLIENTS_MAX];
	u32 last_number;
	bool round;                                  /* snapshots are being taken */
	u32 round_want, round_pending;
	u64 round_until_ns;
	struct xl_snapshot *filled[XLANE_INTERFACES_MAX][XLANE_WORKERS_MAX];
	u64 counters[XL_SERVER_COUNTER_COUNT];
	bool ending;
	int status;                                  /* exit status at the end */
};

enum xl_server_source { XL_ON_LISTENER, XL_ON_SIGNAL, XL_ON_HELPER, XL_ON_WATCH, XL_ON_THREAD, XL_ON_CLIENT };

/* server.c */
/* Serve until told to end, or the helper is gone. Exit status. Everything in `s` but what it makes itself is set. */
int xl_server_run(struct xl_server *s);
int xl_server_watch(struct xl_server *s, int fd, enum xl_server_source source, u32 a, u32 b);
void xl_server_apply(struct xl_server *s, const struct xl_reload *r);

/* presence.c: interfaces that come and go */
/* Make known to the epoll, arm at the helper, log. */
int xl_presence_begin(struct xl_server *s, u32 interface, char *why, size_t why_bytes);
void xl_presence_watch_event(struct xl_server *s, u32 interface);
/* Give an interface up: its clients end; it is looked for again. */
void xl_presence_lost(struct xl_server *s, u32 interface, int error, const char *because);
void xl_presence_tick(struct xl_server *s, u64 now_ns);
u64 xl_presence_deadline(const struct xl_server *s);
/* Stop all interfaces. -ETIMEDOUT: a thread hangs. */
int xl_presence_end(struct xl_server *s);

/* clients.c */
void xl_clients_accept(struct xl_server *s);
void xl_clients_event(struct xl_server *s, u32 index);
/* A worker gives a channel back. */
void xl_clients_channel_gone(struct xl_server *s, struct xl_channel *ch);
/* Send an answer; drops the client when it does not read. */
void xl_clients_answer(struct xl_server *s, struct xl_client *c, const struct xl_control_answer *a, const int *fds,
		       u32 nfds);
void xl_clients_drop(struct xl_server *s, struct xl_client *c);

/* queries.c */
void xl_queries_ask(struct xl_server *s, struct xl_client *c, const struct xl_control_request *r);
void xl_queries_filled(struct xl_server *s, u32 interface, struct xl_thread *t, struct xl_snapshot *snapshot);
/* A worker's thread is no more. */
void xl_queries_forget(struct xl_server *s, u32 interface);
void xl_queries_tick(struct xl_server *s, u64 now_ns);
u64 xl_queries_deadline(const struct xl_server *s);

/* What a report of a worker's thread means. */
void xl_server_report(struct xl_server *s, u32 interface, struct xl_thread *t, u32 kind, void *p);

#endif
