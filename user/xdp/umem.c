/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE   /* memfd_create, seals */
#endif
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xlane/limits.h>
#include "umem.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

static int shape(struct xl_umem *u, u32 frames, u32 frame_bytes)
{
	*u = (struct xl_umem){ .fd = -1, .frames = frames, .frame_bytes = frame_bytes,
		.bytes = (u64)frames * frame_bytes };
	return (frame_bytes != 2048 && frame_bytes != 4096) || !frames || frames > XLANE_FRAMES_MAX ? -EINVAL : 0;
}

int xl_umem_map(struct xl_umem *u)
{
	void *mem = mmap(NULL, u->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, u->fd, 0);

	if (mem == MAP_FAILED)
		return -errno;
	u->mem = mem;
	return 0;
}

int xl_umem_create(struct xl_umem *u, u32 frames, u32 frame_bytes)
{
	int err = shape(u, frames, frame_bytes);

	if (err)
		return err;
	u->fd = memfd_create("xlane-umem", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (u->fd < 0)
		return -errno;
	if (ftruncate(u->fd, u->bytes) || fcntl(u->fd, F_ADD_SEALS, SEALS))
		err = -errno;
	if (!err)
		err = xl_umem_map(u);
	if (err) {
		close(u->fd);
		u->fd = -1;
	}
	return err;
}

int xl_umem_adopt(struct xl_umem *u, int fd, u32 frames, u32 frame_bytes)
{
	int err = shape(u, frames, frame_bytes), seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	if (err || seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &st) || st.st_size != (off_t)u->bytes)
		return -EINVAL;
	u->fd = fd;
	return 0;
}

void xl_umem_destroy(struct xl_umem *u)
{
	if (u->mem)
		munmap(u->mem, u->bytes);
	close(u->fd);
	memset(u, 0, sizeof *u);
	u->fd = -1;
}
