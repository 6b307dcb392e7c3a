/* color_choice.h - how many colours, and on what: decided from what is known, which is all handed in.  Asks nobody. */
#ifndef VMSNAP_CLI_COLOR_CHOICE_H
#define VMSNAP_CLI_COLOR_CHOICE_H

#include <stdbool.h>
#include <stddef.h>

enum color_when { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };
enum scheme_which { SCHEME_AUTO, SCHEME_DARK, SCHEME_LIGHT };

/* Values of variables, "" if they are not set; and whether standard output is a terminal. */
struct color_world {
	const char *no_color, *term, *colorterm, *colorfgbg, *tmux, *sty, *inside_emacs;
	bool terminal;
};

/* enum vmsnap_color */
int color_depth(enum color_when when, const struct color_world *world);

/* Colours on which black can be read better than white are light. */
enum background { BACKGROUND_UNKNOWN, BACKGROUND_DARK, BACKGROUND_LIGHT };
/* COLORFGBG: "15;0", "0;default;15": what stands last is the background's number. */
enum background background_of_number(const char *colorfgbg);
/* What a terminal answers, without what it begins and ends with: "rgb:ffff/ffff/ffff", "rgba:…", "#ffffff". */
enum background background_of_color(const char *text, size_t len);

/* Whether asking may help: not where it is known not to be understood. */
bool background_can_be_asked(const struct color_world *world);
/* Whether the terminal's word is better than COLORFGBG, which a multiplexer has from the terminal that it was begun
 * in. */
bool background_should_be_asked_first(const struct color_world *world);
/* answer: BACKGROUND_UNKNOWN if nobody was asked, or did not answer. */
bool scheme_is_light(enum scheme_which which, const struct color_world *world, enum background answer);

#endif
