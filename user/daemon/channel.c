/* SPDX-License-Identifier: BSD-2-Clause */
/* channel.c - one channel's memory and sockets. Control thread. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../channel/guest.h"
#include "channel_state.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

const char *xl_channel_counter_name(u32 counter)
{
	static const char *const names[] = {
#define NAME(name, key, text) key,
		XL_CHANNEL_COUNTERS(NAME)
	};

	return counter < XL_CHANNEL_COUNTER_COUNT ? names[counter] : NULL;
}

const char *xl_channel_counter_text(u32 counter)
{
	static const char *const texts[] = {
#define TEXT(name, key, text) text,
		XL_CHANNEL_COUNTERS(TEXT)
	};

	return counter < XL_CHANNEL_COUNTER_COUNT ? texts[counter] : NULL;
}

/* Memory of the worker to put messages together that do not fit a ring: counted as the client's. */
static u64 gather_bytes(u32 slots, u32 ring_bytes)
{
	return ring_bytes < xl_ring_record(XL_GATHER_BYTES) ? (u64)slots * XL_GATHER_BYTES : 0;
}

u64 xl_channel_bytes(u32 slots, u32 ring_bytes)
{
	u64 shared = xl_layout_bytes(slots, ring_bytes);

	return shared ? shared + gather_bytes(slots, ring_bytes) : 0;
}

/* The memory, of sealed size, mapped here. */
static int make_memory(struct xl_channel *ch, int *memfd)
{
	const struct xl_channel_config *c = &ch->config;
	u64 bytes = xl_layout_bytes(c->slots, c->ring_bytes);
	int fd = memfd_create("xlane-channel", MFD_CLOEXEC | MFD_ALLOW_SEALING), err;
	void *base;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)bytes) < 0 || fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		goto fail;
	base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (base == MAP_FAILED)
		goto fail;
	xl_layout_init(&ch->map, base, c->slots, c->ring_bytes);
	/* all but the rings, so that a client is refused, and not ended later, where there is no memory at all */
	if (fallocate(fd, 0, 0, ch->map.rings - (u8 *)base) < 0)
		goto fail;
	ch->map.head->magic = XLANE_CHANNEL_MAGIC;
	ch->map.head->version = XLANE_CHANNEL_VERSION;
	ch->map.head->slots = c->slots;
	ch->map.head->ring_bytes = c->ring_bytes;
	ch->map.head->commands = XLANE_CHANNEL_COMMANDS;
	ch->map.head->worker = c->worker;
	ch->map.head->client = c->client;
	*memfd = fd;
	return 0;
fail:
	err = -errno;
	close(fd);
	return err;
}

static int make_gather(struct xl_channel *ch)
{
	u64 bytes = gather_bytes(ch->config.slots, ch->config.ring_bytes);
	void *mem;

	if (!bytes)
		return 0;
	mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mem == MAP_FAILED)
		return -errno;
	ch->gather = mem;
	return 0;
}

int xl_channel_make(const struct xl_channel_config *c, struct xl_channel **out, int *memfd, int *socket)
{
	struct xl_channel *ch;
	int pair[2], err;

	*out = NULL;
	*memfd = *socket = -1;
	if (!c->client || !xl_layout_bytes(c->slots, c->ring_bytes))
		return -EINVAL;
	ch = calloc(1, sizeof *ch);
	if (!ch)
		return -ENOMEM;
	ch->config = *c;
	ch->socket = -1;
	ch->id = XL_NONE;
	ch->slot = calloc(c->slots, sizeof *ch->slot);
	err = ch->slot ? make_memory(ch, memfd) : -ENOMEM;
	if (!err)
		err = make_gather(ch);
	if (!err && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		err = -errno;
	if (err) {
		if (*memfd >= 0)
			close(*memfd);
		*memfd = -1;
		xl_channel_free(ch);
		return err;
	}
	xl_guest_init(pair[0]);
	ch->socket = pair[0];
	*socket = pair[1];
	*out = ch;
	return 0;
}

void xl_channel_free(struct xl_channel *ch)
{
	if (!ch)
		return;
	if (ch->socket >= 0)
		xl_guest_close(ch->socket);
	if (ch->gather)
		munmap(ch->gather, gather_bytes(ch->config.slots, ch->config.ring_bytes));
	if (ch->map.head)
		munmap(ch->map.head, ch->map.bytes);
	free(ch->slot);
	free(ch);
}

const struct xl_channel_config *xl_channel_config_of(const struct xl_channel *ch)
{
	return &ch->config;
}
