#define _GNU_SOURCE
#include "malloc_heaps.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "annotation.h"
#include "error.h"
#include "maps.h"
#include "scan.h"

/* Of 64-bit programs.  HEAPS_MAX: there are some eight arenas for a processor, but a process may
 * have any number of mappings that lie so. */
#define HEAP_BYTES (UINT64_C(64) << 20)
enum { HEAPS_MAX = 4096, HEAP_WORDS = 5 };

bool malloc_heap_parse(const uint64_t header[HEAP_WORDS], uint64_t start, uint64_t end, uint64_t page_size,
                       struct malloc_heap *out)
{
	uint64_t arena = header[0], before = header[1], size = header[2], usable = header[3];
	uint64_t first = arena & ~(HEAP_BYTES - 1), gap = arena - first;
	/* The arena stands behind the header of its first heap: of 4 words, of 5 since glibc 2.35,
	 * which is as many as 16 bytes divide. */
	if ((gap != 0x20 && gap != 0x30) || (first == start) != !before || before & (HEAP_BYTES - 1))
		return false;
	if (!size || size > usable || usable > HEAP_BYTES || (size | usable) & (page_size - 1))
		return false;
	/* What follows at once can be of the same kind: of a heap that is full the next one. */
	if (start + usable > end || (start + usable < end && usable < HEAP_BYTES))
		return false;
	*out = (struct malloc_heap){ start, usable, arena };
	return true;
}

struct search {
	int memory, fd; /* fd: of mem; -1: not open yet */
	const struct malloc_heaps_pages *pages;
	struct malloc_heaps *out;
};

static bool may_read(const struct malloc_heaps_pages *pages, uint64_t address)
{
	uint64_t wanted = ENTRY_FLAG(VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_EXCLUSIVE);
	return (pages->entry_at(pages->ctx, address) & wanted) == wanted;
}

static int look_at(struct search *search, uint64_t start, uint64_t end)
{
	uint64_t header[HEAP_WORDS];
	struct malloc_heap heap;
	if (!may_read(search->pages, start))
		return 0;
	if (search->fd < 0)
		search->fd = openat(search->memory, "mem", O_RDONLY | O_CLOEXEC);
	if (search->fd < 0 || pread(search->fd, header, sizeof(header), (off_t)start) != sizeof(header) ||
	    !malloc_heap_parse(header, start, end, search->pages->page_size, &heap))
		return 0;
	struct malloc_heaps *out = search->out;
	struct malloc_heap *more = realloc(out->items, (out->count + 1) * sizeof(*more));
	if (!more)
		return ENOMEM;
	out->items = more;
	out->items[out->count++] = heap;
	return 0;
}

/* "START-END rw-p ... 00:00 0", and no name behind it; the zeros of a multiple of 64 MiB are looked
 * for first, which few lines have, for the target stands. */
static bool may_be_heap(struct cursor line, uint64_t *start, uint64_t *end)
{
	static const char zeros[] = "000000-", perms[] = " rw-p ", rest[] = " 00:00 0";
	const char *minus = memchr(line.at, '-', (size_t)(line.end - line.at));
	if (!minus || minus - line.at < (ptrdiff_t)sizeof(zeros) || memcmp(minus - 6, zeros, sizeof(zeros) - 1) != 0)
		return false;
	if (!take_hex(&line, start) || !take_char(&line, '-') || !take_hex(&line, end) ||
	    (size_t)(line.end - line.at) < sizeof(perms) || memcmp(line.at, perms, sizeof(perms) - 1) != 0)
		return false;
	while (line.end > line.at && line.end[-1] == ' ')
		line.end--;
	size_t len = sizeof(rest) - 1;
	return (size_t)(line.end - line.at) >= len && memcmp(line.end - len, rest, len) == 0;
}

int malloc_heaps_find(int memory, const struct proc_text *maps, const struct malloc_heaps_pages *pages,
                      struct malloc_heaps *out)
{
	struct search search = { memory, -1, pages, out };
	struct cursor c = { maps->text, maps->text + maps->len };
	int error = 0;
	out->count = 0;
	while (sizeof(void *) == 8 && c.at < c.end && !error) {
		uint64_t start, end;
		struct cursor line = take_until(&c, '\n');
		if (!may_be_heap(line, &start, &end) || start % HEAP_BYTES || end > INT64_MAX || start <= UINT32_MAX)
			continue;
		for (uint64_t at = start; at < end && !error && out->count < HEAPS_MAX; at += HEAP_BYTES)
			error = look_at(&search, at, end);
	}
	if (search.fd >= 0)
		close(search.fd);
	return error;
}

int malloc_heaps_annotate(const struct malloc_heaps *heaps, struct vmsnap *snap, struct vmsnap_error *err)
{
	if (!heaps->count)
		return VMSNAP_OK;
	CLEANUP_FREE struct vmsnap_annotation *names = calloc(heaps->count, sizeof(*names));
	CLEANUP_FREE char(*texts)[64] = calloc(heaps->count, sizeof(*texts));
	if (!names || !texts)
		return fail_no_memory(err);
	for (size_t i = 0; i < heaps->count; i++) {
		const struct malloc_heap *heap = &heaps->items[i];
		snprintf(texts[i], sizeof(texts[i]), "malloc heap of arena 0x%" PRIx64, heap->arena);
		names[i] = (struct vmsnap_annotation){ .address = heap->start,
			                               .size = heap->size,
			                               .kind = VMSNAP_ANNOTATION_OTHER,
			                               .function = "",
			                               .symbol = texts[i],
			                               .type = VMSNAP_MALLOC_HEAP };
	}
	return annotations_add(snap, names, heaps->count, err);
}
