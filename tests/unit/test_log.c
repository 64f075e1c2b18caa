/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include "unit.h"
#include "base/log.h"

struct seen { int level, lines; char line[2 * XL_LOG_LINE_BYTES]; };

static void take(int level, const char *line, void *arg)
{
	struct seen *s = arg;

	s->level = level;
	s->lines++;
	strcpy(s->line, line);
	errno = EBADF;
}

static void formats_and_hands_on(void **state)
{
	struct seen s = { 0 };
	struct xl_log log = { take, &s };

	(void)state;
	errno = EINTR;
	xl_log_printf(&log, XL_LOG_WARNING, "%s has %d queues", "veth0", 4);
	assert_int_equal(errno, EINTR);
	assert_int_equal(s.level, XL_LOG_WARNING);
	assert_string_equal(s.line, "veth0 has 4 queues");
	assert_int_equal(s.lines, 1);
}

static void cuts_visibly(void **state)
{
	char longer[XL_LOG_LINE_BYTES + 1], fits[XL_LOG_LINE_BYTES];
	struct seen s = { 0 };
	struct xl_log log = { take, &s };

	(void)state;
	memset(longer, 'x', sizeof longer);
	longer[XL_LOG_LINE_BYTES] = 0;
	memcpy(fits, longer + 1, sizeof fits);
	xl_log_printf(&log, XL_LOG_ERROR, "%s", fits);
	assert_string_equal(s.line, fits);
	xl_log_printf(&log, XL_LOG_ERROR, "%s", longer);
	assert_int_equal(strlen(s.line), XL_LOG_LINE_BYTES - 1);
	assert_string_equal(s.line + XL_LOG_LINE_BYTES - 5, "x...");
}

static void may_be_absent(void **state)
{
	struct xl_log log = { NULL, NULL };

	(void)state;
	xl_log_printf(NULL, XL_LOG_ERROR, "nobody");
	xl_log_printf(&log, XL_LOG_ERROR, "nobody");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_and_hands_on),
		cmocka_unit_test(cuts_visibly),
		cmocka_unit_test(may_be_absent),
	};

	return RUN_TAP(tests);
}
