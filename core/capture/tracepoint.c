#define _GNU_SOURCE
#include "tracepoint.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"

static bool read_text(const char *folder, const char *name, const char *file, char *text, size_t room)
{
	char path[160];
	snprintf(path, sizeof(path), "%s/events/%s/%s", folder, name, file);
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, room - 1);
	text[got > 0 ? got : 0] = '\0';
	return got > 0;
}

/* "	field:unsigned long address;	offset:8;	size:8;	signed:0;" */
static bool find_field(const char *format, const struct tracepoint_field *field)
{
	char wanted[32], size_wanted[32];
	snprintf(wanted, sizeof(wanted), " %s;", field->name);
	snprintf(size_wanted, sizeof(size_wanted), "size:%zu;", field->size);
	const char *at = strstr(format, wanted), *number = at ? strstr(at, "offset:") : NULL;
	const char *size = number ? strstr(number, size_wanted) : NULL, *line = at ? strchr(at, '\n') : NULL;
	if (!size || !line || size > line)
		return false;
	*field->offset = strtoul(number + 7, NULL, 10);
	return *field->offset < 256;
}

static bool find_fields(const char *format, const struct tracepoint_field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!find_field(format, &fields[i]))
			return false;
	return true;
}

bool tracepoint_find(const char *name, const struct tracepoint_field *fields, size_t count, uint64_t *id)
{
	static const char *const folders[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };
	char text[4096];
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (read_text(folders[i], name, "format", text, sizeof(text)) && find_fields(text, fields, count) &&
		    read_text(folders[i], name, "id", text, sizeof(text)) && (*id = strtoull(text, NULL, 10)))
			return true;
	return false;
}
