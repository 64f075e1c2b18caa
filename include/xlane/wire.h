/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire.h - byte layouts of everything xlane puts on the wire.
 *
 * All integers are big-endian. Structures are packed and hold byte arrays or be types only; nothing outside
 * user/wire and bpf reads them, the rest of the tree works with the parsed, host-order values. The rules are in
 * docs/PROTOCOL.md; section numbers there are given here.
 *
 *   Ethernet [VLAN [VLAN]] | outer header 20 | [extension 28] | records ... | [tag 4] | Ethernet padding
 *                            ^-- 'length' counts from here up to and with the tag ----^
 */
#ifndef XLANE_WIRE_H
#define XLANE_WIRE_H

#include "limits.h"

#define XLANE_VERSION 1

/* --- outer header (PROTOCOL 3) -------------------------------------------------------- */
/* 0: version << 4 | type   1: flags   2: be16 length   4: be64 connection id (byte 4 = bucket)   12: be64 packet number */
#define XLANE_OUTER_BYTES   20
#define XLANE_OUTER_BUCKET  4     /* offset of the byte that the demultiplexer reads */
#define XLANE_TAG_BYTES     4     /* CRC32C over everything from the outer header up to the tag */

enum xlane_packet_type {
	XLANE_PACKET_DATA = 0,    /* on a connection; id = the receiver's connection id */
	XLANE_PACKET_INIT = 1,    /* first packet; id = call id (PROTOCOL 5.1); extension needed */
	XLANE_PACKET_ACCEPT = 2,  /* answer; id = the initiator's connection id; extension needed */
	XLANE_PACKET_COOKIE = 3,  /* answer under load; id = the initiator's connection id; extension needed */
	XLANE_PACKET_RESET = 4,   /* refusal, or answer to an unknown connection; extension needed */
	XLANE_PACKET_TYPES
};

#define XLANE_FLAG_EXT      0x01  /* the extension follows the outer header */
#define XLANE_FLAG_CRC      0x02  /* the packet ends in a CRC32C tag */
#define XLANE_FLAGS_KNOWN   0x03  /* any other flag: the packet is dropped */

/* --- extension (PROTOCOL 3.2): 0 u8 bytes (28)  1 u8 hop limit  2 be16 zero  4 be64 source node
 *     12 be64 destination node (0 = not known)  20 be64 source connection id */
#define XLANE_EXT_BYTES     28
#define XLANE_HOP_LIMIT     16

/* --- records (PROTOCOL 4): 0 u8 type  1 u8 flags  2 be16 bytes of the body that follows -- */
#define XLANE_RECORD_BYTES  4
#define XLANE_RECORD_IGNORABLE 0x80  /* an unknown record type with this bit is skipped, without it is an error */

enum xlane_record_type {
	XLANE_RECORD_PAD = 0x00,     /* body ignored */
	XLANE_RECORD_DATA = 0x01,    /* be64 offset, bytes */
	XLANE_RECORD_LARGE = 0x02,   /* be64 message, be32 offset, bytes: part of a granted message */
	XLANE_RECORD_DGRAM = 0x03,   /* be64 datagram, be32 total, be32 offset, bytes */
	XLANE_RECORD_ACK = 0x10,     /* be64 largest, be32 ack delay ns, be32 host delay ns, be32 run, {be32 gap, be32 run}* */
	XLANE_RECORD_CREDIT = 0x11,  /* be64 limit: offsets below it may be sent */
	XLANE_RECORD_GRANT = 0x12,   /* be64 message, be32 bytes of it that may be sent */
	XLANE_RECORD_PING = 0x13,    /* empty; asks for an ACK */
	XLANE_RECORD_BLOCKED = 0x14, /* be64 limit at which the sender stands */
	XLANE_RECORD_ABORT = 0x15,   /* be32 error code: the connection is reset */
	XLANE_RECORD_MAX_PACKET = 0x16, /* be32: largest packet this side receives from now on; asks for an ACK */
	XLANE_RECORD_INIT = 0x20,    /* be64 incarnation, be16 source port, be16 destination port, u8 kind, u8[3] zero, params */
	XLANE_RECORD_ACCEPT = 0x21,  /* be64 incarnation, be64 incarnation of the initiator, params */
	XLANE_RECORD_COOKIE = 0x22,  /* u8[16] cookie */
	XLANE_RECORD_REFUSE = 0x23,  /* be32 error code, be64 connection id and be64 packet number of what is refused */
};

#define XLANE_DATA_HEAD_BYTES   12   /* record header and offset */
#define XLANE_LARGE_HEAD_BYTES  16
#define XLANE_DGRAM_HEAD_BYTES  20
#define XLANE_ACK_HEAD_BYTES    24   /* record header, largest, delays, first run */
#define XLANE_ACK_RANGE_BYTES   8
#define XLANE_CREDIT_BYTES      12
#define XLANE_GRANT_BYTES       16
#define XLANE_PING_BYTES        4
#define XLANE_BLOCKED_BYTES     12
#define XLANE_ABORT_BYTES       8
#define XLANE_MAX_PACKET_BYTES  8
#define XLANE_INIT_HEAD_BYTES   20
#define XLANE_ACCEPT_HEAD_BYTES 20
#define XLANE_COOKIE_REC_BYTES  20
#define XLANE_REFUSE_BYTES      24

#define XLANE_DATA_FIN      0x01  /* DATA: the sequence ends with this record's last byte */
#define XLANE_DATA_BEGIN    0x02  /* DATA: the record's first byte is the first of a message header */

/* --- message header inside the sequence (PROTOCOL 4.2): be32 length, u8 class, u8 priority, be16 zero - */
#define XLANE_MESSAGE_HEAD_BYTES 8
enum xlane_message_class { XLANE_MESSAGE_SMALL = 0, XLANE_MESSAGE_LARGE = 1 };

/* --- handshake parameters (PROTOCOL 5.3): be16 id, be16 bytes, value --------------------- */
#define XLANE_PARAM_HEAD_BYTES  4
#define XLANE_PARAM_MUST        0x8000 /* who does not know a parameter with this bit refuses the connection */
enum xlane_param {
	XLANE_PARAM_MAX_PACKET = 0x8001, /* be32: largest packet (outer header to tag) this side receives */
	XLANE_PARAM_CREDIT = 0x8002,     /* be64: initial credit */
	XLANE_PARAM_ACK_DELAY = 0x0003,  /* be32: longest time an ACK is held back, ns */
	XLANE_PARAM_NO_CRC = 0x0004,     /* empty: packets without a tag are welcome; in force when both sides send it */
	XLANE_PARAM_MESSAGE_MAX = 0x0005,/* be32: largest message this side takes */
	XLANE_PARAM_COOKIE = 0x8006,     /* u8[16]: cookie of an earlier COOKIE packet */
	XLANE_PARAM_FIRST_NUMBER = 0x8007, /* be64: first packet number that this side uses on the connection */
};

enum xlane_kind { XLANE_KIND_STREAM = 1, XLANE_KIND_MESSAGE = 2, XLANE_KIND_UNORDERED = 3, XLANE_KIND_DATAGRAM = 4 };

/* --- error codes of ABORT and REFUSE (PROTOCOL 8) ----------------------------------------- */
#define XLANE_WIRE_ERRORS(X) \
	X(NONE, 0, "no error") \
	X(REFUSED, 1, "nobody listens on that port") \
	X(BACKLOG, 2, "the listener's queue is full") \
	X(UNKNOWN, 3, "no such connection") \
	X(STALE, 4, "stale incarnation") \
	X(PARAM, 5, "a parameter that must be understood is not, or has a wrong value") \
	X(KIND, 6, "the port serves another kind of connection") \
	X(PROTOCOL, 7, "the peer broke the protocol") \
	X(RESOURCES, 8, "out of connections or memory") \
	X(CANCELLED, 9, "reset by the program") \
	X(TOO_LARGE, 10, "message larger than the receiver takes") \
	X(PEER_DEAD, 11, "the peer does not answer")
enum xlane_wire_error {
#define XLANE_WIRE_ERROR_ENUM(name, value, text) XLANE_WIRE_##name = value,
	XLANE_WIRE_ERRORS(XLANE_WIRE_ERROR_ENUM)
};

_Static_assert(XLANE_OUTER_BYTES == 4 + 8 + 8, "outer header");
_Static_assert(XLANE_EXT_BYTES == 4 + 3 * 8, "extension");

#endif
