/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * channel_state.h - what the files of the channels share: the worker's private side of a channel and its slots.
 *
 * channel.c makes and frees a channel; channels.c looks at all of them in turn; channel_command.c does what clients
 * ask for; slot.c is the life of a slot, slot_send.c and slot_recv.c move its bytes; handover.c keeps connections
 * between two clients. Nothing in here lies in shared memory: of that, there is only `map`.
 */
#ifndef XL_CHANNEL_STATE_H
#define XL_CHANNEL_STATE_H

#include "../base/list.h"
#include "../channel/bits.h"
#include "../channel/layout.h"
#include "../channel/ring.h"
#include "channels.h"

/* Bytes moved for one slot in one direction, for one channel, and in all, before others have their turn. */
#define XL_SLOT_TURN_BYTES    65536u
#define XL_CHANNEL_TURN_BYTES 262144u
#define XL_CHANNELS_RUN_BYTES 1048576u
#define XL_CHANNEL_TURN_SLOTS 64u
#define XL_CHANNEL_TURN_COMMANDS 16u
/* What a command counts as, in bytes: some look through many connections or ports. */
#define XL_CHANNEL_COMMAND_BYTES 16384u
/* A channel that was quiet for so long is not looked at any more: its client sends a byte first. */
#define XL_CHANNEL_PARK_NS    (1 * XL_MS)
/* How often the sockets are looked at while the worker does not sleep: with channels parked, and with none. */
#define XL_CHANNELS_LOOK_NS   (20 * XL_US)
#define XL_CHANNELS_HANGUP_NS (5 * XL_MS)

/*	          CONNECT, ACCEPT, TAKE            CLOSE              ring empty, or the connection is over
 *	  FREE ------------------------> LIVE -------------> CLOSING ------------------------------> FREE
 *	                                  |  GIVE, ABORT -> FREE |  ABORT -> FREE
 *	                                  | bad message          | bad message -> FREE
 *	                                  v
 *	                                ENDED --- CLOSE, ABORT -> FREE
 */
enum xl_slot_state { XL_SLOT_FREE, XL_SLOT_LIVE, XL_SLOT_CLOSING, XL_SLOT_ENDED };
enum xl_slot_mode {
	XL_SLOT_NEXT,      /* between two records of the ring to send; streams: always */
	XL_SLOT_LARGE,     /* inside a message that the engine takes in pieces */
	XL_SLOT_GATHER,    /* inside one that the engine takes whole and the ring can not hold whole */
};

struct xl_slot {
	u8 state, kind;
	u8 mode, priority;      /* sending: as above; of the last message */
	bool shut_wanted, shut_done;
	bool deaf;              /* the engine takes nothing any more: what is sent is dropped */
	bool full;              /* the engine takes nothing until it tells */
	bool drained;           /* the engine has nothing to give until it tells */
	bool record_open;       /* receiving: the head of a message is in the ring, in_left of its bytes are not yet */
	bool waits;             /* receiving: want_taken is set */
	u32 conn, bits;         /* engine's index; XLANE_SLOT_* as published */
	u64 accepted, given;    /* as published */
	u64 shut_at;            /* the last byte to be sent */
	u64 out_left, in_left;  /* bytes of the message under way */
	u32 out_pad, in_pad, gathered;
};

struct xl_channel_listener { bool used; u8 kind; u16 port; u32 index; };

struct xl_channel {
	struct xl_channel_config config;
	struct xl_layout map;
	struct xl_slot *slot;
	u8 *gather;                      /* XL_GATHER_BYTES a slot, where rings can not hold a whole message */
	int socket;
	u32 id, live;                    /* place in the worker's table; slots that are not free */
	bool active, dying;
	atomic_bool torn;                /* pages of its memory are missing (torn.h): it is to die */
	u64 heard_ns;
	u64 command_head, reply_tail, reply_head;
	u64 todo[XLANE_CHANNEL_WORDS], todo_words;   /* slots to look at */
	u64 news[XLANE_CHANNEL_WORDS], news_words, accept_news;
	bool replied;
	u32 cursor;                      /* the slot to look at first */
	struct xl_channel_listener listener[XLANE_CHANNEL_LISTENERS_MAX];
	struct xl_channel *next_gone;
};
#define XL_GATHER_BYTES XLANE_MESSAGE_SMALL_MAX_BYTES

struct xl_handover;

struct xl_channels {
	struct xl_worker *worker;
	struct xl_engine *engine;
	struct xl_ports *ports;
	struct xl_handover *handover;
	u32 id, workers, count;
	int epoll_fd;
	bool slept;
	u64 looked_ns, now_ns;
	u64 copied;                      /* bytes, by hand-overs */
	struct xl_channel *channel[XLANE_CLIENTS_MAX];
	struct xl_link link[XLANE_CLIENTS_MAX];
	struct xl_links links;
	struct xl_list active;
	struct xl_channel *gone;
	u32 *owner;                      /* [XLANE_CONNS_MAX], touched as used: channel of a connection + 1 */
	u8 bounce[XLANE_MESSAGE_SMALL_MAX_BYTES];
	u64 counters[XL_CHANNEL_COUNTER_COUNT];
};

/* What the engine is told as `user`, to know whose an event is. */
enum xl_user_type { XL_USER_SLOT = 1, XL_USER_LISTENER, XL_USER_HANDOVER };
static inline u64 xl_user(enum xl_user_type type, u32 channel, u32 index)
{
	return (u64)type << 56 | (u64)channel << 32 | index;
}

static inline void xl_channels_count_up(struct xl_channels *s, enum xl_channel_counter c)
{
	s->counters[c]++;
}

/* --- channels.c --- */
/* Look at the slot in this run or the next. */
void xl_channel_look(struct xl_channels *s, struct xl_channel *ch, u32 slot);
/* The client is to look at the slot. */
void xl_channel_news(struct xl_channel *ch, u32 slot);
/* It broke the rules of the memory: it loses the channel at the end of its turn. */
void xl_channel_bad_index(struct xl_channels *s, struct xl_channel *ch);

/* --- channel_command.c --- */
/* Take commands as long as there is room for replies, and as many as are a turn. Returns what they count as, bytes. */
u64 xl_channel_commands(struct xl_channels *s, struct xl_channel *ch);
bool xl_channel_reply_room(struct xl_channels *s, struct xl_channel *ch);
void xl_channel_unlisten(struct xl_channels *s, struct xl_channel *ch, u32 listener);

/* --- slot.c --- */
/* The slot gets a connection: its line begins anew, counters at the given values. */
void xl_slot_begin(struct xl_channels *s, struct xl_channel *ch, u32 slot, u32 conn, u8 kind);
/* It has none any more, and may be used again: XLANE_SLOT_OVER. */
void xl_slot_free(struct xl_channels *s, struct xl_channel *ch, u32 slot);
/* The connection is reset by us, the client is told `error`. A slot that is closing is free. */
void xl_slot_reset(struct xl_channels *s, struct xl_channel *ch, u32 slot, int error);
/* The connection ended: the client is told. */
void xl_slot_closed(struct xl_channels *s, struct xl_channel *ch, u32 slot);
void xl_slot_bits(struct xl_channel *ch, u32 slot, u32 bits);
/* Move bytes both ways. Returns how many; *more: there is more to do, and nothing but the turn stopped it. */
u64 xl_slot_serve(struct xl_channels *s, struct xl_channel *ch, u32 slot, bool *more);

/* --- slot_send.c, slot_recv.c --- */
u64 xl_slot_send(struct xl_channels *s, struct xl_channel *ch, u32 slot, bool *more);
/* All that the client has sent is with the engine. */
bool xl_slot_sent_all(const struct xl_slot *sl);
u64 xl_slot_recv(struct xl_channels *s, struct xl_channel *ch, u32 slot, bool *more);
/* A slot that is closing: what arrives is dropped. */
u64 xl_slot_discard(struct xl_channels *s, struct xl_channel *ch, u32 slot);

#endif
