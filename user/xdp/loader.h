/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loader.h - running xdp-loader, and saying in one line what it could not do; and finding what it is to load.
 */
#ifndef XL_XDP_LOADER_H
#define XL_XDP_LOADER_H

#include "bpffs.h"
#include "program.h"

#define XL_LOADER_PATH_BYTES 512

/* The object file to load: XLANE_BPF_OBJECT if it is set, else <directory of the program>/../bpf/, else XLANE_BPF_DIR
 * of the build. `linear` asks for the single-buffer form (with XLANE_BPF_OBJECT: none). -ENOENT: not found, or not
 * readable; `path` then holds where it was looked for last. */
int xl_loader_object(bool linear, char path[XL_LOADER_PATH_BYTES]);

/* `xdp-loader load`: attach `object` to `ifname`, its maps pinned in the existing directory `pins`;
 * `alone`: without a dispatcher, which fails where one is. Returns 0 or the
 * loader's error as a negative errno (-ENOEXEC: the loader is not installed or could not be run); then `why` holds one
 * line that says what failed, without what to do about it when nothing is known. */
int xl_loader_load(const struct xl_bpffs *b, const char *ifname, enum xl_xdp_mode mode, bool alone,
		   const char *object, const char *pins, char *why, size_t why_bytes);
/* `xdp-loader unload`: take program `id` off `ifname`; the others of a dispatcher stay. `b` may be NULL. */
int xl_loader_unload(const struct xl_bpffs *b, const char *ifname, u32 id, char *why, size_t why_bytes);

#endif
