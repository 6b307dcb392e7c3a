/* setxid THREADS - a program whose threads are stopped by signals of the C library's own,
 * again and again: setgid(2) is a thread's matter to the kernel and a process's to POSIX,
 * so glibc sends each thread a signal, and waits for all of them.  One that is lost makes
 * it wait for ever.
 *
 * Each line on standard input is answered with "rounds N". */
#define _GNU_SOURCE
#include "../targets/target.h"

#include <pthread.h>
#include <stdatomic.h>

#include "thread_start.h"

static atomic_ulong rounds;

static void *idle(void *nothing)
{
	for (;;)
		pause();
	return nothing;
}

static void *work(void *nothing)
{
	for (;;) {
		if (setgid(getgid()))
			cannot("set its group to what it is");
		rounds++;
		usleep(1000);
	}
	return nothing;
}

int main(int argc, char **argv)
{
	int threads = argc > 1 ? atoi(argv[1]) : 10;
	die_with_parent();
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY); /* where Yama restricts ptrace */
	while (threads-- > 2)
		thread_start(idle, 16);
	thread_start(work, 16);
	for (;;) {
		next_command();
		say("rounds %lu\n", rounds);
	}
}
