/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keys.h - the table of configuration keys, and turning the text of a value into a value.
 *
 * A key "spin_us" of the file is the option "--spin-us" of the command line.
 */
#ifndef XL_DAEMON_KEYS_H
#define XL_DAEMON_KEYS_H

#include "config.h"

enum xl_key_section { XL_KEY_DAEMON, XL_KEY_INTERFACE };
enum xl_key_type { XL_KEY_NUMBER, XL_KEY_OCTAL, XL_KEY_CHOICE, XL_KEY_TEXT, XL_KEY_CORES, XL_KEY_VLAN };

struct xl_key {
	const char *name;
	u8 section, type;
	bool reloadable;          /* applied to a running daemon by SIGHUP */
	u16 offset, bytes;        /* of the field in its section's structure */
	u32 min, max;             /* numbers; of XL_KEY_TEXT: unused */
	bool zero;                /* 0 too, for "default" */
	const char *standard;     /* the default, as text */
	const char *const *names; /* choices, ended by NULL */
	const u8 *values;         /* of the choices */
	const char *allowed;      /* what is allowed, for people, where bounds and names do not say it */
};

extern const struct xl_key xl_keys[];
extern const u32 xl_keys_count;

/* By its name in the file (dashes count as underscores, up to `length` characters), NULL: there is none. */
const struct xl_key *xl_key_find(enum xl_key_section section, const char *name, size_t length);
/* Where the value of a key lies: `record` is the structure of the key's section. */
void *xl_key_field(const struct xl_key *k, void *record);
/* Set the field from text. -EINVAL: it is not allowed; the field is then as it was. */
int xl_key_set(const struct xl_key *k, void *record, const char *value);
/* All keys of a section to their defaults. */
void xl_key_defaults(enum xl_key_section section, void *record);
/* "1..16", "auto, on or off". */
void xl_key_allowed(const struct xl_key *k, char *text, size_t bytes);

#endif
