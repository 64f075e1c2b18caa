/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bits.h - "look at this slot": bits that one side sets and the other takes, with a summary; and who sleeps.
 *
 * A bit set after something was published is found by a take that begins later, and who takes it sees what was
 * published. All seq_cst: together with the sleep words this is Dekker's algorithm, and fences would hide it from the
 * thread sanitizer.
 */
#ifndef XL_BITS_H
#define XL_BITS_H

#include <stdatomic.h>
#include "../base/types.h"

static inline void xl_bits_set(_Atomic u64 *words, _Atomic u64 *summary, u32 i)
{
	const u64 bit = 1ull << i % 64, word = 1ull << i / 64;

	/* a bit that was there already has a summary, or one is on its way; whoever takes the bit takes this
	 * change too */
	if (!(atomic_fetch_or_explicit(&words[i / 64], bit, memory_order_seq_cst) & bit))
		atomic_fetch_or_explicit(summary, word, memory_order_seq_cst);
}

/* Words that may have bits. */
static inline u64 xl_bits_take_summary(_Atomic u64 *summary)
{
	if (!atomic_load_explicit(summary, memory_order_relaxed))
		return 0;
	return atomic_exchange_explicit(summary, 0, memory_order_seq_cst);
}

static inline u64 xl_bits_take_word(_Atomic u64 *words, u32 word)
{
	return atomic_exchange_explicit(&words[word], 0, memory_order_seq_cst);
}

/* After publishing: true when the other side sleeps, and it is this call that has to wake it. */
static inline bool xl_sleep_take(_Atomic u32 *asleep)
{
	return atomic_load_explicit(asleep, memory_order_seq_cst) &&
	       atomic_exchange_explicit(asleep, 0, memory_order_seq_cst);
}

/* Before the last look. */
static inline void xl_sleep_enter(_Atomic u32 *asleep)
{
	atomic_store_explicit(asleep, 1, memory_order_seq_cst);
}

/* Awake again. True: nobody has taken the word, so no byte comes. */
static inline bool xl_sleep_leave(_Atomic u32 *asleep)
{
	return atomic_exchange_explicit(asleep, 0, memory_order_seq_cst) != 0;
}

#endif
