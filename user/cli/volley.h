/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * volley.h - many messages of many sizes to a program that sends each back, several on the way at once, every byte of
 * the answers compared with what was sent.
 */
#ifndef XL_VOLLEY_H
#define XL_VOLLEY_H

#include "mix.h"
#include "samples.h"
#include "session.h"

#define XL_VOLLEY_WINDOW_MAX 1024

struct xl_volley {
	struct xl_mix mix;
	uint32_t window;             /* messages that may be unanswered at once, 1..XL_VOLLEY_WINDOW_MAX */
	bool progress;               /* a line on stderr now and then */
};

/* What became of the messages. sent = answered + lost + those unanswered when it ended. */
struct xl_volley_figures {
	uint64_t sent, answered, bytes_sent, bytes_verified;
	uint64_t lost;               /* datagrams: not answered within a second, and not later either */
	uint64_t reordered;          /* answers that came after one of a later message */
	uint64_t corrupted;          /* answers that are no message that was sent */
	uint64_t duplicated;         /* answers to what was answered already */
	double seconds;
	struct xl_samples rtt;       /* from handing over to the answer; freed by the caller */
};

/* Until all are answered (datagrams: or lost), xl_session_stop, or an error: a negative errno. -EBADMSG: an answer is
 * not what was sent; -ETIMEDOUT: nothing came back for a minute. Corrupted datagrams are counted and do not end it. */
int xl_volley_run(struct xl_session *s, xlane_conn *c, const struct xl_volley *v, struct xl_volley_figures *f);
/* For people, on stdout. */
void xl_volley_print(const char *peer, struct xl_volley_figures *f);
/* As the JSON of other runs, and more; of the connection (NULL: none) and its context too. */
void xl_volley_json(struct xl_session *s, xlane_conn *c, const char *peer, struct xl_volley_figures *f);
/* "stream", "message", "unordered", "datagram"; 0: none of them. */
enum xlane_type xl_type_parse(const char *text);
const char *xl_type_text(enum xlane_type type);

#endif
