/* SPDX-License-Identifier: BSD-2-Clause */
/* call.h - the handshake (PROTOCOL 5): INIT, ACCEPT, COOKIE, RESET, both directions. */
#ifndef XL_CALL_H
#define XL_CALL_H

#include "../wire/outer.h"
#include "../wire/record.h"
#include "core.h"
#include "cursor.h"
#include "output.h"

/* Call id of a path and two ports: the same from both ends. Never 0. */
u64 xl_call_id(const struct xl_path *path, u16 local_port, u16 remote_port);
/* A packet of type INIT, ACCEPT, COOKIE or RESET whose checksum is right. cur: at the first record. */
void xl_call_input(struct xl_engine *e, const struct xl_outer *h, struct xl_cursor *cur, const struct xl_path *path);
/* The next INIT or ACCEPT of a connection; false: no frame. */
bool xl_call_output(struct xl_engine *e, struct xl_conn *c, struct xl_packet *out);
/* Answer a packet for an unknown connection, if it says who asks. */
void xl_call_unknown(struct xl_engine *e, const struct xl_outer *h, const struct xl_path *path);
/* The oldest stateless answer as a packet; false: no frame (it waits). */
bool xl_reply_output(struct xl_engine *e, struct xl_packet *out);

#endif
