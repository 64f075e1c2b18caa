/* SPDX-License-Identifier: BSD-2-Clause */
#include "host.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <string.h>

#include "../../user/drv/memory.h"
#include "check.h"
#include "harm.h"
#include "world.h"

#define PACKET_BYTES_MAX (XLANE_MTU_MAX + XLANE_LINK_HEADER_MAX_BYTES)
#define TURN_NS 500                          /* what a turn of the worker takes */
#define REALTIME_NS 1700000000000000000ull   /* what the incarnations of the first boots look like */

static struct sim_host *host_of(const struct xl_drv *d)
{
	return (struct sim_host *)((char *)d->ops - offsetof(struct sim_host, ops));
}

/* The driver's complete, held back or out of order. */
static u32 complete(struct xl_drv *d, u32 *frames, u32 max)
{
	struct sim_host *h = host_of(d);
	struct sim_world *w = h->world;
	u32 n;

	if (w->now_ns < h->held_until_ns) {
		sim_world_mark(w, SIM_MARK_HELD);
		return 0;
	}
	n = h->inner_ops->complete(d, frames, max);
	if (n < 2 || w->healed || !w->faults.shuffle)
		return n;
	for (u32 i = n - 1; i; i--) {
		u32 other = xl_prng_below(&w->prng, i + 1), frame = frames[i];

		frames[i] = frames[other];
		frames[other] = frame;
	}
	sim_world_mark(w, SIM_MARK_SHUFFLED);
	return n;
}

/* The driver's rx, without what is for a bucket that is on its way to another worker. */
static int receive(struct xl_drv *d, struct xl_packet *packets, u32 max, u64 now_ns)
{
	struct sim_host *h = host_of(d);
	int n = h->inner_ops->rx(d, packets, max, now_ns);

	return n < 0 ? n : (int)sim_moving_divert(h, packets, (u32)n, (u32)n < max);
}

/* The driver has sent a packet: its bytes go to the network. */
static void sent(void *arg, const struct xl_drv *from, const struct xl_packet *p, u64 now_ns)
{
	struct sim_host *h = arg;
	struct sim_world *w = h->world;
	struct sim_host *to;
	u8 bytes[PACKET_BYTES_MAX];
	u32 len = 0, head = XL_ETHER_BYTES + xl_link_tag_bytes(&h->worker->link);

	(void)now_ns;
	for (u32 i = 0; i < p->nsegs; i++) {
		if (len + p->seg[i].len > sizeof bytes) {
			sim_world_fail(w, "packet-size", "host %u sends a packet longer than any may be", h->index);
			return;
		}
		memcpy(bytes + len, xl_frames_ptr(from->frames, p->seg[i].frame) + p->seg[i].off, p->seg[i].len);
		len += p->seg[i].len;
	}
	if (p->nsegs > 1)
		sim_world_mark(w, SIM_MARK_MULTI_FRAME);
	if (sim_hostile_is(bytes)) {
		sim_check_packet(w, len - head, h->config.max_packet);
		sim_hostile_arrive(&w->hostile, bytes, len);
		return;
	}
	to = sim_station_unit(sim_station_of(w, bytes), bytes + head);
	sim_check_packet(w, len - head, h->config.max_packet);
	sim_check_packet(w, len - head, w->faults.host[to->index].mtu - xl_link_tag_bytes(&h->worker->link));
	sim_turn_packet(w, to, bytes + head, len - head);
	sim_link_send(&w->link[h->station->index], bytes, len);
	if (sim_station_unit(h->station, bytes + head) == h) /* both ends' ids have the bucket of the call */
		sim_moving_packet(h->station, bytes[head + 4], SIM_MOVING_LEAVES);
}

void sim_host_init(struct sim_host *h, struct sim_world *w, u32 index)
{
	struct sim_host_sizes *s = &w->faults.host[index];

	memset(h, 0, sizeof *h);
	h->world = w;
	h->index = index;
	h->station = &w->station[w->faults.station_of[index]];
	h->run_at_ns = XL_NEVER;
	s->mtu = xl_min(xl_max(s->mtu, XLANE_MTU_MIN + w->faults.vlan_tags * XL_VLAN_BYTES), XLANE_MTU_MAX);
	h->frame_mem = sim_alloc((size_t)s->frames * XLANE_FRAME_BYTES);
	h->frame_tables = sim_alloc(xl_frames_table_bytes(s->frames));
	h->stolen = sim_alloc(s->frames * sizeof *h->stolen);
	h->worker = sim_alloc(sizeof *h->worker);
}

/* A link with an MTU that IPv4 would take still, and xlane does not. */
static void refuse_small(struct sim_host *h, u64 clock_ns)
{
	struct xl_engine_config config = h->config;
	static u64 nothing[8];

	config.max_packet = (u32)sim_range(&h->world->prng, 64, XLANE_MTU_MIN - 1);
	if (xl_engine_init(nothing, &config, clock_ns))
		sim_world_fail(h->world, "api", "xl_engine_init takes an MTU of %u", config.max_packet);
}

static void make_config(struct sim_host *h, u64 clock_ns)
{
	const struct sim_host_sizes *s = &h->world->faults.host[h->index];

	h->config = (struct xl_engine_config){
		.frames = &h->frames, .node_id = h->station->node_id,
		.incarnation = REALTIME_NS + h->station->booted_ns + h->station->boots,
		.seed = h->world->options.seed * 1000 + h->station->boots * SIM_UNITS_MAX + h->index,
		.workers = h->station->units, .worker = h->index - h->station->first,
			.first_number = h->world->faults.first_number,
		.max_packet = s->mtu - xl_link_tag_bytes(&h->worker->link), .segs_max = s->segs,
		.tx_frames_max = xl_worker_tx_data_frames(s->frames), .conns_max = s->conns, .peers_max = s->peers,
		.blocks = s->blocks, .recv_window_bytes = s->recv_window_bytes,
		.send_buffer_bytes = s->send_buffer_bytes, .ack_delay_ns = s->ack_delay_ns,
		.keepalive_ns = s->keepalive_ns, .peer_death_ns = s->peer_death_ns, .linger_ns_min = s->linger_ns,
		.no_crc = s->no_crc,
	};
	refuse_small(h, clock_ns);
	for (;;) {       /* sizes that the engine does not accept grow until it does */
		size_t bytes = xl_engine_bytes(&h->config);

		/* Fresh pages are zero, and those never touched cost nothing. */
		h->engine_map_bytes = bytes + SIM_GUARD_BYTES;
		h->engine_mem = mmap(NULL, h->engine_map_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (h->engine_mem == MAP_FAILED)
			abort();
		h->guard = (u8 *)h->engine_mem + bytes;
		memset(h->guard, SIM_GUARD, SIM_GUARD_BYTES);
		h->engine = xl_engine_init(h->engine_mem, &h->config, clock_ns);
		if (h->engine) {
			h->largest = h->config.max_packet;
			sim_turn_start(h);
			return;
		}
		munmap(h->engine_mem, h->engine_map_bytes);
		sim_world_mark(h->world, SIM_MARK_GREW);
		h->config.blocks *= 2;
		if (h->config.blocks > XLANE_BLOCKS_DEFAULT) {
			sim_world_fail(h->world, "api", "xl_engine_init refuses a config within the limits");
			return;
		}
	}
}

void sim_host_boot(struct sim_host *h)
{
	struct sim_world *w = h->world;
	const struct sim_host_sizes *s = &w->faults.host[h->index];
	const u8 *mac = h->station->mac;
	static const u16 vlans[3][XLANE_VLAN_TAGS_MAX] = { { 0, 0 }, { 7, 0 }, { XL_LINK_VLAN_AD | 100, 7 } };

	xl_frames_init(&h->frames, h->frame_mem, XLANE_FRAME_BYTES, s->frames, h->frame_tables);
	if (xl_link_init(&h->worker->link, mac, XLANE_ETHERTYPE_DEFAULT, vlans[w->faults.vlan_tags]) ||
	    xl_drv_memory_open(&(struct xl_drv_memory_config){
		.frames = &h->frames, .ring_size = s->ring, .mtu = s->mtu, .segs_max = s->segs,
		.completion_delay = s->completion_delay, .hook = { sent, h },
		.mac = { mac[0], mac[1], mac[2], mac[3], mac[4], mac[5] } }, &h->drv)) {
		sim_world_fail(w, "api", "the driver refuses a config within the limits");
		return;
	}
	make_config(h, sim_world_clock(w, h->index));
	if (!h->engine)
		return;
	h->inner_ops = h->drv->ops;
	h->ops = *h->drv->ops;
	h->ops.complete = complete;
	h->ops.rx = receive;
	h->drv->ops = &h->ops;
	xl_worker_init(h->worker, h->drv, &h->frames, h->engine);
	sim_world_trace(w, "host %u: up, boot %llu", h->index,
			(unsigned long long)h->station->boots);
	sim_program_listen(&w->program[h->index]);
	sim_host_wake(h, w->now_ns);
}

/* Driver, engine and worker go; what they counted stays. */
static void tear_down(struct sim_host *h)
{
	const u64 *engine;

	if (!h->engine)
		return;
	engine = xl_engine_counters(h->engine);
	for (u32 i = 0; i < XL_ENGINE_COUNTER_COUNT; i++)
		h->counters[i] += engine[i];
	for (u32 i = 0; i < XL_DRV_COUNTER_COUNT; i++)
		h->drv_counters[i] += h->drv->counters[i];
	for (u32 i = 0; i < XL_LINK_COUNTER_COUNT; i++)
		h->link_counters[i] += h->worker->link.counters[i];
	h->drv->ops->close(h->drv);
	sim_turn_end(h);
	h->pools = (struct sim_pools){ 0 };
	munmap(h->engine_mem, h->engine_map_bytes);
	h->engine = NULL;
	h->drv = NULL;
	h->engine_mem = NULL;
}

void sim_host_crash(struct sim_host *h, u64 up_at_ns)
{
	struct sim_world *w = h->world;

	sim_world_mark(w, SIM_MARK_CRASHED);
	if (xl_engine_conns(h->engine))
		sim_world_mark(w, SIM_MARK_CRASHED_OPEN);
	sim_world_trace(w, "host %u: crashes", h->index);
	tear_down(h);
	h->stolen_count = 0;
	h->paused_until_ns = h->held_until_ns = h->starved_until_ns = 0;
	h->up_at_ns = up_at_ns;
	h->run_at_ns = XL_NEVER;
	sim_program_lost(&w->program[h->index]);
	sim_host_wake(h, up_at_ns);
}

void sim_host_wake(struct sim_host *h, u64 time_ns)
{
	struct sim_world *w = h->world;

	time_ns = xl_max(time_ns, w->now_ns);
	if (time_ns == XL_NEVER || time_ns >= h->run_at_ns)
		return;
	h->run_at_ns = time_ns;
	sim_events_put(&w->events, (struct sim_event){ .kind = SIM_EVENT_RUN, .host = h->index, .time_ns = time_ns });
}

void sim_host_arrive(struct sim_host *h, const u8 *data, u32 bytes)
{
	struct sim_world *w = h->world;
	u64 poll = w->faults.host[h->index].poll_ns;
	int error;

	if (!h->engine)
		return;
	error = xl_drv_memory_inject(h->drv, data, bytes, 0, sim_world_clock(w, h->index));
	h->arrived = true;
	if (error)
		sim_world_trace(w, "host %u: lost on receive: %d", h->index, error);
	sim_host_wake(h, w->now_ns + (poll ? xl_prng_below(&w->prng, poll + 1) : 0));
}

void sim_host_starve(struct sim_host *h, u64 until_ns)
{
	u32 frame;

	while ((frame = xl_frames_take(&h->frames, XL_FRAME_LENT)) != XL_NONE)
		h->stolen[h->stolen_count++] = frame;
	h->starved_until_ns = xl_max(h->starved_until_ns, until_ns);
	sim_world_mark(h->world, SIM_MARK_STARVED);
}

static void feed(struct sim_host *h)
{
	while (h->stolen_count)
		xl_frames_move(&h->frames, h->stolen[--h->stolen_count], XL_FRAME_LENT, XL_FRAME_FREE);
}

/* The virtual time at which the host's clock shows `clock_ns`, or a little after. */
static u64 virtual_time(const struct sim_host *h, u64 clock_ns)
{
	struct sim_world *w = h->world;
	u64 clock = sim_world_clock(w, h->index), wait;

	if (clock_ns == XL_NEVER)
		return XL_NEVER;
	if (clock_ns <= clock)
		return w->now_ns;
	wait = clock_ns - clock;
	return w->now_ns + wait + 1 - (s64)(wait / 1000000) * w->faults.host[h->index].drift_ppm;
}

static void ask_again(struct sim_host *h, bool full_batch)
{
	struct sim_world *w = h->world;
	u64 at = virtual_time(h, xl_worker_deadline(h->worker));

	if (sim_world_canary(w, SIM_CANARY_SLEEP))
		return;
	at = xl_min(at, sim_program_deadline(&w->program[h->index]));
	if (h->stolen_count)
		at = xl_min(at, h->starved_until_ns);
	if (h->pools.until_ns)
		at = xl_min(at, h->pools.until_ns);
	if (full_batch)
		at = w->now_ns;
	sim_host_wake(h, sim_world_canary(w, SIM_CANARY_SPIN) ? w->now_ns : xl_max(at, w->now_ns + TURN_NS));
}

void sim_host_run(struct sim_host *h)
{
	struct sim_world *w = h->world;
	u64 before, clock = sim_world_clock(w, h->index);
	int n;

	h->run_at_ns = XL_NEVER;
	if (!h->engine) {
		if (w->now_ns >= h->up_at_ns)
			sim_host_boot(h);
		else
			sim_host_wake(h, h->up_at_ns);
		return;
	}
	if (w->now_ns < h->paused_until_ns) {
		sim_host_wake(h, h->paused_until_ns);
		return;
	}
	if (h->stolen_count && w->now_ns >= h->starved_until_ns)
		feed(h);
	if (h->pools.until_ns && w->now_ns >= h->pools.until_ns)
		sim_pools_restore(h);
	h->arrived = false;
	before = w->program[h->index].worked;
	sim_harm_turn(h);
	n = xl_worker_round(h->worker, clock);
	if (n < 0) {
		sim_world_fail(w, "api", "the worker's round returned %d", n);
		return;
	}
	sim_program_run(&w->program[h->index], clock);
	n += (int)xl_worker_send(h->worker, clock);
	sim_harm_turned(h);
	if (before != w->program[h->index].worked)
		w->progress_ns = w->now_ns;
	if (h->worker->stalled)
		sim_world_mark(w, SIM_MARK_STALLED);
	sim_moving_step(h);
	sim_check_step(h, n || before != w->program[h->index].worked);
	if (!sim_world_failed(w))
		ask_again(h, n >= (int)XLANE_BATCH_MAX);
}

bool sim_host_mtu(struct sim_host *h, u32 mtu)
{
	u32 packet = mtu - xl_link_tag_bytes(&h->worker->link);

	if (xl_engine_set_max_packet(h->engine, packet, sim_world_clock(h->world, h->index)))
		return false;
	h->config.max_packet = packet;
	h->drv->mtu = mtu;
	return true;
}

bool sim_host_quiet(const struct sim_host *h)
{
	const u32 *c = h->frames.census;

	return h->engine && !h->arrived && !xl_engine_conns(h->engine) &&
		c[XL_FRAME_FREE] + c[XL_FRAME_FILL] == h->frames.count;
}

void sim_host_free(struct sim_host *h)
{
	tear_down(h);
	free(h->frame_mem);
	free(h->frame_tables);
	free(h->stolen);
	free(h->worker);
}
