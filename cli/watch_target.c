#define _GNU_SOURCE
#include "watch_target.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "say.h"

/* By number: glibc has it since 2.36. */
static int pidfd_of(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

static int add_word(struct targets *targets, const struct options *options, const char *word)
{
	size_t index;
	if (!strcmp(word, "-") || !strncmp(word, "-@", 2))
		return trouble("%s: standard input can be read once; --watch looks again and again",
		               options->command->name);
	return word_is_process(word) ? processes_add(&targets->processes, word, &index) : STATUS_OK;
}

static int open_all(struct targets *targets)
{
	targets->fds = calloc(targets->processes.count + 1, sizeof(*targets->fds));
	if (!targets->fds)
		return trouble("out of memory");
	for (size_t i = 0; i < targets->processes.count; i++)
		targets->fds[i] = (struct pollfd){ .fd = pidfd_of(targets->processes.pids[i]), .events = POLLIN };
	return STATUS_OK;
}

int targets_open(struct targets *targets, const struct options *options)
{
	int status = STATUS_OK;
	*targets = (struct targets){ .fds = NULL };
	for (int i = 0; !status && i < options->operand_count; i++)
		status = add_word(targets, options, options->operands[i]);
	if (!status && options->base)
		status = add_word(targets, options, options->base);
	if (!status && options->operand_count && !targets->processes.count && !processes_were_found(options))
		status = trouble("%s: --watch is for live processes, and %s is a file, which does not change; vmsnap "
		                 "series tells "
		                 "of a file over time",
		                 options->command->name, options->operands[0]);
	return status ? status : open_all(targets);
}

void targets_free(struct targets *targets)
{
	for (size_t i = 0; targets->fds && i < targets->processes.count; i++)
		if (targets->fds[i].fd >= 0)
			close(targets->fds[i].fd);
	free(targets->fds);
	processes_free(&targets->processes);
}

pid_t targets_ended(struct targets *targets)
{
	if (poll(targets->fds, targets->processes.count, 0) <= 0)
		return 0;
	for (size_t i = 0; i < targets->processes.count; i++)
		if (targets->fds[i].revents)
			return targets->processes.pids[i];
	return 0;
}
