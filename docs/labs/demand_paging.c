/* demand_paging - a gigabyte that is asked for, and pages of it that are read, written and given back.
 *
 *   read    reads one byte of each of the first 100 pages
 *   write   writes one byte to each of the first 10
 *   forget  gives the first 10 back: madvise(MADV_DONTNEED), and reads the first */
#define _GNU_SOURCE
#include "lab.h"
#include <sys/resource.h>

enum { READ = 100, WRITTEN = 10 };

static long faults(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt;
}

int main(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = (size_t)1 << 30;
	volatile char *memory = own_memory(bytes);
	long before = faults(), after;
	begin();
	say_range("memory", memory, bytes);
	for (;;) {
		const char *word = next_word();
		before = faults();
		if (!strcmp(word, "read")) {
			for (size_t i = 0; i < READ; i++)
				(void)memory[i * page];
		} else if (!strcmp(word, "write")) {
			for (size_t i = 0; i < WRITTEN; i++)
				memory[i * page] = 1;
		} else if (!strcmp(word, "forget")) {
			madvise((void *)memory, WRITTEN * page, MADV_DONTNEED);
			printf("first byte %d\n", memory[0]);
		}
		after = faults();
		printf("faults %ld\n", after - before);
	}
}
