// SPDX-License-Identifier: BSD-2-Clause
/* mix.c - sizes and contents of messages from a seed. */
#include <stdio.h>
#include <string.h>

#include "base/prng.h"
#include "cli.h"
#include "mix.h"

#define TEXT_BYTES 1024
#define SIZES 1          /* streams of random numbers: sizes, and contents */
#define CONTENTS 2

static bool parse_range(char *text, uint64_t max, struct xl_mix_part *p)
{
	char *dash = strchr(text, '-');
	unsigned long long low, high;

	if (dash)
		*dash++ = 0;
	if (!xl_cli_number(text, 1, max, &low) || !xl_cli_number(dash ? dash : text, low, max, &high))
		return false;
	p->low = low;
	p->high = high;
	return true;
}

static bool parse_part(char *text, uint64_t max, struct xl_mix_part *p)
{
	char *colon = strchr(text, ':');
	unsigned long long weight;

	if (!colon)
		return false;
	*colon++ = 0;
	if (!xl_cli_number(text, 1, XL_MIX_WEIGHT_MAX, &weight))
		return false;
	p->weight = (uint32_t)weight;
	return parse_range(colon, max, p);
}

bool xl_mix_parse(const char *text, uint64_t max, struct xl_mix *m)
{
	struct xl_mix_part part[XL_MIX_PARTS_MAX];
	char copy[TEXT_BYTES], *rest = copy, *one;
	size_t n = 0;

	if ((size_t)snprintf(copy, sizeof copy, "%s", text) >= sizeof copy)
		return false;
	while ((one = strsep(&rest, ","))) {
		if (n == XL_MIX_PARTS_MAX || !parse_part(one, max, &part[n]))
			return false;
		n++;
	}
	memcpy(m->part, part, sizeof part);
	m->parts = n;
	return true;
}

bool xl_mix_parse_plus(const char *text, uint64_t max, struct xl_mix *m)
{
	char copy[TEXT_BYTES], *x;
	unsigned long long count, bytes;

	if ((size_t)snprintf(copy, sizeof copy, "%s", text) >= sizeof copy)
		return false;
	x = strchr(copy, 'x');
	/* "0x10" is a number, not nothing of size 10 */
	if (x == copy + 1 && *copy == '0')
		return false;
	if (!x)
		return false;
	*x++ = 0;
	if (!xl_cli_number(copy, 1, XL_MIX_COUNT_MAX, &count) || !xl_cli_number(x, 1, max, &bytes))
		return false;
	m->plus = count;
	m->plus_bytes = bytes;
	return true;
}

uint64_t xl_mix_low(const struct xl_mix *m)
{
	uint64_t low = m->plus ? m->plus_bytes : UINT64_MAX;

	for (size_t i = 0; i < m->parts && m->count; i++)
		low = m->part[i].low < low ? m->part[i].low : low;
	return low;
}

uint64_t xl_mix_high(const struct xl_mix *m)
{
	uint64_t high = m->plus ? m->plus_bytes : 0;

	for (size_t i = 0; i < m->parts && m->count; i++)
		high = m->part[i].high > high ? m->part[i].high : high;
	return high;
}

static void seed_of(const struct xl_mix *m, uint64_t number, uint64_t stream, struct xl_prng *r)
{
	xl_prng_seed(r, (m->seed * 0x9e3779b97f4a7c15u + number) * 0xd1342543de82ef95u + stream);
}

/* Of the first `n` messages so many are extra ones: evenly spread. */
static uint64_t extras(const struct xl_mix *m, uint64_t n)
{
	return (uint64_t)((unsigned __int128)n * m->plus / xl_mix_total(m));
}

uint64_t xl_mix_size(const struct xl_mix *m, uint64_t number)
{
	const struct xl_mix_part *p = m->part;
	uint64_t all = 0, at;
	struct xl_prng r;

	if (m->plus && extras(m, number + 1) > extras(m, number))
		return m->plus_bytes;
	for (size_t i = 0; i < m->parts; i++)
		all += m->part[i].weight;
	seed_of(m, number, SIZES, &r);
	for (at = xl_prng_below(&r, all); at >= p->weight; p++)
		at -= p->weight;
	return p->low + xl_prng_below(&r, p->high - p->low + 1);
}

/* The next (up to) eight bytes of a message. */
static uint64_t next_word(struct xl_prng *r, uint64_t number, uint64_t at)
{
	return at ? xl_prng_u64(r) : number;
}

void xl_mix_fill(const struct xl_mix *m, uint64_t number, void *data, uint64_t bytes)
{
	struct xl_prng r;

	seed_of(m, number, CONTENTS, &r);
	for (uint64_t at = 0; at < bytes; at += 8) {
		uint64_t word = next_word(&r, number, at);

		memcpy((char *)data + at, &word, bytes - at < 8 ? bytes - at : 8);
	}
}

bool xl_mix_check(const struct xl_mix *m, uint64_t number, const void *data, uint64_t bytes)
{
	struct xl_prng r;

	if (bytes != xl_mix_size(m, number))
		return false;
	seed_of(m, number, CONTENTS, &r);
	for (uint64_t at = 0; at < bytes; at += 8) {
		uint64_t word = next_word(&r, number, at);

		if (memcmp((const char *)data + at, &word, bytes - at < 8 ? bytes - at : 8))
			return false;
	}
	return true;
}

uint64_t xl_mix_number(const void *data)
{
	uint64_t number;

	memcpy(&number, data, sizeof number);
	return number;
}
