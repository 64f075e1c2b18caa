/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xlane.h - the whole public interface of libxlane.
 *
 * Programs exchange byte streams and messages over Ethernet with other programs of the cluster. A program opens a
 * context on an interface, then listens, accepts, connects, sends and receives much as with sockets.
 *
 * Threads: a context and everything made from it belong to the thread that opened it; a call from another thread gives
 *   EPERM. After fork, the child's handles give ECHILD (its copies of the descriptors are close-on-exec).
 * Errors: functions return 0 or a count, and on failure a negative errno value; xlane_strerror gives its text.
 * Two modes, one interface; a flag chooses (xlane_config.daemon):
 *   embedded: the program's own thread is the worker, and the program needs privileges. Protocol work is done inside
 *     blocking calls, xlane_poll and xlane_progress; a program must come back to one of them at least every
 *     xlane_config.peer_death_ms / 2, or its peers take it for dead; or it lets a thread of the library's do that
 *     (xlane_config.helper_thread).
 *   daemon: xlaned(8) on this machine does the work, for any number of unprivileged programs; what xlane_send has
 *     handed over is on its way whatever the program does next. When the daemon goes, every call returns -ENETDOWN.
 * Blocking: calls with a timeout take milliseconds; -1 waits for ever, 0 does not wait (-EAGAIN). A signal handler that
 *   runs during the wait ends it with -EINTR; one that runs just before, or in its first microseconds, may not.
 */
#ifndef XLANE_XLANE_H
#define XLANE_XLANE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define XLANE_API_VERSION 1

typedef struct xlane xlane;                    /* a context: this program on one interface */
typedef struct xlane_conn xlane_conn;          /* a connection */
typedef struct xlane_listener xlane_listener;  /* a port that answers */

/* --- contexts ----------------------------------------------------------------------------- */
enum xlane_driver {
	XLANE_DRIVER_AUTO = 0,   /* AF_XDP; where the kernel or the interface can not, AF_PACKET with a warning */
	XLANE_DRIVER_AF_XDP,
	XLANE_DRIVER_AF_PACKET,  /* no XDP program needed; slower */
};
enum xlane_wait {
	XLANE_WAIT_ADAPTIVE = 0, /* spin a little after work, then sleep: low latency without a busy core */
	XLANE_WAIT_SPIN,         /* never sleep: lowest latency, one core busy while waiting */
	XLANE_WAIT_SLEEP,        /* sleep at once: least CPU */
};

struct xlane_config {
	size_t size;             /* sizeof(struct xlane_config), set by xlane_config_init: later versions may grow it */
	const char *interface;   /* name, needed */
	enum xlane_driver driver;
	enum xlane_wait wait;
	uint32_t spin_us;        /* adaptive: how long to spin before sleeping (default 50) */
	uint16_t ethertype;      /* default 0x88B5 */
	uint16_t vlan[2];        /* VLAN ids to tag sent frames with, outer first; 0 = none. 0x1000 | id marks 802.1ad */
	uint32_t mtu;            /* use less than the interface's MTU; 0 = the interface's */
	uint32_t frames;         /* UMEM frames of 4 KiB; 0 = default */
	uint32_t recv_memory_kib;/* receive memory; 0 = default */
	uint32_t conns;          /* most connections at once; 0 = default */
	uint32_t keepalive_ms;   /* ask a silent peer after this long; 0 = default */
	uint32_t peer_death_ms;  /* a peer that does not answer for this long is dead; 0 = default */
	uint32_t queues;         /* use only the first n receive queues; 0 = all */
	int zero_copy;           /* 0 where possible, 1 needed, -1 never */
	int need_wakeup;         /* 1 (default) use it, 0 do not */
	int no_crc;              /* offer connections without checksum: only in force when both ends ask */
	const char *pcap;        /* write every frame sent and received to this file; NULL = none */
	const char *fault;       /* tests: "drop=0.01,dup=0.01,corrupt=0.01,delay=0.01,seed=1" applied on receive; NULL = none */
	uint64_t seed;           /* tests: nonzero makes ids and numbers reproducible; 0 = from the kernel */
	void (*log)(int level, const char *line, void *arg); /* NULL: warnings to stderr. Levels as syslog: 3 error .. 7 debug */
	void *log_arg;
	int daemon;              /* 1: through xlaned(8); interface may be NULL then (the daemon's first), and driver,
				  * spin_us, ethertype, vlan, mtu, frames, recv_memory_kib, keepalive_ms, peer_death_ms,
				  * queues, zero_copy, need_wakeup, no_crc, pcap, fault, seed and helper_thread are the
				  * daemon's affair */
	const char *socket;      /* the daemon's socket; NULL: $XLANE_SOCKET, else /run/xlane/xlaned.sock */
	uint32_t channel_kib;    /* daemon: memory of one direction of a connection, a power of two; 0 = default (256) */
	int helper_thread;       /* embedded, 1: the library turns the worker in a thread of its own while the program's
				  * has been away for a millisecond. Daemon: nothing, the daemon does that */
};

/* Fill with defaults. The macro tells the library how much of the structure the program was built with; a program
 * that calls the function itself (or was built before the daemon) gets the first version, without `daemon`. */
void xlane_config_init(struct xlane_config *config);
void xlane_config_init_size(struct xlane_config *config, size_t size);
#define xlane_config_init(config) xlane_config_init_size(config, sizeof *(config))
/* Open the interface's queues and become its worker. Needs CAP_NET_RAW, and for AF_XDP the demux program attached
 * (`xlane attach IFACE` or xdp-loader) and the right to open its maps (see libxlane(3)). -ENODEV no such interface,
 * -ENETDOWN it is down, -EBUSY another program has a queue or another XDP program is there, -ENOENT no demux program
 * attached, -EPROTO one of another version, -EPERM privileges, -ENOBUFS the limit of locked memory, -EMFILE, -ENOMEM,
 * -EINVAL. Daemon mode: -ENOENT or -ECONNREFUSED no daemon there, -EACCES its socket does not let this user in,
 * -EPROTO it is of another version, -EDQUOT a quota of this user is used up, -ENODEV it does not serve that
 * interface. After a failure xlane_last_error() says what is wrong and what to do, in one line. */
int xlane_open(const struct xlane_config *config, xlane **out);
/* Close: connections still open are aborted; ones that are closing get linger time (at most `linger_ms`) to finish.
 * NULL is fine. */
void xlane_close(xlane *x, int linger_ms);
/* Text of the last failure of xlane_open on this thread. */
const char *xlane_last_error(void);
const char *xlane_strerror(int negative_errno);
/* A descriptor that polls readable when xlane_progress has something to do: for poll, select, epoll. It stays the
 * context's. Call xlane_prepare_wait right before sleeping on it, and xlane_progress afterwards. */
int xlane_fd(xlane *x);
/* Arm the wakeups. Returns the longest time to sleep in nanoseconds (UINT64_MAX: no limit), or 0: do not sleep, there
 * is work. */
uint64_t xlane_prepare_wait(xlane *x);
/* Do what is to be done, without waiting. Returns the number of packets handled, or an error (-ENETDOWN: the
 * interface is gone). */
int xlane_progress(xlane *x);

/* --- addresses ---------------------------------------------------------------------------- */
struct xlane_address { uint8_t mac[6]; uint16_t port; };
/* "aa:bb:cc:dd:ee:ff", with or without "/port" (then port is left as it is), or a name of /etc/ethers. -EINVAL. */
int xlane_address_parse(const char *text, struct xlane_address *out);
/* "aa:bb:cc:dd:ee:ff/port". `text` has room for 24 bytes. */
const char *xlane_address_text(const struct xlane_address *a, char *text);
/* Address of the context's interface; port 0. */
void xlane_local_address(xlane *x, struct xlane_address *out);

/* --- connections -------------------------------------------------------------------------- */
enum xlane_type {
	XLANE_STREAM = 1,        /* bytes in order */
	XLANE_MESSAGE = 2,       /* whole messages up to 16 MiB, in order */
	XLANE_UNORDERED = 3,     /* whole messages up to 16 MiB, each once, as they become complete: none waits for another */
	XLANE_DATAGRAM = 4,      /* whole or not at all, up to 64 KiB: may be lost or overtake each other, never twice */
};

/* -EADDRINUSE the port is in use, -ENOSPC; daemon: -EACCES ports below its `privileged_ports` are for root, -EDQUOT this user's
 * quota of ports is used up. backlog: connections that may wait for accept. */
int xlane_listen(xlane *x, uint16_t port, enum xlane_type type, int backlog, xlane_listener **out);
/* The next established connection. One that its peer resets before it is accepted is gone without a word. */
int xlane_accept(xlane_listener *l, int timeout_ms, xlane_conn **out);
void xlane_listener_close(xlane_listener *l);
/* With timeout_ms 0 it returns at once and the connection is under way (XLANE_READY_OPEN tells). -ECONNREFUSED,
 * -ETIMEDOUT, -EPROTOTYPE (the port has another type), -EPROTONOSUPPORT, -ENOSPC, -EADDRNOTAVAIL (no local port is
 * left), -EINVAL (port 0, a group address, the context's own address). After any failure, -EINTR and a timeout too,
 * the attempt is gone. */
int xlane_connect(xlane *x, const struct xlane_address *to, enum xlane_type type, int timeout_ms, xlane_conn **out);

/* Stream: sends all of it unless the timeout, an error or a signal comes first; returns the bytes taken (> 0), or the
 * error. Messages: the whole message or nothing; returns `bytes`. The data is copied. A message above 64 KiB that can
 * not be taken at once is kept in memory of the library, one per connection, and goes on its way in later calls on
 * the context (xlane_progress, xlane_poll or any other); the next large one waits for it, xlane_shutdown and
 * xlane_conn_close take effect after it. A wait that is over in the middle of such a message has sent it. Datagrams:
 * as messages, but delivery is not promised. -EPIPE after shutdown, -ECONNRESET, -EHOSTDOWN the peer is dead,
 * -EMSGSIZE. */
int64_t xlane_send(xlane_conn *c, const void *data, size_t bytes, int timeout_ms);
/* Reserve and commit: room for `bytes` bytes where they will be sent from, for the program to fill in place. Returns
 * the bytes reserved: a stream may get fewer (> 0), messages and datagrams all or the error (-EMSGSIZE: larger than
 * can lie in one piece, at least 65,536 bytes can; use xlane_send). Commit sends the first `bytes` of them, and never
 * waits; 0 gives the room back. One reservation per connection: another one, or xlane_send, in between gives it up.
 * What there is no room for at the commit is kept as with xlane_send, and the next reservation waits for it. -EINVAL
 * to commit more than is reserved. */
int64_t xlane_send_reserve(xlane_conn *c, size_t bytes, void **data, int timeout_ms);
int64_t xlane_send_commit(xlane_conn *c, size_t bytes);
/* Messages and datagrams are counted from 1: the id of what the last successful send or commit took; 0: none yet, a
 * daemon's connection, or the library still keeps it for want of room. */
uint64_t xlane_message_id(xlane_conn *c);
/* Take one back of which nothing was sent yet (a large one: while it waits for its turn). 0: it is never delivered.
 * -EALREADY: some of it was sent, it was dropped, or taken back before; -ENOENT: no such id; -ENOTSUP through the
 * daemon, where a message is the worker's as soon as it was sent. */
int xlane_cancel(xlane_conn *c, uint64_t message);
/* Stream: at least one byte, 0 at the end (-EINVAL when `bytes` is 0). Messages: one whole message, its length;
 * -EMSGSIZE when it is longer than `bytes` (it stays; xlane_readable tells how long it is), -ENODATA at the end. */
int64_t xlane_recv(xlane_conn *c, void *data, size_t bytes, int timeout_ms);
/* Loan: *data points at the received bytes themselves, valid until xlane_release or the next call on this context.
 * Returns the contiguous bytes there; stream: 0 at the end; messages: 0 is an empty message, to be released with 0.
 * Release `bytes` of them (they need not be all; never more than were lent). */
int64_t xlane_recv_loan(xlane_conn *c, const void **data, int timeout_ms);
void xlane_release(xlane_conn *c, size_t bytes);
/* Bytes ready (messages: the next whole one's size), or -EAGAIN, 0/-ENODATA at the end of a stream/of messages, or
 * the error. */
int64_t xlane_readable(xlane_conn *c);
/* Bytes that a send takes without waiting. */
uint64_t xlane_writable(xlane_conn *c);
/* No more sends; the peer reads to the end. */
int xlane_shutdown(xlane_conn *c);
/* Shut down and wait until the peer has everything and has closed its side too, or timeout; then the handle is gone.
 * 0: the peer acknowledged all that was sent. -ETIMEDOUT, -ECONNRESET...: it may not have. What the peer still sends
 * is dropped. The handle is gone whatever is returned, but for -EPERM and -ECHILD; after -EINTR and -ETIMEDOUT the
 * context goes on closing the connection as long as it is open itself. */
int xlane_conn_close(xlane_conn *c, int timeout_ms);
/* Reset at once; the handle is gone. */
void xlane_conn_abort(xlane_conn *c);
/* Options of one connection. -EINVAL for a value out of range, -ENOTSUP for one this mode does not have. */
enum xlane_option {
	XLANE_OPTION_SEND_BUFFER = 1, /* bytes queued or unacknowledged at most (default 1 MiB, at least 64 KiB) */
	XLANE_OPTION_PRIORITY = 2,    /* 0..255 of messages sent from now on; carried to the peer (default 0). Unordered: higher
				   * ones go before lower ones that were not sent yet, and none waits for ever */
	XLANE_OPTION_STALL_MS = 3,    /* give the connection up when its data is not acknowledged for so long; 0 = peer_death_ms */
	XLANE_OPTION_CONGESTION = 4,  /* enum xlane_congestion, at any time; reading it tells which is in force */
	XLANE_OPTION_DEADLINE_US = 5, /* datagrams sent from now on that could not leave for so long are dropped; at most an hour, 0 = never
				       * (default). Ones that share a packet go with its first: at most 100 us and an eighth too early.
				       * Daemon: counted from when it takes the datagram. Other types: -EINVAL */
};
/* What sets the pace of sending: the delay of the network, or only what it loses. */
enum xlane_congestion {
	XLANE_CONGESTION_DEFAULT = 0, /* delay, unless the daemon's configuration says otherwise */
	XLANE_CONGESTION_DELAY,       /* short queues: for a network whose traffic does the same, as within a cluster */
	XLANE_CONGESTION_CUBIC,       /* RFC 9438 */
	XLANE_CONGESTION_NEWRENO,     /* RFC 9002, 7 */
};
int xlane_conn_set(xlane_conn *c, enum xlane_option option, uint64_t value);
int xlane_conn_get(xlane_conn *c, enum xlane_option option, uint64_t *value);
/* Hand a connection to another process that uses the same daemon: give makes a token and ends this handle (whatever
 * was received and not read goes along), take makes a handle from a token, once, within 10 s, after which the
 * connection is reset. The token is a secret: who knows it gets the connection. -ENOTSUP embedded; give: -ENOTCONN it
 * is not open yet, -EAGAIN the library still keeps something that was sent (XLANE_READY_WRITE tells when not); take:
 * -ENOENT no such token. After a failed give the handle stays. */
struct xlane_token { uint8_t bytes[32]; };
int xlane_conn_give(xlane_conn *c, struct xlane_token *out);
int xlane_conn_take(xlane *x, const struct xlane_token *token, xlane_conn **out);
enum xlane_type xlane_conn_type(const xlane_conn *c);
void xlane_conn_set_user(xlane_conn *c, void *user);
void *xlane_conn_user(const xlane_conn *c);
xlane *xlane_conn_context(const xlane_conn *c);
void xlane_conn_peer(const xlane_conn *c, struct xlane_address *out);

/* --- waiting for many --------------------------------------------------------------------- */
enum xlane_ready { XLANE_READY_READ = 1, XLANE_READY_WRITE = 2, XLANE_READY_OPEN = 4, XLANE_READY_CLOSED = 8, XLANE_READY_ACCEPT = 16 };
struct xlane_event { uint32_t ready; xlane_conn *conn; xlane_listener *listener; };
/* What changed since the last call (edge-triggered), waiting up to timeout_ms for something. Returns the count, 0 on
 * timeout. */
int xlane_poll(xlane *x, struct xlane_event *events, int max, int timeout_ms);

/* --- figures ------------------------------------------------------------------------------ */
struct xlane_conn_stats {
	size_t size;
	uint64_t srtt_ns, rttvar_ns, rtt_min_ns, cwnd_bytes, inflight_bytes;
	uint64_t bytes_sent, bytes_acked, bytes_received, packets_sent, packets_received;
	uint64_t packets_retransmitted, packets_lost, packets_spurious, probe_timeouts, messages_sent, messages_received;
	char state[16];
};
void xlane_conn_stats(const xlane_conn *c, struct xlane_conn_stats *out);
/* Every counter of the context: driver, link and engine, as (name, text, value); zero ones too. Calls `each` for
 * each; returns the count. */
int xlane_counters(xlane *x, void (*each)(const char *name, const char *text, uint64_t value, void *arg), void *arg);
/* Frame census: owner name and count; the sum is the pool. Returns 0 when it adds up, -EUCLEAN when it does not. */
int xlane_census(xlane *x, void (*each)(const char *owner, uint64_t frames, void *arg), void *arg);
/* "af_xdp (native, copy, 2 queues)": the driver in use and its mode. Valid as long as the context. */
const char *xlane_driver_text(xlane *x);
uint32_t xlane_mtu(xlane *x);

#ifdef __cplusplus
}
#endif
#endif
