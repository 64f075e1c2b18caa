/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE   /* memfd_create, seals */
#endif
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xlane/limits.h>
#include "umem.h"

int xl_umem_create(struct xl_umem *u, u32 frames, u32 frame_bytes)
{
	int err;

	memset(u, 0, sizeof *u);
	u->fd = -1;
	if ((frame_bytes != 2048 && frame_bytes != 4096) || !frames || frames > XLANE_FRAMES_MAX)
		return -EINVAL;
	u->frames = frames;
	u->frame_bytes = frame_bytes;
	u->bytes = (u64)frames * frame_bytes;
	u->fd = memfd_create("xlane-umem", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (u->fd < 0)
		return -errno;
	if (ftruncate(u->fd, u->bytes) || fcntl(u->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		goto fail;
	u->mem = mmap(NULL, u->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, u->fd, 0);
	if (u->mem == MAP_FAILED)
		goto fail;
	return 0;
fail:
	err = -errno;
	close(u->fd);
	u->fd = -1;
	u->mem = NULL;
	return err;
}

void xl_umem_destroy(struct xl_umem *u)
{
	munmap(u->mem, u->bytes);
	close(u->fd);
	memset(u, 0, sizeof *u);
	u->fd = -1;
}
