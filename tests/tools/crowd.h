/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crowd.h - the parts of `crowd`: a program with many connections, as client or server, that proves every byte.
 *
 * What is sent carries its own description, so that any receiver can check it without being told: a message or datagram
 * begins with struct crowd_head, a stream with one for the whole of it, and the bytes after it follow from key, number
 * and place.
 */
#ifndef TESTS_TOOLS_CROWD_H
#define TESTS_TOOLS_CROWD_H

#include <jansson.h>
#include <stdbool.h>
#include <xlane/limits.h>
#include <xlane/xlane.h>

#define CROWD_CONNS_MAX  4096
#define CROWD_RANGES_MAX 8
#define CROWD_PIECE_BYTES 65536  /* of a stream, moved at once */
#define CROWD_ERRNOS 256

enum crowd_work {
	CROWD_ECHO,      /* client: send, and get the same back; server: send back */
	CROWD_ONEWAY,    /* client: send; server: read and check */
	CROWD_HOLD,      /* client: have the connections; server: the same, reading what comes */
};

/* Sizes from `low` to `high`, `weight` times as often as a range of weight 1. */
struct crowd_range { unsigned weight; uint64_t low, high; };

struct crowd_options {
	struct xlane_config config;
	bool serve, epoll, loan, reserve;
	enum xlane_type type;
	enum crowd_work work;
	unsigned conns;
	uint64_t count;              /* messages of each connection */
	uint64_t bytes;              /* of each stream */
	struct crowd_range ranges[CROWD_RANGES_MAX];
	unsigned nranges;
	uint64_t plus_count, plus_bytes; /* among the count: so many of this size, spread evenly */
	uint64_t depth;              /* echo: messages, or pieces of a stream, not answered */
	uint64_t seed;
	unsigned slow;               /* server: so many of the first connections stop reading... */
	uint64_t slow_bytes;         /* ...after so many bytes, until told to go on */
	int quiet_s;                 /* give up when nothing at all has happened for so long */
	uint16_t port;
	struct xlane_address to;
	const char *control, *json;
};

struct crowd_head { uint64_t key, number, bytes, count; };

/* One direction of one connection. */
struct crowd_flow {
	uint64_t items, bytes;       /* done */
	struct crowd_head head;      /* receiving a stream: what it says of itself; sending: what is being sent */
	uint8_t *data;               /* message on its way in or out */
	size_t room, length, done;
	bool pending;                /* data waits to be sent */
};

enum crowd_state { CROWD_FREE, CROWD_OPENING, CROWD_RUNNING, CROWD_DRAINING, CROWD_ENDED };

struct crowd_conn {
	xlane_conn *c;
	enum crowd_state state;
	unsigned number;
	uint64_t key;
	struct crowd_flow in, out;
	uint8_t *seen;               /* bitmap of the numbers that came */
	uint64_t lost;               /* datagrams given up */
	uint64_t heard_ns;           /* last time anything came */
	bool slow, paused, stood;
};

struct crowd {
	struct crowd_options o;
	xlane *x;
	xlane_listener *listener;
	struct crowd_conn *conns;
	unsigned opened, running, ended, finished, paused, slow_taken, slow_running;
	int control;                 /* descriptor of the commands, or -1 */
	bool quit, told_fast, told_open, down;
	uint64_t moved_ns;           /* when something last happened */
	uint64_t begun_ns, ended_ns;
	uint64_t bad, duplicates, lost, items_in, items_out, bytes_in, bytes_out;
	unsigned errors[CROWD_ERRNOS];
};

uint64_t crowd_now_ns(void);

/* crowd_options.c: false: usage was printed. */
bool crowd_options_parse(struct crowd_options *o, int argc, char **argv);

/* crowd_pattern.c */
uint64_t crowd_mix(uint64_t a, uint64_t b);
void crowd_pattern_fill(const struct crowd_head *h, uint64_t from, void *to, size_t bytes);
bool crowd_pattern_check(const struct crowd_head *h, uint64_t from, const void *data, size_t bytes);
uint64_t crowd_item_bytes(const struct crowd_options *o, uint64_t key, uint64_t number);

/* crowd_flow.c: 1 something moved, -EAGAIN, 0 the peer's end, or the error. */
int crowd_flow_send(struct crowd *w, struct crowd_conn *k, int timeout_ms);
int crowd_flow_recv(struct crowd *w, struct crowd_conn *k, int timeout_ms);
int crowd_flow_echo(struct crowd *w, struct crowd_conn *k, int timeout_ms);

/* crowd_check.c: what was received whole; false: it is not what was sent. */
bool crowd_check_item(struct crowd *w, struct crowd_conn *k, const uint8_t *data, size_t bytes);
bool crowd_check_stream(struct crowd *w, struct crowd_conn *k, const uint8_t *data, size_t bytes);
bool crowd_check_end(struct crowd *w, struct crowd_conn *k);

/* crowd_conn.c */
struct crowd_conn *crowd_conn_new(struct crowd *w, xlane_conn *c, enum crowd_state state);
/* Go on as far as it goes without waiting (timeout 0), or one step that may wait. 1: moved, -EAGAIN, 0: over. */
int crowd_conn_step(struct crowd *w, struct crowd_conn *k, int timeout_ms);
void crowd_conn_fail(struct crowd *w, struct crowd_conn *k, int err);
/* All connections of a client, begun. */
int crowd_connect_all(struct crowd *w);
bool crowd_over(const struct crowd *w);
/* Something happened. */
void crowd_moved(struct crowd *w);
/* A command: 'g' slow readers go on, 'q' end. Waits for it when told to. */
void crowd_control(struct crowd *w, bool wait);
/* Count an error and tell of its first occurrence. */
void crowd_error(struct crowd *w, int err);

/* crowd_epoll.c, crowd_block.c: until all is over. 0 or a negative errno. */
int crowd_run_epoll(struct crowd *w);
int crowd_run_blocking(struct crowd *w);

/* crowd_report.c */
json_t *crowd_report(const struct crowd *w, bool well);
void crowd_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
