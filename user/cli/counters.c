// SPDX-License-Identifier: BSD-2-Clause
/* counters.c - lines of counters. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "counters.h"

static bool parse_line(char *line, struct xl_counter *out)
{
	char *value = strchr(line, '\t'), *text = value ? strchr(value + 1, '\t') : NULL;
	unsigned long long n;

	if (!text || value == line)
		return false;
	*value++ = 0;
	*text++ = 0;
	if (!xl_cli_number(value, 0, UINT64_MAX, &n))
		return false;
	*out = (struct xl_counter){ .name = line, .text = text, .value = n };
	return true;
}

int xl_counters_parse(char *lines, struct xl_counters *out)
{
	size_t room = 1;

	*out = (struct xl_counters){ .lines = lines };
	for (const char *p = lines; *p; p++)
		room += *p == '\n';
	out->counter = calloc(room, sizeof *out->counter);
	if (!out->counter)
		return -ENOMEM;
	while (*lines) {
		char *end = strchr(lines, '\n');

		if (!end)
			return -EPROTO;
		*end = 0;
		if (!parse_line(lines, &out->counter[out->count]))
			return -EPROTO;
		out->count++;
		lines = end + 1;
	}
	return 0;
}

uint64_t xl_counters_growth(const struct xl_counters *now, const struct xl_counters *before, size_t i)
{
	const struct xl_counter *c = &now->counter[i], *b = NULL;

	/* the lists are the same but where the daemon is another one */
	if (i < before->count && !strcmp(before->counter[i].name, c->name))
		b = &before->counter[i];
	for (size_t k = 0; !b && k < before->count; k++)
		if (!strcmp(before->counter[k].name, c->name))
			b = &before->counter[k];
	return b && b->value <= c->value ? c->value - b->value : c->value;
}

void xl_counters_free(struct xl_counters *c)
{
	free(c->lines);
	free(c->counter);
	*c = (struct xl_counters){ 0 };
}
