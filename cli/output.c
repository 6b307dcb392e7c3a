#define _GNU_SOURCE
#include "output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "say.h"
#include "write_all.h"

static int flush(struct output *output)
{
	if (!output->error)
		output->error = write_all(STDOUT_FILENO, output->buffer, output->used);
	output->used = 0;
	return output->error;
}

static int output_write(void *ctx, const char *text, size_t len)
{
	struct output *output = ctx;
	while (len && !output->error) {
		size_t room = sizeof(output->buffer) - output->used;
		size_t n = len < room ? len : room;
		memcpy(output->buffer + output->used, text, n);
		output->used += n;
		text += n;
		len -= n;
		if (output->used == sizeof(output->buffer))
			flush(output);
	}
	return output->error;
}

/* Whose texts have colours of what pages are. */
enum {
	COMMANDS_PAINTED =
	        CMD_SHOW | CMD_PAGES | CMD_PAGE | CMD_DUMP | CMD_DIFF | CMD_COW | CMD_GROUP | CMD_MAP | CMD_SERIES
};

/* Nobody is asked whose answer would not be looked at. */
static int color(const struct options *options, struct terminal_question *question)
{
	int depth = terminal_color(options->color);
	bool painted = options->command && options->command->bit & COMMANDS_PAINTED && !options->json && !options->raw;
	if (depth == VMSNAP_COLOR_NONE || !painted || !terminal_is_light(options->scheme, question))
		return depth;
	return depth | VMSNAP_COLOR_LIGHT;
}

void output_init(struct output *output, const struct options *options)
{
	output->question = (struct terminal_question){ .open = false };
	output->error = 0;
	output->used = 0;
	output->to = (struct vmsnap_output){ .size = sizeof(output->to), .write = output_write, .ctx = output };
	output->to.style = (struct vmsnap_style){
		.size = sizeof(output->to.style),
		.color = color(options, &output->question),
		.width = options->width_given ? options->width : terminal_width(),
		.unicode = !options->ascii && terminal_speaks_utf8(),
		.json = options->json,
		.raw = options->raw,
		.bytes = options->bytes,
		.no_headings = options->no_headings,
		.columns = options->columns,
		.sort = options->sort,
	};
}

bool output_flush(struct output *output)
{
	return !flush(output);
}

void output_text(struct output *output, const char *text)
{
	output_write(output, text, strlen(text));
}

void output_format(struct output *output, const char *format, ...)
{
	char text[1024];
	va_list args;
	va_start(args, format);
	int len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (len > 0)
		output_write(output, text, (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1);
}

int output_finish(struct output *output, int rc, const struct vmsnap_error *err)
{
	flush(output);
	terminal_hear_out(&output->question);
	/* Some file systems tell of a full disk no earlier. */
	if (!output->error && close(STDOUT_FILENO))
		output->error = errno;
	if (output->error == EPIPE)
		return STATUS_PIPE_CLOSED; /* `vmsnap pages … | head`: nothing to tell */
	if (output->error)
		return trouble("cannot write to standard output: %s", strerror(output->error));
	if (rc < 0)
		return trouble_with(NULL, err);
	return STATUS_OK;
}
