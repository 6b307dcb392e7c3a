/* process_find.h - processes that nobody named by number: those of a control group, those of a name.  Never vmsnap
 * itself, nor a kernel thread or what has ended, as these have no memory. */
#ifndef VMSNAP_CLI_PROCESS_FIND_H
#define VMSNAP_CLI_PROCESS_FIND_H

#include "process_arg.h"

/* All that are in the control group, and in those below it, v1 or v2.  path: a folder (/sys/fs/cgroup/...), or as
 * /proc/PID/cgroup and systemd name it (system.slice/redis.service).  Both say what is wrong; none found is an
 * error. */
int processes_of_cgroup(const char *path, struct processes *out);
/* All whose name is exactly that, as pgrep -x has it: comm, of which the kernel keeps 15 bytes; or the base name of
 * their executable. */
int processes_that_match(const char *name, struct processes *out);
/* Whether the comm of any is that, as pgrep -x has it. */
bool process_is_called(const char *name);

#endif
