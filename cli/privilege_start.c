#include "privilege_start.h"

#include <unistd.h>

#include "privilege.h"
#include "process_arg.h"
#include "say.h"

static bool names_process(const struct options *options)
{
	unsigned bit = options->command->bit;
	if (processes_were_found(options) || ((bit & CMD_RECORD) && options->operand_count))
		return true;
	if (bit & (CMD_LIST | CMD_CHECK | CMD_COPY | CMD_SERIES | CMD_REPORT))
		return false;
	/* All processes are looked at for a frame and for a file. */
	if ((bit & CMD_WHO) && options->operand_count == 1)
		return true;
	/* What comes second there is an address. */
	int count = bit & (CMD_PAGES | CMD_PAGE | CMD_DUMP | CMD_WHO) ? 1 : options->operand_count;
	for (int i = 0; i < count; i++)
		if (word_is_process(options->operands[i]))
			return true;
	return (options->base && word_is_process(options->base)) || (options->other && word_is_process(options->other));
}

int privilege_start(const struct options *options)
{
	if (getuid() != geteuid() || getgid() != getegid())
		return trouble("this command must not be installed set-user-ID or set-group-ID; give it capabilities "
		               "instead (setcap)");
	if (!names_process(options))
		privilege_drop();
	return STATUS_OK;
}
