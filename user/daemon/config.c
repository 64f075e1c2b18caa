// SPDX-License-Identifier: BSD-2-Clause
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>

#include "../drv/why.h"
#include "../xdp/attach.h"
#include "keys.h"

#define LINE_MAX_BYTES 199   /* inih cuts what is longer in two, which would then be read as two lines */

struct build {
	struct xl_daemon_config c;
	const char *file;
	u32 line;                        /* of the file, the last that was read; 0: the command line */
	FILE *in;
	s32 section;                     /* -2: none yet, -1: [daemon], else an interface */
	u64 given[1 + XLANE_INTERFACES_MAX];   /* keys of the file, by section: a bit for each key */
	int error;                       /* the first one stays */
	char *why;
	size_t why_bytes;
};

#define SECTION_NONE (-2)
#define SECTION_DAEMON (-1)

/* Where something is wrong: "FILE:LINE: " or "". */
static const char *place(const struct build *b, char *text, size_t bytes)
{
	*text = 0;
	if (b->line)
		snprintf(text, bytes, "%s:%u: ", b->file, b->line);
	return text;
}

#define FAIL(b, ...) do { \
	char at_[256], said_[400]; \
	if (!(b)->error) { \
		snprintf(said_, sizeof said_, __VA_ARGS__); \
		(b)->error = xl_why(-EINVAL, (b)->why, (b)->why_bytes, "%s%s", place(b, at_, sizeof at_), said_); \
	} \
} while (0)

static bool interface_name_ok(const char *name, size_t length)
{
	if (!length || length >= IFNAMSIZ || (length == 1 && *name == '.') || (length == 2 && !memcmp(name, "..", 2)))
		return false;
	for (size_t i = 0; i < length; i++)
		if (isspace((unsigned char)name[i]) || name[i] == '/' || name[i] == ':' ||
		    !isprint((unsigned char)name[i]))
			return false;
	return true;
}

static s32 find_interface(const struct xl_daemon_config *c, const char *name, size_t length)
{
	for (u32 i = 0; i < c->interfaces; i++)
		if (strlen(c->interface[i].name) == length && !memcmp(c->interface[i].name, name, length))
			return (s32)i;
	return -1;
}

/* The interface of this name, made with the defaults when it is new. Negative after FAIL. */
static s32 enter_interface(struct build *b, const char *name, size_t length)
{
	s32 at = find_interface(&b->c, name, length);
	struct xl_interface_config *i;

	if (!interface_name_ok(name, length)) {
		FAIL(b, "'%.*s' is no name of an interface (1..%d characters, without spaces, / and :)", (int)length,
		     name, IFNAMSIZ - 1);
		return -1;
	}
	if (at >= 0 && b->line) {
		FAIL(b, "[interface %.*s] is there already, in line %u", (int)length, name, b->c.interface[at].line);
		return -1;
	}
	if (at >= 0)
		return at;
	if (b->c.interfaces == XLANE_INTERFACES_MAX) {
		FAIL(b, "more than %d interfaces", XLANE_INTERFACES_MAX);
		return -1;
	}
	i = &b->c.interface[b->c.interfaces];
	xl_key_defaults(XL_KEY_INTERFACE, i);
	memcpy(i->name, name, length);
	i->line = b->line;
	return (s32)b->c.interfaces++;
}

/* A line "[...]", which inih does not tell of when nothing follows. */
static void enter_section(struct build *b, const char *line)
{
	size_t length = strcspn(line, "]\r\n"), skip;

	if (line[length] != ']') {
		FAIL(b, "a section without ']'");
		return;
	}
	if (length == 6 && !memcmp(line, "daemon", 6)) {
		b->section = SECTION_DAEMON;
		return;
	}
	if (length < 10 || memcmp(line, "interface", 9) || !isblank((unsigned char)line[9])) {
		FAIL(b, "no section [%.*s]: there are [daemon] and [interface NAME]", (int)length, line);
		return;
	}
	skip = 9 + strspn(line + 9, " \t");
	while (length > skip && isblank((unsigned char)line[length - 1]))
		length--;
	b->section = enter_interface(b, line + skip, length - skip);
}

/* fgets, which counts lines and sees sections. */
static char *next_line(char *text, int bytes, void *arg)
{
	struct build *b = arg;
	const char *p;

	if (b->error || !fgets(text, bytes, b->in))
		return NULL;
	b->line++;
	if (!strchr(text, '\n') && strlen(text) + 1 == (size_t)bytes)
		FAIL(b, "a line of more than %d bytes", LINE_MAX_BYTES - 1);
	p = text + strspn(text, " \t");
	if (*p == '[')
		enter_section(b, p + 1);
	else if (p != text && *p && !strchr("#;\r\n", *p))
		FAIL(b, "a line that begins with a space: every KEY = VALUE begins its line");
	return b->error ? NULL : text;
}

/* What a section's keys are called, for messages. */
static void list_keys(enum xl_key_section section, char *text, size_t bytes)
{
	size_t used = 0;

	for (u32 i = 0; i < xl_keys_count && used < bytes; i++)
		if (xl_keys[i].section == section)
			used += (size_t)snprintf(text + used, bytes - used, "%s%s", used ? " " : "", xl_keys[i].name);
}

static void set(struct build *b, const struct xl_key *k, const char *name, const char *value)
{
	void *record = k->section == XL_KEY_DAEMON ? (void *)&b->c : (void *)&b->c.interface[b->section];
	char allowed[160];

	if (!xl_key_set(k, record, value))
		return;
	xl_key_allowed(k, allowed, sizeof allowed);
	FAIL(b, "%s: '%.60s' is not allowed; allowed: %s", name, value, allowed);
}

static int take_key(void *arg, const char *section, const char *name, const char *value)
{
	struct build *b = arg;
	enum xl_key_section kind = b->section == SECTION_DAEMON ? XL_KEY_DAEMON : XL_KEY_INTERFACE;
	const struct xl_key *k = NULL;
	char keys[300] = "";
	u64 bit;

	(void)section;
	if (b->section == SECTION_NONE) {
		FAIL(b, "%s is in no section: [daemon] or [interface NAME] comes first", name);
		return 0;
	}
	if (!strchr(name, '-'))
		k = xl_key_find(kind, name, strlen(name));
	if (!k) {
		list_keys(kind, keys, sizeof keys);
		FAIL(b, "no key %.40s here; keys: %s", name, keys);
		return 0;
	}
	bit = 1ull << (k - xl_keys);
	if (b->given[b->section + 1] & bit)
		FAIL(b, "%s is given twice", name);
	b->given[b->section + 1] |= bit;
	set(b, k, name, value);
	return !b->error;
}

static void read_file(struct build *b, const char *file)
{
	int line;

	b->file = file;
	b->in = fopen(file, "re");
	if (!b->in) {
		b->error = xl_why(-errno, b->why, b->why_bytes, "can not read %s: %s", file, strerror(errno));
		return;
	}
	line = ini_parse_stream(next_line, b, take_key, b);
	if (!b->error && ferror(b->in))
		b->error = xl_why(-EIO, b->why, b->why_bytes, "can not read %s to its end", file);
	fclose(b->in);
	if (line) {   /* a line that is none: inih goes on to the end, so its number is the first one's */
		b->line = line > 0 ? (u32)line : b->line;
		FAIL(b, "neither [SECTION] nor KEY = VALUE");
	}
	b->line = 0;
}

/* --- command line --------------------------------------------------------------------------- */
/* Some names are keys of both sections: then the value tells which is meant. */
static const struct xl_key *option_key(const struct build *b, const char *name, size_t length, const char *value)
{
	const struct xl_key *daemon = xl_key_find(XL_KEY_DAEMON, name, length);
	const struct xl_key *interface = b->section >= 0 ? xl_key_find(XL_KEY_INTERFACE, name, length) : NULL;
	struct xl_daemon_config trial;

	if (interface && daemon && value && !xl_key_set(daemon, &trial, value))
		return daemon;
	return interface ? interface : daemon;
}

static void take_option(struct build *b, const char *name, size_t length, const char *value)
{
	const struct xl_key *k = option_key(b, name, length, value);
	char said[64];

	snprintf(said, sizeof said, "--%.*s", (int)length, name);
	if (!k && xl_key_find(XL_KEY_INTERFACE, name, length))
		FAIL(b, "%s belongs behind the --interface that it is about", said);
	else if (!k)
		FAIL(b, "no option %s; `xlaned -h` lists them", said);
	else if (!value)
		FAIL(b, "%s needs a value", said);
	else
		set(b, k, said, value);
}

static void read_options(struct build *b, int argc, char *const *argv)
{
	b->section = SECTION_NONE;
	for (int i = 1; i < argc && !b->error; i++) {
		const char *name = strcmp(argv[i], "-i") ? argv[i] : "--interface", *value;
		size_t length;

		if (strncmp(name, "--", 2) || !name[2]) {
			FAIL(b, "'%.60s' is no option; `xlaned -h` lists them", name);
			return;
		}
		name += 2;
		length = strcspn(name, "=");
		value = name[length] ? name + length + 1 : i + 1 < argc ? argv[++i] : NULL;
		if (length == strlen("interface") && !memcmp(name, "interface", length) && value)
			b->section = enter_interface(b, value, strlen(value));
		else
			take_option(b, name, length, value);
	}
}

/* --- as a whole ------------------------------------------------------------------------------- */
static void check_interface(struct build *b, const struct xl_interface_config *c)
{
	b->line = c->line;
	if (!xl_ethertype_usable(c->ethertype))
		FAIL(b, "%s: ethertype 0x%04x is not for xlane: it is one of IP, ARP or VLAN tags", c->name,
		     c->ethertype);
	if (c->cores && c->cores != c->workers)
		FAIL(b, "%s: cores names %u, workers is %u: give one core for each worker", c->name, c->cores,
		     c->workers);
	if ((u64)c->frames * c->workers > XLANE_FRAMES_MAX)
		FAIL(b, "%s: %u frames for each of %u workers are more than %d in all", c->name, c->frames, c->workers,
		     XLANE_FRAMES_MAX);
	b->line = 0;
}

static void check(struct build *b)
{
	if (!b->error && !b->c.interfaces)
		FAIL(b, "no interface: give --interface NAME, or a section [interface NAME]%s%s", b->file ? " in " : "",
		     b->file ? b->file : "");
	for (u32 i = 0; i < b->c.interfaces; i++)
		check_interface(b, &b->c.interface[i]);
}

int xl_config_build(const char *file, int argc, char *const *argv, struct xl_daemon_config *out, char *why,
		    size_t why_bytes)
{
	struct build b = { .section = SECTION_NONE, .why = why, .why_bytes = why_bytes };

	xl_key_defaults(XL_KEY_DAEMON, &b.c);
	if (file)
		read_file(&b, file);
	if (!b.error)
		read_options(&b, argc, argv);
	if (!b.error)
		check(&b);
	if (!b.error)
		*out = b.c;
	return b.error;
}

/* --- reload ----------------------------------------------------------------------------------- */
static void note_restart(const char *what, const char *key, char *restart, size_t bytes)
{
	size_t used = strlen(restart);

	snprintf(restart + used, bytes - used, "%s%s%s%s", used ? ", " : "", what, *what ? "/" : "", key);
}

static void compare(enum xl_key_section section, const char *what, void *now, void *from, char *restart, size_t bytes)
{
	for (u32 i = 0; i < xl_keys_count; i++) {
		const struct xl_key *k = &xl_keys[i];
		void *a = xl_key_field(k, now), *b = xl_key_field(k, from);

		if (k->section != section || !memcmp(a, b, k->bytes))
			continue;
		if (k->reloadable)
			memcpy(a, b, k->bytes);
		else
			note_restart(what, k->name, restart, bytes);
	}
}

void xl_config_reload(struct xl_daemon_config *now, const struct xl_daemon_config *from, char *restart, size_t bytes)
{
	struct xl_daemon_config next = *from;

	*restart = 0;
	compare(XL_KEY_DAEMON, "", now, &next, restart, bytes);
	for (u32 i = 0; i < next.interfaces; i++) {
		s32 at = find_interface(now, next.interface[i].name, strlen(next.interface[i].name));

		if (at < 0)
			note_restart(next.interface[i].name, "(new)", restart, bytes);
		else
			compare(XL_KEY_INTERFACE, now->interface[at].name, &now->interface[at], &next.interface[i],
				restart, bytes);
	}
	for (u32 i = 0; i < now->interfaces; i++)
		if (find_interface(&next, now->interface[i].name, strlen(now->interface[i].name)) < 0)
			note_restart(now->interface[i].name, "(gone)", restart, bytes);
}
