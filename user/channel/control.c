/* SPDX-License-Identifier: BSD-2-Clause */
#include "control.h"
#include "guest.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <fcntl.h>

#define ASK_MS 5000
#define TEXT_MAX_BYTES (256u << 20)   /* an answer in text is never that long */

_Static_assert(sizeof(struct xl_control_request) == 20 + IFNAMSIZ + XL_CONTROL_WHAT_BYTES, "no holes");
_Static_assert(sizeof(struct xl_control_answer) == 40 + IFNAMSIZ + 96 + XL_CONTROL_WHY_BYTES, "no holes");

static bool ends(const char *text, size_t bytes)
{
	return memchr(text, 0, bytes) != NULL;
}

/* --- descriptors ---------------------------------------------------------------------------- */
/* Take what came with a message; what there is no room for is closed. Returns the count kept. */
static u32 take_fds(struct msghdr *m, int *fds, u32 max)
{
	u32 n = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = 0; at + sizeof(int) <= c->cmsg_len - CMSG_LEN(0); at += sizeof(int)) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + at, sizeof fd);
			if (n < max)
				fds[n++] = fd;
			else
				close(fd);
		}
	}
	return n;
}

static void close_fds(int *fds, u32 *n)
{
	while (*n)
		close(fds[--*n]);
}

/* One message of exactly `bytes`. Its length, whatever it is; -errno. */
static ssize_t receive(int fd, void *to, size_t bytes, int *fds, u32 max, u32 *n)
{
	union { char space[CMSG_SPACE(sizeof(int) * XL_CONTROL_FDS_MAX)]; struct cmsghdr align; } control;
	struct iovec iov = { .iov_base = to, .iov_len = bytes };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			    .msg_controllen = sizeof control };
	ssize_t got = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC | MSG_TRUNC);

	*n = 0;
	if (got < 0)
		return -errno;
	*n = take_fds(&m, fds, max);
	if (m.msg_flags & MSG_CTRUNC) {
		close_fds(fds, n);
		return -EPROTO;
	}
	return got;
}

static int transmit(int fd, const void *data, size_t bytes, const int *fds, u32 nfds)
{
	union { char space[CMSG_SPACE(sizeof(int) * XL_CONTROL_FDS_MAX)]; struct cmsghdr align; } control;
	struct iovec iov = { .iov_base = (void *)(uintptr_t)data, .iov_len = bytes };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (nfds > XL_CONTROL_FDS_MAX)
		return -EINVAL;
	if (nfds) {
		memset(&control, 0, sizeof control);
		m.msg_control = &control;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
		CMSG_FIRSTHDR(&m)->cmsg_level = SOL_SOCKET;
		CMSG_FIRSTHDR(&m)->cmsg_type = SCM_RIGHTS;
		CMSG_FIRSTHDR(&m)->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), fds, sizeof(int) * nfds);
	}
	n = sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		return -errno;
	return (size_t)n == bytes ? 0 : -EPROTO;
}

/* --- client --------------------------------------------------------------------------------- */
static int explain(const char *path, int error, char *why, size_t bytes)
{
	struct stat st;

	if (error == ENOENT || error == ECONNREFUSED) {
		snprintf(why, bytes, "no daemon at %s: is xlaned running? systemctl start xlaned, or start it with: "
			 "xlaned --interface IFACE", path);
	} else if (error == EACCES && stat(path, &st) == 0) {
		snprintf(why, bytes, "no permission for %s: its owner (uid %u) and the members of its group (gid %u) "
			 "have it; `stat -c %%G %s` names the group", path, st.st_uid, st.st_gid, path);
	} else if (error == EACCES) {
		snprintf(why, bytes, "no permission for the directory of %s: ask its owner for the group that has it",
			 path);
	} else if (error == EAGAIN) {
		snprintf(why, bytes, "xlaned at %s lets nobody in (%d s): it hangs, or too many ask at once", path,
			 ASK_MS / 1000);
		error = EBUSY;
	} else if (error == EPROTOTYPE) {
		snprintf(why, bytes, "%s is a socket of another kind, not xlaned's", path);
	} else {
		snprintf(why, bytes, "can not connect to xlaned at %s: %s", path, strerror(error));
	}
	return -error;
}

/* Where many come at once, wait until there is room for one more; then no call waits. errno. */
static int connect_patiently(int fd, const struct sockaddr_un *to)
{
	const struct timeval patience = { .tv_sec = ASK_MS / 1000 };

	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) < 0)
		return errno;
	while (connect(fd, (const struct sockaddr *)to, sizeof *to) < 0)
		if (errno != EINTR)
			return errno;
	return fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ? errno : 0;
}

int xl_control_connect(const char *path, int *fd, char *why, size_t why_bytes)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int s, err;

	if (!path)
		path = secure_getenv(XL_CONTROL_ENV);
	if (!path || !*path)
		path = XL_CONTROL_PATH;
	*fd = -1;
	if (strlen(path) >= sizeof to.sun_path) {
		snprintf(why, why_bytes, "the path of xlaned's socket is longer than %zu bytes: %s",
			 sizeof to.sun_path - 1, path);
		return -ENAMETOOLONG;
	}
	memcpy(to.sun_path, path, strlen(path));
	s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (s < 0) {
		snprintf(why, why_bytes, "no socket: %s", strerror(errno));
		return -errno;
	}
	err = connect_patiently(s, &to);
	if (err) {
		close(s);
		return explain(path, err, why, why_bytes);
	}
	*fd = s;
	return 0;
}

static s64 now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (s64)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Until `events` or the end of patience. */
static int await(int fd, short events, s64 until_ms)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = events };
		s64 left = until_ms - now_ms();
		int n;

		if (left <= 0)
			return -ETIMEDOUT;
		n = poll(&p, 1, (int)left);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
	}
}

static int send_request(int fd, const struct xl_control_request *r, s64 until_ms)
{
	for (;;) {
		int err = transmit(fd, r, sizeof *r, NULL, 0);

		if (err == -EAGAIN)
			err = await(fd, POLLOUT, until_ms);
		else
			return err;
		if (err)
			return err;
	}
}

static int receive_answer(int fd, struct xl_control_answer *a, int *fds, u32 *nfds, s64 until_ms, ssize_t *got)
{
	for (;;) {
		int err;

		*got = receive(fd, a, sizeof *a, fds, XL_CONTROL_FDS_MAX, nfds);
		if (*got >= 0)
			return 0;
		err = *got == -EAGAIN ? await(fd, POLLIN, until_ms) : (int)*got;
		if (err && err != -EINTR)
			return err;
	}
}

/* What came is an answer of this version. */
static int check_answer(const struct xl_control_answer *a, ssize_t got, char *why, size_t why_bytes)
{
	if (got == 0) {
		snprintf(why, why_bytes, "xlaned has ended the connection; its log says why");
		return -ECONNRESET;
	}
	if (got >= 8 && a->magic == XL_CONTROL_MAGIC && a->version != XL_CONTROL_VERSION) {
		snprintf(why, why_bytes, "xlaned speaks version %u of the control protocol, this program version %u: "
			 "bring both to the same release", a->version, XL_CONTROL_VERSION);
		return -EPROTO;
	}
	if ((size_t)got != sizeof *a || a->magic != XL_CONTROL_MAGIC || a->error > 0 ||
	    !ends(a->interface, sizeof a->interface) || !ends(a->driver, sizeof a->driver) ||
	    !ends(a->why, sizeof a->why)) {
		snprintf(why, why_bytes, "what answers at the socket is not xlaned (%zd bytes)", got);
		return -EPROTO;
	}
	return 0;
}

int xl_control_ask(int fd, const struct xl_control_request *r, struct xl_control_answer *a, int *fds, u32 *nfds,
		   char *why, size_t why_bytes)
{
	const s64 until = now_ms() + ASK_MS;
	ssize_t got = 0;
	int err;

	*nfds = 0;
	err = send_request(fd, r, until);
	if (!err)
		err = receive_answer(fd, a, fds, nfds, until, &got);
	if (err == -ETIMEDOUT)
		snprintf(why, why_bytes, "xlaned does not answer (%d s)", ASK_MS / 1000);
	else if (err)
		snprintf(why, why_bytes, "the connection to xlaned fails: %s", strerror(-err));
	else
		err = check_answer(a, got, why, why_bytes);
	if (!err && a->error) {
		snprintf(why, why_bytes, "%s", *a->why ? a->why : strerror(-a->error));
		err = a->error;
	}
	if (err)
		close_fds(fds, nfds);
	return err;
}

/* The whole file, with a zero behind it. */
static int read_text(int fd, char **text)
{
	struct stat st;
	size_t have = 0;
	char *t;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size < 0 || st.st_size > TEXT_MAX_BYTES)
		return -EPROTO;
	t = malloc((size_t)st.st_size + 1);
	if (!t)
		return -ENOMEM;
	while (have < (size_t)st.st_size) {
		ssize_t n = pread(fd, t + have, (size_t)st.st_size - have, (off_t)have);

		if (n <= 0) {
			free(t);
			return n < 0 ? -errno : -EPROTO;
		}
		have += (size_t)n;
	}
	t[have] = 0;
	*text = t;
	return 0;
}

int xl_control_query(int fd, const char *what, const char *interface, char **text, char *why, size_t why_bytes)
{
	struct xl_control_request r = { .magic = XL_CONTROL_MAGIC, .version = XL_CONTROL_VERSION,
					.op = XL_CONTROL_QUERY };
	int fds[XL_CONTROL_FDS_MAX], err;
	struct xl_control_answer a;
	u32 n;

	*text = NULL;
	if (strlen(what) >= sizeof r.what || (interface && strlen(interface) >= sizeof r.interface)) {
		snprintf(why, why_bytes, "no interface or figure has so long a name");
		return -EINVAL;
	}
	memcpy(r.what, what, strlen(what));
	if (interface)
		memcpy(r.interface, interface, strlen(interface));
	err = xl_control_ask(fd, &r, &a, fds, &n, why, why_bytes);
	if (err)
		return err;
	err = n == 1 ? read_text(fds[0], text) : -EPROTO;
	if (err)
		snprintf(why, why_bytes, "the text that xlaned sent can not be read: %s", strerror(-err));
	close_fds(fds, &n);
	return err;
}

/* --- daemon --------------------------------------------------------------------------------- */
int xl_control_take(int fd, struct xl_control_request *r)
{
	ssize_t got = xl_guest_recv(fd, r, sizeof *r);

	if (got == -EAGAIN || got == -EINTR)
		return -EAGAIN;
	if (got == -EPROTO)
		return -EPROTO;
	if (got <= 0)
		return 0;
	if ((size_t)got != sizeof *r || r->magic != XL_CONTROL_MAGIC || r->version != XL_CONTROL_VERSION ||
	    !ends(r->interface, sizeof r->interface) || !ends(r->what, sizeof r->what))
		return -EPROTO;
	return r->op == XL_CONTROL_ATTACH || r->op == XL_CONTROL_QUERY ? 1 : -EPROTO;
}

int xl_control_answer(int fd, const struct xl_control_answer *a, const int *fds, u32 nfds)
{
	return transmit(fd, a, sizeof *a, fds, nfds);
}

int xl_control_text_fd(const char *text, size_t bytes, int *fd)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
	int f = memfd_create("xlane-text", MFD_CLOEXEC | MFD_ALLOW_SEALING), err;

	*fd = -1;
	if (f < 0)
		return -errno;
	for (size_t at = 0; at < bytes;) {
		ssize_t n = write(f, text + at, bytes - at);

		if (n < 0)
			goto fail;
		at += (size_t)n;
	}
	if (fcntl(f, F_ADD_SEALS, seals) < 0)
		goto fail;
	*fd = f;
	return 0;
fail:
	err = -errno;
	close(f);
	return err;
}
