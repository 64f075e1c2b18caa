/* SPDX-License-Identifier: BSD-2-Clause */
#include "flood.h"

#include <string.h>

#include "../../user/base/crc32c.h"
#include "../../user/base/endian.h"
#include "../../user/wire/handshake.h"
#include "../../user/wire/outer.h"
#include "../../user/wire/record.h"
#include "world.h"

_Static_assert(SIM_FLOOD_CALLS > XLANE_HALF_OPEN_COOKIE, "a flood makes its victim ask for cookies");

u32 sim_flood_link_header(const struct sim_world *w, u32 host, const u8 source[6], u8 *p)
{
	const struct xl_link_layer *l = &w->host[host].worker->link;
	struct xl_ether h = { .ethertype = l->ethertype, .tags = (u8)l->tags };

	memcpy(h.destination, l->mac, sizeof h.destination);
	memcpy(h.source, source, sizeof h.source);
	memcpy(h.tag, l->tag, sizeof h.tag);
	xl_ether_emit(p, &h);
	return xl_ether_bytes(&h);
}

/* Some are smaller than an INIT may be. */
static void put_call(struct sim_world *w, u64 node, u8 *p, u32 bytes)
{
	struct xl_outer h = {
		.type = XLANE_PACKET_INIT, .flags = XLANE_FLAG_EXT | XLANE_FLAG_CRC, .length = (u16)bytes,
		.id = xl_prng_u64(&w->prng), .hop_limit = XLANE_HOP_LIMIT, .source_node = node,
		.source_id = xl_prng_u64(&w->prng),
	};
	struct xl_init in = {
		.incarnation = 1, .source_port = (u16)sim_range(&w->prng, 1024, 65535),
			.destination_port = SIM_PORT_FIRST,
		.kind = XLANE_KIND_STREAM,
		.params = { .max_packet = XLANE_MTU_MIN, .credit = XLANE_RECV_WINDOW_MIN_BYTES, .has_credit = true,
			    .has_first_number = true, .first_number = 0,
			    .has_cookie = xl_prng_chance(&w->prng, 100000) },
	};
	u32 at = xl_outer_bytes(h.flags), end = bytes - XLANE_TAG_BYTES;

	xl_outer_emit(p, &h);
	at += xl_init_emit(p + at, &in);
	if (at + XLANE_RECORD_BYTES <= end)
		xl_record_pad_emit(p + at, end - at);
	xl_put32(p + end, xl_crc32c(0, p, end));
}

void sim_flood(struct sim_world *w, u32 host)
{
	static const u8 nobody[6] = { 2, 0, 0, 0, 0xf1, 0x0d };
	u64 node = xl_prng_u64(&w->prng) | 1;

	for (u32 i = 0; i < SIM_FLOOD_CALLS; i++) {
		u8 *data = sim_alloc(XLANE_LINK_HEADER_MAX_BYTES + 2 * XLANE_INIT_MIN_BYTES);
		u32 head = sim_flood_link_header(w, host, nobody, data), bytes = XLANE_INIT_MIN_BYTES - i % 16 / 15;

		put_call(w, node, data + head, bytes);
		sim_events_put(&w->events, (struct sim_event){
			.kind = SIM_EVENT_ARRIVE, .host = w->faults.station_of[host], .time_ns = w->now_ns + i * SIM_FLOOD_GAP_NS,
				.data = data,
			.bytes = head + bytes });
	}
	sim_world_mark(w, SIM_MARK_FLOODED);
}
