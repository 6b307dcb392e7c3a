#define _GNU_SOURCE
#include "terminal.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vmsnap.h"

enum { WIDTH_USUAL = 80, WIDTH_MAX = 10000 };

bool terminal_speaks_utf8(void)
{
	return setlocale(LC_CTYPE, "") && !strcmp(nl_langinfo(CODESET), "UTF-8");
}

static const char *environment(const char *name)
{
	const char *value = getenv(name);
	return value ? value : "";
}

static struct color_world color_world(void)
{
	return (struct color_world){ .no_color = environment("NO_COLOR"),
		                     .term = environment("TERM"),
		                     .colorterm = environment("COLORTERM"),
		                     .colorfgbg = environment("COLORFGBG"),
		                     .tmux = environment("TMUX"),
		                     .sty = environment("STY"),
		                     .inside_emacs = environment("INSIDE_EMACS"),
		                     .terminal = isatty(STDOUT_FILENO) };
}

int terminal_color(enum color_when when)
{
	const struct color_world world = color_world();
	return color_depth(when, &world);
}

/* Whoever is far away answers late, but answers, and what comes after we have gone would be taken for something
 * typed. */
static int patience_ms(void)
{
	enum { NEAR_MS = 100, FAR_MS = 1000 };
	return *environment("SSH_CONNECTION") || *environment("SSH_TTY") ? FAR_MS : NEAR_MS;
}

bool terminal_is_light(enum scheme_which which, struct terminal_question *question)
{
	const struct color_world world = color_world();
	enum background answer = BACKGROUND_UNKNOWN;
	if (which == SCHEME_AUTO && background_can_be_asked(&world) && background_should_be_asked_first(&world) &&
	    terminal_is_whole())
		answer = terminal_ask_background(question, patience_ms());
	return scheme_is_light(which, &world, answer);
}

unsigned terminal_width(void)
{
	struct winsize size;
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col)
		return size.ws_col;
	const char *columns = environment("COLUMNS");
	char *end;
	unsigned long width = strtoul(columns, &end, 10);
	return *columns >= '1' && *columns <= '9' && !*end && width <= WIDTH_MAX ? (unsigned)width : WIDTH_USUAL;
}
