/* debuggee hits COUNT - calls meet() so many times and then round_over(), again and
 *                       again.  Small, but no toy: three frames with variables, some
 *                       memory of its own.
 * debuggee threads COUNT - the same with two more threads, which sleep.
 * debuggee large MIB  - memory written page by page and shared with a child that stands
 *                       still; before each round_over() one page of it is written, and
 *                       so copied.
 * debuggee alone MIB  - memory written page by page, of which each round writes a little.
 *
 * What bench.py runs inside gdb, which has breakpoints in these functions. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 64 };

struct point {
	int x, y;
	char name[24];
};

static char *memory;
static struct point points[100], *block;
int met;

__attribute__((noinline)) void meet(int number, struct point *point)
{
	char text[64];
	int last = point->x;
	snprintf(text, sizeof(text), "%d after %d", number, last);
	point->x = number;
	memory[number % PAGES * PAGE] = text[0];
	met++;
}

__attribute__((noinline)) void round_over(int number)
{
	met = number - number;
}

static void hits(int count)
{
	struct point here = { .y = count };
	for (int i = 0; i < count; i++) {
		struct point *there = &points[i % 100];
		memcpy(there->name, here.name, sizeof(here.name));
		meet(i, there);
	}
}

/* A global, a block of the heap, and memory without a name. */
static void write_a_little(size_t round, size_t bytes)
{
	points[round % 100].y = (int)round + 1;
	block[round % 4].x++;
	memory[round * PAGE % bytes]++;
}

static void have_a_child(void)
{
	if (fork())
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

static void *sleeping(void *unused)
{
	for (;;)
		pause();
	return unused;
}

int main(int argc, char **argv)
{
	int number = argc == 3 ? atoi(argv[2]) : 0;
	if (number <= 0)
		return 2;
	int large = !strcmp(argv[1], "large"), alone = !strcmp(argv[1], "alone");
	size_t bytes = large || alone ? (size_t)number << 20 : PAGES * PAGE;
	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return 1;
	block = calloc(4, sizeof(*block));
	if (!block)
		return 1;
	madvise(memory, bytes, MADV_NOHUGEPAGE);
	for (size_t at = 0; at < bytes; at += PAGE)
		*(size_t *)(memory + at) = at + 1; /* no two pages are alike */
	pthread_t thread;
	for (int count = 0; !strcmp(argv[1], "threads") && count < 2; count++)
		if (pthread_create(&thread, NULL, sleeping, NULL))
			return 1;
	if (large)
		have_a_child();
	for (size_t round = 0;; round++) {
		if (alone)
			write_a_little(round, bytes);
		else if (large)
			memory[round * 1000 * PAGE % bytes]++;
		else
			hits(number);
		round_over((int)round);
	}
}
