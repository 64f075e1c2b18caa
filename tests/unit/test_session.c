/* SPDX-License-Identifier: BSD-2-Clause */
/* test_session.c - options of commands that open a context or ask the daemon: what they set, and what does not go together. */
#include <getopt.h>
#include <stdio.h>

#include "unit.h"
#include "cli/query.h"
#include "cli/session.h"
#include "cli/volley.h"

static const struct xl_command command = { .name = "test", .args = "", .summary = "" };
static const struct xl_option session_options[] = { XL_SESSION_OPTIONS, { 0, "other", "X", "" }, { 0 } };
static const struct xl_option query_options[] = { XL_QUERY_OPTIONS, { 'x', "extra", NULL, "" }, { 0 } };

/* Words of a command line, the command's name first; options are read from the start again. */
static int split(char *line, char **argv)
{
	int argc = 0;

	for (char *word = strtok(line, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	optind = 0;
	return argc;
}

/* 1: taken whole; 0: one was another's; -1: refused. */
static int take(struct xl_session *s, char *line)
{
	char *argv[16];
	int argc = split(line, argv), got, took = 1;

	xl_session_init(s, &command);
	while (took == 1 && (got = xl_cli_option(&command, session_options, argc, argv)) != XL_OPTION_END)
		took = got < 0 ? -1 : xl_session_option(s, session_options, got);
	return took;
}

static void sets_the_daemon(void **state)
{
	char none[] = "test", daemon[] = "test -d", socket[] = "test --socket /run/x", interface[] = "test -i eth1 --daemon";
	struct xl_session s;

	(void)state;
	assert_int_equal(take(&s, none), 1);
	assert_int_equal(s.config.daemon, 0);
	assert_false(xl_session_check(&s));              /* embedded, an interface is needed */
	assert_int_equal(take(&s, daemon), 1);
	assert_int_equal(s.config.daemon, 1);
	assert_null(s.config.interface);
	assert_true(xl_session_check(&s));
	assert_int_equal(take(&s, socket), 1);
	assert_int_equal(s.config.daemon, 1);
	assert_string_equal(s.config.socket, "/run/x");
	assert_int_equal(take(&s, interface), 1);
	assert_string_equal(s.config.interface, "eth1");
	assert_true(xl_session_check(&s));
}

static void keeps_the_worker_to_the_daemon(void **state)
{
	static const char *const own[] = { "--driver af_xdp", "--vlan 5", "--mtu 1000", "--queues 2", "--frames 512",
					   "--pcap f", "--fault drop=1", "--no-crc" };
	static const char *const shared[] = { "--wait sleep", "--seed 3", "-v" };
	struct xl_session s;
	char line[64];

	(void)state;
	for (size_t i = 0; i < XL_ARRAY_SIZE(own); i++) {
		snprintf(line, sizeof line, "test %s -i eth0", own[i]);
		assert_int_equal(take(&s, line), 1);
		assert_true(xl_session_check(&s));
		snprintf(line, sizeof line, "test %s -d", own[i]);
		assert_int_equal(take(&s, line), 1);
		assert_false(xl_session_check(&s));
	}
	for (size_t i = 0; i < XL_ARRAY_SIZE(shared); i++) {
		snprintf(line, sizeof line, "test %s -d", shared[i]);
		assert_int_equal(take(&s, line), 1);
		assert_true(xl_session_check(&s));
	}
}

static void refuses_values(void **state)
{
	static const char *const bad[] = { "--driver x", "--vlan 4095", "--vlan 1,2,3", "--mtu 10", "--queues 0",
					   "--frames 1", "--wait long", "--seed 0", "--seed -1", "--nonsense", "--socket" };
	struct xl_session s;
	char line[64];

	(void)state;
	for (size_t i = 0; i < XL_ARRAY_SIZE(bad); i++) {
		snprintf(line, sizeof line, "test %s", bad[i]);
		if (take(&s, line) != -1)
			fail_msg("'%s' is taken", bad[i]);
	}
	snprintf(line, sizeof line, "test --other 1");
	assert_int_equal(take(&s, line), 0);
}

static void asks_as_told(void **state)
{
	char line[] = "test -i eth1 --socket /s --json", operand[] = "test eth1";
	char *argv[16];
	struct xl_query q;
	int argc = split(line, argv);

	(void)state;
	xl_query_init(&q, &command);
	assert_string_equal(q.interface, "");
	assert_null(q.socket);
	assert_int_equal(xl_query_parse(&q, query_options, argc, argv), -1);
	assert_string_equal(q.interface, "eth1");
	assert_string_equal(q.socket, "/s");
	assert_true(q.json);
	argc = split(operand, argv);
	assert_int_equal(xl_query_parse(&q, query_options, argc, argv), XL_EXIT_USAGE);
}

static void names_types(void **state)
{
	static const enum xlane_type types[] = { XLANE_STREAM, XLANE_MESSAGE, XLANE_UNORDERED, XLANE_DATAGRAM };

	(void)state;
	for (size_t i = 0; i < XL_ARRAY_SIZE(types); i++)
		assert_int_equal(xl_type_parse(xl_type_text(types[i])), types[i]);
	assert_int_equal(xl_type_parse("Stream"), 0);
	assert_int_equal(xl_type_parse(""), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_the_daemon), cmocka_unit_test(keeps_the_worker_to_the_daemon),
		cmocka_unit_test(refuses_values), cmocka_unit_test(asks_as_told), cmocka_unit_test(names_types),
	};

	return RUN_TAP(tests);
}
