/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * limits.h - every bound of xlane, on one page.
 *
 * Nothing in the engine, the drivers or the tools grows without a bound that is named here.
 * Relations between bounds are asserted at the end of this file, at compile time.
 * Units are last in a name; a name without a unit counts things.
 */
#ifndef XLANE_LIMITS_H
#define XLANE_LIMITS_H

/* --- the link ------------------------------------------------------------------------- */
#define XLANE_ETHERTYPE_DEFAULT     0x88B5   /* IEEE Std 802 local experimental ethertype 1 */
#define XLANE_VLAN_TAGS_MAX         2        /* 802.1Q inside 802.1ad (QinQ) */
#define XLANE_MTU_MIN               256      /* smallest link MTU that xlane accepts, bytes */
#define XLANE_MTU_MAX               9216     /* largest link MTU that xlane uses, bytes */

/* --- frames (UMEM) -------------------------------------------------------------------- */
#define XLANE_FRAME_BYTES           4096     /* one UMEM chunk: a page, so a frame never crosses one */
#define XLANE_FRAMES_DEFAULT        4096
#define XLANE_FRAMES_MIN            256
#define XLANE_FRAMES_MAX            65536
#define XLANE_KERNEL_HEADROOM_BYTES 256      /* XDP_PACKET_HEADROOM: the kernel keeps it in an RX frame */
#define XLANE_TX_HEADROOM_BYTES     320      /* room for link header, outer header, ACK and control records */
#define XLANE_LINK_HEADER_MAX_BYTES 22       /* Ethernet and two tags */
#define XLANE_PACKET_SEGS_MAX       8        /* frames (descriptors) that one packet spans */
#define XLANE_BATCH_MAX             64       /* packets in one poll of a driver */
#define XLANE_RING_SIZE_DEFAULT     2048     /* slots of an RX, TX, FILL or COMPLETION ring */
#define XLANE_QUEUES_MAX            64       /* receive queues of one interface */
#define XLANE_WORKERS_MAX           16       /* workers on one interface */

/* --- demultiplexing ------------------------------------------------------------------- */
#define XLANE_BUCKETS               256      /* first byte of a connection id */
#define XLANE_XSK_SLOTS             (XLANE_QUEUES_MAX * XLANE_WORKERS_MAX)

/* --- peers, connections, ports -------------------------------------------------------- */
#define XLANE_CONNS_DEFAULT         1024     /* connections of one worker */
#define XLANE_CONNS_MAX             1048576
#define XLANE_PEERS_DEFAULT         256
#define XLANE_LISTENERS_MAX         1024     /* ports that one worker answers, of all its clients */
#define XLANE_BACKLOG_MAX           1024     /* connections that wait for accept on one listener */
#define XLANE_HALF_OPEN_COOKIE      64       /* half-open connections from which on a cookie is asked for */
#define XLANE_EPHEMERAL_PORT_FIRST  49152
#define XLANE_EPHEMERAL_PORT_LAST   65535

/* --- data ----------------------------------------------------------------------------- */
#define XLANE_MESSAGE_MAX_BYTES     16777216 /* 16 MiB */
#define XLANE_MESSAGE_SMALL_MAX_BYTES 65536  /* larger messages wait for the receiver's grant */
#define XLANE_DATAGRAM_MAX_BYTES    65536
#define XLANE_SEND_BUFFER_BYTES     1048576  /* per connection: bytes queued or unacknowledged */
#define XLANE_RECV_WINDOW_BYTES     1048576  /* per connection: credit that the receiver gives a reader that keeps up */
#define XLANE_RECV_WINDOW_MIN_BYTES 131072   /* credit of a new or resting connection, and least memory of one that receives */
#define XLANE_BLOCK_BYTES           4096     /* one block of receive memory */
#define XLANE_BLOCKS_DEFAULT        16384    /* 64 MiB of receive memory per worker */
#define XLANE_WINDOW_TABLE_BLOCKS   6        /* blocks a window needs past its bytes: two ends, four tables */
#define XLANE_BLOCKS_MIN            38       /* one connection that receives */
#define XLANE_HOLES_MAX             254      /* received intervals past the contiguous prefix */
#define XLANE_ACK_RANGES_KEPT       64       /* packet number ranges that a receiver remembers */
#define XLANE_ACK_RANGES_SENT       16       /* ranges that one ACK record carries at most */
#define XLANE_GRANTS_MAX            64       /* large messages in reassembly at once, per worker */
#define XLANE_DATAGRAMS_PARTIAL_MAX 4        /* datagrams in reassembly at once, per connection */

/* --- clients of the daemon -------------------------------------------------------------- */
#define XLANE_CLIENTS_MAX           1024     /* clients of one daemon */
#define XLANE_INTERFACES_MAX        16       /* interfaces of one daemon */
#define XLANE_CHANNEL_SLOTS_DEFAULT 64       /* connections of one channel (a client has one channel to each worker) */
#define XLANE_CHANNEL_SLOTS_MAX     4096
#define XLANE_CHANNEL_RING_MIN_BYTES 4096    /* one direction of one slot; a power of two */
#define XLANE_CHANNEL_RING_DEFAULT_BYTES 262144
#define XLANE_CHANNEL_RING_MAX_BYTES 16777216
#define XLANE_CHANNEL_COMMANDS      256      /* slots of the rings of commands and of replies, a power of two */
#define XLANE_CHANNEL_LISTENERS_MAX 64       /* listening ports of one client */
#define XLANE_HANDOVER_MAX          512      /* connections that are given and not yet taken, per worker */
#define XLANE_HANDOVER_MAX_BYTES    268435456 /* and what lay in their rings; of both a user has at most what is left over */
#define XLANE_HANDOVER_S            10       /* a connection that nobody takes for so long is reset */
#define XLANE_HOME_WAKE_FRAMES      64       /* frames that wait to go home before their sleeping owner is woken */
#define XLANE_QUEUE_LATE_MS         10       /* a queue whose home worker was not there for so long is served by others */
#define XLANE_FIGURES_CONNS_MAX     65536    /* connections of one worker that a list of the daemon's names; it tells how many it left out */
#define XLANE_FIGURES_PEERS_MAX     65536    /* and peers */

/* --- wire ----------------------------------------------------------------------------- */
#define XLANE_PARAMS_MAX            16       /* parameters of one handshake record */
#define XLANE_RECORDS_MAX           64       /* records of one packet that a receiver looks at */
#define XLANE_INIT_MIN_BYTES        160      /* an INIT packet is padded to this: no reply is larger */
#define XLANE_COOKIE_BYTES          16

_Static_assert((XLANE_BUCKETS & (XLANE_BUCKETS - 1)) == 0, "a bucket is taken by masking");
_Static_assert((XLANE_RING_SIZE_DEFAULT & (XLANE_RING_SIZE_DEFAULT - 1)) == 0, "AF_XDP rings are powers of two");
_Static_assert(XLANE_PACKET_SEGS_MAX * (XLANE_FRAME_BYTES - XLANE_TX_HEADROOM_BYTES) >= XLANE_MTU_MAX,
	       "the largest packet fits the descriptors of one packet");
_Static_assert(XLANE_RECV_WINDOW_MIN_BYTES >= XLANE_MESSAGE_SMALL_MAX_BYTES + 2 * XLANE_MTU_MAX,
	       "a whole small message and its neighbours fit the smallest window");
_Static_assert(XLANE_BLOCKS_MIN >= XLANE_RECV_WINDOW_MIN_BYTES / XLANE_BLOCK_BYTES + XLANE_WINDOW_TABLE_BLOCKS,
	       "the least receive memory takes one connection that receives");
_Static_assert(XLANE_HOLES_MAX * 16 + 32 <= XLANE_BLOCK_BYTES, "the table of holes is one block");
_Static_assert(XLANE_LINK_HEADER_MAX_BYTES + 20 + 28 + 16 + 4 + XLANE_ACK_RANGES_SENT * 8 + 64 <=
	       XLANE_TX_HEADROOM_BYTES, "every header of a data packet fits the headroom");

#endif
