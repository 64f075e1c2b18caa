/* SPDX-License-Identifier: BSD-2-Clause */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"
#include "base/assert.h"

static void says_what_and_aborts(void **state)
{
	char text[512];
	ssize_t n;
	int fds[2], status;
	pid_t child;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		volatile int two = 2;

		signal(SIGABRT, SIG_DFL);
		dup2(fds[1], 2);
		XL_ASSERT(two == 2);
		XL_ASSERT(two == 3);
		_exit(0);
	}
	close(fds[1]);
	n = read(fds[0], text, sizeof text - 1);
	close(fds[0]);
	assert_true(n > 0);
	text[n] = 0;
	assert_non_null(strstr(text, "test_assert.c"));
	assert_non_null(strstr(text, "two == 3"));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(says_what_and_aborts) };

	return RUN_TAP(tests);
}
