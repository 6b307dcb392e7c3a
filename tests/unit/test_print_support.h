/* test_print_support.h - catches what is printed, and makes a small snapshot with
 * every kind of page in it. */
#ifndef VMSNAP_TEST_PRINT_SUPPORT_H
#define VMSNAP_TEST_PRINT_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "contents.h"
#include "snapshot.h"

enum { CATCH_MAX = 1 << 20 };
struct catch
{
	char text[CATCH_MAX];
	size_t len;
	int refuse_with; /* errno for every write; 0: none */
	struct vmsnap_output out;
	struct vmsnap_error err;
};

static inline int catch_write(void *ctx, const char *text, size_t len)
{
	struct catch *caught = ctx;
	if (caught->refuse_with)
		return caught->refuse_with;
	assert_true(caught->len + len < CATCH_MAX);
	memcpy(caught->text + caught->len, text, len);
	caught->len += len;
	caught->text[caught->len] = '\0';
	return 0;
}

/* One for all tests of a program, empty and plain again. */
static inline struct catch *catch_new(void)
{
	static struct catch caught;
	memset(&caught, 0, sizeof(caught));
	caught.out = (struct vmsnap_output){ .size = sizeof(caught.out), .write = catch_write, .ctx = &caught };
	caught.out.style = (struct vmsnap_style){ .size = sizeof(caught.out.style), .unicode = true };
	return &caught;
}

static inline void assert_has(const struct catch *caught, const char *part)
{
	if (!strstr(caught->text, part))
		fail_msg("\"%s\" is not in:\n%s", part, caught->text);
}

static inline void assert_lacks(const struct catch *caught, const char *part)
{
	if (strstr(caught->text, part))
		fail_msg("\"%s\" is in:\n%s", part, caught->text);
}

/* No byte that a terminal would obey, but newlines. */
static inline void assert_harmless(const struct catch *caught)
{
	for (size_t i = 0; i < caught->len; i++) {
		unsigned char c = (unsigned char)caught->text[i];
		if ((c < ' ' && c != '\n') || c == 0x7f)
			fail_msg("control character %#x at %zu of:\n%s", c, i, caught->text);
	}
}

enum { PAGE = 4096 };
#define ENTRY(flags, frame) (ENTRY_FLAG(flags) | (uint64_t)(frame))
#define HOSTILE             "/tmp/\033[2J\n7f00 \"quoted\" \\ \xff \xc2\x9b\xe2\x80\xae end"

static inline void put_vma(struct vmsnap *snap, uint64_t start, uint64_t end, uint32_t perms, uint64_t inode,
                           const char *name)
{
	snap->vmas = realloc(snap->vmas, (snap->vma_count + 1) * sizeof(*snap->vmas));
	assert_non_null(snap->vmas);
	snap->vmas[snap->vma_count++] =
	        (struct vmsnap_vma){ .start = start, .end = end, .perms = perms, .inode = inode, .name = name };
}

static inline void put_pages(struct vmsnap *snap, uint64_t start, uint64_t pages, uint64_t entry)
{
	assert_int_equal(run_list_append(&snap->runs, PAGE, start, pages, entry), VMSNAP_OK);
}

/* What a page holds, in the order of addresses. */
static inline void put_page(struct vmsnap *snap, uint64_t address, const char *bytes)
{
	uint32_t number;
	struct page_hash hash = page_hash_of(bytes, PAGE);
	if (!snap->contents.store)
		assert_int_equal(vmsnap_store_new(&snap->contents.store, NULL), VMSNAP_OK);
	snap->contents.bytes = true;
	assert_int_equal(store_put(snap->contents.store, &hash, bytes, PAGE, &number), VMSNAP_OK);
	assert_int_equal(contents_add(&snap->contents, PAGE, address, number), VMSNAP_OK);
}

/* Nothing but `value`. */
static inline void put_contents(struct vmsnap *snap, uint64_t address, unsigned char value)
{
	char bytes[PAGE];
	memset(bytes, value, sizeof(bytes));
	put_page(snap, address, bytes);
}

static inline struct vmsnap *bare_snapshot(void)
{
	struct vmsnap *snap = snapshot_new();
	assert_non_null(snap);
	snap->info.page_size = PAGE;
	snap->info.pid = 42;
	snap->info.comm = "demo";
	snap->info.boot_id = "boot";
	snap->info.taken = INT64_C(1700000000123456789);
	snap->info.consistent = true;
	snap->info.freeze = VMSNAP_FREEZE_FULL;
	snap->info.pause = 1234567;
	snap->info.page_moves = 1;
	snap->info.faults = snap->info.swap_in_use = 0;
	snap->info.known = (struct vmsnap_known){ .pfn = true, .exclusive = true, .zero = true, .huge = true };
	return snap;
}

/* Of a parent and its child, with both as a debugger held them at the fork, which were as `fork`. */
static inline struct vmsnap_cow *cow_since(const struct vmsnap *parent, const struct vmsnap *child,
                                           const struct vmsnap *fork)
{
	struct vmsnap *base = snapshot_above(fork), *newborn = snapshot_above(fork);
	struct vmsnap_cow *cow = NULL;
	assert_non_null(base);
	assert_non_null(newborn);
	base->info.freeze = newborn->info.freeze = VMSNAP_FREEZE_DEBUGGER;
	newborn->info.pid = child->info.pid;
	newborn->info.tgid = child->info.tgid;
	newborn->info.start_time = child->info.start_time;
	newborn->info.faults = 1;
	assert_int_equal(vmsnap_cow_new_between(parent, child, base, newborn, NULL, &cow, NULL), VMSNAP_OK);
	vmsnap_unref(base);
	vmsnap_unref(newborn);
	return cow;
}

static inline void put_status(struct vmsnap *snap, const char *text)
{
	snap->status = text;
	snap->status_len = strlen(text);
}

/* A file, memory with every kind of page, and a mapping with a hostile name. */
static inline struct vmsnap *sample_snapshot(void)
{
	struct vmsnap *snap = bare_snapshot();
	uint32_t rw = VMSNAP_PERM_READ | VMSNAP_PERM_WRITE;
	put_vma(snap, 0x10000, 0x14000, VMSNAP_PERM_READ | VMSNAP_PERM_EXEC, 7, "/bin/demo");
	put_vma(snap, 0x20000, 0x40000, rw, 0, "[heap]");
	put_vma(snap, 0x50000, 0x52000, rw | VMSNAP_PERM_SHARED, 9, HOSTILE);
	uint32_t present = VMSNAP_PAGE_PRESENT, own = present | VMSNAP_PAGE_EXCLUSIVE;
	put_pages(snap, 0x10000, 2, ENTRY(present | VMSNAP_PAGE_FILE, 0x100));
	put_pages(snap, 0x20000, 8, ENTRY(own, 0x200));
	put_pages(snap, 0x28000, 2, ENTRY(present, 0x300));
	put_pages(snap, 0x2a000, 1, ENTRY(present | VMSNAP_PAGE_ZERO, 0x9));
	put_pages(snap, 0x30000, 3, ENTRY(VMSNAP_PAGE_SWAPPED, 5 << SWAP_TYPE_BITS | 1));
	put_pages(snap, 0x38000, 1, ENTRY(VMSNAP_PAGE_GUARD, 0));
	put_pages(snap, 0x39000, 1, ENTRY(VMSNAP_PAGE_UFFD_WP, 0));
	put_pages(snap, 0x51000, 1, ENTRY(present | VMSNAP_PAGE_FILE, 0x400));
	put_status(snap, "Name:\t123\nVmRSS:\t      56 kB\nThreads:\t1\nUid:\t0\t0\t0\t0\nSigCgt:\t0000000000000002\n");
	return snap;
}

/* values: of each mapping, a row of them. */
static inline void give_smaps(struct vmsnap *snap, const char *const *keys, size_t count, const uint64_t *values)
{
	size_t cells = snap->vma_count * count;
	snap->smaps.key_count = count;
	snap->smaps.keys = calloc(count, sizeof(*snap->smaps.keys));
	snap->smaps.values = calloc(cells, sizeof(*snap->smaps.values));
	snap->smaps.texts = calloc(cells, sizeof(*snap->smaps.texts));
	assert_true(snap->smaps.keys && snap->smaps.values && snap->smaps.texts);
	memcpy(snap->smaps.keys, keys, count * sizeof(*keys));
	memcpy(snap->smaps.values, values, cells * sizeof(*values));
}

#endif
