/* track_arg.h - how writes are to be tracked, as --track says. */
#ifndef VMSNAP_CLI_TRACK_ARG_H
#define VMSNAP_CLI_TRACK_ARG_H

#include "options.h"
#include "vmsnap.h"

/* --track[=soft-dirty|uffd]: enum vmsnap_written_by, VMSNAP_WRITTEN_UNKNOWN for none.  STATUS_TROUBLE after saying
 * what is wrong with the word. */
int track_how(const struct options *options, int *how);
/* As that says.  STATUS_OK, or STATUS_TROUBLE after saying why it cannot be. */
int tracker_open(const struct options *options, pid_t pid, struct vmsnap_tracker **out);

#endif
