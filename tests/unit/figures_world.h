/* SPDX-License-Identifier: BSD-2-Clause */
/* figures_world.h - an invented daemon with two interfaces, for tests of its figures. */
#ifndef TESTS_FIGURES_WORLD_H
#define TESTS_FIGURES_WORLD_H

#include <errno.h>

#include "unit.h"
#include "daemon/figures.h"

#define WORLD_CONNS 3    /* of each worker that has some */

struct world {
	struct xl_snapshot *s[4];                  /* eth0: 0, 1 (not answered), eth1: 2, 3 */
	struct xl_figures_interface interface[2];
	struct xl_figures_client client[2];
	struct xl_figures_counter counter[2];
	struct xl_figures all;
};

static inline void world_conn(struct xl_snapshot *s, u32 i, u64 now_ns, u64 step)
{
	struct xl_snapshot_conn *c = &s->conns[s->conns_count++];

	(void)now_ns;
	c->index = i;
	c->client = i ? 7 : 0;
	c->uid = i ? 1000 : 0;
	c->pid = i ? 4242 : 0;
	c->info.kind = XLANE_KIND_STREAM + i;
	c->info.state = 3;
	c->info.local_port = (u16)(7000 + i);
	c->info.remote_port = 50000;
	c->info.local_id = 0xfedcba9876543210 + i;
	c->info.peer_node = UINT64_MAX;
	memcpy(c->info.path.remote, (u8[]){ 2, 0, 0, 0, 0, (u8)i }, 6);
	c->info.srtt_ns = i ? 12345 * i : 0;
	c->info.ssthresh_bytes = UINT64_MAX;
	c->info.bytes_sent = step * 1000000 * (i + 1);
	c->info.bytes_received = step * 2000000;
	c->info.packets_retransmitted = step * 3;
}

/* Everything grows with `step`; a step is a second. */
static inline void world_open(struct world *w, u64 step)
{
	memset(w, 0, sizeof *w);
	for (u32 i = 0; i < 4; i++) {
		struct xl_snapshot *s;

		if (i == 1)
			continue;
		assert_int_equal(xl_snapshot_open(7, WORLD_CONNS, 2, &w->s[i]), 0);
		s = w->s[i];
		s->now_ns = (100 + step) * XL_S;
		s->figures = (struct xl_worker_figures){ .started_ns = 50 * XL_S, .rounds = 1000 * step, .sleeps = 10 * step,
			.busy_ns = step * 250 * XL_MS, .tid = 100 + i, .core = i == 3 ? -1 : (s32)i };
		s->frames_own = 4096;
		s->census[XL_FRAME_FREE] = s->tx_room = 2000;
		s->census[XL_FRAME_FILL] = s->ring_fill = 2048;
		s->census[XL_FRAME_INFLIGHT] = 48;
		s->census[XL_FRAME_FOREIGN] = 4096;
		s->census_ok = true;
		s->drv[XL_DRV_RX_PACKETS] = 100 * step;
		s->drv[XL_DRV_RX_BYTES] = 125000 * step;
		s->engine[XL_C_RETRANSMITTED] = 5 * step;
		s->link[XL_LINK_RX_SHORT] = 1;
		s->channel[XL_CHANNEL_COMMANDS] = 9;
		s->conns_held = i == 3 ? 0 : WORLD_CONNS;
		for (u32 c = 0; c < s->conns_held; c++)
			world_conn(s, c, s->now_ns, step);
	}
	w->s[0]->peers[0] = (struct xl_peer_info){ .node = 0xabc, .heard_ns = (99 + step) * XL_S, .srtt_ns = 8000, .conns = 2 };
	w->s[0]->peers_count = 1;
	w->s[0]->peers_unlisted = 4;
	w->interface[0] = (struct xl_figures_interface){ .interface = "eth0", .driver = "af_xdp (native, copy, 2 queues)",
		.ethertype = 0x88b5, .vlan = { 0x1064, 5 }, .mtu = 1500, .queues = 2, .workers = 2, .snapshot = &w->s[0],
		.has_xdp = true };
	w->interface[0].xdp[XLANE_BPF_REDIRECTED] = 77;
	w->interface[1] = (struct xl_figures_interface){ .interface = "eth1", .driver = "af_xdp (skb, copy, 1 queue)",
		.ethertype = 0x88b5, .mtu = 9000, .queues = 1, .error = -ENETDOWN, .workers = 2, .snapshot = &w->s[2] };
	w->client[0] = (struct xl_figures_client){ 7, 1000, 4242, "eth0", 64, 65536, 1 << 20, 60 * XL_S };
	w->client[1] = (struct xl_figures_client){ 8, 1001, 4243, "eth1", 64, 65536, 2 << 20, 70 * XL_S };
	w->counter[0] = (struct xl_figures_counter){ "attached", "clients attached", 8 };
	w->counter[1] = (struct xl_figures_counter){ "quota", "refused: a quota", 0 };
	w->all = (struct xl_figures){ .version = "1.2.3", .socket = "/run/s", .now_ns = (100 + step) * XL_S,
		.started_ns = 40 * XL_S, .pid = 11, .helper_pid = 10, .uid = 65534, .clients_max = 1024, .client = w->client,
		.clients = 2, .counter = w->counter, .counters = 2, .interfaces = w->interface, .interface_count = 2 };
}

static inline void world_close(struct world *w)
{
	for (u32 i = 0; i < 4; i++)
		xl_snapshot_close(w->s[i]);
}

#endif
