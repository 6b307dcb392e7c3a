/* A process that goes at any step of looking at it is gone, and nothing else. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "procdir.h"

/* Stands in for the C library's: opening a process's own directory fails so. */
static int refusal;

static int open_or_refuse(const char *path, int flags)
{
	if (refusal && !strncmp(path, "/proc/", 6)) {
		errno = refusal;
		return -1;
	}
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0);
}

#undef open
int open(const char *path, int flags, ...)
{
	return open_or_refuse(path, flags);
}

static void a_process_that_goes_while_its_directory_is_opened_is_none(void **state)
{
	(void)state;
	static const struct {
		int sys_errno, rc;
	} cases[] = {
		{ ENOENT, VMSNAP_ERR_NO_PROCESS },
		{ ESRCH, VMSNAP_ERR_NO_PROCESS },
		{ EMFILE, VMSNAP_ERR_SYSTEM },
		{ EACCES, VMSNAP_ERR_SYSTEM },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct vmsnap_error err;
		int procdir = -1;
		refusal = cases[i].sys_errno;
		assert_int_equal(procdir_open(getpid(), &procdir, &err), cases[i].rc);
		assert_int_equal(procdir, -1);
	}
	refusal = 0;
}

static void a_process_that_is_there_is_opened(void **state)
{
	(void)state;
	int procdir = -1;
	assert_int_equal(procdir_open(getpid(), &procdir, NULL), VMSNAP_OK);
	assert_true(procdir >= 0);
	close(procdir);
}

static void one_that_has_ended_is_not_one_of_another_namespace(void **state)
{
	(void)state;
	int procdir = -1;
	pid_t child = fork();
	if (!child)
		for (;;)
			pause();
	assert_int_equal(procdir_open(child, &procdir, NULL), VMSNAP_OK);
	assert_true(procdir_numbers_are_ours(procdir));
	assert_false(procdir_has_ended(procdir));
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_true(procdir_has_ended(procdir));
	close(procdir);
}

/* As root it is traced by nobody, but for no right that is missing. */
static void who_ends_is_not_who_may_not_be_read(void **state)
{
	(void)state;
	struct vmsnap_error err;
	pid_t child = fork();
	if (!child)
		_exit(0);
	siginfo_t ended;
	assert_int_equal(waitid(P_PID, (id_t)child, &ended, WEXITED | WNOWAIT), 0);
	assert_true(procdir_is_ending(child));
	assert_int_equal(procdir_fail(EPERM, child, "threads", &err), VMSNAP_ERR_EXITED);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_true(procdir_is_ending(child));
	assert_false(procdir_is_ending(getpid()));
	assert_int_equal(procdir_fail(EPERM, getpid(), "threads", &err), VMSNAP_ERR_PERMISSION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_process_that_goes_while_its_directory_is_opened_is_none),
		cmocka_unit_test(a_process_that_is_there_is_opened),
		cmocka_unit_test(one_that_has_ended_is_not_one_of_another_namespace),
		cmocka_unit_test(who_ends_is_not_who_may_not_be_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
