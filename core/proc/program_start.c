#define _GNU_SOURCE
#include "program_start.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "error.h"
#include "procdir.h"

#define NS_PER_SECOND INT64_C(1000000000)
enum { ANCESTORS_MAX = 64 };

static int64_t now(clockid_t clock)
{
	struct timespec ts = { 0 };
	clock_gettime(clock, &ts);
	return ts.tv_sec * NS_PER_SECOND + ts.tv_nsec;
}

int64_t program_start_of_boot(void)
{
	return now(CLOCK_REALTIME) - now(CLOCK_BOOTTIME);
}

static int64_t ns_per_clock_tick(void)
{
	long ticks = sysconf(_SC_CLK_TCK);
	return NS_PER_SECOND / (ticks > 0 ? ticks : 100);
}

/* Both were let see it, and both see the same. */
static bool same_program(int a, const struct proc_stat *x, int b, const struct proc_stat *y)
{
	char exe[2][4096];
	if (!x->arg_start || x->arg_start != y->arg_start || x->arg_end != y->arg_end || x->env_start != y->env_start ||
	    x->env_end != y->env_end)
		return false;
	ssize_t len = readlinkat(a, "exe", exe[0], sizeof(exe[0]));
	return len > 0 && readlinkat(b, "exe", exe[1], sizeof(exe[1])) == len &&
	       memcmp(exe[0], exe[1], (size_t)len) == 0;
}

/* Takes *child's descriptor over; false if the parent runs something else, as it does if the child has executed
 * something. */
static bool step_to_parent(int *child, struct proc_stat *stat)
{
	int parent;
	struct proc_stat its;
	if (!stat->forked || stat->ppid <= 1 || procdir_open_stat((pid_t)stat->ppid, &parent, &its, NULL))
		return false;
	/* A number that was given away again is that of a younger process. */
	if (its.start_time > stat->start_time || !same_program(*child, stat, parent, &its)) {
		close(parent);
		return false;
	}
	close(*child);
	*child = parent;
	*stat = its;
	return true;
}

int64_t program_start(int procdir, uint64_t start_time)
{
	struct proc_stat stat;
	CLEANUP_CLOSE int at = procdir < 0 ? -1 : openat(procdir, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (at >= 0 && !procdir_stat(at, &stat, NULL) && stat.start_time == start_time)
		for (int i = 0; i < ANCESTORS_MAX && step_to_parent(&at, &stat); i++)
			start_time = stat.start_time;
	if (start_time > (uint64_t)(INT64_MAX / ns_per_clock_tick()))
		return PROGRAM_START_UNKNOWN;
	return program_start_of_boot() + (int64_t)start_time * ns_per_clock_tick();
}

/* A file's owner says what it likes, be it the year 2446 or one long before ours. */
static int64_t ns_of(const struct timespec *time)
{
	if (time->tv_sec >= INT64_MAX / NS_PER_SECOND - 1)
		return INT64_MAX;
	if (time->tv_sec <= INT64_MIN / NS_PER_SECOND + 1)
		return INT64_MIN;
	return time->tv_sec * NS_PER_SECOND + time->tv_nsec;
}

int64_t file_changed(const struct stat *st)
{
	return ns_of(st->st_nlink ? &st->st_ctim : &st->st_mtim);
}

int64_t file_written(const struct stat *st)
{
	return ns_of(&st->st_mtim);
}

bool program_start_before(int64_t start, const struct stat *st)
{
	return start != PROGRAM_START_UNKNOWN && file_changed(st) >= start + ns_per_clock_tick();
}

bool program_start_before_write(int64_t start, const struct stat *st)
{
	return start != PROGRAM_START_UNKNOWN && file_written(st) >= start + ns_per_clock_tick();
}

bool program_start_guards_exe(const char *kernel)
{
	unsigned major = 0, minor = 0, patch = 0;
	sscanf(kernel, "%u.%u.%u", &major, &minor, &patch);
	bool open = major == 6 && ((minor == 11 && patch < 11) || (minor == 12 && patch < 2));
	return major && !open;
}
