/* heaps: threads that allocate from arenas of their own, and memory that only looks like a heap of
 * malloc's; says where, and what malloc says of its arenas. */
#define _GNU_SOURCE
#include "target.h"

#include <malloc.h>
#include <pthread.h>

enum { THREADS = 3, HEAP = 64 << 20 };
static pthread_barrier_t all_have;
static void *allocated[THREADS];

static void *allocate(void *ctx)
{
	size_t index = (size_t)ctx;
	/* The last one needs more than one heap: pieces that malloc does not map by themselves. */
	for (size_t i = 0; i < (index == THREADS - 1 ? 900u : 1u); i++) {
		void *memory = malloc(100000);
		if (!memory)
			abort();
		memset(memory, 1, 100000);
		allocated[index] = memory;
	}
	pthread_barrier_wait(&all_have);
	pause();
	return NULL;
}

/* As Go keeps its memory: a multiple of 64 MiB, the rest without access. */
static void make_alike(void)
{
	char *memory = mmap(NULL, 2 * HEAP, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		cannot("reserve memory");
	char *start = (char *)(((uintptr_t)memory + HEAP - 1) & ~(uintptr_t)(HEAP - 1));
	if (mprotect(start, 1 << 20, PROT_READ | PROT_WRITE))
		cannot("use memory");
	memset(start, 0x30, 8192);
	say_range("alike", start, 1 << 20);
}

int main(void)
{
	die_with_parent();
	make_alike();
	if (sizeof(void *) != 8)
		cannot("tell heaps of 32-bit programs");
	pthread_barrier_init(&all_have, NULL, THREADS + 1);
	for (size_t i = 0; i < THREADS; i++) {
		pthread_t thread;
		if (pthread_create(&thread, NULL, allocate, (void *)i))
			cannot("start a thread");
	}
	pthread_barrier_wait(&all_have);
	for (int i = 0; i < THREADS; i++) {
		char name[16];
		snprintf(name, sizeof(name), "allocated%d", i);
		say_range(name, allocated[i], 100000);
	}
	/* "<heap nr="1">" and so on, the first of which is the main arena. */
	char *text = NULL;
	size_t len = 0;
	FILE *file = open_memstream(&text, &len);
	if (!file || malloc_info(0, file) || fclose(file))
		cannot("ask malloc");
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		if (strstr(line, "<heap ") || strstr(line, "<aspace type=\"mprotect\""))
			say("malloc %s\n", line);
	next_command();
	return 0;
}
