/* terminal.h - what the terminal (or whatever standard output is) can show. */
#ifndef VMSNAP_CLI_TERMINAL_H
#define VMSNAP_CLI_TERMINAL_H

#include <stdbool.h>

#include "color_choice.h"
#include "terminal_ask.h"

/* The encoding of the locale, which is not looked for before: it is in ten files. */
bool terminal_speaks_utf8(void);
/* enum vmsnap_color for standard output. */
int terminal_color(enum color_when when);
/* Whether colours are to be for a light one.  The terminal may be asked for it; what is open then is heard out at the end. */
bool terminal_is_light(enum scheme_which which, struct terminal_question *question);
/* Columns of standard output: the terminal's, else $COLUMNS, else 80. */
unsigned terminal_width(void);

#endif
