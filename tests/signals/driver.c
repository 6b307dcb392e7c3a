/* signals_driver OPTION... PID - captures a process again and again, as slowly as hooks.h
 * has it, and looks each time whether all of it was frozen and goes on.
 *
 *   --captures N   so many (10)
 *   --tree         with its children
 *   --every N      how often it is slow: at every N-th thread (1); 0: never
 *   --thief        another thread of this program waits for whatever child there is
 *   --kill N       instead is killed behind its first call, its (1 + N)th, … of a capture
 *
 * Prints what it did; exit status 1 if something was wrong.  With VMSNAP_SIGNALS_GO_ON in
 * the environment that does not end it, and no capture waits for long: so it is seen how
 * much is lost. */
#define _GNU_SOURCE
#include "driver.h"

#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <vmsnap.h>

#include "hooks.h"
#include "parts.h"

/* A thread that is never seen to stop is what is looked for; on a machine that is busy, and with our niceness, it may
 * take minutes until each of ten thousand has been asked, and has stopped. */
enum { PATIENCE_MS = 1200000, NO_PATIENCE_MS = 500 };

static bool go_on;
static unsigned long wrongs;

void wrong(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fputs("WRONG: ", stdout);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	wrongs++;
	if (!go_on)
		exit(1);
}

/* ---- a thread that takes what it can get ---- */

static atomic_ulong taken;

static void *steal(void *nothing)
{
	for (;;) {
		int status;
		if (syscall(SYS_wait4, -1, &status, __WALL, NULL) > 0)
			taken += WIFSTOPPED(status);
		else
			usleep(50); /* there is no child and nothing traced right now */
	}
	return nothing;
}

static void start_thief(void)
{
	pthread_t thread;
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	if (pthread_create(&thread, NULL, steal, NULL))
		wrong("cannot start a thread");
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* ---- captures ---- */

/* What has gone wrong already need not be waited for. */
static bool is_hopeless(void *nothing)
{
	(void)nothing;
	return hooks.stolen && !go_on;
}

static int capture_all(const struct plan *plan, struct vmsnap ***snaps, size_t *count, struct vmsnap_error *err)
{
	struct vmsnap_capture_options options = { .size = sizeof(options),
		                                  .freeze_timeout_ms = go_on ? NO_PATIENCE_MS : PATIENCE_MS,
		                                  .cancelled = is_hopeless };
	if (plan->tree)
		return vmsnap_capture_tree(plan->pid, &options, snaps, count, err);
	*count = 1;
	*snaps = calloc(1, sizeof(**snaps));
	return *snaps ? vmsnap_capture(plan->pid, &options, *snaps, err) : VMSNAP_ERR_NO_MEMORY;
}

struct sums {
	unsigned long captures, full, others;
	size_t processes, threads; /* of the last one */
	unsigned long pending;     /* queued signals of its user, at each */
	struct timespec begun;
	double longest; /* s */
};

static double seconds_since(struct timespec begun)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - begun.tv_sec) + (double)(now.tv_nsec - begun.tv_nsec) / 1e9;
}

/* Which it was, and whether there was no more time. */
static void tell_missed(const struct vmsnap *snap, const struct sums *sums)
{
	size_t missed = 0;
	unsigned first = 0;
	for (size_t i = vmsnap_thread_count(snap); i-- > 0;) {
		const struct vmsnap_thread *thread = vmsnap_thread(snap, i);
		missed += thread->missed;
		first = thread->missed ? thread->tid : first;
	}
	wrong("capture %lu: of process %u %zu threads were not frozen, thread %u first; it took %.1f s", sums->captures,
	      vmsnap_info(snap)->pid, missed, first, seconds_since(sums->begun));
}

/* Signals that were queued and had not come, of all processes of the user; a timer has a place there always. */
static unsigned long pending_at(const struct vmsnap *snap)
{
	struct vmsnap_status_field field;
	return vmsnap_status_find(snap, "SigQ", &field) ? 0 : strtoul(field.text, NULL, 10);
}

static void note(struct vmsnap *const *snaps, size_t count, struct sums *sums)
{
	bool full = true;
	sums->processes = count;
	sums->threads = vmsnap_thread_count(snaps[0]);
	sums->pending += pending_at(snaps[0]);
	for (size_t i = 0; i < count; i++) {
		if (vmsnap_info(snaps[i])->freeze == VMSNAP_FREEZE_FULL)
			continue;
		full = false;
		tell_missed(snaps[i], sums);
	}
	sums->full += full;
	sums->others += !full;
}

static void capture(const struct plan *plan, struct sums *sums)
{
	struct vmsnap **snaps = NULL;
	size_t count = 0;
	struct vmsnap_error err;
	unsigned long stolen = hooks.stolen;
	sums->captures++;
	clock_gettime(CLOCK_MONOTONIC, &sums->begun);
	int rc = capture_all(plan, &snaps, &count, &err);
	if (hooks.stolen != stolen)
		wrong("capture %lu: another thread than the one that freezes took %lu stops", sums->captures,
		      hooks.stolen - stolen);
	if (rc)
		wrong("capture %lu: %s", sums->captures, err.message);
	else
		note(snaps, count, sums);
	double took = seconds_since(sums->begun);
	sums->longest = took > sums->longest ? took : sums->longest;
	left_as_it_was(plan);
	if (!rc)
		vmsnap_unref_all(snaps, count);
}

/* Signals before which threads stood. */
struct met {
	unsigned long queued, timers, standard, own;
};

static struct met count_met(void)
{
	struct met met = { .own = hooks.met[SIGSEGV] + hooks.met[SIGFPE] + hooks.met[SIGTRAP] };
	for (int number = 1; number <= SIGRTMAX; number++) {
		bool timer = number == TIMER_TO_PROCESS || number == TIMER_TO_THREAD;
		*(timer ? &met.timers : number >= SIGRTMIN ? &met.queued : &met.standard) += hooks.met[number];
	}
	met.standard -= met.own;
	return met;
}

static void tell_met(const struct sums *sums)
{
	struct met met = count_met();
	printf("stood before %lu queued signals, %lu of timers, %lu standard ones (%lu SIGCHLD), %lu of a thread's "
	       "own\n",
	       met.queued, met.timers, met.standard, (unsigned long)hooks.met[SIGCHLD], met.own);
	printf("%lu signals were pending, %lu threads were stopped from outside\n", sums->pending,
	       (unsigned long)hooks.halted);
}

static void tell(const struct sums *sums)
{
	printf("captures %lu, full %lu, processes %zu, threads %zu, the longest %.1f s\n", sums->captures, sums->full,
	       sums->processes, sums->threads, sums->longest);
	printf("seized %lu, interrupted %lu, released %lu, stops taken by others %lu, by the thief %lu\n",
	       (unsigned long)hooks.seized, (unsigned long)hooks.interrupted, (unsigned long)hooks.released,
	       (unsigned long)hooks.stolen, (unsigned long)taken);
	tell_met(sums);
	printf("waited %lu times while the other thread came round %lu times\n", (unsigned long)hooks.waited,
	       (unsigned long)hooks.rounds);
}

/* What is tested did happen. */
static void check_itself(const struct plan *plan, const struct sums *sums)
{
	if (hooks.seized < sums->captures || hooks.released < sums->captures)
		wrong("the library's calls of ptrace() do not come by here");
	if (hooks.every && (hooks.rounds < 2 * sums->captures || hooks.not_seen))
		wrong("the thread that watches did not run while the process was frozen");
	if (hooks.hindered)
		wrong("the thread that watches kept the one that freezes from seizing, %lu times",
		      (unsigned long)hooks.hindered);
	if (plan->thief && !taken)
		wrong("the thief took nothing");
}

static void capture_often(const struct plan *plan)
{
	struct sums sums = { 0 };
	if (plan->thief)
		start_thief();
	while (sums.captures < plan->captures)
		capture(plan, &sums);
	tell(&sums);
	check_itself(plan, &sums);
}

/* ---- an end between any two calls ---- */

/* Whether it was killed; not if its calls were fewer. */
static bool killed_after(const struct plan *plan, unsigned long number)
{
	pid_t child = fork();
	if (child < 0)
		wrong("cannot fork: %s", strerror(errno));
	if (!child) {
		struct sums sums = { 0 };
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		hooks.kill_after = number;
		capture(plan, &sums);
		_exit(wrongs != 0);
	}
	int status = 0;
	while (waitpid(child, &status, 0) != child)
		if (errno != EINTR)
			wrong("cannot wait: %s", strerror(errno));
	if (WIFEXITED(status) && WEXITSTATUS(status))
		wrong("a capture before its call %lu", number);
	return WIFSIGNALED(status);
}

static void kill_often(const struct plan *plan)
{
	unsigned long number = 1, ends = 0;
	/* In parts of it one capture makes more calls than another: the last is the whole. */
	while (killed_after(plan, number)) {
		left_as_it_was(plan);
		number += plan->kill;
		ends++;
	}
	left_as_it_was(plan);
	printf("killed %lu times, behind each %lu. of %lu calls\n", ends, plan->kill, number);
	if (ends < 2)
		wrong("it was not killed within the freeze");
}

/* ---- */

static unsigned long number_of(const char *text)
{
	char *end;
	errno = 0;
	unsigned long number = strtoul(text, &end, 10);
	if (*end || end == text || errno) {
		fprintf(stderr, "signals_driver: not a number: %s\n", text);
		exit(2);
	}
	return number;
}

static struct plan understand(int argc, char **argv)
{
	enum { CAPTURES = 1, TREE, EVERY, THIEF, KILL };
	static const struct option options[] = {
		{ "captures", required_argument, NULL, CAPTURES }, { "tree", no_argument, NULL, TREE },
		{ "every", required_argument, NULL, EVERY },       { "thief", no_argument, NULL, THIEF },
		{ "kill", required_argument, NULL, KILL },         { NULL, 0, NULL, 0 },
	};
	struct plan plan = { .captures = 10 };
	hooks.every = 1;
	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (option == '?')
			exit(2);
		plan.tree |= option == TREE;
		plan.thief |= option == THIEF;
		if (option == CAPTURES)
			plan.captures = number_of(optarg);
		if (option == EVERY)
			hooks.every = (unsigned)number_of(optarg);
		if (option == KILL)
			plan.kill = number_of(optarg);
	}
	if (optind + 1 != argc)
		exit(2);
	plan.pid = (pid_t)number_of(argv[optind]);
	return plan;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	struct plan plan = understand(argc, argv);
	go_on = getenv("VMSNAP_SIGNALS_GO_ON") != NULL;
	if (plan.kill)
		kill_often(&plan);
	else
		capture_often(&plan);
	return wrongs != 0;
}
