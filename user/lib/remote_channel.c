/* SPDX-License-Identifier: BSD-2-Clause */
/* remote_channel.c - one channel: commands out, replies and news in. */
#include "remote.h"

#define MASK (XLANE_CHANNEL_COMMANDS - 1)

static bool ring_room(const struct xl_remote_channel *ch)
{
	return ch->command_tail - atomic_load_explicit(&ch->map.head->command_head, memory_order_acquire) <
	       XLANE_CHANNEL_COMMANDS;
}

static void write_command(struct xl_remote_channel *ch, const struct xlane_command *c)
{
	memcpy(&ch->map.commands[ch->command_tail & MASK], c, sizeof *c);
	ch->command_tail++;
	atomic_store_explicit(&ch->map.head->command_tail, ch->command_tail, memory_order_seq_cst);
	ch->ring = true;
}

void xl_remote_push_queue(struct xl_remote *r, struct xl_remote_channel *ch)
{
	(void)r;
	while (ch->queue_count && ring_room(ch)) {
		write_command(ch, &ch->queue[ch->queue_head]);
		ch->queue_head = ch->queue_head + 1 == ch->queue_size ? 0 : ch->queue_head + 1;
		ch->queue_count--;
	}
}

u64 xl_remote_command(struct xl_remote *r, struct xl_remote_channel *ch, struct xlane_command *c)
{
	c->tag = ++r->tag;
	if (!ch->queue_count && ring_room(ch)) {
		write_command(ch, c);
		return c->tag;
	}
	/* remote_ask.c asks no more while questions are unanswered that it gave up, so there is room for what
	 * slots need */
	XL_ASSERT(ch->queue_count < ch->queue_size);
	ch->queue[(ch->queue_head + ch->queue_count++) % ch->queue_size] = *c;
	return c->tag;
}

void xl_remote_dirty(struct xl_remote *r, u32 conn)
{
	struct xl_remote_channel *ch = xl_remote_channel_of(r, conn);

	xl_bits_set(ch->map.words->dirty, &ch->map.head->dirty_summary, conn % r->slots);
	ch->ring = true;
}

static u32 take_replies(struct xl_remote *r, struct xl_remote_channel *ch)
{
	struct xlane_channel_head *head = ch->map.head;
	u64 tail = atomic_load_explicit(&head->reply_tail, memory_order_acquire);
	u32 n = 0;

	if (tail - ch->reply_head > XLANE_CHANNEL_COMMANDS) {
		r->dead = true;
		return 0;
	}
	for (; ch->reply_head != tail; n++) {
		struct xlane_reply reply;

		memcpy(&reply, &ch->map.replies[ch->reply_head & MASK], sizeof reply);
		ch->reply_head++;
		xl_remote_replied(r, ch, &reply);
	}
	if (n) {
		atomic_store_explicit(&head->reply_head, ch->reply_head, memory_order_seq_cst);
		/* a worker that had no room for replies has left commands */
		if (atomic_load_explicit(&head->command_head, memory_order_relaxed) != ch->command_tail)
			ch->ring = true;
	}
	return n;
}

static u32 take_accept_news(struct xl_remote *r, struct xl_remote_channel *ch)
{
	struct xlane_channel_head *head = ch->map.head;
	u64 bits = 0;
	u32 n = 0;

	if (atomic_load_explicit(&head->accept_news, memory_order_relaxed))
		bits = atomic_exchange_explicit(&head->accept_news, 0, memory_order_seq_cst);
	for (; bits; bits &= bits - 1, n++) {
		u32 l = (u32)__builtin_ctzll(bits);

		if (!r->listener[l].used)
			continue;
		r->listener[l].more |= 1u << ch->worker;
		r->listener[l].since[ch->worker] = r->tag + 1;
		xl_remote_accept_more(r, l);
	}
	return n;
}

static u32 take_news(struct xl_remote *r, struct xl_remote_channel *ch)
{
	u64 summary = xl_bits_take_summary(&ch->map.head->news_summary);
	u32 n = 0;

	for (; summary; summary &= summary - 1) {
		u32 w = (u32)__builtin_ctzll(summary);
		u64 bits = xl_bits_take_word(ch->map.words->news, w);

		for (; bits; bits &= bits - 1, n++) {
			u32 slot = 64 * w + (u32)__builtin_ctzll(bits);

			if (slot < r->slots)
				xl_remote_slot_news(r, ch->worker * r->slots + slot);
		}
	}
	return n;
}

u32 xl_remote_channel_run(struct xl_remote *r, struct xl_remote_channel *ch)
{
	u32 work = take_replies(r, ch);

	work += take_accept_news(r, ch);
	work += take_news(r, ch);
	xl_remote_push_queue(r, ch);
	return work;
}

bool xl_remote_channel_news(const struct xl_remote_channel *ch)
{
	const struct xlane_channel_head *head = ch->map.head;

	return atomic_load_explicit(&head->reply_tail, memory_order_seq_cst) != ch->reply_head ||
	       atomic_load_explicit(&head->news_summary, memory_order_seq_cst) ||
	       atomic_load_explicit(&head->accept_news, memory_order_seq_cst) ||
	       (ch->queue_count && ring_room(ch));
}
