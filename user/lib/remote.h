/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * remote.h - the daemon as a backend: what its files share (include/xlane/channel.h, docs/DAEMON.md).
 *
 * remote.c opens, runs and waits; remote_channel.c has commands, replies and news of one channel; remote_conn.c the
 * life of connections and listeners; remote_send.c and remote_recv.c move bytes; remote_ask.c is what takes a round
 * trip. A connection's index is worker * slots + slot; a listener's number is the same at all workers. The daemon is
 * believed to be no enemy, but its counters are checked all the same: wrong ones end the backend.
 */
#ifndef XL_REMOTE_H
#define XL_REMOTE_H

#include "../base/list.h"
#include "../channel/bits.h"
#include "../channel/control.h"
#include "../channel/layout.h"
#include "../channel/ring.h"
#include "../worker/worker.h"
#include "backend.h"

/* Adaptive waiting: a spin longer than this takes the core from the very worker that is waited for, where cores
 * are few. */
#define XL_REMOTE_SPIN_NS (20 * XL_US)
/* A dead daemon is noticed at the latest after so long by who does not sleep. */
#define XL_REMOTE_LOOK_NS (1 * XL_MS)
#define XL_REMOTE_ASK_NS  (1 * XL_S)
/* Connections that are accepted ahead of the program, for each listener, and questions for more at each worker. */
#define XL_REMOTE_AHEAD_MAX 32
#define XL_REMOTE_ASKED_MAX 2

enum xl_remote_state {
	XL_REMOTE_FREE,
	XL_REMOTE_LIVE,      /* the program's, or about to be */
	XL_REMOTE_CLOSING,   /* the worker's until it says XLANE_SLOT_OVER */
	XL_REMOTE_DEAD,      /* the program's, but nothing of it is at the worker */
};

struct xl_remote_slot {
	u8 state, kind, priority;
	bool asked;              /* CONNECT, ACCEPT or TAKE has no reply yet: the worker's line is that of another */
	bool abandoned;          /* nobody waits for that reply any more */
	bool waiting;            /* accepted, and waits for the program to accept it */
	bool shut, open, closed, ended, end_told;
	bool refused;            /* a send was refused for the large message under way */
	bool in_message;         /* receiving: the head at the front is taken, `left` bytes and the pad are not */
	u64 user, tag;           /* tag: of the question */
	u32 listener, generation;
	u64 sent, accepted, want;
	u64 large_left;
	u64 reserved, skipped;   /* bytes reserved, and those before them that are to be skipped */
	u64 taken, given, told, left;      /* told: `given` as of the last news */
	u8 *gather;              /* a message that no ring can hold */
	u64 gather_bytes, gathered, gather_at;
	int error, read_end;
	u8 mac[6];
	u16 port;
	u32 event_bits;
	bool is_event;
	struct xl_link event_link, link;   /* link: free, or waits at a listener */
};

struct xl_remote_channel {
	struct xl_layout map;
	int socket;
	u32 worker;
	bool ring;               /* something was published: the worker must be awake */
	bool owed;               /* a byte is under way that ended a sleep before it came */
	u64 command_tail, reply_head;
	struct xlane_command *queue;       /* [queue_size], from queue_head on: the ring had no room for them */
	u32 queue_size, queue_head, queue_count;
	struct xl_remote_slot *slot;       /* of all channels: remote.slot + worker * slots */
};

struct xl_remote_listener {
	bool used;
	u8 kind;
	u16 port;
	u32 backlog, generation, ahead;    /* ahead: accepted or asked for, and not the program's yet */
	u64 user;
	u32 asked[XLANE_WORKERS_MAX];
	u64 since[XLANE_WORKERS_MAX];      /* questions with tags from here on that find nothing are to be believed */
	u32 more;                          /* workers that may have connections to accept */
	struct xl_list waiting;
	bool is_event;
};

struct xl_remote {
	struct xl_backend b;
	int control_fd, epoll_fd;
	u32 workers, slots, ring_bytes, client;
	char interface[IFNAMSIZ];
	struct xl_remote_channel ch[XLANE_WORKERS_MAX];
	struct xl_remote_slot *slot;       /* [workers * slots] */
	struct xl_list free[XLANE_WORKERS_MAX], events;
	struct xl_links links, event_links;
	struct xl_remote_listener listener[XLANE_CHANNEL_LISTENERS_MAX];
	u64 listener_events;
	u32 used, next_worker;
	bool dead, look, accept_again;
	u64 ran_ns, looked_ns, tag;
	u64 await_tag;                     /* the reply that remote_ask.c waits for; 0: none */
	struct xlane_reply awaited;
};

static inline struct xl_remote *xl_remote_of(struct xl_backend *b) { return (struct xl_remote *)b; }
static inline struct xl_remote_slot *xl_remote_at(const struct xl_backend *b, u32 conn)
{
	return &((const struct xl_remote *)b)->slot[conn];
}
static inline struct xl_remote_channel *xl_remote_channel_of(struct xl_remote *r, u32 conn)
{
	return &r->ch[conn / r->slots];
}
static inline struct xlane_slot *xl_remote_shared(struct xl_remote *r, u32 conn)
{
	return &r->ch[conn / r->slots].map.slot[conn % r->slots];
}

/* --- remote.c --- */
/* Replies, news, and what follows from them. Work done, -ENETDOWN. */
int xl_remote_run(struct xl_remote *r);
int xl_remote_arm(void *remote, bool sleep);
void xl_remote_event(struct xl_remote *r, u32 conn, u32 bits);
void xl_remote_wake(struct xl_remote *r, struct xl_remote_channel *ch);

/* --- remote_channel.c --- */
/* A command with a new tag, which is returned. */
u64 xl_remote_command(struct xl_remote *r, struct xl_remote_channel *ch, struct xlane_command *c);
/* The worker is to look at the connection's slot. */
void xl_remote_dirty(struct xl_remote *r, u32 conn);
u32 xl_remote_channel_run(struct xl_remote *r, struct xl_remote_channel *ch);
/* Whether anything is there that a run would find. */
bool xl_remote_channel_news(const struct xl_remote_channel *ch);
void xl_remote_push_queue(struct xl_remote *r, struct xl_remote_channel *ch);

/* --- remote_conn.c --- */
u32 xl_remote_slot_take(struct xl_remote *r, u32 worker);
void xl_remote_slot_free(struct xl_remote *r, u32 conn);
/* What the worker's line says now. */
void xl_remote_slot_news(struct xl_remote *r, u32 conn);
void xl_remote_replied(struct xl_remote *r, struct xl_remote_channel *ch, const struct xlane_reply *reply);
/* Ask for connections that are to be accepted, as far as there is room for them. */
void xl_remote_accept_more(struct xl_remote *r, u32 listener);
void xl_remote_unlisten_here(struct xl_remote *r, u32 listener);
int xl_remote_accept(struct xl_backend *b, u32 listener, u64 user, u32 *conn);
int xl_remote_connect(struct xl_backend *b, const u8 mac[6], u16 port, u8 kind, u64 user, u64 now_ns, u32 *conn);
int xl_remote_shutdown(struct xl_backend *b, u32 conn, u64 now_ns);
void xl_remote_close(struct xl_backend *b, u32 conn, u64 now_ns);
void xl_remote_abort(struct xl_backend *b, u32 conn, u64 now_ns);

/* --- remote_send.c --- */
s64 xl_remote_send(struct xl_backend *b, u32 conn, const void *data, u64 bytes, u64 now_ns);
int xl_remote_large_begin(struct xl_backend *b, u32 conn, u64 bytes, u64 now_ns);
s64 xl_remote_large_more(struct xl_backend *b, u32 conn, const void *data, u64 bytes, u64 now_ns);
s64 xl_remote_reserve(struct xl_backend *b, u32 conn, u64 bytes, void **data);
s64 xl_remote_commit(struct xl_backend *b, u32 conn, u64 bytes, u64 now_ns);
u64 xl_remote_writable(const struct xl_backend *b, u32 conn);
u64 xl_remote_message_max(const struct xl_backend *b, u32 conn);

/* --- remote_recv.c --- */
s64 xl_remote_recv(struct xl_backend *b, u32 conn, void *data, u64 bytes, u64 now_ns);
s64 xl_remote_peek(struct xl_backend *b, u32 conn, const u8 **data, u64 *left);
void xl_remote_consume(struct xl_backend *b, u32 conn, u64 bytes, u64 now_ns);
s64 xl_remote_readable(const struct xl_backend *b, u32 conn);

/* --- remote_ask.c --- */
int xl_remote_listen(struct xl_backend *b, u16 port, u8 kind, u32 backlog, u64 user, u32 *listener);
void xl_remote_unlisten(struct xl_backend *b, u32 listener, u64 now_ns);
int xl_remote_info(struct xl_backend *b, u32 conn, struct xl_conn_info *out);
int xl_remote_set(struct xl_backend *b, u32 conn, enum xl_conn_option option, u64 value);
int xl_remote_get(struct xl_backend *b, u32 conn, enum xl_conn_option option, u64 *value);
int xl_remote_give(struct xl_backend *b, u32 conn, u8 token[32]);
int xl_remote_take(struct xl_backend *b, const u8 token[32], u64 user, u8 *kind, u32 *conn);
int xl_remote_counters(struct xl_backend *b,
		       void (*each)(const char *name, const char *text, uint64_t value, void *arg), void *arg);
int xl_remote_census(struct xl_backend *b, void (*each)(const char *owner, uint64_t frames, void *arg), void *arg);

#endif
