/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine.h - the transport engine's entry points. Nothing else of user/engine is called from outside it.
 *
 * Guarantees: no system call, no clock, no allocation after init, no lock, no randomness but the seed's. Same config,
 * same calls, same times: same result, byte for byte. Time is CLOCK_MONOTONIC nanoseconds, one reading a batch; time
 * that runs backwards stands still once, and then goes on at the caller's pace. One thread per engine. Errors are negative errno values.
 *
 * The order of a worker's loop: input, completed, advance, (the program's calls), output; then sleep until deadline.
 */
#ifndef XL_ENGINE_H
#define XL_ENGINE_H

#include <xlane/wire.h>
#include "../base/frames.h"
#include "../base/packet.h"

struct xl_engine;

struct xl_engine_config {
	struct xl_frames *frames;   /* shared with the driver; outlives the engine */
	u64 node_id;                /* random, not 0 */
	u64 incarnation;            /* grows with every start of the node: CLOCK_REALTIME ns at start */
	u64 seed;                   /* of everything random: connection ids, first packet numbers, cookie key */
	u64 first_number;           /* XL_NONE64: random; else the first packet number of every connection (tests) */
	u32 max_packet;             /* largest packet to send and receive: link MTU (outer header to tag), bytes */
	u32 segs_max;               /* frames one packet may span */
	u32 tx_frames_max;          /* frames that unsent and unacknowledged data may hold */
	u32 conns_max, peers_max;
	u32 blocks;                 /* receive memory, in XLANE_BLOCK_BYTES */
	u32 workers, worker;        /* buckets that this worker serves are those with bucket mod workers = worker; 0, 0: all.
				     * A connect picks a local port whose call id falls into one of them */
	u32 recv_window_bytes;      /* 0: XLANE_RECV_WINDOW_BYTES */
	u32 send_buffer_bytes;      /* 0: XLANE_SEND_BUFFER_BYTES */
	u64 ack_delay_ns;           /* 0: default (PROTOCOL 9) */
	u64 keepalive_ns;           /* a peer unheard for this long is asked; 0: default */
	u64 peer_death_ns;          /* a peer unheard for this long while something waits for it is dead; 0: default */
	u64 linger_ns_min;          /* 0: default */
	bool no_crc;                /* offer packets without tag */
	u8 congestion;              /* enum xl_conn_congestion: of connections that do not choose */
};
#define XL_NONE64 UINT64_MAX

/* Bytes of memory the engine needs for this config (frames excluded). Printed by programs at start. */
size_t xl_engine_bytes(const struct xl_engine_config *c);
/* `mem`: xl_engine_bytes(c) bytes aligned to 64, zeroed by the caller. Returns NULL for a config outside the limits. */
struct xl_engine *xl_engine_init(void *mem, const struct xl_engine_config *c, u64 now_ns);

/* --- the wire side ------------------------------------------------------------------------ */
/* Packets that arrived, outer header first (link header already cut off seg[0]); may carry link padding at the end.
 * Everything needed is copied: the frames are the caller's again on return. */
void xl_engine_input(struct xl_engine *e, const struct xl_packet *packets, u32 n, u64 now_ns);
/* Up to `max` packets to send, outer header first, XLANE_LINK_HEADER_MAX_BYTES of room before it in seg[0]. Their frames
 * are moved to XL_FRAME_TX; each must come back by xl_engine_completed, sent or not. */
u32 xl_engine_output(struct xl_engine *e, struct xl_packet *out, u32 max, u64 now_ns);
/* Frames that the driver is through with, in any order. */
void xl_engine_completed(struct xl_engine *e, const u32 *frames, u32 n);
/* Run every timer due at now_ns. */
void xl_engine_advance(struct xl_engine *e, u64 now_ns);
/* When advance or output is next needed, ns; XL_NEVER: only on input or a call; <= now: output has packets to give. */
u64 xl_engine_deadline(const struct xl_engine *e);
/* The link's MTU has changed: `bytes` is the largest packet from now on, both ways. Lower: nothing larger is given out from
 * the next output on; what was cut for larger packets is cut again. The peers are told (PROTOCOL U-1), a few connections at
 * a time. -EINVAL, and nothing changed: outside XLANE_MTU_MIN..XLANE_MTU_MAX, or more than the config's segs_max frames. */
int xl_engine_set_max_packet(struct xl_engine *e, u32 bytes, u64 now_ns);

/* --- the program side --------------------------------------------------------------------- */
/* Connections and listeners are named by index. A connection's index belongs to the program from connect or accept
 * until close or abort; afterwards it must not be used. */
struct xl_connect {
	struct xl_path path;
	u16 port, local_port;       /* local_port 0: an ephemeral one */
	u8 kind;                    /* enum xlane_kind */
	u64 user;                   /* given back in events */
};
/* -EADDRINUSE, -EINVAL, -ENOSPC (XLANE_LISTENERS_MAX). Returns the listener's index. */
int xl_engine_listen(struct xl_engine *e, u16 port, u8 kind, u32 backlog, u64 user);
/* Stop listening; connections not accepted yet are aborted. */
void xl_engine_unlisten(struct xl_engine *e, u32 listener, u64 now_ns);
/* Next established connection: its index in *conn, 0; -EAGAIN when none. */
int xl_engine_accept(struct xl_engine *e, u32 listener, u64 user, u32 *conn);
/* Start a connection. -EINVAL, -EADDRINUSE (same two ends exist), -ENOSPC, -EADDRNOTAVAIL (no ephemeral port).
 * XL_EVENT_OPEN or XL_EVENT_CLOSED follows. Data may be queued at once. */
int xl_engine_connect(struct xl_engine *e, const struct xl_connect *how, u64 now_ns, u32 *conn);

/* Stream: copies up to `bytes`, returns how many were taken, or -EAGAIN when there is no room.
 * Message kinds: takes one whole message (priority 0, bytes >= 0) or nothing: -EAGAIN, -EMSGSIZE.
 * -EPIPE after shutdown; else the connection's error (-ECONNRESET, -ECONNREFUSED, -ETIMEDOUT, ...). */
s64 xl_conn_send(struct xl_engine *e, u32 conn, const void *data, u64 bytes, u64 now_ns);
/* A message larger than XLANE_MESSAGE_SMALL_MAX_BYTES (ordered and unordered kinds), in pieces: its head now, its bytes when
 * the receiver has granted its whole room. One at a time per connection; small messages may be sent meanwhile (an ordered
 * one is delivered after it), and leave a quarter of the send buffer to it. begin: 0; -EAGAIN while another is not yet taken
 * whole, there is no room, or the peer has not answered the call yet; -EMSGSIZE above what the peer takes; -EINVAL: not
 * large, or another kind; else as send. more: bytes taken (> 0), -EAGAIN (XL_EVENT_WRITABLE follows), -EINVAL for none, or
 * more than was announced. Once granted it must be given: a receiver for whose memory others wait resets the connection
 * (-ENOBUFS) when fewer than 64 KiB come in a peer-death time. */
int xl_conn_large_begin(struct xl_engine *e, u32 conn, u64 bytes, u64 now_ns);
s64 xl_conn_large_more(struct xl_engine *e, u32 conn, const void *data, u64 bytes, u64 now_ns);
/* Bytes of the large message under way that are still to be given to more; 0: none. Shutdown lets them be given still;
 * close can not, and resets the connection (the peer: -ECONNRESET). */
u64 xl_conn_large_left(const struct xl_engine *e, u32 conn);
/* The largest message or datagram that the connection could ever take, by what is known now: the own limits (send buffer,
 * frames), and once it has answered the peer's. Above XLANE_MESSAGE_SMALL_MAX_BYTES it is large_begin that takes it. What
 * is between the most that send takes (-EMSGSIZE above it: a small pool or send buffer) and that size no call takes.
 * Streams: 0. */
u64 xl_conn_message_max(const struct xl_engine *e, u32 conn);

/* Id of the message or datagram that the last successful send or large_begin took: they are counted from 1; 0: none yet. */
u64 xl_conn_message_id(const struct xl_engine *e, u32 conn);
/* Take a message or datagram back of which nothing was sent yet; a large one while its head was not. 0; -EALREADY: some of it
 * was sent, it was dropped, or taken back before; -ENOENT: no such id (streams have none); else the connection's error. */
int xl_conn_cancel(struct xl_engine *e, u32 conn, u64 message, u64 now_ns);

/* Per connection settings; -EINVAL for values out of range. */
enum xl_conn_option {
	XL_CONN_SEND_BUFFER,     /* bytes queued or unacknowledged at most: 65,536 .. the engine's send_buffer_bytes */
	XL_CONN_PRIORITY,        /* 0..255, of messages sent from now on: carried in their heads; on the unordered kind those of a
				  * higher one go before unsent ones of lower ones, all but every eighth turn, which is the oldest's */
	XL_CONN_STALL_MS,        /* given up when nothing is acknowledged for so long while data waits; 0: the peer-death bound */
	XL_CONN_CONGESTION,      /* enum xl_conn_congestion; get tells which, never XL_CONGESTION_DEFAULT */
	XL_CONN_DEADLINE_US,     /* datagrams sent from now on that are not out after so long are dropped; at most an hour, 0: never.
				  * Ones that share a packet are dropped with its first: at most 100 us and an eighth too early */
	XL_CONN_OPTIONS
};
enum xl_conn_congestion {
	XL_CONGESTION_DEFAULT,   /* the engine's */
	XL_CONGESTION_DELAY, XL_CONGESTION_CUBIC, XL_CONGESTION_NEWRENO
};
int xl_conn_set(struct xl_engine *e, u32 conn, enum xl_conn_option option, u64 value);
u64 xl_conn_get(const struct xl_engine *e, u32 conn, enum xl_conn_option option);
/* Whose events: replaces what connect or accept were given (a connection changes hands). All current readiness is told anew. */
void xl_conn_set_user(struct xl_engine *e, u32 conn, u64 user);

/* Stream: up to `bytes` bytes, 0 at the end of the stream, -EAGAIN. Messages: the next whole message, its length;
 * -EMSGSIZE when it is longer than `bytes` (it stays; xl_conn_readable tells its size); 0 bytes long is a message:
 * the end is -ENODATA. Data received before an error is given first. A large message keeps its memory until it is read, and
 * large messages of other connections may wait for that. */
s64 xl_conn_recv(struct xl_engine *e, u32 conn, void *data, u64 bytes, u64 now_ns);
/* Loan without copy: the longest contiguous piece at the front (stream: any; messages: of the message, whose bytes left
 * are in *left). 0 with *p set; -EAGAIN, -ENODATA at the end, or the error. Valid until consume or the next call. */
s64 xl_conn_peek(struct xl_engine *e, u32 conn, const u8 **p, u64 *left);
void xl_conn_consume(struct xl_engine *e, u32 conn, u64 bytes, u64 now_ns);
/* Bytes that recv would give now (messages: size of the next whole one), -EAGAIN, -ENODATA at the end, or the error. */
s64 xl_conn_readable(const struct xl_engine *e, u32 conn);
/* Bytes that send would take now (0: none). */
u64 xl_conn_writable(const struct xl_engine *e, u32 conn);
/* No more data from this side: FIN after what is queued. */
int xl_conn_shutdown(struct xl_engine *e, u32 conn, u64 now_ns);
/* Graceful: as shutdown; what still arrives is dropped; the engine keeps the connection until both ends are through. With a
 * large message given in part: abort (CANCELLED). */
void xl_conn_close(struct xl_engine *e, u32 conn, u64 now_ns);
/* Immediate: ABORT to the peer, everything unsent is gone. */
void xl_conn_abort(struct xl_engine *e, u32 conn, enum xlane_wire_error error, u64 now_ns);
/* Connections that the engine still holds (lingering ones included); 0 means quiet. */
u32 xl_engine_conns(const struct xl_engine *e);

enum xl_event_bits {
	XL_EVENT_READABLE = 1,   /* recv would give something, or the end */
	XL_EVENT_WRITABLE = 2,   /* there is room again after an -EAGAIN */
	XL_EVENT_OPEN = 4,       /* the handshake is done */
	XL_EVENT_CLOSED = 8,     /* it ended: error in info (0: gracefully, both sides) */
	XL_EVENT_ACCEPT = 16,    /* on a listener: accept would give something */
};
struct xl_event { u32 bits, index; u64 user; };
/* Edge-triggered: each change since the last call, merged per connection. Returns the count. */
u32 xl_engine_events(struct xl_engine *e, struct xl_event *out, u32 max);

struct xl_conn_info {
	u8 state, kind;              /* xl_conn_state_name(state) */
	u8 congestion;               /* enum xl_conn_congestion, the one in force */
	int error;                   /* negative errno, 0 none */
	u16 local_port, remote_port;
	u64 local_id, remote_id, peer_node;
	struct xl_path path;
	u64 srtt_ns, rttvar_ns, rtt_min_ns, rtt_latest_ns, pto_ns;
	u64 cwnd_bytes, ssthresh_bytes, inflight_bytes;
	u64 bytes_sent, bytes_acked, bytes_received, bytes_delivered;
	u64 packets_sent, packets_received, packets_retransmitted, packets_lost, packets_spurious, ptos;
	u64 messages_sent, messages_received;
	u64 credit_bytes;            /* that the peer still gives */
	u32 max_packet;
};
void xl_conn_info(const struct xl_engine *e, u32 conn, struct xl_conn_info *out);
const char *xl_conn_state_name(u8 state);
const char *xl_conn_congestion_name(u8 congestion);
const char *xl_wire_error_text(u32 error);

/* --- moving a connection ------------------------------------------------------------------ */
/* Serialize and remove: everything but the frames and blocks, which stay where they are and are named by index, so the
 * importer shares the pools (another engine of this process needs the same frames and blocks: see docs/ARCHITECTURE.md).
 * Returns the bytes written, -ENOSPC when `size` is too small (nothing happened), -EBUSY while frames are in a TX ring. */
s64 xl_conn_export(struct xl_engine *e, u32 conn, void *buf, u64 size);
/* -EINVAL for another version or broken bytes, -ENOSPC. */
int xl_conn_import(struct xl_engine *e, const void *buf, u64 bytes, u64 now_ns, u32 *conn);

/* --- moving a bucket to another engine that shares no memory with this one ------------------ */
/* Which worker gets the packets of a bucket (the first byte of a connection id) is written outside the engine; the caller
 * says here what is so: connect takes no local port whose call id falls into a bucket that is not served. At first the
 * config's. */
void xl_engine_serve(struct xl_engine *e, u8 bucket, bool serves);
/* Connections of a frozen bucket send nothing; what arrives for them is the caller's to hold. Their timers run, and what
 * these want to send goes when the bucket is thawed. O(connections). */
void xl_engine_freeze(struct xl_engine *e, u8 bucket, bool frozen);
/* Write the connection with all that belongs to it: its data unsent, unacknowledged and received. It stays: until the
 * caller says xl_conn_forget it may do nothing, so that engine, program and packets leave it alone. Half-open ones, and those
 * that wait to be accepted, too. Returns the bytes written; 0: it is over, and ends where it is; -ENOSPC when `size` is too
 * small; -EBUSY while the driver has frames of it: try again when it has given them back. */
s64 xl_conn_pack(struct xl_engine *e, u32 conn, void *buf, u64 size);
/* The size that xl_conn_pack needs. */
u64 xl_conn_pack_bytes(struct xl_engine *e, u32 conn);
/* What was packed, with frames and blocks of this engine: what was in `buf` is gone. Names no memory of the engine that it
 * comes from, and its times are this engine's. -EINVAL for broken bytes; -EEXIST: a connection is here
 * already that has its id, its call, or what a peer may use twice, the other end's id; -ENOSPC when
 * there is not enough of something (connections, peers, frames, blocks, a place in the queue of a listener on its port);
 * nothing has changed then, and the connection goes on where it was. Its events are told here, with the `user` it had. */
int xl_conn_unpack(struct xl_engine *e, void *buf, u64 bytes, u64 now_ns, u32 *conn);
/* The connection goes on elsewhere: away with it, without a word to peer or program. */
void xl_conn_forget(struct xl_engine *e, u32 conn);
/* Ids of connections of the bucket that ended gracefully, from *at (0) on, at most `max`: returns how many, moves *at on
 * (XL_NONE: through). Who gets their packets has to know them (xl_engine_ended_also), or it would deny that all arrived. */
u32 xl_engine_ended(const struct xl_engine *e, u8 bucket, u32 *at, u64 *ids, u32 max);
void xl_engine_ended_also(struct xl_engine *e, const u64 *ids, u32 n);

/* --- watching ------------------------------------------------------------------------------- */
#include "counters.h"
const u64 *xl_engine_counters(const struct xl_engine *e);   /* [XL_ENGINE_COUNTER_COUNT] */
/* Visit connections and peers from index *at on, at most `max` of them, for figures: fills infos, returns how many, moves *at
 * on (XL_NONE: through). Between two calls things may change; nothing is told twice. */
struct xl_peer_info { u64 node, incarnation, heard_ns, srtt_ns; struct xl_path path; u32 conns; };
u32 xl_engine_conn_list(const struct xl_engine *e, u32 *at, u32 *conn, u32 max);
u32 xl_engine_peer_list(const struct xl_engine *e, u32 *at, struct xl_peer_info *out, u32 max);
/* Recount everything: NULL when all invariants hold, else the name of the broken one. O(everything); for tests. */
const char *xl_engine_check(const struct xl_engine *e);

#endif
