/* hostile_exec - executes programs in such a way that others have to wait, or see a dead
 * main thread.
 *
 * hostile_exec storm: two of its threads execute itself anew, over and over.
 * hostile_exec tree SECONDS: two children, told as "child PID".  The first is stuck for
 *   that time within execve(2), where who wants to trace it waits: a thread of it, which
 *   the program is to replace, is traced by a child who does not look.  The other sleeps. */
#define _GNU_SOURCE
#include "target.h"

#include <pthread.h>
#include <sys/ptrace.h>

static int told[2], traced[2];

static void *wait_on(void *nothing)
{
	pid_t tid = (pid_t)syscall(SYS_gettid);
	if (told[1] && write(told[1], &tid, sizeof(tid)) != sizeof(tid))
		_exit(1);
	for (;;)
		pause();
	return nothing;
}

static void start_thread(void *(*act)(void *), void *argument)
{
	pthread_t thread;
	int error;
	/* Linux starts none while another thread executes: this one is about to end. */
	while ((error = pthread_create(&thread, NULL, act, argument)) == EAGAIN)
		usleep(100);
	errno = error;
	if (error)
		cannot("start a thread");
}

/* ---- storm ------------------------------------------------------------------------- */

static void *execute_soon(void *again)
{
	usleep(500);
	execv("/proc/self/exe", again);
	return NULL;
}

static _Noreturn void storm(int again)
{
	static char *others[] = { "hostile_exec", "storm", "again", NULL };
	die_with_parent();
	for (int i = 0; i < 6; i++)
		start_thread(wait_on, NULL);
	if (!again)
		say("ready\n");
	start_thread(execute_soon, others);
	start_thread(execute_soon, others);
	for (;;)
		pause();
}

/* ---- tree -------------------------------------------------------------------------- */

static _Noreturn void trace_and_sleep(unsigned seconds)
{
	pid_t tid;
	die_with_parent();
	if (read(told[0], &tid, sizeof(tid)) != sizeof(tid) || ptrace(PTRACE_SEIZE, tid, NULL, NULL))
		_exit(1);
	if (write(traced[1], "", 1) != 1)
		_exit(1);
	sleep(seconds);
	_exit(0);
}

static _Noreturn void get_stuck(unsigned seconds)
{
	char byte;
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
	if (pipe(told) || pipe(traced))
		_exit(1);
	if (!fork())
		trace_and_sleep(seconds);
	close(traced[1]);
	start_thread(wait_on, NULL);
	if (read(traced[0], &byte, 1) == 1)
		execl("/bin/sleep", "sleep", "60", NULL);
	_exit(1);
}

static void have_child(int stuck, unsigned seconds)
{
	pid_t pid = fork();
	if (pid < 0)
		cannot("fork");
	if (pid) {
		say("child %d\n", (int)pid);
		return;
	}
	die_with_parent();
	if (stuck)
		get_stuck(seconds);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "storm"))
		storm(argc > 2);
	if (argc < 3)
		return 2;
	die_with_parent();
	have_child(1, (unsigned)atoi(argv[2]));
	have_child(0, 0);
	stand_still();
}
