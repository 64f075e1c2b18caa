// SPDX-License-Identifier: BSD-2-Clause
#include "keys.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/log.h"
#include "../channel/control.h"
#include "../engine/engine.h"
#include "../worker/link.h"
#include "../worker/wait.h"
#include "../xdp/program.h"

static const char *const yes_no[] = { "no", "yes", NULL };
static const u8 yes_no_values[] = { 0, 1 };
static const char *const three[] = { "auto", "on", "off", NULL };
static const u8 three_values[] = { XL_AUTO, XL_ON, XL_OFF };
static const char *const congestions[] = { "delay", "cubic", "newreno", NULL };
static const u8 congestion_values[] = { XL_CONGESTION_DELAY, XL_CONGESTION_CUBIC, XL_CONGESTION_NEWRENO };
static const char *const waits[] = { "adaptive", "spin", "sleep", NULL };
static const u8 wait_values[] = { XL_WAIT_ADAPTIVE, XL_WAIT_SPIN, XL_WAIT_SLEEP };
static const char *const attaches[] = { "auto", "never", NULL };
static const u8 attach_values[] = { 1, 0 };
static const char *const modes[] = { "auto", "native", "skb", NULL };
static const u8 mode_values[] = { XL_XDP_NONE, XL_XDP_NATIVE, XL_XDP_SKB };
static const char *const levels[] = { "error", "warning", "info", "debug", NULL };
static const u8 level_values[] = { XL_LOG_ERROR, XL_LOG_WARNING, XL_LOG_INFO, XL_LOG_DEBUG };

#define DAEMON(field) .section = XL_KEY_DAEMON, .offset = offsetof(struct xl_daemon_config, field), \
	.bytes = sizeof(((struct xl_daemon_config *)0)->field)
#define IFACE(field) .section = XL_KEY_INTERFACE, .offset = offsetof(struct xl_interface_config, field), \
	.bytes = sizeof(((struct xl_interface_config *)0)->field)
#define CHOICE(list, of) .type = XL_KEY_CHOICE, .names = list, .values = of
#define RANGE(low, high) .type = XL_KEY_NUMBER, .min = low, .max = high
#define RECV_MIB_MAX 16384    /* block indices have 32 bits, and a block is 4 KiB: far below */
#define MEMORY_MIB_MAX 1048576
#define TIME_MS_MAX 86400000

const struct xl_key xl_keys[] = {
	{ "socket", DAEMON(socket), .type = XL_KEY_TEXT, .standard = XL_CONTROL_PATH,
	  .allowed = "an absolute path of at most 99 bytes" },
	{ "mode", DAEMON(mode), .type = XL_KEY_OCTAL, .max = 0777, .standard = "0660", .allowed = "0000..0777, octal" },
	{ "group", DAEMON(group), .type = XL_KEY_TEXT, .standard = "", .allowed = "a group of this system" },
	{ "user", DAEMON(user), .type = XL_KEY_TEXT, .standard = "", .allowed = "a user of this system" },
	{ "log_level", DAEMON(log_level), CHOICE(levels, level_values), .standard = "info", .reloadable = true },
	{ "clients_per_uid", DAEMON(clients_per_uid), RANGE(1, XLANE_CLIENTS_MAX), .standard = "256",
	  .reloadable = true },
	{ "connections_per_uid", DAEMON(connections_per_uid), RANGE(1, XLANE_CONNS_MAX), .standard = "65536",
	  .reloadable = true },
	{ "ports_per_uid", DAEMON(ports_per_uid), RANGE(1, 65535), .standard = "1024" },
	{ "memory_mib_per_uid", DAEMON(memory_mib_per_uid), RANGE(1, MEMORY_MIB_MAX), .standard = "16384",
	  .reloadable = true },
	{ "privileged_ports", DAEMON(privileged_ports), RANGE(0, 65536), .standard = "1024" },

	{ "workers", IFACE(workers), RANGE(1, XLANE_WORKERS_MAX), .standard = "1" },
	{ "cores", .section = XL_KEY_INTERFACE, .offset = offsetof(struct xl_interface_config, cores),
	  .type = XL_KEY_CORES,
	  .bytes = offsetof(struct xl_interface_config, wait) - offsetof(struct xl_interface_config, cores),
	  .standard = "", .allowed = "numbers of cores as in 0,2-3, one for each worker" },
	{ "queues", IFACE(queues), RANGE(1, XLANE_QUEUES_MAX), .zero = true, .standard = "0" },
	{ "frames", IFACE(frames), RANGE(XLANE_FRAMES_MIN, XLANE_FRAMES_MAX), .zero = true, .standard = "0" },
	{ "recv_memory_mib", IFACE(recv_memory_mib), RANGE(1, RECV_MIB_MAX), .standard = "64" },
	{ "connections", IFACE(connections), RANGE(1, XLANE_CONNS_MAX), .standard = "1024" },
	{ "ethertype", IFACE(ethertype), RANGE(0x0600, 0xffff), .standard = "0x88b5",
	  .allowed = "0x0600..0xffff, no type of IP, ARP or VLAN tags" },
	{ "vlan", IFACE(vlan), .type = XL_KEY_VLAN, .standard = "",
	  .allowed = "1..4094, or two as in 100.20, the outer first; ad: before one for 802.1ad" },
	{ "mtu", IFACE(mtu), RANGE(XLANE_MTU_MIN, XLANE_MTU_MAX), .zero = true, .standard = "0" },
	{ "wait", IFACE(wait), CHOICE(waits, wait_values), .standard = "adaptive" },
	{ "spin_us", IFACE(spin_us), RANGE(0, 1000000), .standard = "50" },
	{ "zero_copy", IFACE(zero_copy), CHOICE(three, three_values), .standard = "auto" },
	{ "need_wakeup", IFACE(need_wakeup), CHOICE(yes_no, yes_no_values), .standard = "yes" },
	{ "crc", IFACE(crc), CHOICE(yes_no, yes_no_values), .standard = "yes" },
	{ "keepalive_ms", IFACE(keepalive_ms), RANGE(1, TIME_MS_MAX), .zero = true, .standard = "0" },
	{ "peer_death_ms", IFACE(peer_death_ms), RANGE(10, TIME_MS_MAX), .zero = true, .standard = "0" },
	{ "congestion", IFACE(congestion), CHOICE(congestions, congestion_values), .standard = "delay" },
	{ "attach", IFACE(attach), CHOICE(attaches, attach_values), .standard = "auto" },
	{ "mode", IFACE(mode), CHOICE(modes, mode_values), .standard = "auto" },
};
const u32 xl_keys_count = XL_ARRAY_SIZE(xl_keys);

_Static_assert((u64)RECV_MIB_MAX * 1048576 / XLANE_BLOCK_BYTES < UINT32_MAX, "blocks are counted in 32 bits");
_Static_assert(1048576 / XLANE_BLOCK_BYTES >= XLANE_BLOCKS_MIN, "1 MiB of receive memory is enough");

static bool same_name(const char *key, const char *name, size_t length)
{
	if (strlen(key) != length)
		return false;
	for (size_t i = 0; i < length; i++)
		if (key[i] != (name[i] == '-' ? '_' : name[i]))
			return false;
	return true;
}

const struct xl_key *xl_key_find(enum xl_key_section section, const char *name, size_t length)
{
	for (u32 i = 0; i < xl_keys_count; i++)
		if (xl_keys[i].section == section && same_name(xl_keys[i].name, name, length))
			return &xl_keys[i];
	return NULL;
}

void *xl_key_field(const struct xl_key *k, void *record)
{
	return (char *)record + k->offset;
}

/* Digits of a base from the start; *end behind them. */
static int number(const char *text, int base, u64 max, u64 *out, const char **end)
{
	char *stop;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	*out = strtoull(text, &stop, base);
	*end = stop;
	return errno || *out > max ? -EINVAL : 0;
}

static int set_number(const struct xl_key *k, u32 *field, const char *value)
{
	const char *end;
	u64 n;
	bool hex = value[0] == '0' && (value[1] == 'x' || value[1] == 'X');
	int err = number(value, k->type == XL_KEY_OCTAL ? 8 : hex ? 16 : 10, k->max, &n, &end);

	if (err || *end || (n < k->min && !(k->zero && !n)))
		return -EINVAL;
	*field = (u32)n;
	return 0;
}

static int set_choice(const struct xl_key *k, u32 *field, const char *value)
{
	for (u32 i = 0; k->names[i]; i++)
		if (!strcmp(k->names[i], value)) {
			*field = k->values[i];
			return 0;
		}
	return -EINVAL;
}

static int set_text(const struct xl_key *k, char *field, const char *value)
{
	if (strlen(value) >= k->bytes || (!strcmp(k->name, "socket") && *value != '/'))
		return -EINVAL;
	memset(field, 0, k->bytes);
	memcpy(field, value, strlen(value));
	return 0;
}

/* "0,2-3": into core[], `cores` of them. */
static int set_cores(struct xl_interface_config *c, const char *value)
{
	u16 core[XLANE_WORKERS_MAX] = { 0 };
	u32 n = 0;

	while (*value) {
		u64 first, last;

		if (number(value, 10, UINT16_MAX, &first, &value))
			return -EINVAL;
		last = first;
		if (*value == '-' && number(value + 1, 10, UINT16_MAX, &last, &value))
			return -EINVAL;
		if (last < first || last - first >= XLANE_WORKERS_MAX - n)
			return -EINVAL;
		while (first <= last)
			core[n++] = (u16)first++;
		if (*value && (*value++ != ',' || !*value))
			return -EINVAL;
	}
	memcpy(c->core, core, sizeof core);
	c->cores = n;
	return 0;
}

/* "100", "100.20", "ad:100.20". */
static int set_vlan(struct xl_interface_config *c, const char *value)
{
	u16 vlan[XLANE_VLAN_TAGS_MAX] = { 0 };
	u32 n = 0;
	u64 id;

	while (*value) {
		bool ad = !strncmp(value, "ad:", 3);

		if (n == XLANE_VLAN_TAGS_MAX || number(value + (ad ? 3 : 0), 10, 4094, &id, &value) || !id)
			return -EINVAL;
		vlan[n++] = (u16)(id | (ad ? XL_LINK_VLAN_AD : 0));
		if (*value && (*value++ != '.' || !*value))
			return -EINVAL;
	}
	memcpy(c->vlan, vlan, sizeof vlan);
	return 0;
}

int xl_key_set(const struct xl_key *k, void *record, const char *value)
{
	void *field = xl_key_field(k, record);

	switch (k->type) {
	case XL_KEY_CHOICE:
		return set_choice(k, field, value);
	case XL_KEY_TEXT:
		return set_text(k, field, value);
	case XL_KEY_CORES:
		return set_cores(record, value);
	case XL_KEY_VLAN:
		return set_vlan(record, value);
	default:
		return set_number(k, field, value);
	}
}

void xl_key_defaults(enum xl_key_section section, void *record)
{
	for (u32 i = 0; i < xl_keys_count; i++)
		if (xl_keys[i].section == section)
			xl_key_set(&xl_keys[i], record, xl_keys[i].standard);
}

void xl_key_allowed(const struct xl_key *k, char *text, size_t bytes)
{
	size_t used = 0;

	if (k->allowed) {
		snprintf(text, bytes, "%s", k->allowed);
		return;
	}
	if (k->type != XL_KEY_CHOICE) {
		snprintf(text, bytes, "%u..%u%s", k->min, k->max, k->zero ? ", or 0 for the default" : "");
		return;
	}
	*text = 0;
	for (u32 i = 0; k->names[i] && used < bytes; i++)
		used += (size_t)snprintf(text + used, bytes - used, "%s%s",
					 !i ? "" : k->names[i + 1] ? ", " : " or ", k->names[i]);
}
