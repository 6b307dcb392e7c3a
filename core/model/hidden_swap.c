#include "hidden_swap.h"

#include <string.h>

static bool begins_with(const char *name, const char *prefix)
{
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* Memory that has no other place than swap to go to.  What is on a file system without a disk of its
 * own (major 0) is a tmpfs or a like of it if it is mapped shared; privately mapped it may as well be a
 * container's overlayfs, unless its name tells. */
static bool is_shared_memory(const struct vmsnap_vma *vma)
{
	if (vma->dev_major || !vma_has_file(vma->inode, vma->dev_major, vma->dev_minor))
		return false;
	/* Huge pages are not swapped out. */
	if (begins_with(vma->name, "/anon_hugepage"))
		return false;
	return (vma->perms & VMSNAP_PERM_SHARED) || begins_with(vma->name, "/memfd:") ||
	       begins_with(vma->name, "/SYSV") || begins_with(vma->name, "/dev/shm/");
}

/* The line Swap of smaps: with that which page tables show.  UINT64_MAX: there is none. */
static uint64_t swap_of_smaps(const struct vmsnap *snap, size_t vma)
{
	const struct smaps *smaps = &snap->smaps;
	for (size_t k = 0; k < smaps->key_count; k++)
		if (strcmp(smaps->keys[k], "Swap") == 0)
			return vmsnap_smaps_value(snap, vma, k);
	return UINT64_MAX;
}

bool hidden_swap_may_be(const struct vmsnap *snap, size_t vma)
{
	return snap->info.swap_in_use && is_shared_memory(&snap->vmas[vma]);
}

struct hidden_swap hidden_swap(const struct vmsnap *snap, size_t vma, uint64_t start, uint64_t end,
                               const struct vmsnap_sums *shown)
{
	uint64_t swapped = swap_of_smaps(snap, vma);
	bool whole = start == snap->vmas[vma].start && end == snap->vmas[vma].end;
	uint64_t told = shown->resident + shown->swapped + shown->guard, absent = end - start - told;
	/* All pages are there. */
	if (told >= end - start)
		return (struct hidden_swap){ 0 };
	if (swapped == UINT64_MAX || (swapped > shown->swapped && !whole))
		return (struct hidden_swap){ .unknown = true };
	uint64_t hidden = swapped > shown->swapped ? swapped - shown->swapped : 0;
	/* Not more than there is room for, whatever a file says. */
	return (struct hidden_swap){ .bytes = hidden < absent ? hidden : absent };
}
