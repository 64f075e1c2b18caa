/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * link.h - the link layer of a worker: Ethernet frames on one side, struct xl_path and packets on the other.
 *
 * Guarantee: a frame that xl_link_parse lets through is addressed to this station (or to all), carries the worker's
 * ethertype and VLAN, comes from an ordinary station that is not this one, and its packet starts at the outer header.
 * Every frame it does not let through has raised exactly one counter. No frame changes its owner here. One thread.
 *
 * VLAN: a worker lives in one VLAN (or none): its tags are on every frame that it sends, and a received frame must
 * carry the same ids. Network cards and kernels strip outer tags on receive: a frame that lacks outer tags is taken
 * as if it had them (and counted). Priority bits are not compared; a priority tag (VLAN id 0) counts as none.
 */
#ifndef XL_LINK_H
#define XL_LINK_H

#include "../base/frames.h"
#include "../base/packet.h"
#include "../wire/ether.h"

#define XL_LINK_COUNTERS(X) \
	X(RX_SHORT, "rx_short", "dropped: shorter than its link header, or nothing behind it") \
	X(RX_DEEP_VLAN, "rx_deep_vlan", "dropped: more VLAN tags than are looked through") \
	X(RX_OTHER_ETHERTYPE, "rx_other_ethertype", "dropped: not the ethertype of this worker") \
	X(RX_OTHER_MAC, "rx_other_mac", "dropped: addressed to another station or a group") \
	X(RX_OWN, "rx_own", "dropped: sent by this station itself") \
	X(RX_BAD_SOURCE, "rx_bad_source", "dropped: source address is zero or a group") \
	X(RX_OTHER_VLAN, "rx_other_vlan", "dropped: VLAN tags are not those of this worker") \
	X(RX_TAG_STRIPPED, "rx_tag_stripped", "received without the outer VLAN tags: taken as stripped on the way") \
	X(TX_BAD_PATH, "tx_bad_path", "not sent: no room for the link header, or a path that is not Ethernet") \
	X(TX_REFUSED, "tx_refused", "not sent: the driver took fewer packets than it had room for")
enum xl_link_counter {
#define XL_LINK_COUNTER_ENUM(name, key, text) XL_LINK_##name,
	XL_LINK_COUNTERS(XL_LINK_COUNTER_ENUM)
	XL_LINK_COUNTER_COUNT
};

struct xl_link_layer {
	u8 mac[6];           /* this station */
	u16 ethertype;
	u32 tags;            /* VLAN tags of the worker */
	struct xl_vlan tag[XLANE_VLAN_TAGS_MAX];
	u64 counters[XL_LINK_COUNTER_COUNT];
};

#define XL_LINK_VLAN_AD 0x1000   /* flag beside a VLAN id: the tag is 802.1ad (0x88a8), else 802.1Q (0x8100) */

/* vlan[]: ids outer first, 0 = none. -EINVAL: an id above 4094, or an inner tag without an outer one. */
int xl_link_init(struct xl_link_layer *l, const u8 mac[6], u16 ethertype, const u16 vlan[XLANE_VLAN_TAGS_MAX]);
/* The path from this station to `mac` in the worker's VLAN. */
void xl_link_path(const struct xl_link_layer *l, const u8 mac[6], struct xl_path *out);
/* Received frame: check the link header, fill p->path, trim it off seg[0]. False: not for the engine, counted. */
bool xl_link_parse(struct xl_link_layer *l, const struct xl_frames *f, struct xl_packet *p);
/* Packet to send: write the link header of p->path before seg[0], which has XLANE_LINK_HEADER_MAX_BYTES of room there.
 * False: it can not be sent, counted. */
bool xl_link_emit(struct xl_link_layer *l, const struct xl_frames *f, struct xl_packet *p);
/* Bytes that this link's header takes beyond plain Ethernet's 14: they are taken off the MTU, as not every interface
 * carries tags on top of it. */
u32 xl_link_tag_bytes(const struct xl_link_layer *l);

const char *xl_link_counter_name(enum xl_link_counter c);
const char *xl_link_counter_text(enum xl_link_counter c);

#endif
