/* Moments that hardly ever come, brought about: functions of the C library's names, which
 * come before the library's, put things in that order. */
#include "test_children.h"
#include "test_sanitized.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <time.h>

/* What is wanted of the next capture. */
static enum { NOTHING, ENDED_IN_BETWEEN, NO_TURN, DETACHES, EXECUTES_UNSEEN } wanted;

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

/* One step of the target, that it says it has done. */
static int orders[2], answers[2];
static void have_it_go_on(void)
{
	char byte = 0;
	if (write(orders[1], &byte, 1) != 1 || read(answers[0], &byte, 1) != 1)
		abort();
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
	/* Its threads have been listed. */
	if (wanted == EXECUTES_UNSEEN && seizes == 1)
		have_it_go_on();
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

/* It has just been seen to stand. */
int waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
	int rc = (int)syscall(SYS_waitid, type, id, info, options, NULL);
	int saved = errno;
	if (wanted == EXECUTES_UNSEEN && !rc && (pid_t)id == leader && info->si_pid) {
		wanted = DETACHES;
		have_it_go_on();
	}
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

/* A program that another thread than the main one executes outlives its parent, unless it looks. */
static char self[] = "/proc/self/exe", executes_word[] = "executes", executed_word[] = "executed", number[16];

static void die_with_parent(const char *parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != (pid_t)atoi(parent))
		_exit(1);
}

static void *executes(void *unused)
{
	char *words[] = { self, executes_word, number, NULL };
	usleep(500);
	execv(words[0], words);
	return unused;
}

/* A thread other than the main one executes this program again, and again. */
static int execute_for_ever(const char *parent)
{
	die_with_parent(parent);
	strcpy(number, parent);
	pthread_t thread;
	if (pthread_create(&thread, NULL, executes, NULL))
		return 1;
	for (;;)
		pause();
}

static void executes_for_ever(int ready)
{
	say_ready(ready);
	executes(NULL);
}

static void what_took_the_main_threads_number_stands_too(void **state)
{
	(void)state;
	leader = child_that(executes_for_ever);
	wanted = DETACHES;
	bool slow = SANITIZED || getenv("VMSNAP_SLOWNESS"); /* an emulated machine */
	for (int i = 0; i < (slow ? 20 : 1000); i++) {
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

static void answer_and_obey(int answer, int order)
{
	char byte = 0;
	if (write(answer, &byte, 1) != 1 || read(order, &byte, 1) != 1)
		_exit(1);
}

static void *executes_once(void *unused)
{
	char answer[16], *words[] = { self, executed_word, number, answer, NULL };
	snprintf(answer, sizeof(answer), "%d", answers[1]);
	answer_and_obey(answers[1], orders[0]);
	execv(words[0], words);
	return unused;
}

static void has_a_thread_that_executes(int ready)
{
	pthread_t thread;
	answer_and_obey(ready, orders[0]);
	if (pthread_create(&thread, NULL, executes_once, NULL))
		_exit(1);
	for (;;)
		pause();
}

static int executed(const char *parent, const char *answer)
{
	die_with_parent(parent);
	char byte = 0;
	if (write(atoi(answer), &byte, 1) != 1)
		return 1;
	for (;;)
		pause();
}

/* Born after the threads were listed, gone before they were once more, and the main one stood in between. */
static void what_a_thread_executed_that_was_never_seen_stands_too(void **state)
{
	(void)state;
	assert_int_equal(pipe(orders), 0);
	assert_int_equal(pipe(answers), 0);
	leader = child_that(has_a_thread_that_executes);
	lost_leaders = seizes = 0;
	wanted = EXECUTES_UNSEEN;
	struct vmsnap *snap = capture_ok(leader, NULL);
	assert_int_equal(wanted, DETACHES);
	assert_int_equal(vmsnap_info(snap)->freeze, VMSNAP_FREEZE_FULL);
	assert_int_equal(lost_leaders, 0);
	vmsnap_unref(snap);
	wanted = NOTHING;
	end(leader);
	for (int i = 0; i < 2; i++) {
		close(orders[i]);
		close(answers[i]);
	}
}

int main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[1], executes_word))
		return execute_for_ever(argv[2]);
	if (argc > 3 && !strcmp(argv[1], executed_word))
		return executed(argv[2], argv[3]);
	snprintf(number, sizeof(number), "%d", (int)getpid());
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_thread_that_is_ended_when_it_is_done_leaves_no_empty_snapshot),
		cmocka_unit_test(a_freeze_that_has_no_turn_is_not_given_up),
		cmocka_unit_test(what_took_the_main_threads_number_stands_too),
		cmocka_unit_test(what_a_thread_executed_that_was_never_seen_stands_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
