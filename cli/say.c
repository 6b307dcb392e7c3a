#define _GNU_SOURCE
#include "say.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "terminal.h"
#include "write_all.h"

/* A message at its longest, each byte escaped as four. */
enum { MESSAGE_MAX = 2048, LINE_MAX_BYTES = 4 * MESSAGE_MAX + 16 };

struct line {
	size_t used;
	char bytes[LINE_MAX_BYTES];
};

static int line_add(void *ctx, const char *text, size_t len)
{
	struct line *line = ctx;
	if (len > sizeof(line->bytes) - line->used)
		return ENOBUFS;
	memcpy(line->bytes + line->used, text, len);
	line->used += len;
	return 0;
}

/* One write, so that lines of several programs do not mix. */
static void line_write(const struct line *line)
{
	(void)write_all(STDERR_FILENO, line->bytes, line->used); /* on failure nobody is left to be told */
}

static bool is_ascii(const char *text, size_t len)
{
	size_t i = 0;
	while (i < len && !((unsigned char)text[i] & 0x80))
		i++;
	return i == len;
}

__attribute__((format(printf, 1, 0))) static void say_list(const char *format, va_list args)
{
	char message[MESSAGE_MAX];
	int len = vsnprintf(message, sizeof(message), format, args);
	if (len < 0)
		return;
	size_t kept = (size_t)len < sizeof(message) ? (size_t)len : sizeof(message) - 1;

	struct line line = { .used = 0 };
	struct vmsnap_output output = { .size = sizeof(output), .write = line_add, .ctx = &line };
	output.style = (struct vmsnap_style){ .size = sizeof(output.style) };
	output.style.unicode = !is_ascii(message, kept) && terminal_speaks_utf8();
	line_add(&line, "vmsnap: ", 8);
	vmsnap_print_escaped(message, kept, &output, NULL);
	line_add(&line, "\n", 1);
	line_write(&line);
}

void say(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say_list(format, args);
	va_end(args);
}

int trouble(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say_list(format, args);
	va_end(args);
	return STATUS_TROUBLE;
}

static int trouble_and_more(const char *subject, const struct vmsnap_error *err, const char *more)
{
	/* Most messages of the library name what they are about themselves. */
	if (!subject || strstr(err->message, subject))
		return trouble("%s%s", err->message, more);
	return trouble("%s: %s%s", subject, err->message, more);
}

int trouble_with(const char *subject, const struct vmsnap_error *err)
{
	return trouble_and_more(subject, err, "");
}

int trouble_with_process(const char *subject, const struct vmsnap_error *err)
{
	return trouble_and_more(
	        subject, err,
	        err->code == VMSNAP_ERR_PERMISSION ? "; 'vmsnap --version --long' tells what this user may" : "");
}
