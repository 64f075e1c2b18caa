// SPDX-License-Identifier: BSD-2-Clause
/* screen.c - the terminal, taken and given back. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "screen.h"

#define COLUMNS_DEFAULT 80
#define LINES_DEFAULT 24
#define ESCAPE_MS 30             /* the rest of a key's sequence comes within this */

static const char enter[] = "\033[?1049h\033[?25l\033[2J", leave[] = "\033[0m\033[?25h\033[?1049l";
static struct termios before;
static volatile sig_atomic_t open_now, stop, resized;
static sigset_t outside;         /* the mask while a key is waited for; else the caught signals are held back */
static const int ending[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
/* What would leave the screen behind: the terminal is given back first, then it goes its way. */
static const int deadly[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };

bool xl_screen_possible(void)
{
	const char *term = getenv("TERM");

	return term && *term && strcmp(term, "dumb") && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

bool xl_screen_put(const char *text, size_t bytes)
{
	while (bytes) {
		ssize_t n = write(STDOUT_FILENO, text, bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		text += n;
		bytes -= (size_t)n;
	}
	return true;
}

/* Calls of signal handlers only. */
static void give_back(void)
{
	if (!open_now)
		return;
	open_now = 0;
	xl_screen_put(leave, sizeof leave - 1);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
}

static bool take(void)
{
	struct termios raw = before;

	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw))
		return false;
	open_now = 1;
	return xl_screen_put(enter, sizeof enter - 1);
}

static void on_end(int number)
{
	stop = number;
}

static void on_resize(int number)
{
	(void)number;
	resized = 1;
}

static void on_deadly(int number)
{
	give_back();
	signal(number, SIG_DFL);
	raise(number);
}

static void on_pause(int number)
{
	int kept = errno;

	(void)number;
	give_back();
	raise(SIGSTOP);
	/* goes on here */
	take();
	resized = 1;
	errno = kept;
}

static void catch_signal(int number, void (*handler)(int))
{
	struct sigaction a = { .sa_handler = handler };

	sigfillset(&a.sa_mask);
	sigaction(number, &a, NULL);
}

/* As catch_signal, but it comes only while a key is waited for: never between the look at `stop` and the wait. */
static void catch_waiting(int number, void (*handler)(int))
{
	sigset_t one;

	catch_signal(number, handler);
	sigemptyset(&one);
	sigaddset(&one, number);
	sigprocmask(SIG_BLOCK, &one, NULL);
	sigdelset(&outside, number);
}

bool xl_screen_open(void)
{
	if (tcgetattr(STDIN_FILENO, &before))
		return false;
	sigprocmask(SIG_BLOCK, NULL, &outside);
	for (size_t i = 0; i < sizeof ending / sizeof *ending; i++)
		catch_waiting(ending[i], on_end);
	for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++)
		catch_signal(deadly[i], on_deadly);
	catch_waiting(SIGTSTP, on_pause);
	catch_waiting(SIGWINCH, on_resize);
	catch_signal(SIGPIPE, SIG_IGN);
	atexit(give_back);
	return take();
}

void xl_screen_close(void)
{
	give_back();
}

void xl_screen_size(size_t *columns, size_t *lines)
{
	struct winsize w;
	bool known = !ioctl(STDOUT_FILENO, TIOCGWINSZ, &w);

	*columns = known && w.ws_col ? w.ws_col : COLUMNS_DEFAULT;
	*lines = known && w.ws_row ? w.ws_row : LINES_DEFAULT;
}

/* One byte within the time; -1: none, -2: the terminal is gone. */
static int byte(int timeout_ms)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	unsigned char c;
	const struct timespec t = { timeout_ms / 1000, timeout_ms % 1000 * 1000000l };
	int n = ppoll(&p, 1, &t, &outside);

	if (n <= 0)
		return n < 0 && errno != EINTR ? -2 : -1;
	n = (int)read(STDIN_FILENO, &c, 1);
	if (n == 1)
		return c;
	return n < 0 && (errno == EINTR || errno == EAGAIN) ? -1 : -2;
}

/* What follows an escape: "[A", "OA", "[5~". An escape alone is a key of its own. */
static int sequence(void)
{
	int c = byte(ESCAPE_MS), digit = 0;

	if (c != '[' && c != 'O')
		return 27;
	c = byte(ESCAPE_MS);
	while ((c >= '0' && c <= '9') || c == ';') {
		digit = digit ? digit : c;
		c = byte(ESCAPE_MS);
	}
	switch (c == '~' ? digit : c) {
	case 'A': return XL_KEY_UP;
	case 'B': return XL_KEY_DOWN;
	case 'C': return XL_KEY_RIGHT;
	case 'D': return XL_KEY_LEFT;
	case 'H': case '1': case '7': return XL_KEY_HOME;
	case 'F': case '4': case '8': return XL_KEY_END;
	case '5': return XL_KEY_PAGE_UP;
	case '6': return XL_KEY_PAGE_DOWN;
	default: return XL_KEY_NONE;
	}
}

int xl_screen_key(int timeout_ms)
{
	int c = stop || resized ? -1 : byte(timeout_ms);

	if (stop || c == -2)
		return XL_KEY_STOP;
	if (resized) {
		resized = 0;
		return XL_KEY_RESIZE;
	}
	if (c < 0)
		return XL_KEY_NONE;
	return c == 27 ? sequence() : c;
}
