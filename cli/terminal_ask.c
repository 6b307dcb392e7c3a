#define _GNU_SOURCE
#include "terminal_ask.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* The second question is one that every terminal answers ("what are you?"), in order: who does not know the first is
 * not waited for. */
static const char the_question[] = "\033]11;?\033\\\033[c";

/* ---- what comes back --------------------------------------------------------------------------- */

enum { ESCAPE = 0x1b, BELL = 0x07, BYTES_MAX = 4096 };

static void stray(struct hearing *hearing, unsigned char byte)
{
	if (hearing->stray_len < STRAYS_MAX)
		hearing->strays[hearing->stray_len++] = byte;
	hearing->state = HEARING_TYPED;
}

static void osc_ends(struct hearing *hearing)
{
	static const char head[] = "11;";
	const size_t head_len = sizeof(head) - 1;
	if (hearing->answer_len > head_len && !memcmp(hearing->answer, head, head_len))
		hearing->background = background_of_color(hearing->answer + head_len, hearing->answer_len - head_len);
	hearing->answer_len = 0;
	hearing->state = HEARING_TYPED;
}

static void hear_osc(struct hearing *hearing, unsigned char byte)
{
	if (byte == BELL)
		osc_ends(hearing);
	else if (byte == ESCAPE)
		hearing->state = HEARING_OSC_ESCAPE;
	else if (hearing->answer_len < ANSWER_MAX)
		hearing->answer[hearing->answer_len++] = (char)byte;
}

static void hear_after_escape(struct hearing *hearing, unsigned char byte)
{
	if (byte == ']') {
		hearing->state = HEARING_OSC;
	} else if (byte == '[') {
		hearing->state = HEARING_CSI;
	} else {
		stray(hearing, ESCAPE);
		stray(hearing, byte);
	}
}

/* Cursor keys begin so. */
static void hear_csi(struct hearing *hearing, unsigned char byte)
{
	if (byte == '?') {
		hearing->state = HEARING_PRIVATE;
		return;
	}
	stray(hearing, ESCAPE);
	stray(hearing, '[');
	stray(hearing, byte);
}

static void hear(struct hearing *hearing, unsigned char byte)
{
	/* Some terminals end an answer with ESC alone, and another sequence may begin there. */
	if (hearing->state == HEARING_OSC_ESCAPE) {
		osc_ends(hearing);
		if (byte == '\\')
			return;
		hearing->state = HEARING_ESCAPE;
		if (byte == ESCAPE)
			return;
	}
	switch (hearing->state) {
	case HEARING_ESCAPE:
		hear_after_escape(hearing, byte);
		break;
	case HEARING_OSC:
		hear_osc(hearing, byte);
		break;
	case HEARING_CSI:
		hear_csi(hearing, byte);
		break;
	case HEARING_PRIVATE:
		hearing->over |= byte == 'c';
		if (byte >= '@' && byte <= '~')
			hearing->state = HEARING_TYPED;
		break;
	default:
		if (byte == ESCAPE)
			hearing->state = HEARING_ESCAPE;
		else
			stray(hearing, byte);
	}
}

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Byte by byte, so that what comes after the last answer stays where it is.  No more is taken of what the user types
 * meanwhile than can be put back. */
static void listen_for(struct hearing *hearing, int milliseconds)
{
	enum { MOST_AT_ONCE = 3 };
	int64_t end = now_ms() + milliseconds;
	unsigned char byte;
	for (size_t i = 0; i < BYTES_MAX && !hearing->over && hearing->stray_len + MOST_AT_ONCE <= STRAYS_MAX; i++) {
		struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
		int64_t left = end - now_ms();
		if (poll(&input, 1, left > 0 ? (int)left : 0) != 1 || !(input.revents & POLLIN) ||
		    read(STDIN_FILENO, &byte, 1) != 1)
			break;
		hear(hearing, byte);
	}
}

/* Since Linux 6.2 it may be that nobody may type for the user. */
static bool can_put_back(void)
{
	char may = '1';
	int fd = open("/proc/sys/dev/tty/legacy_tiocsti", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return true; /* an older one */
	ssize_t len = read(fd, &may, 1);
	close(fd);
	return len == 1 && may == '1';
}

static void put_back(struct hearing *hearing)
{
	for (size_t i = 0; i < hearing->stray_len; i++)
		if (ioctl(STDIN_FILENO, TIOCSTI, &hearing->strays[i]))
			break;
	hearing->stray_len = 0;
}

/* ---- asking ------------------------------------------------------------------------------------ */

bool terminal_is_one(void)
{
	struct stat in, out;
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && !fstat(STDIN_FILENO, &in) &&
	       !fstat(STDOUT_FILENO, &out) && in.st_dev == out.st_dev && in.st_ino == out.st_ino &&
	       in.st_rdev == out.st_rdev;
}

bool terminal_is_whole(void)
{
	return terminal_is_one() && tcgetpgrp(STDIN_FILENO) == getpgrp();
}

/* No signal comes between the change and the way back, be it Ctrl-C; what comes then acts when all is as it was. */
struct hushed {
	struct termios before;
	sigset_t signals;
};

/* Nothing is echoed, and bytes come one by one; what is waiting to be read stays. */
static bool hush(struct hushed *hushed)
{
	sigset_t all;
	sigfillset(&all);
	sigdelset(&all, SIGSEGV);
	sigdelset(&all, SIGBUS);
	sigdelset(&all, SIGABRT);
	if (tcgetattr(STDIN_FILENO, &hushed->before) || sigprocmask(SIG_SETMASK, &all, &hushed->signals))
		return false;
	struct termios quiet = hushed->before;
	quiet.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	quiet.c_cc[VMIN] = quiet.c_cc[VTIME] = 0;
	if (!tcsetattr(STDIN_FILENO, TCSANOW, &quiet))
		return true;
	sigprocmask(SIG_SETMASK, &hushed->signals, NULL);
	return false;
}

static void unhush(const struct hushed *hushed)
{
	tcsetattr(STDIN_FILENO, TCSANOW, &hushed->before);
	sigprocmask(SIG_SETMASK, &hushed->signals, NULL);
}

/* While lines are edited only whole ones count, and their ends would be forgotten by a change. */
static bool is_typed_ahead(void)
{
	int waiting = 0;
	return ioctl(STDIN_FILENO, FIONREAD, &waiting) || waiting;
}

/* A terminal that was stopped (Ctrl-S) would keep us waiting. */
static bool put_question(void)
{
	struct pollfd output = { .fd = STDOUT_FILENO, .events = POLLOUT };
	return poll(&output, 1, 0) == 1 && output.revents == POLLOUT &&
	       write(STDOUT_FILENO, the_question, sizeof(the_question) - 1) == (ssize_t)sizeof(the_question) - 1;
}

enum background terminal_ask_background(struct terminal_question *question, int milliseconds)
{
	struct hushed hushed;
	*question = (struct terminal_question){ .open = false };
	if (is_typed_ahead() || !hush(&hushed))
		return BACKGROUND_UNKNOWN;
	if (!is_typed_ahead() && put_question()) {
		listen_for(&question->hearing, milliseconds);
		put_back(&question->hearing);
		question->open = !question->hearing.over;
	}
	unhush(&hushed);
	return question->hearing.background;
}

void terminal_hear_out(struct terminal_question *question)
{
	struct hearing *hearing = &question->hearing;
	struct hushed hushed;
	/* What is there may be nothing but what the user typed while we worked. */
	if (!question->open || !terminal_is_whole() || !can_put_back() || !hush(&hushed))
		return;
	question->open = false;
	listen_for(hearing, 0);
	/* The user's Escape key. */
	if (!hearing->over && hearing->state == HEARING_ESCAPE)
		stray(hearing, ESCAPE);
	put_back(hearing);
	unhush(&hushed);
}
