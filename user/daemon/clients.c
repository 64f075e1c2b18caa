// SPDX-License-Identifier: BSD-2-Clause
/*
 * clients.c - who is connected to the control socket, and what they have.
 *
 *   connected --ATTACH--> attached --hang-up, or a worker gave a channel back--> leaving --all channels back--> free
 *       |  hang-up
 *       +-----> free
 */
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../channel/guest.h"
#include "../drv/why.h"
#include "logs.h"

#define ACCEPTS_MAX 16   /* in one go: others have their turn in between */

static struct xl_control_answer answer_of(int error)
{
	return (struct xl_control_answer){ .magic = XL_CONTROL_MAGIC, .version = XL_CONTROL_VERSION, .error = error };
}

/* Everything that was taken is given back. */
static void release(struct xl_server *s, struct xl_client *c)
{
	if (c->number) {
		xl_ports_drop(c->interface->ports, c->number);
		xl_quota_give(&s->quota, c->uid, &c->use);
		s->counters[XL_SERVER_LEFT]++;
		xl_debug("client %u (uid %u, pid %u) has left", c->number, c->uid, c->pid);
	}
	memset(c, 0, sizeof *c);
}

void xl_clients_drop(struct xl_server *s, struct xl_client *c)
{
	if (!c->used)
		return;
	if (c->fd >= 0) {   /* its workers are told once */
		epoll_ctl(s->epoll, EPOLL_CTL_DEL, c->fd, NULL);   /* it may be closed later than now */
		xl_guest_close(c->fd);
		c->fd = -1;
		for (u32 w = 0; c->out && w < c->interface->workers; w++)
			if (c->channel[w])
				xl_thread_drop(c->interface->thread[w], c->number);
	}
	c->asks = XL_ASKS_NOTHING;
	if (!c->out)
		release(s, c);
}

void xl_clients_channel_gone(struct xl_server *s, struct xl_channel *ch)
{
	const struct xl_channel_config *k = xl_channel_config_of(ch);

	for (u32 i = 0; i < XLANE_CLIENTS_MAX; i++) {
		struct xl_client *c = &s->client[i];

		if (!c->used || c->number != k->client)
			continue;
		c->channel[k->worker] = NULL;
		c->out--;
		xl_channel_free(ch);
		xl_clients_drop(s, c);
		return;
	}
	xl_error("a channel of client %u came back, whom nobody knows", k->client);
	xl_channel_free(ch);
}

void xl_clients_answer(struct xl_server *s, struct xl_client *c, const struct xl_control_answer *a, const int *fds,
		       u32 nfds)
{
	int err = xl_control_answer(c->fd, a, fds, nfds);

	if (!err)
		return;
	if (err == -EAGAIN)
		s->counters[XL_SERVER_NOT_READING]++;
	xl_clients_drop(s, c);
}

static void refuse(struct xl_server *s, struct xl_client *c, enum xl_server_counter counter,
		   struct xl_control_answer *a)
{
	s->counters[counter]++;
	xl_debug("uid %u, pid %u: refused: %s", c->uid, c->pid, a->why);
	xl_clients_answer(s, c, a, NULL, 0);
}

/* --- connecting ------------------------------------------------------------------------------- */
static struct xl_client *free_entry(struct xl_server *s, u32 uid, u32 *same_uid)
{
	struct xl_client *c = NULL;

	*same_uid = 0;
	for (u32 i = XLANE_CLIENTS_MAX; i--;) {
		if (!s->client[i].used)
			c = &s->client[i];
		else if (s->client[i].uid == uid)
			++*same_uid;
	}
	return c;
}

static void turn_away(struct xl_server *s, int fd, int err, enum xl_server_counter counter, const char *why)
{
	struct xl_control_answer a = answer_of(err);

	snprintf(a.why, sizeof a.why, "%s", why);
	s->counters[counter]++;
	xl_control_answer(fd, &a, NULL, 0);
	xl_guest_close(fd);
}

static void enter(struct xl_server *s, int fd)
{
	struct ucred who;
	socklen_t bytes = sizeof who;
	struct xl_client *c;
	u32 same;

	s->counters[XL_SERVER_CONNECTIONS]++;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &bytes) < 0) {
		xl_guest_close(fd);
		return;
	}
	c = free_entry(s, who.uid, &same);
	if (!c) {
		turn_away(s, fd, -ENOSPC, XL_SERVER_REFUSED_FULL,
			  "the daemon has as many clients as it takes (XLANE_CLIENTS_MAX)");
		return;
	}
	if (same >= s->quota.most.clients + XL_SERVER_ASKERS_MAX) {
		turn_away(s, fd, -EDQUOT, XL_SERVER_REFUSED_QUOTA,
			  "the user has too many connections to the daemon (clients_per_uid)");
		return;
	}
	*c = (struct xl_client){ .used = true, .fd = fd, .uid = who.uid, .pid = (u32)who.pid };
	if (xl_server_watch(s, fd, XL_ON_CLIENT, (u32)(c - s->client), 0))
		xl_clients_drop(s, c);
}

/* No descriptor is left: take the connection with the one that was kept for this, and close it; else the loop spins. */
static void turn_one_away(struct xl_server *s)
{
	int fd;

	close(s->spare);
	fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0)
		turn_away(s, fd, -EMFILE, XL_SERVER_REFUSED_FULL,
			  "the daemon has no descriptor left; raise its limit (LimitNOFILE)");
	s->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

void xl_clients_accept(struct xl_server *s)
{
	for (u32 i = 0; i < ACCEPTS_MAX; i++) {
		int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0)
			enter(s, fd);
		else if (errno == EMFILE || errno == ENFILE)
			turn_one_away(s);
		else if (errno != EINTR && errno != ECONNABORTED)
			return;
	}
}

/* --- attaching -------------------------------------------------------------------------------- */
static void list_interfaces(const struct xl_server *s, char *text, size_t bytes)
{
	size_t used = 0;

	*text = 0;
	for (u32 i = 0; i < s->interfaces && used < bytes; i++)
		used += (size_t)snprintf(text + used, bytes - used, "%s%s", i ? ", " : "",
					 s->interface[i].config->name);
}

static struct xl_interface *find_interface(struct xl_server *s, const char *name)
{
	if (!*name)
		return &s->interface[0];
	for (u32 i = 0; i < s->interfaces; i++)
		if (!strcmp(s->interface[i].config->name, name))
			return &s->interface[i];
	return NULL;
}

/* Never 0, and nobody's who is still here. */
static u32 next_number(const struct xl_server *s)
{
	u32 number = s->last_number, at;

	do {
		number++;
		for (at = 0; at < XLANE_CLIENTS_MAX; at++)
			if (s->client[at].used && s->client[at].number == number)
				break;
	} while (!number || at < XLANE_CLIENTS_MAX);
	return number;
}

/* Whether the request can be granted: fills the answer's sizes, or its error and why. */
static enum xl_server_counter check_attach(struct xl_server *s, struct xl_client *c, const struct xl_control_request *r,
					   struct xl_interface **found, struct xl_control_answer *a)
{
	u32 ring = r->ring_bytes ? r->ring_bytes : XLANE_CHANNEL_RING_DEFAULT_BYTES;
	u32 slots = r->slots ? r->slots : XLANE_CHANNEL_SLOTS_DEFAULT;
	struct xl_interface *i = *found = find_interface(s, r->interface);
	char names[120];

	list_interfaces(s, names, sizeof names);
	if (c->number)
		a->error = xl_why(-EISCONN, a->why, sizeof a->why, "this connection is client %u already", c->number);
	else if (slots > XLANE_CHANNEL_SLOTS_MAX)
		a->error = xl_why(-EINVAL, a->why, sizeof a->why, "%u connections on a channel: at most %d", slots,
				  XLANE_CHANNEL_SLOTS_MAX);
	else if (ring < XLANE_CHANNEL_RING_MIN_BYTES || ring > XLANE_CHANNEL_RING_MAX_BYTES || ring & (ring - 1))
		a->error = xl_why(-EINVAL, a->why, sizeof a->why, "rings of %u bytes: powers of two from %d to %d",
				  ring, XLANE_CHANNEL_RING_MIN_BYTES, XLANE_CHANNEL_RING_MAX_BYTES);
	if (a->error)
		return XL_SERVER_REFUSED_REQUEST;
	a->slots = slots;
	a->ring_bytes = ring;
	if (!i)
		a->error = xl_why(-ENODEV, a->why, sizeof a->why, "the daemon does not serve '%s'; it serves %s",
				  r->interface, names);
	else if (i->error)
		a->error = xl_why(-ENETDOWN, a->why, sizeof a->why, "%s is away: %s", i->config->name,
				  strerror(-i->error));
	return XL_SERVER_REFUSED_AWAY;
}

static void close_fds(const int *fds, u32 n)
{
	for (u32 k = 0; k < n; k++)
		close(fds[k]);
}

/* A channel to each worker; on failure none is left. */
static int make_channels(struct xl_client *c, int fds[XL_CONTROL_FDS_MAX], u32 number)
{
	struct xl_channel_config k = {
		.client = number, .uid = c->uid, .pid = c->pid, .slots = c->slots, .ring_bytes = c->ring_bytes,
	};
	int err = 0;

	for (k.worker = 0; k.worker < c->interface->workers && !err; k.worker++)
		err = xl_channel_make(&k, &c->channel[k.worker], &fds[2 * k.worker], &fds[2 * k.worker + 1]);
	if (!err)
		return 0;
	c->channel[--k.worker] = NULL;
	while (k.worker--) {
		xl_channel_free(c->channel[k.worker]);
		c->channel[k.worker] = NULL;
		close_fds(&fds[2 * k.worker], 2);
	}
	return err;
}

static void free_channels(struct xl_client *c)
{
	for (u32 w = 0; w < XLANE_WORKERS_MAX; w++) {
		if (c->channel[w])
			xl_channel_free(c->channel[w]);
		c->channel[w] = NULL;
	}
}

/* The client gets its ends first: when that fails, no worker has heard of it. */
static void hand_out(struct xl_server *s, struct xl_client *c, struct xl_control_answer *a)
{
	const struct xl_interface *i = c->interface;
	int fds[XL_CONTROL_FDS_MAX], err = make_channels(c, fds, s->last_number);

	if (err) {
		a->error =
			xl_why(err, a->why, sizeof a->why, "the daemon can not make the channels: %s", strerror(-err));
		xl_quota_give(&s->quota, c->uid, &c->use);
		refuse(s, c, XL_SERVER_REFUSED_MEMORY, a);
		return;
	}
	a->client = s->last_number;
	a->workers = i->workers;
	a->mtu = i->drv[0]->mtu;
	memcpy(a->mac, i->drv[0]->mac, sizeof a->mac);
	memcpy(a->interface, i->config->name, sizeof a->interface);
	snprintf(a->driver, sizeof a->driver, "%s", i->driver);
	err = xl_control_answer(c->fd, a, fds, 2 * i->workers);
	close_fds(fds, 2 * i->workers);
	if (err) {
		s->counters[XL_SERVER_NOT_READING]++;
		free_channels(c);
		xl_quota_give(&s->quota, c->uid, &c->use);
		xl_clients_drop(s, c);
		return;
	}
	c->number = s->last_number;
	c->since_ns = xl_worker_clock();
	c->out = i->workers;
	for (u32 w = 0; w < i->workers; w++)
		xl_thread_post(i->thread[w], XL_THREAD_ADD, c->channel[w]);
	s->counters[XL_SERVER_ATTACHED]++;
	xl_debug("client %u (uid %u, pid %u) on %s", c->number, c->uid, c->pid, i->config->name);
}

static void attach(struct xl_server *s, struct xl_client *c, const struct xl_control_request *r)
{
	struct xl_control_answer a = answer_of(0);
	enum xl_server_counter counter = check_attach(s, c, r, &c->interface, &a);

	if (a.error) {
		refuse(s, c, counter, &a);
		return;
	}
	c->slots = a.slots;
	c->ring_bytes = a.ring_bytes;
	c->use = (struct xl_quota_use){
		.clients = 1, .connections = (u64)a.slots * c->interface->workers,
		.bytes = xl_channel_bytes(a.slots, a.ring_bytes) * c->interface->workers,
	};
	a.error = xl_quota_take(&s->quota, c->uid, &c->use, a.why, sizeof a.why);
	if (a.error) {
		refuse(s, c, XL_SERVER_REFUSED_QUOTA, &a);
		return;
	}
	s->last_number = next_number(s);
	hand_out(s, c, &a);
}

void xl_clients_event(struct xl_server *s, u32 index)
{
	struct xl_client *c = index < XLANE_CLIENTS_MAX ? &s->client[index] : NULL;
	struct xl_control_answer a;
	struct xl_control_request r;
	int got;

	if (!c || !c->used || c->fd < 0)
		return;   /* it was dropped since */
	got = xl_control_take(c->fd, &r);
	if (got == -EAGAIN)
		return;
	if (got == -EPROTO) {
		a = answer_of(-EPROTO);
		snprintf(a.why, sizeof a.why, "not a request of this daemon's version (%d)", XL_CONTROL_VERSION);
		refuse(s, c, XL_SERVER_REFUSED_REQUEST, &a);
		xl_clients_drop(s, c);
	} else if (got != 1 || c->asks) {   /* gone, or it does not wait for its answer */
		xl_clients_drop(s, c);
	} else if (r.op == XL_CONTROL_ATTACH) {
		attach(s, c, &r);
	} else {
		xl_queries_ask(s, c, &r);
	}
}
