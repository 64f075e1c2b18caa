// SPDX-License-Identifier: BSD-2-Clause
/* relay_report.c - what the relay did. */
#include <errno.h>
#include <inttypes.h>

#include "relay_report.h"

static const struct { const char *key, *text; } names[RELAY_COUNTER_COUNT] = {
#define NAMES(name, key, text) { key, text },
	RELAY_COUNTERS(NAMES)
};

/* Interface names have no control characters, but may have quotes. */
static void json_text(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

void relay_report_json(FILE *out, const struct relay_direction d[2], double seconds)
{
	fprintf(out, "{\"seconds\": %.3f, \"directions\": [", seconds);
	for (int i = 0; i < 2; i++) {
		fprintf(out, "%s\n  {\"from\": ", i ? "," : "");
		json_text(out, d[i].from->name);
		fprintf(out, ", \"to\": ");
		json_text(out, d[i].to->name);
		for (int c = 0; c < RELAY_COUNTER_COUNT; c++)
			fprintf(out, ", \"%s\": %" PRIu64, names[c].key, d[i].counters[c]);
		fprintf(out, ", \"lacks\": %" PRId64 "}", relay_direction_lacks(&d[i]));
	}
	fprintf(out, "\n]}\n");
}

void relay_report_text(FILE *out, const struct relay_direction d[2], double seconds)
{
	char head[2][2 * IF_NAMESIZE + 8];

	for (int i = 0; i < 2; i++)
		snprintf(head[i], sizeof head[i], "%s > %s", d[i].from->name, d[i].to->name);
	fprintf(out, "relay, %.1f s\n%14s %14s\n", seconds, head[0], head[1]);
	for (int c = 0; c < RELAY_COUNTER_COUNT; c++)
		if (d[0].counters[c] || d[1].counters[c])
			fprintf(out, "%14" PRIu64 " %14" PRIu64 "  %s\n", d[0].counters[c], d[1].counters[c], names[c].text);
}

int relay_report_file(const char *path, const struct relay_direction d[2], double seconds)
{
	char part[4096];
	FILE *out;
	int err = 0;

	if (snprintf(part, sizeof part, "%s.part", path) >= (int)sizeof part)
		return -ENAMETOOLONG;
	out = fopen(part, "we");
	if (!out)
		return -errno;
	relay_report_json(out, d, seconds);
	if (ferror(out))
		err = -EIO;
	if (fclose(out) && !err)
		err = -errno;
	if (!err && rename(part, path))
		err = -errno;
	return err;
}
