/* command_unknown.c - a word that is no command: what may have been meant. */
#include <unistd.h>

#include "nearest.h"
#include "options.h"
#include "process_arg.h"
#include "say.h"

/* A command was forgotten before what it is about. */
static int command_missing(const char *word, const char *what)
{
	return trouble("'%s' is a %s, not a command: 'vmsnap show %s' shows it. See 'vmsnap --help'.", word, what,
	               word);
}

int command_unknown(const char *name)
{
	if (word_is_process(name))
		return command_missing(name, "process");
	struct nearest nearest;
	nearest_init(&nearest, name);
	for (size_t i = 0; i < command_count; i++)
		nearest_try(&nearest, command_table[i].name);
	nearest_try(&nearest, "help");
	if (nearest.best)
		return trouble("there is no command '%s'; did you mean '%s'? See 'vmsnap --help'.", name, nearest.best);
	if (!access(name, F_OK))
		return command_missing(name, "file");
	return trouble("there is no command '%s'. See 'vmsnap --help'.", name);
}
