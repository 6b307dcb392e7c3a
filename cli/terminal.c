#define _GNU_SOURCE
#include "terminal.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vmsnap.h"

enum { WIDTH_USUAL = 80, WIDTH_MAX = 10000 };

bool terminal_speaks_utf8(void)
{
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

static const char *environment(const char *name)
{
	const char *value = getenv(name);
	return value ? value : "";
}

static int color_depth(void)
{
	const char *colorterm = environment("COLORTERM"), *term = environment("TERM");
	if (!strcmp(colorterm, "truecolor") || !strcmp(colorterm, "24bit") || strstr(term, "-direct"))
		return VMSNAP_COLOR_RGB;
	return strstr(term, "256color") ? VMSNAP_COLOR_256 : VMSNAP_COLOR_16;
}

int terminal_color(enum color_when when)
{
	if (when == COLOR_NEVER)
		return VMSNAP_COLOR_NONE;
	if (when == COLOR_ALWAYS)
		return color_depth();
	const char *term = environment("TERM");
	/* no-color.org: set and not empty, whatever it says. */
	if (*environment("NO_COLOR") || !*term || !strcmp(term, "dumb") || !isatty(STDOUT_FILENO))
		return VMSNAP_COLOR_NONE;
	return color_depth();
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
