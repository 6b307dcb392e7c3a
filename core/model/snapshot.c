#include "snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "contents_backed.h"
#include "error.h"
#include "sorted.h"

VMSNAP_API const char *vmsnap_version(void)
{
	return VMSNAP_BUILD_VERSION;
}

struct vmsnap *snapshot_new(void)
{
	struct vmsnap *snap = calloc(1, sizeof(*snap));
	if (!snap)
		return NULL;
	atomic_init(&snap->holders, 1);
	snap->self = snap;
	struct vmsnap_info *info = &snap->info;
	info->boot_id = info->host = info->kernel = info->arch = "";
	info->cgroup = info->unit = info->container = info->machine_hash = "";
	info->comm = info->exe = info->label = info->tool = info->reason = "";
	info->faults = info->swap_in_use = UINT64_MAX;
	snap->status = "";
	return snap;
}

/* Annotations and what is made of them are its own; all else is the other's. */
struct vmsnap *snapshot_above(const struct vmsnap *base)
{
	struct vmsnap *snap = snapshot_new();
	size_t bytes = base->annotation_count * sizeof(*snap->annotations);
	struct vmsnap_annotation *annotations = bytes ? malloc(bytes) : NULL;
	if (!snap || (bytes && !annotations)) {
		free(annotations);
		vmsnap_unref(snap);
		return NULL;
	}
	if (bytes)
		memcpy(annotations, base->annotations, bytes);
	snap->base = vmsnap_ref(base);
	snap->info = base->info;
	snap->status = base->status;
	snap->status_len = base->status_len;
	snap->vmas = base->vmas;
	snap->vma_count = base->vma_count;
	snap->runs = base->runs;
	snap->threads = base->threads;
	snap->thread_count = base->thread_count;
	snap->smaps = base->smaps;
	snap->contents = base->contents;
	for (int layer = VMSNAP_LAYER_DEBUGGER_WRITES + 1; layer < VMSNAP_LAYER_COUNT; layer++)
		snap->layers[layer] = base->layers[layer];
	snap->types = base->types;
	snap->types_len = base->types_len;
	snap->faults = vmsnap_faults_ref(base->faults);
	snap->memory_limit = base->memory_limit;
	snap->annotations = annotations;
	snap->annotation_count = base->annotation_count;
	return snap;
}

struct vmsnap *snapshot_again(const struct vmsnap *base)
{
	size_t bytes = base->thread_count * sizeof(*base->threads);
	struct vmsnap *snap = snapshot_new();
	struct vmsnap_thread *threads = malloc(bytes ? bytes : 1);
	if (!snap || !threads) {
		free(threads);
		vmsnap_unref(snap);
		return NULL;
	}
	if (bytes)
		memcpy(threads, base->threads, bytes);
	snap->base = vmsnap_ref(base);
	snap->info = base->info;
	snap->vmas = base->vmas;
	snap->vma_count = base->vma_count;
	snap->threads = threads;
	snap->thread_count = base->thread_count;
	snap->own_runs = snap->own_threads = true;
	return snap;
}

int snapshot_with_store(const struct vmsnap *snap, struct work *work, struct vmsnap **out, struct vmsnap_error *err)
{
	struct contents stored;
	int rc = contents_store_backed(&snap->contents, snap->info.page_size, work, &stored, err);
	if (rc)
		return rc;
	struct vmsnap *made = snapshot_above(snap);
	if (!made) {
		contents_free(&stored);
		return fail_no_memory(err);
	}
	made->contents = stored;
	made->own_contents = true;
	*out = made;
	return VMSNAP_OK;
}

/* Linux writes all mappings of files into NT_FILE, memory that is shared without a file among them, which the kernel
 * keeps as one: what is not there is private.  Of those that are there only these two are known to be shared. */
static uint8_t unknown_of(const struct vmsnap_vma *vma, bool files_told)
{
	if (!*vma->name)
		return (uint8_t)(VMSNAP_VMA_UNKNOWN_NAME | (files_told ? 0 : VMSNAP_VMA_UNKNOWN_SHARED));
	/* What gdb writes lets all be read; and of this one maps and the kernel's cores say two things, too. */
	if (!strcmp(vma->name, "[vsyscall]"))
		return VMSNAP_VMA_UNKNOWN_PERMS;
	if (vma->name[0] != '/')
		return 0;
	bool shared = !strcmp(vma->name, "/dev/zero (deleted)") || !strncmp(vma->name, "/SYSV", 5);
	return (uint8_t)(VMSNAP_VMA_UNKNOWN_FILE | (shared ? 0 : VMSNAP_VMA_UNKNOWN_SHARED));
}

void snapshot_note_unknown(struct vmsnap *snap)
{
	bool files_told = false;
	for (size_t i = 0; i < snap->vma_count; i++)
		files_told |= snap->vmas[i].name[0] == '/';
	for (size_t i = 0; i < snap->vma_count; i++) {
		struct vmsnap_vma *vma = &snap->vmas[i];
		uint64_t dumped = 0;
		vma->unknown = snapshot_is_core(snap) ? unknown_of(vma, files_told) : 0;
		if (vma->unknown & VMSNAP_VMA_UNKNOWN_FILE &&
		    !vmsnap_layer_at(snap, VMSNAP_LAYER_DUMPED, vma->start, &dumped, NULL) &&
		    dumped == VMSNAP_DUMPED_LISTED)
			vma->unknown |= VMSNAP_VMA_UNKNOWN_PERMS | VMSNAP_VMA_UNKNOWN_SHARED;
		if (vma->unknown & VMSNAP_VMA_UNKNOWN_FILE)
			vma->deleted = vma_named_deleted(true, vma->name, strlen(vma->name));
	}
}

static void free_what_is_shared(struct vmsnap *snap)
{
	free(snap->vmas);
	free(snap->threads);
	free(snap->smaps.keys);
	free(snap->smaps.values);
	free(snap->smaps.texts);
	free(snap->smaps.flags);
	run_list_free(&snap->runs);
	contents_free(&snap->contents);
	for (int layer = VMSNAP_LAYER_DEBUGGER_WRITES + 1; layer < VMSNAP_LAYER_COUNT; layer++)
		layer_free(&snap->layers[layer]);
}

static void snapshot_free(struct vmsnap *snap)
{
	if (!snap->base)
		free_what_is_shared(snap);
	if (snap->base && snap->own_runs)
		run_list_free(&snap->runs);
	if (snap->base && snap->own_threads)
		free(snap->threads);
	if (snap->base && snap->own_contents)
		contents_free(&snap->contents);
	free(snap->annotations);
	vmsnap_faults_unref(snap->faults);
	layer_free(&snap->layers[VMSNAP_LAYER_DEBUGGER_WRITES]);
	arena_free(&snap->strings);
	free(snap);
}

VMSNAP_API struct vmsnap *vmsnap_ref(const struct vmsnap *snap)
{
	if (!snap)
		return NULL;
	atomic_fetch_add_explicit(&snap->self->holders, 1, memory_order_relaxed);
	return snap->self;
}

VMSNAP_API void vmsnap_unref(const struct vmsnap *snap)
{
	/* What the others wrote before they let go happened before it is freed. */
	while (snap && atomic_fetch_sub_explicit(&snap->self->holders, 1, memory_order_acq_rel) == 1) {
		struct vmsnap *base = snap->base;
		snapshot_free(snap->self);
		snap = base;
	}
}

VMSNAP_API void vmsnap_unref_all(struct vmsnap **snaps, size_t count)
{
	for (size_t i = 0; snaps && i < count; i++)
		vmsnap_unref(snaps[i]);
	free(snaps);
}

uint64_t snapshot_string_bytes(const struct vmsnap *snap)
{
	uint64_t bytes = 0;
	for (; snap; snap = snap->base)
		bytes += snap->strings.total;
	return bytes;
}

VMSNAP_API size_t vmsnap_struct_size(int which)
{
	static const size_t sizes[VMSNAP_STRUCT_COUNT] = {
		[VMSNAP_STRUCT_INFO] = sizeof(struct vmsnap_info),
		[VMSNAP_STRUCT_VMA] = sizeof(struct vmsnap_vma),
		[VMSNAP_STRUCT_THREAD] = sizeof(struct vmsnap_thread),
		[VMSNAP_STRUCT_ANNOTATION] = sizeof(struct vmsnap_annotation),
		[VMSNAP_STRUCT_NAME] = sizeof(struct vmsnap_name),
		[VMSNAP_STRUCT_DIFF_STATUS] = sizeof(struct vmsnap_diff_status),
		[VMSNAP_STRUCT_ELF_SYMBOL] = sizeof(struct vmsnap_elf_symbol),
		[VMSNAP_STRUCT_FAULT] = sizeof(struct vmsnap_fault),
		[VMSNAP_STRUCT_FAULTS_INFO] = sizeof(struct vmsnap_faults_info),
		[VMSNAP_STRUCT_FAULT_OBJECT] = sizeof(struct vmsnap_fault_object),
		[VMSNAP_STRUCT_FAULT_CODE] = sizeof(struct vmsnap_fault_code),
		[VMSNAP_STRUCT_FAULT_THREAD] = sizeof(struct vmsnap_fault_thread),
	};
	return which >= 0 && which < VMSNAP_STRUCT_COUNT ? sizes[which] : 0;
}

VMSNAP_API const struct vmsnap_info *vmsnap_info(const struct vmsnap *snap)
{
	return &snap->info;
}

VMSNAP_API bool vmsnap_one_instant(const struct vmsnap *snap, bool *known)
{
	uint32_t freeze = snap->info.freeze;
	bool stood = freeze == VMSNAP_FREEZE_FULL || freeze == VMSNAP_FREEZE_DEBUGGER;
	*known = stood || !snap->info.consistent;
	return stood && snap->info.consistent;
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
	return SORTED_ABOVE(struct vmsnap_vma, end, snap->vmas, snap->vma_count, address);
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

VMSNAP_API const char *vmsnap_smaps_text(const struct vmsnap *snap, size_t vma, size_t key)
{
	const struct smaps *smaps = &snap->smaps;
	if (!smaps->texts || vma >= snap->vma_count || key >= smaps->key_count)
		return NULL;
	return smaps->texts[vma * smaps->key_count + key];
}

VMSNAP_API const char *vmsnap_smaps_flags(const struct vmsnap *snap, size_t vma)
{
	return vma < snap->vma_count && snap->smaps.flags ? snap->smaps.flags[vma] : "";
}

static const struct layer *layer_at(const struct vmsnap *snap, int layer)
{
	return layer >= 0 && layer < VMSNAP_LAYER_COUNT ? &snap->layers[layer] : NULL;
}

VMSNAP_API bool vmsnap_layer_known(const struct vmsnap *snap, int layer)
{
	const struct layer *found = layer_at(snap, layer);
	return found && found->known;
}

VMSNAP_API size_t vmsnap_layer_range_count(const struct vmsnap *snap, int layer)
{
	const struct layer *found = layer_at(snap, layer);
	return found ? found->count : 0;
}

VMSNAP_API int vmsnap_layer_range(const struct vmsnap *snap, int layer, size_t index, struct vmsnap_layer_range *out)
{
	const struct layer *found = layer_at(snap, layer);
	if (!found || index >= found->count)
		return VMSNAP_END;
	*out = found->items[index];
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_layer_at(const struct vmsnap *snap, int layer, uint64_t address, uint64_t *value, uint64_t *end)
{
	const struct layer *found = layer_at(snap, layer);
	uint64_t nowhere;
	end = end ? end : &nowhere;
	*end = UINT64_MAX;
	size_t count = found ? found->count : 0;
	size_t at = count ? SORTED_ABOVE(struct vmsnap_layer_range, end, found->items, count, address) : 0;
	if (at == count)
		return VMSNAP_ERR_NOT_FOUND;
	const struct vmsnap_layer_range *range = &found->items[at];
	bool inside = range->start <= address;
	*end = inside ? range->end : range->start;
	if (!inside)
		return VMSNAP_ERR_NOT_FOUND;
	*value = range->value;
	return VMSNAP_OK;
}

VMSNAP_API const void *vmsnap_types(const struct vmsnap *snap, size_t *len)
{
	*len = snap->types_len;
	return snap->types_len ? snap->types : NULL;
}

VMSNAP_API const struct vmsnap_faults *vmsnap_faults_of(const struct vmsnap *snap)
{
	return snap->faults;
}

VMSNAP_API int vmsnap_written_at(const struct vmsnap *snap, uint64_t address, uint64_t *end)
{
	uint64_t nowhere;
	end = end ? end : &nowhere;
	*end = UINT64_MAX;
	const struct layer *layer = &snap->layers[VMSNAP_LAYER_WRITTEN];
	if (!layer->known)
		return VMSNAP_PAGE_MAYBE_WRITTEN;
	size_t at = SORTED_ABOVE(struct vmsnap_layer_range, end, layer->items, layer->count, address);
	const struct vmsnap_layer_range *range = at < layer->count ? &layer->items[at] : NULL;
	if (range && range->start <= address) {
		*end = range->end;
		return (int)range->value;
	}
	if (range)
		*end = range->start;
	/* Others may have written to what is shared. */
	size_t index = snapshot_vma_find(snap, address);
	const struct vmsnap_vma *vma = index < snap->vma_count ? &snap->vmas[index] : NULL;
	bool inside = vma && vma->start <= address;
	uint64_t border = !vma ? UINT64_MAX : inside ? vma->end : vma->start;
	if (border < *end)
		*end = border;
	return inside && !(vma->perms & VMSNAP_PERM_SHARED) ? VMSNAP_PAGE_NOT_WRITTEN : VMSNAP_PAGE_MAYBE_WRITTEN;
}

bool vma_named_deleted(bool file, const char *name, size_t len)
{
	static const char mark[] = " (deleted)";
	size_t mark_len = sizeof(mark) - 1;
	return file && len > mark_len && memcmp(name + len - mark_len, mark, mark_len) == 0;
}
