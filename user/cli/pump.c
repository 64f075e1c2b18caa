// SPDX-License-Identifier: BSD-2-Clause
/* pump.c - the loop of `xlane cat`. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "pump.h"

#define BUFFER_BYTES (256 * 1024)
#define PROGRESS_SECONDS 0.5

/* One end outside: a descriptor, maybe of a kind that epoll refuses (a regular file), which then is always ready. */
struct outside {
	int fd;
	uint32_t events;
	bool pollable;
	bool ready;
	bool done;
	int flags;          /* file status flags to put back at the end; -1: unchanged */
};

struct pump {
	struct xl_session *s;
	xlane_conn *c;
	int epoll_fd;
	struct outside in, out;
	bool own_out;       /* out.fd was opened here */
	char *buffer;       /* input: buffer[off..len) waits to be sent */
	size_t off, len;
	bool input_over;
	bool keep_output, progress;
	double begun, shown, worked;
	struct xl_pump_figures *figures;
	int err;
};

static bool arm(struct pump *p, struct outside *o, int op)
{
	struct epoll_event ev = { .events = o->events | EPOLLONESHOT, .data.ptr = o };

	return epoll_ctl(p->epoll_fd, op, o->fd, &ev) == 0;
}

/* Not ready any more: told again when it is. */
static void wait_for(struct pump *p, struct outside *o)
{
	o->ready = !o->pollable;
	if (o->pollable)
		arm(p, o, EPOLL_CTL_MOD);
}

static int watch(struct pump *p, struct outside *o)
{
	o->pollable = arm(p, o, EPOLL_CTL_ADD);
	o->ready = !o->pollable;
	return o->pollable || errno == EPERM ? 0 : -errno;
}

/* Standard output must never block. Its status flags may be shared with other processes, so it is opened anew where
 * that is possible (pipes, terminals), and else the flag is set for as long as this runs (sockets). */
static void open_output(struct pump *p)
{
	int flags = fcntl(STDOUT_FILENO, F_GETFL), fd;

	p->out.fd = STDOUT_FILENO;
	p->out.flags = -1;
	if (flags < 0 || flags & O_NONBLOCK)
		return;
	/* a regular file never blocks, and opened anew it would begin at its first byte */
	if (lseek(STDOUT_FILENO, 0, SEEK_CUR) >= 0)
		return;
	fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd >= 0) {
		p->out.fd = fd;
		p->own_out = true;
		return;
	}
	if (fcntl(STDOUT_FILENO, F_SETFL, flags | O_NONBLOCK) == 0)
		p->out.flags = flags;
}

static void close_output(struct pump *p)
{
	if (p->out.flags >= 0)
		fcntl(STDOUT_FILENO, F_SETFL, p->out.flags);
	p->out.flags = -1;
	if (p->own_out)
		close(p->out.fd);
	p->own_out = false;
}

static int begin(struct pump *p)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = NULL };
	int err;

	p->in = (struct outside){ .fd = STDIN_FILENO, .events = EPOLLIN, .flags = -1 };
	p->out = (struct outside){ .events = EPOLLOUT };
	open_output(p);
	p->buffer = malloc(BUFFER_BYTES);
	p->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (!p->buffer || p->epoll_fd < 0)
		return p->buffer ? -errno : -ENOMEM;
	if (epoll_ctl(p->epoll_fd, EPOLL_CTL_ADD, xlane_fd(p->s->x), &ev) < 0)
		return -errno;
	err = watch(p, &p->in);
	return err ? err : watch(p, &p->out);
}

/* Steps return true when bytes moved. A failure sets *end. */
static bool receive(struct pump *p, enum xl_pump_end *end)
{
	const void *data;
	int64_t n = xlane_recv_loan(p->c, &data, 0);
	ssize_t wrote;

	if (n == -EAGAIN)
		return false;
	if (n < 0) {
		*end = XL_PUMP_PEER;
		p->err = (int)n;
		return false;
	}
	if (n == 0) {
		p->out.done = true;
		close_output(p);
		if (!p->keep_output)
			close(STDOUT_FILENO);
		return true;
	}
	wrote = write(p->out.fd, data, (size_t)n);
	if (wrote < 0) {
		if (errno == EAGAIN) {
			wait_for(p, &p->out);
		} else if (errno != EINTR) {
			*end = XL_PUMP_OUTPUT;
			p->err = -errno;
		}
		return false;
	}
	xlane_release(p->c, (size_t)wrote);
	p->figures->received += (unsigned long long)wrote;
	return true;
}

static bool read_input(struct pump *p, enum xl_pump_end *end)
{
	ssize_t n = read(p->in.fd, p->buffer, BUFFER_BYTES);

	/* readiness is for one read: the descriptor may block on a second */
	wait_for(p, &p->in);
	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR) {
			*end = XL_PUMP_INPUT;
			p->err = -errno;
		}
		return false;
	}
	p->off = 0;
	p->len = (size_t)n;
	p->input_over = n == 0;
	return true;
}

static bool send_input(struct pump *p, enum xl_pump_end *end)
{
	bool moved = false;

	if (p->off == p->len && !p->input_over && p->in.ready)
		moved = read_input(p, end);
	if (p->off < p->len) {
		int64_t n = xlane_send(p->c, p->buffer + p->off, p->len - p->off, 0);

		if (n > 0) {
			p->off += (size_t)n;
			p->figures->sent += (unsigned long long)n;
			moved = true;
		} else if (n < 0 && n != -EAGAIN) {
			*end = XL_PUMP_PEER;
			p->err = (int)n;
		}
	}
	if (p->off == p->len && p->input_over) {
		p->in.done = true;
		xlane_shutdown(p->c);
		moved = true;
	}
	return moved;
}

static void show_progress(struct pump *p, double now, bool last)
{
	const double mib = 1024.0 * 1024.0, seconds = now - p->begun;
	const struct xl_pump_figures *f = p->figures;

	if (!p->progress || (!last && now - p->shown < PROGRESS_SECONDS))
		return;
	p->shown = now;
	fprintf(stderr, "\rxlane cat: %.1f MiB sent, %.1f MiB received, %.1f s, %.0f Mbit/s   %s",
		(double)f->sent / mib, (double)f->received / mib, seconds,
		seconds > 0 ? (double)(f->sent > f->received ? f->sent : f->received) * 8 / seconds / 1e6 : 0.0,
		last ? "\n" : "");
}

/* Nothing moved: keep looking for as long as the wait mode says, then sleep. */
static bool idle(struct pump *p, double now)
{
	const struct xlane_config *c = &p->s->config;
	const bool spin = c->wait == XLANE_WAIT_SPIN ||
			  (c->wait == XLANE_WAIT_ADAPTIVE && now - p->worked < c->spin_us / 1e6);
	struct timespec left = { 0 };
	struct epoll_event ev[4];
	uint64_t ns = spin ? 0 : xlane_prepare_wait(p->s->x);
	int n;

	if (p->progress && ns > PROGRESS_SECONDS * 1e9)
		ns = (uint64_t)(PROGRESS_SECONDS * 1e9);
	left.tv_sec = (time_t)(ns / 1000000000);
	left.tv_nsec = (long)(ns % 1000000000);
	n = epoll_pwait2(p->epoll_fd, ev, 4, ns == UINT64_MAX ? NULL : &left, NULL);
	/* before 5.11: the context's descriptor has a timer of its own, milliseconds rounded up are only a backstop */
	if (n < 0 && errno == ENOSYS)
		n = epoll_wait(p->epoll_fd, ev, 4, ns == UINT64_MAX ? -1 : (int)((ns + 999999) / 1000000));
	if (n < 0 && errno != EINTR) {
		p->err = -errno;
		return false;
	}
	/* whoever else wants this core may be the very program that is waited for */
	if (spin && c->wait == XLANE_WAIT_ADAPTIVE)
		sched_yield();
	for (int i = 0; i < n; i++) {
		struct outside *o = ev[i].data.ptr;

		if (o)
			o->ready = true;
	}
	return true;
}

static enum xl_pump_end loop(struct pump *p)
{
	enum xl_pump_end end = XL_PUMP_DONE;
	bool moved;
	int n;

	while (!(p->in.done && p->out.done)) {
		double now = xl_session_clock();

		if (xl_session_stop)
			return XL_PUMP_STOPPED;
		moved = !p->out.done && p->out.ready && receive(p, &end);
		if (end == XL_PUMP_DONE && !p->in.done)
			moved |= send_input(p, &end);
		if (end != XL_PUMP_DONE)
			return end;
		n = xlane_progress(p->s->x);
		if (n < 0) {
			p->err = n;
			return XL_PUMP_PEER;
		}
		if (moved || n > 0)
			p->worked = now;
		else if (!idle(p, now))
			return XL_PUMP_SYSTEM;
		show_progress(p, now, false);
	}
	return XL_PUMP_DONE;
}

enum xl_pump_end xl_pump_run(struct xl_session *s, xlane_conn *c, bool keep_output, bool progress,
			     struct xl_pump_figures *out, int *err)
{
	struct pump p = { .s = s, .c = c, .epoll_fd = -1, .keep_output = keep_output, .progress = progress,
			  .figures = out, .begun = xl_session_clock() };
	enum xl_pump_end end = XL_PUMP_SYSTEM;

	p.shown = p.worked = p.begun;
	memset(out, 0, sizeof *out);
	p.err = begin(&p);
	if (!p.err)
		end = loop(&p);
	out->seconds = xl_session_clock() - p.begun;
	show_progress(&p, xl_session_clock(), true);
	close_output(&p);
	if (p.epoll_fd >= 0)
		close(p.epoll_fd);
	free(p.buffer);
	*err = p.err;
	return end;
}
