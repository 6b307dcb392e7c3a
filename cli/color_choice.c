#include "color_choice.h"

#include <stdint.h>
#include <string.h>

#include "vmsnap.h"

/* ---- how many -------------------------------------------------------------------------------- */

static int depth_of_terminal(const struct color_world *world)
{
	const char *colorterm = world->colorterm, *term = world->term;
	if (!strcmp(colorterm, "truecolor") || !strcmp(colorterm, "24bit") || strstr(term, "-direct"))
		return VMSNAP_COLOR_RGB;
	return strstr(term, "256color") ? VMSNAP_COLOR_256 : VMSNAP_COLOR_16;
}

int color_depth(enum color_when when, const struct color_world *world)
{
	if (when == COLOR_NEVER)
		return VMSNAP_COLOR_NONE;
	if (when == COLOR_ALWAYS)
		return depth_of_terminal(world);
	/* no-color.org: set and not empty, whatever it says. */
	if (*world->no_color || !*world->term || !strcmp(world->term, "dumb") || !world->terminal)
		return VMSNAP_COLOR_NONE;
	return depth_of_terminal(world);
}

/* ---- on what --------------------------------------------------------------------------------- */

enum background background_of_number(const char *colorfgbg)
{
	enum { GREY = 7, DARK_GREY = 8, COLORS = 16 };
	const char *mark = strrchr(colorfgbg, ';');
	unsigned number = 0;
	size_t digits = 0;
	if (!mark)
		return BACKGROUND_UNKNOWN;
	for (const char *at = mark + 1; *at; at++) {
		if (*at < '0' || *at > '9' || ++digits > 2)
			return BACKGROUND_UNKNOWN; /* "default" says nothing */
		number = number * 10 + (unsigned)(*at - '0');
	}
	if (!digits || number >= COLORS)
		return BACKGROUND_UNKNOWN;
	return number < GREY || number == DARK_GREY ? BACKGROUND_DARK : BACKGROUND_LIGHT;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One to four digits, up to the mark or the end: a share of as many f.  Negative: it is nothing of that kind. */
static double share_of_hex(const char *text, size_t len)
{
	enum { DIGITS_MAX = 4 };
	uint32_t value = 0, most = 0;
	if (!len || len > DIGITS_MAX)
		return -1;
	for (size_t i = 0; i < len; i++) {
		int digit = hex_digit(text[i]);
		if (digit < 0)
			return -1;
		value = value << 4 | (uint32_t)digit;
		most = most << 4 | 0xf;
	}
	return (double)value / most;
}

/* "rgb:R/G/B" or "#RRGGBB", each of as many digits as the others in the latter.  False: it is neither. */
static bool shares_of_color(const char *text, size_t len, double share[3])
{
	static const char *const heads[] = { "rgb:", "rgba:" };
	size_t head = 0;
	for (size_t i = 0; i < 2 && !head; i++)
		if (len > strlen(heads[i]) && !memcmp(text, heads[i], strlen(heads[i])))
			head = strlen(heads[i]);
	if (!head && len > 1 && *text == '#' && (len - 1) % 3 == 0) {
		size_t digits = (len - 1) / 3;
		for (size_t i = 0; i < 3; i++)
			share[i] = share_of_hex(text + 1 + i * digits, digits);
		return share[0] >= 0 && share[1] >= 0 && share[2] >= 0;
	}
	const char *at = text + head, *end = text + len;
	size_t parts = 0;
	while (head && at < end && parts < 3) {
		const char *mark = memchr(at, '/', (size_t)(end - at));
		size_t digits = (size_t)((mark ? mark : end) - at);
		share[parts] = share_of_hex(at, digits);
		if (share[parts++] < 0)
			return false;
		at = mark ? mark + 1 : end;
	}
	return parts == 3;
}

enum background background_of_color(const char *text, size_t len)
{
	double share[3];
	if (!shares_of_color(text, len, share))
		return BACKGROUND_UNKNOWN;
	/* The square is near enough to what sRGB has. */
	double luminance = 0.2126 * share[0] * share[0] + 0.7152 * share[1] * share[1] + 0.0722 * share[2] * share[2];
	/* A grey with which black and white have the same contrast, #757575. */
	return luminance < 0.211 ? BACKGROUND_DARK : BACKGROUND_LIGHT;
}

/* ---- which ----------------------------------------------------------------------------------- */

static bool begins(const char *text, const char *head)
{
	return !strncmp(text, head, strlen(head));
}

/* screen hands the question to the terminals behind it and their answers to whoever is in front; the console of Linux
 * prints what it does not know, and is dark; Emacs shows it. */
bool background_can_be_asked(const struct color_world *world)
{
	bool screen = *world->sty || (begins(world->term, "screen") && !*world->tmux);
	return world->terminal && !screen && *world->term && strcmp(world->term, "dumb") != 0 &&
	       strcmp(world->term, "linux") != 0 && !begins(world->term, "eterm") && !*world->inside_emacs;
}

bool background_should_be_asked_first(const struct color_world *world)
{
	return *world->tmux || background_of_number(world->colorfgbg) == BACKGROUND_UNKNOWN;
}

bool scheme_is_light(enum scheme_which which, const struct color_world *world, enum background answer)
{
	if (which != SCHEME_AUTO)
		return which == SCHEME_LIGHT;
	return (answer != BACKGROUND_UNKNOWN ? answer : background_of_number(world->colorfgbg)) == BACKGROUND_LIGHT;
}
