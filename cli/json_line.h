/* json_line.h - JSON of several lines, in one. */
#ifndef VMSNAP_CLI_JSON_LINE_H
#define VMSNAP_CLI_JSON_LINE_H

#include <stdbool.h>
#include <stddef.h>

/* Zero at the beginning of a text. */
struct json_line {
	bool in_string, escaped;
};
/* Takes blanks and ends of lines out that are in no string, in place; returns how much is left. */
size_t json_line_squeeze(struct json_line *line, char *bytes, size_t len);

#endif
