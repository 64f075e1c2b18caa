/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <netinet/ether.h>
#include <stdio.h>
#include <string.h>
#include <xlane/xlane.h>

#include "context.h"

#define NAME_MAX_BYTES 256

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Six groups of one or two digits between colons. Returns what is behind them, or NULL. */
static const char *parse_mac(const char *p, uint8_t mac[6])
{
	for (int i = 0; i < 6; i++) {
		int high = hex_value(*p), low;

		if (high < 0)
			return NULL;
		low = hex_value(*++p);
		if (low >= 0)
			p++;
		mac[i] = (uint8_t)(low >= 0 ? high << 4 | low : high);
		if (i < 5 && *p++ != ':')
			return NULL;
	}
	return p;
}

/* A name up to '/' or the end, looked up in /etc/ethers. Returns what is behind it, or NULL. */
static const char *lookup_name(const char *p, uint8_t mac[6])
{
	size_t n = strcspn(p, "/");
	char name[NAME_MAX_BYTES];
	struct ether_addr a;

	if (!n || n >= sizeof name)
		return NULL;
	memcpy(name, p, n);
	name[n] = 0;
	if (ether_hostton(name, &a))
		return NULL;
	memcpy(mac, a.ether_addr_octet, 6);
	return p + n;
}

static int parse_port(const char *p, uint16_t *out)
{
	uint32_t v = 0;

	if (!*p)
		return -EINVAL;
	for (; *p; p++) {
		if (*p < '0' || *p > '9')
			return -EINVAL;
		v = v * 10 + (uint32_t)(*p - '0');
		if (v > UINT16_MAX)
			return -EINVAL;
	}
	if (!v)
		return -EINVAL;
	*out = (uint16_t)v;
	return 0;
}

int xlane_address_parse(const char *text, struct xlane_address *out)
{
	static const uint8_t zero[6];
	struct xlane_address a = *out;
	const char *p = parse_mac(text, a.mac);

	if (!p || (*p && *p != '/'))
		p = lookup_name(text, a.mac);
	/* a group or no station at all can not be a peer */
	if (!p || a.mac[0] & 1 || !memcmp(a.mac, zero, 6))
		return -EINVAL;
	if (*p == '/' && parse_port(p + 1, &a.port))
		return -EINVAL;
	*out = a;
	return 0;
}

const char *xlane_address_text(const struct xlane_address *a, char *text)
{
	const uint8_t *m = a->mac;

	snprintf(text, 24, "%02x:%02x:%02x:%02x:%02x:%02x/%u", m[0], m[1], m[2], m[3], m[4], m[5], a->port);
	return text;
}

void xlane_local_address(xlane *x, struct xlane_address *out)
{
	memcpy(out->mac, x->b->mac, 6);
	out->port = 0;
}
