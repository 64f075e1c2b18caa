// SPDX-License-Identifier: BSD-2-Clause
/* asserts.c - what must hold: states, figures, counters, events. */
#include <string.h>

#include "verbs.h"

static struct xl_conn_info info_of(struct run *r)
{
	struct xl_conn_info i;

	xl_conn_info(r->w.e, verb_conn(r), &i);
	return i;
}

static void verb_state(struct run *r)
{
	struct xl_conn_info i = info_of(r);
	const char *want = text_need(r, "a state");

	if (strcmp(want, xl_conn_state_name(i.state)))
		script_fail(r, "the state is %s", xl_conn_state_name(i.state));
}

static void holds(struct run *r, const char *name, u64 got)
{
	const char *want = text_need(r, "a value");

	if (!range_has(text_range(r, want), got))
		script_fail(r, "%s is %lld, not %s", name, (long long)got, want);
}

static void verb_error(struct run *r) { holds(r, "the error", (u64)(s64)info_of(r).error); }
static void verb_readable(struct run *r) { holds(r, "readable", (u64)xl_conn_readable(r->w.e, verb_conn(r))); }
static void verb_writable(struct run *r) { holds(r, "writable", xl_conn_writable(r->w.e, verb_conn(r))); }
static void verb_conns(struct run *r) { holds(r, "the number of connections", xl_engine_conns(r->w.e)); }

#define FIELD(name, member) { name, offsetof(struct xl_conn_info, member), sizeof(((struct xl_conn_info *)0)->member) }
static const struct { const char *name; u32 at, bytes; } fields[] = {
	FIELD("inflight", inflight_bytes), FIELD("cwnd", cwnd_bytes), FIELD("ssthresh", ssthresh_bytes), FIELD("srtt", srtt_ns),
	FIELD("rttvar", rttvar_ns), FIELD("rtt_min", rtt_min_ns), FIELD("rtt_latest", rtt_latest_ns), FIELD("pto", pto_ns),
	FIELD("sent", bytes_sent), FIELD("acked", bytes_acked), FIELD("received", bytes_received),
	FIELD("delivered", bytes_delivered), FIELD("packets_sent", packets_sent), FIELD("again", packets_retransmitted),
	FIELD("lost", packets_lost), FIELD("spurious", packets_spurious), FIELD("ptos", ptos), FIELD("credit", credit_bytes),
	FIELD("max_packet", max_packet), FIELD("messages_received", messages_received), FIELD("path", path.remote[5]),
};

/* info NAME VALUE [NAME VALUE]... */
static void verb_info(struct run *r)
{
	struct xl_conn_info info = info_of(r);
	const char *name;

	while ((name = text_take(r))) {
		u32 k = 0;
		u64 v = 0;

		while (k < XL_ARRAY_SIZE(fields) && strcmp(fields[k].name, name))
			k++;
		if (k == XL_ARRAY_SIZE(fields))
			script_fail(r, "there is no figure \"%s\"", name);
		memcpy(&v, (u8 *)&info + fields[k].at, fields[k].bytes);
		holds(r, name, v);
	}
}

static u32 counter_of(struct run *r, const char *name)
{
	for (u32 i = 0; i < XL_ENGINE_COUNTER_COUNT; i++)
		if (!strcmp(xl_engine_counter_name(i), name))
			return i;
	script_fail(r, "there is no counter \"%s\"", name);
}

/* counter NAME RISE [NAME RISE]...: since "open", the last "mark", or the beginning. */
static void verb_counter(struct run *r)
{
	const char *name;

	while ((name = text_take(r))) {
		u32 c = counter_of(r, name);

		holds(r, name, xl_engine_counters(r->w.e)[c] - r->marked.n[c]);
	}
}

/* only NAME...: the last "<" made these counters rise, by one for each packet, and no others. */
static void verb_only(struct run *r)
{
	const u64 *now = r->after.n;
	bool named[XL_ENGINE_COUNTER_COUNT] = { [XL_C_PACKETS_IN] = true, [XL_C_BYTES_IN] = true };
	u64 packets = now[XL_C_PACKETS_IN] - r->before.n[XL_C_PACKETS_IN];
	const char *name;

	while ((name = text_take(r))) {
		u32 c = counter_of(r, name);

		named[c] = true;
		if (now[c] - r->before.n[c] != packets)
			script_fail(r, "the counter %s rose by %llu", name, (unsigned long long)(now[c] - r->before.n[c]));
	}
	for (u32 i = 0; i < XL_ENGINE_COUNTER_COUNT; i++)
		if (!named[i] && now[i] != r->before.n[i])
			script_fail(r, "the counter %s rose, too", xl_engine_counter_name(i));
}

static const struct { const char *name; u32 bit; } event_names[] = {
	{ "readable", XL_EVENT_READABLE }, { "writable", XL_EVENT_WRITABLE }, { "open", XL_EVENT_OPEN },
	{ "closed", XL_EVENT_CLOSED }, { "accept", XL_EVENT_ACCEPT },
};

void verb_events(struct run *r)
{
	struct xl_event e[16];
	u32 n;

	while ((n = xl_engine_events(r->w.e, e, XL_ARRAY_SIZE(e))))
		for (u32 i = 0; i < n; i++) {
			if (e[i].bits & XL_EVENT_ACCEPT)
				r->accept_events++;
			else if (e[i].user < r->nends)
				r->ends[e[i].user].events |= e[i].bits;
		}
}

/* event NAME...: these have been told since the last look, whatever else has; "event none": nothing has. */
static void verb_event(struct run *r)
{
	const char *name;

	verb_events(r);
	if (text_accept(r, "none") && (r->end->events || r->accept_events))
		script_fail(r, "events 0x%x were told, and %u of a listener", r->end->events, r->accept_events);
	while ((name = text_take(r))) {
		u32 i = 0;

		while (i < XL_ARRAY_SIZE(event_names) && strcmp(event_names[i].name, name))
			i++;
		if (i == XL_ARRAY_SIZE(event_names))
			script_fail(r, "there is no event \"%s\"", name);
		if (event_names[i].bit == XL_EVENT_ACCEPT ? !r->accept_events : !(r->end->events & event_names[i].bit))
			script_fail(r, "the event %s was not told", name);
	}
	r->end->events = r->accept_events = 0;
}

const struct verb verbs_assert[] = {
	{ "state", verb_state, false }, { "error", verb_error, false }, { "readable", verb_readable, false },
	{ "writable", verb_writable, false }, { "conns", verb_conns, false }, { "info", verb_info, false },
	{ "counter", verb_counter, false }, { "only", verb_only, false }, { "event", verb_event, false }, { 0 },
};
