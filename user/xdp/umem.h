/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * umem.h - the packet memory that the kernel and this process share: frames of one size on a sealed memfd.
 *
 * The memory is made by the caller before any driver, who puts a frame pool over it (xl_frames_init) and hands both to
 * the driver. It holds packet bytes only, never control state. Its size is sealed: nobody who is given the descriptor
 * can shrink it under the reader. Pages start as zeros. Any thread may call; not the same object at once.
 */
#ifndef XL_UMEM_H
#define XL_UMEM_H

#include "../base/types.h"

struct xl_umem {
	int fd;            /* memfd, close-on-exec */
	u8 *mem;           /* page-aligned; frame i at mem + i * frame_bytes */
	u64 bytes;
	u32 frame_bytes;   /* 2048 or 4096 */
	u32 frames;
};

/* -EINVAL: frame_bytes is neither 2048 nor 4096, or frames not in 1..XLANE_FRAMES_MAX. -ENOMEM, -EMFILE and other
 * errors of memfd_create and mmap. After a failure `u` needs no destroy. */
int xl_umem_create(struct xl_umem *u, u32 frames, u32 frame_bytes);
/* A descriptor of such memory that another process has made: checked for size and seals (-EINVAL), mapped later. It
 * becomes the memory's; `mem` is NULL until xl_umem_map, which is for whoever needs it. */
int xl_umem_adopt(struct xl_umem *u, int fd, u32 frames, u32 frame_bytes);
int xl_umem_map(struct xl_umem *u);
/* Unmap and close. Sockets that registered the memory must be closed first. */
void xl_umem_destroy(struct xl_umem *u);

#endif
