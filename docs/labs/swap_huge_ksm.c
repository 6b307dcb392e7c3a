/* swap_huge_ksm - memory that goes to swap, that is huge, and that is merged with its like.
 *
 *   pageout  asks the kernel to put 16 written pages into swap: madvise(MADV_PAGEOUT), Linux 5.4
 *   touch    reads the first of them
 *   huge     says of 4 MiB that huge pages are welcome, and writes one byte to each 2 MiB
 *   merge    says of 16 equal pages that they may be merged: madvise(MADV_MERGEABLE)
 *   part     writes to the first of those */
#define _GNU_SOURCE
#include "lab.h"
#include <fcntl.h>

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

enum { PAGES = 16 };

static size_t page;

/* How many of the first PAGES pages have a bit of pagemap. */
static int with_bit(const volatile char *memory, int bit)
{
	uint64_t entries[PAGES] = { 0 };
	int count = 0, fd = open("/proc/self/pagemap", O_RDONLY);
	if (fd < 0 || pread(fd, entries, sizeof(entries), (off_t)((uintptr_t)memory / page * 8)) != sizeof(entries))
		cannot("read /proc/self/pagemap");
	close(fd);
	for (int i = 0; i < PAGES; i++)
		count += (int)(entries[i] >> bit & 1);
	return count;
}

/* The kernel's word on huge pages in a mapping that begins there, in KiB. */
static long huge_kib(const volatile char *memory)
{
	char line[512];
	int here = 0;
	long kib = 0;
	unsigned long start, end;
	FILE *smaps = fopen("/proc/self/smaps", "r");
	while (smaps && fgets(line, sizeof(line), smaps)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			here = start == (uintptr_t)memory;
		else if (here)
			sscanf(line, "AnonHugePages: %ld", &kib);
	}
	if (smaps)
		fclose(smaps);
	return kib;
}

/* A page that another processor has just handed out is not found at once: so more than once. */
static void page_out(volatile char *memory)
{
	enum { SWAPPED = 62, TRIES = 200 };
	for (int i = 0; i < TRIES && with_bit(memory, SWAPPED) < PAGES; i++) {
		if (madvise((char *)memory, PAGES * page, MADV_PAGEOUT)) {
			printf("unable to page out: %s\n", strerror(errno));
			return;
		}
		usleep(i ? 10000 : 0);
	}
	if (with_bit(memory, SWAPPED) < PAGES)
		puts("unable to page out: the kernel keeps some of the pages");
}

static void be_huge(volatile char *memory, size_t huge)
{
	madvise((char *)memory, 2 * huge, MADV_HUGEPAGE);
	memory[0] = memory[huge] = 1;
	if (!huge_kib(memory))
		puts("unable to have huge pages: the kernel gave others");
}

/* Merged pages are mapped more than once, so none is exclusive any more. */
static void merge(volatile char *memory)
{
	enum { EXCLUSIVE = 56, TRIES = 300 };
	if (madvise((char *)memory, PAGES * page, MADV_MERGEABLE)) {
		printf("unable to merge pages: %s\n", strerror(errno));
		return;
	}
	for (int i = 0; i < TRIES && with_bit(memory, EXCLUSIVE); i++)
		usleep(100000);
	if (with_bit(memory, EXCLUSIVE))
		puts("unable to merge pages: ksmd has not come by in half a minute");
}

/* Aligned as a huge page has to be; between other mappings, for it is a part of a larger one. */
static char *huge_memory(size_t huge)
{
	char *room = mmap(NULL, 4 * huge, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (room == MAP_FAILED)
		cannot("mmap");
	char *memory = (char *)(((uintptr_t)room + page + huge - 1) / huge * huge);
	if (mprotect(memory, 2 * huge, PROT_READ | PROT_WRITE))
		cannot("mprotect");
	return memory;
}

int main(void)
{
	page = (size_t)sysconf(_SC_PAGESIZE);
	size_t huge = page / 8 * page; /* what one page table maps */
	volatile char *cold = own_memory(PAGES * page), *equal = own_memory(PAGES * page);
	volatile char *large = huge_memory(huge);
	for (size_t i = 0; i < PAGES; i++)
		memset((char *)cold + i * page, (int)i + 1, page);
	memset((char *)equal, 'x', PAGES * page);
	begin();
	say_range("cold", cold, PAGES * page);
	say_range("large", large, 2 * huge);
	say_range("equal", equal, PAGES * page);
	for (;;) {
		const char *word = next_word();
		if (!strcmp(word, "pageout")) {
			page_out(cold);
		} else if (!strcmp(word, "touch")) {
			printf("it holds %d\n", cold[0]);
		} else if (!strcmp(word, "huge")) {
			be_huge(large, huge);
		} else if (!strcmp(word, "merge")) {
			merge(equal);
		} else if (!strcmp(word, "part")) {
			equal[0] = 'y';
		}
	}
}
