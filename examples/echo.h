/* SPDX-License-Identifier: BSD-2-Clause */
/* echo.h - what echo_client and echo_server share beside the library: options, seeded messages, figures. */
#ifndef EXAMPLES_ECHO_H
#define EXAMPLES_ECHO_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xlane/xlane.h>

/* Options of the context: -d through the daemon, -i IFACE, and embedded -D auto|af_xdp|af_packet, -V VLAN, -F FAULT,
 * -q QUEUES. Returns 0 for another. */
#define CONTEXT_OPTIONS "di:D:V:F:q:"
static inline int context_option(struct xlane_config *c, int opt, const char *arg)
{
	switch (opt) {
	case 'i': c->interface = arg; return 1;
	case 'd': c->daemon = 1; return 1;
	case 'D': c->driver = !strcmp(arg, "af_packet") ? XLANE_DRIVER_AF_PACKET :
			      !strcmp(arg, "af_xdp") ? XLANE_DRIVER_AF_XDP : XLANE_DRIVER_AUTO; return 1;
	case 'V': c->vlan[0] = (uint16_t)strtoul(arg, NULL, 0); return 1;
	case 'F': c->fault = arg; return 1;
	case 'q': c->queues = (uint32_t)strtoul(arg, NULL, 10); return 1;
	default: return 0;
	}
}

static inline uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Message number i of a seed (splitmix64): its bytes into data, its size (1..max) returned. */
static inline size_t make_message(uint64_t seed, uint64_t i, size_t max, unsigned char *data)
{
	uint64_t state = seed * 0x9e3779b97f4a7c15u + i * 0xd1342543de82ef95u, z = 0;
	size_t bytes = 0;

	for (size_t at = 0; !bytes || at < bytes; at++) {
		if (at % 8 == 0) {
			z = state += 0x9e3779b97f4a7c15u;
			z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
			z = (z ^ z >> 27) * 0x94d049bb133111ebu;
			z ^= z >> 31;
			bytes = bytes ? bytes : 1 + z % max;
		}
		data[at] = (unsigned char)(z >> at % 8 * 8);
	}
	return bytes;
}

struct figures { unsigned long long messages, bytes, low, p50, p99, high; double seconds; };

static inline int by_value(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Percentiles of n > 0 round trips; sorts them. */
static inline void take_percentiles(struct figures *f, uint64_t *rtt, size_t n)
{
	qsort(rtt, n, sizeof *rtt, by_value);
	f->low = rtt[0], f->p50 = rtt[n / 2], f->p99 = rtt[n * 99 / 100], f->high = rtt[n - 1];
}

struct json_list { FILE *file; int fields; };

static inline void put_counter(const char *name, const char *text, uint64_t value, void *arg)
{
	struct json_list *l = arg;

	(void)text;
	fprintf(l->file, "%s\n    \"%s\": %llu", l->fields++ ? "," : "", name, (unsigned long long)value);
}

static inline void put_owner(const char *owner, uint64_t frames, void *arg)
{
	put_counter(owner, NULL, frames, arg);
}

/* The figures as JSON. Returns 0, or 1 when the file can not be written. */
static inline int write_json(const char *path, xlane_conn *c, const struct figures *f)
{
	struct xlane_conn_stats s = { .size = sizeof s };
	xlane *x = xlane_conn_context(c);
	FILE *file = fopen(path, "w");
	int census;

	if (!file)
		return fprintf(stderr, "can not write %s: %s\n", path, strerror(errno)), 1;
	xlane_conn_stats(c, &s);
	fprintf(file, "{\n  \"messages\": %llu,\n  \"bytes_sent\": %llu,\n  \"bytes_received\": %llu,\n"
		"  \"seconds\": %.6f,\n  \"goodput\": %.0f,\n", f->messages, f->bytes, f->bytes, f->seconds,
		f->seconds > 0 ? (double)f->bytes * 8 / f->seconds : 0.0);
	fprintf(file, "  \"rtt\": { \"min_ns\": %llu, \"p50_ns\": %llu, \"p99_ns\": %llu, \"max_ns\": %llu },\n",
		f->low, f->p50, f->p99, f->high);
	fprintf(file, "  \"retransmitted\": %llu,\n  \"counters\": {", (unsigned long long)s.packets_retransmitted);
	xlane_counters(x, put_counter, &(struct json_list){ file, 0 });
	fprintf(file, "\n  },\n  \"census\": {");
	census = xlane_census(x, put_owner, &(struct json_list){ file, 0 });
	fprintf(file, "\n  },\n  \"census_ok\": %s\n}\n", census ? "false" : "true");
	return fclose(file) ? 1 : 0;
}

#endif
