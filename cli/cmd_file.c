/* Commands about a file as a whole. */
#include <stdbool.h>

#include "commands.h"
#include "output.h"
#include "sources.h"

typedef int (*print_file_fn)(const struct vmsnap_file *file, const struct vmsnap_output *out, struct vmsnap_error *err);

static int print_file(const struct options *options, bool warn, print_file_fn print)
{
	struct vmsnap_file *file;
	struct output output;
	struct vmsnap_error err;
	int status = file_from_word(options->operands[0], warn, &file);
	if (status)
		return status;
	output_init(&output, options);
	status = output_finish(&output, print(file, &output.to, &err), &err);
	vmsnap_file_close(file);
	return status;
}

int cmd_list(const struct options *options)
{
	return print_file(options, true, vmsnap_print_list);
}

int cmd_check(const struct options *options)
{
	return print_file(options, false, vmsnap_print_check);
}
