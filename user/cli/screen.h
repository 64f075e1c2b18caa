/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * screen.h - the terminal as a screen of its own: raw keys, the alternate buffer, its size.
 *
 * The terminal is as before after xl_screen_close, and also when the process is ended by a signal that can be caught or
 * is stopped (Ctrl-Z); xl_screen_key tells of a signal that asks to end. One screen a process.
 */
#ifndef XL_SCREEN_H
#define XL_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

enum xl_screen_key {
	XL_KEY_NONE = 0,         /* time is over */
	XL_KEY_RESIZE = 256,     /* the size may be another one: draw again */
	XL_KEY_STOP,             /* a signal, or the terminal is gone */
	XL_KEY_LEFT, XL_KEY_RIGHT, XL_KEY_UP, XL_KEY_DOWN, XL_KEY_PAGE_UP, XL_KEY_PAGE_DOWN, XL_KEY_HOME, XL_KEY_END,
};

/* Whether standard input and output are a terminal that can be one ($TERM is neither unset nor "dumb"). */
bool xl_screen_possible(void);
/* False: the terminal does not let itself be set (errno). */
bool xl_screen_open(void);
void xl_screen_close(void);
void xl_screen_size(size_t *columns, size_t *lines);
/* The next key, waiting up to timeout_ms for it: a character or enum xl_screen_key. */
int xl_screen_key(int timeout_ms);
/* Write it all. False: the terminal is gone. */
bool xl_screen_put(const char *text, size_t bytes);

#endif
