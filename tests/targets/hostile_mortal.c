/* hostile_mortal - does what it is told at the worst moment.
 *
 * Commands, each answered with "ready": "exec" executes itself anew, "exit" ends with
 * status 7, "vanish" ends the main thread and lets the others live, "remap" replaces
 * part of its memory, "count" tells how many SIGUSR1 there were. */
#define _GNU_SOURCE
#include "target.h"

#include <pthread.h>
#include <stdatomic.h>

static atomic_int signals;

static void on_signal(int number)
{
	(void)number;
	signals++;
}

static void *wait_on(void *nothing)
{
	for (;;)
		pause();
	return nothing;
}

static void obey(const char *line, char **argv)
{
	static char *memory;
	if (!strcmp(line, "exec")) {
		execv("/proc/self/exe", argv);
		cannot("execute");
	} else if (!strcmp(line, "exit")) {
		exit(7);
	} else if (!strcmp(line, "remap")) {
		if (memory)
			munmap(memory, 64 * PAGE);
		memory = map_private(64 * PAGE);
		write_pages(memory, 0, 64, 3);
	} else if (!strcmp(line, "count")) {
		say("count %d\n", signals);
	}
}

static void *listen_on(void *argv)
{
	for (;;)
		obey(next_command(), argv);
	return NULL;
}

int main(int argc, char **argv)
{
	(void)argc;
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)SA_RESTART };
	pthread_t thread;
	die_with_parent();
	sigaction(SIGUSR1, &action, NULL);
	for (int i = 0; i < 2; i++)
		if (pthread_create(&thread, NULL, wait_on, NULL))
			cannot("make a thread");
	for (;;) {
		char *line = next_command();
		if (!strcmp(line, "vanish")) {
			if (pthread_create(&thread, NULL, listen_on, argv))
				cannot("make a thread");
			pthread_exit(NULL);
		}
		obey(line, argv);
	}
}
