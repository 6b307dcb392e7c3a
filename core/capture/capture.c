/* capture.c - what a caller asks for: which processes, and how often they are looked at. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "error.h"
#include "instant.h"
#include "instant_processes.h"
#include "options.h"
#include "procdir.h"

enum { AGAIN_MS = 500, LOOKS_AGAIN = 6 };

static bool all_live_on(const struct asked *asked)
{
	for (size_t i = 0; i < asked->count; i++)
		if (!instant_lives_on(asked->procdirs[i]))
			return false;
	return true;
}

static void wait_before(int look)
{
	nanosleep(&(struct timespec){ .tv_nsec = 1000000L << look }, NULL);
}

static int capture_run(const struct asked *asked, const struct vmsnap_capture_options *options, struct vmsnap ***out,
                       size_t *count, struct vmsnap_error *err)
{
	uint64_t until = monotonic_now() + AGAIN_MS * UINT64_C(1000000);
	for (int look = 0;; look++) {
		bool last = look == LOOKS_AGAIN || monotonic_now() > until;
		int rc = instant_take(asked, options, last, out, count, err);
		if (last || !instant_seems_exited(rc) || !all_live_on(asked))
			return rc;
		wait_before(look);
	}
}

/* While a thread executes, its process looks like a zombie, and longer where processors are few. */
static int open_number(pid_t pid, int *procdir, struct vmsnap_error *err)
{
	int rc = procdir_open(pid, procdir, err);
	for (int look = 0; look < LOOKS_AGAIN && rc == VMSNAP_ERR_ZOMBIE; look++) {
		wait_before(look);
		rc = procdir_open(pid, procdir, err);
	}
	return rc;
}

/* A thread has no memory of its own: its process is meant, and *pid becomes that. */
static int open_process(pid_t *pid, int *procdir, struct vmsnap_error *err)
{
	char task[32];
	int thread, rc = open_number(*pid, &thread, err);
	if (rc)
		return rc;
	pid_t process = procdir_process_of_thread(thread, *pid);
	if (!process) {
		*procdir = thread;
		return VMSNAP_OK;
	}
	close(thread);
	rc = open_number(process, procdir, err);
	if (rc)
		return rc;
	/* Unless it ended meanwhile, and the number is another process's. */
	snprintf(task, sizeof(task), "task/%d", (int)*pid);
	if (faccessat(*procdir, task, F_OK, 0)) {
		close(*procdir);
		return fail(err, VMSNAP_ERR_NO_PROCESS, "no process %d", (int)*pid);
	}
	*pid = process;
	return VMSNAP_OK;
}

static int capture_one(pid_t pid, int procdir, const struct vmsnap_capture_options *options, struct vmsnap **out,
                       struct vmsnap_error *err)
{
	struct asked asked = { .pids = &pid, .procdirs = &procdir, .count = 1 };
	struct vmsnap **snaps;
	size_t count;
	int rc = capture_run(&asked, options, &snaps, &count, err);
	if (rc)
		return rc;
	*out = snaps[0];
	free(snaps);
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_capture(pid_t pid, const struct vmsnap_capture_options *options, struct vmsnap **out,
                              struct vmsnap_error *err)
{
	int fd, rc = open_process(&pid, &fd, err);
	if (rc)
		return rc;
	CLEANUP_CLOSE int procdir = fd;
	return capture_one(pid, procdir, options, out, err);
}

VMSNAP_API int vmsnap_capture_at(int procdir, const struct vmsnap_capture_options *options, struct vmsnap **out,
                                 struct vmsnap_error *err)
{
	pid_t pid = 0;
	bool live = false;
	struct proc_text stat = { 0 };
	if (!procdir_is_live(procdir, &live) && live && procdir_read(procdir, "stat", &stat) == 0)
		pid = (pid_t)strtol(stat.text, NULL, 10);
	proc_text_free(&stat);
	return capture_one(pid, procdir, options, out, err);
}

/* pids: as the caller has them; threads become their processes. */
static int open_all(pid_t *pids, size_t count, int *procdirs, struct vmsnap_error *err)
{
	for (size_t i = 0; i < count; i++) {
		int fd, rc = open_process(&pids[i], &fd, err);
		if (rc)
			return rc;
		procdirs[i] = fd;
		for (size_t before = 0; before < i; before++)
			if (pids[before] == pids[i])
				return fail(err, VMSNAP_ERR_ARGUMENT, "process %d is named twice", (int)pids[i]);
	}
	return VMSNAP_OK;
}

static int capture_opened(const pid_t *pids, size_t pid_count, bool tree, const struct vmsnap_capture_options *options,
                          struct vmsnap ***out, size_t *count, struct vmsnap_error *err)
{
	if (!pids || !pid_count)
		return fail(err, VMSNAP_ERR_ARGUMENT, "a capture needs a process");
	CLEANUP_FREE int *procdirs = malloc(pid_count * sizeof(*procdirs));
	CLEANUP_FREE pid_t *own = malloc(pid_count * sizeof(*own));
	if (!procdirs || !own)
		return fail_no_memory(err);
	memcpy(own, pids, pid_count * sizeof(*own));
	for (size_t i = 0; i < pid_count; i++)
		procdirs[i] = -1;
	struct asked asked = { .pids = own, .procdirs = procdirs, .count = pid_count, .tree = tree };
	int rc = open_all(own, pid_count, procdirs, err);
	rc = rc ? rc : capture_run(&asked, options, out, count, err);
	for (size_t i = 0; i < pid_count; i++)
		if (procdirs[i] >= 0)
			close(procdirs[i]);
	return rc;
}

VMSNAP_API int vmsnap_capture_tree(pid_t pid, const struct vmsnap_capture_options *options, struct vmsnap ***out,
                                   size_t *count, struct vmsnap_error *err)
{
	return capture_opened(&pid, 1, true, options, out, count, err);
}

VMSNAP_API int vmsnap_capture_set(const pid_t *pids, size_t pid_count, const struct vmsnap_capture_options *options,
                                  struct vmsnap ***out, size_t *count, struct vmsnap_error *err)
{
	struct vmsnap_capture_options taken;
	int rc = options_take(&taken, sizeof(taken), options, "struct vmsnap_capture_options", err);
	if (rc)
		return rc;
	bool tree = taken.flags & VMSNAP_CAPTURE_DESCENDANTS;
	return capture_opened(pids, pid_count, tree, options, out, count, err);
}
