/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <jansson.h>

#include "figures_world.h"

static char *text_of(const struct world *w, const char *what, const char *only)
{
	size_t bytes = 0;
	char *text = NULL;

	assert_int_equal(xl_figures_text(&w->all, what, only, &text, &bytes), 0);
	assert_non_null(text);
	assert_int_equal(strlen(text), bytes);
	return text;
}

static json_t *ask(const struct world *w, const char *what, const char *only)
{
	char *text = text_of(w, what, only);
	json_error_t error;
	json_t *o = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	if (!o)
		fail_msg("%s: %s at line %d", what, error.text, error.line);
	free(text);
	assert_string_equal(json_string_value(json_object_get(o, "what")), what);
	assert_int_equal(json_integer_value(json_object_get(o, "schema")), 1);
	assert_string_equal(json_string_value(json_object_get(o, "version")), "1.2.3");
	assert_int_equal(json_integer_value(json_object_get(o, "time_ns")), 101 * XL_S);
	return o;
}

static long long number(const json_t *o, const char *name)
{
	const json_t *v = json_object_get(o, name);

	if (!json_is_integer(v))
		fail_msg("no number %s", name);
	return json_integer_value(v);
}

static const char *string(const json_t *o, const char *name)
{
	const char *text = json_string_value(json_object_get(o, name));

	if (!text)
		fail_msg("no text %s", name);
	return text;
}

static void status(void **state)
{
	struct world w;
	json_t *o, *d, *i;

	(void)state;
	world_open(&w, 1);
	o = ask(&w, "status", NULL);
	d = json_object_get(o, "daemon");
	assert_int_equal(number(d, "pid"), 11);
	assert_int_equal(number(d, "uptime_ns"), 61 * XL_S);
	assert_int_equal(number(d, "channel_bytes"), 3 << 20);
	assert_true(json_is_null(json_object_get(d, "config")));
	assert_int_equal(number(json_object_get(d, "counters"), "attached"), 8);
	assert_int_equal(json_array_size(json_object_get(o, "clients")), 2);
	i = json_array_get(json_object_get(o, "interfaces"), 0);
	assert_int_equal(number(i, "workers"), 2);
	assert_int_equal(number(i, "workers_answered"), 1);
	assert_int_equal(json_integer_value(json_array_get(json_object_get(i, "vlan"), 0)), 100);
	assert_true(json_is_true(json_object_get(i, "up")));
	i = json_array_get(json_object_get(o, "interfaces"), 1);
	assert_true(json_is_false(json_object_get(i, "up")));
	assert_string_equal(string(i, "error"), strerror(ENETDOWN));
	json_decref(o);
	world_close(&w);
}

static void workers(void **state)
{
	struct world w;
	json_t *o, *list, *one;

	(void)state;
	world_open(&w, 1);
	o = ask(&w, "workers", "");
	list = json_object_get(o, "workers");
	assert_int_equal(json_array_size(list), 4);
	one = json_array_get(list, 0);
	assert_string_equal(string(one, "interface"), "eth0");
	assert_int_equal(number(one, "rx_bytes"), 125000);
	assert_int_equal(number(json_object_get(one, "rings"), "fill_frames"), 2048);
	assert_int_equal(number(json_object_get(one, "frames"), "inflight"), 48);
	assert_true(json_is_true(json_object_get(one, "census_ok")));
	one = json_array_get(list, 1);
	assert_true(json_is_false(json_object_get(one, "answered")));
	assert_null(json_object_get(one, "rx_bytes"));
	assert_true(json_is_null(json_object_get(json_array_get(list, 3), "core")));
	json_decref(o);
	world_close(&w);
}

static void conns_and_peers(void **state)
{
	struct world w;
	json_t *o, *one;

	(void)state;
	world_open(&w, 1);
	o = ask(&w, "conns", NULL);
	assert_int_equal(json_array_size(json_object_get(o, "connections")), 2 * WORLD_CONNS);
	one = json_array_get(json_object_get(o, "connections"), 1);
	assert_string_equal(string(one, "type"), "message");
	assert_string_equal(string(one, "state"), "open");
	assert_string_equal(string(one, "local_id"), "fedcba9876543211");
	assert_string_equal(string(one, "peer_node"), "ffffffffffffffff");
	assert_string_equal(string(one, "peer_mac"), "02:00:00:00:00:01");
	assert_int_equal(number(one, "pid"), 4242);
	assert_int_equal(number(one, "srtt_ns"), 12345);
	assert_true(json_is_null(json_object_get(one, "ssthresh_bytes")));
	one = json_array_get(json_object_get(o, "connections"), 0);
	assert_true(json_is_null(json_object_get(one, "client")));
	assert_true(json_is_null(json_object_get(one, "srtt_ns")));
	json_decref(o);
	o = ask(&w, "peers", NULL);
	assert_int_equal(number(o, "unlisted"), 4);
	one = json_array_get(json_object_get(o, "peers"), 0);
	assert_string_equal(string(one, "node"), "0000000000000abc");
	assert_int_equal(number(one, "heard_ago_ns"), XL_S);
	json_decref(o);
	world_close(&w);
}

static void stats(void **state)
{
	struct world w;
	json_t *o, *i, *one;

	(void)state;
	world_open(&w, 1);
	o = ask(&w, "stats", NULL);
	i = json_array_get(json_object_get(o, "interfaces"), 0);
	assert_int_equal(number(json_object_get(i, "xdp"), "redirected"), 77);
	one = json_array_get(json_object_get(i, "workers"), 0);
	assert_int_equal(number(json_object_get(one, "drv"), "rx_packets"), 100);
	assert_int_equal(number(json_object_get(one, "link"), "rx_short"), 1);
	assert_int_equal(number(json_object_get(one, "engine"), "retransmitted"), 5);
	assert_int_equal(number(json_object_get(one, "channel"), "commands"), 9);
	assert_int_equal(json_object_size(json_object_get(one, "engine")), XL_ENGINE_COUNTER_COUNT);
	assert_int_equal(json_object_size(json_object_get(json_array_get(json_object_get(o, "interfaces"), 1), "xdp")), 0);
	json_decref(o);
	world_close(&w);
}

/* The value of a line, -1: no such line. */
static long long line(const char *text, const char *name)
{
	const size_t n = strlen(name);

	for (const char *p = text; p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL)
		if (!strncmp(p, name, n) && p[n] == '\t')
			return atoll(p + n + 1);
	return -1;
}

static void lines(void **state)
{
	struct world w;
	char *text;

	(void)state;
	world_open(&w, 1);
	text = text_of(&w, "counters", NULL);
	assert_int_equal(line(text, "drv.rx_packets"), 300);
	assert_int_equal(line(text, "link.rx_short"), 3);
	assert_int_equal(line(text, "channel.commands"), 27);
	assert_int_equal(line(text, "xdp.redirected"), 77);
	assert_int_equal(line(text, "daemon.attached"), 8);
	assert_int_equal(line(text, "daemon.quota"), 0);
	free(text);
	text = text_of(&w, "counters", "eth1");
	assert_int_equal(line(text, "drv.rx_packets"), 200);
	assert_int_equal(line(text, "xdp.redirected"), 0);
	free(text);
	text = text_of(&w, "census", NULL);
	assert_int_equal(line(text, "free"), 6000);
	assert_int_equal(line(text, "free") + line(text, "fill") + line(text, "inflight"), 3 * 4096);
	assert_int_equal(line(text, "foreign"), -1);
	assert_int_equal(line(text, "unaccounted"), -1);
	free(text);
	w.s[2]->census_ok = false;
	text = text_of(&w, "census", NULL);
	assert_int_equal(line(text, "unaccounted"), 4096);
	free(text);
	text = text_of(&w, "census", "eth0");
	assert_int_equal(line(text, "unaccounted"), -1);
	free(text);
	world_close(&w);
}

static void of_one_interface(void **state)
{
	struct world w;
	json_t *o;

	(void)state;
	world_open(&w, 1);
	o = ask(&w, "status", "eth1");
	assert_int_equal(json_array_size(json_object_get(o, "interfaces")), 1);
	assert_int_equal(json_array_size(json_object_get(o, "clients")), 1);
	json_decref(o);
	o = ask(&w, "workers", "eth1");
	assert_int_equal(json_array_size(json_object_get(o, "workers")), 2);
	json_decref(o);
	o = ask(&w, "conns", "eth1");
	assert_int_equal(json_array_size(json_object_get(o, "connections")), WORLD_CONNS);
	json_decref(o);
	o = ask(&w, "peers", "eth1");
	assert_int_equal(json_array_size(json_object_get(o, "peers")), 0);
	json_decref(o);
	o = ask(&w, "stats", "eth1");
	assert_int_equal(json_array_size(json_object_get(o, "interfaces")), 1);
	json_decref(o);
	world_close(&w);
}

static void refuses(void **state)
{
	struct world w;
	size_t bytes = 1;
	char *text = (char *)&w;

	(void)state;
	world_open(&w, 1);
	assert_int_equal(xl_figures_text(&w.all, "nonsense", NULL, &text, &bytes), -EINVAL);
	assert_null(text);
	assert_int_equal(bytes, 0);
	assert_int_equal(xl_figures_text(&w.all, "status", "eth2", &text, &bytes), -ENODEV);
	assert_int_equal(xl_figures_want("nonsense"), -EINVAL);
	assert_int_equal(xl_figures_want("status"), 0);
	assert_int_equal(xl_figures_want("conns"), XL_SNAPSHOT_CONNS);
	assert_int_equal(xl_figures_want("peers"), XL_SNAPSHOT_PEERS);
	assert_int_equal(xl_figures_want("census"), XL_SNAPSHOT_CENSUS);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status), cmocka_unit_test(workers), cmocka_unit_test(conns_and_peers),
		cmocka_unit_test(stats), cmocka_unit_test(lines), cmocka_unit_test(of_one_interface),
		cmocka_unit_test(refuses),
	};

	return RUN_TAP(tests);
}
