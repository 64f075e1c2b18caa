/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pins.h - where the maps of an interface are pinned, and taking pins away.
 *
 *   <bpffs>/xlane/<abi>/<ifname>               in the initial network namespace
 *   <bpffs>/xlane/<abi>/netns:<inode>/<ifname> in any other: two namespaces may both have an "eth0". A colon can not
 *                                              be part of an interface's name, so the two forms never meet
 *
 * `xdp-loader load -p` works with either, and with any other directory: a program that may look programs up finds the
 * maps by the program. Errors are negative errno values.
 */
#ifndef XL_XDP_PINS_H
#define XL_XDP_PINS_H

#include "maps.h"

#define XL_PIN_DIR_BYTES 256

/* The directory of `ifname` below the bpffs at `root`, as above. `plain` asks for the first form in any namespace. */
int xl_pins_dir(const char *root, const char *ifname, bool plain, char dir[XL_PIN_DIR_BYTES]);
/* Make the directory and those above it, up to the bpffs. */
int xl_pins_make(const char *root, const char *dir);
/* Remove the pins in `dir`, whatever their names, then it and the directories above it up to the bpffs that are
 * empty. -ENOENT: it was not there. */
int xl_pins_remove(const char *root, const char *dir);
/* Whether the maps of these ids are pinned in one of the two directories of `ifname`; `dir` is then that one. */
bool xl_pins_hold(const char *root, const char *ifname, const u32 id[XL_MAP_COUNT], char dir[XL_PIN_DIR_BYTES]);
/* No loaded demux uses what is pinned in `dir`, or what is there is not a whole set of maps. */
bool xl_pins_unused(const char *dir);
/* The same of the directory of an interface that the caller knows to have no demux, after what
 * dispatchers of gone interfaces left in the bpffs at `root` is removed. Waits for the kernel to let go of it. */
bool xl_pins_free(const char *root, const char *dir);
/* Remove what dead namespaces left: directories of namespaces that have no name and whose maps no program uses, but one in
 * a dispatcher that was left behind. */
void xl_pins_sweep(const char *root);

#endif
