#define _GNU_SOURCE
#include "own_mappings.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "error.h"
#include "procdir.h"
#include "raw_syscall.h"

/* Whether no page of it is a private copy, now or in swap. */
static bool only_the_files_pages(int pagemap, const struct vmsnap_vma *vma, uint64_t page_size)
{
	uint64_t entries[512];
	for (uint64_t at = vma->start / page_size, end = vma->end / page_size; at < end;) {
		size_t count = end - at < 512 ? (size_t)(end - at) : 512;
		if (pread(pagemap, entries, count * sizeof(*entries), (off_t)(at * 8)) !=
		    (ssize_t)(count * sizeof(*entries)))
			return false;
		for (size_t i = 0; i < count; i++)
			if ((entries[i] & ENTRY_POPULATED) &&
			    !((entries[i] & ENTRY_PRESENT) && (entries[i] & ENTRY_FLAG(VMSNAP_PAGE_FILE))))
				return false;
		at += count;
	}
	return true;
}

static void collect(const struct vmsnap *self, int pagemap, struct own_mappings *own)
{
	const struct vmsnap_vma *here = vmsnap_vma_at(self, (uintptr_t)&own_mappings_find);
	for (size_t i = 0; here && i < self->vma_count; i++) {
		const struct vmsnap_vma *vma = &self->vmas[i];
		if (!vma->inode || (vma->perms & (VMSNAP_PERM_WRITE | VMSNAP_PERM_SHARED)) || vma->inode == here->inode)
			continue;
		if (!only_the_files_pages(pagemap, vma, self->info.page_size))
			continue;
		/* One call for neighbours: each makes all processors forget what they know. */
		if (own->count && own->ranges[own->count - 1].end == vma->start)
			own->ranges[own->count - 1].end = vma->end;
		else
			own->ranges[own->count++] = (struct address_range){ vma->start, vma->end };
	}
}

void own_mappings_find(struct own_mappings *own)
{
	*own = (struct own_mappings){ 0 };
	struct proc_text maps = { 0 };
	struct vmsnap *self = snapshot_new();
	CLEANUP_CLOSE int procdir = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_CLOSE int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (self && procdir >= 0 && pagemap >= 0 && !procdir_read(procdir, "maps", &maps)) {
		self->info.page_size = (uint64_t)sysconf(_SC_PAGESIZE);
		if (!maps_parse(maps.text, maps.len, self, NULL))
			own->ranges = calloc(self->vma_count + 1, sizeof(*own->ranges));
		if (own->ranges)
			collect(self, pagemap, own);
	}
	proc_text_free(&maps);
	vmsnap_unref(self);
}

void own_mappings_drop(const struct own_mappings *own)
{
	for (size_t i = 0; i < own->count; i++)
		(void)raw_syscall4(SYS_madvise, (long)own->ranges[i].start,
		                   (long)(own->ranges[i].end - own->ranges[i].start), MADV_DONTNEED, 0);
}

void own_mappings_free(struct own_mappings *own)
{
	free(own->ranges);
	*own = (struct own_mappings){ 0 };
}
