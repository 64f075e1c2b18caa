/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * echo_client.c - send messages to echo_server and prove that each comes back, byte for byte.
 *
 *     echo_client -i IFACE|-d [-c COUNT] [-s MAX] [-w WINDOW] [-S SEED] [-t SECONDS] [--json FILE] MAC/PORT
 *
 * COUNT messages of seeded sizes 1..MAX and seeded content; at most WINDOW of them are under way at a time.
 */
#include <getopt.h>

#include "echo.h"

static unsigned long count = 1000, max_bytes = 16384, window = 8, seed = 1, timeout_s = 60;

/* The next answer must be message number `back`. Its size, -EAGAIN, or an error. */
static int64_t take_answer(xlane_conn *c, unsigned long back, unsigned char *in, unsigned char *want, int timeout_ms)
{
	int64_t n = xlane_recv(c, in, max_bytes, timeout_ms);
	size_t bytes;

	if (n < 0)
		return n;
	bytes = make_message(seed, back, max_bytes, want);
	return (size_t)n == bytes && !memcmp(in, want, bytes) ? n : -EBADMSG;
}

/* All messages out and back; rtt[i] is the round trip of message i. Returns 0 or the error. */
static int64_t exchange(xlane_conn *c, uint64_t *rtt, unsigned char *out, unsigned char *in, struct figures *f)
{
	const uint64_t end = now_ns() + timeout_s * 1000000000ull;
	unsigned long sent = 0;
	int64_t n = 0;

	while (f->messages < count) {
		int may_send = sent < count && sent - f->messages < window;

		if (now_ns() > end)
			return -ETIMEDOUT;
		if (may_send) {
			rtt[sent] = now_ns();
			n = xlane_send(c, out, make_message(seed, sent, max_bytes, out), 0);
			sent += n >= 0;
			if (n >= 0)
				continue;
			if (n != -EAGAIN)
				return n;
		}
		/* when it is the room to send that is missing, do not wait long for an answer */
		n = take_answer(c, f->messages, in, out, may_send ? 1 : 100);
		if (n < 0 && n != -EAGAIN)
			return n;
		if (n < 0)
			continue;
		rtt[f->messages] = now_ns() - rtt[f->messages];
		f->messages++;
		f->bytes += (unsigned long long)n;
	}
	return 0;
}

static int run(xlane_conn *c, const char *json)
{
	unsigned char *out = malloc(max_bytes), *in = malloc(max_bytes);
	uint64_t *rtt = calloc(count, sizeof *rtt), begun = now_ns();
	struct figures f = { 0 };
	int64_t err = out && in && rtt ? exchange(c, rtt, out, in, &f) : -ENOMEM;

	f.seconds = (double)(now_ns() - begun) / 1e9;
	if (err) {
		fprintf(stderr, "echo_client: after %llu of %lu messages: %s\n", f.messages, count,
			err == -EBADMSG ? "an answer is not what was sent" : xlane_strerror((int)err));
	} else {
		take_percentiles(&f, rtt, count);
		printf("%llu messages, %llu bytes each way in %.3f s, every byte as sent\n"
		       "round trip min/p50/p99/max = %.1f/%.1f/%.1f/%.1f us\n", f.messages, f.bytes, f.seconds,
		       (double)f.low / 1e3, (double)f.p50 / 1e3, (double)f.p99 / 1e3, (double)f.high / 1e3);
	}
	if (json && write_json(json, c, &f))
		err = -EIO;
	free(out);
	free(in);
	free(rtt);
	return err ? 1 : 0;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = { { "json", 1, NULL, 'j' }, { 0 } };
	struct xlane_address to = { .port = 7007 };
	struct xlane_config config;
	const char *json = NULL;
	int opt, err;
	xlane_conn *c;
	xlane *x;

	xlane_config_init(&config);
	while ((opt = getopt_long(argc, argv, CONTEXT_OPTIONS "c:s:w:S:t:", longs, NULL)) != -1) {
		switch (opt) {
		case 'c': count = strtoul(optarg, NULL, 10); break;
		case 's': max_bytes = strtoul(optarg, NULL, 10); break;
		case 'w': window = strtoul(optarg, NULL, 10); break;
		case 'S': seed = strtoul(optarg, NULL, 10); break;
		case 't': timeout_s = strtoul(optarg, NULL, 10); break;
		case 'j': json = optarg; break;
		default:
			if (!context_option(&config, opt, optarg))
				return 2;
		}
	}
	if (argc - optind != 1 || !count || !max_bytes || !window || xlane_address_parse(argv[optind], &to))
		return fprintf(stderr, "usage: echo_client -i IFACE|-d [-c COUNT] [-s MAX] [-w WINDOW] MAC/PORT\n"), 2;
	if (xlane_open(&config, &x))
		return fprintf(stderr, "echo_client: %s\n", xlane_last_error()), 1;
	err = xlane_connect(x, &to, XLANE_MESSAGE, 10000, &c);
	if (err) {
		fprintf(stderr, "echo_client: can not connect to %s: %s\n", argv[optind], xlane_strerror(err));
	} else {
		err = run(c, json);
		err = xlane_conn_close(c, 10000) || err;
	}
	xlane_close(x, 3000);
	return err ? 1 : 0;
}
