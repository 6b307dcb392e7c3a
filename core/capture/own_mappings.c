#define _GNU_SOURCE
#include "own_mappings.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "error.h"
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
		struct own_mapping *last = own->count ? &own->items[own->count - 1] : NULL;
		if (last && last->range.end == vma->start && last->file->inode == vma->inode)
			last->range.end = vma->end;
		else
			own->items[own->count++] = (struct own_mapping){ { vma->start, vma->end }, vma };
	}
}

void own_mappings_find(struct own_mappings *own)
{
	*own = (struct own_mappings){ 0 };
	struct proc_text maps = { 0 };
	struct vmsnap *self = own->self = snapshot_new();
	CLEANUP_CLOSE int procdir = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_CLOSE int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (self && procdir >= 0 && pagemap >= 0 && !procdir_read(procdir, "maps", &maps)) {
		self->info.page_size = (uint64_t)sysconf(_SC_PAGESIZE);
		if (!maps_parse(maps.text, maps.len, self, NULL))
			own->items = calloc(self->vma_count + 1, sizeof(*own->items));
		if (own->items)
			collect(self, pagemap, own);
	}
	proc_text_free(&maps);
}

static bool may_map(const struct proc_text *maps, const struct vmsnap_vma *file)
{
	char inode[32];
	snprintf(inode, sizeof(inode), " %" PRIu64 " ", file->inode);
	const char *name = strrchr(file->name, '/');
	return !name || memmem(maps->text, maps->len, name, strlen(name)) ||
	       memmem(maps->text, maps->len, inode, strlen(inode));
}

void own_mappings_shared(const struct own_mappings *own, const struct proc_text *maps, struct own_mappings *out)
{
	*out = (struct own_mappings){ .items = calloc(own->count + 1, sizeof(*own->items)) };
	for (size_t i = 0; out->items && i < own->count; i++)
		if (may_map(maps, own->items[i].file))
			out->items[out->count++] = own->items[i];
}

void own_mappings_drop(const struct own_mappings *own)
{
	for (size_t i = 0; i < own->count; i++)
		(void)raw_syscall4(SYS_madvise, (long)own->items[i].range.start,
		                   (long)(own->items[i].range.end - own->items[i].range.start), MADV_DONTNEED, 0);
}

void own_mappings_free(struct own_mappings *own)
{
	free(own->items);
	vmsnap_unref(own->self);
	*own = (struct own_mappings){ 0 };
}
