/* hostile_witness [ignore] [children N] [KIB] - can say whether it was disturbed.
 *
 * Threads sleep, wait for a pipe, wait for each other and work.  Each "report" is
 * answered with the hash of its memory, how many signals came, how many calls were
 * interrupted (no call here is one of those that a stop always interrupts, signal(7))
 * and how often the worker went around.  A child that is interrupted exits, which is
 * a signal to us.  With `ignore` all signals that can be are blocked and ignored. */
#define _GNU_SOURCE
#include "target.h"

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

static atomic_ulong signals, interrupted, rounds;
static sem_t never;
static char *memory;
static size_t memory_bytes = 64 * PAGE;

static void on_signal(int number)
{
	(void)number;
	signals++;
}

/* Without SA_RESTART: a handler that runs is seen twice. */
static void take_signals(bool ignore)
{
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t all;
	if (ignore) {
		action.sa_handler = SIG_IGN;
		sigfillset(&all);
		sigprocmask(SIG_BLOCK, &all, NULL);
	}
	for (int number = 1; number < 32; number++)
		if (number != SIGKILL && number != SIGSTOP)
			sigaction(number, &action, NULL);
}

static void *sleep_on(void *nothing)
{
	struct timespec hour = { .tv_sec = 3600 };
	for (;;)
		interrupted += clock_nanosleep(CLOCK_MONOTONIC, 0, &hour, NULL) == EINTR;
	return nothing;
}

static void *wait_for_pipe(void *nothing)
{
	int ends[2];
	char byte;
	if (pipe(ends))
		cannot("pipe");
	for (;;)
		interrupted += read(ends[0], &byte, 1) < 0 && errno == EINTR;
	return nothing;
}

static void *wait_with_poll(void *nothing)
{
	for (;;)
		interrupted += poll(NULL, 0, -1) < 0 && errno == EINTR;
	return nothing;
}

static void *wait_for_others(void *nothing)
{
	for (;;)
		interrupted += sem_wait(&never) && errno == EINTR;
	return nothing;
}

static void *work(void *nothing)
{
	for (;;) {
		for (volatile int i = 0; i < 20000; i++)
			;
		rounds++;
		/* Awake most of the time would leave little of a small machine to others. */
		interrupted += usleep(300) && errno == EINTR;
	}
	return nothing;
}

static void fill_memory(void)
{
	uint64_t seed = 7;
	memory = map_private(memory_bytes);
	madvise(memory, memory_bytes, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < memory_bytes; i += sizeof(seed)) {
		uint64_t value = random_next(&seed);
		memcpy(memory + i, &value, sizeof(value));
	}
	say_range("memory", memory, memory_bytes);
}

static uint64_t hash_memory(void)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < memory_bytes; i++)
		hash = (hash ^ (unsigned char)memory[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static void make_children(int count)
{
	while (count-- > 0) {
		pid_t child = fork();
		if (child < 0)
			cannot("fork");
		if (!child) {
			die_with_parent();
			pause();
			_exit(3);
		}
		say("child %d\n", (int)child);
	}
}

static void answer(const char *line)
{
	if (!strcmp(line, "report"))
		say("report %lx %lu %lu %lu\n", (unsigned long)hash_memory(), signals, interrupted, rounds);
}

int main(int argc, char **argv)
{
	void *(*const loops[])(void *) = { sleep_on, wait_for_pipe, wait_with_poll, wait_for_others, work };
	int children = 0;
	bool ignore = false;
	die_with_parent();
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "ignore"))
			ignore = true;
		else if (!strcmp(argv[i], "children") && i + 1 < argc)
			children = atoi(argv[++i]);
		else
			memory_bytes = (size_t)atoi(argv[i]) << 10;
	}
	fill_memory();
	make_children(children);
	take_signals(ignore);
	sem_init(&never, 0, 0);
	for (size_t i = 0; i < sizeof(loops) / sizeof(loops[0]); i++) {
		pthread_t thread;
		if (pthread_create(&thread, NULL, loops[i], NULL))
			cannot("make a thread");
	}
	for (;;)
		answer(next_command());
}
