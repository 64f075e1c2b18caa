/* SPDX-License-Identifier: BSD-2-Clause */
#include "share.h"

#include "flow.h"
#include "message.h"
#include "send.h"

/* Bytes of its sequence that the peer has given credit for and that were not given to the engine yet. */
static u64 credited(const struct xl_conn *c)
{
	u64 taken = c->seq_next + c->seq_queued;

	return c->credit_limit > taken ? c->credit_limit - taken : 0;
}

static u64 equal_share(const struct xl_engine *e, const struct xl_conn *c)
{
	u32 holders = e->holders + !c->buffered, packet = xl_txbuf_room(c);
	u64 bytes = xl_send_capacity(e, packet, e->tx_frames_data / 2 / holders, XLANE_LARGE_HEAD_BYTES);
	u64 least = c->kind == XLANE_KIND_STREAM ? packet : XLANE_MESSAGE_HEAD_BYTES + XLANE_MESSAGE_SMALL_MAX_BYTES;

	return xl_max(bytes, least);
}

u64 xl_share_room(const struct xl_engine *e, const struct xl_conn *c, enum xl_txbuf_type type)
{
	u64 share;

	if (e->tx_frames_data < XL_SHARE_FRAMES_MIN || e->tx_frames <= e->tx_frames_data / 2)
		return UINT64_MAX;
	share = equal_share(e, c);
	share -= xl_min(share, c->buffered);
	if (type == XL_TXBUF_DATA && e->tx_frames > e->tx_frames_data / 4 * 3)
		share = xl_min(share, credited(c));
	return share;
}

void xl_share_hold(struct xl_engine *e, struct xl_conn *c, u64 bytes)
{
	if (!c->buffered && bytes) {
		e->holders++;
		xl_flow_hold(e, c);
	}
	c->buffered += bytes;
}

void xl_share_release(struct xl_engine *e, struct xl_conn *c, u64 bytes)
{
	XL_ASSERT(bytes <= c->buffered);
	c->buffered -= bytes;
	if (bytes && !c->buffered) {
		e->holders--;
		xl_flow_rest(e, c);
	}
}
