/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * channels.c - all channels of a worker, in turn.
 *
 * An active channel is looked at in every run, without a system call. One that was quiet for a while is parked: its
 * worker-sleeps word stays set, and its client's byte makes it active again through the epoll of all sockets. Before
 * the worker sleeps, the words of all active channels are set, too.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../channel/guest.h"
#include "handover.h"
#include "ports.h"
#include "torn.h"

#define EVENTS_MAX 64
#define EVENT_BATCHES_MAX 64
#define OWNER_BYTES (XLANE_CONNS_MAX * sizeof(u32))

/* --- open and close ------------------------------------------------------------------------- */
int xl_channels_open(struct xl_worker *worker, u32 worker_id, u32 workers, struct xl_ports *ports,
		     struct xl_channels **out)
{
	struct xl_channels *s = calloc(1, sizeof *s);
	void *owner;
	int err;

	*out = NULL;
	if (!s)
		return -ENOMEM;
	s->worker = worker;
	s->engine = worker->engine;
	s->ports = ports;
	s->id = worker_id;
	s->workers = workers;
	s->links = (struct xl_links){ (u8 *)s->link, sizeof *s->link };
	s->active = XL_LIST_EMPTY;
	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (s->epoll_fd < 0) {
		err = -errno;
		goto free_all;
	}
	err = xl_handover_open(worker_id, &s->handover);
	if (err)
		goto close_epoll;
	owner = mmap(NULL, OWNER_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (owner == MAP_FAILED) {
		err = -errno;
		goto close_handover;
	}
	s->owner = owner;
	*out = s;
	return 0;
close_handover:
	xl_handover_close(s->handover, s);
close_epoll:
	close(s->epoll_fd);
free_all:
	free(s);
	return err;
}

void xl_channels_close(struct xl_channels *s)
{
	if (!s)
		return;
	XL_ASSERT(!s->count && !s->gone);
	xl_handover_close(s->handover, s);
	munmap(s->owner, OWNER_BYTES);
	close(s->epoll_fd);
	free(s);
}

/* --- one channel: awake, parked, gone --------------------------------------------------------- */
static void activate(struct xl_channels *s, struct xl_channel *ch)
{
	if (ch->active)
		return;
	ch->active = true;
	ch->heard_ns = s->now_ns;
	xl_list_append(&s->links, &s->active, ch->id);
	(void)xl_sleep_leave(&ch->map.head->worker_asleep);
}

void xl_channels_add(struct xl_channels *s, struct xl_channel *ch, u64 now_ns)
{
	struct epoll_event ev = { .events = EPOLLIN };

	xl_torn_guard(s);
	s->now_ns = now_ns;
	for (ch->id = 0; ch->id < XLANE_CLIENTS_MAX && s->channel[ch->id]; ch->id++)
		;
	XL_ASSERT(ch->id < XLANE_CLIENTS_MAX); /* the control thread admits no more clients */
	s->channel[ch->id] = ch;
	s->count++;
	ev.data.u32 = ch->id;
	activate(s, ch);
	/* a client that can not be heard: it is given back, and its end told, at the end of its first turn */
	if (epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, ch->socket, &ev) < 0)
		ch->dying = true;
}

void xl_channel_look(struct xl_channels *s, struct xl_channel *ch, u32 slot)
{
	ch->todo[slot / 64] |= 1ull << slot % 64;
	ch->todo_words |= 1ull << slot / 64;
	activate(s, ch);
}

void xl_channel_news(struct xl_channel *ch, u32 slot)
{
	ch->news[slot / 64] |= 1ull << slot % 64;
	ch->news_words |= 1ull << slot / 64;
}

void xl_channel_bad_index(struct xl_channels *s, struct xl_channel *ch)
{
	if (!ch->dying)
		xl_channels_count_up(s, XL_CHANNEL_BAD_INDEX);
	ch->dying = true;
}

static void reset_conns(struct xl_channels *s, struct xl_channel *ch)
{
	for (u32 i = 0; ch->live && i < ch->config.slots; i++) {
		struct xl_slot *sl = &ch->slot[i];

		if (sl->state == XL_SLOT_FREE)
			continue;
		ch->live--;
		sl->state = XL_SLOT_FREE;
		if (sl->conn == XL_NONE)
			continue;
		s->owner[sl->conn] = 0;
		xl_conn_abort(s->engine, sl->conn, XLANE_WIRE_CANCELLED, s->now_ns);
		xl_channels_count_up(s, XL_CHANNEL_CONNS_RESET);
	}
}

/* The client is gone, or has lost its channel: everything of it is given back; it sees the hang-up. */
static void bury(struct xl_channels *s, struct xl_channel *ch)
{
	if (ch->live)
		xl_channels_count_up(s, XL_CHANNEL_CLIENTS_DIED);
	reset_conns(s, ch);
	for (u32 l = 0; l < XLANE_CHANNEL_LISTENERS_MAX; l++)
		if (ch->listener[l].used)
			xl_channel_unlisten(s, ch, l);
	if (ch->active)
		xl_list_remove(&s->links, &s->active, ch->id);
	ch->active = false;
	epoll_ctl(s->epoll_fd, EPOLL_CTL_DEL, ch->socket, NULL); /* it may be closed later than now */
	xl_guest_close(ch->socket);
	ch->socket = -1;
	s->channel[ch->id] = NULL;
	s->count--;
	ch->next_gone = s->gone;
	s->gone = ch;
}

struct xl_channel *xl_channels_gone(struct xl_channels *s)
{
	struct xl_channel *ch = s->gone;

	if (ch)
		s->gone = ch->next_gone;
	return ch;
}

void xl_channels_drop(struct xl_channels *s, u32 client, u64 now_ns)
{
	xl_torn_guard(s);
	s->now_ns = now_ns;
	for (u32 i = 0; i < XLANE_CLIENTS_MAX; i++)
		if (s->channel[i] && s->channel[i]->config.client == client)
			bury(s, s->channel[i]);
}

void xl_channels_stop(struct xl_channels *s, u64 now_ns)
{
	xl_torn_guard(s);
	s->now_ns = now_ns;
	for (u32 i = 0; i < XLANE_CLIENTS_MAX; i++)
		if (s->channel[i])
			bury(s, s->channel[i]);
}

/* --- waking ----------------------------------------------------------------------------------- */
static void wake(struct xl_channels *s, struct xl_channel *ch)
{
	if (!xl_sleep_take(&ch->map.head->client_asleep))
		return;
	if (send(ch->socket, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1)
		xl_channels_count_up(s, XL_CHANNEL_WAKES_SENT);
	else if (errno == EAGAIN)
		xl_channels_count_up(s, XL_CHANNEL_WAKES_FULL);
	else
		ch->dying = true;
}

/* News and replies to the client, and its wake. */
static void publish(struct xl_channels *s, struct xl_channel *ch)
{
	struct xlane_channel_head *head = ch->map.head;

	if (!ch->news_words && !ch->accept_news && !ch->replied)
		return;
	while (ch->news_words) {
		u32 w = (u32)__builtin_ctzll(ch->news_words);

		atomic_fetch_or_explicit(&ch->map.words->news[w], ch->news[w], memory_order_seq_cst);
		atomic_fetch_or_explicit(&head->news_summary, 1ull << w, memory_order_seq_cst);
		ch->news[w] = 0;
		ch->news_words &= ch->news_words - 1;
	}
	if (ch->accept_news)
		atomic_fetch_or_explicit(&head->accept_news, ch->accept_news, memory_order_seq_cst);
	ch->accept_news = 0;
	ch->replied = false;
	wake(s, ch);
}

/* One byte of the client, or its end. */
static void hear(struct xl_channels *s, struct xl_channel *ch, u32 events)
{
	char byte;
	ssize_t n = xl_guest_recv(ch->socket, &byte, 1);

	if (n == 0 || (n < 0 && n != -EAGAIN) || events & (EPOLLHUP | EPOLLERR)) {
		bury(s, ch);
		return;
	}
	if (n > 0)
		xl_channels_count_up(s, XL_CHANNEL_WOKEN);
	activate(s, ch);
}

static u32 look(struct xl_channels *s)
{
	struct epoll_event ev[EVENTS_MAX];
	int n = epoll_wait(s->epoll_fd, ev, EVENTS_MAX, 0);

	s->slept = false;
	s->looked_ns = s->now_ns;
	for (int i = 0; i < n; i++)
		if (s->channel[ev[i].data.u32])
			hear(s, s->channel[ev[i].data.u32], ev[i].events);
	return n > 0 ? (u32)n : 0;
}

/* --- events of the engine --------------------------------------------------------------------- */
static void slot_event(struct xl_channels *s, struct xl_channel *ch, u32 slot, const struct xl_event *ev)
{
	struct xl_slot *sl = &ch->slot[slot];

	if (slot >= ch->config.slots || sl->conn != ev->index || sl->state == XL_SLOT_FREE ||
	    sl->state == XL_SLOT_ENDED)
		return;
	if (ev->bits & XL_EVENT_OPEN) {
		atomic_store_explicit(&ch->map.slot[slot].worker.message_max, xl_conn_message_max(s->engine, sl->conn),
				      memory_order_relaxed);
		xl_slot_bits(ch, slot, XLANE_SLOT_OPEN);
	}
	if (ev->bits & XL_EVENT_WRITABLE)
		sl->full = false;
	if (ev->bits & XL_EVENT_READABLE)
		sl->drained = false;
	xl_channel_look(s, ch, slot);
	if (ev->bits & XL_EVENT_CLOSED)
		xl_slot_closed(s, ch, slot);
}

static void event(struct xl_channels *s, const struct xl_event *ev)
{
	const u32 index = (u32)ev->user, id = (u32)(ev->user >> 32) & 0xffffff;
	struct xl_channel *ch = id < XLANE_CLIENTS_MAX ? s->channel[id] : NULL;

	if (!ch)
		return;
	if (ev->user >> 56 == XL_USER_SLOT) {
		slot_event(s, ch, index, ev);
	} else if (ev->user >> 56 == XL_USER_LISTENER) {
		ch->accept_news |= 1ull << index % 64;
		activate(s, ch);
	}
}

static u32 take_events(struct xl_channels *s)
{
	struct xl_event ev[EVENTS_MAX];
	u32 n, all = 0;

	for (u32 batch = 0; batch < EVENT_BATCHES_MAX; batch++) {
		n = xl_engine_events(s->engine, ev, EVENTS_MAX);
		for (u32 i = 0; i < n; i++)
			event(s, &ev[i]);
		all += n;
		if (n < EVENTS_MAX)
			break;
	}
	return all;
}

/* --- the turn of a channel ---------------------------------------------------------------------- */
static void take_dirty(struct xl_channel *ch)
{
	const u32 words = (ch->config.slots + 63) / 64;
	u64 summary = xl_bits_take_summary(&ch->map.head->dirty_summary);

	for (u32 w = 0; summary && w < words; w++, summary >>= 1) {
		u64 bits = summary & 1 ? xl_bits_take_word(ch->map.words->dirty, w) : 0;

		if (w == ch->config.slots / 64)
			bits &= (1ull << ch->config.slots % 64) - 1;
		ch->todo[w] |= bits;
		if (bits)
			ch->todo_words |= 1ull << w;
	}
}

/* The next slot to look at, from the cursor on and around; its mark is taken. XL_NONE: none. */
static u32 next_todo(struct xl_channel *ch)
{
	u32 word = ch->cursor / 64, slot;
	u64 later = ch->todo[word] & ~0ull << ch->cursor % 64, words;

	if (!ch->todo_words)
		return XL_NONE;
	if (!later) {
		words = word < 63 ? ch->todo_words & ~0ull << (word + 1) : 0;
		word = (u32)__builtin_ctzll(words ? words : ch->todo_words);
		later = ch->todo[word];
	}
	slot = 64 * word + (u32)__builtin_ctzll(later);
	ch->todo[word] &= ~(1ull << slot % 64);
	if (!ch->todo[word])
		ch->todo_words &= ~(1ull << word);
	ch->cursor = slot + 1 < ch->config.slots ? slot + 1 : 0;
	return slot;
}

static u64 serve_slots(struct xl_channels *s, struct xl_channel *ch)
{
	u64 again[XLANE_CHANNEL_WORDS] = { 0 }, again_words = 0, all = 0;
	u32 slot;

	for (u32 i = 0; i < XL_CHANNEL_TURN_SLOTS && all < XL_CHANNEL_TURN_BYTES && !ch->dying; i++) {
		bool more;

		slot = next_todo(ch);
		if (slot == XL_NONE)
			break;
		all += xl_slot_serve(s, ch, slot, &more);
		if (!more)
			continue;
		again[slot / 64] |= 1ull << slot % 64;
		again_words |= 1ull << slot / 64;
	}
	for (; again_words; again_words &= again_words - 1) {
		u32 w = (u32)__builtin_ctzll(again_words);

		ch->todo[w] |= again[w];
		ch->todo_words |= 1ull << w;
	}
	return all;
}

static bool is_torn(const struct xl_channel *ch)
{
	return atomic_load_explicit(&ch->torn, memory_order_relaxed);
}

/* Something that the client has published is to be seen to. */
static bool pending(struct xl_channels *s, struct xl_channel *ch)
{
	const struct xlane_channel_head *head = ch->map.head;

	if (atomic_load_explicit(&head->dirty_summary, memory_order_seq_cst))
		return true;
	return atomic_load_explicit(&head->command_tail, memory_order_seq_cst) != ch->command_head &&
	       (xl_channel_reply_room(s, ch) || ch->dying);
}

/* Quiet for long enough: looked at again only when its client says so. */
static void park(struct xl_channels *s, struct xl_channel *ch)
{
	if (ch->todo_words || s->now_ns - ch->heard_ns < XL_CHANNEL_PARK_NS)
		return;
	xl_sleep_enter(&ch->map.head->worker_asleep);
	if (pending(s, ch) || is_torn(ch)) {
		(void)xl_sleep_leave(&ch->map.head->worker_asleep);
		return;
	}
	ch->active = false;
	xl_list_remove(&s->links, &s->active, ch->id);
}

/* Returns bytes and commands. */
static u64 serve(struct xl_channels *s, struct xl_channel *ch)
{
	u64 work = 0;

	if (!ch->dying) {
		take_dirty(ch); /* before the commands, so that a slot's connection is there before its bytes */
		work = xl_channel_commands(s, ch);
		work += serve_slots(s, ch);
	}
	if (!ch->dying)
		publish(s, ch);
	if (is_torn(ch)) {
		xl_channels_count_up(s, XL_CHANNEL_TORN);
		ch->dying = true;
	}
	if (ch->dying) {
		bury(s, ch);
		return work + 1;
	}
	if (work)
		ch->heard_ns = s->now_ns;
	else
		park(s, ch);
	return work;
}

u32 xl_channels_run(struct xl_channels *s, u64 now_ns)
{
	const u64 every = s->active.count < s->count ? XL_CHANNELS_LOOK_NS : XL_CHANNELS_HANGUP_NS;
	u32 work = 0, turns;
	u64 bytes = 0;

	xl_torn_guard(s);
	s->now_ns = now_ns;
	if (s->count && (s->slept || now_ns - s->looked_ns >= every))
		work += look(s);
	work += take_events(s);
	for (turns = s->active.count; turns && bytes < XL_CHANNELS_RUN_BYTES; turns--) {
		u32 id = xl_list_pop(&s->links, &s->active);

		xl_list_append(&s->links, &s->active, id);
		bytes += serve(s, s->channel[id]);
	}
	xl_handover_expire(s);
	return work + (u32)xl_min(bytes, UINT32_MAX / 2) + (turns != 0);
}

/* --- for the worker's wait ---------------------------------------------------------------------- */
u32 xl_channels_fds(void *channels, int *fds, u32 max)
{
	const struct xl_channels *s = channels;

	if (!max)
		return 0;
	fds[0] = s->epoll_fd;
	return 1;
}

int xl_channels_arm(void *channels, bool sleep)
{
	struct xl_channels *s = channels;

	xl_torn_guard(s);
	s->slept = true;
	for (u32 id = s->active.head; id != XL_NONE; id = xl_list_next(&s->links, id)) {
		struct xl_channel *ch = s->channel[id];

		if (!sleep) {
			(void)xl_sleep_leave(&ch->map.head->worker_asleep);
			continue;
		}
		if (ch->todo_words || ch->dying)
			return -EAGAIN;
		xl_sleep_enter(&ch->map.head->worker_asleep);
		if (pending(s, ch) || is_torn(ch))
			return -EAGAIN;
	}
	return 0;
}

u64 xl_channels_deadline(const struct xl_channels *s)
{
	return xl_handover_deadline(s->handover);
}

/* --- figures ------------------------------------------------------------------------------------ */
const u64 *xl_channels_counters(const struct xl_channels *s)
{
	return s->counters;
}

u32 xl_channels_count(const struct xl_channels *s)
{
	return s->count;
}

void xl_channels_owner(const struct xl_channels *s, u32 conn, u32 *client, u32 *uid, u32 *pid)
{
	u32 id = conn < XLANE_CONNS_MAX ? s->owner[conn] : 0;
	const struct xl_channel *ch = id ? s->channel[id - 1] : NULL;

	*client = ch ? ch->config.client : 0;
	*uid = ch ? ch->config.uid : 0;
	*pid = ch ? ch->config.pid : 0;
}
