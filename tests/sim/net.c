/* SPDX-License-Identifier: BSD-2-Clause */
#include "net.h"

#include <stdlib.h>
#include <string.h>

#include "../../user/base/assert.h"

#define NO_PORT XL_NONE   /* `arg` of a hop that no link led to */

void sim_net_init(struct sim_net *n, struct sim_events *events, const u64 *now_ns, sim_net_arrive arrive, void *arg)
{
	memset(n, 0, sizeof *n);
	n->events = events;
	n->now_ns = now_ns;
	n->arrive = arrive;
	n->arg = arg;
}

static void join(struct sim_net *n, u32 a, u32 b, const struct sim_net_link *l)
{
	XL_ASSERT(n->ports + 2 <= SIM_NET_PORTS_MAX);
	for (u32 i = 0; i < 2; i++) {
		struct sim_net_port *p = &n->port[n->ports++];

		*p = (struct sim_net_port){ .from = i ? b : a, .to = i ? a : b, .link = *l };
		if (p->from < n->stations)
			p->link.queue_bytes = 0;
	}
}

void sim_net_pair(struct sim_net *n, const struct sim_net_link *l)
{
	n->stations = 2;
	join(n, 0, 1, l);
}

void sim_net_star(struct sim_net *n, u32 stations, const struct sim_net_link *l)
{
	XL_ASSERT(stations <= SIM_NET_STATIONS_MAX);
	n->stations = n->split = stations;
	n->switches = 1;
	for (u32 i = 0; i < stations; i++)
		join(n, i, stations, l);
}

void sim_net_dumbbell(struct sim_net *n, u32 left, u32 right, const struct sim_net_link *edge,
		      const struct sim_net_link *middle)
{
	XL_ASSERT(left + right <= SIM_NET_STATIONS_MAX);
	n->stations = left + right;
	n->split = left;
	n->switches = 2;
	for (u32 i = 0; i < n->stations; i++)
		join(n, i, n->stations + (i >= left), edge);
	join(n, n->stations, n->stations + 1, middle);
}

u32 sim_net_port(const struct sim_net *n, u32 from, u32 to)
{
	for (u32 i = 0; i < n->ports; i++)
		if (n->port[i].from == from && n->port[i].to == to)
			return i;
	return XL_NONE;
}

void sim_net_hook_on(struct sim_net *n, u32 port, sim_net_hook hook, void *arg)
{
	XL_ASSERT(port < n->ports);
	n->port[port].hook = hook;
	n->port[port].hook_arg = arg;
}

void sim_net_hook_link(struct sim_net *n, u32 a, u32 b, sim_net_hook hook, void *arg)
{
	sim_net_hook_on(n, sim_net_port(n, a, b), hook, arg);
	sim_net_hook_on(n, sim_net_port(n, b, a), hook, arg);
}

void sim_net_mac(u32 station, u8 move, u8 mac[6])
{
	const u8 bytes[6] = { 2, 0, (u8)((station + 1) >> 8), 0, move, (u8)(station + 1) };

	memcpy(mac, bytes, 6);
}

/* XL_NONE: nobody's address. */
static u32 station_of(const struct sim_net *n, const u8 *data, u32 bytes)
{
	u32 station;

	if (bytes < 6 || data[0] != 2 || data[1] || data[3])
		return XL_NONE;
	station = ((u32)data[2] << 8 | data[5]) - 1;
	return station < n->stations ? station : XL_NONE;
}

/* The port of switch `node` that leads to `station`: links were joined in the order of stations, the one between
 * switches last. */
static u32 towards(const struct sim_net *n, u32 node, u32 station)
{
	bool second = node == n->stations + 1;

	if (n->switches == 1 || second == (station >= n->split))
		return 2 * station + 1;
	return 2 * n->stations + second;
}

static u64 wire_bytes(u32 bytes)
{
	return xl_max(bytes, SIM_NET_FRAME_MIN_BYTES) + SIM_NET_GAP_BYTES;
}

u64 sim_net_queued(const struct sim_net *n, u32 port)
{
	const struct sim_net_port *p = &n->port[port];
	u64 left_ns = p->free_ns - xl_min(p->free_ns, *n->now_ns);

	return (u64)((unsigned __int128)left_ns * p->link.rate_bytes_per_s / XL_S);
}

static void hop(struct sim_net *n, u32 port, u8 *data, u32 bytes, u64 time_ns)
{
	sim_events_put(n->events, (struct sim_event){
		.kind = SIM_EVENT_HOP, .arg = port, .time_ns = time_ns, .data = data, .bytes = bytes });
}

static u8 *copy_of(const u8 *data, u32 bytes)
{
	u8 *copy = sim_alloc(bytes);

	memcpy(copy, data, bytes);
	return copy;
}

/* Puts `data`, which is the network's, on the link. False: there was no room for it. */
static bool enter(struct sim_net *n, u32 port, u8 *data, u32 bytes, u64 extra_ns)
{
	struct sim_net_port *p = &n->port[port];
	u64 queued = sim_net_queued(n, port) + wire_bytes(bytes);

	if (p->link.queue_bytes && queued > p->link.queue_bytes) {
		p->dropped++;
		free(data);
		return false;
	}
	p->queue_bytes_max = xl_max(p->queue_bytes_max, queued);
	p->free_ns = xl_max(p->free_ns, *n->now_ns);
	if (p->link.rate_bytes_per_s)
		p->free_ns += (wire_bytes(bytes) * XL_S + p->link.rate_bytes_per_s - 1) / p->link.rate_bytes_per_s;
	p->frames++;
	p->bytes += wire_bytes(bytes);
	hop(n, port, data, bytes, p->free_ns + p->link.delay_ns + extra_ns);
	return true;
}

/* As above, past the hook. A frame that the hook loses has taken its time on the wire nevertheless. */
static void pass(struct sim_net *n, u32 port, u8 *data, u32 bytes)
{
	struct sim_net_port *p = &n->port[port];
	struct sim_net_frame f = { data, bytes, 1, 0 };

	if (p->hook)
		p->hook(p->hook_arg, port, &f);
	if (!f.copies) {
		p->lost++;
		if (p->link.rate_bytes_per_s)
			p->free_ns = xl_max(p->free_ns, *n->now_ns) +
				wire_bytes(bytes) * XL_S / p->link.rate_bytes_per_s;
		free(data);
		return;
	}
	for (; f.copies > 1; f.copies--)
		enter(n, port, copy_of(data, f.bytes), f.bytes, f.extra_ns);
	enter(n, port, data, f.bytes, f.extra_ns);
}

u64 sim_net_send(struct sim_net *n, u32 station, const u8 *data, u32 bytes)
{
	XL_ASSERT(station < n->stations);
	u32 port = n->switches ? 2 * station : station;

	pass(n, port, copy_of(data, bytes), bytes);
	return xl_max(n->port[port].free_ns, *n->now_ns);
}

void sim_net_appear(struct sim_net *n, u32 station, const u8 *data, u32 bytes, u64 time_ns)
{
	sim_events_put(n->events, (struct sim_event){
		.kind = SIM_EVENT_HOP, .arg = NO_PORT - 1 - station, .time_ns = time_ns, .data = copy_of(data, bytes),
		.bytes = bytes });
}

void sim_net_event(struct sim_net *n, struct sim_event *e)
{
	u32 node = e->arg < n->ports ? n->port[e->arg].to : NO_PORT - 1 - e->arg, station;
	u8 *data = e->data;
	u32 out;

	e->data = NULL;
	if (node < n->stations) {
		n->arrive(n->arg, node, data, e->bytes);
		free(data);
		return;
	}
	station = station_of(n, data, e->bytes);
	out = station == XL_NONE ? XL_NONE : towards(n, node, station);
	if (out == XL_NONE || n->port[out].to == n->port[e->arg].from) {    /* nobody, or back where it came from */
		n->unknown++;
		free(data);
		return;
	}
	pass(n, out, data, e->bytes);
}
