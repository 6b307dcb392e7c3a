#include "builder.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "options.h"
#include "service.h"

int builder_begin(struct vmsnap_builder *builder)
{
	*builder = (struct vmsnap_builder){ .snap = snapshot_new() };
	return builder->snap ? VMSNAP_OK : VMSNAP_ERR_NO_MEMORY;
}

void builder_drop(struct vmsnap_builder *builder)
{
	vmsnap_unref(builder->snap);
	builder->snap = NULL;
}

int builder_finish(struct vmsnap_builder *builder, struct work *work, struct vmsnap **out)
{
	struct vmsnap *snap = builder->snap;
	if (!snap->base)
		snapshot_note_unknown(snap);
	int rc = layer_of_debugger_writes(&snap->layers[VMSNAP_LAYER_DEBUGGER_WRITES], snap->annotations,
	                                  snap->annotation_count, snap->info.page_size, work);
	snap->layers[VMSNAP_LAYER_WRITTEN].known = snap->info.known.written != VMSNAP_WRITTEN_UNKNOWN;
	rc = rc ? rc : service_fill(snap, work);
	if (rc)
		return rc;
	*out = builder->snap;
	builder->snap = NULL;
	return VMSNAP_OK;
}

/* ---- what everybody may call ------------------------------------------------ */

/* Of what is unknown the length is 0, whatever was given. */
static bool keep_bytes(struct vmsnap *snap, const uint8_t **bytes, size_t *len)
{
	if (!*bytes || !*len) {
		*bytes = NULL;
		*len = 0;
		return true;
	}
	*bytes = (const uint8_t *)arena_copy(&snap->strings, *bytes, *len);
	return *bytes;
}

static bool keep_string(struct vmsnap *snap, const char **string)
{
	*string = *string && **string ? arena_string(&snap->strings, *string) : "";
	return *string;
}

static bool keep_memory_with(struct vmsnap *snap)
{
	struct vmsnap_info *info = &snap->info;
	const uint32_t *given = info->memory_with;
	info->memory_with = NULL;
	if (!given || !info->memory_with_count) {
		info->memory_with_count = 0;
		return true;
	}
	uint32_t *copy = arena_alloc(&snap->strings, info->memory_with_count * sizeof(*copy));
	if (copy)
		info->memory_with = memcpy(copy, given, info->memory_with_count * sizeof(*copy));
	return copy;
}

static bool keep_info(struct vmsnap *snap, const struct vmsnap_info *given)
{
	struct vmsnap_info *info = &snap->info;
	*info = *given;
	if (!info->faults) /* no program runs without one: nobody has counted */
		info->faults = UINT64_MAX;
	/* Nobody who does not know of it says that there is none. */
	if (!info->swap_in_use)
		info->swap_in_use = UINT64_MAX;
	const char **strings[] = { &info->boot_id, &info->host,   &info->kernel,      &info->arch,
		                   &info->comm,    &info->exe,    &info->label,       &info->tool,
		                   &info->reason,  &info->cgroup, &info->machine_hash };
	for (size_t i = 0; i < sizeof(strings) / sizeof(*strings); i++)
		if (!keep_string(snap, strings[i]))
			return false;
	info->cmdline_len = given->cmdline ? given->cmdline_len : 0;
	if (given->cmdline)
		info->cmdline = arena_copy(&snap->strings, given->cmdline, given->cmdline_len);
	if (given->cmdline && !info->cmdline)
		return false;
	return keep_bytes(snap, &info->exe_build_id, &info->exe_build_id_len) && keep_memory_with(snap);
}

/* What files can hold (docs/format.md), so that every snapshot can be saved. */
static int check_info(const struct vmsnap_info *info, struct vmsnap_error *err)
{
	uint64_t size = info->page_size;
	if (size < 4096 || size > UINT64_C(1) << 30 || (size & (size - 1)))
		return fail(err, VMSNAP_ERR_ARGUMENT,
		            "pages of %" PRIu64 " bytes: expected a power of two from 4096 to 2^30", size);
	if (info->freeze > VMSNAP_FREEZE_PARTIAL || info->known.later || info->known.written > VMSNAP_WRITTEN_UFFD ||
	    info->source >= VMSNAP_SOURCE_COUNT || info->executed > VMSNAP_EXECUTED_PROGRAM)
		return fail(err, VMSNAP_ERR_ARGUMENT,
		            "struct vmsnap_info: a freeze, a known, a source or an executed that there is not");
	for (size_t i = 0; info->memory_with && i < info->memory_with_count; i++)
		if (!info->memory_known || (i && info->memory_with[i] <= info->memory_with[i - 1]))
			return fail(err, VMSNAP_ERR_ARGUMENT,
			            "struct vmsnap_info: who has the memory is not known, or not in order");
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_builder_new_sized(const struct vmsnap_info *info, size_t size, struct vmsnap_builder **out,
                                        struct vmsnap_error *err)
{
	struct vmsnap_info given;
	if (!info || !out)
		return fail(err, VMSNAP_ERR_ARGUMENT, "a builder needs an info, and a place to go to");
	int rc = struct_take(&given, sizeof(given), info, size, "struct vmsnap_info", err);
	rc = rc ? rc : check_info(&given, err);
	if (rc)
		return rc;
	struct vmsnap_builder *builder = calloc(1, sizeof(*builder));
	if (!builder || builder_begin(builder) || !keep_info(builder->snap, &given)) {
		vmsnap_builder_free(builder);
		return fail_no_memory(err);
	}
	*out = builder;
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_builder_from(const struct vmsnap *snap, struct vmsnap_builder **out, struct vmsnap_error *err)
{
	if (!snap || !out)
		return fail(err, VMSNAP_ERR_ARGUMENT, "a builder needs a snapshot to begin with, and a place to go to");
	struct vmsnap_builder *builder = calloc(1, sizeof(*builder));
	if (builder)
		builder->snap = snapshot_above(snap);
	if (!builder || !builder->snap) {
		vmsnap_builder_free(builder);
		return fail_no_memory(err);
	}
	*out = builder;
	return VMSNAP_OK;
}

VMSNAP_API void vmsnap_builder_free(struct vmsnap_builder *builder)
{
	if (builder)
		builder_drop(builder);
	free(builder);
}

static int can_add(const struct vmsnap_builder *builder, const void *given, const char *what, struct vmsnap_error *err)
{
	if (!builder || !given)
		return fail(err, VMSNAP_ERR_ARGUMENT, "%s: NULL is given", what);
	if (!builder->snap)
		return fail(err, VMSNAP_ERR_ARGUMENT, "%s for a snapshot that is finished", what);
	if (builder->snap->base)
		return fail(err, VMSNAP_ERR_ARGUMENT, "%s for a snapshot that has all but annotations", what);
	return VMSNAP_OK;
}

/* Room for one item more. */
static bool room(void **items, size_t count, size_t *capacity, size_t item_size)
{
	if (count < *capacity)
		return true;
	size_t more = *capacity ? *capacity * 2 : 16;
	void *grown = more <= SIZE_MAX / item_size ? realloc(*items, more * item_size) : NULL;
	if (!grown)
		return false;
	*items = grown;
	*capacity = more;
	return true;
}

static int check_vma(const struct vmsnap *snap, const struct vmsnap_vma *vma, struct vmsnap_error *err)
{
	const uint32_t all = VMSNAP_PERM_READ | VMSNAP_PERM_WRITE | VMSNAP_PERM_EXEC | VMSNAP_PERM_SHARED;
	if (vma->offset & (snap->info.page_size - 1) || vma->perms & ~all || vma->build_id_len > UINT8_MAX)
		return fail(err, VMSNAP_ERR_ARGUMENT,
		            "mapping 0x%" PRIx64 "-0x%" PRIx64 ": its offset, permissions or build ID cannot be",
		            vma->start, vma->end);
	return VMSNAP_OK;
}

static int check_range(const struct vmsnap *snap, uint64_t start, uint64_t end, uint64_t from, const char *what,
                       struct vmsnap_error *err)
{
	if (start >= end || (start | end) & (snap->info.page_size - 1))
		return fail(err, VMSNAP_ERR_ARGUMENT, "%s 0x%" PRIx64 "-0x%" PRIx64 ": expected whole pages", what,
		            start, end);
	if (start < from)
		return fail(err, VMSNAP_ERR_ARGUMENT,
		            "%s 0x%" PRIx64 "-0x%" PRIx64 " begins before 0x%" PRIx64 ", where the last one ends", what,
		            start, end, from);
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_builder_add_vma_sized(struct vmsnap_builder *builder, const struct vmsnap_vma *vma, size_t size,
                                            struct vmsnap_error *err)
{
	struct vmsnap_vma kept;
	int rc = can_add(builder, vma, "a mapping", err);
	rc = rc ? rc : struct_take(&kept, sizeof(kept), vma, size, "struct vmsnap_vma", err);
	if (rc)
		return rc;
	struct vmsnap *snap = builder->snap;
	rc = check_range(snap, kept.start, kept.end, snap->vma_count ? snap->vmas[snap->vma_count - 1].end : 0,
	                 "mapping", err);
	rc = rc ? rc : check_vma(snap, &kept, err);
	if (rc)
		return rc;
	void *vmas = snap->vmas;
	bool there = room(&vmas, snap->vma_count, &builder->vma_room, sizeof(*snap->vmas));
	snap->vmas = vmas;
	if (!there || !keep_string(snap, &kept.name) || !keep_bytes(snap, &kept.build_id, &kept.build_id_len))
		return fail_no_memory(err);
	bool file = vma_has_file(kept.inode, kept.dev_major, kept.dev_minor);
	kept.deleted = vma_named_deleted(file, kept.name, strlen(kept.name));
	snap->vmas[snap->vma_count++] = kept;
	return VMSNAP_OK;
}

static uint64_t entry_of(const struct vmsnap_run *run)
{
	uint64_t frame = run->flags & VMSNAP_PAGE_PRESENT   ? run->pfn
	                 : run->flags & VMSNAP_PAGE_SWAPPED ? run->swap_offset << SWAP_TYPE_BITS | run->swap_type
	                                                    : 0;
	return ENTRY_FLAG(run->flags) | frame;
}

static int check_state(const struct vmsnap_run *run, uint64_t pages, struct vmsnap_error *err)
{
	const uint32_t all = (VMSNAP_PAGE_PRESENT << 1) - 1;
	bool present = run->flags & VMSNAP_PAGE_PRESENT, swapped = run->flags & VMSNAP_PAGE_SWAPPED;
	bool guard = run->flags & VMSNAP_PAGE_GUARD;
	uint64_t most = ENTRY_FRAME_MASK;
	bool fits = !present || (run->pfn <= most && pages <= most - run->pfn);
	if (swapped)
		fits = run->swap_type < SWAP_TYPES && run->swap_offset <= most >> SWAP_TYPE_BITS &&
		       pages <= (most >> SWAP_TYPE_BITS) - run->swap_offset;
	if (!run->flags || run->flags & ~all || present + swapped + guard > 1 || !fits)
		return fail(err, VMSNAP_ERR_ARGUMENT, "run at 0x%" PRIx64 ": no page is in such a state", run->start);
	return VMSNAP_OK;
}

/* One run of all addresses is a million million of ours: asked for at once, the system refuses what
 * it does not have, instead of giving it bit by bit until nothing is left. */
static int append(struct vmsnap *snap, uint64_t start, uint64_t pages, uint64_t entry)
{
	uint64_t more = pages / RUN_PAGES_MAX;
	int rc = more ? run_list_reserve(&snap->runs, snap->runs.count + more + 2, false) : VMSNAP_OK;
	return rc ? rc : run_list_append(&snap->runs, snap->info.page_size, start, pages, entry);
}

VMSNAP_API int vmsnap_builder_add_run(struct vmsnap_builder *builder, const struct vmsnap_run *run,
                                      struct vmsnap_error *err)
{
	int rc = can_add(builder, run, "pages", err);
	if (rc)
		return rc;
	struct vmsnap *snap = builder->snap;
	const struct run *last = snap->runs.count ? &snap->runs.items[snap->runs.count - 1] : NULL;
	uint64_t page_size = snap->info.page_size, pages = (run->end - run->start) / page_size;
	rc = check_range(snap, run->start, run->end, last ? run_start(last) + run_pages(last) * page_size : 0, "run",
	                 err);
	rc = rc ? rc : check_state(run, pages, err);
	if (!rc && append(snap, run->start, pages, entry_of(run)))
		rc = fail_no_memory(err);
	return rc;
}

VMSNAP_API int vmsnap_builder_add_written(struct vmsnap_builder *builder, const struct vmsnap_layer_range *range,
                                          struct vmsnap_error *err)
{
	int rc = can_add(builder, range, "written pages", err);
	if (rc)
		return rc;
	struct vmsnap *snap = builder->snap;
	struct layer *layer = &snap->layers[VMSNAP_LAYER_WRITTEN];
	rc = check_range(snap, range->start, range->end, layer->count ? layer->items[layer->count - 1].end : 0,
	                 "written pages", err);
	if (!rc && (!snap->info.known.written || !range->value || range->value > VMSNAP_PAGE_MAYBE_WRITTEN))
		rc = fail(err, VMSNAP_ERR_ARGUMENT,
		          "written pages: %" PRIu64
		          " is no enum vmsnap_page_written, or info.known.written says that nobody knows",
		          range->value);
	if (!rc && layer_append(layer, range->start, range->end, range->value))
		rc = fail_no_memory(err);
	return rc;
}

VMSNAP_API int vmsnap_builder_add_layer(struct vmsnap_builder *builder, int which,
                                        const struct vmsnap_layer_range *range, struct vmsnap_error *err)
{
	int rc = can_add(builder, range ? (const void *)range : "", "a layer", err);
	if (rc)
		return rc;
	if (which < VMSNAP_LAYER_KPAGE_FLAGS || which > VMSNAP_LAYER_DUMPED)
		return fail(err, VMSNAP_ERR_ARGUMENT, "no layer that can be given is %d", which);
	if (range && which == VMSNAP_LAYER_DUMPED &&
	    (range->value < VMSNAP_DUMPED_BYTES || range->value > VMSNAP_DUMPED_LISTED))
		return fail(err, VMSNAP_ERR_ARGUMENT, "%" PRIu64 " is no enum vmsnap_page_dumped", range->value);
	struct layer *layer = &builder->snap->layers[which];
	layer->known = true;
	if (!range)
		return VMSNAP_OK;
	rc = check_range(builder->snap, range->start, range->end, layer->count ? layer->items[layer->count - 1].end : 0,
	                 vmsnap_layer_name(which), err);
	if (!rc && layer_append(layer, range->start, range->end, range->value))
		rc = fail_no_memory(err);
	return rc;
}

VMSNAP_API int vmsnap_builder_set_status(struct vmsnap_builder *builder, const char *text, size_t len,
                                         struct vmsnap_error *err)
{
	int rc = can_add(builder, len ? text : "", "a status", err);
	if (rc)
		return rc;
	const char *copy = arena_copy(&builder->snap->strings, text, len);
	if (!copy)
		return fail_no_memory(err);
	builder->snap->status = copy;
	builder->snap->status_len = len;
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_builder_set_types(struct vmsnap_builder *builder, const void *bytes, size_t len,
                                        struct vmsnap_error *err)
{
	struct work work = { .limit = WORK_UNLIMITED };
	struct type_table table;
	if (!builder || !builder->snap || (len && !bytes))
		return fail(err, VMSNAP_ERR_ARGUMENT, "types need a builder that is not finished, and bytes");
	int rc = type_table_read(bytes, len, &work, &table);
	if (rc)
		return rc == VMSNAP_ERR_NO_MEMORY ? fail_no_memory(err)
		                                  : fail(err, VMSNAP_ERR_ARGUMENT, "the types are not readable");
	type_table_free(&table, &work);
	const char *copy = arena_copy(&builder->snap->strings, len ? bytes : "", len);
	if (!copy)
		return fail_no_memory(err);
	builder->snap->types = (const uint8_t *)copy;
	builder->snap->types_len = len;
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_builder_set_label(struct vmsnap_builder *builder, const char *label, struct vmsnap_error *err)
{
	if (!builder || !builder->snap || !label)
		return fail(err, VMSNAP_ERR_ARGUMENT, "a label needs a builder that is not finished");
	const char *copy = arena_string(&builder->snap->strings, label);
	if (!copy)
		return fail_no_memory(err);
	builder->snap->info.label = copy;
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_builder_set_faults(struct vmsnap_builder *builder, const struct vmsnap_faults *faults,
                                         struct vmsnap_error *err)
{
	if (!builder || !builder->snap)
		return fail(err, VMSNAP_ERR_ARGUMENT, "page faults need a builder that is not finished");
	struct vmsnap_faults *before = builder->snap->faults;
	builder->snap->faults = vmsnap_faults_ref(faults);
	vmsnap_faults_unref(before);
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_builder_add_thread_sized(struct vmsnap_builder *builder, const struct vmsnap_thread *thread,
                                               size_t size, struct vmsnap_error *err)
{
	struct vmsnap_thread kept;
	int rc = can_add(builder, thread, "a thread", err);
	rc = rc ? rc : struct_take(&kept, sizeof(kept), thread, size, "struct vmsnap_thread", err);
	if (rc)
		return rc;
	struct vmsnap *snap = builder->snap;
	void *threads = snap->threads;
	bool there = room(&threads, snap->thread_count, &builder->thread_room, sizeof(*snap->threads));
	snap->threads = threads;
	if (!there || !keep_string(snap, &kept.comm))
		return fail_no_memory(err);
	snap->threads[snap->thread_count++] = kept;
	return VMSNAP_OK;
}

/* Those of a program that knows another size of them. */
static int add_converted(struct vmsnap *snap, const void *annotations, size_t count, size_t size,
                         struct vmsnap_error *err)
{
	CLEANUP_FREE struct vmsnap_annotation *ours = calloc(count, sizeof(*ours));
	int rc = ours || !count ? VMSNAP_OK : fail_no_memory(err);
	for (size_t i = 0; !rc && i < count; i++)
		rc = struct_take(&ours[i], sizeof(*ours), (const char *)annotations + i * size, size,
		                 "struct vmsnap_annotation", err);
	return rc ? rc : annotations_add(snap, ours, count, err);
}

VMSNAP_API int vmsnap_builder_add_annotations_sized(struct vmsnap_builder *builder,
                                                    const struct vmsnap_annotation *annotations, size_t count,
                                                    size_t size, struct vmsnap_error *err)
{
	if (!builder || (count && !annotations))
		return fail(err, VMSNAP_ERR_ARGUMENT, "annotations: NULL is given");
	if (!builder->snap)
		return fail(err, VMSNAP_ERR_ARGUMENT, "annotations for a snapshot that is finished");
	if (size != sizeof(*annotations))
		return add_converted(builder->snap, annotations, count, size, err);
	return annotations_add(builder->snap, annotations, count, err);
}

/* The store that its pages go to: one for all. */
static int take_store(struct contents *contents, struct vmsnap_store *store, struct vmsnap_error *err)
{
	if (contents->store)
		return !store || store == contents->store
		               ? VMSNAP_OK
		               : fail(err, VMSNAP_ERR_ARGUMENT, "contents of one snapshot in two stores");
	contents->store = vmsnap_store_ref(store);
	contents->bytes = true;
	return store ? VMSNAP_OK : vmsnap_store_new(&contents->store, err);
}

VMSNAP_API int vmsnap_builder_add_contents(struct vmsnap_builder *builder, struct vmsnap_store *store, uint64_t address,
                                           const void *bytes, size_t len, struct vmsnap_error *err)
{
	int rc = can_add(builder, bytes, "contents", err);
	if (rc)
		return rc;
	struct contents *contents = &builder->snap->contents;
	uint64_t page_size = builder->snap->info.page_size;
	if (page_size > CONTENTS_PAGE_MAX)
		return fail(err, VMSNAP_ERR_ARGUMENT, "contents of pages that are larger than 64 KiB");
	if (len > UINT64_MAX - address)
		return fail(err, VMSNAP_ERR_ARGUMENT, "contents that reach beyond the highest address");
	const struct contents_range *last = contents->range_count ? &contents->ranges[contents->range_count - 1] : NULL;
	rc = check_range(builder->snap, address, address + len, last ? last->start + last->pages * page_size : 0,
	                 "contents", err);
	rc = rc ? rc : take_store(contents, store, err);
	for (size_t done = 0; !rc && done < len; done += page_size) {
		const char *page = (const char *)bytes + done;
		struct page_hash hash = page_hash_of(page, page_size);
		uint32_t number;
		rc = store_put(contents->store, &hash, page, page_size, &number);
		rc = rc ? rc : contents_add(contents, page_size, address + done, number);
		if (rc)
			rc = fail(err, rc, "no room for contents");
	}
	return rc;
}

VMSNAP_API int vmsnap_builder_finish(struct vmsnap_builder *builder, struct vmsnap **out, struct vmsnap_error *err)
{
	if (!builder || !out)
		return fail(err, VMSNAP_ERR_ARGUMENT, "a snapshot needs a builder, and a place to go to");
	if (!builder->snap)
		return fail(err, VMSNAP_ERR_ARGUMENT, "a snapshot that is finished");
	struct work work = { .limit = WORK_UNLIMITED };
	int rc = builder_finish(builder, &work, out);
	return rc ? work_fail(&work, rc, err) : VMSNAP_OK;
}
