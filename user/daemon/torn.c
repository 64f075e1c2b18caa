/* SPDX-License-Identifier: BSD-2-Clause */
#include "torn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "channel_state.h"

static int spare = -1;   /* one page, which is there: no memory is asked for when there is none */
static _Thread_local struct xl_channels *mine;

/* The channel whose memory `at` lies in. */
static struct xl_channel *owner(const struct xl_channels *s, const u8 *at)
{
	for (u32 i = 0; s && i < XLANE_CLIENTS_MAX; i++) {
		struct xl_channel *ch = s->channel[i];
		const u8 *base = ch ? (const u8 *)ch->map.head : NULL;

		if (ch && at >= base && at < base + ch->map.bytes)
			return ch;
	}
	return NULL;
}

static void on_sigbus(int number, siginfo_t *info, void *context)
{
	u8 *page = (u8 *)((uintptr_t)info->si_addr & ~(uintptr_t)(XLANE_CHANNEL_PAGE - 1));
	struct xl_channel *ch = owner(mine, info->si_addr);
	const int before = errno;

	(void)context;
	if (!ch || mmap(page, XLANE_CHANNEL_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, spare, 0) == MAP_FAILED)
		signal(number, SIG_DFL);   /* the same instruction again, and the end */
	else
		atomic_store_explicit(&ch->torn, true, memory_order_relaxed);
	errno = before;
}

int xl_torn_install(void)
{
	struct sigaction act = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO };

	if (spare >= 0)
		return 0;
	spare = memfd_create("xlane-spare", MFD_CLOEXEC);
	if (spare < 0)
		return -errno;
	if (fallocate(spare, 0, 0, XLANE_CHANNEL_PAGE) < 0 || sigaction(SIGBUS, &act, NULL) < 0) {
		int err = -errno;

		close(spare);
		spare = -1;
		return err;
	}
	return 0;
}

void xl_torn_guard(struct xl_channels *s)
{
	mine = s;
}
