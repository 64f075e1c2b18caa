/* SPDX-License-Identifier: BSD-2-Clause */
/* output.h - making packets: whose turn it is, what goes into a packet, headers pushed in front of the data. */
#ifndef XL_OUTPUT_H
#define XL_OUTPUT_H

#include "../wire/outer.h"
#include "core.h"

/* A packet under construction: records grow downwards from the headroom's end, or a bare frame is filled upwards. */
struct xl_build {
	u32 tb;              /* transmit buffer or bare frame */
	u32 head;            /* offset of the first byte pushed so far, from the frame's start */
	u32 tail;            /* offset behind the last byte */
	u32 budget;          /* bytes that may still be pushed */
	u8 control;          /* XL_CTL bits that went in */
	bool eliciting;      /* the packet asks for an ACK */
	bool acked;          /* it carries an ACK */
	bool ask;            /* it is to carry a PING, so that the ACK comes at once */
	bool asks;           /* it does carry one */
	bool alone;          /* no data in it: what goes with the extension may go in */
};

/* Push `bytes` in front; false when they do not fit. */
u8 *xl_build_push(struct xl_engine *e, struct xl_build *b, u32 bytes);
/* Outer header, extension, tag; describes the packet in *out. */
void xl_build_seal(struct xl_engine *e, struct xl_build *b, struct xl_outer *h, const struct xl_path *path,
		   struct xl_packet *out);
/* ACK and control records of a joined connection, as far as they fit. */
void xl_build_control(struct xl_engine *e, struct xl_conn *c, struct xl_build *b);
/* A packet without data on a fresh frame, its records at the headroom's end. False: no frame. */
bool xl_build_bare(struct xl_engine *e, struct xl_build *b, u32 budget);

#endif
