/* frame_counter.c - how often frames are mapped, right now, by others than who asks. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "array.h"
#include "error.h"
#include "mapcount.h"
#include "runs.h"
#include "sorted.h"

/* The caller's own pages of files, which it may have mapped since the capture (own_mappings.h): it is nobody of
 * whom anything is told. */
struct own_frames {
	uint64_t *items; /* in order; one that is mapped twice is there twice */
	size_t count, room;
};
struct vmsnap_frame_counter {
	int fd;
	bool looked; /* at our own */
	struct own_frames own;
};

VMSNAP_API int vmsnap_frame_counter_open(struct vmsnap_frame_counter **out, struct vmsnap_error *err)
{
	int fd = open("/proc/kpagecount", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail_sys(err, errno, "/proc/kpagecount, which is for root");
	if (!mapcount_is_exact()) {
		close(fd);
		return fail(err, VMSNAP_ERR_NOT_FOUND,
		            "this kernel does not count how often each page is mapped (CONFIG_NO_PAGE_MAPCOUNT)");
	}
	struct vmsnap_frame_counter *counter = malloc(sizeof(*counter));
	if (!counter) {
		close(fd);
		return fail_no_memory(err);
	}
	*counter = (struct vmsnap_frame_counter){ .fd = fd };
	*out = counter;
	return VMSNAP_OK;
}

VMSNAP_API void vmsnap_frame_counter_close(struct vmsnap_frame_counter *counter)
{
	if (!counter)
		return;
	close(counter->fd);
	free(counter->own.items);
	free(counter);
}

/* ---- our own -------------------------------------------------------------------------------- */

static void add_own(struct own_frames *own, uint64_t entry)
{
	const uint64_t of_file = ENTRY_PRESENT | ENTRY_FLAG(VMSNAP_PAGE_FILE);
	if ((entry & of_file) != of_file || !(entry & ENTRY_FRAME_MASK))
		return;
	uint64_t *items = array_room(own->items, own->count, &own->room, sizeof(*items));
	if (!items)
		return;
	own->items = items;
	own->items[own->count++] = entry & ENTRY_FRAME_MASK;
}

static void add_mapping(struct own_frames *own, int pagemap, uint64_t page, uint64_t end)
{
	uint64_t entries[256];
	while (page < end) {
		size_t count = end - page < 256 ? (size_t)(end - page) : 256;
		if (pread(pagemap, entries, count * 8, (off_t)(page * 8)) != (ssize_t)(count * 8))
			return;
		for (size_t i = 0; i < count; i++)
			add_own(own, entries[i]);
		page += count;
	}
}

static int by_frame(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
	return (a > b) - (a < b);
}

/* What cannot be had counts as somebody else's. */
static void look_at_own(struct own_frames *own)
{
	CLEANUP_FCLOSE FILE *maps = fopen("/proc/self/maps", "re");
	CLEANUP_CLOSE int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t page_size = (uint64_t)sysconf(_SC_PAGESIZE), start, end, inode;
	char line[8192];
	while (maps && pagemap >= 0 && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %*x %*x:%*x %" SCNu64, &start, &end, &inode) == 3 &&
		    inode)
			add_mapping(own, pagemap, start / page_size, end / page_size);
	}
	if (own->count)
		qsort(own->items, own->count, sizeof(*own->items), by_frame);
}

VMSNAP_API int vmsnap_frame_counter_read(void *counter, uint64_t frame, size_t count, uint64_t *counts)
{
	struct vmsnap_frame_counter *of = counter;
	if (!of->looked)
		look_at_own(&of->own);
	of->looked = true;
	int error = mapcount_read(of->fd, frame, count, counts);
	size_t i = sorted_numbers_from(of->own.items, of->own.count, frame);
	for (; !error && i < of->own.count && of->own.items[i] - frame < count; i++)
		counts[of->own.items[i] - frame] -= counts[of->own.items[i] - frame] != 0;
	return error;
}
