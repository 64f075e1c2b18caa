/* SPDX-License-Identifier: BSD-2-Clause */
#include "content.h"

#include <string.h>

#define PIECE_BYTES 4096

static u64 mixed(u64 z)
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

u64 sim_content_key(u64 a, u64 b, u64 c)
{
	return mixed(mixed(mixed(a + 1) + b) + c);
}

static u64 word(u64 key, u64 n)
{
	u64 z = (key + n) * 0x9e3779b97f4a7c15ull;

	return z ^ z >> 32;
}

void sim_content_fill(u64 key, u64 offset, u8 *to, u64 bytes)
{
	if (offset % 8 && bytes > 8) {
		u64 n = 8 - offset % 8;

		sim_content_fill(key, offset, to, n);
		offset += n;
		to += n;
		bytes -= n;
	}
	for (; !(offset % 8) && bytes >= 8; offset += 8, to += 8, bytes -= 8) {
		u64 w = word(key, offset / 8);

		memcpy(to, &w, 8);
	}
	while (bytes) {
		u64 w = word(key, offset / 8), skip = offset % 8, n = xl_min(8 - skip, bytes);

		memcpy(to, (const u8 *)&w + skip, n);
		to += n;
		offset += n;
		bytes -= n;
	}
}

bool sim_content_same(u64 key, u64 offset, const u8 *p, u64 bytes)
{
	u8 wanted[PIECE_BYTES];

	for (u64 done = 0; done < bytes; done += PIECE_BYTES) {
		u64 n = xl_min(PIECE_BYTES, bytes - done);

		sim_content_fill(key, offset + done, wanted, n);
		if (memcmp(wanted, p + done, n))
			return false;
	}
	return true;
}
