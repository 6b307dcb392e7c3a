#define _GNU_SOURCE
#include "soft_dirty.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "error.h"

bool soft_dirty_exists(void)
{
	uint64_t entry = 0;
	size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
	CLEANUP_CLOSE int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	char *page =
	        fd < 0 ? MAP_FAILED : mmap(NULL, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return false;
	*(volatile char *)page = 1;
	if (pread(fd, &entry, sizeof(entry), (off_t)((uintptr_t)page / page_size * sizeof(entry))) != sizeof(entry))
		entry = 0;
	munmap(page, page_size);
	return entry & ENTRY_FLAG(VMSNAP_PAGE_SOFT_DIRTY);
}

int soft_dirty_clear(int procdir)
{
	CLEANUP_CLOSE int fd = openat(procdir, "clear_refs", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	ssize_t put;
	do
		put = write(fd, "4", 1);
	while (put < 0 && errno == EINTR);
	return put < 0 ? errno : 0;
}

/* ---- what they say ------------------------------------------------------------------ */

/* The mapping that both have in the same place; the kernel marks all pages of one that is new, that grew or was
 * joined with another one (VM_SOFTDIRTY). */
static bool is_unchanged(const struct vmsnap *before, const struct vmsnap_vma *vma)
{
	const struct vmsnap_vma *other = vmsnap_vma_at(before, vma->start);
	return other && other->start == vma->start && other->end == vma->end && other->offset == vma->offset &&
	       other->inode == vma->inode && (other->perms & VMSNAP_PERM_SHARED) == (vma->perms & VMSNAP_PERM_SHARED);
}

/* Neighbouring pages in one state, within one mapping. */
struct stretch {
	const struct vmsnap_vma *vma;
	struct vmsnap_run run;
};
struct stretches {
	const struct vmsnap *snap;
	struct vmsnap_run_iter runs;
	struct vmsnap_run rest;
	size_t vma;
};

static struct stretches stretches_of(const struct vmsnap *snap)
{
	struct stretches stretches = { .snap = snap };
	vmsnap_run_iter_init(&stretches.runs, snap, 0, UINT64_MAX);
	return stretches;
}

/* Those that are in no mapping are left out. */
static bool next_stretch(struct stretches *from, struct stretch *out)
{
	for (;;) {
		if (from->rest.start >= from->rest.end && vmsnap_run_next(&from->runs, &from->rest) != VMSNAP_OK)
			return false;
		const struct vmsnap_vma *vma = vmsnap_vma(from->snap, from->vma);
		while (vma && vma->end <= from->rest.start)
			vma = vmsnap_vma(from->snap, ++from->vma);
		uint64_t start = vma && vma->start > from->rest.start ? vma->start : from->rest.start;
		uint64_t end = vma && vma->end < from->rest.end ? vma->end : from->rest.end;
		if (!vma)
			return false;
		*out = (struct stretch){ .vma = vma, .run = from->rest };
		out->run.start = start;
		out->run.end = end;
		from->rest.start = end > start ? end : from->rest.end;
		if (end > start)
			return true;
	}
}

/* What is not there before was not written before.  *end: up to where that is the same. */
static bool was_there(const struct vmsnap *before, uint64_t address, uint64_t *end)
{
	struct vmsnap_run_iter it;
	struct vmsnap_run run;
	vmsnap_run_iter_init(&it, before, address, *end);
	while (vmsnap_run_next(&it, &run) == VMSNAP_OK) {
		bool populated = run.flags & (VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_SWAPPED);
		if (run.start > address) {
			*end = populated ? run.start : *end;
			if (populated)
				return false;
			continue;
		}
		if (!populated)
			continue;
		*end = run.end < *end ? run.end : *end;
		return true;
	}
	return false;
}

/* What a write to private memory leaves is neither the page cache's page nor the zero page. */
static bool is_own_page(const struct vmsnap_run *run)
{
	return run->flags & (VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_SWAPPED) && !(run->flags & VMSNAP_PAGE_ZERO);
}

static int append(struct layer *layer, uint64_t start, uint64_t end, enum vmsnap_page_written value)
{
	return layer_append(layer, start, end, (uint64_t)value);
}

/* In a mapping whose pages may be all marked: those that were not there were written, or mapped from a file. */
static int collect_changed(const struct vmsnap *before, const struct stretch *stretch, bool shared, struct layer *layer)
{
	int rc = VMSNAP_OK;
	for (uint64_t at = stretch->run.start, end; !rc && at < stretch->run.end; at = end) {
		end = stretch->run.end;
		bool known = !was_there(before, at, &end) && !shared;
		rc = append(layer, at, end, known ? VMSNAP_PAGE_WAS_WRITTEN : VMSNAP_PAGE_MAYBE_WRITTEN);
	}
	return rc;
}

int soft_dirty_collect(const struct vmsnap *before, const struct vmsnap *snap, struct layer *layer)
{
	struct stretches stretches = stretches_of(snap);
	struct stretch stretch;
	int rc = VMSNAP_OK;
	while (!rc && next_stretch(&stretches, &stretch)) {
		bool shared = stretch.vma->perms & VMSNAP_PERM_SHARED, file = stretch.run.flags & VMSNAP_PAGE_FILE;
		if (!(stretch.run.flags & VMSNAP_PAGE_SOFT_DIRTY) || !is_own_page(&stretch.run) || (file && !shared))
			continue;
		if (is_unchanged(before, stretch.vma))
			rc = append(layer, stretch.run.start, stretch.run.end, VMSNAP_PAGE_WAS_WRITTEN);
		else
			rc = collect_changed(before, &stretch, shared, layer);
	}
	return rc;
}

/* A page of its own that was not there: whatever put it there, a write, a move or a swap area, marks it. */
bool soft_dirty_disturbed(const struct vmsnap *before, const struct vmsnap *snap)
{
	const uint32_t marks = VMSNAP_PAGE_SOFT_DIRTY | VMSNAP_PAGE_FILE | VMSNAP_PAGE_ZERO;
	const uint32_t wanted = VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_EXCLUSIVE; /* the zero page is never exclusive */
	struct stretches stretches = stretches_of(snap);
	struct stretch stretch;
	while (next_stretch(&stretches, &stretch)) {
		if (stretch.vma->perms & VMSNAP_PERM_SHARED || (stretch.run.flags & (marks | wanted)) != wanted)
			continue;
		for (uint64_t at = stretch.run.start, end; at < stretch.run.end; at = end) {
			end = stretch.run.end;
			if (!was_there(before, at, &end))
				return true;
		}
	}
	return false;
}
