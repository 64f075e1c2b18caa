/* SPDX-License-Identifier: BSD-2-Clause */
/* hello.c - say hello to a program that listens: hello IFACE MAC/PORT (there: xlane cat -l -i IFACE PORT). */
#include <stdio.h>
#include <xlane/xlane.h>

int main(int argc, char **argv)
{
	struct xlane_config config;
	struct xlane_address to = { .port = 7000 };
	xlane *x;
	xlane_conn *c;

	xlane_config_init(&config);
	config.interface = argc == 3 ? argv[1] : NULL;
	if (argc != 3 || xlane_address_parse(argv[2], &to) || xlane_open(&config, &x))
		return fprintf(stderr, "hello IFACE MAC[/PORT]: %s\n", xlane_last_error()), 1;
	if (xlane_connect(x, &to, XLANE_STREAM, 5000, &c) == 0) {
		xlane_send(c, "hello, world\n", 13, -1);
		printf("closed: %s\n", xlane_strerror(xlane_conn_close(c, 5000)));
	}
	xlane_close(x, 1000);
	return 0;
}
