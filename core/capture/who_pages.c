#define _GNU_SOURCE
#include "who_pages.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "error.h"
#include "pagemap.h"

enum { SCAN_FILE = 1 << 2, REGIONS = 512, ENTRIES = 8192 };

/* All entries of a range.  Above the user's addresses there are none. */
static int read_range(const struct who_pages *pages, uint64_t start, uint64_t end, uint64_t *entries)
{
	while (start < end) {
		uint64_t left = (end - start) / pages->page_size;
		size_t wanted = left < ENTRIES ? (size_t)left : ENTRIES;
		ssize_t got = pread(pages->pagemap, entries, wanted * sizeof(*entries),
		                    (off_t)(start / pages->page_size * sizeof(*entries)));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < (ssize_t)sizeof(*entries))
			return got < 0 ? errno : 0;
		size_t count = (size_t)got / sizeof(*entries);
		int result = pages->fn(pages->ctx, start, entries, count);
		if (result)
			return result;
		start += count * pages->page_size;
	}
	return 0;
}

static int scan(const struct who_pages *pages, uint64_t start, uint64_t end, struct page_region *regions, int *found)
{
	/* Pages that have all of these, or, of inverted, have not. */
	static const struct {
		uint64_t mask, inverted, any;
	} wanted[] = {
		[WHO_PAGES_ALL] = { .any = SCAN_PRESENT | SCAN_SWAPPED },
		[WHO_PAGES_PRESENT] = { .mask = SCAN_PRESENT },
		[WHO_PAGES_ANONYMOUS] = { .mask = SCAN_PRESENT | SCAN_FILE, .inverted = SCAN_FILE },
		[WHO_PAGES_FILE] = { .mask = SCAN_PRESENT | SCAN_FILE },
		[WHO_PAGES_SWAPPED] = { .mask = SCAN_SWAPPED },
	};
	struct scan_args args = {
		.size = sizeof(args),
		.start = start,
		.end = end,
		.vec = (uintptr_t)regions,
		.vec_len = REGIONS,
		.category_mask = wanted[pages->of].mask,
		.category_inverted = wanted[pages->of].inverted,
		.category_anyof_mask = wanted[pages->of].any,
		/* Only this: regions are cut where what is returned differs. */
		.return_mask = pages->of == WHO_PAGES_SWAPPED ? SCAN_SWAPPED : SCAN_PRESENT,
	};
	int result;
	do
		result = ioctl(pages->pagemap, SCAN_IOCTL, &args);
	while (result < 0 && errno == EINTR);
	*found = result;
	return result < 0 ? errno : 0;
}

/* Regions that are near are read in one call, with what lies between. */
static int read_regions(const struct who_pages *pages, const struct page_region *regions, size_t count,
                        uint64_t *entries)
{
	int error = 0;
	for (size_t i = 0; !error && i < count;) {
		uint64_t start = regions[i].start, end = regions[i].end;
		while (++i < count && regions[i].start - end <= PAGEMAP_JOIN_PAGES * pages->page_size)
			end = regions[i].end;
		error = read_range(pages, start, end, entries);
	}
	return error;
}

/* What is read into; more than a stack should hold. */
struct buffers {
	struct page_region regions[REGIONS];
	uint64_t entries[ENTRIES];
};

static int scan_range(const struct who_pages *pages, uint64_t start, uint64_t end, struct buffers *buffers)
{
	int found = REGIONS, error = 0;
	/* A list that is not full is the last. */
	while (!error && found == REGIONS && start < end) {
		error = scan(pages, start, end, buffers->regions, &found);
		if (error || found <= 0)
			break;
		error = read_regions(pages, buffers->regions, (size_t)found, buffers->entries);
		start = buffers->regions[found - 1].end;
	}
	return error;
}

int who_pages_walk(const struct who_pages *pages, const struct address_range *ranges, size_t count)
{
	CLEANUP_FREE struct buffers *buffers = malloc(sizeof(*buffers));
	int error = buffers ? 0 : ENOMEM;
	for (size_t i = 0; !error && i < count; i++) {
		bool few = (ranges[i].end - ranges[i].start) / pages->page_size <= PAGEMAP_JOIN_PAGES;
		if (pages->scan && !few)
			error = scan_range(pages, ranges[i].start, ranges[i].end, buffers);
		else
			error = read_range(pages, ranges[i].start, ranges[i].end, buffers->entries);
	}
	return error;
}
