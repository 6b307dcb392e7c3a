/* processes KIND ... - processes that do not hold still.
 *
 *   threads COUNT     threads that come and go all the time
 *   sleepers COUNT    threads that sleep
 *   forks COUNT       a process that forks, whose children fork
 *   exec OTHER        executes itself and OTHER (the same program) in turn
 *   vfork             a parent that waits for its vfork child
 *   zombie            a parent with a dead child
 *   spin MIB          runs, and tells the longest time it did not
 *   name BYTES        has this name (comm)
 *   argument ...      has its arguments swapped out
 */
#define _GNU_SOURCE
#include "target.h"

#include <pthread.h>
#include <time.h>

static void *live_shortly(void *nothing)
{
	usleep(200);
	return nothing;
}

/* Keeps a thread alive at any time, and makes a new one as soon as it ends. */
static void *make_threads(void *nothing)
{
	for (;;) {
		pthread_t thread;
		if (!pthread_create(&thread, NULL, live_shortly, NULL))
			pthread_join(thread, NULL);
	}
	return nothing;
}

static void *sleep_for_ever(void *nothing)
{
	for (;;)
		pause();
	return nothing;
}

static void be_sleepers(int count)
{
	pthread_t thread;
	pthread_attr_t small;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 64 << 10);
	while (count-- > 1)
		if (pthread_create(&thread, &small, sleep_for_ever, NULL))
			cannot("make a thread");
	stand_still();
}

static void be_threads(int count)
{
	pthread_t thread;
	while (count-- > 0)
		if (pthread_create(&thread, NULL, make_threads, NULL))
			cannot("make a thread");
	stand_still();
}

/* What a process knows of its forks shows in its page table: a page of `begun` is
 * written right before each fork, one of `done` right after it.  The children have
 * others than their parent, so that they inherit none.  Returns 1 in a child. */
static int fork_children(int count, char *begun, char *done)
{
	for (int i = 0; i < count; i++) {
		begun[i * PAGE] = 1;
		pid_t child = fork();
		if (!child) {
			die_with_parent();
			return 1;
		}
		if (child < 0)
			_exit(1);
		done[i * PAGE] = 1;
		usleep(300);
	}
	return 0;
}

/* Children that fork children; none of them ends. */
static void be_forks(int count)
{
	static const char *const names[4] = { "begun", "done", "begun_in_child", "done_in_child" };
	char *areas[4];
	for (int i = 0; i < 4; i++) {
		areas[i] = map_private((size_t)count * PAGE);
		say_range(names[i], areas[i], (size_t)count * PAGE);
	}
	say("ready\n");
	if (fork_children(count, areas[0], areas[1]))
		fork_children(count, areas[2], areas[3]);
	for (;;)
		pause();
}

static void be_exec(char **argv)
{
	char *next[] = { argv[2], argv[1], argv[0], NULL, NULL };
	next[3] = argv[3];
	usleep(700);
	execv(argv[2], next);
	cannot("execute");
}

static void be_vfork(char **argv)
{
	int gate[2];
	if (pipe(gate))
		cannot("pipe");
	say("ready\n");
	pid_t child = vfork();
	if (!child) {
		char byte;
		(void)!read(0, &byte, 1);
		execl(argv[0], argv[0], "sleep", (char *)NULL);
		_exit(1);
	}
	say("child %d\n", (int)child);
	stand_still();
}

static void be_zombie(void)
{
	pid_t child = fork();
	if (!child)
		_exit(0);
	siginfo_t info;
	waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
	say("child %d\n", (int)child);
	stand_still();
}

static int64_t now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* Until a byte arrives, looks at the clock all the time; then tells the longest
 * gap between two looks, which is how long it stood. */
static void *spin(void *nothing)
{
	for (;;) {
		char *line = next_command();
		int64_t last = now(), longest = 0, end = last + strtoll(line, NULL, 10) * 1000000;
		while (last < end) {
			int64_t next = now();
			longest = next - last > longest ? next - last : longest;
			last = next;
		}
		say("longest %ld\n", (long)longest);
	}
	return nothing;
}

static void be_spin(size_t mib)
{
	char *memory = map_private((mib << 20) + PAGE);
	madvise(memory, mib << 20, MADV_NOHUGEPAGE);
	write_pages(memory, 0, (mib << 20) / PAGE, 1);
	spin(NULL);
}

/* The strings of the arguments lie at the top of the stack, on pages of their own
 * if they are long. */
static void be_argument(char **argv)
{
	char *start = argv[2], *end = start + strlen(start);
	start = (char *)(((uintptr_t)start + PAGE - 1) & ~((uintptr_t)PAGE - 1));
	end = (char *)((uintptr_t)end & ~((uintptr_t)PAGE - 1));
	/* Again and again: a page that is on its way to the LRU lists stays. */
	for (int i = 0; i < 20; i++) {
		if (end <= start || madvise(start, (size_t)(end - start), 21 /* MADV_PAGEOUT */))
			cannot("page out the arguments");
		usleep(5000);
	}
	say_range("argument", start, (size_t)(end - start));
	stand_still();
}

int main(int argc, char **argv)
{
	die_with_parent();
	const char *kind = argc > 1 ? argv[1] : "";
	int count = argc > 2 ? atoi(argv[2]) : 0;
	if (!strcmp(kind, "threads"))
		be_threads(count);
	else if (!strcmp(kind, "sleepers"))
		be_sleepers(count);
	else if (!strcmp(kind, "forks"))
		be_forks(count);
	else if (!strcmp(kind, "exec") && argc > 3)
		be_exec(argv);
	else if (!strcmp(kind, "vfork"))
		be_vfork(argv);
	else if (!strcmp(kind, "sleep"))
		pause();
	else if (!strcmp(kind, "zombie"))
		be_zombie();
	else if (!strcmp(kind, "spin"))
		be_spin((size_t)count);
	else if (!strcmp(kind, "argument") && argc > 2)
		be_argument(argv);
	else if (!strcmp(kind, "name") && argc > 2) {
		prctl(PR_SET_NAME, argv[2]);
		stand_still();
	}
	return 2;
}
