#define _GNU_SOURCE
#include "instant_processes.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "error.h"

bool instant_wants(const struct capture *capture, unsigned flag)
{
	return capture->options.flags & flag;
}

bool instant_lives_on(int procdir)
{
	bool live = false;
	for (int look = 0; look < 4 && !procdir_is_live(procdir, &live) && live; look++) {
		struct proc_stat stat;
		char exe[1];
		if (procdir_stat(procdir, &stat, NULL))
			continue;
		if (!strchr("ZX", stat.state) && (readlinkat(procdir, "exe", exe, sizeof(exe)) >= 0 || errno != ENOENT))
			return true;
		CLEANUP_CLOSE int living = procdir_living_thread(procdir);
		if (living >= 0)
			return true;
	}
	return false;
}

bool instant_seems_exited(int rc)
{
	return rc == VMSNAP_ERR_EXITED || rc == VMSNAP_ERR_ZOMBIE || rc == VMSNAP_ERR_NO_PROCESS;
}

bool instant_may_leave_out(const struct capture *capture, size_t index, int rc)
{
	const struct frozen_process *process = &capture->freeze.processes[index];
	return !process->named && instant_seems_exited(rc) &&
	       (capture->last_look || !instant_lives_on(process->procdir));
}

bool instant_takes(const struct capture *capture, size_t index)
{
	const struct frozen_process *process = &capture->freeze.processes[index];
	return !process->companion && (process->named || !process->gone);
}

void instant_leave_out(struct capture *capture, size_t index)
{
	capture->freeze.processes[index].gone = true;
}

int instant_fail_of(struct capture *capture, size_t index, int rc)
{
	const struct freeze *freeze = &capture->freeze;
	struct vmsnap_error why = capture->error;
	size_t first = freeze->processes[index].parent;
	if (freeze->processes[index].named)
		return rc;
	while (!freeze->processes[first].named && freeze->processes[first].parent != first)
		first = freeze->processes[first].parent;
	fail_at(&capture->error, rc, why.position, "process %d, a descendant of process %d: %s%s",
	        (int)freeze->processes[index].pid, (int)freeze->processes[first].pid, why.message,
	        rc == VMSNAP_ERR_PERMISSION ? "; or name those that are to be captured, without their descendants"
	                                    : "");
	capture->error.sys_errno = why.sys_errno;
	return rc;
}
