/* test_children.h - processes to look at: children of the test that do as they are told. */
#ifndef TEST_CHILDREN_H
#define TEST_CHILDREN_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmsnap.h"

/* Returns once it has said that it is ready. */
static inline pid_t child_that(void (*act)(int ready))
{
	int ready[2];
	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ready[0]);
		act(ready[1]);
		_exit(0);
	}
	close(ready[1]);
	char byte;
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static inline void say_ready(int ready)
{
	if (write(ready, "", 1) != 1)
		_exit(1);
}

static inline void end(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static inline char state_of(pid_t pid)
{
	char path[64], text[512] = "";
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	int fd = open(path, O_RDONLY);
	assert_true(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	return strrchr(text, ')')[2];
}

static inline void wait_for_state(pid_t pid, char wanted)
{
	for (int i = 0; i < 2000 && state_of(pid) != wanted; i++)
		usleep(1000);
	assert_int_equal(state_of(pid), wanted);
}

static inline void sleeps(int ready)
{
	say_ready(ready);
	for (;;)
		pause();
}

static inline struct vmsnap *capture_ok(pid_t pid, const struct vmsnap_capture_options *options)
{
	struct vmsnap *snap = NULL;
	struct vmsnap_error err = { 0 };
	if (vmsnap_capture(pid, options, &snap, &err))
		fail_msg("%s", err.message);
	return snap;
}

static inline void *sleep_in_thread(void *ready)
{
	say_ready(*(int *)ready);
	for (;;)
		pause();
	return NULL;
}

static inline void has_a_thread(int ready)
{
	pthread_t thread;
	pthread_create(&thread, NULL, sleep_in_thread, &ready);
	for (;;)
		pause();
}

static inline void main_thread_exits(int ready)
{
	pthread_t thread;
	pthread_create(&thread, NULL, sleep_in_thread, &ready);
	syscall(SYS_exit, 0);
}

#endif
