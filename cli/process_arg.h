/* process_arg.h - what a word on the command line means as a process. */
#ifndef VMSNAP_CLI_PROCESS_ARG_H
#define VMSNAP_CLI_PROCESS_ARG_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "options.h"

/* A process number as people write it: digits or "pid:" and digits. */
bool word_is_process(const char *word);

/* Several, each but once. */
struct processes {
	pid_t *pids;
	size_t count;
	/* The numbers that words had: that one of them is a thread's is said once. */
	struct named_process {
		pid_t number;
		size_t index; /* of its process */
	} * named;
	size_t named_count;
	bool again;   /* they were found before: that there is none now is no error */
	size_t found; /* by --cgroup and --match, each time that one is */
};
/* STATUS_OK, or STATUS_TROUBLE after saying why; to be freed in either case.  The number of a thread is
 * taken for that of its process, and that is said. */
int processes_parse(char *const *words, int count, struct processes *out);
/* Adds the one that a word means, if it is not there yet. */
int processes_add(struct processes *processes, const char *word, size_t *index);
/* Whether some of them were found by --cgroup or --match. */
bool processes_were_found(const struct options *options);
/* Adds one that was found, unless it is there. */
int processes_add_pid(struct processes *processes, pid_t pid);
void processes_free(struct processes *processes);

#endif
