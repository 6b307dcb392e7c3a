#include "snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"

VMSNAP_API const char *vmsnap_version(void)
{
	return VMSNAP_BUILD_VERSION;
}

struct vmsnap *snapshot_new(void)
{
	struct vmsnap *snap = calloc(1, sizeof(*snap));
	if (!snap)
		return NULL;
	struct vmsnap_info *info = &snap->info;
	info->boot_id = info->host = info->kernel = info->arch = "";
	info->comm = info->exe = info->label = info->tool = info->reason = "";
	snap->status = "";
	return snap;
}

VMSNAP_API void vmsnap_free(struct vmsnap *snap)
{
	if (!snap)
		return;
	free(snap->vmas);
	free(snap->threads);
	free(snap->annotations);
	free(snap->smaps.keys);
	free(snap->smaps.values);
	free(snap->smaps.flags);
	run_list_free(&snap->runs);
	arena_free(&snap->strings);
	free(snap);
}

VMSNAP_API void vmsnap_free_all(struct vmsnap **snaps, size_t count)
{
	for (size_t i = 0; snaps && i < count; i++)
		vmsnap_free(snaps[i]);
	free(snaps);
}

VMSNAP_API const struct vmsnap_info *vmsnap_info(const struct vmsnap *snap)
{
	return &snap->info;
}

VMSNAP_API size_t vmsnap_vma_count(const struct vmsnap *snap)
{
	return snap->vma_count;
}

VMSNAP_API const struct vmsnap_vma *vmsnap_vma(const struct vmsnap *snap, size_t index)
{
	return index < snap->vma_count ? &snap->vmas[index] : NULL;
}

size_t snapshot_vma_find(const struct vmsnap *snap, uint64_t address)
{
	size_t low = 0, high = snap->vma_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (snap->vmas[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

VMSNAP_API const struct vmsnap_vma *vmsnap_vma_at(const struct vmsnap *snap, uint64_t address)
{
	size_t index = snapshot_vma_find(snap, address);
	return index < snap->vma_count && snap->vmas[index].start <= address ? &snap->vmas[index] : NULL;
}

VMSNAP_API size_t vmsnap_thread_count(const struct vmsnap *snap)
{
	return snap->thread_count;
}

VMSNAP_API const struct vmsnap_thread *vmsnap_thread(const struct vmsnap *snap, size_t index)
{
	return index < snap->thread_count ? &snap->threads[index] : NULL;
}

VMSNAP_API size_t vmsnap_smaps_key_count(const struct vmsnap *snap)
{
	return snap->smaps.key_count;
}

VMSNAP_API const char *vmsnap_smaps_key(const struct vmsnap *snap, size_t key)
{
	return key < snap->smaps.key_count ? snap->smaps.keys[key] : NULL;
}

VMSNAP_API uint64_t vmsnap_smaps_value(const struct vmsnap *snap, size_t vma, size_t key)
{
	if (vma >= snap->vma_count || key >= snap->smaps.key_count)
		return UINT64_MAX;
	return snap->smaps.values[vma * snap->smaps.key_count + key];
}

VMSNAP_API const char *vmsnap_smaps_flags(const struct vmsnap *snap, size_t vma)
{
	return vma < snap->vma_count && snap->smaps.flags ? snap->smaps.flags[vma] : "";
}
