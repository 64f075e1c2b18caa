/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * core.h - the objects of the engine: connection, peer, transmit buffer, sent packet, listener, and the engine that
 * holds them in arrays. They name each other by index, never by pointer, so that a connection can be exported.
 * Included by user/engine only.
 */
#ifndef XL_CORE_H
#define XL_CORE_H

#include "../base/endian.h"
#include "../base/list.h"
#include "../base/map.h"
#include "../base/prng.h"
#include "cc.h"
#include "engine.h"
#include "ranges.h"
#include "received.h"
#include "state.h"
#include "wheel.h"

/* --- constants of the protocol machine (PROTOCOL 9) --------------------------------------- */
#define XL_ACK_DELAY_NS       (200 * XL_US)  /* longest time an ACK is held back */
#define XL_ACK_EVERY          2              /* packets that ask for an ACK until one is sent at once; raised by their rate up to: */
#define XL_ACK_EVERY_MAX      16
#define XL_ACK_PARTS          8              /* of a window: for each an ACK is asked for, so that a small one does not stand still */
#define XL_RTT_INITIAL_NS     (1 * XL_MS)
#define XL_RTT_GRANULARITY_NS (100 * XL_US)  /* least allowance for variance in timeouts */
#define XL_REORDER_PACKETS    3              /* RFC 9002, 6.1.1; raised by evidence up to: */
#define XL_REORDER_PACKETS_MAX 512
#define XL_REORDER_QUARTERS_MAX 16
#define XL_REORDER_EPISODES   16             /* without a wrong verdict, until the thresholds are the first again (RFC 8985, 6.2) */
#define XL_LOST_KEPT          1024           /* packets taken for lost that a connection remembers, */
#define XL_LOST_PTOS          4              /* and for how long, in probe timeouts since they were sent */
#define XL_PERSISTENT_PTOS    3              /* RFC 9002, 7.6.1 */
#define XL_SKIP_MIN           64             /* packet numbers from one that is skipped to the next */
#define XL_SKIP_MAX           512
#define XL_SKIPS_KEPT         4              /* that are remembered */
#define XL_SKIP_INFLIGHT      8              /* packets in flight that make a sender of bulk */
#define XL_PTO_BACKOFF_MAX    13             /* doublings: past XL_PTO_MAX_NS from any first value */
#define XL_PTO_MAX_NS         (100 * XL_MS)  /* a burst of losses on a link that is silent otherwise ends by what probes it */
#define XL_PTO_PROBES         2              /* packets sent on a retransmission timeout */
#define XL_CALL_RETRY_NS      (3 * XL_MS)    /* first repeat of INIT and ACCEPT, doubled each time up to: */
#define XL_CALL_RETRY_MAX_NS  (250 * XL_MS)
#define XL_KEEPALIVE_NS       (1 * XL_S)
#define XL_PEER_DEATH_NS      (10 * XL_S)
#define XL_LINGER_NS_MIN      (500 * XL_MS)
#define XL_LINGER_NS_MAX      (10 * XL_S)
#define XL_ABORT_TRIES        4              /* times an ABORT is sent while nobody says that it arrived */
#define XL_ORPHAN_NS          (300 * XL_S)   /* a closed connection without progress is reset after this */
#define XL_COOKIES_AT_ONCE    8              /* cookies that are answered at once in one call; then by its timer */
#define XL_STARVED_RETRY_NS   (50 * XL_US)   /* next try after the frame pool was empty, doubled each time up to: */
#define XL_STARVED_RETRY_MAX_NS (2 * XL_MS)
#define XL_PROBES_KEPT        192            /* packets in flight of who has not been answered for long: a round trip of seconds */
#define XL_CLOCK_LEAP_NS      (5 * XL_S)     /* a call this late says that the worker itself stood still */
#define XL_COOKIE_PERIOD_NS   (5 * XL_S)     /* a cookie holds for this period and the next */
#define XL_REPLIES_MAX        32             /* stateless answers waiting to be sent */
#define XL_ENDED_MAX          1024           /* connections that ended gracefully, remembered */
#define XL_SCHED_QUANTUM_BYTES 18432         /* data of one turn of a connection in output */
#define XL_QUEUE_OLDEST_EVERY 8              /* of so many turns of a queue with several priorities one is the oldest message's */
#define XL_EXPIRE_SHARE_NS    (100 * XL_US)  /* datagrams share a packet, and the first's deadline, when theirs are less apart, */
#define XL_EXPIRE_SHARE_PART  8              /* and this part of the time that they have */
#define XL_EXPIRE_NS_MAX      (3600 * XL_S)
#define XL_WRITERS_AT_ONCE    32             /* programs that are told at once that frames have come back */
#define XL_PACE_BURST_PACKETS 10             /* packets that go at once after a pause: the initial window */
#define XL_PACE_STEP_NS       (20 * XL_US)   /* longest time for which packets that are due are gathered; or 1/8 round trip */
#define XL_PACE_WAIT_NS_MAX   (1 * XL_S)     /* longest pause that pacing makes */
#define XL_GRANT_OLDEST_EVERY 4              /* of so many grants one goes to who waits longest, the others to the smallest */
#define XL_GRANT_PACE_BYTES   65536          /* least progress of a granted message in a peer-death time while others wait */
#define XL_GRANT_CLASSES      64             /* sizes of waiting messages, in steps of XLANE_MESSAGE_MAX_BYTES / 64 */
#define XL_LARGE_INDEX_MAX    4              /* blocks of block numbers that a message of XLANE_MESSAGE_MAX_BYTES needs */
#define XL_DATAGRAM_AGE_NS    (1 * XL_S)     /* a datagram not whole after this, or 8 round trips, is given up */
#define XL_REST_NS            (200 * XL_MS)  /* nothing came for so long, or 8 round trips: memory not in use goes back */
#define XL_PERSIST_MAX_NS     (2 * XL_S)     /* longest pause before a sender without credit asks again */
#define XL_PERSIST_PATIENCE   4              /* so many answers in a row that took nothing are not taken for want of memory */
#define XL_PERSIST_BACKOFF_MAX 20            /* doublings */
#define XL_SWEEP_AT_ONCE      8              /* connections that are asked at once when their peer has lost another, */
#define XL_SWEEP_GAP_NS       (100 * XL_US)  /* and the pause after them */
#define XL_LIVING_AT_ONCE     64             /* connections of a peer that are looked at in one go for one that is not lingering */
#define XL_PMTU_ROUNDS        4              /* times in a row that large packets were lost while smaller ones arrived, */
#define XL_PMTU_LOSSES        10             /* and the packets lost in them, until the path is taken to swallow them */
#define XL_PMTU_RAISE_NS      (1 * XL_S)     /* after that a larger packet is tried, then after twice as long, up to: */
#define XL_PMTU_RAISE_MAX_NS  (30 * XL_S)

/* --- transmit buffers: data records in frames, kept until acknowledged -------------------- */
enum xl_txbuf_state { XL_TXBUF_NONE, XL_TXBUF_QUEUED, XL_TXBUF_SENT, XL_TXBUF_LOST };
enum xl_txbuf_type { XL_TXBUF_DATA, XL_TXBUF_LARGE, XL_TXBUF_DGRAM, XL_TXBUF_TYPES };
#define XL_AWAY 0xfffffffeu /* as `conn`: an exported connection's */

/* One per frame; the one of a buffer's first frame is the buffer, the others hold only `chain` and `head`. */
struct xl_txbuf {
	struct xl_link link;   /* in the connection's queue (QUEUED), flight (SENT) or again (LOST) list */
	u32 conn;              /* XL_NONE: a packet without data, gone when completed */
	u32 place;             /* pack.c: its head among the frames that are written */
	u32 generation;        /* raised when the buffer is given up: a sent packet that names an older one is history */
	u32 chain;             /* next frame of this buffer, XL_NONE */
	u32 head;              /* first frame */
	u64 seq;               /* DATA: offset of the first byte in the sequence, given when it is first sent, before that the id of
				* the first message in it; LARGE: the message; DGRAM: the first datagram */
	u64 last_number;       /* packet number of the newest transmission */
	u64 due_ns;            /* DGRAM: dropped unsent from then on; XL_NEVER */
	u32 at;                /* LARGE: offset of the first byte in the message; DATA, unsent: bytes before the first message head */
	u32 seq_bytes;         /* bytes of the program in it */
	u32 len;               /* bytes of its records, at XLANE_TX_HEADROOM_BYTES of the first frame; 0: none yet */
	u8 type;               /* enum xl_txbuf_type; a DGRAM buffer may hold several records, the others hold one */
	u8 records;
	u8 state;
	u8 frames;
	u8 in_ring;            /* frames that the driver has */
	u8 priority;           /* in the queue, higher first */
	bool large_head;       /* unsent: the head of the large message under way is in it */
	struct xl_link rank;   /* queue.h: of the first buffer of a priority */
	u32 rank_tail;
	bool acked, fin, sent_before;
};

/* --- sent packets ------------------------------------------------------------------------- */
enum xl_control_bits { /* what is to be sent, or what a packet carried and must go again if it is lost */
	XL_CTL_CREDIT = 1, XL_CTL_PING = 2, XL_CTL_BLOCKED = 4, XL_CTL_HANDSHAKE = 8, XL_CTL_ABORT = 16,
	XL_CTL_GRANT = 64,
	XL_CTL_MAX_PACKET = 128,
	XL_CTL_PROBE = 32, /* a PING in a packet of its own, with the extension: who lost the connection can say so */
};

struct xl_sent {
	struct xl_link link;   /* in the connection's list, ascending numbers; or in the free list */
	u64 number, time_ns;
	u32 txbuf, generation; /* XL_NONE: none */
	u32 order;             /* so many were sent before it, modulo 2^32 */
	u16 bytes;
	u8 control;
	bool lost;             /* taken for lost, and on the list of these; kept for a while to notice that it was not */
	bool pad;              /* asks whether the path takes a packet so large, and is no data: its loss is no congestion */
};

/* --- connections -------------------------------------------------------------------------- */
#define XL_RBUF_INLINE 4

/* Receive memory: block n of the sequence (offset / XLANE_BLOCK_BYTES) is in slot n mod size of the table, which is
 * inline while the span is small, else one block of indices. */
struct xl_rbuf {
	u32 slot[XL_RBUF_INLINE];
	u32 table;             /* block that holds XLANE_BLOCK_BYTES / 4 slots, or XL_NONE */
	u32 blocks;            /* data blocks held */
};

/* A large message on its way out: its head is in the sequence, its bytes come from the program when they may be sent. */
struct xl_large_out {
	u64 message;           /* offset of its head; XL_NONE64: not sent yet */
	u32 bytes, fed, granted;
	bool open;             /* not fed to its end yet */
};

enum xl_large_state {
	XL_LARGE_NONE,
	XL_LARGE_WAITING,      /* head parsed; waits for memory */
	XL_LARGE_GRANTED,      /* memory for all of it is reserved */
	XL_LARGE_COMPLETE,     /* all of it is here; the program reads it */
	XL_LARGE_DISCARDED,    /* nobody reads it: granted without memory, dropped as it comes */
};

/* A large message on its way in. Block n of it is in slot n of the index blocks; what was consumed is given back. */
struct xl_large_in {
	u64 message;           /* offset of its head */
	u32 bytes, read;       /* of them consumed by the program */
	u64 due_ns;            /* GRANTED: when its period is over, */
	u32 moved;             /* and new bytes since that began */
	u32 index[XL_LARGE_INDEX_MAX];
	u32 ranges;            /* block with struct xl_ranges: what is here; gone when all is */
	u16 reserved, held;    /* blocks: still reserved for it, and of these taken */
	u8 state;
};

enum xl_reading { XL_READING_NOTHING, XL_READING_FRONT, XL_READING_EARLY, XL_READING_LARGE, XL_READINGS };

struct xl_rtt {
	u64 srtt_ns, rttvar_ns, min_ns, latest_ns;
	u64 since_ns : 63;       /* when the first sample was taken */
	bool sampled : 1;
};

/* What a connection that sends data knows of the way its data takes (flow.h). */
struct xl_flow {
	struct xl_link link;     /* among those at rest, or free ones */
	u32 conn;                /* XL_NONE: free */
	u8 skips;                /* entries of `skipped` in use; past the last one it counts round from XL_SKIPS_KEPT */
	struct xl_cc cc;
	u64 pace_ns;             /* pacer.h: from when on the next packet is due */
	u64 pace_cost, pace_key; /* time for a byte (xl_cc_ops.pace), and of which window and round trip */
	u64 skip_at, skipped[XL_SKIPS_KEPT];
	u64 run_start_ns;        /* all packets sent from then on, up to the one before run_order, are lost; XL_NEVER: none */
	u32 run_order;
	u32 episode_order, episode_lost; /* loss.h: first packet lost in it, and how many are still taken for lost */
};

/* The handshake, until the connection is open. */
struct xl_call {
	struct xl_path path;     /* where the INIT came from: the ACCEPT goes there, and confirming it moves the peer */
	u64 first_ns;
	u32 retry_ns;
	u8 cookie[XLANE_COOKIE_BYTES];
};

/*
 * In the order of use: what every packet that comes needs is in the first lines of the cache, then what every packet that
 * goes needs, then the rest; figures and what is rare last. There are very many of these, most of them idle: what only
 * those need that send is in a flow, what only those need that receive is in blocks.
 */
struct xl_conn {
	/* who */
	u64 local_id, remote_id;
	u32 peer, listener;
	u8 kind, state;
	u8 control;              /* XL_CTL bits to send */
	u8 ack_every;            /* packets that share an ACK while all is well */
	bool initiator : 1, owned : 1, crossing : 1, call_mapped : 1, calling : 1 /* `call` is valid */, has_cookie : 1;
	bool shut_wanted : 1, closed_told : 1, crc_off : 1, ended_gracefully : 1;
	bool ack_now : 1, fin_received : 1;
	bool is_active : 1, is_event : 1, is_waiting : 1, awaits_memory : 1;
	bool is_fresh : 1;       /* is_active among those that go first (sched.h) */
	bool is_held : 1;        /* had data when it last could send nothing */
	bool fin_queued : 1, fin_acked : 1, want_write : 1, want_large : 1;
	bool window_limited : 1; /* the window, not the program, sets the pace: it may grow (RFC 9002, 7.8) */
	bool large_turn : 1;     /* the next new packet is one of the large message, if there is one */
	bool datagram_any : 1;   /* some id is over */

	/* what came */
	struct xl_received received;
	u64 ack_due_ns, largest_time_ns;
	u32 largest_host_ns;     /* that packet may have waited here so long before; 0: not known */
	u32 ack_pending;
	u32 received_table;      /* block of ranges, or XL_NONE */
	u32 holes;               /* block with struct xl_ranges, or XL_NONE */
	u64 recv_next, recv_highest, consumed, credit_given;

	/* what goes */
	u64 next_number;
	u64 largest_acked;       /* XL_NONE64: none */
	u64 inflight;            /* bytes of sent packets neither acknowledged nor lost */
	u64 last_eliciting_ns, loss_time_ns;
	u32 inflight_packets;
	u32 flow;                /* XL_NONE: none */
	u32 sent_order, acked_order; /* of the next packet, of the newest acknowledged: see struct xl_sent */
	struct xl_link active;
	s32 deficit;             /* bytes of data that its turn still allows */
	u32 pto_count;
	struct xl_list queue, queue_large, again, flight, sent, lost;
	struct xl_list ranks;    /* queue.h: the first buffers of each priority in the queue, highest first */
	u32 unasked;             /* packets that ask for an ACK sent since asked_number */
	u64 asked_number;        /* newest packet with a PING; XL_NONE64: none */
	u64 seq_next;            /* offset of what is sent next for the first time */
	u64 seq_queued;          /* bytes of the sequence that wait for that */
	u64 seq_acked_bytes, credit_limit, blocked_at;
	u64 buffered;            /* bytes in transmit buffers */
	u64 other_bytes, other_done; /* bytes outside the sequence (LARGE, DGRAM): taken, and of them acknowledged or given up */
	struct xl_rtt rtt;
	u64 ring_ns;             /* the next packet's frames are with the driver still: when to look again */
	u64 pace_due_ns;         /* the next packet waits for its time (pacer.h); XL_NEVER: it does not */
	u64 persist_ns;          /* stands without credit and nothing in flight: when to ask again; XL_NEVER: it does not */
	u64 expire_ns;           /* not after the first deadline of what waits; XL_NEVER */
	u16 max_packet;
	u16 peer_packet;         /* largest packet that the peer receives; what is larger than 2^16 - 1 counts as that */
	u16 told_packet;         /* what it was told to be the largest that is received here; 0: one or the other value */
	u16 pad;                 /* size of a packet to try the path with; 0: none */
	u16 reorder_packets;
	u8 reorder_quarters;     /* quarter round trips added to the time threshold by evidence */
	u8 calm_episodes;        /* without a wrong verdict */
	u8 probes;
	u8 persist_count;        /* persist.h: times in a row that the peer answered, and took or gave nothing */
	u8 congestion;           /* enum xl_cc_algorithm */
	u8 priority;             /* of messages taken from now on */
	u8 queue_turns;          /* taken from the front of the queue since the oldest had its turn */
	u8 reading;              /* enum xl_reading: where that is; its header is consumed */
	u8 event_bits;
	u8 call_tries, abort_tries;
	u16 local_port, remote_port;
	u32 send_buffer;
	u32 stall_ms;            /* 0: the engine's peer_death_ns */
	u32 message_max, peer_ack_delay_ns;

	/* receive memory, messages, datagrams */
	struct xl_rbuf rbuf;
	u32 promised;            /* blocks: for what is `backed`, or those that are held */
	u64 fin_at;
	u64 message_parse;       /* where the next message header is expected */
	u64 early_at;            /* reading an early message: its next byte */
	u32 messages_ready;      /* whole ones, the one being read included */
	u32 message_left;        /* bytes of the one being read */
	u32 early;               /* block of message starts behind holes (early.c), or XL_NONE */
	u32 datagrams;           /* block: struct xl_datagrams, or XL_NONE: all ids up to datagram_top are over, none in parts */
	u64 datagram_top;        /* highest id that is over, if any is */
	u64 partial_due_ns;
	u32 window;              /* window.h: bytes past `consumed` that the peer is to have as credit */
	u32 backed;              /* of these have memory: 0, or XLANE_RECV_WINDOW_MIN_BYTES at least */
	u64 pace_from, pace_since_ns, grown_ns; /* where and when measuring the reader's pace began; the window's last growth */
	u64 data_ns;             /* when something new last came and there was memory for it */
	u64 rest_ns;             /* memory is promised: when to see whether anything still comes */
	struct xl_large_in large_in;
	struct xl_large_out large_out;
	u64 datagram_next;
	u64 message_last;        /* id of the message or datagram taken last: they are counted from 1 */
	u64 deadline_ns;         /* time that a datagram may wait to be sent; 0: any */

	/* lists of the engine */
	union {                  /* a program owns it, or it is not accepted yet */
		struct xl_link event, accept;
	};
	struct xl_link of_peer, waiting, large_class, large_age, backing;

	/* what is rare */
	s32 error;
	u32 abort_code;
	u64 call_id, remote_key, user, peer_incarnation;
	u64 first_number;
	u64 peer_first;          /* the peer numbers its packets from here */
	u64 peer_packet_number;  /* of the newest packet that said how large packets it receives */
	u64 stalled_ns;          /* of the first probe timeout since anything was acknowledged */
	u64 call_time_ns, linger_until_ns;
	u64 packets_sent, messages_sent;
	union {
		struct xl_call call;
		struct {         /* what begins when it is open: 0 then */
			u64 told_number, told_largest; /* packet of ours that carried an ACK, and the largest number in it */
			u64 told_before;  /* the peer knows, for a round trip already, what we have up to here */
			u64 bytes_received, packets_received, messages_received;
			u32 packets_again, packets_lost, packets_spurious, ptos; /* they stop at 2^32 - 1 */
		};
	};
};

/* --- peers, listeners, answers without state ------------------------------------------------ */

/* What is known of the size of packets that a path lets through (pmtu.c). */
struct xl_pmtu {
	u32 packet;              /* the largest that is used; XLANE_MTU_MAX: nothing speaks against any size */
	u32 bad;                 /* smallest packet lost while none as large arrived; XL_NONE: none */
	u32 losses, rounds;      /* such losses, and the rounds in which there were some */
	u32 good, good_before;   /* largest packet acknowledged in this round, and in the one before */
	u64 round_ns;            /* a loss of a packet sent from here on begins a new round */
	u64 raise_ns;            /* when a larger packet is tried; XL_NEVER */
	u64 wait_ns;             /* from one try to the next */
	bool counted;            /* this round is counted */
};

struct xl_peer {
	struct xl_path path;
	u64 node, incarnation;   /* 0: not known yet */
	u64 heard_ns, asked_ns;  /* asked_ns 0: nothing was asked since it was last heard */
	u64 checked_ns;          /* when a connection was last asked about */
	u64 swept_ns, sweep_ns;  /* it had lost a connection: when that was noticed, when the next others are asked */
	u32 looked;              /* connections in a row that were looked at and are lingering */
	u32 sweep;               /* connections still to be asked for that reason */
	u32 tell;                /* connections that may still have to say how large a packet is received here, */
	u64 tell_ns;             /* and when the next of them do */
	struct xl_pmtu pmtu;
	struct xl_list conns;
	struct xl_link idle;
	bool used, is_idle;
};

struct xl_listener {
	u64 user;
	struct xl_list ready;    /* established, not accepted */
	struct xl_link event;
	u32 pending, backlog;    /* pending: half-open and ready */
	u16 port;
	u8 kind;
	bool used, is_event;
};

struct xl_reply {
	struct xl_path path;
	u64 id, destination_node, source_id, refused_id, refused_number;
	u32 error, room;
	u8 type;                 /* XLANE_PACKET_RESET or XLANE_PACKET_COOKIE */
	u8 cookie[XLANE_COOKIE_BYTES];
};

struct xl_engine {
	struct xl_engine_config cfg;
	struct xl_frames *frames;
	u64 now_ns, counters[XL_ENGINE_COUNTER_COUNT];
	u64 behind_ns;           /* how far the caller's clock has gone back, in all: now_ns goes on from where it was */
	u64 host_ns;             /* the packet in hand may have waited in this host so long; 0: not known */
	u64 leapt_ns;            /* when time last leapt: no round trip is measured across it */
	struct xl_prng prng;
	u64 cookie_key[2];
	u32 tx_frames;           /* frames held by transmit buffers */
	u64 serves[XLANE_BUCKETS / 64], frozen[XLANE_BUCKETS / 64]; /* a bit for each bucket: buckets.h */
	bool starved;
	u64 starved_until_ns, starved_wait_ns;
	u16 next_port;

	struct xl_conn *conns;
	struct xl_peer *peers;
	struct xl_txbuf *txbufs;  /* [frames->count] */
	struct xl_sent *sents;
	struct xl_flow *flows;
	u32 nflows;
	u32 nsents, sents_per_conn; /* all, and how many one connection may have: who never acknowledges stalls only itself */
	u8 *blocks;
	u32 *block_free;
	u32 nblock_free;
	u8 *block_state;         /* enum xl_block_state */
	u32 promised;            /* blocks promised to connections, those that they hold included */
	u32 away;                /* blocks with connections that were exported */
	u32 reserve;             /* blocks that windows leave to large messages */
	u32 granted, grants;     /* blocks reserved for large messages, messages in reassembly; with promised and away <= cfg.blocks */
	u32 grants_given;        /* modulo XL_GRANT_OLDEST_EVERY: whose turn it is */
	u32 message_max;         /* largest message that the reserve takes */
	u32 holders;             /* connections that hold data in transmit buffers */
	u32 tx_frames_data;      /* frames of cfg.tx_frames_max that are not kept for large messages */
	u64 grant_classes;       /* a bit for each list of large_classes that is not empty */
	struct xl_list large_classes[XL_GRANT_CLASSES], large_ages;
	struct xl_listener listeners[XLANE_LISTENERS_MAX];
	struct xl_list listener_events; /* of them with an event that the program has not fetched */
	struct xl_reply replies[XL_REPLIES_MAX];
	u32 reply_head, reply_count;

	u64 ended_ring[XL_ENDED_MAX];
	u32 ended_next;
	struct xl_map ended, by_local, by_remote, by_call, by_node, by_port;
	struct xl_wheel wheel;   /* ids: connections, then peers */
	struct xl_list conn_free, peer_free, peer_idle, sent_free, flow_free, flow_rest, events;
	struct xl_list fresh, active; /* whose turn it is to send: sched.h */
	struct xl_list backing;  /* connections that wait for memory, in the order in which they came */
	struct xl_list writers;  /* connections whose program waits for frames: writers.h */
	bool frames_freed;       /* since the writers were last looked at, */
	u32 writers_free;        /* and how many were free then */
	u32 writers_left;        /* of them not looked at since then, */
	u64 writers_ns;          /* and when to look at more of these; XL_NEVER: none are left */
	struct xl_links l_active, l_listener, l_event, l_writer, l_accept, l_of_peer, l_large_class, l_large_age, l_backing;
	struct xl_links l_tx, l_rank, l_sent, l_flow, l_idle;
	u32 conns_used, half_open;
};

enum xl_block_state { XL_BLOCK_FREE, XL_BLOCK_TAKEN, XL_BLOCK_AWAY /* with a connection that was exported */ };

static inline struct xl_conn *xl_conn_at(const struct xl_engine *e, u32 i)
{
	XL_ASSERT(i < e->cfg.conns_max && e->conns[i].state != XL_STATE_FREE);
	return &e->conns[i];
}

static inline u32 xl_conn_index(const struct xl_engine *e, const struct xl_conn *c) { return (u32)(c - e->conns); }
/* Nobody will read what this connection receives. */
static inline bool xl_conn_gone(const struct xl_conn *c) { return !c->owned && c->listener == XL_NONE; }
static inline void xl_count(struct xl_engine *e, enum xl_engine_counter n) { e->counters[n]++; }
/* A figure that stops at its end. */
static inline void xl_up(u32 *n) { *n += *n != UINT32_MAX; }
static inline u8 *xl_block_ptr(const struct xl_engine *e, u32 b) { return e->blocks + (u64)b * XLANE_BLOCK_BYTES; }

#endif
