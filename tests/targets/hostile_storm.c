/* hostile_storm KIND [COUNT] - never holds still.
 *
 *   forks COUNT     processes that fork and exit without end, about COUNT at a time
 *   threads COUNT   threads that start and end, in each of two processes
 *   maps            threads that map, protect, move and unmap without end
 *
 * "report" is answered with how often, and how many processes there are. */
#define _GNU_SOURCE
#include "target.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

struct shared {
	pid_t first;
	time_t end;
	atomic_ulong done;
	atomic_int alive, most;
};

static struct shared *shared;

/* Whatever happens to the test, none of these lives for ever; and none ends before the test
 * on a machine that is slow. */
enum { SECONDS = 300 };

/* Its end is that of all, and the storm's own time is short. */
static bool goes_on(void)
{
	return kill(shared->first, 0) == 0 && time(NULL) < shared->end;
}

static void live_as_child(uint64_t seed);

/* Returns in the parent. */
static void fork_one(uint64_t seed)
{
	if (atomic_fetch_add(&shared->alive, 1) >= shared->most) {
		shared->alive--;
		return;
	}
	pid_t child = fork();
	shared->done++;
	shared->alive -= child < 0;
	if (!child)
		live_as_child(seed ^ (uint64_t)getpid());
}

/* Whom it leaves behind the first process inherits, and nobody has to be waited for. */
static void live_as_child(uint64_t seed)
{
	alarm(SECONDS);
	for (int i = 0; i < 3 && goes_on(); i++) {
		usleep((useconds_t)(random_next(&seed) % 80000));
		fork_one(seed);
	}
	shared->alive--;
	_exit(0);
}

static void *fork_on(void *nothing)
{
	for (uint64_t seed = 1;; usleep(2000)) {
		random_next(&seed);
		fork_one(seed);
	}
	return nothing;
}

static void *end_at_once(void *nothing)
{
	shared->done++;
	return nothing;
}

static void *make_threads(void *nothing)
{
	for (;;) {
		pthread_t thread;
		if (!pthread_create(&thread, NULL, end_at_once, NULL))
			pthread_join(thread, NULL);
	}
	return nothing;
}

static void *map_on(void *nothing)
{
	for (uint64_t seed = (uintptr_t)&nothing;;) {
		size_t bytes = (random_next(&seed) % 64 + 2) * PAGE;
		char *memory = map_memory(bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
		write_pages(memory, 0, bytes / PAGE, 2);
		mprotect(memory + PAGE, PAGE, PROT_READ);
		char *moved = mremap(memory, bytes, bytes * 2, MREMAP_MAYMOVE);
		munmap(moved == MAP_FAILED ? memory : moved, moved == MAP_FAILED ? bytes : bytes * 2);
		shared->done++;
	}
	return nothing;
}

static void start_threads(void *(*run)(void *), int count)
{
	pthread_t thread;
	while (count-- > 0)
		if (pthread_create(&thread, NULL, run, NULL))
			cannot("make a thread");
}

int main(int argc, char **argv)
{
	const char *kind = argc > 1 ? argv[1] : "";
	int count = argc > 2 ? atoi(argv[2]) : 3;
	die_with_parent();
	alarm(SECONDS);
	setpgid(0, 0);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	signal(SIGCHLD, SIG_IGN);
	shared = (struct shared *)map_memory(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, -1);
	shared->most = count;
	shared->first = getpid();
	shared->end = time(NULL) + SECONDS;
	if (!strcmp(kind, "forks")) {
		start_threads(fork_on, 1);
	} else if (!strcmp(kind, "threads")) {
		if (!fork()) {
			die_with_parent();
			start_threads(make_threads, count);
			for (;;)
				pause();
		}
		start_threads(make_threads, count);
	} else if (!strcmp(kind, "maps")) {
		start_threads(map_on, count);
	}
	for (;;) {
		next_command();
		say("report %lu %d\n", shared->done, shared->alive);
	}
}
