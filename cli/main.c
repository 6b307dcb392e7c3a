/* The command line of vmsnap: which command is meant. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "help.h"
#include "nearest.h"
#include "options.h"
#include "privilege_start.h"
#include "say.h"
#include "stack.h"
#include "watch.h"

/* If 0, 1 or 2 is closed, the next file opened would get its number, and what is
 * meant for a person would be written into a snapshot.  Opened the wrong way
 * round, so that using one still fails. */
static void standard_descriptors_occupy(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
			return;
}

static int help(int argc, char **argv)
{
	if (argc < 2)
		return help_all();
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
		return help_all();
	if (argc > 2)
		return trouble("help: '%s' is one too many: vmsnap help [COMMAND]", argv[2]);
	const struct command *command = command_find(argv[1]);
	return command ? help_command(command) : command_unknown(argv[1]);
}

/* Whether it is one of a command, "--json=x" too. */
static bool is_of_a_command(const char *word)
{
	size_t len = strncmp(word, "--", 2) ? 0 : strcspn(word + 2, "=");
	for (size_t i = 0; i < option_count; i++) {
		const struct option_row *row = &option_table[i];
		if (len ? strlen(row->name) == len && !strncmp(row->name, word + 2, len)
		        : row->letter && row->letter == word[1])
			return true;
	}
	return false;
}

static int option_unknown(const char *word)
{
	struct nearest nearest;
	nearest_init(&nearest, word);
	nearest_try(&nearest, "--help");
	nearest_try(&nearest, "--version");
	nearest_try(&nearest, "--completion");
	if (nearest.best)
		return trouble("there is no option '%s'; did you mean '%s'? See 'vmsnap --help'.", word, nearest.best);
	if (is_of_a_command(word))
		return trouble("'%s' is an option of commands, and stands behind them: vmsnap COMMAND %s. See 'vmsnap "
		               "--help'.",
		               word, word);
	return trouble("there is no option '%s' before the command. See 'vmsnap --help'.", word);
}

static int global_option(int argc, char **argv)
{
	const char *word = argv[0];
	if (!strcmp(word, "--help") || !strcmp(word, "-h"))
		return help(argc, argv);
	if (!strcmp(word, "--version") || !strcmp(word, "-V"))
		return help_version(argc, argv);
	if (!strcmp(word, "--completion") && argc == 2)
		return completion_print(argv[1]);
	if (!strncmp(word, "--completion=", strlen("--completion=")) && argc == 1)
		return completion_print(strchr(word, '=') + 1);
	if (!strcmp(word, "--completion"))
		return trouble("--completion needs the name of a shell: bash, zsh or fish");
	return option_unknown(word);
}

int main(int argc, char **argv)
{
	int status = stack_prepare();
	if (status)
		return status;
	standard_descriptors_occupy();
	/* A closed pipe, or a file as long as ulimit allows, is an error of write() like others:
	 * see output_finish(). */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);

	if (argc < 2)
		return trouble("what to do? 'vmsnap show PID' shows a process, 'vmsnap --help' lists the commands.");
	if (argv[1][0] == '-')
		return global_option(argc - 1, argv + 1);
	if (!strcmp(argv[1], "help"))
		return help(argc - 1, argv + 1);
	const struct command *command = command_find(argv[1]);
	if (!command)
		return command_unknown(argv[1]);

	struct options options;
	status = options_parse(&options, command, argc - 1, argv + 1);
	if (status)
		return status;
	if (options.help)
		return help_brief(command);
	status = privilege_start(&options);
	if (status)
		return status;
	return options.watch ? watch_run(&options) : command->run(&options);
}
