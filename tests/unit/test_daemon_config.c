/* SPDX-License-Identifier: BSD-2-Clause */
/* The daemon's configuration: files, options, errors that name place, key, value and what is allowed, reloads. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/config.h"
#include "daemon/keys.h"
#include "daemon/options.h"
#include "worker/link.h"
#include "worker/wait.h"
#include "xdp/program.h"

static char why[XL_CONFIG_WHY_BYTES];
static char path[] = "/tmp/xlaned-test.XXXXXX";

static void write_file(const char *text)
{
	FILE *f = fopen(path, "w");

	CHECK(f);
	fputs(text, f);
	CHECK(!fclose(f));
}

/* Builds from a file with `text` (NULL: none) and options, ended by NULL. */
static int build(struct xl_daemon_config *c, const char *text, const char *const *options)
{
	char *argv[32] = { (char *)"xlaned" };
	int argc = 1;

	while (options && *options)
		argv[argc++] = (char *)*options++;
	if (text)
		write_file(text);
	*why = 0;
	return xl_config_build(text ? path : NULL, argc, argv, c, why, sizeof why);
}

#define OPTIONS(...) (const char *const[]){ __VA_ARGS__, NULL }

static void test_defaults(void **state)
{
	struct xl_daemon_config c;

	(void)state;
	assert_int_equal(build(&c, NULL, OPTIONS("--interface", "eth1")), 0);
	assert_string_equal(c.socket, "/run/xlane/xlaned.sock");
	assert_int_equal(c.mode, 0660);
	assert_int_equal(c.log_level, XL_LOG_INFO);
	assert_int_equal(c.interfaces, 1);
	assert_string_equal(c.interface[0].name, "eth1");
	assert_int_equal(c.interface[0].workers, 1);
	assert_int_equal(c.interface[0].ethertype, XLANE_ETHERTYPE_DEFAULT);
	assert_int_equal(c.interface[0].connections, XLANE_CONNS_DEFAULT);
	assert_int_equal(c.interface[0].crc, 1);
	assert_int_equal(c.interface[0].attach, 1);
	assert_int_equal(c.interface[0].wait, XL_WAIT_ADAPTIVE);
	assert_int_equal(c.interface[0].zero_copy, XL_AUTO);
}

/* Every default is itself an allowed value. */
static void test_table(void **state)
{
	struct xl_daemon_config d;
	struct xl_interface_config i;

	(void)state;
	for (u32 k = 0; k < xl_keys_count; k++) {
		void *record = xl_keys[k].section == XL_KEY_DAEMON ? (void *)&d : (void *)&i;

		assert_int_equal(xl_key_set(&xl_keys[k], record, xl_keys[k].standard), 0);
		assert_ptr_equal(xl_key_find(xl_keys[k].section, xl_keys[k].name, strlen(xl_keys[k].name)),
				 &xl_keys[k]);
		assert_true(xl_keys_count <= 64);   /* a bit for each tells what was given */
	}
}

static void test_file(void **state)
{
	static const char text[] =
		"# a comment\n\n[daemon]\nsocket = /tmp/x.sock\nmode = 0666 ; all\nlog_level = debug\nports_per_uid = "
		"7\n"
		"[interface eth1]\nworkers = 3\ncores = 5,0-1\nethertype = 0x9000\nvlan = ad:100.20\nwait = spin\n"
		"zero_copy = off\nattach = never\nmode = skb\ncrc = no\nmtu = 0\n[interface eth2]\n";
	struct xl_daemon_config c;
	const struct xl_interface_config *i;

	(void)state;
	assert_int_equal(build(&c, text, NULL), 0);
	assert_string_equal(c.socket, "/tmp/x.sock");
	assert_int_equal(c.mode, 0666);
	assert_int_equal(c.log_level, XL_LOG_DEBUG);
	assert_int_equal(c.ports_per_uid, 7);
	assert_int_equal(c.interfaces, 2);
	i = &c.interface[0];
	assert_int_equal(i->workers, 3);
	assert_int_equal(i->cores, 3);
	assert_int_equal(i->core[0], 5);
	assert_int_equal(i->core[2], 1);
	assert_int_equal(i->ethertype, 0x9000);
	assert_int_equal(i->vlan[0], 100 | XL_LINK_VLAN_AD);
	assert_int_equal(i->vlan[1], 20);
	assert_int_equal(i->wait, XL_WAIT_SPIN);
	assert_int_equal(i->zero_copy, XL_OFF);
	assert_int_equal(i->attach, 0);
	assert_int_equal(i->mode, XL_XDP_SKB);
	assert_int_equal(i->crc, 0);
	assert_string_equal(c.interface[1].name, "eth2");
	assert_int_equal(c.interface[1].workers, 1);
}

/* Each bad file, and what its error must say. */
static void test_file_errors(void **state)
{
	static const struct { const char *text; u32 line; const char *says[3]; } bad[] = {
		{ "[daemon]\nmode = 888\n[interface e]\n", 2, { "mode", "'888'", "octal" } },
		{ "[interface e]\nworkers = 17\n", 2, { "workers", "'17'", "1..16" } },
		{ "[interface e]\nworkers = \n", 2, { "workers", "''", "1..16" } },
		{ "[interface e]\nworkers = 4x\n", 2, { "workers", "'4x'", "1..16" } },
		{ "[interface e]\nworkers = -1\n", 2, { "workers", "'-1'", "1..16" } },
		{ "[interface e]\nframes = 255\n", 2, { "frames", "256..65536", "or 0" } },
		{ "[interface e]\nwait = never\n", 2, { "wait", "'never'", "adaptive, spin or sleep" } },
		{ "[interface e]\nethertype = 0x0800\n", 1, { "ethertype", "0x0800", "IP" } },
		{ "[interface e]\nethertype = 0x10000\n", 2, { "ethertype", "'0x10000'", "0x0600..0xffff" } },
		{ "[interface e]\nvlan = 4095\n", 2, { "vlan", "'4095'", "1..4094" } },
		{ "[interface e]\nvlan = 1.2.3\n", 2, { "vlan", "'1.2.3'", "the outer first" } },
		{ "[interface e]\ncores = 3-1\n", 2, { "cores", "'3-1'", "one for each worker" } },
		{ "[interface e]\ncores = 0,\n", 2, { "cores", "'0,'", "" } },
		{ "[interface e]\nworkers = 2\ncores = 0\n", 1, { "cores names 1", "workers is 2", "" } },
		{ "[interface e]\nworkers = 16\nframes = 8192\n", 1, { "8192 frames", "65536", "" } },
		{ "[interface e]\nworker = 2\n", 2, { "no key worker", "workers", "peer_death_ms" } },
		{ "[interface e]\nspin-us = 2\n", 2, { "no key spin-us", "spin_us", "" } },
		{ "[interface e]\nworkers = 2\nworkers = 2\n", 3, { "workers", "twice", "" } },
		{ "[interface e]\n\n[interface e]\n", 3, { "[interface e]", "line 1", "" } },
		{ "[ interface e ]\n", 1, { "[ interface e ]", "[interface NAME]", "" } },
		{ "[interface a/b]\n", 1, { "a/b", "no name", "" } },
		{ "[interface thisnameistoolong]\n", 1, { "thisnameistoolong", "15", "" } },
		{ "[interface]\n", 1, { "[interface]", "[interface NAME]", "" } },
		{ "[other]\n", 1, { "[other]", "[daemon]", "" } },
		{ "[interface e\n", 1, { "']'", "", "" } },
		{ "workers = 2\n", 1, { "workers", "no section", "" } },
		{ "[interface e]\nworkers\n", 2, { "KEY = VALUE", "", "" } },
		{ "[interface e]\nworkers = 2\n  3\n", 3, { "begins with a space", "", "" } },
		{ "[daemon]\nsocket = x.sock\n[interface e]\n", 2, { "socket", "'x.sock'", "absolute" } },
		{ "[daemon]\n", 0, { "no interface", "", "" } },
		{ "", 0, { "no interface", "", "" } },
	};
	struct xl_daemon_config c, before;
	char place[64];

	(void)state;
	memset(&c, 0x5a, sizeof c);
	before = c;
	for (size_t i = 0; i < XL_ARRAY_SIZE(bad); i++) {
		assert_int_equal(build(&c, bad[i].text, NULL), -EINVAL);
		snprintf(place, sizeof place, "%s:%u: ", path, bad[i].line);
		if (bad[i].line && strncmp(why, place, strlen(place)))
			fail_msg("%zu: '%s' does not begin with '%s'", i, why, place);
		for (u32 s = 0; s < 3; s++)
			if (!strstr(why, bad[i].says[s]))
				fail_msg("%zu: '%s' does not say '%s'", i, why, bad[i].says[s]);
		assert_memory_equal(&c, &before, sizeof c);   /* nothing is half-applied */
	}
}

static void test_long_line(void **state)
{
	struct xl_daemon_config c;
	char text[600] = "[interface e]\nworkers = ";

	(void)state;
	memset(text + strlen(text), '1', 400);
	assert_int_equal(build(&c, text, NULL), -EINVAL);
	assert_non_null(strstr(why, ":2: a line of more than"));
	assert_int_equal(xl_config_build("/nonexistent/x.conf", 0, NULL, &c, why, sizeof why), -ENOENT);
	assert_non_null(strstr(why, "/nonexistent/x.conf"));
}

static void test_many_interfaces(void **state)
{
	struct xl_daemon_config c;
	char text[1024] = "";

	(void)state;
	for (u32 i = 0; i < XLANE_INTERFACES_MAX; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "[interface e%u]\n", i);
	assert_int_equal(build(&c, text, NULL), 0);
	assert_int_equal(c.interfaces, XLANE_INTERFACES_MAX);
	strcat(text, "[interface more]\n");
	assert_int_equal(build(&c, text, NULL), -EINVAL);
	assert_non_null(strstr(why, "more than 16 interfaces"));
}

static void test_options(void **state)
{
	struct xl_daemon_config c;

	(void)state;
	assert_int_equal(build(&c, "[daemon]\nmode = 0600\n[interface e]\nworkers = 2\nspin_us = 7\n",
			       OPTIONS("--log-level=error", "-i", "e", "--workers", "4", "-i", "f", "--mode", "skb",
				       "--mode", "0666")),
			 0);
	assert_int_equal(c.log_level, XL_LOG_ERROR);
	assert_int_equal(c.interfaces, 2);
	assert_int_equal(c.interface[0].workers, 4);
	assert_int_equal(c.interface[0].spin_us, 7);
	assert_int_equal(c.interface[1].mode, XL_XDP_SKB);   /* what the value says */
	assert_int_equal(c.mode, 0666);
	assert_int_equal(build(&c, NULL, OPTIONS("--workers", "2", "-i", "e")), -EINVAL);
	assert_non_null(strstr(why, "behind the --interface"));
	assert_int_equal(build(&c, NULL, OPTIONS("-i", "e", "--workers")), -EINVAL);
	assert_non_null(strstr(why, "needs a value"));
	assert_int_equal(build(&c, NULL, OPTIONS("-i", "e", "--workers", "0")), -EINVAL);
	assert_string_equal(why, "--workers: '0' is not allowed; allowed: 1..16");
	assert_int_equal(build(&c, NULL, OPTIONS("-i", "e", "--no-such")), -EINVAL);
	assert_int_equal(build(&c, NULL, OPTIONS("eth0")), -EINVAL);
	assert_int_equal(build(&c, NULL, OPTIONS("-i")), -EINVAL);
}

static void test_reload(void **state)
{
	struct xl_daemon_config now, next;
	char restart[256];

	(void)state;
	assert_int_equal(build(&now, "[interface e]\nworkers = 2\n[interface g]\n", NULL), 0);
	assert_int_equal(build(&next, "[daemon]\nlog_level = debug\nclients_per_uid = 9\nsocket = /tmp/y\n"
			       "[interface e]\nworkers = 3\n[interface f]\n", NULL), 0);
	xl_config_reload(&now, &next, restart, sizeof restart);
	assert_string_equal(restart, "socket, e/workers, f/(new), g/(gone)");
	assert_int_equal(now.log_level, XL_LOG_DEBUG);
	assert_int_equal(now.clients_per_uid, 9);
	assert_int_equal(now.interface[0].workers, 2);
	assert_string_equal(now.socket, "/run/xlane/xlaned.sock");
	next = now;
	xl_config_reload(&now, &next, restart, sizeof restart);
	assert_string_equal(restart, "");
}

static void test_command_line(void **state)
{
	char *argv[] = { (char *)"xlaned", (char *)"--config", (char *)"/x", (char *)"-i",
			 (char *)"e",	   (char *)"--check",  NULL };
	struct xl_options o;

	(void)state;
	assert_int_equal(xl_options_take(6, argv, &o, why, sizeof why), 0);
	assert_int_equal(o.action, XL_OPTIONS_CHECK);
	assert_string_equal(o.file, "/x");
	assert_int_equal(o.argc, 3);
	assert_string_equal(o.argv[2], "e");
	argv[1] = (char *)"-c";
	assert_int_equal(xl_options_take(2, argv, &o, why, sizeof why), -EINVAL);
}

/* Whatever a file holds: an error or a configuration, no crash. */
static void test_any_bytes(void **state)
{
	static const char *const words[] = {
		"[",
		"]",
		"interface",
		"daemon",
		" ",
		"=",
		"\n",
		"workers",
		"cores",
		"vlan",
		"0",
		"1-2",
		",",
		"ad:",
		".",
		"mode",
		"0660",
		";",
		"#",
		"\t",
		"e",
		"65536",
		"18446744073709551616",
		"\r\n",
		"[interface e]\n",
		"[daemon]\n",
	};
	struct xl_daemon_config c;
	struct xl_prng r;

	(void)state;
	xl_prng_seed(&r, 1);
	for (u32 round = 0; round < 3000; round++) {
		char text[512] = "";

		for (u64 n = xl_prng_below(&r, 30); n; n--)
			strcat(text, words[xl_prng_below(&r, XL_ARRAY_SIZE(words))]);
		if (build(&c, text, NULL))
			CHECK(*why);
		else
			CHECK(c.interfaces >= 1 && c.interface[0].workers <= XLANE_WORKERS_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults), cmocka_unit_test(test_table), cmocka_unit_test(test_file),
		cmocka_unit_test(test_file_errors), cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_many_interfaces), cmocka_unit_test(test_options), cmocka_unit_test(test_reload),
		cmocka_unit_test(test_command_line), cmocka_unit_test(test_any_bytes),
	};
	int fd = mkstemp(path), failed;

	if (fd < 0)
		return 1;
	close(fd);
	failed = RUN_TAP(tests);
	unlink(path);
	return failed;
}
