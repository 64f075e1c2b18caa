/* SPDX-License-Identifier: BSD-2-Clause */
/* engine_acks.h - a raw peer (engine_pair.h) that hears what host 1 sends and acknowledges of it what the test wants. */
#ifndef TESTS_ENGINE_ACKS_H
#define TESTS_ENGINE_ACKS_H

#include "engine/flow.h"
#include "engine_pair.h"

#define HEARD_MAX 32768

struct heard { u64 number; u32 bytes; bool ping, data, acks, ext; };

struct ears {
	struct pair *p;
	struct peer x;
	struct heard at[HEARD_MAX]; /* every packet, in order */
	u32 n;
};

struct span { u64 first, last; };

/* Its turn comes at once: no pace keeps back what the window lets out. */
static inline bool ears_next(struct ears *s, struct raw *r)
{
	xl_flow_need(s->p->h[1].e, &s->p->h[1].e->conns[s->x.conn])->pace_ns = 0;
	return peer_hears(s->p, &s->x, r);
}

static inline void ears_hear(struct ears *s)
{
	static struct raw r;

	while (ears_next(s, &r)) {
		CHECK(s->n < HEARD_MAX);
		s->at[s->n++] = (struct heard){
			.number = xl_get64(r.b + 12), .bytes = r.n, .ping = raw_find(&r, 0x13), .data = raw_find(&r, 0x01),
			.acks = raw_find(&r, 0x10), .ext = r.b[1] & 1,
		};
	}
}

static inline void ears_open(struct ears *s, struct pair *p, u64 credit)
{
	memset(s, 0, sizeof *s);
	s->p = p;
	s->x = peer_open(p, 3, 100, XLANE_KIND_STREAM, credit);
	CHECK(!xl_conn_set(p->h[1].e, s->x.conn, XL_CONN_CONGESTION, XL_CONGESTION_NEWRENO));
}

/* Ranges from the newest to the oldest, in one ACK. */
static inline void ears_ack(struct ears *s, const struct span *range, u32 n)
{
	static struct raw r;

	peer_header(&s->x, &r);
	raw_record(&r, 0x10, 0, (u16)(20 + 8 * (n - 1)));
	raw64(&r, range[0].last);
	raw64(&r, 0);
	raw32(&r, (u32)(range[0].last - range[0].first));
	for (u32 i = 1; i < n; i++) {
		raw32(&r, (u32)(range[i - 1].first - range[i].last - 1));
		raw32(&r, (u32)(range[i].last - range[i].first));
	}
	raw_seal(&r);
	peer_send(s->p, &s->x, &r);
}

static inline void ears_ack_one(struct ears *s, u64 first, u64 last) { ears_ack(s, &(struct span){ first, last }, 1); }

static inline struct xl_conn_info ears_info(const struct ears *s) { return info_of(&s->p->h[1], s->x.conn); }

static inline void ears_send(struct ears *s, u32 bytes)
{
	static u8 data[1 << 20];

	CHECK(xl_conn_send(s->p->h[1].e, s->x.conn, data, bytes, s->p->now) == bytes);
}

/* Packets [from, to) of those that were heard are acknowledged, `rtt` later; gaps in the numbers stay gaps. */
static inline void ears_ack_heard(struct ears *s, u32 from, u32 to)
{
	struct span range[16];
	u32 n = 0;

	for (u32 i = to; i-- > from;) {
		if (n && s->at[i].number + 1 == range[n - 1].first) {
			range[n - 1].first--;
			continue;
		}
		CHECK(n < XL_ARRAY_SIZE(range));
		range[n++] = (struct span){ s->at[i].number, s->at[i].number };
	}
	ears_ack(s, range, n);
}

/* A round trip of 1 ms is known, nothing is in flight, nothing was lost. */
static inline void ears_settle(struct ears *s)
{
	for (u32 i = 0; i < 20; i++) {
		u32 from = s->n;

		ears_send(s, 1);
		ears_hear(s);
		CHECK(s->n == from + 1);
		s->p->now += XL_MS;
		ears_ack_heard(s, from, s->n);
	}
	ears_hear(s);
	CHECK(ears_info(s).inflight_bytes == 0 && ears_info(s).packets_lost == 0);
}

static inline void ears_wait(struct ears *s, u64 ns)
{
	s->p->now += ns;
	xl_engine_advance(s->p->h[1].e, s->p->now);
	ears_hear(s);
}

#endif
