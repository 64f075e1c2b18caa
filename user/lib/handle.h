/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * handle.h - connections and listeners as the program holds them, and which of them have news for xlane_poll.
 *
 * Guarantee: an event of the backend that names a handle which is gone finds nothing: events carry slot and generation,
 * not pointers. All operations but init are O(1). One thread per table.
 */
#ifndef XL_HANDLE_H
#define XL_HANDLE_H

#include <sys/queue.h>
#include <xlane/xlane.h>

#include "../base/types.h"

struct xl_handle {
	TAILQ_ENTRY(xl_handle) link;   /* in the ready list while ready is not 0 */
	xlane *x;
	u32 index;                     /* the backend's, of the connection or listener */
	u32 slot;
	u32 ready;                     /* enum xlane_ready: not told to the program yet */
	bool is_listener;
};

/* What the program has sent and the backend has not taken whole yet (outbox.h). */
struct xl_outbox {
	TAILQ_ENTRY(xlane_conn) link;  /* in the context's list while there is something */
	u8 *data;                      /* malloced; NULL: empty */
	u64 bytes, done;
	enum xl_outbox_way { XL_OUTBOX_SEND, XL_OUTBOX_LARGE } way;
	bool begun;                    /* large: the backend knows of it */
	u64 id;                        /* of the large message that the backend began last; 0: none, or it does not say */
	int error;                     /* a message had to be given up: of all sending since; 0 */
};

/* Room reserved for the program to fill (reserve.c). */
struct xl_reserve {
	u8 *stage;                     /* the library's memory, kept for the next one; NULL: none */
	u64 stage_bytes;
	u64 bytes;                     /* reserved now; 0: nothing */
	bool staged;                   /* in stage; else in the backend */
};

struct xlane_conn {
	struct xl_handle h;            /* first */
	enum xlane_type type;
	bool open, closed;             /* those events have been seen */
	bool shut;                     /* no more sending; the backend is told when the outbox is empty */
	bool refused;                  /* the program was told -EAGAIN and is to hear of room */
	bool orphan;                   /* the program has closed it; it goes when the outbox is empty */
	struct xl_outbox out;
	struct xl_reserve reserve;
	void *user;
};

TAILQ_HEAD(xl_outboxes, xlane_conn);

struct xlane_listener {
	struct xl_handle h;            /* first */
	enum xlane_type type;
};

TAILQ_HEAD(xl_ready, xl_handle);

struct xl_handles {
	struct xl_handle **slot;       /* [size], NULL: free */
	u32 *generation;               /* [size], raised at every release */
	u32 *free;                     /* free[0..nfree): a stack */
	u32 size, nfree;
	struct xl_ready ready;         /* oldest news first */
};

/* Room for `size` handles. -ENOMEM. */
int xl_handles_init(struct xl_handles *t, u32 size);
/* The handles themselves must have been released. Fine on zeroed memory. */
void xl_handles_destroy(struct xl_handles *t);
/* A zeroed handle of `bytes` bytes (a whole struct xlane_conn or xlane_listener). NULL: -ENOSPC or -ENOMEM in *err. */
struct xl_handle *xl_handle_new(struct xl_handles *t, xlane *x, size_t bytes, int *err);
/* Takes it out of every list and frees it. */
void xl_handle_release(struct xl_handles *t, struct xl_handle *h);
/* What an event of the backend carries to find the handle again, and back (NULL: gone). */
u64 xl_handle_user(const struct xl_handles *t, const struct xl_handle *h);
struct xl_handle *xl_handle_find(const struct xl_handles *t, u64 user);
/* News for the program. */
void xl_handle_notify(struct xl_handles *t, struct xl_handle *h, u32 bits);
/* The oldest handle with news, which is told by this: its bits in *bits. NULL: none. */
struct xl_handle *xl_handle_next_ready(struct xl_handles *t, u32 *bits);
/* The program has learnt `bits` by other means. */
void xl_handle_forget(struct xl_handles *t, struct xl_handle *h, u32 bits);

#endif
