/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine_many.c - what very many active connections cost the engine: two engines in memory over one pool of frames, no
 * driver. Each round takes 64 connections in an order that no cache can guess, sends 64 bytes over each, gives the other side
 * the packets in batches, and reads. Usage: engine_many [batch [rounds]]; prints packets a second at 1 and 100,000 connections.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../user/engine/engine.h"

#define MANY    100000u
#define ROUND   64u
#define FRAMES  8192u
#define PORTS   8u
#define PAYLOAD 64u

struct bench {
	struct xl_frames frames;
	struct xl_engine *e[2];
	u32 conns, batch, *of;         /* the sender's connections, shuffled */
	int listener[PORTS];
	u64 now, packets, spent_ns;
};

static u64 clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000000000ull + (u64)t.tv_nsec;
}

static void open_engine(struct bench *b, u32 i)
{
	struct xl_engine_config c = {
		.frames = &b->frames, .node_id = i + 1, .incarnation = 1, .seed = i + 1, .first_number = XL_NONE64,
		.max_packet = 1500, .segs_max = 1, .tx_frames_max = FRAMES / 4, .conns_max = b->conns + 8, .peers_max = 8,
		.blocks = 8192, .recv_window_bytes = XLANE_RECV_WINDOW_MIN_BYTES,
	};
	size_t bytes = xl_engine_bytes(&c);
	void *mem = aligned_alloc(64, (bytes + 63) & ~(size_t)63);

	if (mem)
		memset(mem, 0, bytes);
	b->e[i] = mem ? xl_engine_init(mem, &c, b->now) : NULL;
	if (!b->e[i])
		exit(1);
}

/* Everything that either side has to send; the engines' time is counted. */
static void exchange(struct bench *b)
{
	static struct xl_packet out[256];
	u32 n, idle = 0;

	for (u32 from = 0; idle < 2; from = !from) {
		u64 start = clock_ns();

		xl_engine_advance(b->e[from], b->now);
		n = xl_engine_output(b->e[from], out, b->batch, b->now);
		for (u32 i = 0; i < n; i++) {
			u8 back[12];

			memcpy(back, out[i].path.remote, 12);
			memcpy(out[i].path.remote, out[i].path.local, 12);
			memcpy(out[i].path.local, back, 12);
		}
		xl_engine_input(b->e[!from], out, n, b->now);
		for (u32 i = 0; i < n; i++)
			xl_engine_completed(b->e[from], &out[i].seg[0].frame, 1);
		b->spent_ns += clock_ns() - start;
		b->packets += n;
		idle = n ? 0 : idle + 1;
	}
}

static void open_all(struct bench *b)
{
	struct xl_connect how = { .path = { .remote = { 2 }, .local = { 1 } }, .kind = XLANE_KIND_STREAM };
	u32 accepted = 0, conn;

	for (u32 i = 0; i < PORTS; i++)
		b->listener[i] = xl_engine_listen(b->e[1], (u16)(1000 + i), XLANE_KIND_STREAM, 256, 0);
	for (u32 n = 0; n < b->conns;) {
		for (u32 i = 0; i < 48 && n < b->conns; i++, n++) {
			how.port = (u16)(1000 + n % PORTS);
			if (xl_engine_connect(b->e[0], &how, b->now, &b->of[n]))
				exit(1);
		}
		exchange(b);
		for (u32 i = 0; i < PORTS; i++)
			while (!xl_engine_accept(b->e[1], (u32)b->listener[i], 0, &conn))
				accepted++;
		b->now += 1000;
	}
	if (accepted != b->conns)
		exit(1);
}

static void shuffle(struct bench *b)
{
	u64 x = 88172645463325252ull;

	for (u32 n = b->conns; n > 1; n--) {
		u32 k, t;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		k = (u32)(x % n);
		t = b->of[n - 1];
		b->of[n - 1] = b->of[k];
		b->of[k] = t;
	}
}

static void read_all(struct bench *b)
{
	struct xl_event event[ROUND];
	u8 in[PAYLOAD * 2];
	u32 n;

	while ((n = xl_engine_events(b->e[1], event, ROUND)) > 0)
		for (u32 i = 0; i < n; i++)
			while (xl_conn_recv(b->e[1], event[i].index, in, sizeof in, b->now) > 0)
				;
	while (xl_engine_events(b->e[0], event, ROUND))
		;
}

static void run(struct bench *b, u32 rounds)
{
	static const u8 data[PAYLOAD];
	u32 at = 0;

	for (u32 r = 0; r < rounds; r++) {
		for (u32 i = 0; i < xl_min(ROUND, b->conns); i++, at = (at + 1) % b->conns)
			if (xl_conn_send(b->e[0], b->of[at], data, PAYLOAD, b->now) != PAYLOAD)
				exit(1);
		exchange(b);
		read_all(b);
		b->now += 50 * XL_US;
	}
}

static void measure(u32 conns, u32 batch, u32 rounds)
{
	struct bench b = { .conns = conns, .batch = batch, .now = 1000 * XL_S };
	void *tables = calloc(1, xl_frames_table_bytes(FRAMES));

	xl_frames_init(&b.frames, aligned_alloc(4096, (size_t)FRAMES * XLANE_FRAME_BYTES), XLANE_FRAME_BYTES, FRAMES,
		       tables);
	b.of = calloc(conns, sizeof(u32));
	open_engine(&b, 0);
	open_engine(&b, 1);
	open_all(&b);
	shuffle(&b);
	run(&b, rounds / 4);
	b.packets = b.spent_ns = 0;
	run(&b, rounds);
	printf("%u connections, batches of %u: %.2f million packets/s, %.0f ns a packet, both engines\n", conns, batch,
	       (double)b.packets * 1e3 / (double)b.spent_ns, (double)b.spent_ns / (double)b.packets);
	free(b.frames.mem);
	free(tables);
	free(b.of);
	free(b.e[0]);
	free(b.e[1]);
}

int main(int argc, char **argv)
{
	u32 batch = argc > 1 ? (u32)atoi(argv[1]) : 64, rounds = argc > 2 ? (u32)atoi(argv[2]) : 8000;

	if (batch < 1 || batch > 256)
		return 2;
	measure(1, batch, rounds);
	measure(MANY, batch, rounds);
	return 0;
}
