/* process_arg.h - what a word on the command line means as a process. */
#ifndef VMSNAP_CLI_PROCESS_ARG_H
#define VMSNAP_CLI_PROCESS_ARG_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A process number as people write it: digits or "pid:" and digits. */
bool word_is_process(const char *word);
/* Of a thread's number: that of its process, which is said. */
int process_parse(const char *word, pid_t *pid);

/* Several, each but once.  .pids is malloc'ed, and the caller's also if that fails. */
struct processes {
	pid_t *pids;
	size_t count;
};
int processes_parse(char *const *words, int count, struct processes *out);
/* Adds one that is not there yet; returns its index, or -1 if there is no memory. */
int processes_add(struct processes *processes, pid_t pid);

#endif
