// SPDX-License-Identifier: BSD-2-Clause
/* relay_socket.c - batches of frames from and to an AF_PACKET socket. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <string.h>
#include <unistd.h>

#include "relay_socket.h"

#define BUFFER_BYTES (64 << 20)    /* what a burst may leave in the kernel before the relay gets to read it */
#define MACS_BYTES (2 * ETH_ALEN)
#define TAG_BYTES 4
#define DROPS_MAX 100              /* times that the kernel may drop a frame until it is given up */

static void arm(struct relay_socket *s, u32 i, struct relay_frame *f)
{
	s->armed[i] = f;
	s->iov[i] = (struct iovec){ .iov_base = f->data, .iov_len = RELAY_FRAME_BYTES };
}

static int set(int fd, int level, int name, const void *value, socklen_t bytes)
{
	return setsockopt(fd, level, name, value, bytes) ? -errno : 0;
}

static int set_options(int fd, int ifindex)
{
	struct packet_mreq everything = { .mr_ifindex = ifindex, .mr_type = PACKET_MR_PROMISC };
	int one = 1, buffer = BUFFER_BYTES, err;

	err = set(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &everything, sizeof everything);
	if (!err)
		err = set(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one);
	if (!err)
		err = set(fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof one);
	if (!err)
		err = set(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one);
	/* Larger than what an administrator allows where that is permitted, else as large as it goes. */
	if (set(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer))
		set(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
	if (set(fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer))
		set(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
	return err;
}

int relay_socket_open(struct relay_socket *s, const char *ifname, struct relay_pool *pool)
{
	struct sockaddr_ll where = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int err;

	*s = (struct relay_socket){ .fd = -1 };
	where.sll_ifindex = (int)if_nametoindex(ifname);
	if (!where.sll_ifindex)
		return -ENODEV;
	strncpy(s->name, ifname, sizeof s->name - 1);
	/* Protocol 0 hears nothing until bind, when the options are set. */
	s->fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return -errno;
	err = set_options(s->fd, where.sll_ifindex);
	if (!err && bind(s->fd, (struct sockaddr *)&where, sizeof where))
		err = -errno;
	if (err) {
		close(s->fd);
		return err;
	}
	for (u32 i = 0; i < RELAY_BATCH; i++) {
		arm(s, i, relay_pool_take(pool));
		s->message[i].msg_hdr = (struct msghdr){ .msg_iov = &s->iov[i], .msg_iovlen = 1,
							 .msg_control = s->control[i].space };
	}
	return 0;
}

void relay_socket_close(struct relay_socket *s, struct relay_pool *pool)
{
	for (u32 i = 0; i < RELAY_BATCH; i++)
		relay_pool_give(pool, s->armed[i]);
	close(s->fd);
}

static const struct tpacket_auxdata *auxdata(struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA)
			return (const struct tpacket_auxdata *)CMSG_DATA(c);
	return NULL;
}

/* Put the tag that the kernel took out back behind the addresses. */
static void restore_tag(struct relay_frame *f, const struct tpacket_auxdata *aux)
{
	u16 tpid = aux->tp_status & TP_STATUS_VLAN_TPID_VALID ? aux->tp_vlan_tpid : ETH_P_8021Q;
	u16 tag[2] = { htons(tpid), htons(aux->tp_vlan_tci) };

	if (f->len < MACS_BYTES)
		return;
	memmove(f->data - TAG_BYTES, f->data, MACS_BYTES);
	f->data -= TAG_BYTES;
	f->len += TAG_BYTES;
	memcpy(f->data + MACS_BYTES, tag, TAG_BYTES);
}

/* Message i is a received frame: take it out, put a fresh one there. */
static void take(struct relay_socket *s, u32 i, struct relay_pool *pool, struct relay_queue *out)
{
	struct relay_frame *f = s->armed[i];
	const struct tpacket_auxdata *aux = auxdata(&s->message[i].msg_hdr);

	s->received++;
	s->received_bytes += s->message[i].msg_len;
	if (pool->free.count <= RELAY_POOL_RESERVE) {
		s->pool_dropped++;
		return;
	}
	f->len = s->message[i].msg_len;
	if (aux && aux->tp_status & TP_STATUS_VLAN_VALID)
		restore_tag(f, aux);
	if (aux && aux->tp_status & TP_STATUS_CSUMNOTREADY)
		s->unfinished++;
	relay_queue_push(out, f);
	arm(s, i, relay_pool_take(pool));
}

int relay_socket_receive(struct relay_socket *s, struct relay_pool *pool, struct relay_queue *out)
{
	int n;

	for (u32 i = 0; i < RELAY_BATCH; i++)
		s->message[i].msg_hdr.msg_controllen = sizeof s->control[i].space;
	n = recvmmsg(s->fd, s->message, RELAY_BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++)
		take(s, (u32)i, pool, out);
	return n < 0 ? 0 : n;
}

/* ENOBUFS also says that the other end of a veth pair never takes this frame: its MTU is smaller. */
static bool passing(struct relay_socket *s, int err)
{
	if (err == ENOBUFS && ++s->drops >= DROPS_MAX)
		return false;
	return err == EAGAIN || err == ENOBUFS || err == EINTR || err == ENOMEM;
}

bool relay_socket_send(struct relay_socket *s, struct relay_pool *pool, struct relay_queue *q)
{
	while (q->count) {
		struct mmsghdr message[RELAY_BATCH] = { 0 };
		struct iovec iov[RELAY_BATCH];
		u32 n = 0;
		int done;

		for (struct relay_frame *f = q->first; f && n < RELAY_BATCH; f = f->next, n++) {
			iov[n] = (struct iovec){ .iov_base = f->data, .iov_len = f->len };
			message[n].msg_hdr = (struct msghdr){ .msg_iov = &iov[n], .msg_iovlen = 1 };
		}
		done = sendmmsg(s->fd, message, n, MSG_DONTWAIT);
		if (done < 0 && passing(s, errno)) {
			s->retries++;
			return true;
		}
		if (done < 0) {
			s->refused++;
			relay_pool_give(pool, relay_queue_pop(q));
		}
		s->drops = 0;
		for (int i = 0; i < done; i++) {
			s->sent++;
			s->sent_bytes += q->first->len;
			relay_pool_give(pool, relay_queue_pop(q));
		}
	}
	return false;
}

void relay_socket_update(struct relay_socket *s)
{
	struct tpacket_stats stats;
	socklen_t bytes = sizeof stats;

	/* The kernel sets its count to zero as it is read. */
	if (!getsockopt(s->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &bytes))
		s->kernel_dropped += stats.tp_drops;
}
