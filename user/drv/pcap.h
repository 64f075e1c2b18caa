/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pcap.h - write link frames to a pcap file (nanosecond format, LINKTYPE_ETHERNET), alone or as a wrapper driver.
 *
 * A failed write ends the recording, not the traffic: later writes do nothing, and the error comes out of close. One
 * thread per file.
 */
#ifndef XL_DRV_PCAP_H
#define XL_DRV_PCAP_H

#include "drv.h"

struct xl_pcap;

/* Truncates an existing file. Errors of open(2), -ENOMEM. */
int xl_pcap_open(const char *path, struct xl_pcap **out);
/* One frame that passed at `ns` after 1970. */
void xl_pcap_write(struct xl_pcap *p, const void *frame, u32 len, u64 ns);
/* A packet that lies in the pool's frames. */
void xl_pcap_write_packet(struct xl_pcap *p, const struct xl_frames *frames, const struct xl_packet *packet, u64 ns);
/* Push what is buffered into the file. */
void xl_pcap_flush(struct xl_pcap *p);
/* 0, or the first error of any write. The handle is gone either way. NULL is fine. */
int xl_pcap_close(struct xl_pcap *p);

/* A driver that writes each packet that `inner` receives or accepts for sending, stamped with the time of the call
 * (CLOCK_MONOTONIC as given, moved to CLOCK_REALTIME by the offset at open). It owns `inner` from success on; after a
 * failure `inner` is still the caller's. */
int xl_drv_pcap_open(struct xl_drv *inner, const char *path, struct xl_drv **out);

#endif
