/* Processes as they are, without a snapshot: against what we know of our own children. */
#include "test_children.h"

#include <elf.h>
#include <sys/auxv.h>

static struct vmsnap_process process_of(pid_t pid)
{
	struct vmsnap_process found = { .size = sizeof(found) };
	struct vmsnap_error err = { 0 };
	assert_int_equal(vmsnap_process_now(pid, &found, &err), VMSNAP_OK);
	return found;
}

static void a_child_is_told_with_its_parent(void **state)
{
	(void)state;
	pid_t pid = child_that(sleeps);
	struct vmsnap_process child = process_of(pid), we = process_of(getpid());
	assert_int_equal(child.pid, pid);
	assert_int_equal(child.tgid, pid);
	assert_int_equal(child.ppid, getpid());
	assert_int_equal(child.tracer, 0);
	assert_true(child.start_time >= we.start_time && we.start_time > 0);
	assert_int_equal(we.state, 'R');
	assert_int_equal(we.ppid, getppid());
	end(pid);
}

static void who_debugs_it_is_told(void **state)
{
	(void)state;
	pid_t pid = child_that(sleeps);
	assert_int_equal(ptrace(PTRACE_SEIZE, pid, NULL, NULL), 0);
	assert_int_equal(ptrace(PTRACE_INTERRUPT, pid, NULL, NULL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	struct vmsnap_process child = process_of(pid);
	assert_int_equal(child.tracer, getpid());
	assert_int_equal(child.state, 't');
	end(pid);
}

static void *tells_its_number_and_waits(void *arg)
{
	int *pipes = arg;
	pid_t tid = (pid_t)syscall(SYS_gettid);
	char byte;
	assert_int_equal(write(pipes[1], &tid, sizeof(tid)), sizeof(tid));
	assert_int_equal(read(pipes[2], &byte, 1), 0);
	return NULL;
}

static void a_thread_is_told_as_one(void **state)
{
	(void)state;
	int pipes[4];
	pthread_t thread;
	pid_t tid;
	assert_int_equal(pipe(pipes) | pipe(pipes + 2), 0);
	assert_int_equal(pthread_create(&thread, NULL, tells_its_number_and_waits, pipes), 0);
	assert_int_equal(read(pipes[0], &tid, sizeof(tid)), sizeof(tid));
	struct vmsnap_process found = process_of(tid);
	assert_int_equal(found.pid, tid);
	assert_int_equal(found.tgid, getpid());
	close(pipes[3]);
	pthread_join(thread, NULL);
	close(pipes[0]);
	close(pipes[1]);
	close(pipes[2]);
}

static void zombies_are_told_and_nobody_is_an_error(void **state)
{
	(void)state;
	struct vmsnap_process found = { .size = sizeof(found) };
	struct vmsnap_error err;
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	siginfo_t info;
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(process_of(pid).state, 'Z');
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(vmsnap_process_now(pid, &found, &err), VMSNAP_ERR_NO_PROCESS);
	assert_int_equal(vmsnap_process_now(0, &found, &err), VMSNAP_ERR_ARGUMENT);
	size_t count;
	uint64_t value;
	assert_int_equal(vmsnap_children_now(pid, NULL, 0, &count, &err), VMSNAP_ERR_NO_PROCESS);
	assert_int_equal(vmsnap_auxv_now(pid, AT_ENTRY, &value, &err), VMSNAP_ERR_NO_PROCESS);
}

static void a_size_that_is_none_is_refused_and_a_smaller_one_filled(void **state)
{
	(void)state;
	struct vmsnap_process found = { .size = 0, .state = '!' };
	assert_int_equal(vmsnap_process_now(getpid(), &found, NULL), VMSNAP_ERR_ARGUMENT);
	found.size = sizeof(found) + 8;
	assert_int_equal(vmsnap_process_now(getpid(), &found, NULL), VMSNAP_ERR_ARGUMENT);
	found.size = offsetof(struct vmsnap_process, ppid);
	assert_int_equal(vmsnap_process_now(getpid(), &found, NULL), VMSNAP_OK);
	assert_int_equal(found.tgid, getpid());
	assert_int_equal(found.state, '!');
}

static void children_are_told_oldest_first(void **state)
{
	(void)state;
	pid_t first = child_that(sleeps), second = child_that(sleeps), told[8] = { 0 };
	size_t count = 0;
	int rc = vmsnap_children_now((pid_t)syscall(SYS_gettid), told, 8, &count, NULL);
	if (!rc) {
		assert_int_equal(count, 2);
		assert_int_equal(told[0], first);
		assert_int_equal(told[1], second);
		told[1] = 0;
		assert_int_equal(vmsnap_children_now(getpid(), told, 1, &count, NULL), VMSNAP_OK);
		assert_int_equal(count, 2);
		assert_int_equal(told[1], 0);
		assert_int_equal(vmsnap_children_now(first, NULL, 0, &count, NULL), VMSNAP_OK);
		assert_int_equal(count, 0);
	}
	end(first);
	end(second);
	if (rc)
		skip(); /* without CONFIG_PROC_CHILDREN */
}

static void what_the_kernel_told_a_program_is_told(void **state)
{
	(void)state;
	uint64_t value = 0;
	pid_t pid = child_that(sleeps);
	static const unsigned long types[] = { AT_ENTRY, AT_BASE, AT_PHDR, AT_PAGESZ };
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		assert_int_equal(vmsnap_auxv_now(pid, types[i], &value, NULL), VMSNAP_OK);
		assert_true(value == getauxval(types[i]));
	}
	assert_int_equal(vmsnap_auxv_now(pid, 123456, &value, NULL), VMSNAP_ERR_NOT_FOUND);
	assert_int_equal(vmsnap_auxv_now(pid, AT_NULL, &value, NULL), VMSNAP_OK);
	end(pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_is_told_with_its_parent),
		cmocka_unit_test(who_debugs_it_is_told),
		cmocka_unit_test(a_thread_is_told_as_one),
		cmocka_unit_test(zombies_are_told_and_nobody_is_an_error),
		cmocka_unit_test(a_size_that_is_none_is_refused_and_a_smaller_one_filled),
		cmocka_unit_test(children_are_told_oldest_first),
		cmocka_unit_test(what_the_kernel_told_a_program_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
