/* SPDX-License-Identifier: BSD-2-Clause */
/* call_output.c - the handshake as it is sent: INIT and ACCEPT. */
#include "call.h"

#include "../wire/handshake.h"
#include "peer.h"
#include "txbuf.h"

static struct xl_params own_params(const struct xl_engine *e, const struct xl_conn *c)
{
	struct xl_params p = {
		.max_packet = e->cfg.max_packet, .has_credit = true, .credit = c->credit_given,
		.ack_delay_ns = (u32)e->cfg.ack_delay_ns, .message_max = e->message_max,
		.has_first_number = true, .first_number = c->first_number, .no_crc = e->cfg.no_crc,
		.has_cookie = c->has_cookie,
	};

	memcpy(p.cookie, c->call.cookie, sizeof p.cookie);
	return p;
}

static u32 init_record(const struct xl_engine *e, const struct xl_conn *c, u8 *p)
{
	struct xl_init r = {
		.incarnation = e->cfg.incarnation, .source_port = c->local_port, .destination_port = c->remote_port,
		.kind = c->kind, .params = own_params(e, c),
	};
	u32 bytes = xl_init_emit(p, &r);
	u32 least = XLANE_INIT_MIN_BYTES - XLANE_OUTER_BYTES - XLANE_EXT_BYTES - XLANE_TAG_BYTES;

	/* At least the smallest INIT; a gap too small for a PAD record's head is made larger. */
	if (bytes < least)
		bytes += xl_record_pad_emit(p + bytes, (u32)xl_max(least - bytes, XLANE_RECORD_BYTES));
	return bytes;
}

static u32 accept_record(const struct xl_engine *e, const struct xl_conn *c, u8 *p)
{
	struct xl_accept r = {
		.incarnation = e->cfg.incarnation, .initiator_incarnation = c->peer_incarnation,
		.params = own_params(e, c),
	};

	return xl_accept_emit(p, &r);
}

bool xl_call_output(struct xl_engine *e, struct xl_conn *c, struct xl_packet *out)
{
	bool calling = c->state == XL_STATE_CALLING;
	struct xl_peer *peer = xl_peer_of(e, c);
	struct xl_outer h = {
		.type = calling ? XLANE_PACKET_INIT : XLANE_PACKET_ACCEPT, .flags = XLANE_FLAG_EXT | XLANE_FLAG_CRC,
		.id = calling ? c->call_id : c->remote_id, .hop_limit = XLANE_HOP_LIMIT,
		.source_node = e->cfg.node_id, .destination_node = calling ? 0 : peer->node, .source_id = c->local_id,
	};
	struct xl_build b;
	u8 *p;

	if (!xl_build_bare(e, &b, e->cfg.max_packet))
		return false;
	h.number = c->next_number++;
	c->told_packet = c->call_tries == 0 || c->told_packet == e->cfg.max_packet ? (u16)e->cfg.max_packet : 0;
	p = xl_frames_ptr(e->frames, b.tb) + b.tail;
	b.tail += calling ? init_record(e, c, p) : accept_record(e, c, p);
	xl_build_seal(e, &b, &h, calling ? &peer->path : &c->call.path, out);
	xl_txbuf_sent(e, c, b.tb);
	c->control &= (u8)~XL_CTL_HANDSHAKE;
	c->packets_sent++;
	if (c->call_tries < UINT8_MAX)
		c->call_tries++;
	return true;
}
