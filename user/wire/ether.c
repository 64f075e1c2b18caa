/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "../base/endian.h"
#include "ether.h"

#define TPID_8021Q  0x8100
#define TPID_8021AD 0x88a8

static inline bool is_tag(u16 ethertype)
{
	return ethertype == TPID_8021Q || ethertype == TPID_8021AD;
}

enum xl_ether_verdict xl_ether_parse(const u8 *p, u64 len, struct xl_ether *out)
{
	*out = (struct xl_ether){ 0 };
	if (len < XL_ETHER_BYTES)
		return XL_ETHER_SHORT;
	memcpy(out->destination, p, 6);
	memcpy(out->source, p + 6, 6);
	out->ethertype = xl_get16(p + 12);
	while (is_tag(out->ethertype)) {
		u32 at = xl_ether_bytes(out);

		if (out->tags == XLANE_VLAN_TAGS_MAX)
			return XL_ETHER_DEEP_VLAN;
		if (len - at < XL_VLAN_BYTES)
			return XL_ETHER_SHORT;
		out->tag[out->tags++] = (struct xl_vlan){ .tpid = out->ethertype, .tci = xl_get16(p + at) };
		out->ethertype = xl_get16(p + at + 2);
	}
	return XL_ETHER_OK;
}

void xl_ether_emit(u8 *p, const struct xl_ether *h)
{
	memcpy(p, h->destination, 6);
	memcpy(p + 6, h->source, 6);
	p += 12;
	for (u32 i = 0; i < h->tags; i++, p += XL_VLAN_BYTES) {
		xl_put16(p, h->tag[i].tpid);
		xl_put16(p + 2, h->tag[i].tci);
	}
	xl_put16(p, h->ethertype);
}
