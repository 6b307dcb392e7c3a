#include "json_line.h"

size_t json_line_squeeze(struct json_line *line, char *bytes, size_t len)
{
	size_t kept = 0;
	for (size_t i = 0; i < len; i++) {
		char c = bytes[i];
		bool blank = c == ' ' || c == '\n' || c == '\t' || c == '\r';
		if (blank && !line->in_string)
			continue;
		if (line->in_string && line->escaped)
			line->escaped = false;
		else if (line->in_string && c == '\\')
			line->escaped = true;
		else if (c == '"')
			line->in_string = !line->in_string;
		bytes[kept++] = c;
	}
	return kept;
}
