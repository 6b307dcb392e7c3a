/* address_space - 64 TiB of addresses, and a thousand pages in them; on machines that have fewer addresses, less.
 *
 *   measure   asks about single pages, one call each, and says how long all of them would take
 *   scan      asks the kernel about all of it at once: PAGEMAP_SCAN (Linux 6.7) */
#define _GNU_SOURCE
#include "lab.h"
#include <fcntl.h>
#include <sys/ioctl.h>
#include <time.h>

/* Newer than the headers of some systems. */
struct scan {
	uint64_t size, flags, start, end, walk_end, list, length, max_pages, inverted, all_of, any_of, wanted;
};
struct region {
	uint64_t start, end, categories;
};
#define SCAN_CALL _IOWR('f', 16, struct scan)
enum { SCAN_PRESENT = 1 << 3, SCAN_SWAPPED = 1 << 4, TOUCHED = 1000 };

static const double all_addresses = 140737488355328.0; /* 2 to the 47th */

static double seconds(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void measure(int pagemap, const char *memory, size_t bytes, size_t page)
{
	enum { CALLS = 100000, AT_ONCE = 8192, READS = 100 };
	static uint64_t entries[AT_ONCE];
	double start = seconds(), one, many;
	for (size_t i = 0; i < CALLS; i++) {
		size_t number = (size_t)memory / page + bytes / page / CALLS * i;
		if (pread(pagemap, entries, 8, (off_t)(number * 8)) != 8)
			cannot("read /proc/self/pagemap");
	}
	one = (seconds() - start) / CALLS;
	start = seconds();
	for (size_t i = 0; i < READS; i++) {
		size_t number = (size_t)memory / page + bytes / page / READS * i;
		if (pread(pagemap, entries, sizeof(entries), (off_t)(number * 8)) < 0)
			cannot("read /proc/self/pagemap");
	}
	many = (seconds() - start) / READS / AT_ONCE;
	printf("one call takes %.0f ns, an entry among many %.1f ns\n", one * 1e9, many * 1e9);
	printf("a call for each of 2^47 addresses: %.0f days\n", one * all_addresses / 86400);
	printf("a call for each page: %.1f hours\n", one * all_addresses / (double)page / 3600);
	printf("all entries, many at once: %.1f minutes\n", many * all_addresses / (double)page / 60);
}

static void scan(int pagemap, const char *memory, size_t bytes, size_t page)
{
	static struct region regions[4 * TOUCHED];
	struct scan scan = { .size = sizeof(scan),
		             .start = (uintptr_t)memory,
		             .end = (uintptr_t)memory + bytes,
		             .list = (uintptr_t)regions,
		             .length = sizeof(regions) / sizeof(regions[0]),
		             .any_of = SCAN_PRESENT | SCAN_SWAPPED,
		             .wanted = SCAN_PRESENT | SCAN_SWAPPED };
	double start = seconds();
	int found = ioctl(pagemap, SCAN_CALL, &scan);
	double took = seconds() - start;
	uint64_t pages = 0;
	if (found < 0) {
		printf("PAGEMAP_SCAN: %s\n", strerror(errno));
		return;
	}
	for (int i = 0; i < found; i++)
		pages += (regions[i].end - regions[i].start) / page;
	printf("PAGEMAP_SCAN found %lu pages in %.1f ms\n", (unsigned long)pages, took * 1e3);
}

int main(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = (size_t)1 << 46;
	char *memory = MAP_FAILED;
	for (; memory == MAP_FAILED && bytes >= (size_t)1 << 36; bytes /= 2) {
		memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (memory != MAP_FAILED)
			break;
	}
	int pagemap = open("/proc/self/pagemap", O_RDONLY);
	if (memory == MAP_FAILED || pagemap < 0)
		cannot("reserve so many addresses");
	madvise(memory, bytes, MADV_NOHUGEPAGE);
	size_t step = bytes / page / TOUCHED * page;
	for (size_t i = 0; i < TOUCHED; i++)
		memory[i * step] = 1;
	begin();
	say_range("all", memory, bytes);
	say_value("step", step);
	for (;;) {
		const char *word = next_word();
		if (!strcmp(word, "measure"))
			measure(pagemap, memory, bytes, page);
		else if (!strcmp(word, "scan"))
			scan(pagemap, memory, bytes, page);
	}
}
