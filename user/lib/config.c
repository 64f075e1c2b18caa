/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <xlane/limits.h>

#include "../base/types.h"

#define SPIN_US_DEFAULT 50
#define SPIN_US_MAX 1000000u
/* wire ethertypes below this are lengths (IEEE 802.3) */
#define ETHERTYPE_MIN 0x0600

/* Programs built before the daemon call this one: their structure ends there. */
#define SIZE_FIRST offsetof(struct xlane_config, daemon)

void xlane_config_init_size(struct xlane_config *config, size_t size)
{
	struct xlane_config c = {
		.size = size, .spin_us = SPIN_US_DEFAULT, .ethertype = XLANE_ETHERTYPE_DEFAULT, .need_wakeup = 1,
	};

	memcpy(config, &c, xl_min(size, sizeof c));
}

void (xlane_config_init)(struct xlane_config *config)
{
	xlane_config_init_size(config, SIZE_FIRST);
}

/* A number that is 0 for "default" or within bounds. */
struct bound {
	const char *name;
	u32 value, low, high;
};

static int check_bounds(const struct bound *bounds, u32 n, char *why, size_t why_bytes)
{
	for (u32 i = 0; i < n; i++) {
		const struct bound *b = &bounds[i];

		if (b->value && (b->value < b->low || b->value > b->high)) {
			snprintf(why, why_bytes, "%s %u is not within %u..%u", b->name, b->value, b->low, b->high);
			return -EINVAL;
		}
	}
	return 0;
}

static int check_numbers(const struct xlane_config *c, char *why, size_t why_bytes)
{
	const struct bound bounds[] = {
		{ "mtu", c->mtu, XLANE_MTU_MIN, XLANE_MTU_MAX },
		{ "frames", c->frames, XLANE_FRAMES_MIN, XLANE_FRAMES_MAX },
		{ "conns", c->conns, 1, XLANE_CONNS_MAX },
		{ "queues", c->queues, 1, XLANE_QUEUES_MAX },
		{ "spin_us", c->spin_us, 1, SPIN_US_MAX },
		{ "recv_memory_kib", c->recv_memory_kib, XLANE_BLOCKS_MIN * (XLANE_BLOCK_BYTES / 1024),
		  UINT32_MAX / 1024 },
		{ "peer_death_ms", c->peer_death_ms, 10, 86400000 },
		{ "keepalive_ms", c->keepalive_ms, 1, 86400000 },
	};

	return check_bounds(bounds, XL_ARRAY_SIZE(bounds), why, why_bytes);
}

static bool vlan_ok(const uint16_t vlan[2])
{
	for (u32 i = 0; i < 2; i++) {
		u16 id = vlan[i] & 0x0fff;

		if (vlan[i] & 0xe000 || (vlan[i] && (!id || id == 0x0fff)))
			return false;
	}
	return vlan[0] || !vlan[1];
}

static int check_embedded(const struct xlane_config *c, char *why, size_t why_bytes)
{
	if ((unsigned)c->driver > XLANE_DRIVER_AF_PACKET)
		snprintf(why, why_bytes, "unknown driver %d", (int)c->driver);
	else if (c->ethertype < ETHERTYPE_MIN)
		snprintf(why, why_bytes, "ethertype 0x%04x is a length, not a type: use 0x0600 or more", c->ethertype);
	else if (c->ethertype == 0x8100 || c->ethertype == 0x88a8)
		snprintf(why, why_bytes, "ethertype 0x%04x marks VLAN tags", c->ethertype);
	else if (!vlan_ok(c->vlan))
		snprintf(why, why_bytes, "VLAN ids are 1..4094, the outer first");
	else if (c->zero_copy == 1 && c->driver == XLANE_DRIVER_AF_PACKET)
		snprintf(why, why_bytes, "AF_PACKET has no zero-copy mode");
	else if (c->helper_thread != 0 && c->helper_thread != 1)
		snprintf(why, why_bytes, "helper_thread is %d, not 0 or 1", c->helper_thread);
	else
		return check_numbers(c, why, why_bytes);
	return -EINVAL;
}

/* What is the daemon's affair is not looked at. */
static int check_daemon(const struct xlane_config *c, char *why, size_t why_bytes)
{
	const struct bound bounds[] = {
		{ "conns", c->conns, 1, XLANE_CHANNEL_SLOTS_MAX },
		{ "channel_kib", c->channel_kib, XLANE_CHANNEL_RING_MIN_BYTES / 1024,
		  XLANE_CHANNEL_RING_MAX_BYTES / 1024 },
	};
	const size_t path_bytes = sizeof ((struct sockaddr_un *)0)->sun_path;

	if (c->socket && (!*c->socket || strlen(c->socket) >= path_bytes))
		snprintf(why, why_bytes, "the path of the daemon's socket has 1..%zu characters", path_bytes - 1);
	else if (c->channel_kib & (c->channel_kib - 1))
		snprintf(why, why_bytes, "channel_kib %u is not a power of two", c->channel_kib);
	else
		return check_bounds(bounds, XL_ARRAY_SIZE(bounds), why, why_bytes);
	return -EINVAL;
}

static int check(const struct xlane_config *c, char *why, size_t why_bytes)
{
	if (c->daemon != 0 && c->daemon != 1)
		snprintf(why, why_bytes, "daemon is %d, not 0 or 1", c->daemon);
	else if (!c->daemon && !c->interface)
		snprintf(why, why_bytes, "no interface given");
	else if (c->interface && !*c->interface)
		snprintf(why, why_bytes, "the interface has no name");
	else if (c->interface && strlen(c->interface) >= IFNAMSIZ)
		snprintf(why, why_bytes, "interface name '%.20s...' is too long", c->interface);
	else if ((unsigned)c->wait > XLANE_WAIT_SLEEP)
		snprintf(why, why_bytes, "unknown wait mode %d", (int)c->wait);
	else
		return (c->daemon ? check_daemon : check_embedded)(c, why, why_bytes);
	return -EINVAL;
}

int xl_config_take(const struct xlane_config *in, struct xlane_config *out, char *why, size_t why_bytes)
{
	if (!in || in->size < sizeof in->size + sizeof in->interface || in->size > sizeof *out) {
		snprintf(why, why_bytes, "the configuration is not one that xlane_config_init of this version filled");
		return -EINVAL;
	}
	xlane_config_init_size(out, sizeof *out);
	memcpy(out, in, in->size);
	out->size = sizeof *out;
	return check(out, why, why_bytes);
}
