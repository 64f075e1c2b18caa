// SPDX-License-Identifier: BSD-2-Clause
#include "drop.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../drv/why.h"

#define CAPABILITIES_MAX 64

int xl_drop_find(const char *user, struct xl_identity *out, char *why, size_t why_bytes)
{
	const struct passwd *p = getpwnam(*user ? user : "xlane");

	if (!p && !*user)
		p = getpwnam("nobody");
	if (!p)
		return xl_why(-EINVAL, why, why_bytes,
			      "there is no user '%s' for the worker process; make it, or give another --user",
			      *user ? user : "nobody");
	if (!p->pw_uid)
		return xl_why(-EINVAL, why, why_bytes,
			      "the worker process is not to run as root; give another --user than '%s'", p->pw_name);
	out->uid = p->pw_uid;
	out->gid = p->pw_gid;
	return 0;
}

static int become(const struct xl_identity *to)
{
	if (geteuid())   /* started without root: it stays who it is */
		return 0;
	if (setgroups(0, NULL) < 0 || setresgid(to->gid, to->gid, to->gid) < 0 ||
	    setresuid(to->uid, to->uid, to->uid) < 0)
		return -errno;
	return 0;
}

static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { { 0 } };

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
		return -errno;
	return syscall(SYS_capset, &header, none) < 0 ? -errno : 0;
}

int xl_drop(const struct xl_identity *to, char *why, size_t why_bytes)
{
	int err;

	/* of the bounding set, what may be dropped: no_new_privs holds besides */
	for (int c = 0; c < CAPABILITIES_MAX; c++)
		prctl(PR_CAPBSET_DROP, c, 0, 0, 0);
	err = become(to);
	if (!err)
		err = drop_capabilities();
	if (!err && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		err = -errno;
	/* after the change of identity, which clears it */
	if (!err && prctl(PR_SET_PDEATHSIG, SIGTERM) < 0)
		err = -errno;
	return err ? xl_why(err, why, why_bytes, "can not give up privileges: %s", strerror(-err)) : 0;
}
