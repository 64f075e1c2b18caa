/* SPDX-License-Identifier: BSD-2-Clause */
#include "reply.h"

#include "call.h"
#include "conn.h"
#include "cookie.h"
#include "ended.h"
#include "txbuf.h"

static struct xl_reply *slot(struct xl_engine *e, const struct xl_outer *h, const struct xl_path *path, u8 type)
{
	struct xl_reply *r;

	if (e->reply_count == XL_REPLIES_MAX) {
		e->reply_head = (e->reply_head + 1) % XL_REPLIES_MAX;
		e->reply_count--;
	}
	r = &e->replies[(e->reply_head + e->reply_count++) % XL_REPLIES_MAX];
	*r = (struct xl_reply){ .path = *path, .id = h->source_id, .destination_node = h->source_node,
				.refused_id = h->id, .refused_number = h->number, .type = type };
	return r;
}

void xl_reply_refuse(struct xl_engine *e, const struct xl_outer *h, const struct xl_path *path, u32 error)
{
	u32 bytes = xl_outer_bytes(XLANE_FLAG_EXT) + XLANE_REFUSE_BYTES + XLANE_TAG_BYTES;

	if (h->length < bytes || !h->source_id)
		return;
	slot(e, h, path, XLANE_PACKET_RESET)->error = error;
}

void xl_reply_cookie(struct xl_engine *e, const struct xl_outer *h, const struct xl_init *in, const struct xl_path *path)
{
	xl_cookie_make(e, h, in, path, slot(e, h, path, XLANE_PACKET_COOKIE)->cookie);
}

/* Gone already, or over and still in the program's hands. */
static bool ended_gracefully(struct xl_engine *e, u64 id)
{
	const struct xl_conn *c = xl_conn_by_local(e, id);

	return c ? c->ended_gracefully : xl_ended_has(e, id);
}

void xl_call_unknown(struct xl_engine *e, const struct xl_outer *h, const struct xl_path *path)
{
	if (h->source_node == e->cfg.node_id)
		xl_count(e, XL_C_OWN_PACKET);
	else if (h->flags & XLANE_FLAG_EXT)
		xl_reply_refuse(e, h, path, ended_gracefully(e, h->id) ? XLANE_WIRE_NONE : XLANE_WIRE_UNKNOWN);
}

static u32 body(const struct xl_reply *r, u8 *p)
{
	struct xl_refuse refuse = { .error = r->error, .id = r->refused_id, .number = r->refused_number };
	struct xl_cookie cookie;

	if (r->type == XLANE_PACKET_RESET)
		return xl_refuse_emit(p, &refuse);
	memcpy(cookie.cookie, r->cookie, sizeof cookie.cookie);
	return xl_cookie_emit(p, &cookie);
}

bool xl_reply_output(struct xl_engine *e, struct xl_packet *out)
{
	struct xl_reply *r = &e->replies[e->reply_head];
	struct xl_outer h = {
		.type = r->type, .flags = XLANE_FLAG_EXT | XLANE_FLAG_CRC, .id = r->id, .number = r->refused_number,
		.hop_limit = XLANE_HOP_LIMIT, .source_node = e->cfg.node_id, .destination_node = r->destination_node,
	};
	struct xl_build b;

	if (!xl_build_bare(e, &b, e->cfg.max_packet))
		return false;
	b.tail += body(r, xl_frames_ptr(e->frames, b.tb) + b.tail);
	xl_build_seal(e, &b, &h, &r->path, out);
	xl_txbuf_sent(e, NULL, b.tb);
	xl_count(e, r->type == XLANE_PACKET_RESET ? XL_C_REFUSE_SENT : XL_C_COOKIE_SENT);
	e->reply_head = (e->reply_head + 1) % XL_REPLIES_MAX;
	e->reply_count--;
	return true;
}
