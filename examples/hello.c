/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hello.c - say hello to a program that listens: hello IFACE MAC/PORT, or through the daemon: hello -d MAC/PORT
 * (there: xlane cat -l -i IFACE 7000).
 */
#include <stdio.h>
#include <string.h>
#include <xlane/xlane.h>

int main(int argc, char **argv)
{
	struct xlane_config config;
	struct xlane_address to = { .port = 7000 };
	xlane *x;
	xlane_conn *c;
	int err;

	if (argc != 3 || xlane_address_parse(argv[2], &to))
		return fprintf(stderr, "usage: hello IFACE|-d MAC[/PORT]\n"), 2;
	xlane_config_init(&config);
	config.daemon = !strcmp(argv[1], "-d");
	config.interface = config.daemon ? NULL : argv[1];
	if (xlane_open(&config, &x))
		return fprintf(stderr, "hello: %s\n", xlane_last_error()), 1;
	err = xlane_connect(x, &to, XLANE_STREAM, 5000, &c);
	if (!err) {
		xlane_send(c, "hello, world\n", 13, -1);
		err = xlane_conn_close(c, 5000);   /* 0: the peer has everything */
	}
	printf("hello: %s\n", xlane_strerror(err));
	xlane_close(x, 1000);
	return err != 0;
}
