/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * channel.h - layout of the memory that one client of the daemon shares with one of its workers (docs/DAEMON.md).
 *
 * The memory is a memfd whose size is sealed. It starts out as zeros, but for the constants. Each field has one
 * writer, named here, but for the words that both change by atomic operations. The worker believes nothing it reads:
 * it has copies of all constants and of all its own counters; a counter of the client's is read once, and compared
 * with its own.
 *
 *   page 0        struct xlane_channel_head: constants, counters of the rings, who sleeps, summaries
 *   page 1        words of dirty slots and of slots with news (one bit per slot)
 *   commands      XLANE_CHANNEL_COMMANDS entries of 64 bytes, written by the client
 *   replies       the same number of entries, written by the worker
 *   slots         struct xlane_slot each
 *   rings         for each slot: ring_bytes to send (written by the client), ring_bytes received (by the worker)
 *
 * Counters have 64 bits, start at 0 when a slot gets its connection (after a hand-over: at what the reply says),
 * never wrap, and are masked by ring_bytes - 1 to find the byte.
 *
 * Orders: data, then its counter (release), then the bit of its slot and the summary's bit (seq_cst, by atomic OR),
 * then the other side's sleep word is looked at (seq_cst). Who goes to sleep sets its word (seq_cst), then looks at
 * everything once more. So one of the two always notices. Who finds the other's word set takes it (exchange by 0) and
 * sends one byte on the socket.
 */
#ifndef XLANE_CHANNEL_H
#define XLANE_CHANNEL_H

#include <stdatomic.h>
#include <stdint.h>

#include "limits.h"

#define XLANE_CHANNEL_MAGIC      0x786c6368u  /* "xlch" */
#define XLANE_CHANNEL_VERSION    1
#define XLANE_CHANNEL_PAGE       4096
#define XLANE_CHANNEL_WORDS      (XLANE_CHANNEL_SLOTS_MAX / 64)
#define XLANE_CHANNEL_INFO_BYTES 512          /* room for the figures of one connection */

/* --- page 0 ------------------------------------------------------------------------------- */
struct xlane_channel_head {
	/* Constants, written before the client gets the memory. The client checks them; the worker never reads
	 * them. */
	uint32_t magic, version, slots, ring_bytes, commands, worker, client;
	/* Written by the client. */
	_Alignas(64) _Atomic uint64_t command_tail;   /* commands written */
	_Atomic uint64_t reply_head;                  /* replies taken */
	/* Written by the worker. */
	_Alignas(64) _Atomic uint64_t command_head;   /* commands taken */
	_Atomic uint64_t reply_tail;                  /* replies written */
	/* Changed by both: set by who sleeps, cleared by itself or by who wakes it. */
	_Alignas(64) _Atomic uint32_t client_asleep;
	_Alignas(64) _Atomic uint32_t worker_asleep;
	/* Changed by both: bits are set by one side and taken by the other. */
	_Alignas(64) _Atomic uint64_t dirty_summary;  /* word w of the dirty words is not empty */
	_Alignas(64) _Atomic uint64_t news_summary;
	_Atomic uint64_t accept_news;                 /* listener l has connections to accept, or had some */
	/* Written by the worker before the reply to INFO: the figures of a connection. */
	_Alignas(64) uint8_t info[XLANE_CHANNEL_INFO_BYTES];
};

struct xlane_channel_words {
	_Atomic uint64_t dirty[XLANE_CHANNEL_WORDS];
	_Atomic uint64_t news[XLANE_CHANNEL_WORDS];
};

/* --- commands and replies ------------------------------------------------------------------- */
/* Every command gets one reply with its tag, in order, but for those marked quiet: they get one only when they
 * fail. */
enum xlane_command_op {
	XLANE_COMMAND_CONNECT = 1,  /* slot, mac, port, kind -> the connection is under way */
	XLANE_COMMAND_LISTEN,       /* slot = listener's number, port, kind, backlog */
	XLANE_COMMAND_UNLISTEN,     /* slot = listener's number; connections not accepted are reset */
	XLANE_COMMAND_ACCEPT,       /* slot, listener -> kind, mac, port; -EAGAIN: none there, the slot stays free */
	XLANE_COMMAND_SHUTDOWN,     /* slot; quiet. After what is in the ring */
	XLANE_COMMAND_CLOSE,        /* slot; quiet. After what is in the ring; XLANE_SLOT_OVER tells the end */
	XLANE_COMMAND_ABORT,        /* slot; quiet. Reset now; XLANE_SLOT_OVER tells */
	XLANE_COMMAND_SET,          /* slot, option, value */
	XLANE_COMMAND_GET,          /* slot, option -> value */
	XLANE_COMMAND_INFO,         /* slot -> value = bytes in head.info */
	XLANE_COMMAND_GIVE,         /* slot, value = bytes unread of the message at the front -> token; free */
	XLANE_COMMAND_TAKE,         /* slot, token -> kind, mac, port, where the counters begin */
	XLANE_COMMAND_OPS
};

struct xlane_command {
	uint32_t op, slot;
	uint64_t tag;
	uint64_t value;
	uint32_t option, listener, backlog;
	uint16_t port;
	uint8_t kind, mac[6];
	uint8_t zero[19];
};
/* TAKE: the token lies where the arguments of the others are. */
struct xlane_command_take {
	uint32_t op, slot;
	uint64_t tag;
	uint8_t token[32], zero[16];
};

struct xlane_reply {
	uint32_t op, slot;
	uint64_t tag;
	int32_t error;
	uint16_t port;
	uint8_t kind, mac[6];
	uint8_t zero[3];
	union {
		uint64_t value;
		uint8_t token[32];
		struct { uint64_t sent, taken; uint32_t left, shut; } begin;  /* TAKE; left: `value` of GIVE */
	};
};

/* --- slots ---------------------------------------------------------------------------------- */
#define XLANE_SLOT_OPEN   1u  /* the handshake is done */
#define XLANE_SLOT_END    2u  /* nothing follows what was given; read_end says why */
#define XLANE_SLOT_CLOSED 4u  /* the connection has ended; `error` */
#define XLANE_SLOT_OVER   8u  /* the slot is free again */

struct xlane_slot {
	/* Written by the client; `sent` and `taken` also by the worker, before the reply to TAKE. */
	struct {
		_Alignas(64) _Atomic uint64_t sent;  /* bytes put into the ring to send */
		_Atomic uint64_t taken;              /* bytes taken out of the ring received */
		_Atomic uint64_t want_accepted;      /* news is wanted when `accepted` gets here; 0: not */
	} client;
	/* Written by the worker. */
	struct {
		_Alignas(64) _Atomic uint64_t accepted; /* bytes taken out of the ring to send */
		_Atomic uint64_t given;              /* bytes put into the ring received */
		_Atomic uint64_t want_taken;         /* dirty is wanted when `taken` gets here; 0: not */
		_Atomic uint64_t message_max;        /* largest message that a send could ever take; 0: not known yet */
		_Atomic uint32_t bits;               /* XLANE_SLOT_*: read before `given` */
		_Atomic int32_t error;               /* negative errno, 0: gracefully */
		_Atomic int32_t read_end;            /* -ENODATA, or the error */
	} worker;
};

/* --- messages and datagrams in a ring --------------------------------------------------------- */
/* A record: head, bytes, up to 7 bytes so that the next begins at a multiple of 8. A record may be longer than the
 * ring. */
struct xlane_ring_head { uint32_t bytes, flags; };
#define XLANE_RING_SKIP           0x1u          /* nothing in here: to be skipped, so that the next lies in one piece */
#define XLANE_RING_PRIORITY_SHIFT 8             /* bits 8..15: the message's priority (ring to send) */
#define XLANE_RING_FLAGS_KNOWN    0xff01u

_Static_assert(sizeof(struct xlane_channel_head) <= XLANE_CHANNEL_PAGE, "the head is one page");
_Static_assert(sizeof(struct xlane_channel_words) <= XLANE_CHANNEL_PAGE, "the words are one page");
_Static_assert(XLANE_CHANNEL_WORDS <= 64, "one word of summary is enough");
_Static_assert(XLANE_CHANNEL_LISTENERS_MAX <= 64, "one word of listeners is enough");
_Static_assert((XLANE_CHANNEL_COMMANDS & (XLANE_CHANNEL_COMMANDS - 1)) == 0, "rings of entries are masked");
_Static_assert(sizeof(struct xlane_command) == 64 && sizeof(struct xlane_command_take) == 64, "an entry is one line");
_Static_assert(sizeof(struct xlane_reply) == 64, "an entry is one line");
_Static_assert(sizeof(struct xlane_slot) == 128, "client and worker write lines of their own");
_Static_assert(sizeof(struct xlane_ring_head) == 8, "a record's head never wraps");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2, "shared between processes");

#endif
