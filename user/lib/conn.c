/* SPDX-License-Identifier: BSD-2-Clause */
#include "type.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "context.h"

static int error_of(const xlane_conn *c)
{
	struct xl_conn_info info;

	xl_conn_info(c->h.x->engine, c->h.index, &info);
	return info.error;
}

/* Until the handshake is over. */
static int wait_open(xlane_conn *c, struct xl_patience *p)
{
	while (!c->open && !c->closed) {
		int err = xl_context_step(c->h.x, p);

		if (err)
			return err == -EAGAIN ? -ETIMEDOUT : err;
	}
	if (!c->open) {
		int err = error_of(c);

		return err ? err : -ECONNRESET;
	}
	xl_handle_forget(&c->h.x->handles, &c->h, XLANE_READY_OPEN);
	return 0;
}

int xlane_connect(xlane *x, const struct xlane_address *to, enum xlane_type type, int timeout_ms, xlane_conn **out)
{
	struct xl_connect how = { .port = to->port, .kind = xl_type_kind(type) };
	XL_PATIENCE(p);
	xlane_conn *c;
	u64 now;
	int err = xl_guard_check(&x->guard);

	*out = NULL;
	if (err)
		return err;
	if (!to->port || to->mac[0] & 1 || !xl_type_known(type) || !memcmp(to->mac, x->worker.link.mac, 6))
		return -EINVAL;
	c = (xlane_conn *)xl_handle_new(&x->handles, x, sizeof *c, &err);
	if (!c)
		return err;
	c->type = type;
	how.user = xl_handle_user(&x->handles, &c->h);
	xl_link_path(&x->worker.link, to->mac, &how.path);
	p = xl_patience(timeout_ms);
	now = xl_worker_clock();
	err = xl_engine_connect(x->engine, &how, now, &c->h.index);
	if (err) {
		xl_handle_release(&x->handles, &c->h);
		return err;
	}
	xl_worker_send(&x->worker, now);
	if (timeout_ms)
		err = wait_open(c, &p);
	if (err) {
		xlane_conn_abort(c);
		return err;
	}
	*out = c;
	return 0;
}

int xlane_shutdown(xlane_conn *c)
{
	u64 now;
	int err = xl_guard_check(&c->h.x->guard);

	if (err)
		return err;
	now = xl_worker_clock();
	err = xl_conn_shutdown(c->h.x->engine, c->h.index, now);
	xl_worker_send(&c->h.x->worker, now);
	return err;
}

/* What the peer still sends is dropped, so that its end comes through. */
static void discard(xlane_conn *c)
{
	struct xl_engine *e = c->h.x->engine;
	const u8 *data;
	u64 left;
	s64 n;

	for (;;) {
		n = xl_conn_peek(e, c->h.index, &data, &left);
		if (n < 0 || (n == 0 && c->type == XLANE_STREAM))
			return;
		xl_conn_consume(e, c->h.index, (u64)n, xl_worker_clock());
	}
}

int xlane_conn_close(xlane_conn *c, int timeout_ms)
{
	XL_PATIENCE(p);
	u64 now;
	xlane *x = c->h.x;
	int err = xl_guard_check(&x->guard);

	if (err)
		return err;
	p = xl_patience(timeout_ms);
	now = xl_worker_clock();
	xl_conn_shutdown(x->engine, c->h.index, now);
	xl_worker_send(&x->worker, now);
	while (!c->closed && !err) {
		discard(c);
		err = xl_context_step(x, &p);
	}
	if (c->closed)
		err = error_of(c);
	else if (err == -EAGAIN)
		err = -ETIMEDOUT;
	now = xl_worker_clock();
	xl_conn_close(x->engine, c->h.index, now);
	xl_worker_send(&x->worker, now);
	xl_handle_release(&x->handles, &c->h);
	return err;
}

void xlane_conn_abort(xlane_conn *c)
{
	xlane *x;
	u64 now;

	if (!c || xl_guard_check(&c->h.x->guard))
		return;
	x = c->h.x;
	now = xl_worker_clock();
	xl_conn_abort(x->engine, c->h.index, XLANE_WIRE_CANCELLED, now);
	xl_worker_send(&x->worker, now);
	xl_handle_release(&x->handles, &c->h);
}

void xlane_conn_set_user(xlane_conn *c, void *user)
{
	c->user = user;
}

void *xlane_conn_user(const xlane_conn *c)
{
	return c->user;
}

xlane *xlane_conn_context(const xlane_conn *c)
{
	return c->h.x;
}

void xlane_conn_peer(const xlane_conn *c, struct xlane_address *out)
{
	struct xl_conn_info info;

	memset(out, 0, sizeof *out);
	if (xl_guard_check(&c->h.x->guard))
		return;
	xl_conn_info(c->h.x->engine, c->h.index, &info);
	memcpy(out->mac, info.path.remote, sizeof out->mac);
	out->port = info.remote_port;
}

void xlane_conn_stats(const xlane_conn *c, struct xlane_conn_stats *out)
{
	struct xlane_conn_stats s = { .size = sizeof s };
	struct xl_conn_info i;
	size_t size = out->size;

	if (size < sizeof size || size > sizeof s)
		size = sizeof s;
	if (!xl_guard_check(&c->h.x->guard)) {
		xl_conn_info(c->h.x->engine, c->h.index, &i);
		s.srtt_ns = i.srtt_ns;
		s.rttvar_ns = i.rttvar_ns;
		s.rtt_min_ns = i.rtt_min_ns;
		s.cwnd_bytes = i.cwnd_bytes;
		s.inflight_bytes = i.inflight_bytes;
		s.bytes_sent = i.bytes_sent;
		s.bytes_acked = i.bytes_acked;
		s.bytes_received = i.bytes_received;
		s.packets_sent = i.packets_sent;
		s.packets_received = i.packets_received;
		s.packets_retransmitted = i.packets_retransmitted;
		s.packets_lost = i.packets_lost;
		s.packets_spurious = i.packets_spurious;
		s.probe_timeouts = i.ptos;
		s.messages_sent = i.messages_sent;
		s.messages_received = i.messages_received;
		snprintf(s.state, sizeof s.state, "%s", xl_conn_state_name(i.state));
	}
	s.size = size;
	memcpy(out, &s, size);
}
