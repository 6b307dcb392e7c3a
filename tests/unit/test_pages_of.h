/* test_pages_of.h - all entries of a child's pagemap, to see whether any changes. */
#ifndef TEST_PAGES_OF_H
#define TEST_PAGES_OF_H

#include "test_children.h"

#include <inttypes.h>

struct pages_of {
	uint64_t *entries;
	size_t count, present;
};

/* Without bit 56: others come to map a file's page, and go; of its own pages we write to ours, and so theirs are no
 * longer shared. */
static inline uint64_t entry_of_its_own(uint64_t entry)
{
	return entry & ~(UINT64_C(1) << 56);
}

static inline void add_pages_of(struct pages_of *pages, int pagemap, uint64_t start, uint64_t end)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE), count = (size_t)(end - start) / size;
	pages->entries = realloc(pages->entries, (pages->count + count) * sizeof(*pages->entries));
	assert_non_null(pages->entries);
	ssize_t got = pread(pagemap, pages->entries + pages->count, count * 8, (off_t)(start / size * 8));
	assert_int_equal(got, count * 8);
	for (size_t i = pages->count; i < pages->count + count; i++) {
		pages->entries[i] = entry_of_its_own(pages->entries[i]);
		pages->present += pages->entries[i] >> 63;
	}
	pages->count += count;
}

static inline struct pages_of pages_of(pid_t pid)
{
	enum { MOST = 1 << 30 }; /* a sanitizer's shadow is larger */
	struct pages_of pages = { NULL, 0, 0 };
	char line[4352], path[64];
	uint64_t start, end_of;
	snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)pid);
	int pagemap = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	FILE *maps = fopen(path, "re");
	assert_true(maps && pagemap >= 0);
	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end_of) == 2 && end_of - start < MOST &&
		    !strstr(line, "[vsyscall]"))
			add_pages_of(&pages, pagemap, start, end_of);
	fclose(maps);
	close(pagemap);
	return pages;
}

static inline void assert_same_pages(pid_t pid, struct pages_of *before)
{
	struct pages_of now = pages_of(pid);
	assert_int_equal(now.count, before->count);
	assert_int_equal(now.present, before->present);
	assert_memory_equal(now.entries, before->entries, now.count * sizeof(*now.entries));
	free(now.entries);
	free(before->entries);
}

#endif
