/* SPDX-License-Identifier: BSD-2-Clause */
#include "errors.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <xlane/xlane.h>

static _Thread_local char last[XL_LAST_ERROR_BYTES];

/* What the errors of xlane.h mean here, where the system's text would mislead. */
static const struct { int error; const char *text; } texts[] = {
	{ 0, "no error" },
	{ EAGAIN, "nothing to be had now: try again later" },
	{ EINTR, "interrupted by a signal" },
	{ EPERM, "no privilege, or a call from a thread other than the one that opened the context" },
	{ ECHILD, "the context belongs to the parent process" },
	{ EACCES, "the daemon's socket does not let this user in" },
	{ EDQUOT, "a quota of this user at the daemon is used up" },
	{ ENOTSUP, "not to be had in this mode, embedded or daemon" },
	{ ENOTCONN, "the connection is not open yet" },
	{ ENODEV, "no such interface" },
	{ ENETDOWN, "the interface or the daemon is down or gone" },
	{ EBUSY, "another program has a queue of the interface" },
	{ ENOENT, "no demux program on the interface, no daemon there, or no such token" },
	{ ENOSPC, "out of connections or listeners" },
	{ EADDRINUSE, "the port is in use" },
	{ EADDRNOTAVAIL, "no free local port" },
	{ ECONNREFUSED, "nobody listens there: on the port of the peer, or on the daemon's socket" },
	{ ECONNRESET, "the peer reset the connection" },
	{ ECONNABORTED, "the connection was reset by this side" },
	{ ETIMEDOUT, "the peer did not answer in time" },
	{ EHOSTDOWN, "the peer is dead: it does not answer any more" },
	{ EPROTOTYPE, "the port serves another type of connection" },
	{ EPROTONOSUPPORT, "the peer does not understand a parameter of this version" },
	{ EPROTO, "the other end breaks the protocol, or is of another version" },
	{ EPIPE, "this side has ended its sending" },
	{ EMSGSIZE, "the message is larger than fits" },
	{ ENODATA, "no more messages: the peer has ended" },
	{ ESTALE, "the peer has restarted" },
	{ EUCLEAN, "the frame census does not add up" },
};

int xl_last_error_set(int err, const char *text)
{
	snprintf(last, sizeof last, "%s", *text ? text : xlane_strerror(err));
	return err;
}

const char *xlane_last_error(void)
{
	return last;
}

const char *xlane_strerror(int negative_errno)
{
	const int error = negative_errno < 0 ? -negative_errno : negative_errno;
	const char *text;

	for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++)
		if (texts[i].error == error)
			return texts[i].text;
	text = strerrordesc_np(error);
	return text ? text : "unknown error";
}
