// SPDX-License-Identifier: BSD-2-Clause
/* samples.c - round trips and their percentiles. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "samples.h"

#define FIRST_ROOM 1024

int xl_samples_add(struct xl_samples *s, uint64_t ns)
{
	if (s->count >= s->room && s->room < XL_SAMPLES_MAX) {
		size_t room = s->room ? s->room * 2 : FIRST_ROOM;
		uint64_t *more = realloc(s->ns, room * sizeof *more);

		if (!more)
			return -ENOMEM;
		s->ns = more;
		s->room = room;
	}
	s->ns[s->count % XL_SAMPLES_MAX] = ns;
	s->low = !s->count || ns < s->low ? ns : s->low;
	s->high = ns > s->high ? ns : s->high;
	s->sum += ns;
	s->count++;
	return 0;
}

static int by_value(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

uint64_t xl_samples_percentile(struct xl_samples *s, double percent)
{
	size_t kept = s->count < XL_SAMPLES_MAX ? (size_t)s->count : XL_SAMPLES_MAX, at;

	if (!kept)
		return 0;
	qsort(s->ns, kept, sizeof *s->ns, by_value);
	at = (size_t)((double)kept * percent / 100.0);
	return s->ns[at < kept ? at : kept - 1];
}

void xl_samples_free(struct xl_samples *s)
{
	free(s->ns);
	memset(s, 0, sizeof *s);
}
