/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../../user/xdp/watch.h"
#include "raw.h"

static int complain(const char *program, const char *ifname, const char *what, int err)
{
	fprintf(stderr, "%s: %s: %s: %s\n", program, ifname, what, strerror(-err));
	return err;
}

/* MAC, MTU, up or not. */
static int look_up(struct raw *r, const char *program, const char *ifname, u32 *ifindex)
{
	struct xl_watch w;
	int err = xl_watch_open(&w, ifname);

	if (err)
		return complain(program, ifname, "looking it up", err);
	memcpy(r->mac, w.mac, sizeof r->mac);
	r->mtu = w.mtu;
	*ifindex = w.ifindex;
	if (!w.up)
		err = complain(program, ifname, "it is down", -ENETDOWN);
	xl_watch_close(&w);
	return err;
}

int raw_open(struct raw *r, const char *program, const char *ifname)
{
	struct xl_xsk_config c = { .umem = &r->umem, .ring_size = RAW_RING, .need_wakeup = true };
	int err;

	memset(r, 0, sizeof *r);
	err = look_up(r, program, ifname, &c.ifindex);
	if (err)
		return err;
	err = xl_umem_create(&r->umem, RAW_FRAMES, RAW_FRAME_BYTES);
	if (err)
		return complain(program, ifname, "memory for frames", err);
	c.multi_buffer = r->mtu > 1500;
	err = xl_xsk_open(&r->xsk, &c);
	if (err) {
		complain(program, ifname, "XDP socket on queue 0", err);
		goto no_socket;
	}
	err = redirect_attach(&r->redirect, ifname, &r->xsk.fd, 1, 1);
	if (err) {
		complain(program, ifname, "attaching the program", err);
		goto no_program;
	}
	for (u32 i = 0; i < RAW_FRAMES; i++)
		r->free[r->nfree++] = (u64)i * RAW_FRAME_BYTES;
	return 0;
no_program:
	xl_xsk_close(&r->xsk);
no_socket:
	xl_umem_destroy(&r->umem);
	return err;
}

void raw_close(struct raw *r)
{
	redirect_detach(&r->redirect);
	xl_xsk_close(&r->xsk);
	xl_umem_destroy(&r->umem);
}

u64 raw_clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * XL_S + t.tv_nsec;
}

void raw_fill(struct raw *r)
{
	u32 room = xsk_prod_nb_free(&r->xsk.fill, RAW_RING), at;
	u32 n = xl_min(xl_min(room, RAW_RING), r->nfree > RAW_FRAMES / 4 ? r->nfree - RAW_FRAMES / 4 : 0);

	if (!n || !xsk_ring_prod__reserve(&r->xsk.fill, n, &at))
		return;
	for (u32 i = 0; i < n; i++)
		*xsk_ring_prod__fill_addr(&r->xsk.fill, at + i) = r->free[--r->nfree];
	xsk_ring_prod__submit(&r->xsk.fill, n);
}

void raw_reap(struct raw *r)
{
	u32 at, n = xsk_ring_cons__peek(&r->xsk.comp, RAW_RING, &at);

	for (u32 i = 0; i < n; i++)
		r->free[r->nfree++] = raw_chunk(*xsk_ring_cons__comp_addr(&r->xsk.comp, at + i));
	if (n)
		xsk_ring_cons__release(&r->xsk.comp, n);
}

bool raw_kick(struct raw *r)
{
	u32 before;

	while ((before = xl_xsk_tx_left(&r->xsk))) {
		int err = xl_xsk_kick_tx(&r->xsk);

		if (err == -ENETDOWN || err == -ENXIO)
			return false;
		if (r->xsk.zero_copy || xl_xsk_tx_left(&r->xsk) == before)
			break;
	}
	return true;
}
