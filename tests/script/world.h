/* SPDX-License-Identifier: BSD-2-Clause */
/* world.h - one engine in virtual time, its frames, and the packets that it has sent and nobody has looked at. */
#ifndef SCRIPT_WORLD_H
#define SCRIPT_WORLD_H

#include "engine/engine.h"
#include "../unit/raw.h"

#define WORLD_START_NS (100 * XL_S)
#define WORLD_FRAMES   2048
#define WORLD_SEEN_MAX 4096
#define ENGINE_ADDRESS 2
#define NODE(address)  (0x1111111111111111ull * (address))

struct seen { struct raw raw; u64 time_ns; struct xl_path path; };

struct world {
	struct xl_engine_config cfg;
	struct xl_frames frames;
	void *memory, *frame_memory, *tables;
	size_t bytes;                 /* of memory */
	struct xl_engine *e;          /* NULL: not begun */
	u64 now;
	struct seen *seen;            /* [WORLD_SEEN_MAX], a ring */
	u32 head, count;
	bool hold;                    /* the driver keeps what it was given to send */
	u32 held[WORLD_FRAMES], nheld;
	u32 starved[WORLD_FRAMES], nstarved; /* frames that the script has taken away */
	bool overflow;
};

static inline struct xl_path path_from(u8 address, u16 vlan)
{
	struct xl_path p = { .remote = { 2, 0, 0, 0, 0, address }, .local = { 2, 0, 0, 0, 0, ENGINE_ADDRESS } };

	if (vlan) {
		p.extra[0] = 0x81;
		p.extra[2] = (u8)(vlan >> 8);
		p.extra[3] = (u8)vlan;
	}
	return p;
}

/* The config's defaults; the script may change them until it begins. */
void world_init(struct world *w, u64 first_number);
bool world_begin(struct world *w);
void world_end(struct world *w);
/* Give the engine these bytes, cut into frames of at most `piece` bytes. */
void world_input(struct world *w, const struct raw *raw, const struct xl_path *path, u32 piece);
/* Timers and output up to `until`; with `stop` until a packet is there. */
void world_run(struct world *w, u64 until, bool stop);
/* The oldest packet not looked at, NULL: none. pop drops it. */
struct seen *world_first(struct world *w);
void world_pop(struct world *w);
/* The n-th oldest becomes the oldest; false: there are not so many. */
bool world_front(struct world *w, u32 n);
void world_release(struct world *w);
void world_starve(struct world *w, u32 leave);
void world_feed(struct world *w);

#endif
