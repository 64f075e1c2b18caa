// SPDX-License-Identifier: BSD-2-Clause
#include "door.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../channel/guest.h"
#include "../drv/why.h"

#define BACKLOG 128

static void lock_path(const struct xl_door *d, char path[XL_CONFIG_SOCKET_BYTES + 8])
{
	snprintf(path, XL_CONFIG_SOCKET_BYTES + 8, "%s.lock", d->path);
}

static int make_directory(const char *path, char *why, size_t why_bytes)
{
	char copy[XL_CONFIG_SOCKET_BYTES], *dir;

	snprintf(copy, sizeof copy, "%s", path);
	dir = dirname(copy);
	if (!mkdir(dir, 0755))
		return chmod(dir, 0755) < 0 ? -errno : 0;   /* whatever the umask: clients must get through */
	if (errno != EEXIST)
		return xl_why(-errno, why, why_bytes, "can not make the directory %s: %s", dir, strerror(errno));
	return 0;
}

/* The daemon that had the file may have removed it between our opening and locking: then it is no lock. */
static bool lock_stands(const struct xl_door *d, const char *path)
{
	struct stat mine, there;

	return !fstat(d->lock, &mine) && !stat(path, &there) && mine.st_ino == there.st_ino &&
	       mine.st_dev == there.st_dev;
}

static int take_lock(struct xl_door *d, char *why, size_t why_bytes)
{
	char path[XL_CONFIG_SOCKET_BYTES + 8];

	lock_path(d, path);
	for (;;) {
		d->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (d->lock < 0)
			return xl_why(-errno, why, why_bytes, "can not open %s: %s", path, strerror(errno));
		if (flock(d->lock, LOCK_EX | LOCK_NB) < 0)
			return xl_why(errno == EWOULDBLOCK ? -EADDRINUSE : -errno, why, why_bytes,
				      "another xlaned serves %s; stop it, or give this one another --socket", d->path);
		if (lock_stands(d, path))
			return 0;
		close(d->lock);
	}
}

/* Nobody serves it, as the lock is ours: what is there was left by somebody killed. Anything but a socket stays. */
static int remove_stale(const struct xl_door *d, char *why, size_t why_bytes)
{
	struct stat st;

	if (lstat(d->path, &st) < 0)
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return xl_why(-EEXIST, why, why_bytes,
			      "%s is there and is no socket; remove it, or give another --socket", d->path);
	return unlink(d->path) < 0 ? xl_why(-errno, why, why_bytes, "can not remove %s: %s", d->path, strerror(errno))
				   : 0;
}

static int bind_listener(struct xl_door *d, char *why, size_t why_bytes)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	mode_t mask;
	int err;

	_Static_assert(sizeof d->path <= sizeof at.sun_path, "a path of the configuration fits");
	memcpy(at.sun_path, d->path, strlen(d->path));
	d->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (d->listener < 0)
		return xl_why(-errno, why, why_bytes, "no UNIX socket: %s", strerror(errno));
	xl_guest_init(d->listener);
	mask = umask(0777);   /* nobody comes in before group and mode are as they should be */
	err = bind(d->listener, (struct sockaddr *)&at, sizeof at) < 0 ? -errno : 0;
	umask(mask);
	if (err) {
		close(d->listener);
		d->listener = -1;
		return xl_why(err, why, why_bytes, "can not make the socket %s: %s", d->path, strerror(-err));
	}
	return 0;
}

static int open_up(struct xl_door *d, const struct xl_daemon_config *c, char *why, size_t why_bytes)
{
	const struct group *g = *c->group ? getgrnam(c->group) : NULL;

	if (*c->group && !g)
		return xl_why(-EINVAL, why, why_bytes, "there is no group '%s'", c->group);
	if (g && chown(d->path, (uid_t)-1, g->gr_gid) < 0)
		return xl_why(-errno, why, why_bytes, "can not give %s to group %s: %s", d->path, c->group,
			      strerror(errno));
	if (chmod(d->path, c->mode) < 0)
		return xl_why(-errno, why, why_bytes, "can not set the mode of %s: %s", d->path, strerror(errno));
	if (listen(d->listener, BACKLOG) < 0)
		return xl_why(-errno, why, why_bytes, "can not listen on %s: %s", d->path, strerror(errno));
	return 0;
}

int xl_door_open(const struct xl_daemon_config *c, struct xl_door *d, char *why, size_t why_bytes)
{
	int err;

	memset(d, 0, sizeof *d);
	d->lock = d->listener = -1;
	memcpy(d->path, c->socket, sizeof d->path);
	err = make_directory(d->path, why, why_bytes);
	if (!err)
		err = take_lock(d, why, why_bytes);
	if (!err)
		err = remove_stale(d, why, why_bytes);
	if (!err)
		err = bind_listener(d, why, why_bytes);
	if (!err)
		err = open_up(d, c, why, why_bytes);
	if (err)
		xl_door_close(d);
	return err;
}

void xl_door_close(struct xl_door *d)
{
	char path[XL_CONFIG_SOCKET_BYTES + 8];

	if (d->listener >= 0) {
		unlink(d->path);
		close(d->listener);
		lock_path(d, path);
		unlink(path);
	}
	if (d->lock >= 0)
		close(d->lock);
	d->lock = d->listener = -1;
}
