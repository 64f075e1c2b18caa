/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * port_demux: a port with several workers enters the demultiplexer of an interface, is armed, and leaves it; while the
 * program is replaced under load, no frame is lost.
 *
 *     port_demux IFACE PEER WORKERS REPLACE-COMMAND
 *
 * IFACE has the program, PEER is the other end of its veth pair, in the same namespace. Prints TAP.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xlane/wire.h>

#include "../../user/drv/af_xdp.h"
#include "../../user/worker/worker.h"
#include "../../user/xdp/attach.h"
#include "../../user/xdp/demux.h"

#define DEADLINE_NS (10 * XL_S)

static struct xl_port port;
static struct xl_af_xdp_shared *shared;
static struct xl_frames frames[XLANE_WORKERS_MAX];
static struct xl_drv *drv[XLANE_WORKERS_MAX];
static int sender = -1;
static u32 sent, got, astray, tests_run, tests_failed;
static char why[256];

static void check(bool ok, const char *what)
{
	printf("%sok %u - %s\n", ok ? "" : "not ", ++tests_run, what);
	fflush(stdout);
	tests_failed += !ok;
}

static void die(const char *what)
{
	printf("Bail out! %s: %s\n", what, why);
	exit(1);
}

/* A well-formed frame of no connection, in the bucket. */
static void send_to(u32 bucket)
{
	u64 until = xl_worker_clock() + DEADLINE_NS;
	u8 f[60] = { 2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8, XLANE_ETHERTYPE_DEFAULT >> 8, XLANE_ETHERTYPE_DEFAULT & 0xff };

	f[14] = XLANE_VERSION << 4 | XLANE_PACKET_DATA;
	f[14 + 3] = sizeof f - 14;
	f[14 + XLANE_OUTER_BUCKET] = (u8)bucket;
	while (write(sender, f, sizeof f) != sizeof f)   /* the receiver's ring is full */
		if (errno != ENOBUFS || xl_worker_clock() > until)
			return;
	sent++;
}

static void receive(void)
{
	struct xl_packet p[XLANE_BATCH_MAX];
	u32 done[XLANE_BATCH_MAX];

	for (u32 w = 0; w < port.workers; w++) {
		int n = drv[w]->ops->rx(drv[w], p, XLANE_BATCH_MAX, xl_worker_clock());

		for (int i = 0; i < n; i++) {
			const u8 *at = xl_frames_ptr(&frames[w], p[i].seg[0].frame) + p[i].seg[0].off;

			got++;
			astray += at[14 + XLANE_OUTER_BUCKET] % port.workers != w;
			xl_frames_move(&frames[w], p[i].seg[0].frame, XL_FRAME_RX, XL_FRAME_FREE);
		}
		drv[w]->ops->complete(drv[w], done, XLANE_BATCH_MAX);
		drv[w]->ops->refill(drv[w], frames[w].own / 2);
	}
}

/* Each bucket once; then until all that was sent since is there, if it is to come. */
static void send_round(void)
{
	for (u32 b = 0; b < XLANE_BUCKETS; b++) {
		send_to(b);
		if (b % 32 == 31)
			receive();
	}
}

static bool all_came(void)
{
	u64 until = xl_worker_clock() + DEADLINE_NS;

	while (got < sent && xl_worker_clock() < until)
		receive();
	return got == sent && !astray;
}

/* As many more frames have been passed on as were sent, and none came: the kernel may be at it for a while. */
static bool all_passed(const struct xl_demux *d, u64 before)
{
	u64 until = xl_worker_clock() + DEADLINE_NS, counters[XLANE_BPF_COUNTER_COUNT];

	do {
		receive();
		if (xl_demux_counters(d, counters))
			return false;
	} while (counters[XLANE_BPF_ABSENT_PASSED] - before < sent && xl_worker_clock() < until);
	return sent == XLANE_BUCKETS && counters[XLANE_BPF_ABSENT_PASSED] - before == sent && !got;
}

static void set_up(const char *ifname, const char *peer, u32 workers)
{
	struct xl_port_spec spec = { .ifname = ifname, .workers = workers };
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(peer) };

	sender = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (sender < 0 || bind(sender, (struct sockaddr *)&to, sizeof to))
		die("sender");
	if (xl_port_open(&spec, &port, why, sizeof why) || xl_af_xdp_shared_open(&port, &shared, why, sizeof why))
		die("port");
	for (u32 w = 0; w < workers; w++) {
		xl_port_frames(&port, w, &frames[w], malloc(xl_frames_table_bytes(port.umem.frames)));
		if (xl_drv_af_xdp_open(shared, w, &frames[w], &drv[w], why, sizeof why))
			die("driver");
	}
	receive();   /* fills */
}

static void tear_down(void)
{
	for (u32 w = 0; w < port.workers; w++) {
		drv[w]->ops->close(drv[w]);
		free(frames[w].free);
	}
	xl_af_xdp_shared_close(shared);
	xl_port_close(&port);
	close(sender);
}

static void look(const char *ifname, bool armed, u32 workers, const char *what)
{
	struct xl_xdp_status *s = malloc(sizeof *s);
	bool ok = s && !xl_xdp_status(ifname, s, why, sizeof why) && s->config.armed == armed;

	for (u32 b = 0; ok && b < XLANE_BUCKETS; b++)
		ok = s->buckets[b] == b % workers;
	check(ok, what);
	free(s);
}

static void replace(const char *command)
{
	pid_t child = fork();
	int status = -1;

	if (!child) {
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	while (child > 0 && !waitpid(child, &status, WNOHANG)) {
		send_round();
		if (!all_came())
			break;
	}
	if (status == -1 && child > 0)
		waitpid(child, &status, 0);
	check(!status, "the program is replaced");
}

int main(int argc, char **argv)
{
	struct xl_demux *d;
	u64 before[XLANE_BPF_COUNTER_COUNT] = { 0 };
	u32 workers = argc == 5 ? (u32)atoi(argv[3]) : 0;

	if (!workers || workers > XLANE_WORKERS_MAX) {
		fprintf(stderr, "usage: port_demux IFACE PEER WORKERS REPLACE-COMMAND\n");
		return 2;
	}
	set_up(argv[1], argv[2], workers);
	if (xl_demux_open(argv[1], &d, why, sizeof why))
		die("demux");
	check(!xl_demux_enter(d, &port), "all workers enter");
	look(argv[1], false, workers, "the buckets are spread, the program is not armed");
	check(xl_demux_arm(d, 5) < 0, "no ethertype: not armed");
	xl_demux_counters(d, before);
	send_round();
	check(all_passed(d, before[XLANE_BPF_ABSENT_PASSED]), "nothing comes before it is armed");
	check(xl_demux_arm(d, XLANE_ETHERTYPE_DEFAULT) == 0, "it is armed");
	sent = 0;
	send_round();
	check(all_came() && sent == XLANE_BUCKETS, "a frame of each bucket comes to the worker of the bucket");
	replace(argv[4]);
	check(all_came(), "under load, no frame lost or astray");
	printf("# %u frames\n", sent);
	look(argv[1], true, workers, "slots, buckets and arming are as before");
	xl_demux_leave(d);
	look(argv[1], false, 1, "left: not armed, all buckets with worker 0");
	sent = got = 0;
	xl_demux_counters(d, before);
	send_round();
	check(all_passed(d, before[XLANE_BPF_ABSENT_PASSED]), "frames are treated as if nobody were there");
	xl_demux_close(d);
	tear_down();
	printf("1..%u\n", tests_run);
	return tests_failed ? 1 : 0;
}
