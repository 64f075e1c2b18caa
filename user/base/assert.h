/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * assert.h - assertions for what xlane's own code alone can cause, never for what came from the wire, a client or a
 * file. They stay on in production. The hook is the one way out of the engine that does not return; each program
 * defines it (user/base/assert.c gives the usual one: print and abort).
 */
#ifndef XL_ASSERT_H
#define XL_ASSERT_H

__attribute__((noreturn, cold)) void xl_assert_failed(const char *what, const char *file, int line);

#define XL_ASSERT(c) ((void)(__builtin_expect(!!(c), 1) || (xl_assert_failed(#c, __FILE__, __LINE__), 0)))

#endif
