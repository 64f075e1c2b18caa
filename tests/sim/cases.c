/* SPDX-License-Identifier: BSD-2-Clause */
/* cases.c - the cases of the matrix: what is wrong with the network, and what two programs or many do meanwhile. */
#include "matrix.h"

#define GBIT SIM_NET_GBIT
#define MIB (1ull << 20)
#define LINK_HEADER_BYTES 14

static const struct sim_net_link lan = { .rate_bytes_per_s = GBIT, .delay_ns = 20 * XL_US, .queue_bytes = 256 << 10 };

static void hurt(void *arg, u32 port, struct sim_net_frame *f)
{
	struct sim_trouble *t = arg;
	u64 now = t->scene->now_ns;

	(void)port;
	if ((now >= t->hole_from_ns && now < t->hole_to_ns) || xl_prng_chance(&t->prng, t->loss_ppm) ||
	    (t->shrinks_ns && now >= t->shrinks_ns && f->bytes > t->bytes_max + LINK_HEADER_BYTES)) {
		f->copies = 0;
		t->suffered++;
	} else if (xl_prng_chance(&t->prng, t->corrupt_ppm)) {
		for (u64 n = 1 + xl_prng_below(&t->prng, 4); n; n--)
			f->data[LINK_HEADER_BYTES + xl_prng_below(&t->prng, f->bytes - LINK_HEADER_BYTES)] ^=
				(u8)(1 + xl_prng_below(&t->prng, 255));
		t->suffered++;
	} else if (xl_prng_chance(&t->prng, t->late_ppm)) {
		f->extra_ns = xl_prng_below(&t->prng, t->late_ns + 1);
		t->suffered++;
	}
}

void sim_trouble_on(struct sim_scene *s, struct sim_trouble *t)
{
	u32 first = s->net.switches == 2 ? s->net.stations : 0;

	t->scene = s;
	sim_net_hook_link(&s->net, first, first + 1, hurt, t);
}

static void pair(struct sim_scene *s, struct sim_trouble *t, const struct sim_net_link *l,
		 const struct sim_machine_sizes *sizes)
{
	sim_net_pair(&s->net, l);
	sim_trouble_on(s, t);
	sim_scene_machines(s, sizes);
}

static void two(struct sim_scene *s, struct sim_trouble *t)
{
	pair(s, t, &lan, &(struct sim_machine_sizes){ .mtu = 1500 });
}

static void transfer(struct sim_scene *s, u64 bytes, bool persistent)
{
	sim_flow_add(s, &(struct sim_flow_plan){ .kind = SIM_FLOW_BULK, .from = 0, .to = 1, .start_ns = 1,
		.total = bytes, .persistent = persistent });
}

/* --- handshakes --------------------------------------------------------------------------------- */
static void calls(struct sim_scene *s, u32 count)
{
	for (u32 i = 0; i < count; i++)
		sim_flow_add(s, &(struct sim_flow_plan){ .kind = SIM_FLOW_ASK, .from = i % 2, .to = !(i % 2),
			.start_ns = 1 + i * 10 * XL_MS, .total = 1, .bytes = 1000, .answer_bytes = 100,
			.persistent = true });
}

static void handshake_loss(struct sim_scene *s, struct sim_trouble *t)
{
	t->loss_ppm = 600000;
	two(s, t);
	calls(s, 20);
}

static void handshake_corruption(struct sim_scene *s, struct sim_trouble *t)
{
	t->corrupt_ppm = 600000;
	two(s, t);
	calls(s, 20);
}

/* --- transfers ---------------------------------------------------------------------------------- */
static void transfer_loss(struct sim_scene *s, struct sim_trouble *t)
{
	t->loss_ppm = 40000;
	two(s, t);
	transfer(s, 4 * MIB, false);
}

static void transfer_corruption(struct sim_scene *s, struct sim_trouble *t)
{
	t->corrupt_ppm = 40000;
	two(s, t);
	transfer(s, 4 * MIB, false);
}

static void black_hole(struct sim_scene *s, struct sim_trouble *t)
{
	t->hole_from_ns = 5 * XL_MS + xl_prng_below(&s->prng, 20 * XL_MS);
	t->hole_to_ns = t->hole_from_ns + 5 * XL_S;
	two(s, t);
	transfer(s, 4 * MIB, false);
}

static void long_way(struct sim_scene *s, struct sim_trouble *t)
{
	const struct sim_net_link far = { .rate_bytes_per_s = GBIT, .delay_ns = 750 * XL_MS };

	pair(s, t, &far, &(struct sim_machine_sizes){ .mtu = 1500 });
	transfer(s, 4 * MIB, false);
}

static void reordering(struct sim_scene *s, struct sim_trouble *t)
{
	t->late_ppm = 100000;
	t->late_ns = 1 * XL_MS;
	two(s, t);
	transfer(s, 4 * MIB, false);
}

static void smaller_path(struct sim_scene *s, struct sim_trouble *t)
{
	t->shrinks_ns = 5 * XL_MS + xl_prng_below(&s->prng, 20 * XL_MS);
	t->bytes_max = 600 + (u32)xl_prng_below(&s->prng, 800);
	two(s, t);
	transfer(s, 4 * MIB, false);
}

static void cross_traffic(struct sim_scene *s, struct sim_trouble *t)
{
	const struct sim_net_link edge = { .rate_bytes_per_s = 10 * GBIT, .delay_ns = 5 * XL_US, .queue_bytes = 256 << 10 };

	(void)t;
	sim_net_dumbbell(&s->net, 4, 4, &edge, &lan);
	sim_scene_machines(s, &(struct sim_machine_sizes){ .mtu = 1500 });
	sim_flow_add(s, &(struct sim_flow_plan){ .kind = SIM_FLOW_BULK, .from = 0, .to = 4, .start_ns = 1,
		.total = 8 * MIB });
	for (u32 i = 1; i < 4; i++)
		for (u32 k = 0; k < 4; k++) {
			u64 start_ns = 1 + k * 40 * XL_MS + xl_prng_below(&s->prng, 20 * XL_MS);
			bool back = xl_prng_chance(&s->prng, 300000);

			sim_flow_add(s, &(struct sim_flow_plan){ .kind = SIM_FLOW_BULK, .from = back ? i + 4 : i,
				.to = back ? i : i + 4, .start_ns = start_ns, .total = 1 + xl_prng_below(&s->prng, MIB) });
		}
}

/* --- peers that change -------------------------------------------------------------------------- */
static void move(struct sim_scene *s, void *arg)
{
	sim_machine_move(arg);
	(void)s;
}

static void crash(struct sim_scene *s, void *arg)
{
	sim_machine_crash(arg, s->now_ns + 1 * XL_MS + xl_prng_below(&s->prng, 300 * XL_MS));
}

static void moving_peer(struct sim_scene *s, struct sim_trouble *t)
{
	two(s, t);
	transfer(s, 8 * MIB, false);
	sim_scene_at(s, 10 * XL_MS + xl_prng_below(&s->prng, 10 * XL_MS), move, &s->station[0]);
	sim_scene_at(s, 30 * XL_MS + xl_prng_below(&s->prng, 10 * XL_MS), move, &s->station[1]);
}

static void restarted_peer(struct sim_scene *s, struct sim_trouble *t)
{
	two(s, t);
	transfer(s, 8 * MIB, true);
	sim_scene_at(s, 5 * XL_MS + xl_prng_below(&s->prng, 30 * XL_MS), crash, &s->station[1]);
}

static void restarted_caller(struct sim_scene *s, struct sim_trouble *t)
{
	two(s, t);
	transfer(s, 8 * MIB, true);
	sim_scene_at(s, 5 * XL_MS + xl_prng_below(&s->prng, 30 * XL_MS), crash, &s->station[0]);
}

/* --- many --------------------------------------------------------------------------------------- */
#define MANY 1000

static void many_connections(struct sim_scene *s, struct sim_trouble *t)
{
	pair(s, t, &lan, &(struct sim_machine_sizes){ .mtu = 1500, .conns = 2 * MANY,
		.blocks = 4 * XLANE_BLOCKS_DEFAULT, .recv_window_bytes = XLANE_RECV_WINDOW_MIN_BYTES });
	for (u32 i = 0; i < MANY; i++)
		sim_flow_add(s, &(struct sim_flow_plan){ .kind = SIM_FLOW_BULK, .from = 0, .to = 1,
			.start_ns = 1 + xl_prng_below(&s->prng, 50 * XL_MS), .total = 1 + xl_prng_below(&s->prng, 10000) });
}

static void many_messages(struct sim_scene *s, struct sim_trouble *t)
{
	two(s, t);
	for (u32 i = 0; i < 2; i++)
		sim_flow_add(s, &(struct sim_flow_plan){ .kind = SIM_FLOW_MESSAGES, .from = i, .to = !i, .start_ns = 1,
			.total = 20000, .bytes = 512 });
}

const struct sim_case sim_cases[] = {
	{ "handshake-loss", "20 calls with question and answer, 60 % of all frames lost", handshake_loss, 120 * XL_S, false },
	{ "handshake-corruption", "the same, 60 % corrupted", handshake_corruption, 120 * XL_S, false },
	{ "transfer-loss", "4 MiB, 4 % lost", transfer_loss, 10 * XL_S, false },
	{ "transfer-corruption", "4 MiB, 4 % corrupted", transfer_corruption, 10 * XL_S, false },
	{ "black-hole", "4 MiB, nothing passes for 5 s", black_hole, 20 * XL_S, false },
	{ "long-way", "4 MiB over a path of 750 ms each way", long_way, 60 * XL_S, true },
	{ "moving-peer", "8 MiB, the address of each end changes", moving_peer, 20 * XL_S, true },
	{ "restarted-peer", "8 MiB to a host that restarts: told, called again", restarted_peer, 30 * XL_S, true },
	{ "restarted-caller", "8 MiB from a host that restarts", restarted_caller, 30 * XL_S, true },
	{ "many-connections", "1,000 connections with up to 10 kB each", many_connections, 30 * XL_S, true },
	{ "many-messages", "20,000 small messages each way", many_messages, 20 * XL_S, true },
	{ "cross-traffic", "8 MiB through a bottleneck that others come to and leave", cross_traffic, 20 * XL_S, true },
	{ "reordering", "4 MiB, one frame in ten up to 1 ms late", reordering, 10 * XL_S, false },
	{ "smaller-path", "4 MiB, the path takes smaller packets only, and tells nobody", smaller_path, 30 * XL_S, false },
};
const u32 sim_case_count = XL_ARRAY_SIZE(sim_cases);
