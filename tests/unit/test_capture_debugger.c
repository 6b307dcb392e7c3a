/* Capture by a debugger: of what the calling process traces itself. */
#include "test_children.h"

#include <time.h>

static void traced_child_counts_as_frozen(void **state)
{
	(void)state;
	pid_t pid = child_that(sleeps);
	assert_int_equal(ptrace(PTRACE_SEIZE, pid, NULL, NULL), 0);
	/* Traced but running: cannot be frozen. */
	struct vmsnap *snap = capture_ok(pid, NULL);
	assert_int_equal(vmsnap_info(snap)->freeze, VMSNAP_FREEZE_NONE);
	assert_true(vmsnap_info(snap)->consistent);
	vmsnap_unref(snap);
	assert_int_equal(ptrace(PTRACE_INTERRUPT, pid, NULL, NULL), 0);
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	snap = capture_ok(pid, NULL);
	assert_int_equal(vmsnap_info(snap)->freeze, VMSNAP_FREEZE_DEBUGGER);
	assert_true(vmsnap_info(snap)->consistent);
	vmsnap_unref(snap);
	assert_int_equal(state_of(pid), 't');
	end(pid);
}

static void child_of_which_one_thread_is_traced_is_stopped_in_part(void **state)
{
	(void)state;
	pid_t pid = child_that(has_a_thread);
	struct vmsnap *snap = capture_ok(pid, NULL);
	assert_int_equal(vmsnap_thread_count(snap), 2);
	pid_t second = (pid_t)vmsnap_thread(snap, 1)->tid;
	vmsnap_unref(snap);
	for (int i = 0; i < 2; i++) {
		pid_t traced = i ? pid : second;
		int status;
		assert_int_equal(ptrace(PTRACE_SEIZE, traced, NULL, NULL), 0);
		snap = capture_ok(pid, NULL);
		assert_int_equal(vmsnap_info(snap)->freeze, VMSNAP_FREEZE_PARTIAL);
		assert_true(vmsnap_info(snap)->consistent);
		vmsnap_unref(snap);
		assert_int_equal(ptrace(PTRACE_INTERRUPT, traced, NULL, NULL), 0);
		assert_int_equal(waitpid(traced, &status, __WALL), traced);
		snap = capture_ok(pid, NULL);
		assert_int_equal(vmsnap_info(snap)->freeze, VMSNAP_FREEZE_PARTIAL);
		vmsnap_unref(snap);
		assert_int_equal(ptrace(PTRACE_DETACH, traced, NULL, NULL), 0);
	}
	wait_for_state(pid, 'S');
	end(pid);
}

static pid_t second_thread(pid_t pid)
{
	struct vmsnap *snap = capture_ok(pid, NULL);
	assert_int_equal(vmsnap_thread_count(snap), 2);
	pid_t tid = (pid_t)vmsnap_thread(snap, 1)->tid;
	vmsnap_unref(snap);
	return tid;
}

static void seize(pid_t tid, bool stop)
{
	int status;
	assert_int_equal(ptrace(PTRACE_SEIZE, tid, NULL, NULL), 0);
	if (!stop)
		return;
	assert_int_equal(ptrace(PTRACE_INTERRUPT, tid, NULL, NULL), 0);
	assert_int_equal(waitpid(tid, &status, __WALL), tid);
}

/* The main thread's end is told when its tracer has seen that of the others. */
static void end_both(pid_t pid, pid_t second)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(second, NULL, __WALL), second);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static double seconds_of_capture(pid_t pid, const struct vmsnap_capture_options *options, struct vmsnap **out)
{
	struct timespec before, after;
	clock_gettime(CLOCK_MONOTONIC, &before);
	*out = capture_ok(pid, options);
	clock_gettime(CLOCK_MONOTONIC, &after);
	return (double)(after.tv_sec - before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) / 1e9;
}

/* As gdb does in all-stop mode while it asks a breakpoint whether to stop. */
static void debugger_that_lets_threads_run_is_told_so_at_once(void **state)
{
	(void)state;
	struct vmsnap_capture_options options = { .size = sizeof(options), .freeze_timeout_ms = 20000 };
	for (int stopped = 0; stopped < 2; stopped++) {
		pid_t pid = child_that(has_a_thread), second = second_thread(pid);
		seize(stopped ? second : pid, true);
		seize(stopped ? pid : second, false);
		struct vmsnap *snap;
		double seconds = seconds_of_capture(pid, &options, &snap);
		assert_int_equal(vmsnap_info(snap)->freeze, VMSNAP_FREEZE_NONE);
		assert_true(vmsnap_info(snap)->consistent);
		assert_int_equal(vmsnap_info(snap)->pause, 0);
		assert_int_equal(vmsnap_thread_count(snap), 2);
		assert_true(seconds < 5);
		vmsnap_unref(snap);
		end_both(pid, second);
	}
}

static void *maps_and_unmaps(void *ready)
{
	say_ready(*(int *)ready);
	for (;;) {
		void *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		munmap(page, 4096);
	}
	return NULL;
}

static void has_a_busy_thread(int ready)
{
	pthread_t thread;
	pthread_create(&thread, NULL, maps_and_unmaps, &ready);
	for (;;)
		pause();
}

static void changes_by_threads_that_the_debugger_lets_run_are_noticed(void **state)
{
	(void)state;
	pid_t pid = child_that(has_a_busy_thread), second = second_thread(pid);
	seize(pid, true);
	seize(second, false);
	bool changed = false;
	for (int i = 0; i < 5000 && !changed; i++) {
		struct vmsnap *snap = capture_ok(pid, NULL);
		assert_int_equal(vmsnap_info(snap)->freeze, VMSNAP_FREEZE_NONE);
		changed = !vmsnap_info(snap)->consistent;
		vmsnap_unref(snap);
	}
	assert_true(changed);
	end_both(pid, second);
}

static void *freeze_seen_in_thread(void *argument)
{
	struct vmsnap *snap = NULL;
	pid_t pid = *(pid_t *)argument;
	long freeze = vmsnap_capture(pid, NULL, &snap, NULL) ? -1 : (long)vmsnap_info(snap)->freeze;
	vmsnap_unref(snap);
	return (void *)freeze;
}

static void another_thread_than_the_tracer_may_capture(void **state)
{
	(void)state;
	pid_t pid = child_that(sleeps);
	pthread_t thread;
	void *freeze;
	seize(pid, true);
	assert_int_equal(pthread_create(&thread, NULL, freeze_seen_in_thread, &pid), 0);
	pthread_join(thread, &freeze);
	assert_int_equal((long)freeze, VMSNAP_FREEZE_DEBUGGER);
	assert_int_equal(state_of(pid), 't');
	end(pid);
}

static void maps_much(int ready)
{
	void *much = mmap(NULL, (size_t)3 << 30, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (much != MAP_FAILED)
		sleeps(ready);
}

/* Small: another program, for with sanitizers the test itself maps much. */
static pid_t child_that_maps(bool much)
{
	if (much)
		return child_that(maps_much);
	int closed[2];
	char byte;
	assert_int_equal(pipe2(closed, O_CLOEXEC), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execlp("sleep", "sleep", "1000", (char *)NULL);
		_exit(1);
	}
	close(closed[1]);
	assert_int_equal(read(closed[0], &byte, 1), 0); /* closed by exec */
	close(closed[0]);
	wait_for_state(pid, 'S');
	return pid;
}

static bool yes(void *ctx)
{
	++*(int *)ctx;
	return true;
}

static bool no(void *ctx)
{
	++*(int *)ctx;
	return false;
}

static void large_and_small_targets_are_held_alike(void **state)
{
	(void)state;
	for (int large = 0; large < 2; large++) {
		pid_t pid = child_that_maps(large);
		int asked = 0;
		struct vmsnap_capture_options options = { .size = sizeof(options),
			                                  .label = "here",
			                                  .reason = "there",
			                                  .cancelled = no,
			                                  .cancel_ctx = &asked };
		seize(pid, true);
		struct vmsnap *snap = capture_ok(pid, &options);
		const struct vmsnap_info *info = vmsnap_info(snap);
		assert_int_equal(info->freeze, VMSNAP_FREEZE_DEBUGGER);
		assert_true(info->consistent && !info->pause);
		assert_string_equal(info->label, "here");
		assert_string_equal(info->reason, "there");
		assert_int_equal(info->ppid, getpid());
		assert_int_equal(vmsnap_thread_count(snap), 1);
		assert_string_equal(vmsnap_thread(snap, 0)->comm, info->comm);
		assert_true(vmsnap_thread(snap, 0)->stack_pointer != 0);
		/* What a debugger's hold looks like is not hidden: it was so before. */
		struct vmsnap_status_field field;
		assert_int_equal(vmsnap_status_find(snap, "TracerPid", &field), VMSNAP_OK);
		assert_int_equal(field.number, getpid());
		vmsnap_unref(snap);
		end(pid);
	}
}

static void held_target_is_not_captured_once_cancelled(void **state)
{
	(void)state;
	pid_t pid = child_that(sleeps);
	int asked = 0;
	struct vmsnap_capture_options options = { .size = sizeof(options), .cancelled = yes, .cancel_ctx = &asked };
	struct vmsnap *snap = NULL;
	seize(pid, true);
	assert_int_equal(vmsnap_capture(pid, &options, &snap, NULL), VMSNAP_ERR_CANCELLED);
	assert_int_equal(asked, 1);
	assert_null(snap);
	end(pid);
}

/* Killed while it stood: its memory is gone, whoever holds it. */
static void held_target_that_was_killed_has_exited(void **state)
{
	(void)state;
	pid_t pid = child_that(sleeps);
	struct vmsnap *snap = NULL;
	seize(pid, true);
	kill(pid, SIGKILL);
	wait_for_state(pid, 'Z');
	assert_int_equal(vmsnap_capture(pid, NULL, &snap, NULL), VMSNAP_ERR_ZOMBIE);
	assert_null(snap);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(traced_child_counts_as_frozen),
		cmocka_unit_test(child_of_which_one_thread_is_traced_is_stopped_in_part),
		cmocka_unit_test(debugger_that_lets_threads_run_is_told_so_at_once),
		cmocka_unit_test(changes_by_threads_that_the_debugger_lets_run_are_noticed),
		cmocka_unit_test(another_thread_than_the_tracer_may_capture),
		cmocka_unit_test(large_and_small_targets_are_held_alike),
		cmocka_unit_test(held_target_is_not_captured_once_cancelled),
		cmocka_unit_test(held_target_that_was_killed_has_exited),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
