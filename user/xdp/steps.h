/* SPDX-License-Identifier: BSD-2-Clause */
/* steps.h - the single steps of attaching and detaching, shared by attach.c, detach.c, upgrade.c and inspect.c only. */
#ifndef XL_XDP_STEPS_H
#define XL_XDP_STEPS_H

#include "bpffs.h"
#include "program.h"

/* Writes the line into `why` and returns `err`. */
__attribute__((format(printf, 4, 5)))
int xl_step_fail(int err, char *why, size_t why_bytes, const char *format, ...);

/* -EPERM unless the process may load and attach programs. */
int xl_step_privileges(char *why, size_t why_bytes);

/* xl_program_find with its errors put into words. */
int xl_step_find(const char *ifname, struct xl_program *p, char *why, size_t why_bytes);

/* Exchange the program of an attachment without dispatcher in one step: the program of `object`, loaded onto the maps
 * that are pinned in `pins`, for the one that is there. -EAGAIN: somebody else changed the attachment meanwhile. */
int xl_step_swap(const struct xl_program *old, const char *object, const char *pins);

/* Take the demux off; other programs of its dispatcher stay. `b` (NULL: none) tells the loader where its pins are. */
int xl_step_take_off(const char *ifname, const struct xl_program *p, const struct xl_bpffs *b, char *why,
		     size_t why_bytes);

/* Take the program on the interface off, whatever it is, unless it has changed meanwhile. */
int xl_step_take_off_top(const char *ifname, const struct xl_program *p, char *why, size_t why_bytes);

#endif
