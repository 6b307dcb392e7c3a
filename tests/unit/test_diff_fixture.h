/* test_diff_fixture.h - makes snapshots for the tests of diff and verdicts.
 * Pages are numbers: page 5 is at address 0x5000. */
#ifndef VMSNAP_TEST_DIFF_FIXTURE_H
#define VMSNAP_TEST_DIFF_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "annotate.h"
#include "contents.h"
#include "snapshot.h"

enum { PAGE = 4096 };
#define PAGE_AT(number) ((uint64_t)(number)*PAGE)

/* Entries. */
#define ANON(pfn)     (ENTRY_PRESENT | (uint64_t)(pfn))
#define OWNED(pfn)    (ANON(pfn) | ENTRY_FLAG(VMSNAP_PAGE_EXCLUSIVE))
#define ZEROPAGE      (ENTRY_PRESENT | ENTRY_FLAG(VMSNAP_PAGE_ZERO) | 7)
#define CACHED(pfn)   (ENTRY_PRESENT | ENTRY_FLAG(VMSNAP_PAGE_FILE) | (uint64_t)(pfn))
#define SLOT(offset)  (ENTRY_SWAPPED | (uint64_t)(offset) << SWAP_TYPE_BITS)
#define GUARD_ENTRY   ENTRY_FLAG(VMSNAP_PAGE_GUARD)
#define HIDDEN(entry) ((entry) & ~ENTRY_FRAME_MASK)

static inline struct vmsnap *make_snap(void)
{
	struct vmsnap *snap = snapshot_new();
	assert_non_null(snap);
	snap->info.page_size = PAGE;
	snap->info.boot_id = "this-boot";
	snap->info.known = (struct vmsnap_known){ .pfn = true, .soft_dirty = true, .exclusive = true, .zero = true };
	snap->info.consistent = true;
	snap->info.page_moves = 1;
	snap->info.faults = 0; /* nothing that is there at B came anew */
	return snap;
}

static inline uint32_t perms_of(const char *text)
{
	return (text[0] == 'r' ? VMSNAP_PERM_READ : 0u) | (text[1] == 'w' ? VMSNAP_PERM_WRITE : 0u) |
	       (text[2] == 'x' ? VMSNAP_PERM_EXEC : 0u) | (text[3] == 's' ? VMSNAP_PERM_SHARED : 0u);
}

/* VMAs must come in order. */
static inline void add_file(struct vmsnap *snap, uint64_t start, uint64_t end, const char *perms, const char *name,
                            uint64_t inode, uint64_t offset)
{
	size_t count = snap->vma_count;
	if (!(count & (count - 1))) /* a sanitizer copies all each time */
		snap->vmas = realloc(snap->vmas, (count ? 2 * count : 1) * sizeof(*snap->vmas));
	assert_non_null(snap->vmas);
	snap->vmas[snap->vma_count++] = (struct vmsnap_vma){ .start = PAGE_AT(start),
		                                             .end = PAGE_AT(end),
		                                             .offset = PAGE_AT(offset),
		                                             .inode = inode,
		                                             .dev_major = inode ? 8 : 0,
		                                             .perms = perms_of(perms),
		                                             .name = name };
}

static inline void add_anon(struct vmsnap *snap, uint64_t start, uint64_t end, const char *perms, const char *name)
{
	add_file(snap, start, end, perms, name, 0, 0);
}

static inline void add_pages(struct vmsnap *snap, uint64_t page, uint64_t count, uint64_t entry)
{
	assert_int_equal(run_list_append(&snap->runs, PAGE, PAGE_AT(page), count, entry), VMSNAP_OK);
}

/* What a page holds: `value` in all its bytes.  In order; store: NULL: one of its own. */
static inline void add_contents(struct vmsnap *snap, struct vmsnap_store *store, uint64_t page, unsigned char value)
{
	char bytes[PAGE];
	uint32_t number;
	memset(bytes, value, sizeof(bytes));
	struct page_hash hash = page_hash_of(bytes, sizeof(bytes));
	if (!snap->contents.store && store)
		snap->contents.store = vmsnap_store_ref(store);
	else if (!snap->contents.store)
		assert_int_equal(vmsnap_store_new(&snap->contents.store, NULL), VMSNAP_OK);
	snap->contents.bytes = true;
	assert_int_equal(store_put(snap->contents.store, &hash, bytes, sizeof(bytes), &number), VMSNAP_OK);
	assert_int_equal(contents_add(&snap->contents, PAGE, PAGE_AT(page), number), VMSNAP_OK);
}

static inline struct vmsnap_diff *compare(const struct vmsnap *a, const struct vmsnap *b)
{
	struct vmsnap_diff *diff = NULL;
	assert_int_equal(vmsnap_diff_new(a, b, &diff, NULL), VMSNAP_OK);
	return diff;
}

/* Bytes that a debugger wrote to. */
static inline void add_touched(struct vmsnap *snap, uint64_t address, uint64_t size, const char *by)
{
	const struct vmsnap_annotation name = {
		.address = address, .size = size, .kind = VMSNAP_ANNOTATION_DEBUGGER_WRITE, .symbol = by
	};
	assert_int_equal(test_annotate(snap, &name, 1, NULL), VMSNAP_OK);
}

/* Whether one of these bytes lies on the page. */
static inline bool holds_touched(const struct vmsnap *snap, uint64_t page)
{
	for (size_t i = 0; i < vmsnap_annotation_count(snap); i++) {
		const struct vmsnap_annotation *name = vmsnap_annotation(snap, i);
		if (name->kind == VMSNAP_ANNOTATION_DEBUGGER_WRITE && name->size && name->address < page + PAGE &&
		    name->address + name->size > page)
			return true;
	}
	return false;
}

/* xorshift64*: the same numbers on every machine. */
static inline uint64_t random_next(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(2685821657736338717) >> 11;
}
static inline uint64_t random_below(uint64_t *state, uint64_t limit)
{
	return random_next(state) % limit;
}

/* Single bytes, some words, and here and there a whole range, below page `space`; and
 * a name that says nothing of the kind. */
static inline void add_random_touched(struct vmsnap *snap, uint64_t space, uint64_t *random)
{
	for (int i = 0; i < 60; i++) {
		uint64_t limit = random_below(random, 4) ? 2 : random_below(random, 2) ? 9 : 20 * PAGE;
		add_touched(snap, random_below(random, PAGE_AT(space)), random_below(random, limit), "breakpoint 1");
	}
	const struct vmsnap_annotation local = { .address = 0,
		                                 .size = PAGE_AT(space),
		                                 .kind = VMSNAP_ANNOTATION_LOCAL,
		                                 .symbol = "local",
		                                 .function = "f" };
	assert_int_equal(test_annotate(snap, &local, 1, NULL), VMSNAP_OK);
}

#endif
