// SPDX-License-Identifier: BSD-2-Clause
/* main.c - xlaned. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "helper.h"
#include "logs.h"
#include "version.h"

/* A descriptor 0, 1 or 2 that is closed would be given to the next socket opened, and then be written to as a log. */
static bool keep_standard_descriptors(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	} while (fd >= 0 && fd <= 2);
	if (fd > 2)
		close(fd);
	return fd > 2;
}

static int finish_output(void)
{
	return fflush(stdout) || ferror(stdout) ? 1 : 0;
}

int main(int argc, char **argv)
{
	char why[XL_CONFIG_WHY_BYTES] = "";
	struct xl_daemon_config config;
	struct xl_options options;

	if (!keep_standard_descriptors())
		return 1;
	xl_logs_open();
	if (xl_options_take(argc, argv, &options, why, sizeof why)) {
		xl_error("%s", why);
		return 2;
	}
	if (options.action == XL_OPTIONS_HELP) {
		xl_options_help();
		return finish_output();
	}
	if (options.action == XL_OPTIONS_VERSION) {
		printf("xlaned %s\n", XL_VERSION_TEXT);
		return finish_output();
	}
	if (xl_config_build(options.file, options.argc, options.argv, &config, why, sizeof why)) {
		xl_error("%s", why);
		return 2;
	}
	if (options.action == XL_OPTIONS_CHECK) {
		printf("xlaned: the configuration is right: %u interface%s\n", config.interfaces,
		       config.interfaces == 1 ? "" : "s");
		return finish_output();
	}
	xl_logs_level((int)config.log_level);
	return xl_helper_run(&options, &config);
}
