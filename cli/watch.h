/* watch.h - a command that looks at live processes, again and again (--watch). */
#ifndef VMSNAP_CLI_WATCH_H
#define VMSNAP_CLI_WATCH_H

#include "options.h"

/* Each round is a process of its own, which does what the command does without --watch: whatever becomes of it, the
 * terminal is ours to put right, and nothing is left of it. */
int watch_run(const struct options *options);

#endif
