/* output.h - standard output, buffered, its errors kept until the end. */
#ifndef VMSNAP_CLI_OUTPUT_H
#define VMSNAP_CLI_OUTPUT_H

#include "options.h"
#include "vmsnap.h"

struct output {
	struct vmsnap_output to; /* for the vmsnap_print functions */
	struct terminal_question question;
	int error;               /* errno of the first write that failed */
	size_t used;
	char buffer[1 << 16];
};

void output_init(struct output *output, const struct options *options);
void output_text(struct output *output, const char *text);
__attribute__((format(printf, 2, 3))) void output_format(struct output *output, const char *format, ...);
/* Writes out what there is now; false: it cannot be written. */
bool output_flush(struct output *output);
/* Writes out what is left and says what went wrong: in writing, or, rc and err,
 * in making the text.  Returns the exit status: STATUS_OK if nothing did. */
int output_finish(struct output *output, int rc, const struct vmsnap_error *err);

#endif
