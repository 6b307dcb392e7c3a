/* process_arg.h - what a word on the command line means as a process. */
#ifndef VMSNAP_CLI_PROCESS_ARG_H
#define VMSNAP_CLI_PROCESS_ARG_H

#include <stdbool.h>
#include <sys/types.h>

/* A process number as people write it: digits or "pid:" and digits. */
bool word_is_process(const char *word);
/* Of a thread's number: that of its process, which is said. */
int process_parse(const char *word, pid_t *pid);

#endif
