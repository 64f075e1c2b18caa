/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * channels.h - the channels of one worker: the daemon's side of its clients (docs/DAEMON.md, "A channel").
 *
 * A channel is made by the control thread, given to its worker thread, and comes back when the client is gone. In
 * between only the worker touches it. Nothing a client writes is believed: indices are read once, masked and compared, and a
 * client that breaks the rules loses its channel. No call blocks.
 */
#ifndef XL_CHANNELS_H
#define XL_CHANNELS_H

#include "../engine/engine.h"
#include "../worker/worker.h"

struct xl_channel;
struct xl_channels;
struct xl_ports;    /* ports.h: which client listens on which port, for all workers of an interface */

/* What happened to and in channels; visible to the user as "channel.<key>". */
#define XL_CHANNEL_COUNTERS(X) \
	X(COMMANDS, "commands", "commands taken from clients") \
	X(BAD_COMMAND, "bad_command", "commands with an unknown operation or an impossible argument") \
	X(BAD_INDEX, "bad_index", "ring indices that can not be: the client's channel was closed") \
	X(BAD_SLOT, "bad_slot", "commands that name a slot in the wrong state") \
	X(BAD_MESSAGE, "bad_message", "message heads in a ring that can not be: the connection was reset") \
	X(BYTES_IN, "bytes_in", "bytes taken from clients") \
	X(BYTES_OUT, "bytes_out", "bytes given to clients") \
	X(RING_FULL, "ring_full", "times a client's ring had no room: its connection waits") \
	X(WAKES_SENT, "wakes_sent", "sleeping clients woken") \
	X(WAKES_FULL, "wakes_full", "wakes not sent, as the socket was full of them") \
	X(WOKEN, "woken", "times a client woke the worker") \
	X(REPLIES_WAIT, "replies_wait", "commands left waiting as the client does not take its replies") \
	X(TORN, "torn", "clients whose memory the kernel could not provide: their channel was closed") \
	X(CLIENTS_DIED, "clients_died", "clients that went with connections open") \
	X(CONNS_RESET, "conns_reset", "connections reset because their client was gone") \
	X(GIVEN, "given", "connections given for others to take") \
	X(TAKEN, "taken", "of these, taken") \
	X(UNTAKEN, "untaken", "of these, reset as nobody took them")
enum xl_channel_counter {
#define XL_CHANNEL_COUNTER_ENUM(name, key, text) XL_CHANNEL_##name,
	XL_CHANNEL_COUNTERS(XL_CHANNEL_COUNTER_ENUM)
	XL_CHANNEL_COUNTER_COUNT
};
const char *xl_channel_counter_name(u32 counter);
const char *xl_channel_counter_text(u32 counter);

/* --- control thread ----------------------------------------------------------------------- */
struct xl_channel_config {
	u32 client;          /* the client's number, the same for all its channels; never 0, never used twice */
	u32 uid, pid;
	u32 slots;           /* 1..XLANE_CHANNEL_SLOTS_MAX */
	u32 ring_bytes;      /* power of two, XLANE_CHANNEL_RING_MIN_BYTES..MAX */
	u32 worker;
};
/* Bytes of shared memory that such a channel takes: what a quota counts. */
u64 xl_channel_bytes(u32 slots, u32 ring_bytes);
/* Make one: sealed memfd, mapped here, and a SEQPACKET pair. *memfd and *socket are the client's, to be sent and then closed by the
 * caller. -ENOMEM, -EMFILE, -EINVAL. */
int xl_channel_make(const struct xl_channel_config *c, struct xl_channel **out, int *memfd, int *socket);
/* After it came back, or was never given: unmap, close. */
void xl_channel_free(struct xl_channel *ch);
const struct xl_channel_config *xl_channel_config_of(const struct xl_channel *ch);

/* --- worker thread ------------------------------------------------------------------------ */
/* `worker` and `ports` outlive it; `handover_key` (random, 32 bytes) is shared by the workers of an interface: a token names the worker. */
int xl_channels_open(struct xl_worker *worker, u32 worker_id, u32 workers, struct xl_ports *ports, struct xl_channels **out);
/* All channels must have come back. */
void xl_channels_close(struct xl_channels *s);
void xl_channels_add(struct xl_channels *s, struct xl_channel *ch, u64 now_ns);
/* The control thread gives a client up: its channel ends as if the client had died. Nothing when it has none here any more. */
void xl_channels_drop(struct xl_channels *s, u32 client, u64 now_ns);
/* The worker ends: every channel is closed (clients see the hang-up), every connection reset. They come back by xl_channels_gone. */
void xl_channels_stop(struct xl_channels *s, u64 now_ns);
/* A channel whose client is gone and whose connections are reset, to be given back to the control thread; NULL: none. */
struct xl_channel *xl_channels_gone(struct xl_channels *s);
/* Between two rounds of the worker: commands and bytes of clients to the engine, events and bytes of the engine to clients. Bounded.
 * Units of work done. Afterwards xl_worker_send. */
u32 xl_channels_run(struct xl_channels *s, u64 now_ns);
/* For the worker's wait (struct xl_wait_source): descriptors, and telling clients that the worker sleeps. */
u32 xl_channels_fds(void *channels, int *fds, u32 max);
int xl_channels_arm(void *channels, bool sleep);
/* When the channels next need a run without anybody asking, ns (hand-overs that run out), or XL_NEVER. */
u64 xl_channels_deadline(const struct xl_channels *s);
const u64 *xl_channels_counters(const struct xl_channels *s);  /* [XL_CHANNEL_COUNTER_COUNT] */
u32 xl_channels_count(const struct xl_channels *s);
/* Whose connection: client number, uid and pid by the engine's index of the connection; 0s: nobody's any more. */
void xl_channels_owner(const struct xl_channels *s, u32 conn, u32 *client, u32 *uid, u32 *pid);

#endif
