/* SPDX-License-Identifier: BSD-2-Clause */
#include "fake_backend.h"

#include <sys/eventfd.h>
#include <unistd.h>

static struct fake *fake_of(const struct xl_backend *b)
{
	return (struct fake *)(uintptr_t)b;
}

static int fake_run(struct xl_backend *b)
{
	struct fake *f = fake_of(b);

	f->runs++;
	f->ran_ns = xl_worker_clock();
	if (f->on_run)
		f->on_run(f);
	return f->run_error;
}

static bool fake_turn(struct xl_backend *b, u64 now_ns) { return now_ns - fake_of(b)->ran_ns >= XL_S * 3600; }
static void fake_flush(struct xl_backend *b, u64 now_ns) { fake_of(b)->flushes += now_ns != 0; }
static u64 fake_ran_ns(const struct xl_backend *b) { return fake_of(b)->ran_ns; }
static u64 fake_deadline(const struct xl_backend *b) { return fake_of(b)->ran_ns + XL_MS; }

static u32 fake_events(struct xl_backend *b, struct xl_event *out, u32 max)
{
	struct fake *f = fake_of(b);
	u32 n = f->nevents;

	CHECK(n <= max);
	memcpy(out, f->events, n * sizeof *out);
	f->nevents = 0;
	return n;
}

static u32 fake_conns(const struct xl_backend *b)
{
	u32 n = 0;

	for (u32 i = 0; i < FAKE_CONNS; i++)
		n += fake_of(b)->conn[i].used && !fake_of(b)->conn[i].aborted && !fake_of(b)->conn[i].closed;
	return n;
}

static int fake_add(struct fake *f, u64 user, u8 kind, u32 *conn)
{
	for (u32 i = 0; i < FAKE_CONNS; i++) {
		if (f->conn[i].used)
			continue;
		f->conn[i] = (struct fake_conn){ .used = true, .user = user, .kind = kind };
		f->conn[i].wire = malloc(FAKE_WIRE_BYTES);
		CHECK(f->conn[i].wire);
		*conn = i;
		return 0;
	}
	return -ENOSPC;
}

static int fake_listen(struct xl_backend *b, u16 port, u8 kind, u32 backlog, u64 user, u32 *listener)
{
	(void)b, (void)kind, (void)backlog, (void)user;
	*listener = 0;
	return port == 9 ? -EADDRINUSE : 0;
}

static void fake_unlisten(struct xl_backend *b, u32 listener, u64 now_ns)
{
	(void)b, (void)now_ns;
	CHECK(!listener);
}

static int fake_accept(struct xl_backend *b, u32 listener, u64 user, u32 *conn)
{
	struct fake *f = fake_of(b);

	CHECK(!listener);
	if (!f->acceptable)
		return -EAGAIN;
	f->acceptable--;
	return fake_add(f, user, XLANE_KIND_STREAM, conn);
}

static int fake_connect(struct xl_backend *b, const u8 mac[6], u16 port, u8 kind, u64 user, u64 now_ns, u32 *conn)
{
	(void)mac, (void)port, (void)now_ns;
	return fake_add(fake_of(b), user, kind, conn);
}

static void fake_put(struct fake_conn *c, const void *data, u64 n)
{
	CHECK(c->wire_bytes + n <= FAKE_WIRE_BYTES);
	if (n)
		memcpy(c->wire + c->wire_bytes, data, n);
	c->wire_bytes += n;
	c->room -= n;
}

static s64 fake_send(struct xl_backend *b, u32 conn, const void *data, u64 bytes, u64 now_ns)
{
	struct fake_conn *c = &fake_of(b)->conn[conn];
	u64 n = c->kind == XLANE_KIND_STREAM ? xl_min(bytes, c->room) : bytes;

	(void)now_ns;
	/* nothing is sent beside a reservation, after the end, or whole that is too large */
	CHECK(!c->reserved && !c->shut && (c->kind == XLANE_KIND_STREAM || bytes <= b->send_whole_bytes));
	if (c->error)
		return c->error;
	if (n > c->room || (!n && bytes)) {
		c->refused = true;
		return -EAGAIN;
	}
	fake_put(c, data, n);
	return (s64)n;
}

static int fake_large_begin(struct xl_backend *b, u32 conn, u64 bytes, u64 now_ns)
{
	struct fake_conn *c = &fake_of(b)->conn[conn];

	(void)now_ns;
	CHECK(!c->shut && bytes > b->send_whole_bytes);
	if (fake_of(b)->begin_error)
		return fake_of(b)->begin_error;
	if (c->error)
		return c->error;
	if (c->left)
		return -EAGAIN;
	c->left = bytes;
	c->messages++;
	return 0;
}

static u64 fake_message_id(const struct xl_backend *b, u32 conn)
{
	return ((const struct fake *)b)->conn[conn].messages;
}

/* Only what is under way can be taken back. */
static int fake_cancel(struct xl_backend *b, u32 conn, u64 message, u64 now_ns)
{
	struct fake_conn *c = &fake_of(b)->conn[conn];

	(void)now_ns;
	if (!message || message > c->messages)
		return -ENOENT;
	if (message < c->messages || !c->left)
		return -EALREADY;
	c->left = 0;
	c->cancelled = message;
	return 0;
}

static s64 fake_large_more(struct xl_backend *b, u32 conn, const void *data, u64 bytes, u64 now_ns)
{
	struct fake_conn *c = &fake_of(b)->conn[conn];
	u64 n = xl_min(xl_min(bytes, c->room), 50000);

	(void)now_ns;
	CHECK(bytes <= c->left && !c->shut);
	if (c->error)
		return c->error;
	if (!n) {
		c->refused = true;
		return -EAGAIN;
	}
	fake_put(c, data, n);
	c->left -= n;
	return (s64)n;
}

static s64 fake_reserve(struct xl_backend *b, u32 conn, u64 bytes, void **data)
{
	struct fake_conn *c = &fake_of(b)->conn[conn];

	CHECK(!c->reserved);
	if (bytes > FAKE_ROOM_BYTES)
		return -EMSGSIZE;
	if (bytes > c->room) {
		c->refused = true;
		return -EAGAIN;
	}
	c->reserved = bytes;
	*data = c->reserve;
	return (s64)bytes;
}

static s64 fake_commit(struct xl_backend *b, u32 conn, u64 bytes, u64 now_ns)
{
	struct fake_conn *c = &fake_of(b)->conn[conn];

	(void)now_ns;
	CHECK(c->reserved && bytes <= c->reserved);
	c->reserved = 0;
	fake_put(c, c->reserve, bytes);
	return (s64)bytes;
}

static s64 fake_recv(struct xl_backend *b, u32 conn, void *data, u64 bytes, u64 now_ns)
{
	(void)data, (void)bytes, (void)now_ns;
	return fake_of(b)->conn[conn].error ? fake_of(b)->conn[conn].error : -EAGAIN;
}

static s64 fake_peek(struct xl_backend *b, u32 conn, const u8 **data, u64 *left)
{
	*data = NULL;
	*left = 0;
	return fake_recv(b, conn, NULL, 0, 0);
}

static void fake_consume(struct xl_backend *b, u32 conn, u64 bytes, u64 now_ns)
{
	(void)b, (void)conn, (void)now_ns;
	CHECK(!bytes);
}

static s64 fake_readable(const struct xl_backend *b, u32 conn)
{
	return fake_recv(&fake_of(b)->b, conn, NULL, 0, 0);
}

static u64 fake_writable(const struct xl_backend *b, u32 conn) { return fake_of(b)->conn[conn].room; }

static u64 fake_message_max(const struct xl_backend *b, u32 conn)
{
	const bool datagram = fake_of(b)->conn[conn].kind == XLANE_KIND_DATAGRAM;

	return datagram ? XLANE_DATAGRAM_MAX_BYTES : XLANE_MESSAGE_MAX_BYTES / 2;
}

static int fake_shutdown(struct xl_backend *b, u32 conn, u64 now_ns)
{
	(void)now_ns;
	CHECK(!fake_of(b)->conn[conn].left && !fake_of(b)->conn[conn].reserved);
	fake_of(b)->conn[conn].shut = true;
	return fake_of(b)->conn[conn].error;
}

static void fake_close(struct xl_backend *b, u32 conn, u64 now_ns)
{
	(void)now_ns;
	CHECK(!fake_of(b)->conn[conn].closed && !fake_of(b)->conn[conn].aborted);
	fake_of(b)->conn[conn].closed = true;
}

static void fake_abort(struct xl_backend *b, u32 conn, u64 now_ns)
{
	(void)now_ns;
	CHECK(!fake_of(b)->conn[conn].closed && !fake_of(b)->conn[conn].aborted);
	fake_of(b)->conn[conn].aborted = true;
}

static int fake_error(const struct xl_backend *b, u32 conn) { return fake_of(b)->conn[conn].error; }

static void fake_peer(const struct xl_backend *b, u32 conn, u8 mac[6], u16 *port)
{
	(void)b;
	memset(mac, 2, 6);
	*port = (u16)(conn + 1);
}

static int fake_info(struct xl_backend *b, u32 conn, struct xl_conn_info *out)
{
	memset(out, 0, sizeof *out);
	out->bytes_sent = fake_of(b)->conn[conn].wire_bytes;
	return 0;
}

static int fake_set(struct xl_backend *b, u32 conn, enum xl_conn_option option, u64 value)
{
	(void)conn;
	fake_of(b)->options[option] = value;
	return value == 999 ? -EINVAL : 0;
}

static int fake_get(struct xl_backend *b, u32 conn, enum xl_conn_option option, u64 *value)
{
	(void)conn;
	*value = fake_of(b)->options[option];
	return 0;
}

static int fake_give(struct xl_backend *b, u32 conn, u8 token[32])
{
	memset(token, 7, 32);
	fake_of(b)->conn[conn].given = !fake_of(b)->give_error;
	return fake_of(b)->give_error;
}

static int fake_take(struct xl_backend *b, const u8 token[32], u64 user, u8 *kind, u32 *conn)
{
	*kind = XLANE_KIND_UNORDERED;
	return fake_of(b)->take_error || token[0] != 7 ? -ENOENT : fake_add(fake_of(b), user, *kind, conn);
}

static int fake_counters(struct xl_backend *b, void (*each)(const char *, const char *, uint64_t, void *), void *arg)
{
	each("fake.runs", "runs", fake_of(b)->runs, arg);
	return 1;
}

static int fake_census(struct xl_backend *b, void (*each)(const char *, uint64_t, void *), void *arg)
{
	(void)b;
	each("free", 1, arg);
	return 0;
}

static void fake_destroy(struct xl_backend *b)
{
	fake_of(b)->destroyed = true;
}

static const struct xl_backend_ops fake_ops = {
	.name = "fake", .run = fake_run, .turn = fake_turn, .flush = fake_flush, .events = fake_events,
	.ran_ns = fake_ran_ns, .deadline = fake_deadline, .conns = fake_conns, .listen = fake_listen,
	.unlisten = fake_unlisten, .accept = fake_accept, .connect = fake_connect, .send = fake_send,
	.large_begin = fake_large_begin, .large_more = fake_large_more, .recv = fake_recv, .peek = fake_peek,
	.consume = fake_consume, .readable = fake_readable, .writable = fake_writable,
	.message_max = fake_message_max, .shutdown = fake_shutdown, .close = fake_close, .abort = fake_abort,
	.error = fake_error, .peer = fake_peer, .info = fake_info, .set = fake_set, .get = fake_get,
	.counters = fake_counters, .census = fake_census, .destroy = fake_destroy,
};

void fake_with_reserve(struct fake *f)
{
	f->ops.reserve = fake_reserve;
	f->ops.commit = fake_commit;
}

void fake_with_cancel(struct fake *f)
{
	f->ops.message_id = fake_message_id;
	f->ops.cancel = fake_cancel;
}

void fake_with_handover(struct fake *f)
{
	f->ops.give = fake_give;
	f->ops.take = fake_take;
}

static u32 fake_fds(void *arg, int *fds, u32 max)
{
	CHECK(max);
	fds[0] = ((struct fake *)arg)->fd;
	return 1;
}

static int fake_arm(void *arg, bool sleep)
{
	return sleep && ((struct fake *)arg)->nevents ? -EAGAIN : 0;
}

xlane *fake_open(struct fake *f)
{
	struct xlane_config c;
	char why[256];
	xlane *x;

	memset(f, 0, sizeof *f);
	f->ops = fake_ops;
	f->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	CHECK(f->fd >= 0);
	f->b = (struct xl_backend){
		.ops = &f->ops, .source = { fake_fds, fake_arm, f }, .conns_max = FAKE_CONNS + 2, .mtu = 1500,
		.send_whole_bytes = XLANE_MESSAGE_SMALL_MAX_BYTES, .mac = { 2 }, .text = "fake",
	};
	xlane_config_init(&c);
	c.wait = XLANE_WAIT_SLEEP;
	x = xl_context_new(&c);
	CHECK(x && !xl_context_make(x, &c, &f->b, why, sizeof why));
	return x;
}

void fake_close_lingering(struct fake *f, xlane *x, int linger_ms)
{
	xlane_close(x, linger_ms);
	CHECK(f->destroyed);
	for (u32 i = 0; i < FAKE_CONNS; i++) {
		/* nothing of the library's is open any more */
		CHECK(!f->conn[i].used || f->conn[i].closed || f->conn[i].aborted || f->conn[i].given);
		free(f->conn[i].wire);
	}
	close(f->fd);
}

void fake_close_all(struct fake *f, xlane *x)
{
	f->on_run = NULL;
	fake_close_lingering(f, x, 0);
}

xlane_conn *fake_connected(xlane *x, struct fake *f, enum xlane_type type)
{
	const struct xlane_address to = { { 2, 1 }, 7 };
	struct xlane_event ev;
	xlane_conn *c;

	CHECK(!xlane_connect(x, &to, type, 0, &c));
	fake_event(f, c->h.index, XL_EVENT_OPEN);
	CHECK(xlane_poll(x, &ev, 1, 0) == 1 && ev.conn == c && ev.ready == XLANE_READY_OPEN);
	return c;
}
