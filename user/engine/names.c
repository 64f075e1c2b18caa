/* SPDX-License-Identifier: BSD-2-Clause */
/* names.c - texts for people: counters, states, wire errors. */
#include "core.h"

static const char *const counter_names[] = {
#define NAME(name, key, text) key,
	XL_ENGINE_COUNTERS(NAME)
};
static const char *const counter_texts[] = {
#define TEXT(name, key, text) text,
	XL_ENGINE_COUNTERS(TEXT)
};
static const char *const error_texts[] = {
#define ERROR(name, value, text) [value] = text,
	XLANE_WIRE_ERRORS(ERROR)
};

const char *xl_engine_counter_name(enum xl_engine_counter c)
{
	return c < XL_ENGINE_COUNTER_COUNT ? counter_names[c] : "?";
}

const char *xl_engine_counter_text(enum xl_engine_counter c)
{
	return c < XL_ENGINE_COUNTER_COUNT ? counter_texts[c] : "?";
}

const char *xl_conn_state_name(u8 state) { return xl_state_key(state); }

const char *xl_wire_error_text(u32 error)
{
	return error < XL_ARRAY_SIZE(error_texts) ? error_texts[error] : "unknown error";
}
