/* SPDX-License-Identifier: BSD-2-Clause */
#include "link.h"

#include <stdlib.h>
#include <string.h>
#include <xlane/wire.h>

#include "../../user/base/crc32c.h"
#include "../../user/base/endian.h"
#include "../../user/drv/pcap.h"
#include "../../user/wire/ether.h"
#include "../../user/wire/outer.h"
#include "world.h"

#define HEADERS_BYTES (XLANE_OUTER_BYTES + XLANE_EXT_BYTES)

void sim_link_init(struct sim_link *l, struct sim_world *w, u32 from)
{
	memset(l, 0, sizeof *l);
	l->world = w;
	l->from = from;
	xl_prng_seed(&l->prng, w->options.seed * 2 + from + 0x6c696e6b00000000ull);
}

static const struct sim_link_faults *faults_of(const struct sim_link *l)
{
	static const struct sim_link_faults none = { .delay_ns = 50 * XL_US };

	return l->world->healed ? &none : &l->world->faults.link[l->from];
}

static void mark(struct sim_link *l, enum sim_mark m)
{
	sim_world_mark(l->world, m);
	sim_world_trace(l->world, "link %u: packet %llu: %s", l->from, (unsigned long long)l->packets,
		sim_mark_name(m));
}

/* Where the outer header begins; the frame's length when there is none. */
static u32 outer_at(const struct sim_world *w, u32 bytes)
{
	u32 at = XL_ETHER_BYTES + w->faults.vlan_tags * XL_VLAN_BYTES;

	return at + XLANE_OUTER_BYTES <= bytes ? at : bytes;
}

static void arrive_at(struct sim_link *l, u8 *data, u32 bytes, u32 station, u64 time_ns)
{
	sim_events_put(&l->world->events, (struct sim_event){
		.kind = SIM_EVENT_ARRIVE, .host = station, .time_ns = time_ns, .data = data, .bytes = bytes });
}

/* To the other station, or into the switch. */
static void cross(struct sim_link *l, u8 *data, u32 bytes, u64 time_ns)
{
	if (l->world->faults.topology == SIM_TOPOLOGY_PAIR)
		arrive_at(l, data, bytes, !l->from, time_ns);
	else
		sim_events_put(&l->world->events, (struct sim_event){
			.kind = SIM_EVENT_EDGE, .host = l->from, .time_ns = time_ns, .data = data, .bytes = bytes });
}

static void deliver(struct sim_link *l, u8 *data, u32 bytes)
{
	const struct sim_link_faults *f = faults_of(l);
	u64 at = l->world->now_ns + f->delay_ns + (f->jitter_ns ? xl_prng_below(&l->prng, f->jitter_ns + 1) : 0);

	if (f->rate_bytes_per_s) {
		u64 takes = (bytes + 24) * XL_S / f->rate_bytes_per_s;

		l->free_ns = xl_max(l->free_ns, l->world->now_ns) + takes;
		at += l->free_ns - l->world->now_ns;
	}
	cross(l, data, bytes, at);
}

static u8 *copy_of(const u8 *data, u32 bytes)
{
	u8 *copy = sim_alloc(bytes);

	memcpy(copy, data, bytes);
	return copy;
}

static void hold(struct sim_link *l, u8 *data, u32 bytes, u32 passes)
{
	u64 id = l->held_ids++;

	l->held[l->held_count++] = (struct sim_held){ data, bytes, passes, id };
	sim_events_put(&l->world->events, (struct sim_event){
		.kind = SIM_EVENT_RELEASE, .host = l->from, .arg = (u32)id,
			.time_ns = l->world->now_ns + SIM_LINK_HOLD_NS_MAX });
}

static void let_go(struct sim_link *l, u32 slot)
{
	struct sim_held h = l->held[slot];

	memmove(&l->held[slot], &l->held[slot + 1], (--l->held_count - slot) * sizeof h);
	deliver(l, h.data, h.bytes);
}

void sim_link_release(struct sim_link *l, u64 id)
{
	for (u32 i = 0; i < l->held_count; i++) {
		if ((u32)l->held[i].id == (u32)id) {
			let_go(l, i);
			return;
		}
	}
}

/* A packet has passed those that are held back. */
static void passed(struct sim_link *l)
{
	for (u32 i = 0; i < l->held_count; ) {
		if (l->held[i].passes-- > 1)
			i++;
		else
			let_go(l, i);
	}
}

void sim_link_heal(struct sim_link *l)
{
	l->cut_until_ns = l->hole_until_ns = l->narrow_until_ns = 0;
	while (l->held_count)
		let_go(l, 0);
}

void sim_link_free(struct sim_link *l)
{
	for (u32 i = 0; i < l->held_count; i++)
		free(l->held[i].data);
	l->held_count = 0;
}

/* Change one bit, one byte, a few bytes or a whole header. Never to what it was. */
static void scramble(struct xl_prng *p, u8 *at, u32 bytes)
{
	u32 n = 1, first;

	switch (xl_prng_below(p, 4)) {
	case 0:
		at[xl_prng_below(p, bytes)] ^= 1u << xl_prng_below(p, 8);
		return;
	case 1:
		break;
	case 2:
		n = sim_range(p, 2, 16);
		break;
	default:
		n = XLANE_OUTER_BYTES;
		break;
	}
	n = xl_min(n, bytes);
	first = xl_prng_below(p, bytes - n + 1);
	for (u32 i = 0; i < n; i++)
		at[first + i] ^= (u8)sim_range(p, 1, 255);
}

/* What an intruder would think of, once the tag is right again. `inner`: the first record. */
static void forge_inner(struct xl_prng *p, u8 *outer, u8 *inner, u32 bytes)
{
	static const u8 types[] = { XLANE_RECORD_DATA, XLANE_RECORD_LARGE, XLANE_RECORD_DGRAM, XLANE_RECORD_CREDIT,
				    XLANE_RECORD_GRANT, XLANE_RECORD_ABORT, 0x40, 0xc0 };

	switch (xl_prng_below(p, 5)) {
	case 0:         /* a great many empty records */
		memset(inner, 0, bytes);
		break;
	case 1:
		inner[0] = types[xl_prng_below(p, sizeof types)];
		break;
	case 2:         /* an offset at the end of the number space */
		memset(inner + XLANE_RECORD_BYTES, 0xff, xl_min(8, bytes - xl_min(bytes, XLANE_RECORD_BYTES)));
		break;
	case 3:         /* a shorter packet */
		xl_put16(outer + 2, (u16)sim_range(p, XLANE_OUTER_BYTES + XLANE_TAG_BYTES, xl_get16(outer + 2)));
		break;
	default:
		scramble(p, inner, bytes);
		break;
	}
}

/* The link header, which no checksum of ours covers: any byte, a group as source, another VLAN, a tag too many. */
static void scramble_link(struct xl_prng *p, u8 *data, u32 bytes)
{
	switch (xl_prng_below(p, 5)) {
	case 0:
		data[6] |= 1;
		break;
	case 1:
		xl_put16(data + bytes - 2, 0x8100);
		break;
	case 2:
		if (bytes > XL_ETHER_BYTES)
			data[bytes - 3] ^= 1 << xl_prng_below(p, 8);
		break;
	default:
		scramble(p, data, bytes);
		break;
	}
}

/* Make the tag right again, as far as the (perhaps corrupted) length says where it is. */
static bool repair(u8 *outer, u32 bytes)
{
	u32 length = xl_get16(outer + 2);

	if (!(outer[1] & XLANE_FLAG_CRC) || length > bytes || length < XLANE_OUTER_BYTES + XLANE_TAG_BYTES)
		return false;
	xl_put32(outer + length - XLANE_TAG_BYTES, xl_crc32c(0, outer, length - XLANE_TAG_BYTES));
	return true;
}

static void forge(struct sim_link *l, u8 *outer, u32 bytes)
{
	struct sim_world *w = l->world;
	u8 type = outer[0] & 0xf;
	u64 id = xl_get64(outer + 4);
	u32 at = xl_outer_bytes(outer[1]);

	if (at < bytes && xl_prng_chance(&l->prng, 500000))
		forge_inner(&l->prng, outer, outer + at, bytes - at);
	else
		scramble(&l->prng, outer, xl_min(bytes, HEADERS_BYTES));
	if (!repair(outer, bytes))
		return;
	mark(l, SIM_MARK_FORGED);
	/* A forged handshake can reset all connections of a peer; forged data only its own. */
	sim_oracle_forged(&w->oracle, type == XLANE_PACKET_DATA && (outer[0] & 0xf) == XLANE_PACKET_DATA ? id : 0);
}

/* Corrupt a packet on its way. Returns its size, which may have become less. */
static u32 corrupt(struct sim_link *l, u8 *data, u32 bytes)
{
	struct sim_world *w = l->world;
	u32 at = outer_at(w, bytes), left = bytes - at;
	u8 *outer = data + at;

	mark(l, SIM_MARK_CORRUPTED);
	if (!left)
		return bytes;
	if (sim_world_canary(w, SIM_CANARY_FORGE)) {
		scramble(&l->prng, outer, left);
		repair(outer, left);
	} else if (w->faults.link[l->from].forge && xl_prng_chance(&l->prng, 500000)) {
		forge(l, outer, left);
	} else if (xl_prng_chance(&l->prng, 50000)) {
		scramble_link(&l->prng, data, at);
	} else if (xl_prng_chance(&l->prng, 50000)) {
		mark(l, SIM_MARK_CUT);
		return sim_range(&l->prng, 1, bytes - 1);
	} else if (at > XL_ETHER_BYTES && xl_prng_chance(&l->prng, 20000)) {
		/* as a card that strips tags */
		memmove(data + 12, data + 12 + XL_VLAN_BYTES, bytes - 12 - XL_VLAN_BYTES);
		return bytes - XL_VLAN_BYTES;
	} else {
		scramble(&l->prng, outer, xl_prng_chance(&l->prng, 500000) ? left : xl_min(left, HEADERS_BYTES));
	}
	return bytes;
}

static bool lost(struct sim_link *l)
{
	const struct sim_link_faults *f = faults_of(l);

	if (f->burst_ppm) {
		if (!l->in_burst)
			l->in_burst = xl_prng_chance(&l->prng, f->burst_ppm);
		else if (xl_prng_below(&l->prng, f->burst_packets) == 0)
			l->in_burst = false;
		if (l->in_burst && xl_prng_chance(&l->prng, f->burst_loss_ppm)) {
			mark(l, SIM_MARK_BURST);
			return true;
		}
	}
	if (f->loss_ppm && xl_prng_chance(&l->prng, f->loss_ppm)) {
		mark(l, SIM_MARK_LOST);
		return true;
	}
	return false;
}

/* Cut off, or no room before a slow link? */
static bool refused(struct sim_link *l, u32 bytes)
{
	const struct sim_link_faults *f = faults_of(l);
	u64 now = l->world->now_ns;

	if (now < l->cut_until_ns) {
		mark(l, SIM_MARK_PARTITIONED);
		return true;
	}
	if (now < l->narrow_until_ns && bytes > l->narrow_bytes) {
		mark(l, SIM_MARK_SWALLOWED);
		return true;
	}
	if (now < l->hole_until_ns) {
		mark(l, SIM_MARK_BLACK_HOLED);
		return true;
	}
	if (f->rate_bytes_per_s && l->free_ns > now &&
		(l->free_ns - now) * f->rate_bytes_per_s / XL_S > f->queue_bytes) {
		mark(l, SIM_MARK_QUEUE_FULL);
		return true;
	}
	return false;
}

/* A hub, or a port in a loop, gives the sender its own packet back: as it was, or with the addresses exchanged. */
static void reflect(struct sim_link *l, const u8 *data, u32 bytes)
{
	u8 *copy = copy_of(data, bytes), mac[6];

	if (xl_prng_chance(&l->prng, 500000)) {
		memcpy(mac, copy, 6);
		memmove(copy, copy + 6, 6);
		memcpy(copy + 6, mac, 6);
	} else {
		memcpy(copy, copy + 6, 6);
	}
	mark(l, SIM_MARK_REFLECTED);
	arrive_at(l, copy, bytes, l->from, l->world->now_ns + faults_of(l)->delay_ns);
}

static void send_one(struct sim_link *l, const u8 *data, u32 bytes)
{
	const struct sim_link_faults *f = faults_of(l);
	u8 *copy = copy_of(data, bytes);

	if (f->corrupt_ppm && xl_prng_chance(&l->prng, f->corrupt_ppm))
		bytes = corrupt(l, copy, bytes);
	if (f->reorder_ppm && xl_prng_chance(&l->prng, f->reorder_ppm) && l->held_count < SIM_LINK_HELD_MAX) {
		mark(l, SIM_MARK_REORDERED);
		hold(l, copy, bytes, sim_range(&l->prng, 1, f->reorder_packets));
		return;
	}
	deliver(l, copy, bytes);
	passed(l);
}

static void trace_packet(const struct sim_link *l, const u8 *data, u32 bytes)
{
	static const char *const types[] = { "DATA", "INIT", "ACCEPT", "COOKIE", "RESET" };
	u32 at = outer_at(l->world, bytes);
	struct xl_outer h;

	if (!l->world->options.trace)
		return;
	if (xl_outer_parse(data + at, bytes - at, &h) != XL_OUTER_OK) {
		sim_world_trace(l->world, "link %u: packet %llu: not a packet", l->from,
			(unsigned long long)l->packets);
		return;
	}
	sim_world_trace(l->world, "link %u: packet %llu: %s id %016llx from %016llx number %llu, %u bytes", l->from,
			(unsigned long long)l->packets, types[h.type], (unsigned long long)h.id,
			(unsigned long long)h.source_id, (unsigned long long)h.number, h.length);
}

void sim_link_send(struct sim_link *l, const u8 *data, u32 bytes)
{
	struct sim_world *w = l->world;
	const struct sim_link_faults *f = faults_of(l);
	u32 copies = 1, at = outer_at(w, bytes);

	l->packets++;
	sim_world_hash(w, w->now_ns ^ (u64)xl_crc32c(l->from, data, bytes) << 32);
	trace_packet(l, data, bytes);
	if (w->options.pcap)
		xl_pcap_write(w->options.pcap, data, bytes, w->now_ns);
	if (at < bytes && w->faults.first_number <= UINT32_MAX && xl_get64(data + at + 12) >> 32)
		sim_world_mark(w, SIM_MARK_WRAPPED_32);
	if (refused(l, bytes) || lost(l))
		return;
	if (f->dup_ppm && xl_prng_chance(&l->prng, f->dup_ppm)) {
		copies += sim_range(&l->prng, 1, f->dup_copies);
		mark(l, SIM_MARK_DUPLICATED);
	}
	for (; copies; copies--)
		send_one(l, data, bytes);
	if (f->reflect_ppm && xl_prng_chance(&l->prng, f->reflect_ppm))
		reflect(l, data, bytes);
}
