#define _GNU_SOURCE
#include "tracer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "error.h"
#include "procdir.h"

enum tracer_kind tracer_kind(pid_t tracer)
{
	char path[48], comm[32] = "";
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)tracer);
	CLEANUP_CLOSE int fd = tracer ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	ssize_t len = fd < 0 ? 0 : read(fd, comm, sizeof(comm) - 1);
	if (len <= 0)
		return TRACER_GONE;
	return strcmp(comm, TRACER_THREAD_NAME "\n") ? TRACER_OTHER : TRACER_CAPTURE;
}

pid_t tracer_of(int procdir, const char *status_name)
{
	struct proc_text status = { 0 };
	pid_t pid = 0;
	if (!procdir_read(procdir, status_name, &status))
		pid = (pid_t)proc_text_number(&status, "\nTracerPid:");
	proc_text_free(&status);
	return pid;
}

char tracer_task_state(int procdir, pid_t tid)
{
	char name[40];
	struct proc_text text = { 0 };
	struct proc_stat stat;
	snprintf(name, sizeof(name), "task/%d/stat", (int)tid);
	int error = procdir_read(procdir, name, &text);
	bool known = !error && !proc_stat_parse(text.text, text.len, &stat);
	proc_text_free(&text);
	if (error && error != ENOENT && error != ESRCH)
		return '?';
	return known ? stat.state : 'X';
}

struct states_job {
	int procdir;
	const char *states;
};

static int not_in_states(void *ctx, pid_t tid)
{
	const struct states_job *job = ctx;
	return !strchr(job->states, tracer_task_state(job->procdir, tid));
}

static bool all_in(int procdir, const char *states)
{
	struct states_job job = { procdir, states };
	return procdir_each_task(procdir, not_in_states, &job) == 0;
}

bool tracer_all_stopped(int procdir)
{
	return all_in(procdir, "tZX");
}

bool tracer_none_runs(int procdir)
{
	return all_in(procdir, "tDZX");
}

/* ---- the caller's own ---------------------------------------------------------- */

/* Another capture in this process is no debugger.  A signal of number 0 is none: it
 * only asks whether there is such a thread. */
static bool is_debugger_of_ours(pid_t tid)
{
	if (!tid || syscall(SYS_tgkill, getpid(), tid, 0))
		return false;
	return tid == (pid_t)syscall(SYS_gettid) || tracer_kind(tid) == TRACER_OTHER;
}

struct ours_job {
	int procdir;
	pid_t known;       /* it was looked at before */
	bool runs, others; /* some thread runs; some is traced by others, or by nobody */
};

/* What its status says.  One that is gone neither runs nor is traced. */
static void look_at_status(struct ours_job *job, const struct proc_text *status, int error)
{
	static const char key[] = "\nState:\t";
	const char *line = error ? NULL : memmem(status->text, status->len, key, strlen(key));
	char state = line ? line[strlen(key)] : error == ENOENT || error == ESRCH ? 'X' : '?';
	if (strchr("ZX", state))
		return;
	job->runs |= state != 't';
	job->others |= !is_debugger_of_ours((pid_t)proc_text_number(status, "\nTracerPid:"));
}

/* By one file of each: a breakpoint may be hit often. */
static int look_at_thread(void *ctx, pid_t tid)
{
	struct ours_job *job = ctx;
	struct proc_text status = { 0 };
	char name[40];
	if (tid == job->known)
		return 0;
	snprintf(name, sizeof(name), "task/%d/status", (int)tid);
	look_at_status(job, &status, procdir_read(job->procdir, name, &status));
	proc_text_free(&status);
	return job->runs && job->others;
}

void tracer_ours(int procdir, struct tracer_ours *out)
{
	struct proc_text status = { 0 };
	struct ours_job job = { .procdir = procdir };
	*out = (struct tracer_ours){ .hold = TRACER_HOLD_NO };
	if (procdir_read(procdir, "status", &status)) {
		proc_text_free(&status);
		return;
	}
	pid_t tracer = (pid_t)proc_text_number(&status, "\nTracerPid:");
	out->size = proc_text_number(&status, "\nVmSize:") * 1024;
	job.known = (pid_t)proc_text_number(&status, "\nPid:");
	bool ours = is_debugger_of_ours(tracer);
	if (ours)
		look_at_status(&job, &status, 0);
	proc_text_free(&status);
	if (!ours)
		return;
	out->calling_thread = tracer == (pid_t)syscall(SYS_gettid);
	if (!procdir_each_task(procdir, look_at_thread, &job))
		out->hold = job.runs ? TRACER_HOLD_RUNS : TRACER_HOLD_ALL;
}
