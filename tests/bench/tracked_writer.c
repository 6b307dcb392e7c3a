/* tracked_writer MIB [RATE [scattered]] - has that much memory, of small pages.  RATE: writes as many of them each second,
 * anywhere; else, for each line, writes to each once, and says how long that took.  scattered: no two neighbours have
 * neighbouring frames. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

enum { PAGE = 4096 };

static uint64_t now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void write_at_rate(volatile char *memory, size_t pages, uint64_t rate)
{
	uint64_t x = 88172645463325252, written = 0, began = now();
	for (;;) {
		/* What it stood for is not made up for. */
		uint64_t due = (now() - began) * rate / 1000000000;
		if (due > written + rate / 100) {
			began = now();
			written = 0;
			continue;
		}
		for (; written < due; written++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			*(volatile uint64_t *)(void *)(uintptr_t)(memory + x % pages * PAGE) = x;
		}
		nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
	}
}

int main(int argc, char **argv)
{
	size_t size = (size_t)atol(argc > 1 ? argv[1] : "16") << 20, pages = size / PAGE;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), line[64];
	if (memory == MAP_FAILED || madvise(memory, size, MADV_NOHUGEPAGE))
		return 1;
	/* Frames are given out in order, mostly, and so are asked for in another one.  Odd, and so each page comes once. */
	for (size_t i = 0; argc > 3 && i < pages; i++)
		memory[i * 2654435761U % pages * PAGE] = 1;
	for (size_t i = 0; i < size; i += sizeof(uint64_t))
		*(uint64_t *)(void *)(memory + i) = i % PAGE < PAGE / 4 ? i * 0x9e3779b97f4a7c15ULL : i / 64;
	puts("ready");
	fflush(stdout);
	if (argc > 2)
		write_at_rate(memory, pages, strtoull(argv[2], NULL, 10));
	while (fgets(line, sizeof(line), stdin)) {
		uint64_t began = now();
		for (size_t i = 0; i < pages; i++)
			((volatile char *)memory)[i * PAGE]++;
		printf("took %llu\nready\n", (unsigned long long)(now() - began));
		fflush(stdout);
	}
	return 0;
}
