// SPDX-License-Identifier: BSD-2-Clause
/* units.c - numbers for people. */
#include <stdio.h>

#include "units.h"

/* Three digits of it. What rounds up to four digits is the caller's next unit. */
static void digits(double value, const char *unit, char *text)
{
	int places = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;

	snprintf(text, XL_UNIT_BYTES, "%.*f%s", places, value, unit);
}

static const char *scaled(double value, double base, const char *const *units, size_t n, char *text)
{
	size_t i = 0;

	while (i + 1 < n && value >= (base == 1000 ? 999.5 : base - 0.5)) {
		value /= base;
		i++;
	}
	if (!i && (value == (double)(long)value || value >= 99.95))
		snprintf(text, XL_UNIT_BYTES, "%.0f%s", value, units[0]);
	else
		digits(value, units[i], text);
	return text;
}

const char *xl_unit_count(double value, char *text)
{
	static const char *const units[] = { "", "k", "M", "G", "T", "P" };

	return scaled(value, 1000, units, sizeof units / sizeof *units, text);
}

const char *xl_unit_bytes(double value, char *text)
{
	static const char *const units[] = { "", "Ki", "Mi", "Gi", "Ti", "Pi" };

	return scaled(value, 1024, units, sizeof units / sizeof *units, text);
}

const char *xl_unit_duration(double ns, char *text)
{
	static const char *const units[] = { "ns", "us", "ms", "s" };

	return scaled(ns, 1000, units, sizeof units / sizeof *units, text);
}

const char *xl_unit_uptime(double ns, char *text)
{
	unsigned long s = (unsigned long)(ns / 1e9), d = s / 86400, h = s / 3600 % 24, m = s / 60 % 60;

	s %= 60;
	if (d)
		snprintf(text, XL_UNIT_BYTES, "%lud %lu:%02lu:%02lu", d, h, m, s);
	else if (h)
		snprintf(text, XL_UNIT_BYTES, "%lu:%02lu:%02lu", h, m, s);
	else if (m)
		snprintf(text, XL_UNIT_BYTES, "%lu:%02lu", m, s);
	else
		snprintf(text, XL_UNIT_BYTES, "%lus", s);
	return text;
}
