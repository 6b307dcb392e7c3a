/* Who was stopped, who was not, and how long that may take. */
#include "test_children.h"

#include <sched.h>

#include "freeze.h"
#include "freeze_reap.h"
#include "freeze_tree.h"
#include "tracee.h"

static void *vforks(void *ready)
{
	prctl(PR_SET_NAME, "vforks");
	/* The child shares this memory, and this thread sleeps in the kernel until it ends. */
	if (!vfork()) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		say_ready(*(int *)ready);
		for (;;)
			pause();
	}
	return NULL;
}

static void has_a_thread_that_vforks(int ready)
{
	pthread_t thread;
	prctl(PR_SET_NAME, "main");
	pthread_create(&thread, NULL, vforks, &ready);
	for (;;)
		pause();
}

static void the_thread_that_was_not_stopped_is_told(void **state)
{
	(void)state;
	/* Where it is not found out that whom it waits for has its memory, and stands. */
	const struct vmsnap_capture_options brief = { .size = sizeof(brief), .flags = VMSNAP_CAPTURE_BRIEF };
	pid_t pid = child_that(has_a_thread_that_vforks);
	struct vmsnap *snap = capture_ok(pid, &brief);
	assert_int_equal(vmsnap_info(snap)->freeze, VMSNAP_FREEZE_PARTIAL);
	assert_int_equal(vmsnap_thread_count(snap), 2);
	for (size_t i = 0; i < 2; i++) {
		const struct vmsnap_thread *thread = vmsnap_thread(snap, i);
		assert_int_equal(thread->missed, !strcmp(thread->comm, "vforks"));
	}
	vmsnap_unref(snap);
	end(pid);
}

static void a_thread_that_waits_for_its_vfork_child_stands_with_it(void **state)
{
	(void)state;
	pid_t pid = child_that(has_a_thread_that_vforks);
	if (syscall(SYS_kcmp, pid, pid, 1, 0, 0)) {
		end(pid);
		skip();
	}
	struct vmsnap *snap = capture_ok(pid, NULL);
	bool known;
	assert_int_equal(vmsnap_info(snap)->freeze, VMSNAP_FREEZE_FULL);
	assert_true(vmsnap_one_instant(snap, &known));
	assert_int_equal(vmsnap_thread_count(snap), 2);
	for (size_t i = 0; i < 2; i++)
		assert_false(vmsnap_thread(snap, i)->missed);
	vmsnap_unref(snap);
	end(pid);
}

static void of_a_whole_freeze_no_thread_is_missed(void **state)
{
	(void)state;
	pid_t pid = child_that(has_a_thread);
	struct vmsnap *snap = capture_ok(pid, NULL);
	assert_int_equal(vmsnap_info(snap)->freeze, VMSNAP_FREEZE_FULL);
	for (size_t i = 0; i < vmsnap_thread_count(snap); i++)
		assert_false(vmsnap_thread(snap, i)->missed);
	vmsnap_unref(snap);
	end(pid);
}

/* ---- who has its memory ------------------------------------------------------------------ */

static int waits(void *nothing)
{
	(void)nothing;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
	return 0;
}

static char stack_of_other[65536] __attribute__((aligned(16)));

/* And a child of the ordinary kind. */
static void has_a_companion(int ready)
{
	if (clone(waits, stack_of_other + sizeof(stack_of_other), CLONE_VM | SIGCHLD, NULL) < 0)
		_exit(1);
	if (!fork())
		waits(NULL);
	say_ready(ready);
	for (;;)
		pause();
}

static void whoever_has_its_memory_stands_with_it(void **state)
{
	(void)state;
	pid_t pid = child_that(has_a_companion), children[4];
	size_t count = 0;
	char path[32];
	atomic_bool cancel = false;
	struct freeze freeze;
	/* Not everywhere does the kernel tell. */
	if (vmsnap_children_now(pid, children, 4, &count, NULL) || syscall(SYS_kcmp, pid, pid, 1, 0, 0)) {
		end(pid);
		skip();
	}
	assert_int_equal(count, 2);
	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	freeze_init(&freeze);
	freeze.cancel = &cancel;
	assert_int_equal(freeze_add(&freeze, pid, 0, open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), NULL), VMSNAP_OK);
	freeze_own_thread(&freeze);
	assert_int_equal(freeze_stop(&freeze, NULL), VMSNAP_OK);
	assert_int_equal(freeze.count, 2);
	assert_int_equal(freeze.processes[1].pid, children[0]);
	assert_true(freeze.processes[1].companion);
	assert_int_equal(state_of(pid), 't');
	assert_int_equal(state_of(children[0]), 't');
	wait_for_state(children[1], 'S');
	assert_int_equal(freeze_note_memory(&freeze), 0);
	assert_int_equal(freeze.processes[1].memory, 0);
	freeze_release(&freeze);
	freeze_free(&freeze);
	wait_for_state(children[0], 'S');
	prctl(PR_SET_NAME, "test");
	end(pid);
}

/* ---- a tracee that is looked at ---------------------------------------------------------- */

static void stopped_by(pid_t pid, int number)
{
	assert_int_equal(ptrace(PTRACE_SEIZE, pid, NULL, NULL), 0);
	if (number)
		assert_int_equal(kill(pid, number), 0);
	else
		assert_int_equal(ptrace(PTRACE_INTERRUPT, pid, NULL, NULL), 0);
	wait_for_state(pid, 't');
}

static void looking_leaves_a_stop_where_it_is(void **state)
{
	(void)state;
	pid_t pid = child_that(sleeps);
	struct tracee_stop stop = { 0 };
	stopped_by(pid, SIGUSR1);
	for (int i = 0; i < 3; i++) {
		stop = (struct tracee_stop){ 0 };
		assert_int_equal(tracee_look(pid, &stop), TRACEE_STOPPED);
		assert_int_equal(stop.signal, SIGUSR1);
		assert_int_equal(stop.event, 0);
		assert_false(tracee_reap(pid));
	}
	int status;
	assert_int_equal(waitpid(pid, &status, WNOHANG | __WALL), pid);
	assert_true(WIFSTOPPED(status) && WSTOPSIG(status) == SIGUSR1);
	end(pid);
}

/* As if another thread of the program's sat in waitpid(-1). */
static void a_stop_that_another_has_taken_is_found(void **state)
{
	(void)state;
	static const int numbers[] = { SIGUSR1, SIGTRAP, SIGSTOP, 0 };
	for (size_t i = 0; i < 4; i++) {
		pid_t pid = child_that(sleeps);
		struct tracee_stop before, stop = { 0 };
		stopped_by(pid, numbers[i]);
		assert_int_equal(tracee_look(pid, &before), TRACEE_STOPPED);
		assert_int_equal(waitpid(pid, NULL, __WALL), pid);
		assert_int_equal(tracee_look(pid, &stop), TRACEE_RUNS);
		assert_true(tracee_look_behind(pid, &stop));
		assert_int_equal(stop.signal, numbers[i]);
		assert_int_equal(stop.event, numbers[i] ? 0 : 128);
		assert_int_equal(stop.signal, before.signal);
		assert_int_equal(stop.event, before.event);
		assert_int_equal(stop.group_stop, before.group_stop);
		end(pid);
	}
}

static void sends_itself_what_looks_like_a_stop(int ready)
{
	siginfo_t info = { .si_signo = SIGTRAP, .si_code = SIGTRAP | 128 << 8 };
	info.si_pid = getpid();
	info.si_value.sival_int = 42;
	signal(SIGTRAP, SIG_IGN);
	say_ready(ready);
	raise(SIGSTOP);
	syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), SIGTRAP, &info);
	_exit(0);
}

static void a_signal_that_looks_like_a_stop_is_a_signal(void **state)
{
	(void)state;
	pid_t pid = child_that(sends_itself_what_looks_like_a_stop);
	struct tracee_stop stop;
	assert_int_equal(waitpid(pid, NULL, WUNTRACED), pid);
	assert_int_equal(ptrace(PTRACE_SEIZE, pid, NULL, NULL), 0);
	wait_for_state(pid, 't');
	kill(pid, SIGCONT);
	while (tracee_look(pid, &stop) == TRACEE_RUNS || stop.signal != SIGTRAP) {
		if (tracee_look(pid, &stop) == TRACEE_STOPPED && stop.signal != SIGTRAP) {
			assert_int_equal(waitpid(pid, NULL, __WALL), pid);
			ptrace(PTRACE_CONT, pid, NULL, (unsigned long)stop.signal);
		}
		usleep(1000);
	}
	assert_int_equal(waitpid(pid, NULL, __WALL), pid);
	stop = (struct tracee_stop){ 0 };
	assert_true(tracee_look_behind(pid, &stop));
	assert_int_equal(stop.signal, SIGTRAP);
	end(pid);
}

static void one_that_runs_or_has_ended_is_not_stopped(void **state)
{
	(void)state;
	pid_t pid = child_that(sleeps);
	struct tracee_stop stop;
	assert_int_equal(ptrace(PTRACE_SEIZE, pid, NULL, NULL), 0);
	assert_int_equal(tracee_look(pid, &stop), TRACEE_RUNS);
	assert_false(tracee_look_behind(pid, &stop));
	assert_false(tracee_reap(pid));
	kill(pid, SIGKILL);
	wait_for_state(pid, 'Z');
	assert_int_equal(tracee_look(pid, &stop), TRACEE_ENDED);
	assert_false(tracee_look_behind(pid, &stop));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(tracee_look(pid, &stop), TRACEE_ENDED);
	assert_true(tracee_reap(pid));
}

/* ---- the list ------------------------------------------------------------------------------ */

static void tasks_are_found_by_their_numbers(void **state)
{
	(void)state;
	enum { PROCESSES = 3, TASKS = 5000 };
	struct freeze freeze;
	freeze_init(&freeze);
	for (int p = 0; p < PROCESSES; p++)
		assert_int_equal(freeze_add(&freeze, p + 1, 0, open("/", O_PATH | O_CLOEXEC), NULL), VMSNAP_OK);
	size_t process = 99;
	assert_null(freeze_find_task(&freeze, 7, &process));
	for (int i = 0; i < TASKS; i++)
		assert_int_equal(freeze_add_task(&freeze, (size_t)(i % PROCESSES), 7 * i + 1), 0);
	for (int i = 0; i < TASKS; i++) {
		const struct frozen_task *task = freeze_find_task(&freeze, 7 * i + 1, &process);
		assert_true(task && task->tid == 7 * i + 1);
		assert_int_equal(process, i % PROCESSES);
		assert_null(freeze_find_task(&freeze, 7 * i + 2, &process));
	}
	/* A number that was given anew. */
	freeze_find_task(&freeze, 8, &process)->gone = true;
	assert_int_equal(freeze_add_task(&freeze, 2, 8), 0);
	assert_false(freeze_find_task(&freeze, 8, &process)->gone);
	assert_int_equal(process, 2);
	freeze_forget_tasks(&freeze);
	assert_null(freeze_find_task(&freeze, 8, &process));
	freeze_free(&freeze);
}

static void with_many_threads_there_is_more_patience(void **state)
{
	(void)state;
	struct freeze freeze;
	freeze_init(&freeze);
	assert_int_equal(freeze_add(&freeze, 1, 0, open("/", O_PATH | O_CLOEXEC), NULL), VMSNAP_OK);
	assert_int_equal(freeze_patience(&freeze), 500000000);
	for (int i = 0; i < 10000; i++)
		assert_int_equal(freeze_add_task(&freeze, 0, i + 1), 0);
	assert_int_equal(freeze_patience(&freeze), 10500000000);
	freeze.timeout_ms = 7; /* the caller's word */
	assert_int_equal(freeze_patience(&freeze), 7000000);
	freeze_free(&freeze);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_thread_that_was_not_stopped_is_told),
		cmocka_unit_test(a_thread_that_waits_for_its_vfork_child_stands_with_it),
		cmocka_unit_test(of_a_whole_freeze_no_thread_is_missed),
		cmocka_unit_test(whoever_has_its_memory_stands_with_it),
		cmocka_unit_test(looking_leaves_a_stop_where_it_is),
		cmocka_unit_test(a_stop_that_another_has_taken_is_found),
		cmocka_unit_test(a_signal_that_looks_like_a_stop_is_a_signal),
		cmocka_unit_test(one_that_runs_or_has_ended_is_not_stopped),
		cmocka_unit_test(tasks_are_found_by_their_numbers),
		cmocka_unit_test(with_many_threads_there_is_more_patience),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
