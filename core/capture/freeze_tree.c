#define _GNU_SOURCE
#include "freeze_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "array.h"
#include "error.h"
#include "procdir.h"
#include "same_memory.h"
#include "scan.h"

struct children_job {
	struct freeze *freeze;
	size_t parent; /* whose children they are, or relatives */
	int procdir;   /* where the lists are */
	bool all;      /* otherwise only those that have the memory of `parent`, */
	bool sure;     /* or only if that is known: of many, some are another user's */
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

static bool is_known(const struct freeze *freeze, pid_t pid)
{
	for (size_t p = 0; p < freeze->count; p++)
		if (freeze->processes[p].pid == pid)
			return true;
	return false;
}

static bool is_wanted(const struct children_job *job, pid_t pid)
{
	struct frozen_process *process = &job->freeze->processes[job->parent];
	int order = 0;
	if (job->all)
		return true;
	if (job->sure)
		return !same_memory_order(pid, process->pid, &order) && !order;
	enum same_memory same = same_memory(pid, process->pid);
	process->users_unknown |= same == SAME_MEMORY_MAYBE;
	return same != SAME_MEMORY_NO;
}

static int note_zombie(struct freeze *freeze, pid_t pid)
{
	pid_t *zombies = array_room(freeze->zombies, freeze->zombie_count, &freeze->zombie_room, sizeof(*zombies));
	if (!zombies)
		return VMSNAP_ERR_NO_MEMORY;
	freeze->zombies = zombies;
	freeze->zombies[freeze->zombie_count++] = pid;
	return VMSNAP_OK;
}

static int add_one(struct children_job *job, pid_t pid)
{
	int procdir;
	/* We are a child of the shell whose tree somebody looks at, but no part of it. */
	if (pid == getpid() || is_known(job->freeze, pid) || !is_wanted(job, pid))
		return VMSNAP_OK;
	int rc = procdir_open(pid, &procdir, job->err);
	if (rc == VMSNAP_ERR_ZOMBIE && job->all && note_zombie(job->freeze, pid))
		return fail_no_memory(job->err);
	if (has_no_memory(rc))
		return VMSNAP_OK;
	rc = rc ? rc : freeze_add(job->freeze, pid, job->parent, procdir, job->err);
	if (!rc)
		job->freeze->processes[job->freeze->count - 1].companion |= !job->all;
	job->added++;
	return rc;
}

/* /proc/PID/task/TID/children, Linux 3.5 with CONFIG_PROC_CHILDREN: complete only
 * while all children are stopped, which the last pass over the tree sees to. */
static int children_of_task(void *ctx, pid_t tid)
{
	struct children_job *job = ctx;
	char name[48];
	struct proc_text text = { 0 };
	snprintf(name, sizeof(name), "task/%d/children", (int)tid);
	int error = procdir_read(job->procdir, name, &text);
	struct cursor c = { text.text, text.len ? text.text + text.len : text.text };
	uint64_t pid;
	while (!error && !job->rc && c.at < c.end && take_decimal(&c, &pid)) {
		job->rc = add_one(job, (pid_t)pid);
		take_spaces(&c);
	}
	proc_text_free(&text);
	/* ENOENT also where the kernel has no such file. */
	if (error && error != ENOENT && error != ESRCH)
		job->rc =
		        procdir_fail(error, job->freeze->processes[job->parent].pid, "the list of children", job->err);
	return job->rc ? 1 : 0;
}

static int list_children(struct children_job *job)
{
	int listed = procdir_each_task(job->procdir, children_of_task, job);
	if (!job->rc && listed < 0 && listed != -ENOENT && listed != -ESRCH)
		job->rc =
		        procdir_fail(-listed, job->freeze->processes[job->parent].pid, "the list of threads", job->err);
	return job->rc;
}

/* Without them a tree is not whole, but a process is: nobody knows then who has its memory. */
static int check_listed(struct children_job *job)
{
	if (job->all || !job->rc || job->rc == VMSNAP_ERR_NO_MEMORY)
		return job->rc;
	job->freeze->processes[job->parent].users_unknown = true;
	return VMSNAP_OK;
}

/* The number that was given out last, of our PID namespace; 0: unknown.  Not that of
 * /proc/loadavg, which in a container may be somebody else's file. */
static uint64_t last_pid(void)
{
	char text[24];
	uint64_t pid = 0;
	CLEANUP_CLOSE int fd = open("/proc/sys/kernel/ns_last_pid", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? 0 : read(fd, text, sizeof(text));
	struct cursor c = { text, text + (len > 0 ? len : 0) };
	return take_decimal(&c, &pid) ? pid : 0;
}

/* Each thread has a list of its own: of a thousand of them, they take some milliseconds, which
 * those wait that stand already. */
static bool nobody_was_born(const struct freeze *freeze)
{
	return !freeze->tree && freeze->children_of == freeze->count && freeze->last_pid &&
	       freeze->last_pid == last_pid();
}

int freeze_add_children(struct freeze *freeze, size_t *added, struct vmsnap_error *err)
{
	size_t count = freeze->count;
	if (nobody_was_born(freeze))
		return VMSNAP_OK;
	freeze->zombie_count = 0;
	for (size_t p = 0; p < freeze->count; p++) {
		const struct frozen_process *process = &freeze->processes[p];
		struct children_job job = { .freeze = freeze, .parent = p, .procdir = process->procdir, .err = err };
		job.all = freeze->tree && !process->companion;
		if (process->gone)
			continue;
		list_children(&job);
		*added += job.added;
		if (check_listed(&job))
			return job.rc;
	}
	freeze->children_of = count;
	return VMSNAP_OK;
}

/* ---- who has their memory ---------------------------------------------------------- */

/* One ancestor, and its children.  *pid becomes its parent's number; 0: there is none. */
static int add_ancestor(struct children_job *job, pid_t *pid)
{
	CLEANUP_CLOSE int procdir = -1;
	struct proc_stat stat;
	pid_t ancestor = *pid;
	*pid = 0;
	if (procdir_open_any(ancestor, &procdir, NULL) || procdir_stat(procdir, &stat, NULL))
		return VMSNAP_OK;
	*pid = (pid_t)stat.ppid;
	job->procdir = procdir;
	job->rc = add_one(job, ancestor);
	job->sure = true;
	/* Most have one thread, and there are some of them between a program and init. */
	if (!job->rc && stat.threads == 1)
		children_of_task(job, ancestor);
	else if (!job->rc)
		list_children(job);
	return check_listed(job);
}

/* Whether its maker may be gone, with whom it may have its memory: who was put below another by that has executed
 * nothing since it was made, and does not run what its parent does.  Who executed something has its memory from
 * nobody, and a worker's master is there. */
static bool is_orphan(const struct proc_stat *stat)
{
	CLEANUP_CLOSE int procdir = -1;
	struct proc_stat parent;
	if (!stat->forked)
		return false;
	if (!stat->ppid || procdir_open_any((pid_t)stat->ppid, &procdir, NULL) || procdir_stat(procdir, &parent, NULL))
		return true;
	return !parent.start_stack || parent.start_stack != stat->start_stack;
}

static int relative_anywhere(void *ctx, pid_t pid)
{
	struct children_job *job = ctx;
	job->rc = add_one(job, pid);
	return job->rc ? 1 : 0;
}

/* Nothing leads from an orphan to those that have its memory: they are looked for among all processes, before
 * anybody is stopped. */
static int add_relatives_of_orphan(struct freeze *freeze, size_t index, struct vmsnap_error *err)
{
	struct children_job job = { .freeze = freeze, .parent = index, .sure = true, .err = err };
	struct frozen_process *process = &freeze->processes[index];
	int order;
	if (same_memory_order(process->pid, process->pid, &order)) {
		process->users_unknown = true;
		return VMSNAP_OK;
	}
	if (procdir_each_process(relative_anywhere, &job) < 0)
		freeze->processes[index].users_unknown = true;
	return check_listed(&job);
}

int freeze_add_relatives(struct freeze *freeze, struct vmsnap_error *err)
{
	enum { ANCESTORS_MAX = 64 };
	size_t count = freeze->count;
	/* Early, as a number is given out some microseconds before its process is in any list. */
	freeze->last_pid = last_pid();
	freeze->children_of = 0;
	for (size_t p = 0; p < count; p++) {
		struct proc_stat stat;
		const struct frozen_process *process = &freeze->processes[p];
		/* Of a tree, others have the same ancestors. */
		if (process->parent != p || procdir_stat(process->procdir, &stat, NULL))
			continue;
		pid_t ancestor = (pid_t)stat.ppid;
		for (int i = 0; ancestor && i < ANCESTORS_MAX; i++) {
			struct children_job job = { .freeze = freeze, .parent = p, .sure = i, .err = err };
			int rc = add_ancestor(&job, &ancestor);
			if (rc)
				return rc;
		}
		int rc = is_orphan(&stat) ? add_relatives_of_orphan(freeze, p, err) : VMSNAP_OK;
		if (rc)
			return rc;
	}
	return VMSNAP_OK;
}

/* Address spaces in the kernel's order, each by the index of the first process that has it. */
struct memories {
	size_t *items;
	size_t count;
};

/* Its memory, if one of those there has it; where it belongs among them otherwise. */
static int find_memory(const struct freeze *freeze, const struct memories *memories, pid_t pid, size_t *at, bool *found)
{
	size_t low = 0, high = memories->count;
	*found = false;
	while (low < high && !*found) {
		size_t middle = low + (high - low) / 2;
		int order, error = same_memory_order(pid, freeze->processes[memories->items[middle]].pid, &order);
		if (error)
			return error;
		*found = !order;
		if (order < 0)
			high = middle;
		else
			low = order ? middle + 1 : middle;
		*at = middle;
	}
	*at = *found ? *at : low;
	return 0;
}

static void note_memory(const struct freeze *freeze, struct memories *memories, size_t index)
{
	struct frozen_process *process = &freeze->processes[index];
	bool found = false;
	size_t at = 0;
	int order, error = same_memory_order(process->pid, process->pid, &order);
	error = error ? error : find_memory(freeze, memories, process->pid, &at, &found);
	process->memory = found ? memories->items[at] : index;
	process->users_unknown |= error;
	if (error || found)
		return;
	memmove(&memories->items[at + 1], &memories->items[at], (memories->count - at) * sizeof(*memories->items));
	memories->items[at] = index;
	memories->count++;
}

int freeze_note_memory(struct freeze *freeze)
{
	struct memories memories = { .items = calloc(freeze->count, sizeof(*memories.items)) };
	if (!memories.items)
		return -ENOMEM;
	for (size_t p = 0; p < freeze->count; p++) {
		freeze->processes[p].memory = p;
		if (!freeze->processes[p].gone)
			note_memory(freeze, &memories, p);
	}
	free(memories.items);
	return 0;
}

/* ---- trees ------------------------------------------------------------------------- */

int freeze_find_descendants(struct freeze *freeze, struct vmsnap_error *err)
{
	/* One pass sees what stays, a second what was born meanwhile; the freeze will look once more before it
	 * begins.  Whoever forks without end is not met before it, and each pass that tries holds more descriptors of
	 * the dead, and takes 0.2 s for ten thousand threads. */
	enum { PASSES_OF_RUNNING = 2 };
	size_t added = 1;
	int rc = VMSNAP_OK;
	for (int pass = 0; pass < PASSES_OF_RUNNING && added && !rc; pass++) {
		added = 0;
		rc = freeze_add_children(freeze, &added, err);
	}
	return rc;
}
