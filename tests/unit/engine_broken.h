/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine_broken.h - the check of invariants is shown what it must find: a world of host 1 is remembered, some field is made
 * wrong, the name that the check gives is compared, and the world is put back as it was.
 */
#ifndef TESTS_ENGINE_BROKEN_H
#define TESTS_ENGINE_BROKEN_H

#include "engine/core.h"
#include "engine_pair.h"

/* Everything that a check looks at: the engine with its receive memory, and the table of frames. */
struct image {
	struct host *h;
	u8 *memory, *tables;
	struct xl_frames frames;
};

static inline void image_take(struct image *i, struct host *h)
{
	const char *broken = xl_engine_check(h->e);

	if (broken)
		fail_msg("before anything is broken: %s", broken);
	i->h = h;
	i->memory = malloc(xl_engine_bytes(&h->cfg));
	i->tables = malloc(xl_frames_table_bytes(h->f.count));
	memcpy(i->memory, h->memory, xl_engine_bytes(&h->cfg));
	memcpy(i->tables, h->tables, xl_frames_table_bytes(h->f.count));
	i->frames = h->f;
}

static inline void image_restore(const struct image *i)
{
	memcpy(i->h->memory, i->memory, xl_engine_bytes(&i->h->cfg));
	memcpy(i->h->tables, i->tables, xl_frames_table_bytes(i->frames.count));
	i->h->f = i->frames;
}

static inline void image_free(struct image *i)
{
	free(i->memory);
	free(i->tables);
}

static inline void image_expect(const struct image *i, const char *name, const char *change, int line)
{
	const char *broken = xl_engine_check(i->h->e);

	if (!broken || strcmp(broken, name))
		fail_msg("line %d: %s: the check says %s, not %s", line, change, broken ? broken : "that all holds", name);
	image_restore(i);
	CHECK(!xl_engine_check(i->h->e));
}

/* After `change` the check gives `name`. */
#define BROKEN(image, name, change) do { change; image_expect(image, name, #change, __LINE__); } while (0)

#endif
