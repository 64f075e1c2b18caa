/* SPDX-License-Identifier: BSD-2-Clause */
/* ether.h - the link header: Ethernet II with up to two VLAN tags (IEEE 802.3, 802.1Q, 802.1ad). */
#ifndef XL_WIRE_ETHER_H
#define XL_WIRE_ETHER_H

#include <xlane/limits.h>
#include "../base/types.h"

#define XL_ETHER_BYTES 14
#define XL_VLAN_BYTES 4

enum xl_ether_verdict { XL_ETHER_OK = 0, XL_ETHER_SHORT, XL_ETHER_DEEP_VLAN };

struct xl_vlan { u16 tpid, tci; };
struct xl_ether {
	u8 destination[6], source[6];
	u16 ethertype;                       /* behind the tags */
	u8 tags;                             /* 0..XLANE_VLAN_TAGS_MAX */
	struct xl_vlan tag[XLANE_VLAN_TAGS_MAX];
};

static inline u32 xl_ether_bytes(const struct xl_ether *h) { return XL_ETHER_BYTES + h->tags * XL_VLAN_BYTES; }
/* p: contiguous, len bytes. TPIDs 0x8100 and 0x88a8 are tags. DEEP_VLAN: a third tag. */
enum xl_ether_verdict xl_ether_parse(const u8 *p, u64 len, struct xl_ether *out);
void xl_ether_emit(u8 *p, const struct xl_ether *h);

#endif
