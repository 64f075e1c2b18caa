/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session.h - what the subcommands that open a context share: its options, opening it with a clear error, stopping on a
 * signal, addresses.
 */
#ifndef XL_SESSION_H
#define XL_SESSION_H

#include <signal.h>
#include <xlane/xlane.h>

#include "cli.h"

/* Rows of an option table. */
#define XL_SESSION_OPTIONS \
	{ 'd', "daemon", NULL, "through xlaned: no privileges needed; -i may be left out" }, \
	{ 0, "socket", "PATH", "xlaned's socket (default $XLANE_SOCKET, else /run/xlane/xlaned.sock); implies -d" }, \
	{ 'i', "interface", "IFACE", "interface to use (needed without -d)" }, \
	{ 0, "driver", "NAME", "auto, af_xdp or af_packet (default auto)" }, \
	{ 0, "vlan", "ID[,ID]", "tag frames with this VLAN id, outer first; qID or adID name the tag's kind" }, \
	{ 0, "mtu", "N", "use at most N bytes of the interface's MTU" }, \
	{ 0, "queues", "N", "use the first N receive queues (default all)" }, \
	{ 0, "frames", "N", "packet buffers of 4 KiB (default 4096)" }, \
	{ 0, "wait", "MODE", "adaptive, spin or sleep (default adaptive)" }, \
	{ 0, "pcap", "FILE", "write every frame to FILE" }, \
	{ 0, "fault", "SPEC", "harm received packets: drop=0.01,dup=0.01,corrupt=0.01,delay=0.01,seed=1" }, \
	{ 0, "no-crc", NULL, "offer packets without checksum" }, \
	{ 0, "seed", "N", "reproducible ids and numbers, for tests" }, \
	{ 'v', "verbose", NULL, "log more" }

struct xl_session {
	const struct xl_command *command;
	struct xlane_config config;
	xlane *x;
	bool verbose;
	const char *own;     /* an option that was given and is the daemon's affair with -d; NULL: none */
};

/* Set by SIGINT and SIGTERM once xl_session_open has succeeded: the signal's number. */
extern volatile sig_atomic_t xl_session_stop;

void xl_session_init(struct xl_session *s, const struct xl_command *c);
/* Take option `got` of the table if it is one of XL_SESSION_OPTIONS. 1: taken; 0: another; -1: bad value, reported. */
int xl_session_option(struct xl_session *s, const struct xl_option *options, int got);
/* Whether the options go together; after all of them. False: reported as a usage error. */
bool xl_session_check(const struct xl_session *s);
/* Open the context and catch the signals. False: reported. */
bool xl_session_open(struct xl_session *s);
/* Close it, giving connections that are closing linger_ms. Fine when it is not open. */
void xl_session_close(struct xl_session *s, int linger_ms);
/* "MAC" or a name of /etc/ethers, and a port, into an address. False: reported as a usage error. */
bool xl_session_address(const struct xl_session *s, const char *host, const char *port, struct xlane_address *out);
bool xl_session_port(const struct xl_session *s, const char *text, uint16_t *out);
/* Why xlane_connect failed; `no_answer` says what to look after when nobody answered. */
const char *xl_session_connect_error(int err, const char *no_answer);
/* Why xlane_listen on `port` failed, and what to do. Valid until the next call. */
const char *xl_session_listen_error(int err, uint16_t port);
/* Seconds such as "0.25", 0..86400, into milliseconds. */
bool xl_session_seconds(const char *text, int *out_ms);
/* CLOCK_MONOTONIC in seconds. */
double xl_session_clock(void);

#endif
