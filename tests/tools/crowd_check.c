// SPDX-License-Identifier: BSD-2-Clause
/* crowd_check.c - is what came what was sent: length, bytes, order, each once, none missing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crowd.h"

static bool bad(struct crowd *w, const struct crowd_conn *k, const char *what, uint64_t number)
{
	w->bad++;
	fprintf(stderr, "crowd: connection %u: %s (%llu)\n", k->number, what, (unsigned long long)number);
	return false;
}

/* An echo can be held against what this side sent; anything else says itself what it is. */
static bool head_is_mine(const struct crowd *w, const struct crowd_conn *k, const struct crowd_head *h)
{
	if (w->o.serve)
		return k->in.items == 0 || h->key == k->in.head.key;
	return h->key == k->key && h->number < k->out.items + k->out.pending &&
	       h->bytes == crowd_item_bytes(&w->o, k->key, h->number) && h->count == w->o.count;
}

static bool mark_seen(struct crowd *w, struct crowd_conn *k, const struct crowd_head *h)
{
	const uint8_t bit = (uint8_t)(1u << h->number % 8);

	if (!k->seen)
		k->seen = calloc(1, h->count / 8 + 1);
	if (!k->seen)
		return bad(w, k, "no memory", h->count);
	if (k->seen[h->number / 8] & bit) {
		w->duplicates++;
		return bad(w, k, "twice the same", h->number);
	}
	k->seen[h->number / 8] |= bit;
	return true;
}

bool crowd_check_item(struct crowd *w, struct crowd_conn *k, const uint8_t *data, size_t bytes)
{
	struct crowd_head h;

	if (bytes < sizeof h)
		return bad(w, k, "shorter than anything sent", bytes);
	memcpy(&h, data, sizeof h);
	if (h.bytes != bytes)
		return bad(w, k, "another length than was sent", bytes);
	if (h.number >= h.count || !head_is_mine(w, k, &h))
		return bad(w, k, "not of this connection", h.number);
	if (w->o.type == XLANE_MESSAGE && h.number != k->in.items)
		return bad(w, k, "out of order", h.number);
	if (!crowd_pattern_check(&h, sizeof h, data + sizeof h, bytes - sizeof h))
		return bad(w, k, "other bytes than were sent", h.number);
	if (!mark_seen(w, k, &h))
		return false;
	k->in.head = h;
	return true;
}

bool crowd_check_stream(struct crowd *w, struct crowd_conn *k, const uint8_t *data, size_t bytes)
{
	struct crowd_flow *in = &k->in;
	uint64_t at = in->bytes;

	/* the head may come in pieces */
	while (at < sizeof in->head && bytes) {
		((uint8_t *)&in->head)[at++] = *data++;
		bytes--;
	}
	if (at < sizeof in->head)
		return true;
	if (in->head.bytes < at + bytes || (!w->o.serve && (in->head.key != k->key || in->head.bytes != w->o.bytes)))
		return bad(w, k, "more than was sent, or not of this connection", at + bytes);
	if (!crowd_pattern_check(&in->head, at, data, bytes))
		return bad(w, k, "other bytes than were sent, from", at);
	return true;
}

bool crowd_check_end(struct crowd *w, struct crowd_conn *k)
{
	const struct crowd_flow *in = &k->in;

	if (w->o.type == XLANE_STREAM) {
		if (in->bytes && (in->bytes < sizeof in->head || in->bytes != in->head.bytes))
			return bad(w, k, "the stream ended early", in->bytes);
		return true;
	}
	if (!in->items || in->items == in->head.count)
		return true;
	if (w->o.type == XLANE_DATAGRAM) {
		w->lost += in->head.count - in->items;
		return true;
	}
	return bad(w, k, "messages are missing", in->head.count - in->items);
}
