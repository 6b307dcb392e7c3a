/* Moments that hardly ever come, brought about: functions of the C library's names, which
 * come before the library's, put things in that order. */
#include "test_children.h"
#include "test_sanitized.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <time.h>

/* What is wanted of the next capture. */
static enum { NOTHING, ENDED_IN_BETWEEN, NO_TURN, DETACHES } wanted;

/* ---- ptrace ---------------------------------------------------------------------------- */

static atomic_bool cancelling, past;
static int seizes, lost_leaders;
static pid_t leader;

static void use_processor(long ms)
{
	struct timespec begin, now;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000 < ms);
}

static void after_seize(void)
{
	seizes++;
	/* As if the call had waited, until the thread is given up. */
	while (wanted == ENDED_IN_BETWEEN && seizes == 1 && !cancelling)
		usleep(1000);
	/* As if others had the processor for longer than the call may wait. */
	if (wanted == NO_TURN && seizes <= 8)
		use_processor(350);
}

long ptrace(enum __ptrace_request request, ...)
{
	va_list arguments;
	va_start(arguments, request);
	pid_t tid = va_arg(arguments, pid_t);
	void *address = va_arg(arguments, void *), *data = va_arg(arguments, void *);
	va_end(arguments);
	long rc = syscall(SYS_ptrace, request, tid, address, data);
	int saved = errno;
	if (request == PTRACE_SEIZE)
		after_seize();
	/* Whoever stands can be let go. */
	lost_leaders += request == PTRACE_DETACH && tid == leader && rc;
	errno = saved;
	return rc;
}

/* ---- ending a thread ------------------------------------------------------------------- */

/* Only once the thread is back from the call. */
int pthread_cancel(pthread_t thread)
{
	int (*real)(pthread_t) = NULL;
	*(void **)&real = dlsym(RTLD_NEXT, "pthread_cancel");
	cancelling = true;
	while (wanted == ENDED_IN_BETWEEN && !past)
		usleep(1000);
	return real(thread);
}

int pthread_setcancelstate(int state, int *before)
{
	int (*real)(int, int *) = NULL;
	*(void **)&real = dlsym(RTLD_NEXT, "pthread_setcancelstate");
	int rc = real(state, before);
	if (wanted == ENDED_IN_BETWEEN && state == PTHREAD_CANCEL_DISABLE && cancelling && !past) {
		past = true;
		usleep(20000); /* and the other ends it now */
	}
	return rc;
}

/* ---- the tests --------------------------------------------------------------------------- */

static void a_thread_that_is_ended_when_it_is_done_leaves_no_empty_snapshot(void **state)
{
	(void)state;
	pid_t pid = child_that(sleeps);
	struct vmsnap_capture_options options = { .size = sizeof(options), .freeze_timeout_ms = 50 };
	wanted = ENDED_IN_BETWEEN;
	seizes = 0;
	struct vmsnap *snap = NULL;
	/* usleep() sleeps in the kernel, as a call that waits does. */
	assert_int_equal(vmsnap_capture(pid, &options, &snap, NULL), VMSNAP_OK);
	assert_true(past);
	assert_int_equal(vmsnap_info(snap)->pid, pid);
	assert_true(vmsnap_vma_count(snap) > 0 && vmsnap_thread_count(snap) == 1);
	vmsnap_unref(snap);
	wanted = NOTHING;
	end(pid);
}

static void a_freeze_that_has_no_turn_is_not_given_up(void **state)
{
	(void)state;
	pid_t pid = child_that(sleeps);
	struct vmsnap_capture_options options = { .size = sizeof(options), .freeze_timeout_ms = 1 };
	wanted = NO_TURN;
	seizes = 0;
	cancelling = false;
	vmsnap_unref(capture_ok(pid, &options));
	assert_true(seizes > 0);
	assert_false(cancelling);
	wanted = NOTHING;
	end(pid);
}

static char self[] = "/proc/self/exe", executes_word[] = "executes";
static char *words[] = { self, executes_word, NULL };

static void *executes(void *unused)
{
	usleep(500);
	execv(words[0], words);
	return unused;
}

/* A thread other than the main one executes this program again, and again. */
static int execute_for_ever(void)
{
	pthread_t thread;
	if (pthread_create(&thread, NULL, executes, NULL))
		return 1;
	for (;;)
		pause();
}

static void executes_for_ever(int ready)
{
	say_ready(ready);
	execv(words[0], words);
}

static void what_took_the_main_threads_number_stands_too(void **state)
{
	(void)state;
	leader = child_that(executes_for_ever);
	wanted = DETACHES;
	for (int i = 0; i < (SANITIZED ? 20 : 1000); i++) {
		struct vmsnap *snap;
		lost_leaders = 0;
		if (vmsnap_capture(leader, NULL, &snap, NULL))
			continue; /* executed another program meanwhile */
		if (vmsnap_info(snap)->freeze == VMSNAP_FREEZE_FULL)
			assert_int_equal(lost_leaders, 0);
		vmsnap_unref(snap);
	}
	wanted = NOTHING;
	end(leader);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "executes"))
		return execute_for_ever();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_thread_that_is_ended_when_it_is_done_leaves_no_empty_snapshot),
		cmocka_unit_test(a_freeze_that_has_no_turn_is_not_given_up),
		cmocka_unit_test(what_took_the_main_threads_number_stands_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
