// SPDX-License-Identifier: BSD-2-Clause
/* volley.c - many messages there and back, verified. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "units.h"
#include "volley.h"

#define EVENTS_MAX 16
#define PIECE_MS 200
#define DATAGRAM_SECONDS 1.0     /* unanswered for so long: lost */
#define SILENT_SECONDS 60.0
#define PROGRESS_SECONDS 1.0

/* A message on its way. */
struct flight { uint64_t number; double sent_at; };

struct run {
	struct xl_session *s;
	xlane_conn *c;
	const struct xl_volley *v;
	struct xl_volley_figures *f;
	enum xlane_type type;
	bool ordered;
	struct flight *flight;           /* [window], the oldest first */
	uint32_t flights;
	uint8_t *seen;                   /* a bit for each message: answered */
	uint64_t next, total, highest;   /* next to send; the highest answered + 1 */
	char *out, *in;
	uint64_t out_bytes, out_off;     /* made and not taken yet (out_off: of a stream, in part) */
	uint64_t in_room, in_bytes;
	double started, heard, told;
};

static bool seen(const struct run *r, uint64_t number)
{
	return r->seen[number / 8] >> number % 8 & 1;
}

/* 1: a message went; 0: not now; or an error. */
static int send_one(struct run *r)
{
	int64_t n;

	if (!r->out_bytes) {
		if (r->flights == r->v->window || r->next == r->total)
			return 0;
		r->out_bytes = xl_mix_size(&r->v->mix, r->next);
		xl_mix_fill(&r->v->mix, r->next, r->out, r->out_bytes);
	}
	n = xlane_send(r->c, r->out + r->out_off, r->out_bytes - r->out_off, 0);
	if (n == -EAGAIN || n == -EINTR)
		return 0;
	if (n < 0)
		return (int)n;
	/* of a stream the answer begins to come before all of it is sent */
	if (!r->out_off)
		r->flight[r->flights++] = (struct flight){ r->next, xl_session_clock() };
	r->out_off += (uint64_t)n;
	if (r->out_off < r->out_bytes)
		return 1;
	r->next++;
	r->f->sent++;
	r->f->bytes_sent += r->out_bytes;
	r->out_bytes = r->out_off = 0;
	return 1;
}

static void land(struct run *r, uint32_t i)
{
	memmove(r->flight + i, r->flight + i + 1, (r->flights - i - 1) * sizeof *r->flight);
	r->flights--;
}

static uint32_t find_flight(const struct run *r, uint64_t number)
{
	uint32_t i = 0;

	while (i < r->flights && r->flight[i].number != number)
		i++;
	return i;
}

/* Which message the answer claims to be; false: none that was sent. */
static bool claimed(const struct run *r, uint64_t *number)
{
	if (r->ordered) {
		*number = r->flights ? r->flight[0].number : 0;
		return r->flights != 0;
	}
	if (r->in_bytes < XL_MIX_NUMBER_BYTES)
		return false;
	*number = xl_mix_number(r->in);
	return *number < r->next;
}

/* A whole answer is in r->in. 0 or an error. */
static int judge(struct run *r)
{
	struct xl_volley_figures *f = r->f;
	double now = xl_session_clock();
	uint64_t number;
	uint32_t i;

	if (!claimed(r, &number) || !xl_mix_check(&r->v->mix, number, r->in, r->in_bytes)) {
		f->corrupted++;
		return r->type == XLANE_DATAGRAM ? 0 : -EBADMSG;
	}
	if (seen(r, number)) {
		f->duplicated++;
		return -EBADMSG;
	}
	i = find_flight(r, number);
	if (i < r->flights) {
		if (xl_samples_add(&f->rtt, (uint64_t)((now - r->flight[i].sent_at) * 1e9)))
			return -ENOMEM;
		land(r, i);
	} else {
		f->lost--;               /* it was only late */
	}
	r->seen[number / 8] |= (uint8_t)(1 << number % 8);
	f->answered++;
	f->bytes_verified += r->in_bytes;
	f->reordered += number + 1 < r->highest;
	r->highest = number + 1 > r->highest ? number + 1 : r->highest;
	r->heard = now;
	return 0;
}

static int grow(struct run *r, uint64_t bytes)
{
	char *more;

	if (bytes <= r->in_room)
		return 0;
	more = realloc(r->in, bytes);
	if (!more)
		return -ENOMEM;
	r->in = more;
	r->in_room = bytes;
	return 0;
}

/* What has come of the stream's next message. 1: whole; 0: not yet. */
static int take_stream(struct run *r)
{
	uint64_t due = r->flights ? xl_mix_size(&r->v->mix, r->flight[0].number) : 0;
	int64_t n;
	int err;

	if (!due)
		return 0;
	err = grow(r, due);
	if (err)
		return err;
	n = xlane_recv(r->c, r->in + r->in_bytes, due - r->in_bytes, 0);
	if (n < 0)
		return n == -EAGAIN || n == -EINTR ? 0 : (int)n;
	if (!n)
		return -ECONNRESET;
	r->in_bytes += (uint64_t)n;
	return r->in_bytes == due ? 1 : 2;
}

static int take_message(struct run *r)
{
	int64_t n = xlane_readable(r->c);
	int err = n > 0 ? grow(r, (uint64_t)n) : 0;

	if (err)
		return err;
	if (n >= 0)
		n = xlane_recv(r->c, r->in, r->in_room, 0);
	if (n < 0)
		return n == -EAGAIN || n == -EINTR ? 0 : n == -ENODATA ? -ECONNRESET : (int)n;
	r->in_bytes = (uint64_t)n;
	return 1;
}

/* 1: something came; 0: not now; or an error. */
static int take_one(struct run *r)
{
	int got = r->type == XLANE_STREAM ? take_stream(r) : take_message(r), err;

	if (got != 1)
		return got == 2 ? 1 : got;
	err = judge(r);
	r->in_bytes = 0;
	return err ? err : 1;
}

static void expire(struct run *r, double now)
{
	while (r->flights && now - r->flight[0].sent_at > DATAGRAM_SECONDS) {
		land(r, 0);
		r->f->lost++;
	}
}

static void progress(struct run *r, double now)
{
	char done[XL_UNIT_BYTES], rate[XL_UNIT_BYTES];
	bool terminal;

	if (!r->v->progress || now - r->told < PROGRESS_SECONDS)
		return;
	r->told = now;
	terminal = isatty(STDERR_FILENO);
	fprintf(stderr, "%s%llu of %llu verified, %sB, %sbit/s each way%s", terminal ? "\r" : "xlane ping: ",
		(unsigned long long)r->f->answered, (unsigned long long)r->total,
		xl_unit_bytes((double)r->f->bytes_verified, done),
		xl_unit_count((double)r->f->bytes_verified * 8 / (now - r->started), rate), terminal ? "\033[K" : "\n");
}

static int loop(struct run *r)
{
	struct xlane_event ev[EVENTS_MAX];
	int sent = 0, took = 0;

	while (!xl_session_stop && r->f->answered + r->f->lost < r->total) {
		double now = xl_session_clock();

		if (r->type == XLANE_DATAGRAM)
			expire(r, now);
		progress(r, now);
		sent = send_one(r);
		took = sent < 0 ? 0 : take_one(r);
		if (sent < 0 || took < 0)
			return sent < 0 ? sent : took;
		if (sent || took)
			continue;
		if (r->flights && r->type != XLANE_DATAGRAM && now - r->heard > SILENT_SECONDS)
			return -ETIMEDOUT;
		sent = xlane_poll(r->s->x, ev, EVENTS_MAX, PIECE_MS);
		if (sent < 0 && sent != -EINTR)
			return sent;
	}
	return 0;
}

int xl_volley_run(struct xl_session *s, xlane_conn *c, const struct xl_volley *v, struct xl_volley_figures *f)
{
	struct run r = { .s = s, .c = c, .v = v, .f = f, .type = xlane_conn_type(c), .total = xl_mix_total(&v->mix) };
	int err = -ENOMEM;

	memset(f, 0, sizeof *f);
	r.ordered = r.type == XLANE_STREAM || r.type == XLANE_MESSAGE;
	r.in_room = r.ordered ? 0 : XL_MIX_NUMBER_BYTES;
	r.flight = calloc(v->window, sizeof *r.flight);
	r.seen = calloc(r.total / 8 + 1, 1);
	r.out = malloc(xl_mix_high(&v->mix));
	r.in = malloc(XL_MIX_NUMBER_BYTES);
	if (r.flight && r.seen && r.out && r.in) {
		r.started = r.heard = r.told = xl_session_clock();
		err = loop(&r);
		f->seconds = xl_session_clock() - r.started;
		if (v->progress && isatty(STDERR_FILENO))
			fputs("\r\033[K", stderr);
	}
	free(r.flight);
	free(r.seen);
	free(r.out);
	free(r.in);
	return err;
}
