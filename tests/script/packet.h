/* SPDX-License-Identifier: BSD-2-Clause */
/* packet.h - the steps "<" (a packet for the engine) and ">" (one that it is to send). */
#ifndef SCRIPT_PACKET_H
#define SCRIPT_PACKET_H

#include "record.h"

#define RECORDS_MAX 64

struct packet {
	u8 version, type, flags, hop;
	u16 length;
	u64 id, n, node, dest, source;
	bool ext, crc, crc_right, whole, torn; /* torn: no outer header */
	u32 count;
	struct record record[RECORDS_MAX];
};

void packet_parse(const struct raw *raw, struct packet *out);
/* In the script's own words, into `out`. `from_engine`: whose numbers it has. */
void packet_describe(const struct run *r, const struct packet *p, bool from_engine, char *out, u32 size);
struct talk packet_talk(const struct run *r, bool from_engine);

void packet_send(struct run *r);
void packet_expect(struct run *r);
void packet_expect_among(struct run *r); /* ">>": one of those that came at this time */
/* Told when that is wanted; what the engine sends is compared between first numbers. */
void packet_note(struct run *r, u64 time_ns, const char *text, bool from_engine);
/* The oldest packet that came is looked at: noted, and what it says that we must know is known. */
void packet_look(struct run *r);

#endif
