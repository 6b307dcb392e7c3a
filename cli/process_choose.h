/* process_choose.h - which processes a command is about: those that are named, and those that are found. */
#ifndef VMSNAP_CLI_PROCESS_CHOOSE_H
#define VMSNAP_CLI_PROCESS_CHOOSE_H

#include "process_arg.h"

/* The PROC of a command: the operands in front of "--", and what --cgroup and --match find (process_find.h).  None
 * at all is an error that says what can be given. */
int processes_choose(const struct options *options, struct processes *out);
/* Only those that --cgroup and --match find. */
int processes_of_options(const struct options *options, struct processes *out);
/* rc, of a capture: such ones come and go, and who is there now is to be chosen anew. */
bool processes_may_have_gone(const struct options *options, int rc);

#endif
