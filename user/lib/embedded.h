/* SPDX-License-Identifier: BSD-2-Clause */
/* embedded.h - the backend whose worker is the program's own thread: engine, driver and their memory. */
#ifndef XL_EMBEDDED_H
#define XL_EMBEDDED_H

#include "../worker/worker.h"
#include "backend.h"
#include "device.h"

struct xl_embedded {
	struct xl_backend b;             /* first */
	const struct xl_log *log;
	struct xl_device device;
	void *engine_mem;
	size_t engine_bytes;
	struct xl_engine *engine;
	struct xl_worker worker;
};

/* The operations of the same names (backend.h). */
int xl_embedded_counters(struct xl_backend *b,
			 void (*each)(const char *name, const char *text, uint64_t value, void *arg), void *arg);
int xl_embedded_census(struct xl_backend *b, void (*each)(const char *owner, uint64_t frames, void *arg), void *arg);

#endif
