#define _GNU_SOURCE
#include "watch_screen.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "terminal.h"

bool screen_can_be(void)
{
	const char *term = getenv("TERM");
	return isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb") != 0;
}

/* Others have standard output, too, and would not expect it not to wait for them. */
void screen_open(struct screen *screen, int signals)
{
	*screen = (struct screen){ .signals = signals };
	screen->fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (screen->fd < 0)
		screen->fd = STDOUT_FILENO; /* it belongs to another user */
	screen->keys = terminal_is_one();
	screen_measure(screen);
}

void screen_close(struct screen *screen)
{
	screen_leave(screen);
	if (screen->fd != STDOUT_FILENO)
		close(screen->fd);
}

void screen_measure(struct screen *screen)
{
	enum { ROWS_USUAL = 24, MOST = 1000 };
	struct winsize size = { 0 };
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_row)
		size.ws_row = ROWS_USUAL;
	screen->rows = size.ws_row < MOST ? size.ws_row : MOST;
	screen->columns = terminal_width();
}

static int write_some(const struct screen *screen, const char *bytes, size_t len, int patience_ms, bool any_signal)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = write(screen->fd, bytes + done, len - done);
		struct pollfd both[] = { { .fd = screen->fd, .events = POLLOUT },
			                 { .fd = any_signal ? screen->signals : -1, .events = POLLIN } };
		if (n >= 0)
			done += (size_t)n;
		else if (errno != EAGAIN && errno != EINTR)
			return errno;
		else if (poll(both, 2, patience_ms) == 0)
			return ETIMEDOUT;
		else if (both[1].revents)
			return EINTR;
	}
	return 0;
}

int screen_write(const struct screen *screen, const char *bytes, size_t len)
{
	return write_some(screen, bytes, len, -1, true);
}

/* The settings are those that we found first: who has stopped us may have left others. */
void screen_take(struct screen *screen)
{
	static const char take[] = "\033[?1049h\033[?25l\033[H\033[2J";
	if (screen->keys && !screen->taken && tcgetattr(STDIN_FILENO, &screen->before))
		screen->keys = false;
	if (screen->keys) {
		struct termios quiet = screen->before;
		quiet.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		quiet.c_cc[VMIN] = 1;
		quiet.c_cc[VTIME] = 0;
		tcsetattr(STDIN_FILENO, TCSANOW, &quiet);
	}
	screen->taken = true;
	write_some(screen, take, sizeof(take) - 1, 1000, true);
}

/* Where there is no other screen (the console of Linux), what follows stands below.  A terminal that takes nothing is
 * not waited for for ever. */
void screen_leave(struct screen *screen)
{
	char leave[64];
	if (!screen->taken)
		return;
	screen->taken = false;
	int len = snprintf(leave, sizeof(leave), "\033[0m\033[%u;1H\r\n\033[?25h\033[?1049l", screen->rows);
	write_some(screen, leave, (size_t)len, 1000, false);
	if (screen->keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &screen->before);
}
