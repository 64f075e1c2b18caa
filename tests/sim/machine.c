/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <xlane/wire.h>

#include "../../user/base/prng.h"
#include "../../user/drv/memory.h"
#include "../../user/drv/pcap.h"
#include "scene.h"

#define PACKET_BYTES_MAX (XLANE_MTU_MAX + XLANE_LINK_HEADER_MAX_BYTES)
#define TURN_NS 500                          /* what a turn of the worker takes */
#define CHECK_TURNS 8192                     /* the engine recounts itself every so many */
#define REALTIME_NS 1700000000000000000ull   /* what the incarnations of the first boots look like */
#define CLOCK_START_NS (1000 * XL_S)

static struct sim_machine *station_of(const struct xl_drv *d)
{
	return (struct sim_machine *)((char *)d->ops - offsetof(struct sim_machine, ops));
}

u64 sim_machine_clock(const struct sim_machine *h)
{
	return CLOCK_START_NS * (h->index + 1) + h->scene->now_ns;
}

/* --- the network card --------------------------------------------------------------------------- */
/* Frames that the card has: those that have not left yet. */
static u32 in_card(const struct sim_machine *h)
{
	u32 gone = 0;

	while (gone < h->leaves_count &&
	       h->leaves_ns[(h->leaves_head + gone) % h->sizes.frames] <= h->scene->now_ns)
		gone++;
	return h->leaves_count - gone;
}

static u32 tx_room(struct xl_drv *d, u32 segs)
{
	struct sim_machine *h = station_of(d);
	u32 room = h->sizes.ring - xl_min(h->sizes.ring, h->leaves_count);

	return segs ? xl_min(h->inner_ops->tx_room(d, segs), room / segs) : 0;
}

static u32 complete(struct xl_drv *d, u32 *frames, u32 max)
{
	struct sim_machine *h = station_of(d);
	u32 gone = h->leaves_count - in_card(h), n = h->inner_ops->complete(d, frames, xl_min(gone, max));

	h->leaves_head = (h->leaves_head + n) % h->sizes.frames;
	h->leaves_count -= n;
	return n;
}

/* The worker has given a packet to the card. */
static void sent(void *arg, const struct xl_drv *from, const struct xl_packet *p, u64 now_ns)
{
	struct sim_machine *h = arg;
	u8 bytes[PACKET_BYTES_MAX];
	u32 len = 0;
	u64 leaves_ns;

	(void)now_ns;
	for (u32 i = 0; i < p->nsegs; i++) {
		if (len + p->seg[i].len > sizeof bytes) {
			sim_scene_fail(h->scene, "host %u sends a packet longer than any may be", h->index);
			return;
		}
		memcpy(bytes + len, xl_frames_ptr(from->frames, p->seg[i].frame) + p->seg[i].off, p->seg[i].len);
		len += p->seg[i].len;
	}
	memcpy(bytes + 6, h->wire_mac, 6);
	if (h->scene->options.pcap)
		xl_pcap_write(h->scene->options.pcap, bytes, len, h->scene->now_ns);
	leaves_ns = sim_net_send(&h->scene->net, h->index, bytes, len);
	for (u32 i = 0; i < p->nsegs; i++)
		h->leaves_ns[(h->leaves_head + h->leaves_count++) % h->sizes.frames] = leaves_ns;
}

void sim_machine_arrive(struct sim_machine *h, const u8 *data, u32 bytes)
{
	u8 copy[PACKET_BYTES_MAX];

	if (!h->engine || bytes > sizeof copy)
		return;
	memcpy(copy, data, bytes);
	if (memcmp(h->mac, h->wire_mac, 6)) {        /* it has moved: its old address is nobody's */
		if (memcmp(copy, h->wire_mac, 6))
			return;
		memcpy(copy, h->mac, 6);
	}
	if (xl_drv_memory_inject(h->drv, copy, bytes, 0, sim_machine_clock(h)))
		h->lost++;
	sim_machine_wake(h, h->scene->now_ns + xl_prng_below(&h->scene->prng, h->sizes.poll_ns + 1));
}

void sim_machine_move(struct sim_machine *h)
{
	sim_net_mac(h->index, h->wire_mac[4] + 1, h->wire_mac);
}

/* --- its life ----------------------------------------------------------------------------------- */
static void fill_in(struct sim_machine_sizes *s)
{
	s->frames = s->frames ? s->frames : 4096;
	s->ring = s->ring ? s->ring : XLANE_RING_SIZE_DEFAULT;
	s->mtu = s->mtu ? s->mtu : 1500;
	s->conns = s->conns ? s->conns : 64;
	s->blocks = s->blocks ? s->blocks : XLANE_BLOCKS_DEFAULT;
	s->poll_ns = s->poll_ns ? s->poll_ns : 2 * XL_US;
}

void sim_machine_init(struct sim_machine *h, struct sim_scene *scene, u32 index, const struct sim_machine_sizes *sizes)
{
	memset(h, 0, sizeof *h);
	h->scene = scene;
	h->index = index;
	h->sizes = *sizes;
	fill_in(&h->sizes);
	h->node_id = xl_prng_u64(&scene->prng) | 1;
	h->run_at_ns = XL_NEVER;
	sim_net_mac(index, 0, h->mac);
	memcpy(h->wire_mac, h->mac, 6);
	h->frame_mem = sim_alloc((size_t)h->sizes.frames * XLANE_FRAME_BYTES);
	h->frame_tables = sim_alloc(xl_frames_table_bytes(h->sizes.frames));
	h->leaves_ns = sim_alloc(h->sizes.frames * sizeof *h->leaves_ns);
	h->worker = sim_alloc(sizeof *h->worker);
}

static bool make_engine(struct sim_machine *h)
{
	const struct sim_machine_sizes *s = &h->sizes;

	h->config = (struct xl_engine_config){
		.frames = &h->frames, .node_id = h->node_id, .incarnation = REALTIME_NS + h->scene->now_ns + h->boots,
		.seed = xl_prng_u64(&h->scene->prng), .first_number = s->first_number ? s->first_number : XL_NONE64,
		.max_packet = s->mtu, .segs_max = 1 + (s->mtu > 3000) * 2,
		.tx_frames_max = xl_worker_tx_data_frames(s->frames), .conns_max = s->conns,
		.peers_max = XLANE_PEERS_DEFAULT, .blocks = s->blocks, .recv_window_bytes = s->recv_window_bytes,
		.keepalive_ns = s->keepalive_ns,
		.peer_death_ns = s->peer_death_ns, .congestion = h->scene->options.congestion,
	};
	h->engine_bytes = xl_engine_bytes(&h->config);
	/* Fresh pages are zero, and those never touched cost nothing. */
	h->engine_mem = mmap(NULL, h->engine_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (h->engine_mem == MAP_FAILED)
		abort();
	h->engine = xl_engine_init(h->engine_mem, &h->config, sim_machine_clock(h));
	return h->engine;
}

static void listen_at(struct sim_machine *h, u32 slot, u8 kind)
{
	h->listener[slot] = xl_engine_listen(h->engine, SIM_MACHINE_PORT + slot, kind, XLANE_BACKLOG_MAX,
					     SIM_MACHINE_LISTENERS - slot);
	if (h->listener[slot] < 0)
		sim_scene_fail(h->scene, "host %u: listen returned %d", h->index, h->listener[slot]);
}

void sim_machine_boot(struct sim_machine *h)
{
	static const u16 no_vlan[XLANE_VLAN_TAGS_MAX];
	const struct sim_machine_sizes *s = &h->sizes;

	h->boots++;
	h->leaves_head = h->leaves_count = 0;
	xl_frames_init(&h->frames, h->frame_mem, XLANE_FRAME_BYTES, s->frames, h->frame_tables);
	if (xl_link_init(&h->worker->link, h->mac, XLANE_ETHERTYPE_DEFAULT, no_vlan) ||
	    xl_drv_memory_open(&(struct xl_drv_memory_config){
		.frames = &h->frames, .ring_size = s->ring, .mtu = s->mtu, .segs_max = 1 + (s->mtu > 3000) * 2,
		.hook = { sent, h },
		.mac = { h->mac[0], h->mac[1], h->mac[2], h->mac[3], h->mac[4], h->mac[5] } }, &h->drv) ||
	    !make_engine(h)) {
		sim_scene_fail(h->scene, "host %u: sizes that driver or engine refuse", h->index);
		return;
	}
	h->inner_ops = h->drv->ops;
	h->ops = *h->drv->ops;
	h->ops.tx_room = tx_room;
	h->ops.complete = complete;
	h->drv->ops = &h->ops;
	xl_worker_init(h->worker, h->drv, &h->frames, h->engine);
	listen_at(h, 0, XLANE_KIND_STREAM);
	listen_at(h, 1, XLANE_KIND_MESSAGE);
	sim_machine_wake(h, h->scene->now_ns);
}

static void tear_down(struct sim_machine *h)
{
	if (h->drv)
		h->drv->ops->close(h->drv);
	if (h->engine_mem)
		munmap(h->engine_mem, h->engine_bytes);
	h->drv = NULL;
	h->engine = NULL;
	h->engine_mem = NULL;
}

void sim_machine_crash(struct sim_machine *h, u64 up_at_ns)
{
	tear_down(h);
	sim_scene_lost(h->scene, h->index);
	h->up_at_ns = up_at_ns;
	h->run_at_ns = XL_NEVER;
	sim_machine_wake(h, up_at_ns);
}

void sim_machine_free(struct sim_machine *h)
{
	tear_down(h);
	free(h->frame_mem);
	free(h->frame_tables);
	free(h->leaves_ns);
	free(h->worker);
}

/* --- its turns ---------------------------------------------------------------------------------- */
void sim_machine_wake(struct sim_machine *h, u64 time_ns)
{
	time_ns = xl_max(time_ns, h->scene->now_ns);
	if (time_ns >= h->run_at_ns)
		return;
	h->run_at_ns = time_ns;
	sim_events_put(&h->scene->events, (struct sim_event){
		.kind = SIM_EVENT_RUN, .arg = h->index, .time_ns = time_ns });
}

static void ask_again(struct sim_machine *h, bool full_batch)
{
	u64 clock = sim_machine_clock(h), deadline = xl_worker_deadline(h->worker), wait;

	if (deadline == XL_NEVER && !full_batch)
		return;
	wait = full_batch || deadline <= clock ? 0 : deadline - clock;
	sim_machine_wake(h, h->scene->now_ns + xl_max(wait, TURN_NS));
}

void sim_machine_run(struct sim_machine *h)
{
	u64 clock = sim_machine_clock(h);
	const char *broken;
	int n;

	h->run_at_ns = XL_NEVER;
	if (!h->engine) {
		if (h->scene->now_ns >= h->up_at_ns)
			sim_machine_boot(h);
		else
			sim_machine_wake(h, h->up_at_ns);
		return;
	}
	n = xl_worker_round(h->worker, clock);
	if (n < 0) {
		sim_scene_fail(h->scene, "host %u: the worker's round returned %d", h->index, n);
		return;
	}
	sim_scene_programs(h->scene, h->index, clock);
	n += (int)xl_worker_send(h->worker, clock);
	broken = ++h->turns % CHECK_TURNS ? NULL : xl_engine_check(h->engine);
	if (broken)
		sim_scene_fail(h->scene, "host %u: the engine's invariant '%s'", h->index, broken);
	ask_again(h, n >= (int)XLANE_BATCH_MAX);
}

bool sim_machine_quiet(const struct sim_machine *h)
{
	const u32 *c = h->frames.census;

	return h->engine && !xl_engine_conns(h->engine) &&
		c[XL_FRAME_FREE] + c[XL_FRAME_FILL] == h->frames.count;
}
