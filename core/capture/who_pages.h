/* who_pages.h - the entries of a process's page tables that are not empty, in some ranges, as they come.  The
 * process goes on as it does: what moves meanwhile may be seen twice, or not at all. */
#ifndef VMSNAP_WHO_PAGES_H
#define VMSNAP_WHO_PAGES_H

#include "maps.h"

/* Which pages are wanted: for who knows that, fewer are to be read.  Without PAGEMAP_SCAN all are given. */
enum who_pages_of { WHO_PAGES_ALL, WHO_PAGES_PRESENT, WHO_PAGES_ANONYMOUS, WHO_PAGES_FILE, WHO_PAGES_SWAPPED };

struct who_pages {
	int pagemap;
	uint64_t page_size;
	bool scan; /* PAGEMAP_SCAN works */
	enum who_pages_of of;
	/* Entries as the kernel has them, of pages that follow each other, some of them empty; what it returns ends
	 * the walk. */
	int (*fn)(void *ctx, uint64_t address, const uint64_t *entries, size_t count);
	void *ctx;
};
/* Returns 0, what fn returned, or errno. */
int who_pages_walk(const struct who_pages *pages, const struct address_range *ranges, size_t count);

#endif
