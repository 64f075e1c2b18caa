// SPDX-License-Identifier: BSD-2-Clause
#include "identity.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../base/siphash.h"

u64 xl_identity_node(const char *machine, const u8 mac[6])
{
	u64 key[2] = { 0, 0 }, node;

	if (machine && strlen(machine) == 32)
		memcpy(key, machine, sizeof key);
	/* both halves of the text count: the second is hashed with the first as key */
	if (machine && strlen(machine) == 32)
		key[1] ^= xl_siphash(key, machine + 16, 16);
	node = xl_siphash(key, mac, 6);
	return node ? node : 1;
}

void xl_identity_machine(char text[33])
{
	FILE *f = fopen("/etc/machine-id", "re");

	memset(text, 0, 33);
	if (!f)
		return;
	if (fread(text, 1, 32, f) != 32)
		memset(text, 0, 33);
	fclose(f);
}

u64 xl_identity_incarnation(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (u64)t.tv_sec * XL_S + (u64)t.tv_nsec;
}
