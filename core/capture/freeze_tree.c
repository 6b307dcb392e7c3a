#define _GNU_SOURCE
#include "freeze_tree.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "error.h"
#include "procdir.h"
#include "scan.h"

struct children_job {
	struct freeze *freeze;
	size_t parent;
	size_t added;
	struct vmsnap_error *err;
	int rc;
};

/* Gone or a zombie; a child that is left out for another reason would be missed. */
static bool has_no_memory(int rc)
{
	return rc == VMSNAP_ERR_NO_PROCESS || rc == VMSNAP_ERR_EXITED || rc == VMSNAP_ERR_ZOMBIE ||
	       rc == VMSNAP_ERR_KERNEL_THREAD;
}

static int add_child(struct children_job *job, pid_t pid)
{
	for (size_t p = 0; p < job->freeze->count; p++)
		if (job->freeze->processes[p].pid == pid)
			return 0;
	/* We are a child of the shell whose tree somebody looks at, but no part of it. */
	int procdir;
	if (pid == getpid())
		return 0;
	job->rc = procdir_open(pid, &procdir, job->err);
	if (has_no_memory(job->rc)) {
		job->rc = VMSNAP_OK;
		return 0;
	}
	if (!job->rc)
		job->rc = freeze_add(job->freeze, pid, job->parent, procdir, job->err);
	job->added++;
	return job->rc;
}

/* /proc/PID/task/TID/children, Linux 3.5 with CONFIG_PROC_CHILDREN: complete only
 * while all children are stopped, which the last pass over the tree sees to. */
static int children_of_task(void *ctx, pid_t tid)
{
	struct children_job *job = ctx;
	char name[48];
	struct proc_text text = { 0 };
	snprintf(name, sizeof(name), "task/%d/children", (int)tid);
	int error = procdir_read(job->freeze->processes[job->parent].procdir, name, &text);
	struct cursor c = { text.text, text.len ? text.text + text.len : text.text };
	uint64_t pid;
	while (!error && !job->rc && c.at < c.end && take_decimal(&c, &pid)) {
		add_child(job, (pid_t)pid);
		take_spaces(&c);
	}
	proc_text_free(&text);
	/* ENOENT also where the kernel has no such file. */
	if (error && error != ENOENT && error != ESRCH)
		job->rc =
		        procdir_fail(error, job->freeze->processes[job->parent].pid, "the list of children", job->err);
	return job->rc ? 1 : 0;
}

int freeze_add_children(struct freeze *freeze, size_t *added, struct vmsnap_error *err)
{
	for (size_t p = 0; p < freeze->count; p++) {
		struct children_job job = { .freeze = freeze, .parent = p, .err = err };
		if (freeze->processes[p].gone)
			continue;
		int listed = procdir_each_task(freeze->processes[p].procdir, children_of_task, &job);
		*added += job.added;
		if (!job.rc && listed < 0 && listed != -ENOENT && listed != -ESRCH)
			job.rc = procdir_fail(-listed, freeze->processes[p].pid, "the list of threads", err);
		if (job.rc)
			return job.rc;
	}
	return VMSNAP_OK;
}

int freeze_find_descendants(struct freeze *freeze, struct vmsnap_error *err)
{
	/* One pass sees what stays.  Whoever forks without end is not met before the
	 * freeze, and each pass that tries holds more descriptors of the dead. */
	enum { PASSES_OF_RUNNING = 4 };
	size_t added = 1;
	int rc = VMSNAP_OK;
	for (int pass = 0; pass < PASSES_OF_RUNNING && added && !rc; pass++) {
		added = 0;
		rc = freeze_add_children(freeze, &added, err);
	}
	return rc;
}
