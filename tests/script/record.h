/* SPDX-License-Identifier: BSD-2-Clause */
/* record.h - records as a script writes them: "data off=0 len=100 fin". The same words say what is sent and what is wanted. */
#ifndef SCRIPT_RECORD_H
#define SCRIPT_RECORD_H

#include "script.h"

#define GIVEN_MAX 32

/* Packet numbers are told relative to the first that its side uses after the handshake. */
enum number { PLAIN, OF_SENDER, OF_RECEIVER, FIRST_OF_SENDER };
struct side { u64 base, first; };
struct talk { struct side sender, receiver; };

struct field { const char *name; u8 at, bytes, number; };
struct record_type { const char *name; u8 code, packet, fixed; struct field field[5]; };

struct given { const char *name, *value; bool used; };  /* "name=value", or a word alone: value NULL */
struct spec { const struct record_type *type; const char *bare; struct given given[GIVEN_MAX]; u32 count; };

struct record { u8 code, flags; u16 bytes; const u8 *body; };

const struct record_type *record_type_of(u8 code);
/* The type of packet whose first record has this name: 0 for all that go in DATA packets. */
u8 record_packet(const char *name);
/* Words in "( )", if there are any: what is said about the packet as a whole. */
void record_options(struct run *r, struct spec *s);
/* Words up to ";" or the end. */
void record_read(struct run *r, struct spec *s);
/* What stands behind `name=`, NULL: nothing does. */
const char *record_given(struct spec *s, const char *name);
bool record_flag(struct spec *s, const char *name);
u64 record_value(struct run *r, struct spec *s, const char *name, u64 otherwise);
/* Fails when a word of it was not understood. */
void record_all_used(struct run *r, const struct spec *s);

void record_write(struct run *r, struct raw *raw, struct spec *s, const struct talk *t);
/* NULL: it is as wanted; else what is not (a static buffer). */
const char *record_differs(struct run *r, struct spec *s, const struct record *got, const struct talk *t);
void record_describe(const struct record *got, const struct talk *t, char *out, u32 size);

/* Byte `at` of everything that is sent. */
static inline u8 pattern(u64 at) { return (u8)(at * 31 + (at >> 8) * 7 + 5); }

/* A parameter of the handshake. */
struct param_type { const char *name; u16 id, bytes; u8 number; };
#define PARAM_TYPES 7
extern const struct param_type param_types[PARAM_TYPES];
/* The value of a parameter in a record INIT or ACCEPT, NULL: it is not there. */
const u8 *param_find(const struct record *rec, const struct record_type *type, u16 id, u32 *bytes);

/* payload.c: bytes behind the fixed part. */
void payload_write(struct run *r, struct raw *raw, struct spec *s);
const char *payload_differs(struct run *r, struct spec *s, const u8 *p, u32 bytes, u64 offset);

#endif
