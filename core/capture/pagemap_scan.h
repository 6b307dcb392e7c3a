/* pagemap_scan.h - the ioctl PAGEMAP_SCAN (Linux 6.7), as much of it as is used here.
 * Source: Documentation/admin-guide/mm/pagemap.rst. */
#ifndef VMSNAP_PAGEMAP_SCAN_H
#define VMSNAP_PAGEMAP_SCAN_H

#include <sys/ioctl.h>

#include "maps.h"
#include "raw_syscall.h"

/* From linux/fs.h of Linux 6.7; older headers lack it. */
struct scan_args {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};
#define SCAN_IOCTL _IOWR('f', 16, struct scan_args)
enum {
	SCAN_PRESENT = 1 << 3,
	SCAN_SWAPPED = 1 << 4,
	SCAN_ZERO = 1 << 5,
	SCAN_HUGE = 1 << 6,
};

/* Pages that are in some category. */
struct page_region {
	uint64_t start, end, categories;
};

/* Finds the pages of a range that are in any of the categories, max_pages of them at
 * most (0: all).  Returns 0 or errno; *found counts regions. */
static inline int pagemap_scan(int fd, const struct address_range *range, uint64_t anyof, uint64_t max_pages,
                               struct page_region *regions, size_t room, int *found)
{
	struct scan_args args = {
		.size = sizeof(args),
		.start = range->start,
		.end = range->end,
		.vec = (uintptr_t)regions,
		.vec_len = room,
		.max_pages = max_pages,
		.category_anyof_mask = anyof,
		.return_mask = anyof,
	};
	long result;
	do
		result = raw_syscall4(SYS_ioctl, fd, (long)SCAN_IOCTL, (long)&args, 0);
	while (result == -EINTR);
	*found = (int)result;
	return result < 0 ? (int)-result : 0;
}

#endif
