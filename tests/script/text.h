/* SPDX-License-Identifier: BSD-2-Clause */
/* text.h - a line as words, and words as values: expressions, ranges, times, names. */
#ifndef SCRIPT_TEXT_H
#define SCRIPT_TEXT_H

#include "base/types.h"

#define WORDS_MAX 400
#define LETS_MAX  32
#define LINE_MAX_BYTES 2048

struct run;

struct let { char name[24]; u64 value; };
struct words {
	char buffer[2 * LINE_MAX_BYTES];
	const char *word[WORDS_MAX];
	u32 count, at;
	u64 i;                        /* which repetition this is, from 0 */
	struct let let[LETS_MAX];
	u32 lets;
};

struct range { u64 lo, hi; };     /* both included; lo > hi: wraps past 2^64, as relative numbers may */

/* Cut the line into words; "(", ")" and ";" are words of their own, "#" begins a comment. */
void text_cut(struct run *r, const char *line);
/* The next word, NULL at the end; `take` moves on, and `need` fails at the end. */
const char *text_look(const struct run *r);
const char *text_take(struct run *r);
const char *text_need(struct run *r, const char *what);
bool text_accept(struct run *r, const char *word);
void text_end(struct run *r);

/* Sums and products of numbers (decimal, 0x), times (10ms, 5us, 3s, 20ns), sizes (4K, 1M), constants, names of `let`, and
 * `i`, the repetition. */
u64 text_value(struct run *r, const char *text);
/* A, A..B, A.., ..B, *. */
struct range text_range(struct run *r, const char *text);
static inline bool range_has(struct range v, u64 x) { return v.lo <= v.hi ? x >= v.lo && x <= v.hi : x >= v.lo || x <= v.hi; }
void text_let(struct run *r, const char *name, u64 value);

#endif
