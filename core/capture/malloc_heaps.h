/* malloc_heaps.h - where glibc's malloc keeps its memory beside [heap]: threads allocate from
 * arenas, made of heaps that begin at multiples of 64 MiB with a header that says so (malloc/arena.c,
 * struct _heap_info).  Other memory can lie like that (Go's does), so the header is read.
 *
 * Only from pages that are present and mapped by nobody else: reading makes no other appear, and a
 * page that a fork shares could, read more than once, be copied by both sides where one would do
 * (the kernel keeps a reference to it for a moment). */
#ifndef VMSNAP_MALLOC_HEAPS_H
#define VMSNAP_MALLOC_HEAPS_H

#include "procdir.h"
#include "snapshot.h"

struct malloc_heap {
	uint64_t start, size; /* what of it can be used yet */
	uint64_t arena;       /* address of its struct malloc_state */
};
struct malloc_heaps {
	struct malloc_heap *items; /* malloc'ed */
	size_t count;
};

/* The pages of the process that stands: the entry of the one at an address, as in a run; 0 if it is not
 * there. */
struct malloc_heaps_pages {
	uint64_t page_size;
	uint64_t (*entry_at)(const void *ctx, uint64_t address);
	const void *ctx;
};
/* While the target stands, when its pages are known.  memory: descriptor of /proc/PID.  What
 * cannot be read is not known; ENOMEM, or 0. */
int malloc_heaps_find(int memory, const struct proc_text *maps, const struct malloc_heaps_pages *pages,
                      struct malloc_heaps *out);
/* The header of a heap in memory that ends at `end`, as five words; false if it is none. */
bool malloc_heap_parse(const uint64_t header[5], uint64_t start, uint64_t end, uint64_t page_size,
                       struct malloc_heap *out);
/* As annotations. */
int malloc_heaps_annotate(const struct malloc_heaps *heaps, struct vmsnap *snap, struct vmsnap_error *err);

#endif
