/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * oracle.h - what was sent and what must arrive, kept apart from everything under test.
 *
 * Content is a pure function of (end, offset) or (end, message, offset), so nothing that is sent is stored. Guarantee
 * checked here: what one end receives is an exact prefix of what the other end sent, byte for byte and message for
 * message, within one life of a connection; and its end comes where the sender ended. Of messages out of order it is a
 * subset, each once, and all of them when the end comes; of datagrams a subset, each at most once.
 */
#ifndef SIM_ORACLE_H
#define SIM_ORACLE_H

#include "../../user/base/types.h"

#define SIM_ENDS_MAX 256
#define SIM_MESSAGES_MAX 200             /* that one end sends */

/* Why a connection may end in an error. */
#define SIM_WHYS(X) \
	X(ABORTED, "the program of one end aborted it") \
	X(CRASHED, "a host lost its state") \
	X(NO_LISTENER, "nobody listens there, or to another kind") \
	X(CROSSING, "two calls that may cross, or be refused") \
	X(TAINTED, "a packet of it was forged")
enum sim_why {
#define SIM_WHY_ENUM(name, text) SIM_WHY_##name,
	SIM_WHYS(SIM_WHY_ENUM)
	SIM_WHY_COUNT
};

struct sim_end {                 /* one end of one connection */
	u64 local_id;            /* its connection id: the name by which the other end knows it */
	u64 content;             /* seed of what it sends */
	u32 peer;                /* the other end, XL_NONE while unknown */
	u32 message_bytes_max, large_bytes_max;   /* large_bytes_max 0: no large ones */
	u64 last_seen;           /* the message received last, of those */
	u8 gone[(SIM_MESSAGES_MAX + 7) / 8];      /* messages that it took back unsent, */
	u64 gone_messages, gone_bytes;            /* and their sum */
	bool out_of_order;       /* some came before one that was sent earlier */
	u8 seen[(SIM_MESSAGES_MAX + 7) / 8];      /* messages of the other end that were received, where order does not tell */
	u64 sent_bytes, sent_messages;   /* taken by its engine */
	u64 got_bytes, got_messages;     /* given by its engine to its program */
	int error;               /* negative errno it ended with, 0: none (yet) */
	u8 host, kind;           /* host: the unit */
	u8 to;                   /* of one that called: the station that it called */
	u8 why;                  /* 1 << enum sim_why: an error is legal because of these */
	bool called;             /* it is the one that called */
	bool shut;               /* sends no more */
	bool got_end;            /* saw the end of what the other sent */
	bool deaf;               /* stopped reading before the end: what it does not get is no loss */
	bool closed_well;        /* its engine said: ended gracefully */
	bool over;               /* its program has let go of it */
};

struct sim_oracle {
	struct sim_end end[SIM_ENDS_MAX];
	u32 ends;
	bool forged;             /* a forged packet may have done anything to any connection */
	u64 bytes, messages;     /* delivered and found right */
	char trouble[160];       /* what is wrong, when a function returned false */
};

/* Index of a new end, XL_NONE when the table is full. */
u32 sim_oracle_add(struct sim_oracle *o, u8 host, u8 kind, u64 content, u32 message_bytes_max, u32 large_bytes_max);
/* The engine of `end` names the other end by `remote_id`: find it. False: there is no such end. */
bool sim_oracle_join(struct sim_oracle *o, u32 end, u64 remote_id);
/* What `end` sends: bytes of the stream from `offset` on. */
void sim_oracle_content(const struct sim_end *e, u64 offset, u8 *out, u64 bytes);
/* Size and bytes of the message number `message`. */
u64 sim_oracle_message_bytes(const struct sim_end *e, u64 message);
void sim_oracle_message(const struct sim_end *e, u64 message, u8 *out);
/* A part of it. */
void sim_oracle_part(const struct sim_end *e, u64 message, u64 offset, u8 *out, u64 bytes);
/* The program of `end` was given these. False: not what the other end sent. */
bool sim_oracle_got(struct sim_oracle *o, u32 end, const u8 *data, u64 bytes);
bool sim_oracle_got_message(struct sim_oracle *o, u32 end, const u8 *data, u64 bytes);
/* `end` took back a message that its engine had taken. */
void sim_oracle_took_back(struct sim_oracle *o, u32 end, u64 message);
/* The program of `end` was told that no more comes. False: the other end has sent more, or has not ended. */
bool sim_oracle_got_end(struct sim_oracle *o, u32 end);
/* `end` ended with an error or gracefully; false: it had no reason to. */
bool sim_oracle_error_legal(struct sim_oracle *o, u32 end, int error, bool world_legal);
/* At the end of the world: both ends of each pair agree. False: trouble is said. */
bool sim_oracle_agrees(struct sim_oracle *o, u32 end);
/* A forged packet was sent to the connection whose receiver knows it by `id`; 0: it may do anything to any. */
void sim_oracle_forged(struct sim_oracle *o, u64 id);
bool sim_oracle_tainted(const struct sim_oracle *o, u32 end);
/* The same for the connection whose receiver knows it by `id`; one that no program knows yet is not. */
bool sim_oracle_tainted_id(const struct sim_oracle *o, u64 id);

#endif
