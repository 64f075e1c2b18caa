/* SPDX-License-Identifier: BSD-2-Clause */
/* counters.h - the daemon's counters as it sends them: lines of "name<TAB>value<TAB>text". */
#ifndef XL_CLI_COUNTERS_H
#define XL_CLI_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct xl_counter { const char *name, *text; uint64_t value; };
struct xl_counters { char *lines; struct xl_counter *counter; size_t count; };

/* `lines` (malloced) is cut up in place, and belongs to *out, also after a failure.
 * 0; -EPROTO: a line of another form; -ENOMEM. */
int xl_counters_parse(char *lines, struct xl_counters *out);
/* The growth of counter `i` of `now` since `before`; one that is new there, or went back, has grown by its value. */
uint64_t xl_counters_growth(const struct xl_counters *now, const struct xl_counters *before, size_t i);
void xl_counters_free(struct xl_counters *c);

#endif
