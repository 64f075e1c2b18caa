// SPDX-License-Identifier: BSD-2-Clause
/* loader.c - xdp-loader as a child process. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loader.h"

#ifndef XLANE_BPF_DIR
#define XLANE_BPF_DIR "/usr/local/lib/bpf"
#endif

#define OBJECT_FILE "xlane_demux.bpf.o"
#define OBJECT_FILE_LINEAR "xlane_demux_linear.bpf.o"
#define SAID_BYTES 4096  /* of the loader's output that is kept: the end, where its verdict stands */

int xl_loader_object(bool linear, char path[XL_LOADER_PATH_BYTES])
{
	const char *named = getenv("XLANE_BPF_OBJECT"), *file = linear ? OBJECT_FILE_LINEAR : OBJECT_FILE;
	char exe[XL_LOADER_PATH_BYTES];
	ssize_t n;

	if (named && *named) {
		snprintf(path, XL_LOADER_PATH_BYTES, "%s", named);
		return linear || access(path, R_OK) ? -ENOENT : 0;
	}
	n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	if (n > 0) {
		exe[n] = '\0';
		*strrchr(exe, '/') = '\0';
		if (snprintf(path, XL_LOADER_PATH_BYTES, "%s/../bpf/%s", exe, file) < XL_LOADER_PATH_BYTES &&
		    !access(path, R_OK))
			return 0;
	}
	snprintf(path, XL_LOADER_PATH_BYTES, "%s/%s", XLANE_BPF_DIR, file);
	return access(path, R_OK) ? -ENOENT : 0;
}

/* In the child: the loader from PATH, or from where distributions put it. */
__attribute__((noreturn))
static void exec_loader(const struct xl_bpffs *b, bool alone, char *const argv[], int out)
{
	int null = open("/dev/null", O_RDONLY);

	if (null >= 0)
		dup2(null, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	if (b && b->place == XL_BPFFS_OWN_MOUNT)
		setenv("LIBXDP_BPFFS", b->path, 1);
	/* The pins in a dispatcher's directory are what keeps its programs in it, and a mount of our own may end with
	 * this command's mount namespace (`ip netns exec`): there the program goes on alone. */
	if (alone || (b && b->place == XL_BPFFS_OWN_MOUNT))
		setenv("LIBXDP_SKIP_DISPATCHER", "1", 1);
	execvp(argv[0], argv);
	execv("/usr/sbin/xdp-loader", argv);
	execv("/sbin/xdp-loader", argv);
	_exit(127);
}

/* Read to the end, keeping the last SAID_BYTES - 1 bytes. */
static void read_tail(int fd, char said[SAID_BYTES])
{
	size_t used = 0, room;
	ssize_t n;

	for (;;) {
		if (used == SAID_BYTES - 1) {
			memmove(said, said + SAID_BYTES / 2, used - SAID_BYTES / 2);
			used -= SAID_BYTES / 2;
		}
		room = SAID_BYTES - 1 - used;
		n = read(fd, said + used, room);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		used += n;
	}
	said[used] = '\0';
}

/* Returns the loader's exit status, or a negative errno. */
static int run(const struct xl_bpffs *b, bool alone, char *const argv[], char said[SAID_BYTES])
{
	int fds[2], status;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		exec_loader(b, alone, argv, fds[1]);
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return -EAGAIN;
	}
	read_tail(fds[0], said);
	close(fds[0]);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* The last line that the loader wrote: "Couldn't attach XDP program on iface 'v0': Device or resource busy(-16)". */
static const char *last_line(char *said)
{
	size_t n = strlen(said);
	char *line;

	while (n && (said[n - 1] == '\n' || said[n - 1] == ' '))
		said[--n] = '\0';
	line = strrchr(said, '\n');
	line = line ? line + 1 : said;
	return line + strspn(line, " ");
}

static int number_of(const char *line)
{
	const char *open = strrchr(line, '(');
	int value = open ? atoi(open + 1) : 0;

	return value < 0 && value > -4096 ? value : -EIO;
}

static const struct { int err; const char *text; } meanings[] = {
	{ -EPERM, "the kernel does not permit it; run as root" },
	{ -EACCES, "the kernel does not permit it; run as root" },
	{ -EBUSY, "another XDP program is attached, or one in the other mode; `xdp-loader status` lists them" },
	{ -EEXIST, "another XDP program is attached, or one in the other mode; `xdp-loader status` lists them" },
	{ -EOPNOTSUPP, "its driver has no XDP support in this mode; try -m skb" },
	{ -ENOSPC, "it has fewer receive queues than its peer has transmit queues; see `ethtool -L`, or try -m skb" },
	{ -ERANGE, "its MTU is too large for XDP in this mode; lower it with `ip link set mtu`, or try -m skb" },
	{ -EINVAL, "the kernel or the driver refuses the program (MTU too large, offloads such as LRO, or a kernel "
		   "that is too old); lower the MTU, or try -m skb" },
	{ -ENODEV, "the interface is gone" },
};

static int explain(const char *what, char *said, char *why, size_t why_bytes)
{
	const char *line = last_line(said);
	int err = number_of(line);

	for (size_t i = 0; i < XL_ARRAY_SIZE(meanings); i++) {
		if (meanings[i].err == err) {
			snprintf(why, why_bytes, "%s: %s", what, meanings[i].text);
			return err;
		}
	}
	snprintf(why, why_bytes, "%s: xdp-loader says: %s; `xdp-loader load -vv` tells more", what,
		 *line ? line : "nothing");
	return err;
}

static int run_and_explain(const struct xl_bpffs *b, bool alone, char *const argv[], const char *what, char *why,
			   size_t why_bytes)
{
	char said[SAID_BYTES] = "";
	int status = run(b, alone, argv, said);

	if (status == 0)
		return 0;
	if (status == 127 || status < 0) {
		snprintf(why, why_bytes, "xdp-loader could not be run (%s); install the package xdp-tools",
			 status < 0 ? strerror(-status) : "not found");
		return -ENOEXEC;
	}
	return explain(what, said, why, why_bytes);
}

int xl_loader_load(const struct xl_bpffs *b, const char *ifname, enum xl_xdp_mode mode, bool alone,
		   const char *object, const char *pins, char *why, size_t why_bytes)
{
	char what[128];
	char *argv[] = { "xdp-loader", "load", "-m", (char *)xl_xdp_mode_name(mode), "-p", (char *)pins, "--",
			 (char *)ifname, (char *)object, NULL };

	snprintf(what, sizeof what, "%s can not take the program in %s mode", ifname, xl_xdp_mode_name(mode));
	return run_and_explain(b, alone, argv, what, why, why_bytes);
}

int xl_loader_unload(const struct xl_bpffs *b, const char *ifname, u32 id, char *why, size_t why_bytes)
{
	char what[128], number[16];
	char *argv[] = { "xdp-loader", "unload", "-i", number, "--", (char *)ifname, NULL };

	snprintf(number, sizeof number, "%u", id);
	snprintf(what, sizeof what, "program %u can not be taken off %s", id, ifname);
	return run_and_explain(b, false, argv, what, why, why_bytes);
}
