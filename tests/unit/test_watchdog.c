/* What becomes of a process that is stopped while it holds others. */
#include "test_children.h"

#include "watchdog.h"

/* ---- the timers ------------------------------------------------------------------------ */

static void block_all(void)
{
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
}

static void start(struct watchdog *dog, unsigned wake_ms, unsigned kill_ms)
{
	block_all();
	if (watchdog_start(dog, wake_ms, kill_ms, NULL))
		_exit(1);
}

/* What the child of that act has ended with. */
static int end_of(void (*act)(void))
{
	int status;
	pid_t pid = fork();
	if (!pid) {
		act();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void stops_itself(void)
{
	struct watchdog dog;
	start(&dog, 20, 600000);
	for (int i = 0; i < 5; i++) {
		watchdog_kick(&dog);
		raise(SIGSTOP);
	}
	watchdog_stop(&dog);
}

static void one_that_is_stopped_is_continued(void **state)
{
	(void)state;
	assert_int_equal(end_of(stops_itself), 0);
}

static void stops_itself_for_good(void)
{
	struct watchdog dog;
	start(&dog, 10, 50);
	for (;;)
		raise(SIGSTOP);
}

/* As by somebody who stops it again whenever it is continued: each time it comes a step
 * further. */
static void comes_a_step_further_each_time(void)
{
	struct watchdog dog;
	start(&dog, 5, 100);
	for (;;) {
		watchdog_kick(&dog);
		raise(SIGSTOP);
	}
}

static void is_never_continued(void)
{
	struct watchdog dog;
	start(&dog, 600000, 50);
	raise(SIGSTOP);
}

static void one_that_stays_stopped_is_killed(void **state)
{
	(void)state;
	assert_int_equal(end_of(stops_itself_for_good), SIGKILL);
	assert_int_equal(end_of(is_never_continued), SIGKILL);
	assert_int_equal(end_of(comes_a_step_further_each_time), SIGKILL);
}

static void gets_on(void)
{
	struct watchdog dog;
	start(&dog, 5, 600000);
	for (int i = 0; i < 20; i++) {
		usleep(1000);
		watchdog_waited(&dog);
	}
	assert_true(dog.kill == UINT64_C(600000) * 1000000);
	watchdog_kick(&dog);
	assert_true(dog.kill <= UINT64_C(600000) * 1000000);
	watchdog_stop(&dog);
	watchdog_kick(&dog); /* nothing is there any more */
	struct watchdog off = { 0 };
	watchdog_kick(&off);
	watchdog_stop(&off);
}

static void one_that_gets_on_is_left_alone(void **state)
{
	(void)state;
	assert_int_equal(end_of(gets_on), 0);
}

/* ---- a capture ---------------------------------------------------------------------------- */

static bool stop_at_detach;

/* In place of the C library's, for the whole program: this process is stopped by somebody at
 * a moment when the target stands. */
long ptrace(enum __ptrace_request request, ...)
{
	va_list arguments;
	va_start(arguments, request);
	pid_t tid = va_arg(arguments, pid_t);
	void *address = va_arg(arguments, void *), *data = va_arg(arguments, void *);
	va_end(arguments);
	if (request == PTRACE_DETACH && stop_at_detach) {
		stop_at_detach = false;
		/* To this thread, which so does not come to let go before it is stopped. */
		syscall(SYS_tgkill, getpid(), gettid(), SIGSTOP);
	}
	return syscall(SYS_ptrace, request, tid, address, data);
}

static void captures_and_is_stopped(void)
{
	struct vmsnap_capture_options options = { .size = sizeof(options), .flags = VMSNAP_CAPTURE_WATCHDOG };
	struct vmsnap *snap;
	pid_t target = child_that(sleeps);
	stop_at_detach = true;
	if (vmsnap_capture(target, &options, &snap, NULL) || vmsnap_info(snap)->freeze != VMSNAP_FREEZE_FULL ||
	    stop_at_detach)
		_exit(1);
	vmsnap_unref(snap);
	wait_for_state(target, 'S');
	end(target);
}

static void target_does_not_stand_for_as_long_as_its_tracer(void **state)
{
	(void)state;
	assert_int_equal(end_of(captures_and_is_stopped), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_is_stopped_is_continued),
		cmocka_unit_test(one_that_stays_stopped_is_killed),
		cmocka_unit_test(one_that_gets_on_is_left_alone),
		cmocka_unit_test(target_does_not_stand_for_as_long_as_its_tracer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
