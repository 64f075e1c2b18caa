/* SPDX-License-Identifier: BSD-2-Clause */
/* remote.c - open, run, wait and close. */
#include "remote.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xlane/xlane.h>

/* Commands that wait for the ring: at most these of each slot, and of questions that were given up. */
#define QUEUE_PER_SLOT 4
#define SPIN_US_DEFAULT 50

/* --- run ------------------------------------------------------------------------------------ */
/* One byte from the worker, or its end. */
static bool hear(struct xl_remote *r, struct xl_remote_channel *ch)
{
	char byte;
	ssize_t n = recv(ch->socket, &byte, 1, MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		r->dead = true;
	return n > 0;
}

/* Bytes and hang-ups that nobody expects: one system call, when nothing is there. */
static void look(struct xl_remote *r)
{
	struct epoll_event ev[XLANE_WORKERS_MAX];
	int n = epoll_wait(r->epoll_fd, ev, XLANE_WORKERS_MAX, 0);

	r->look = false;
	r->looked_ns = r->ran_ns;
	for (int i = 0; i < n; i++) {
		if (ev[i].events & (EPOLLHUP | EPOLLERR))
			r->dead = true;
		else if (hear(r, &r->ch[ev[i].data.u32]))
			r->ch[ev[i].data.u32].owed = false;
	}
}

void xl_remote_wake(struct xl_remote *r, struct xl_remote_channel *ch)
{
	ch->ring = false;
	if (!xl_sleep_take(&ch->map.head->worker_asleep))
		return;
	/* a full socket holds bytes enough to wake it */
	if (send(ch->socket, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno != EAGAIN)
		r->dead = true;
}

static void wake_all(struct xl_remote *r)
{
	for (u32 w = 0; w < r->workers; w++)
		if (r->ch[w].ring)
			xl_remote_wake(r, &r->ch[w]);
}

int xl_remote_run(struct xl_remote *r)
{
	u32 work = 0;

	r->ran_ns = xl_worker_clock();
	if (r->look || r->ran_ns - r->looked_ns >= XL_REMOTE_LOOK_NS)
		look(r);
	for (u32 w = 0; w < r->workers && !r->dead; w++)
		work += xl_remote_channel_run(r, &r->ch[w]);
	if (r->accept_again) {
		r->accept_again = false;
		for (u32 l = 0; l < XLANE_CHANNEL_LISTENERS_MAX; l++)
			if (r->listener[l].used && r->listener[l].more)
				xl_remote_accept_more(r, l);
	}
	wake_all(r);
	return r->dead ? -ENETDOWN : (int)work;
}

static int run(struct xl_backend *b)
{
	return xl_remote_run(xl_remote_of(b));
}

static bool turn(struct xl_backend *b, u64 now_ns)
{
	struct xl_remote *r = xl_remote_of(b);

	if (now_ns - r->ran_ns < XL_BACKEND_TURN_NS && !r->dead)
		return false;
	xl_remote_run(r);
	return true;
}

static void flush(struct xl_backend *b, u64 now_ns)
{
	(void)now_ns;
	wake_all(xl_remote_of(b));
}

/* --- events --------------------------------------------------------------------------------- */
void xl_remote_event(struct xl_remote *r, u32 conn, u32 bits)
{
	struct xl_remote_slot *sl = &r->slot[conn];

	if (!bits || sl->waiting || sl->state == XL_REMOTE_FREE || sl->state == XL_REMOTE_CLOSING)
		return;
	sl->event_bits |= bits;
	if (sl->is_event)
		return;
	sl->is_event = true;
	xl_list_append(&r->event_links, &r->events, conn);
}

static u32 events(struct xl_backend *b, struct xl_event *out, u32 max)
{
	struct xl_remote *r = xl_remote_of(b);
	u32 n = 0, i;

	for (; n < max && r->listener_events; r->listener_events &= r->listener_events - 1) {
		i = (u32)__builtin_ctzll(r->listener_events);
		if (r->listener[i].used && r->listener[i].waiting.count)
			out[n++] = (struct xl_event){ .bits = XL_EVENT_ACCEPT, .index = i,
						      .user = r->listener[i].user };
	}
	while (n < max && (i = xl_list_pop(&r->event_links, &r->events)) != XL_NONE) {
		struct xl_remote_slot *sl = &r->slot[i];

		out[n++] = (struct xl_event){ .bits = sl->event_bits, .index = i, .user = sl->user };
		sl->event_bits = 0;
		sl->is_event = false;
	}
	return n;
}

static u64 ran_ns(const struct xl_backend *b)
{
	return ((const struct xl_remote *)b)->ran_ns;
}

static u64 deadline(const struct xl_backend *b)
{
	const struct xl_remote *r = (const struct xl_remote *)b;

	if (r->dead)
		return 0;
	/* nobody tells that the ring of commands has room again */
	for (u32 w = 0; w < r->workers; w++)
		if (r->ch[w].queue_count)
			return r->ran_ns + XL_REMOTE_LOOK_NS;
	return XL_NEVER;
}

static u32 conns(const struct xl_backend *b)
{
	const struct xl_remote *r = (const struct xl_remote *)b;

	return r->dead ? 0 : r->used;
}

/* --- waiting -------------------------------------------------------------------------------- */
/* The sockets themselves, if there is room: a wake then goes through one epoll instead of two. */
static u32 fds(void *remote, int *out, u32 max)
{
	const struct xl_remote *r = remote;

	if (!max)
		return 0;
	out[0] = r->epoll_fd;
	if (r->workers > max)
		return 1;
	for (u32 w = 0; w < r->workers; w++)
		out[w] = r->ch[w].socket;
	return r->workers;
}

static void awake(struct xl_remote *r)
{
	bool woken = false;

	for (u32 w = 0; w < r->workers; w++) {
		struct xl_remote_channel *ch = &r->ch[w];
		bool taken = !xl_sleep_leave(&ch->map.head->client_asleep);

		woken |= taken;
		if (taken || ch->owed)
			ch->owed = !hear(r, ch);
	}
	/* a timer, a hang-up, or a byte that came late */
	r->look = !woken;
}

int xl_remote_arm(void *remote, bool sleep)
{
	struct xl_remote *r = remote;

	if (!sleep) {
		awake(r);
		return 0;
	}
	wake_all(r);
	if (r->dead || r->events.count || r->listener_events || r->accept_again)
		return -EAGAIN;
	for (u32 w = 0; w < r->workers; w++) {
		xl_sleep_enter(&r->ch[w].map.head->client_asleep);
		if (xl_remote_channel_news(&r->ch[w]))
			return -EAGAIN;
	}
	return 0;
}

/* --- figures that are here ------------------------------------------------------------------- */
static int error(const struct xl_backend *b, u32 conn)
{
	const struct xl_remote_slot *sl = xl_remote_at(b, conn);

	if (((const struct xl_remote *)b)->dead)
		return -ENETDOWN;
	return sl->closed ? sl->error : 0;
}

static void peer(const struct xl_backend *b, u32 conn, u8 mac[6], u16 *port)
{
	const struct xl_remote_slot *sl = xl_remote_at(b, conn);

	memcpy(mac, sl->mac, 6);
	*port = sl->port;
}

/* --- open and close -------------------------------------------------------------------------- */
static void destroy(struct xl_backend *b)
{
	struct xl_remote *r = xl_remote_of(b);

	for (u32 w = 0; w < XLANE_WORKERS_MAX; w++) {
		struct xl_remote_channel *ch = &r->ch[w];

		if (ch->socket >= 0)
			close(ch->socket);
		if (ch->map.head)
			munmap(ch->map.head, ch->map.bytes);
		free(ch->queue);
	}
	for (u32 i = 0; r->slot && i < r->workers * r->slots; i++)
		free(r->slot[i].gather);
	free(r->slot);
	if (r->epoll_fd >= 0)
		close(r->epoll_fd);
	if (r->control_fd >= 0)
		close(r->control_fd);
	free(r);
}

static const struct xl_backend_ops ops = {
	.name = "daemon", .run = run, .turn = turn, .flush = flush, .events = events, .ran_ns = ran_ns,
	.deadline = deadline, .conns = conns, .listen = xl_remote_listen, .unlisten = xl_remote_unlisten,
	.accept = xl_remote_accept, .connect = xl_remote_connect, .send = xl_remote_send,
	.large_begin = xl_remote_large_begin, .large_more = xl_remote_large_more, .reserve = xl_remote_reserve,
	.commit = xl_remote_commit, .recv = xl_remote_recv, .peek = xl_remote_peek, .consume = xl_remote_consume,
	.readable = xl_remote_readable, .writable = xl_remote_writable, .message_max = xl_remote_message_max,
	.shutdown = xl_remote_shutdown, .close = xl_remote_close, .abort = xl_remote_abort, .error = error,
	.peer = peer, .info = xl_remote_info, .set = xl_remote_set, .get = xl_remote_get, .give = xl_remote_give,
	.take = xl_remote_take, .counters = xl_remote_counters, .census = xl_remote_census, .destroy = destroy,
};

/* The descriptors of one channel. The memory must be as large as was said: else a touch could raise SIGBUS. */
static int open_channel(struct xl_remote *r, u32 worker, int memfd, int socket)
{
	struct xl_remote_channel *ch = &r->ch[worker];
	struct epoll_event ev = { .events = EPOLLIN, .data.u32 = worker };
	const u64 bytes = xl_layout_bytes(r->slots, r->ring_bytes);
	const struct xlane_channel_head *head;
	struct stat st;
	void *base;

	ch->socket = socket;
	ch->worker = worker;
	ch->slot = r->slot + worker * r->slots;
	if (fstat(memfd, &st) < 0)
		return -errno;
	if ((u64)st.st_size != bytes)
		return -EPROTO;
	base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	if (base == MAP_FAILED)
		return -errno;
	xl_layout_init(&ch->map, base, r->slots, r->ring_bytes);
	head = base;
	if (head->magic != XLANE_CHANNEL_MAGIC || head->version != XLANE_CHANNEL_VERSION || head->slots != r->slots ||
	    head->ring_bytes != r->ring_bytes || head->commands != XLANE_CHANNEL_COMMANDS)
		return -EPROTO;
	ch->queue_size = QUEUE_PER_SLOT * r->slots + XLANE_CHANNEL_COMMANDS;
	ch->queue = malloc(ch->queue_size * sizeof *ch->queue);
	if (!ch->queue)
		return -ENOMEM;
	return epoll_ctl(r->epoll_fd, EPOLL_CTL_ADD, socket, &ev) < 0 ? -errno : 0;
}

static int make_slots(struct xl_remote *r)
{
	const u32 n = r->workers * r->slots;

	r->slot = calloc(n, sizeof *r->slot);
	r->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (!r->slot || r->epoll_fd < 0)
		return r->slot ? -errno : -ENOMEM;
	r->links = (struct xl_links){ (u8 *)&r->slot[0].link, sizeof *r->slot };
	r->event_links = (struct xl_links){ (u8 *)&r->slot[0].event_link, sizeof *r->slot };
	r->events = XL_LIST_EMPTY;
	for (u32 w = 0; w < r->workers; w++)
		r->free[w] = XL_LIST_EMPTY;
	for (u32 i = 0; i < n; i++)
		xl_list_append(&r->links, &r->free[i / r->slots], i);
	return 0;
}

/* What the daemon granted. */
static int check_grant(const struct xl_control_answer *a, u32 nfds)
{
	if (!a->workers || a->workers > XLANE_WORKERS_MAX || nfds != 2 * a->workers || !a->client ||
	    !xl_layout_bytes(a->slots, a->ring_bytes))
		return -EPROTO;
	return 0;
}

static int attach(struct xl_remote *r, const struct xlane_config *c, struct xl_control_answer *a, int *fds, u32 *nfds,
		  char *why, size_t why_bytes)
{
	struct xl_control_request q = {
		.magic = XL_CONTROL_MAGIC, .version = XL_CONTROL_VERSION, .op = XL_CONTROL_ATTACH,
		.slots = c->conns, .ring_bytes = c->channel_kib > XLANE_CHANNEL_RING_MAX_BYTES / 1024 ? UINT32_MAX :
							c->channel_kib * 1024,
	};
	int err;

	if (c->interface && strlen(c->interface) >= sizeof q.interface) {
		snprintf(why, why_bytes, "no interface has so long a name: %s", c->interface);
		return -ENODEV;
	}
	if (q.ring_bytes && !xl_layout_bytes(1, q.ring_bytes)) {
		snprintf(why, why_bytes, "channel_kib %u is not a power of two in %u..%u", c->channel_kib,
			 XLANE_CHANNEL_RING_MIN_BYTES / 1024, XLANE_CHANNEL_RING_MAX_BYTES / 1024);
		return -EINVAL;
	}
	if (c->interface)
		memcpy(q.interface, c->interface, strlen(c->interface));
	err = xl_control_connect(c->socket, &r->control_fd, why, why_bytes);
	return err ? err : xl_control_ask(r->control_fd, &q, a, fds, nfds, why, why_bytes);
}

static int open_channels(struct xl_remote *r, const struct xl_control_answer *a, const int *fds, u32 nfds)
{
	int err = check_grant(a, nfds);

	if (!err) {
		r->workers = a->workers;
		r->slots = a->slots;
		r->ring_bytes = a->ring_bytes;
		r->client = a->client;
		memcpy(r->interface, a->interface, sizeof r->interface);
		r->next_worker = a->client % a->workers;
		err = make_slots(r);
	}
	for (u32 i = 0; i < nfds / 2; i++) {
		if (err)
			close(fds[2 * i + 1]);
		else
			err = open_channel(r, i, fds[2 * i], fds[2 * i + 1]);
		close(fds[2 * i]);
	}
	if (nfds % 2)
		close(fds[nfds - 1]);
	return err;
}

static void describe(struct xl_remote *r, const struct xlane_config *c, const struct xl_control_answer *a)
{
	const u32 whole = (u32)xl_max(XLANE_MESSAGE_SMALL_MAX_BYTES, r->ring_bytes / 2);

	r->b.ops = &ops;
	r->b.source = (struct xl_wait_source){ .fds = fds, .arm = xl_remote_arm, .arg = r };
	r->b.spin_ns = c->spin_us == SPIN_US_DEFAULT ? XL_REMOTE_SPIN_NS : c->spin_us * XL_US;
	r->b.conns_max = r->workers * r->slots + XLANE_CHANNEL_LISTENERS_MAX;
	r->b.send_whole_bytes = (u32)xl_min(whole, r->ring_bytes - sizeof(struct xlane_ring_head));
	r->b.mtu = a->mtu;
	memcpy(r->b.mac, a->mac, sizeof r->b.mac);
	snprintf(r->b.text, sizeof r->b.text, "daemon (%s, %u worker%s, %.48s)", a->interface, r->workers,
		 r->workers == 1 ? "" : "s", a->driver);
}

int xl_remote_open(const struct xlane_config *c, const struct xl_log *log, struct xl_backend **out, char *why,
		   size_t why_bytes)
{
	int channel_fds[XL_CONTROL_FDS_MAX], err;
	struct xl_remote *r = calloc(1, sizeof *r);
	struct xl_control_answer a;
	u32 n = 0;

	(void)log;
	*out = NULL;
	if (!r) {
		snprintf(why, why_bytes, "no memory");
		return -ENOMEM;
	}
	r->control_fd = r->epoll_fd = -1;
	for (u32 w = 0; w < XLANE_WORKERS_MAX; w++)
		r->ch[w].socket = -1;
	err = attach(r, c, &a, channel_fds, &n, why, why_bytes);
	if (!err) {
		err = open_channels(r, &a, channel_fds, n);
		if (err == -EPROTO)
			snprintf(why, why_bytes, "xlaned's channels are of another layout: bring it and this program "
				 "to the same release");
		else if (err)
			snprintf(why, why_bytes, "can not open the channels to xlaned: %s", strerror(-err));
	}
	if (err) {
		destroy(&r->b);
		return err;
	}
	describe(r, c, &a);
	*out = &r->b;
	return 0;
}
