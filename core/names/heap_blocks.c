/* heap_blocks.c - which block of malloc's an address lies in, as the bytes that a snapshot keeps tell.
 *
 * The heaps of the GNU C library's malloc are chunks in a row: 8 bytes that belong to the chunk before, then
 * the size with three flags in it, then what malloc gave, up to 8 bytes into the next one.  A row is believed
 * only if it ends where the heap does: everything in it was a size then. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "snapshot.h"

enum { PREV_IN_USE = 1, IS_MAPPED = 2, NON_MAIN = 4, FLAGS = 7, CHUNK_MIN = 32, HEADER = 16, ALIGN = 16 };
/* Where the main heap begins within its mapping is tried out, in so many steps at the most. */
enum { TRIED_MOST = 1 << 20 };
enum { FIRST_MOST = 4096 }; /* bytes that a heap's header and its arena may take before the first chunk */

/* One page at a time. */
struct words {
	const struct vmsnap *snap;
	uint64_t page, page_size;
	bool known;
	char *bytes;
	uint64_t steps; /* of the walks */
};

static bool word_at(struct words *words, uint64_t address, uint64_t *out)
{
	uint64_t page = address & ~(words->page_size - 1);
	if (page != words->page || !words->known) {
		struct vmsnap_error err;
		size_t got = 0;
		words->page = page;
		words->known = !vmsnap_contents_read(words->snap, page, words->bytes, words->page_size, &got, &err) &&
		               got == words->page_size;
	}
	if (words->known)
		memcpy(out, words->bytes + (address - page), sizeof(*out));
	return words->known;
}

struct heap {
	uint64_t start, end; /* of the chunks */
	unsigned flags;      /* those that the first one has */
	unsigned mask;
};

/* Calls for each chunk; whether they end where the heap does. */
static bool walk(struct words *words, const struct heap *heap,
                 void (*fn)(void *ctx, uint64_t chunk, uint64_t size, bool is_free), void *ctx)
{
	uint64_t at = heap->start, size;
	if (!word_at(words, at + 8, &size) || (size & heap->mask) != heap->flags)
		return false;
	for (; at < heap->end; words->steps++) {
		uint64_t len = size & ~(uint64_t)FLAGS, next = 0;
		if (len < CHUNK_MIN || len % ALIGN || len > heap->end - at)
			return false;
		bool last = at + len == heap->end;
		if (!last && !word_at(words, at + len + 8, &next))
			return false;
		/* The last one is what malloc has left to give. */
		if (fn)
			fn(ctx, at, len, last || (!(size & IS_MAPPED) && !(next & PREV_IN_USE)));
		at += len;
		size = next;
	}
	return true;
}

/* A block that was mapped by itself is in no heap, and begins a page; the neighbours of such a one may be, too. */
static bool walk_mapped(struct words *words, const struct heap *heap,
                        void (*fn)(void *ctx, uint64_t chunk, uint64_t size, bool is_free), void *ctx)
{
	for (uint64_t at = heap->start, before, size; at < heap->end; at += size & ~(uint64_t)FLAGS) {
		if (!word_at(words, at, &before) || !word_at(words, at + 8, &size) || before >= words->page_size ||
		    (size & FLAGS) != IS_MAPPED || (size & ~(uint64_t)FLAGS) % words->page_size ||
		    size <= words->page_size || (size & ~(uint64_t)FLAGS) > heap->end - at)
			return false;
		if (fn)
			fn(ctx, at, size & ~(uint64_t)FLAGS, false);
	}
	return true;
}

struct asked {
	const uint64_t *addresses;
	size_t count, next;
	struct vmsnap_heap_block *out;
	bool mapped;
};

static void note(void *ctx, uint64_t chunk, uint64_t size, bool is_free)
{
	struct asked *asked = ctx;
	/* What malloc gave reaches into the next chunk, but not where there is none. */
	uint64_t start = chunk + HEADER, end = chunk + size + (asked->mapped ? 0 : 8);
	while (asked->next < asked->count && asked->addresses[asked->next] < start)
		asked->next++; /* its sizes */
	for (; asked->next < asked->count && asked->addresses[asked->next] < end; asked->next++)
		asked->out[asked->next] = (struct vmsnap_heap_block){ start, end - start, is_free };
}

/* Of the mapping, with neighbours of the same name. */
static struct heap main_heap(const struct vmsnap *snap, const struct vmsnap_vma *vma)
{
	struct heap heap = { vma->start, vma->end, PREV_IN_USE, FLAGS };
	const struct vmsnap_vma *other;
	while (heap.start && (other = vmsnap_vma_at(snap, heap.start - 1)) && !strcmp(other->name, "[heap]"))
		heap.start = other->start;
	while ((other = vmsnap_vma_at(snap, heap.end)) && !strcmp(other->name, "[heap]"))
		heap.end = other->end;
	return heap;
}

/* The break need not begin where a chunk may.  And before it, in the same mapping, may lie what the program has of
 * zeros at its start (.bss), if the break begins right behind that: userfaultfd makes one mapping of the two. */
static bool find_break(struct words *words, struct heap *heap)
{
	heap->start = (heap->start + ALIGN - 1) & ~(uint64_t)(ALIGN - 1);
	for (words->steps = 0; heap->start < heap->end && words->steps < TRIED_MOST; words->steps++) {
		if (walk(words, heap, NULL, NULL))
			return true;
		heap->start = (heap->start | (words->page_size - 1)) + 1;
	}
	return false;
}

/* What the capture found to be one; *heap is left alone if it found none there. */
static bool other_heap(const struct vmsnap *snap, uint64_t address, struct heap *heap)
{
	for (size_t i = 0; i < vmsnap_annotation_count(snap); i++) {
		const struct vmsnap_annotation *note = vmsnap_annotation(snap, i);
		if (strcmp(note->type, VMSNAP_MALLOC_HEAP) != 0 || address < note->address ||
		    address - note->address >= note->size)
			continue;
		*heap = (struct heap){ note->address, note->address + note->size, PREV_IN_USE | NON_MAIN, FLAGS };
		return true;
	}
	return false;
}

/* Its first chunk stands behind its header, and in the first heap behind the arena: how large these are
 * differs from version to version. */
static bool find_first(struct words *words, struct heap *heap)
{
	uint64_t start = heap->start, end = heap->end, usable;
	if (!word_at(words, start + 16, &usable) || usable > end - start || usable < HEADER)
		return false;
	heap->end = start + usable;
	for (heap->start = start + 32; heap->start < start + FIRST_MOST && heap->start < heap->end;
	     heap->start += ALIGN)
		if (walk(words, heap, NULL, NULL))
			return true;
	return false;
}

/* Of all that are asked for in the heap or the mapping that the next one lies in.  Gives where that ends. */
static uint64_t blocks_of(struct words *words, struct asked *asked)
{
	uint64_t address = asked->addresses[asked->next];
	const struct vmsnap_vma *vma = vmsnap_vma_at(words->snap, address);
	struct heap heap;
	if (!vma)
		return address + 1;
	if ((vma->perms & VMSNAP_PERM_SHARED) || vmsnap_vma_has_file(vma))
		return vma->end;
	if (!strcmp(vma->name, "[heap]")) {
		heap = main_heap(words->snap, vma);
		if (find_break(words, &heap))
			walk(words, &heap, note, asked);
		return heap.end;
	}
	if (other_heap(words->snap, address, &heap)) {
		uint64_t end = heap.end;
		if (find_first(words, &heap))
			walk(words, &heap, note, asked);
		return end;
	}
	if (*vma->name && strncmp(vma->name, "[anon:", 6) != 0)
		return vma->end;
	heap = (struct heap){ vma->start, vma->end, 0, 0 };
	asked->mapped = true;
	if (walk_mapped(words, &heap, NULL, NULL))
		walk_mapped(words, &heap, note, asked);
	asked->mapped = false;
	return vma->end;
}

VMSNAP_API int vmsnap_heap_blocks(const struct vmsnap *snap, const uint64_t *addresses, size_t count,
                                  struct vmsnap_heap_block *out, struct vmsnap_error *err)
{
	struct asked asked = { addresses, count, 0, out, false };
	CLEANUP_FREE char *bytes = malloc(snap->info.page_size);
	struct words words = { .snap = snap, .page_size = snap->info.page_size, .bytes = bytes };
	if (!bytes)
		return fail_no_memory(err);
	for (size_t i = 1; i < count; i++)
		if (addresses[i] < addresses[i - 1])
			return fail(err, VMSNAP_ERR_ARGUMENT, "the addresses must be in order");
	memset(out, 0, count * sizeof(*out));
	while (asked.next < count) {
		size_t next = asked.next;
		uint64_t end = blocks_of(&words, &asked);
		for (asked.next = next; asked.next < count && addresses[asked.next] < end; asked.next++)
			;
	}
	return VMSNAP_OK;
}
