/* SPDX-License-Identifier: BSD-2-Clause */
#include "ended.h"

void xl_ended_add(struct xl_engine *e, u64 local_id)
{
	u64 *place = &e->ended_ring[e->ended_next];

	if (*place)
		xl_map_del(&e->ended, *place);
	*place = local_id;
	xl_map_put(&e->ended, local_id, e->ended_next);
	e->ended_next = (e->ended_next + 1) % XL_ENDED_MAX;
}

bool xl_ended_has(const struct xl_engine *e, u64 local_id)
{
	return local_id && xl_map_get(&e->ended, local_id) != XL_NONE;
}
