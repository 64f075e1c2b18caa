/* SPDX-License-Identifier: BSD-2-Clause */
/* helped_ops.c - the program's side of a helped backend: each operation is the inner backend's, under the lock. */
#include <errno.h>
#include <string.h>

#include "../base/assert.h"
#include "helped_state.h"

static int run(struct xl_backend *b)
{
	struct xl_backend *in = xl_helped_enter(b);
	int n = in->ops->run(in);

	xl_helped(b)->begun = true;
	xl_helped(b)->here_ns = in->ops->ran_ns(in);
	return (int)xl_helped_left(b, n);
}

static bool turn(struct xl_backend *b, u64 now_ns)
{
	struct xl_backend *in = xl_helped_enter(b);
	struct xl_helped *h = xl_helped(b);
	/* the thread may have begun a turn since the clock was read */
	bool did = now_ns >= in->ops->ran_ns(in) && in->ops->turn(in, now_ns);

	h->begun = true;
	h->here_ns = now_ns;
	return xl_helped_left(b, did || h->told);
}

static void flush(struct xl_backend *b, u64 now_ns)
{
	struct xl_backend *in = xl_helped_enter(b);

	in->ops->flush(in, now_ns);
	xl_helped_left(b, 0);
}

static u32 events(struct xl_backend *b, struct xl_event *out, u32 max)
{
	struct xl_backend *in = xl_helped_enter(b);
	struct xl_helped *h = xl_helped(b);
	u32 n = xl_min(max, h->nnews - h->first);

	memcpy(out, h->news + h->first, n * sizeof *out);
	h->first += n;
	if (n < max) {
		h->first = h->nnews = 0;
		n += in->ops->events(in, out + n, max - n);
	}
	if (n < max && h->told) {
		xl_helped_quieten(h->news_fd);
		h->told = false;
	}
	return (u32)xl_helped_left(b, n);
}

static u64 ran_ns(const struct xl_backend *b)
{
	struct xl_backend *in = xl_helped_enter(b);

	return (u64)xl_helped_left(b, (s64)in->ops->ran_ns(in));
}

static u64 deadline(const struct xl_backend *b)
{
	struct xl_backend *in = xl_helped_enter(b);

	return (u64)xl_helped_left(b, (s64)in->ops->deadline(in));
}

static u32 conns(const struct xl_backend *b)
{
	struct xl_backend *in = xl_helped_enter(b);

	return (u32)xl_helped_left(b, in->ops->conns(in));
}

static int do_listen(struct xl_backend *b, u16 port, u8 kind, u32 backlog, u64 user, u32 *listener)
{
	struct xl_backend *in = xl_helped_enter(b);

	xl_helped(b)->begun = true;
	return (int)xl_helped_left(b, in->ops->listen(in, port, kind, backlog, user, listener));
}

static void unlisten(struct xl_backend *b, u32 listener, u64 now_ns)
{
	struct xl_backend *in = xl_helped_enter(b);

	in->ops->unlisten(in, listener, now_ns);
	xl_helped_left(b, 0);
}

static int do_accept(struct xl_backend *b, u32 listener, u64 user, u32 *conn)
{
	struct xl_backend *in = xl_helped_enter(b);

	return (int)xl_helped_left(b, in->ops->accept(in, listener, user, conn));
}

static int do_connect(struct xl_backend *b, const u8 mac[6], u16 port, u8 kind, u64 user, u64 now_ns, u32 *conn)
{
	struct xl_backend *in = xl_helped_enter(b);

	xl_helped(b)->begun = true;
	return (int)xl_helped_left(b, in->ops->connect(in, mac, port, kind, user, now_ns, conn));
}

static s64 do_send(struct xl_backend *b, u32 conn, const void *data, u64 bytes, u64 now_ns)
{
	struct xl_backend *in = xl_helped_enter(b);

	return xl_helped_left(b, in->ops->send(in, conn, data, bytes, now_ns));
}

static int large_begin(struct xl_backend *b, u32 conn, u64 bytes, u64 now_ns)
{
	struct xl_backend *in = xl_helped_enter(b);

	return (int)xl_helped_left(b, in->ops->large_begin(in, conn, bytes, now_ns));
}

static s64 large_more(struct xl_backend *b, u32 conn, const void *data, u64 bytes, u64 now_ns)
{
	struct xl_backend *in = xl_helped_enter(b);

	return xl_helped_left(b, in->ops->large_more(in, conn, data, bytes, now_ns));
}

static s64 do_recv(struct xl_backend *b, u32 conn, void *data, u64 bytes, u64 now_ns)
{
	struct xl_backend *in = xl_helped_enter(b);

	return xl_helped_left(b, in->ops->recv(in, conn, data, bytes, now_ns));
}

static s64 peek(struct xl_backend *b, u32 conn, const u8 **data, u64 *bytes_left)
{
	struct xl_backend *in = xl_helped_enter(b);

	return xl_helped_left(b, in->ops->peek(in, conn, data, bytes_left));
}

static void consume(struct xl_backend *b, u32 conn, u64 bytes, u64 now_ns)
{
	struct xl_backend *in = xl_helped_enter(b);

	in->ops->consume(in, conn, bytes, now_ns);
	xl_helped_left(b, 0);
}

static s64 readable(const struct xl_backend *b, u32 conn)
{
	struct xl_backend *in = xl_helped_enter(b);

	return xl_helped_left(b, in->ops->readable(in, conn));
}

static u64 writable(const struct xl_backend *b, u32 conn)
{
	struct xl_backend *in = xl_helped_enter(b);

	return (u64)xl_helped_left(b, (s64)in->ops->writable(in, conn));
}

static u64 message_max(const struct xl_backend *b, u32 conn)
{
	struct xl_backend *in = xl_helped_enter(b);

	return (u64)xl_helped_left(b, (s64)in->ops->message_max(in, conn));
}

static int do_shutdown(struct xl_backend *b, u32 conn, u64 now_ns)
{
	struct xl_backend *in = xl_helped_enter(b);

	return (int)xl_helped_left(b, in->ops->shutdown(in, conn, now_ns));
}

static void do_close(struct xl_backend *b, u32 conn, u64 now_ns)
{
	struct xl_backend *in = xl_helped_enter(b);

	in->ops->close(in, conn, now_ns);
	xl_helped_left(b, 0);
}

static void do_abort(struct xl_backend *b, u32 conn, u64 now_ns)
{
	struct xl_backend *in = xl_helped_enter(b);

	in->ops->abort(in, conn, now_ns);
	xl_helped_left(b, 0);
}

static int error_of(const struct xl_backend *b, u32 conn)
{
	struct xl_backend *in = xl_helped_enter(b);

	return (int)xl_helped_left(b, in->ops->error(in, conn));
}

static void peer(const struct xl_backend *b, u32 conn, u8 mac[6], u16 *port)
{
	struct xl_backend *in = xl_helped_enter(b);

	in->ops->peer(in, conn, mac, port);
	xl_helped_left(b, 0);
}

static int info(struct xl_backend *b, u32 conn, struct xl_conn_info *out)
{
	struct xl_backend *in = xl_helped_enter(b);

	return (int)xl_helped_left(b, in->ops->info(in, conn, out));
}

static int set(struct xl_backend *b, u32 conn, enum xl_conn_option option, u64 value)
{
	struct xl_backend *in = xl_helped_enter(b);

	return (int)xl_helped_left(b, in->ops->set(in, conn, option, value));
}

static int get(struct xl_backend *b, u32 conn, enum xl_conn_option option, u64 *value)
{
	struct xl_backend *in = xl_helped_enter(b);

	return (int)xl_helped_left(b, in->ops->get(in, conn, option, value));
}

static u64 message_id(const struct xl_backend *b, u32 conn)
{
	struct xl_backend *in = xl_helped_enter(b);

	return (u64)xl_helped_left(b, (s64)in->ops->message_id(in, conn));
}

static int cancel(struct xl_backend *b, u32 conn, u64 message, u64 now_ns)
{
	struct xl_backend *in = xl_helped_enter(b);

	return (int)xl_helped_left(b, in->ops->cancel(in, conn, message, now_ns));
}

static int counters(struct xl_backend *b, void (*each)(const char *name, const char *text, uint64_t value, void *arg),
		    void *arg)
{
	struct xl_backend *in = xl_helped_enter(b);

	return (int)xl_helped_left(b, in->ops->counters(in, each, arg));
}

static int census(struct xl_backend *b, void (*each)(const char *owner, uint64_t frames, void *arg), void *arg)
{
	struct xl_backend *in = xl_helped_enter(b);

	return (int)xl_helped_left(b, in->ops->census(in, each, arg));
}

/* --- what the context sleeps on --------------------------------------------------------------- */
static u32 source_fds(void *arg, int *fds, u32 max)
{
	struct xl_helped *h = arg;
	const struct xl_wait_source *s = &h->inner->source;

	XL_ASSERT(max);
	fds[0] = h->news_fd;
	return 1 + s->fds(s->arg, fds + 1, max - 1);
}

static int source_arm(void *arg, bool sleep)
{
	struct xl_helped *h = arg;
	const struct xl_wait_source *s = &xl_helped_enter(&h->b)->source;
	int err = 0;

	if (sleep)
		err = h->told ? -EAGAIN : s->arm(s->arg, true);
	else
		s->arm(s->arg, false);
	h->program_armed = sleep && !err;
	return (int)xl_helped_left(&h->b, err);
}

struct xl_wait_source xl_helped_source(struct xl_helped *h)
{
	return (struct xl_wait_source){ .fds = source_fds, .arm = source_arm, .arg = h };
}

const struct xl_backend_ops xl_helped_ops = {
	.name = "embedded, helped", .run = run, .turn = turn, .flush = flush, .events = events, .ran_ns = ran_ns,
	.deadline = deadline, .conns = conns, .listen = do_listen, .unlisten = unlisten, .accept = do_accept,
	.connect = do_connect, .send = do_send, .large_begin = large_begin, .large_more = large_more, .recv = do_recv,
	.peek = peek, .consume = consume, .readable = readable, .writable = writable, .message_max = message_max,
	.shutdown = do_shutdown, .close = do_close, .abort = do_abort, .error = error_of, .peer = peer, .info = info,
	.set = set, .get = get, .message_id = message_id, .cancel = cancel, .counters = counters, .census = census, .destroy = xl_helped_destroy,
};
