/* put_back.c - what reading another's memory leaves behind in the kernel's lists of pages. */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "error.h"

#ifndef MADV_COLD
#define MADV_COLD 20 /* Linux 5.4; older headers lack it */
#endif

/* To move a page of one's own to where it is empties the lists of all processors first (lru_cache_disable(),
 * before Linux 5.13 lru_add_drain_all()); MADV_COLD empties this one's (lru_add_drain()). */
static void empty_all(char *page)
{
	void *pages[1] = { page };
	int node = -1, status;
	if (!syscall(SYS_move_pages, 0, 1UL, pages, NULL, &status, 0) && status >= 0)
		node = status;
	if (node >= 0)
		syscall(SYS_move_pages, 0, 1UL, pages, &node, &status, 0);
}

/* It is all the same to MADV_COLD which pages it is asked for: these are never there. */
static bool empty_this_one(size_t size)
{
	enum { MOST = 64 << 10 };
	static char nothing[2 * MOST];
	char *page = nothing + (-(uintptr_t)nothing & (size - 1));
	return size <= MOST && !madvise(page, size, MADV_COLD);
}

VMSNAP_API void vmsnap_put_back(bool all_processors)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	if (!all_processors && empty_this_one(size))
		return;
	char *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return;
	if (all_processors) {
		*(volatile char *)page = 1;
		empty_all(page);
	}
	madvise(page, size, MADV_COLD);
	munmap(page, size);
}
