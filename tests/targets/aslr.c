/* aslr.c - aslr FILE MORE COPIED: maps FILE twice, MORE pages more than it would, and copies COPIED pages of the
 * first mapping by writing to them; the rest is the same in each run, wherever it lies.
 * aslr FILE MORE COPIED fork: two children, of which the second has copied 7 pages more of memory that both have. */
#define _GNU_SOURCE
#include "target.h"

#include <pthread.h>

static void *sleeps(void *unused)
{
	(void)unused;
	for (;;)
		pause();
	return NULL;
}

/* Pages of one mapping: one that is the same, one with an address within it, one that holds who we are. */
static void fill(char *memory)
{
	char *address = memory + 3 * PAGE + 8;
	pid_t me = getpid();
	memory[0] = 42;
	memcpy(memory + PAGE + 64, &address, sizeof(address));
	memcpy(memory + 2 * PAGE, &me, sizeof(me));
	memory[3 * PAGE] = 43;
}

/* Says "NAME PID" once it has written. */
static void worker(const char *name, char *memory, size_t pages)
{
	int written[2];
	char byte = 0;
	pid_t child = pipe(written) ? -1 : fork();
	if (child < 0)
		cannot("fork");
	if (!child) {
		die_with_parent();
		write_pages(memory, 0, pages, 1);
		while (write(written[1], &byte, 1) != 1)
			;
		sleeps(NULL);
	}
	if (read(written[0], &byte, 1) != 1)
		cannot("wait for the child");
	say("%s %d\n", name, (int)child);
}

int main(int argc, char **argv)
{
	pthread_t thread;
	if (argc < 4)
		return 2;
	die_with_parent();
	size_t more = strtoul(argv[2], NULL, 0), copied = strtoul(argv[3], NULL, 0);
	int fd = open(argv[1], O_RDONLY);
	if (fd < 0)
		cannot("open the file");
	char *first = map_memory(64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
	char *second = map_memory(64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
	char *anonymous = map_apart(16);
	read_pages(first, 0, 64, 1);
	write_pages(first, 0, copied, 1);
	write_pages(second, 5, 6, 1);
	fill(anonymous);
	if (more)
		say_range("more", map_apart(more), more * PAGE);
	say_range("first", first, 64 * PAGE);
	say_range("second", second, 64 * PAGE);
	say_range("anonymous", anonymous, 16 * PAGE);
	if (pthread_create(&thread, NULL, sleeps, NULL))
		cannot("make a thread");
	if (argc > 4) {
		worker("one", anonymous, 2);
		worker("other", anonymous, 9);
	}
	stand_still();
}
