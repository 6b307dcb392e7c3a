/* cgroup.h - the text of /proc/PID/cgroup (cgroups(7)). */
#ifndef VMSNAP_CGROUP_H
#define VMSNAP_CGROUP_H

#include "procdir.h"
#include "scan.h"

/* The path that tells most of a process: of cgroup v2, else of the hierarchy of v1 in which systemd keeps
 * its units, else of another.  Empty if there is none. */
struct cursor cgroup_path(const struct proc_text *text);

#endif
