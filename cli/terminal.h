/* terminal.h - what the terminal (or whatever standard output is) can show. */
#ifndef VMSNAP_CLI_TERMINAL_H
#define VMSNAP_CLI_TERMINAL_H

#include <stdbool.h>

enum color_when { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

/* The locale's encoding.  main() has called setlocale(). */
bool terminal_speaks_utf8(void);
/* enum vmsnap_color for standard output. */
int terminal_color(enum color_when when);
/* Columns of standard output: the terminal's, else $COLUMNS, else 80. */
unsigned terminal_width(void);

#endif
