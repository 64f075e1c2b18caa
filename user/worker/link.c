/* SPDX-License-Identifier: BSD-2-Clause */
#include "link.h"

#include <errno.h>
#include <string.h>

#include "../base/endian.h"

#define TPID_Q  0x8100
#define TPID_AD 0x88a8
#define VID_MASK 0x0fff
#define VID_MAX 4094

int xl_link_init(struct xl_link_layer *l, const u8 mac[6], u16 ethertype, const u16 vlan[XLANE_VLAN_TAGS_MAX])
{
	memset(l, 0, sizeof *l);
	memcpy(l->mac, mac, sizeof l->mac);
	l->ethertype = ethertype;
	for (u32 i = 0; i < XLANE_VLAN_TAGS_MAX; i++) {
		u16 id = vlan[i] & ~XL_LINK_VLAN_AD;

		if (!vlan[i])
			continue;
		if (!id || id > VID_MAX || l->tags != i)
			return -EINVAL;
		l->tag[i].tpid = vlan[i] & XL_LINK_VLAN_AD ? TPID_AD : TPID_Q;
		l->tag[i].tci = id;
		l->tags++;
	}
	return 0;
}

u32 xl_link_tag_bytes(const struct xl_link_layer *l)
{
	return l->tags * XL_VLAN_BYTES;
}

void xl_link_path(const struct xl_link_layer *l, const u8 mac[6], struct xl_path *out)
{
	memset(out, 0, sizeof *out);
	memcpy(out->remote, mac, 6);
	memcpy(out->local, l->mac, 6);
	for (u32 i = 0; i < l->tags; i++) {
		xl_put16(out->extra + 4 * i, l->tag[i].tpid);
		xl_put16(out->extra + 4 * i + 2, l->tag[i].tci);
	}
}

static bool is_zero(const u8 mac[6])
{
	static const u8 zero[6];

	return !memcmp(mac, zero, 6);
}

static bool is_broadcast(const u8 mac[6])
{
	static const u8 all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	return !memcmp(mac, all, 6);
}

/* The received tags must be the innermost of ours: what is missing was stripped from the outside. Ids alone are
 * compared, since devices on the way may rewrite priority and even the TPID of an outer tag. */
static bool vlan_matches(struct xl_link_layer *l, const struct xl_ether *h)
{
	u16 id[XLANE_VLAN_TAGS_MAX];
	u32 n = 0;

	for (u32 i = 0; i < h->tags; i++)
		if (h->tag[i].tci & VID_MASK)
			id[n++] = h->tag[i].tci & VID_MASK;
	if (n > l->tags)
		return false;
	for (u32 i = 0; i < n; i++)
		if (id[i] != l->tag[l->tags - n + i].tci)
			return false;
	if (n < l->tags)
		l->counters[XL_LINK_RX_TAG_STRIPPED]++;
	return true;
}

/* XL_LINK_COUNTER_COUNT: the frame is ours. */
static enum xl_link_counter check(struct xl_link_layer *l, const struct xl_ether *h, u32 len)
{
	if (len <= xl_ether_bytes(h))
		return XL_LINK_RX_SHORT;
	if (h->ethertype != l->ethertype)
		return XL_LINK_RX_OTHER_ETHERTYPE;
	if (memcmp(h->destination, l->mac, 6) && !is_broadcast(h->destination))
		return XL_LINK_RX_OTHER_MAC;
	if (!memcmp(h->source, l->mac, 6))
		return XL_LINK_RX_OWN;
	if (h->source[0] & 1 || is_zero(h->source))
		return XL_LINK_RX_BAD_SOURCE;
	if (!vlan_matches(l, h))
		return XL_LINK_RX_OTHER_VLAN;
	return XL_LINK_COUNTER_COUNT;
}

bool xl_link_parse(struct xl_link_layer *l, const struct xl_frames *f, struct xl_packet *p)
{
	struct xl_seg *s = &p->seg[0];
	enum xl_link_counter why;
	struct xl_ether h;

	switch (xl_ether_parse(xl_frames_ptr(f, s->frame) + s->off, s->len, &h)) {
	case XL_ETHER_OK:
		why = check(l, &h, s->len);
		break;
	case XL_ETHER_DEEP_VLAN:
		why = XL_LINK_RX_DEEP_VLAN;
		break;
	default:
		why = XL_LINK_RX_SHORT;
		break;
	}
	if (why == XL_LINK_COUNTER_COUNT) {
		s->off += xl_ether_bytes(&h);
		s->len -= xl_ether_bytes(&h);
		xl_link_path(l, h.source, &p->path);
		return true;
	}
	l->counters[why]++;
	return false;
}

/* The header that a path names. False: it is not a path of this file's making. */
static bool header_of(const struct xl_link_layer *l, const struct xl_path *path, struct xl_ether *h)
{
	memcpy(h->destination, path->remote, 6);
	memcpy(h->source, path->local, 6);
	h->ethertype = l->ethertype;
	h->tags = 0;
	for (u32 i = 0; i < XLANE_VLAN_TAGS_MAX; i++) {
		u16 tpid = xl_get16(path->extra + 4 * i);

		if (!tpid)
			continue;
		if (tpid != TPID_Q && tpid != TPID_AD)
			return false;
		h->tag[h->tags].tpid = tpid;
		h->tag[h->tags++].tci = xl_get16(path->extra + 4 * i + 2);
	}
	return !memcmp(h->source, l->mac, 6) && !is_zero(h->destination);
}

bool xl_link_emit(struct xl_link_layer *l, const struct xl_frames *f, struct xl_packet *p)
{
	struct xl_seg *s = &p->seg[0];
	struct xl_ether h;
	u32 bytes;

	if (!header_of(l, &p->path, &h) || s->off < xl_ether_bytes(&h)) {
		l->counters[XL_LINK_TX_BAD_PATH]++;
		return false;
	}
	bytes = xl_ether_bytes(&h);
	s->off -= bytes;
	s->len += bytes;
	xl_ether_emit(xl_frames_ptr(f, s->frame) + s->off, &h);
	return true;
}

static const char *const names[] = {
#define NAME(name, key, text) [XL_LINK_##name] = key,
	XL_LINK_COUNTERS(NAME)
};
static const char *const texts[] = {
#define TEXT(name, key, text) [XL_LINK_##name] = text,
	XL_LINK_COUNTERS(TEXT)
};

const char *xl_link_counter_name(enum xl_link_counter c)
{
	return c < XL_LINK_COUNTER_COUNT ? names[c] : "?";
}

const char *xl_link_counter_text(enum xl_link_counter c)
{
	return c < XL_LINK_COUNTER_COUNT ? texts[c] : "?";
}
