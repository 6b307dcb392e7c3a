/* completed.h - what the three shells' completions have in common. */
#ifndef VMSNAP_CLI_COMPLETED_H
#define VMSNAP_CLI_COMPLETED_H

#include "options.h"
#include "output.h"

/* How a value is completed. */
enum complete_by {
	COMPLETE_NOTHING,
	COMPLETE_FILES,
	COMPLETE_FOLDERS,
	COMPLETE_WORDS,   /* one of .words */
	COMPLETE_LIST,    /* several of them, separated by commas */
	COMPLETE_COLUMNS, /* several columns of the command's tables */
};
struct completed {
	enum complete_by by;
	const char *words; /* separated by blanks */
};
struct completed completed_value(enum option_value value);
/* Of an option whose value only comes with "=", and may be left out: --color[=WHEN]. */
bool option_value_is_optional(const struct option_row *row);
/* Whether operands are processes; else they are files. */
bool command_takes_processes(const struct command *command);
/* All columns of all its tables, each once and with a blank behind it; quote: "\"" or "", where none is needed.
 * There are names like "EXCL?". */
void command_columns_print(struct output *output, const struct command *command, const char *quote);

#endif
