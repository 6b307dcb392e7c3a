/* instant threads|processes|memory - two that write a page each, strictly in turn: first a page
 * of `first`, then the same page of `second`, all the time.  At any one instant `first`
 * has as many pages as `second`, or one more.  Begins when told to.  memory: another process
 * that has the same address space writes both. */
#define _GNU_SOURCE
#include "target.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

enum { PAGES = 1 << 17 };

static char *first, *second;
static atomic_size_t *turns; /* shared: even ones are of the first writer */

static void await_turn(size_t turn)
{
	for (unsigned spins = 0; atomic_load(turns) != turn; spins++)
		if (spins % 64 == 63)
			sched_yield();
}

static void write_in_turn(char *area, size_t turn)
{
	for (size_t page = 0; page < PAGES; page++, turn += 2) {
		await_turn(turn);
		area[page * PAGE] = 1;
		atomic_store(turns, turn + 1);
		/* Slowly enough to last for some captures. */
		if (page % 8 == 0)
			usleep(50);
	}
}

static void *write_second(void *nothing)
{
	write_in_turn(second, 1);
	return nothing;
}

/* Another process in the same memory, in place of both. */
static int write_both(void *nothing)
{
	(void)nothing;
	die_with_parent();
	for (size_t page = 0; page < PAGES; page++) {
		first[page * PAGE] = 1;
		second[page * PAGE] = 1;
		if (page % 8 == 0)
			usleep(50);
	}
	return pause();
}

int main(int argc, char **argv)
{
	die_with_parent();
	int threads = argc > 1 && !strcmp(argv[1], "threads"), memory = argc > 1 && !strcmp(argv[1], "memory");
	turns = (atomic_size_t *)map_memory(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, -1);
	/* Far apart, so that a reader comes to one of them much earlier. */
	second = map_apart(PAGES);
	char *between = map_apart(PAGES);
	write_pages(between, 0, PAGES, 1);
	first = map_apart(PAGES);
	madvise(first, (size_t)PAGES * PAGE, MADV_NOHUGEPAGE);
	madvise(second, (size_t)PAGES * PAGE, MADV_NOHUGEPAGE);
	say_range("first", first, (size_t)PAGES * PAGE);
	say_range("second", second, (size_t)PAGES * PAGE);
	next_command();
	if (threads) {
		pthread_t other;
		if (pthread_create(&other, NULL, write_second, NULL))
			cannot("make a thread");
	} else if (memory) {
		enum { STACK = 65536 };
		if (clone(write_both, map_private(STACK) + STACK, CLONE_VM | SIGCHLD, NULL) < 0)
			cannot("clone");
	} else if (!fork()) {
		die_with_parent();
		write_second(NULL);
		stand_still();
	}
	say("begun\n");
	say("ready\n");
	if (!memory)
		write_in_turn(first, 0);
	for (;;)
		pause();
}
