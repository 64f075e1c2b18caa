// SPDX-License-Identifier: BSD-2-Clause
#include "request.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../worker/worker.h"

#define ANSWER_MS 1000

union fds_buffer {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int) * XL_REQUEST_FDS_MAX)];
};

static void close_all(const int *fds, u32 n)
{
	for (u32 i = 0; i < n; i++)
		close(fds[i]);
}

/* The descriptors of a message: at most `room` of them are kept, the rest closed. Returns how many. */
static u32 take_fds(struct msghdr *m, int *fds, u32 room)
{
	u32 n = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		u32 here = c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS ?
			   (u32)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int)) : 0;

		for (u32 i = 0; i < here; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			if (n < room)
				fds[n++] = fd;
			else
				close(fd);
		}
	}
	return n;
}

/* One message without waiting: its bytes (0: hung up), or -errno; -EPROTO when it was cut. */
static s64 receive(int fd, void *data, size_t bytes, int *fds, u32 room, u32 *nfds)
{
	union fds_buffer control;
	struct iovec io = { data, bytes };
	struct msghdr m = {
		.msg_iov = &io, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
	};
	ssize_t n;

	do {
		n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	*nfds = 0;
	if (n < 0)
		return errno == ECONNRESET ? 0 : -errno;
	*nfds = take_fds(&m, fds, room);
	if (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		close_all(fds, *nfds);
		*nfds = 0;
		return -EPROTO;
	}
	return n;
}

static int wait_ready(int fd, short events, u64 until_ns)
{
	struct pollfd p = { .fd = fd, .events = events };
	u64 now = xl_worker_clock();
	int n;

	if (now >= until_ns)
		return -ETIMEDOUT;
	n = poll(&p, 1, (int)((until_ns - now + XL_MS - 1) / XL_MS));
	if (n < 0 && errno != EINTR)
		return -errno;
	return n ? 0 : -ETIMEDOUT;
}

/* The whole message, or -errno. */
static int transmit(int fd, const void *data, size_t bytes, const int *fds, u32 nfds, u64 until_ns)
{
	union fds_buffer control;
	struct iovec io = { (void *)data, bytes };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1 };

	if (nfds) {
		struct cmsghdr *c;

		memset(&control, 0, sizeof control);
		m.msg_control = &control;
		m.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, nfds * sizeof(int));
	}
	while (sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		int err = errno == EAGAIN	? wait_ready(fd, POLLOUT, until_ns)
			  : errno == EINTR	? 0
			  : errno == ECONNRESET ? -EPIPE
						: -errno;

		if (err)
			return err;
	}
	return 0;
}

/* --- helper ------------------------------------------------------------------------------- */
int xl_request_take(int fd, u32 interfaces, struct xl_request *out)
{
	struct { struct xl_request r; char more; } in;   /* one byte more, to see what is too long */
	int fds[1];
	u32 nfds;
	s64 n = receive(fd, &in, sizeof in, fds, XL_ARRAY_SIZE(fds), &nfds);

	close_all(fds, nfds);
	if (n <= 0)
		return (int)n;
	if (n != sizeof in.r || in.r.magic != XL_REQUEST_MAGIC || in.r.zero)
		return -EPROTO;
	if (!in.r.op || in.r.op >= XL_REQUEST_OPS || (in.r.op != XL_REQUEST_READY && in.r.interface >= interfaces))
		return -EPROTO;
	*out = in.r;
	return 1;
}

int xl_request_answer(int fd, struct xl_reply *r, const int *fds)
{
	u64 until = xl_worker_clock() + ANSWER_MS * XL_MS;
	struct xl_reply part = { .magic = XL_REQUEST_MAGIC, .kind = XL_REPLY_FDS, .op = r->op, .fds_all = r->fds_all };
	int err;

	r->magic = XL_REQUEST_MAGIC;
	r->fds = 0;
	err = transmit(fd, r, sizeof *r, NULL, 0, until);
	for (u32 sent = 0; sent < r->fds_all && !err; sent += part.fds) {
		part.fds = (u32)xl_min(r->fds_all - sent, XL_REQUEST_FDS_MAX);
		err = transmit(fd, &part, sizeof part, fds + sent, part.fds, until);
	}
	return err;
}

/* --- worker process ------------------------------------------------------------------------- */
/* One message of the helper, checked for its form. 1, 0: gone, or -errno. */
static int take_reply(struct xl_helper_link *h, struct xl_reply *r, int *fds, u32 room, u32 *nfds)
{
	s64 n = receive(h->fd, r, sizeof *r, fds, room, nfds);

	if (n <= 0)
		return (int)n;
	if (n != sizeof *r || r->magic != XL_REQUEST_MAGIC || r->fds != *nfds || !r->kind ||
	    r->kind > XL_REPLY_RELOAD) {
		close_all(fds, *nfds);
		*nfds = 0;
		return -EPROTO;
	}
	r->why[sizeof r->why - 1] = 0;
	if (r->kind == XL_REPLY_RELOAD) {
		h->reload = r->u.reload;
		h->reloaded = true;
	}
	return 1;
}

/* The next message that is no reload. */
static int next_reply(struct xl_helper_link *h, struct xl_reply *r, int *fds, u32 room, u32 *nfds, u64 until_ns)
{
	for (;;) {
		int n = take_reply(h, r, fds, room, nfds), err;

		if (n == 1 && r->kind != XL_REPLY_RELOAD)
			return 0;
		if (n == 1)
			continue;
		if (n != -EAGAIN)
			return n ? n : -EPIPE;
		err = wait_ready(h->fd, POLLIN, until_ns);
		if (err)
			return err;
	}
}

int xl_request_ask(struct xl_helper_link *h, enum xl_request_op op, u32 interface, int patience_ms, struct xl_reply *r,
		   int *fds, u32 *nfds)
{
	const struct xl_request q = { XL_REQUEST_MAGIC, op, interface, 0 };
	u64 until = xl_worker_clock() + (u64)patience_ms * XL_MS;
	struct xl_reply part;
	u32 all, none = 0, came = 0;
	int err = transmit(h->fd, &q, sizeof q, NULL, 0, until);

	if (!err)
		err = next_reply(h, r, NULL, 0, &none, until);
	if (!err && (r->kind != XL_REPLY_ANSWER || r->op != op || r->fds_all > XL_PORT_FDS_MAX || (r->fds_all && !fds)))
		err = -EPROTO;
	all = err ? 0 : r->fds_all;
	while (!err && came < all) {
		u32 n = 0;

		err = next_reply(h, &part, fds + came, all - came, &n, until);
		came += n;
		if (!err && (part.kind != XL_REPLY_FDS || !n))
			err = -EPROTO;
	}
	if (err) {
		h->broken = true;
		close_all(fds, came);
		snprintf(r->why, sizeof r->why, "the privileged helper does not answer: %s", strerror(-err));
		came = 0;
	}
	if (nfds)
		*nfds = came;
	return err ? err : r->error;
}

int xl_request_news(struct xl_helper_link *h)
{
	struct xl_reply r;
	u32 none;
	int n;

	do {
		n = take_reply(h, &r, NULL, 0, &none);
	} while (n == 1);   /* an answer that came too late is no news */
	if (h->reloaded)
		return 1;
	return n == -EAGAIN ? -EAGAIN : 0;
}
