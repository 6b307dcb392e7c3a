#define _GNU_SOURCE
#include "hooks.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What the library calls must be found here first. */
#define HOOK __attribute__((visibility("default")))

/* How long the freezing thread waits for the other to come round: for ever, nearly. */
enum { ROUND_NS = 1000000, LOOK_NS = 100000, LOOKS = 300000 };

struct hooks hooks;
static _Thread_local bool interrupted; /* since it last waited */

/* Ends us between two calls.  The kernel lets go of what we held, wherever it stands. */
static void step(void)
{
	if (++hooks.steps == hooks.kill_after)
		kill(getpid(), SIGKILL);
}

/* Until the thread that watches has looked at everything once more: it was on its way,
 * perhaps, so the second time from now. */
static void let_it_look(void)
{
	unsigned long rounds = hooks.rounds;
	int looks = 0;
	hooks.waited++;
	hooks.looking = true;
	while (hooks.rounds - rounds < 2 && looks++ < LOOKS)
		nanosleep(&(struct timespec){ .tv_nsec = LOOK_NS }, NULL);
	hooks.looking = false;
	hooks.not_seen += hooks.rounds - rounds < 2;
}

/* Before the first question of a round, until two more threads are seized, or all are: who asks must not hold what
 * is needed for that.  One more may be within the call already. */
static void let_it_seize(void)
{
	static _Atomic unsigned long last = -1ul;
	unsigned long seized = hooks.seized;
	int looks = 0;
	if (hooks.hindered || atomic_exchange(&last, hooks.rounds) == hooks.rounds)
		return;
	while (hooks.seizing && !hooks.looking && hooks.seized - seized < 2 && looks++ < LOOKS)
		nanosleep(&(struct timespec){ .tv_nsec = LOOK_NS }, NULL);
	hooks.hindered += looks > LOOKS;
}

/* ---- the thread that freezes ---- */

static void before_request(int request)
{
	if (request == PTRACE_INTERRUPT || request == PTRACE_DETACH)
		hooks.seizing = false;
	if (request == PTRACE_SEIZE) {
		hooks.freezer = gettid();
		hooks.frozen = true;
	} else if (request == PTRACE_DETACH && hooks.frozen) {
		if (hooks.every)
			let_it_look();
		hooks.frozen = false;
	}
}

static void after_request(int request, unsigned long data, bool done)
{
	if (request == PTRACE_SEIZE) {
		hooks.seizing = hooks.seizing || done;
		unsigned long number = hooks.seized++;
		if (hooks.every && number % hooks.every == 0)
			let_it_look();
	} else if (request == PTRACE_INTERRUPT) {
		hooks.interrupted++;
		interrupted = true;
	} else if (request == PTRACE_DETACH) {
		hooks.released++;
		hooks.met[data < sizeof(hooks.met) / sizeof(*hooks.met) ? data : 0]++;
	}
}

HOOK long ptrace(enum __ptrace_request request, ...)
{
	va_list args;
	va_start(args, request);
	pid_t pid = va_arg(args, pid_t);
	void *address = va_arg(args, void *), *data = va_arg(args, void *);
	va_end(args);
	before_request((int)request);
	long result = syscall(SYS_ptrace, (long)request, pid, address, data);
	int saved = errno;
	step();
	after_request((int)request, (unsigned long)data, !result);
	errno = saved;
	return result;
}

/* ---- waiting ---- */

static bool is_stop(int code)
{
	return code == CLD_TRAPPED || code == CLD_STOPPED;
}

/* As PTRACE_EVENT_STOP has it. */
static bool is_halt(const siginfo_t *info)
{
	return info->si_code == CLD_TRAPPED && info->si_status == (SIGSTOP | 128 << 8);
}

HOOK int waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
	bool freezes = gettid() == hooks.freezer;
	if (freezes && interrupted && hooks.every) {
		interrupted = false;
		let_it_look();
	}
	if (!freezes && hooks.every)
		let_it_seize();
	int result = (int)syscall(SYS_waitid, type, id, info, options, NULL);
	int saved = errno;
	if (!result && info && info->si_pid) {
		if (!freezes && !(options & WNOWAIT) && is_stop(info->si_code))
			hooks.stolen++;
		hooks.halted += freezes && is_halt(info);
		step();
	}
	errno = saved;
	return result;
}

HOOK pid_t waitpid(pid_t pid, int *status, int options)
{
	int found = 0;
	pid_t result = (pid_t)syscall(SYS_wait4, pid, &found, options, NULL);
	int saved = errno;
	if (status)
		*status = found;
	if (result > 0 && hooks.frozen) {
		hooks.stolen += gettid() != hooks.freezer && WIFSTOPPED(found);
		step();
	}
	errno = saved;
	return result;
}

HOOK ssize_t pread64(int fd, void *buffer, size_t size, off64_t offset)
{
	ssize_t result = syscall(SYS_pread64, fd, buffer, size, offset);
	int saved = errno;
	if (hooks.frozen && gettid() == hooks.freezer)
		step();
	errno = saved;
	return result;
}

/* ---- the thread that watches ---- */

static struct timespec soon(clockid_t clock)
{
	struct timespec until;
	clock_gettime(clock, &until);
	until.tv_nsec += ROUND_NS;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	return until;
}

/* It comes back much sooner than it wanted to, if anything is to be slow. */
static int join_soon(pthread_t thread, void **end, clockid_t clock, const struct timespec *wanted)
{
	typedef int joins(pthread_t, void **, clockid_t, const struct timespec *);
	static _Atomic(joins *) real;
	if (!real)
		real = (joins *)dlsym(RTLD_NEXT, "pthread_clockjoin_np");
	struct timespec until = soon(clock);
	int error = ((joins *)real)(thread, end, clock, hooks.every ? &until : wanted);
	if (error == ETIMEDOUT)
		hooks.rounds += hooks.frozen;
	return error;
}

HOOK int pthread_timedjoin_np(pthread_t thread, void **end, const struct timespec *until)
{
	return join_soon(thread, end, CLOCK_REALTIME, until);
}

HOOK int pthread_clockjoin_np(pthread_t thread, void **end, clockid_t clock, const struct timespec *until)
{
	return join_soon(thread, end, clock, until);
}
