/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * parse.bpf.h - the link header and the outer header, read in place.
 *
 * Nothing is copied or moved: every read is preceded by its own comparison with data_end, and no helper is called, so
 * that the program also runs behind a dispatcher that forbids packet-changing helpers. The order of the checks equals
 * that of the parsers in user/wire.
 */
#ifndef XLANE_PARSE_BPF_H
#define XLANE_PARSE_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <xlane/bpf_abi.h>
#include <xlane/wire.h>

#define ETHER_BYTES   14
#define VLAN_BYTES    4
#define TPID_8021Q    0x8100
#define TPID_8021AD   0x88a8
#define PARSED        XLANE_BPF_COUNTER_COUNT  /* no counter: the header is good */

/* Where the parser stands. `end` is the end of the first buffer; `left` counts the bytes of the whole frame from `at`
 * on. It is kept beside the pointer because the verifier takes no difference of pointers. */
struct cursor {
	const __u8 *at, *end;
	__u64 left;
};

static __always_inline void advance(struct cursor *c, __u32 bytes)
{
	c->at += bytes;
	c->left -= bytes;
}

static __always_inline __u16 be16_at(const __u8 *p)
{
	return (__u16)(p[0] << 8 | p[1]);
}

static __always_inline int is_tag(__u16 ethertype)
{
	return ethertype == TPID_8021Q || ethertype == TPID_8021AD;
}

/* Ethernet header and tags. On PARSED the cursor stands behind them and *ethertype is the one behind the tags. */
static __always_inline enum xlane_bpf_counter parse_link(struct cursor *c, __u16 *ethertype)
{
	if (c->at + ETHER_BYTES > c->end)
		return XLANE_BPF_SHORT_ETHER;
	*ethertype = be16_at(c->at + 12);
	advance(c, ETHER_BYTES);
#pragma unroll
	for (int tags = 0; tags < XLANE_VLAN_TAGS_MAX; tags++) {
		if (!is_tag(*ethertype))
			return PARSED;
		if (c->at + VLAN_BYTES > c->end)
			return XLANE_BPF_SHORT_ETHER;
		*ethertype = be16_at(c->at + 2);
		advance(c, VLAN_BYTES);
	}
	return is_tag(*ethertype) ? XLANE_BPF_DEEP_VLAN : PARSED;
}

static __always_inline int needs_extension(__u8 type)
{
	return type != XLANE_PACKET_DATA;
}

/* The extension behind the outer header at `p`, for the types and flags that ask for it. */
static __always_inline enum xlane_bpf_counter check_extension(const struct cursor *c, const __u8 *p)
{
	if (!(p[1] & XLANE_FLAG_EXT))
		return needs_extension(p[0] & 0x0f) ? XLANE_BPF_BAD_EXTENSION : PARSED;
	if (p + XLANE_OUTER_BYTES + XLANE_EXT_BYTES > c->end)
		return XLANE_BPF_BAD_EXTENSION;
	if (p[XLANE_OUTER_BYTES] != XLANE_EXT_BYTES || p[XLANE_OUTER_BYTES + 2] || p[XLANE_OUTER_BYTES + 3])
		return XLANE_BPF_BAD_EXTENSION;
	return PARSED;
}

/* Outer header at the cursor. On PARSED *bucket is set. */
static __always_inline enum xlane_bpf_counter parse_outer(const struct cursor *c, __u32 *bucket)
{
	const __u8 *p = c->at;
	__u32 length, least = XLANE_OUTER_BYTES;

	if (p + XLANE_OUTER_BYTES > c->end)
		return XLANE_BPF_SHORT_OUTER;
	if (p[0] >> 4 != XLANE_VERSION)
		return XLANE_BPF_BAD_VERSION;
	if ((p[0] & 0x0f) >= XLANE_PACKET_TYPES)
		return XLANE_BPF_BAD_TYPE;
	if (p[1] & ~XLANE_FLAGS_KNOWN)
		return XLANE_BPF_BAD_FLAGS;
	if (p[1] & XLANE_FLAG_EXT)
		least += XLANE_EXT_BYTES;
	if (p[1] & XLANE_FLAG_CRC)
		least += XLANE_TAG_BYTES;
	length = be16_at(p + 2);
	if (length < least || length > c->left || length > XLANE_MTU_MAX)
		return XLANE_BPF_BAD_LENGTH;
	*bucket = p[XLANE_OUTER_BUCKET];
	return check_extension(c, p);
}

#endif
