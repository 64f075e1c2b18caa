/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * large.c - one message of 16 MiB to echo_server and back, compared byte for byte.
 *
 *     large -i IFACE|-d MAC/PORT
 */
#include <xlane/limits.h>

#include "echo.h"

/* 0, or the error. */
static int64_t there_and_back(xlane_conn *c)
{
	unsigned char *out = malloc(XLANE_MESSAGE_MAX_BYTES), *in = malloc(XLANE_MESSAGE_MAX_BYTES);
	uint64_t begun = now_ns();
	int64_t n = -ENOMEM;

	if (out && in) {
		for (size_t i = 0; i < XLANE_MESSAGE_MAX_BYTES; i++)
			out[i] = (unsigned char)(i * 2654435761u >> 13);
		n = xlane_send(c, out, XLANE_MESSAGE_MAX_BYTES, -1);
		if (n >= 0)
			n = xlane_recv(c, in, XLANE_MESSAGE_MAX_BYTES, 60000);
		if (n >= 0)
			n = n == XLANE_MESSAGE_MAX_BYTES && !memcmp(in, out, XLANE_MESSAGE_MAX_BYTES) ? 0 : -EBADMSG;
	}
	if (!n)
		printf("16 MiB there and back in %.1f ms, every byte as sent\n", (double)(now_ns() - begun) / 1e6);
	free(out);
	free(in);
	return n;
}

int main(int argc, char **argv)
{
	struct xlane_address to = { .port = 7007 };
	struct xlane_config config;
	xlane_conn *c;
	int64_t err;
	xlane *x;
	int opt;

	xlane_config_init(&config);
	while ((opt = getopt(argc, argv, CONTEXT_OPTIONS)) != -1)
		if (!context_option(&config, opt, optarg))
			return 2;
	if (argc - optind != 1 || xlane_address_parse(argv[optind], &to))
		return fprintf(stderr, "usage: large -i IFACE|-d MAC[/PORT]\n"), 2;
	if (xlane_open(&config, &x))
		return fprintf(stderr, "large: %s\n", xlane_last_error()), 1;
	err = xlane_connect(x, &to, XLANE_MESSAGE, 10000, &c);
	if (!err) {
		err = there_and_back(c);
		if (err)
			xlane_conn_abort(c);
		else
			err = xlane_conn_close(c, 10000);
	}
	if (err)
		fprintf(stderr, "large: %s\n", err == -EBADMSG ? "it came back different" : xlane_strerror((int)err));
	xlane_close(x, 1000);
	return err != 0;
}
