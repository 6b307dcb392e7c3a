/* descendants.h - the children of processes, and theirs, as they are now. */
#ifndef VMSNAP_CLI_DESCENDANTS_H
#define VMSNAP_CLI_DESCENDANTS_H

#include "process_arg.h"

/* Adds those of all that are in it.  command: for what goes wrong. */
int processes_add_descendants(struct processes *all, const char *command);

#endif
