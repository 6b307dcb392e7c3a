#include "layer.h"

#include <stdlib.h>

#include "array.h"
#include "error.h"

static bool is_write(const struct vmsnap_annotation *annotation)
{
	return annotation->kind == VMSNAP_ANNOTATION_DEBUGGER_WRITE && annotation->size;
}

/* The bytes of an annotation, made whole pages.  The end of the highest page, 2^64, is
 * written UINT64_MAX. */
static struct vmsnap_layer_range pages_around(const struct vmsnap_annotation *annotation, uint64_t page_size)
{
	uint64_t last = (annotation->address + (annotation->size - 1)) | (page_size - 1);
	return (struct vmsnap_layer_range){ .start = annotation->address & ~(page_size - 1),
		                            .end = last == UINT64_MAX ? last : last + 1,
		                            .value = 1 };
}

static int by_start(const void *left, const void *right, const void *ctx)
{
	const struct vmsnap_layer_range *a = left, *b = right;
	(void)ctx;
	return (a->start > b->start) - (a->start < b->start);
}

int layer_ranges_join(struct vmsnap_layer_range *items, size_t *count, struct work *work)
{
	size_t kept = 0;
	int rc = work_sort(work, items, *count, sizeof(*items), by_start, NULL);
	if (rc)
		return rc;
	for (size_t i = 0; i < *count; i++) {
		struct vmsnap_layer_range *last = kept ? &items[kept - 1] : NULL, next = items[i];
		if (!last || next.start > last->end)
			items[kept++] = next;
		else if (next.end > last->end)
			last->end = next.end;
	}
	*count = kept;
	return VMSNAP_OK;
}

int layer_of_debugger_writes(struct layer *layer, const struct vmsnap_annotation *annotations, size_t count,
                             uint64_t page_size, struct work *work)
{
	size_t writes = 0;
	for (size_t i = 0; i < count; i++)
		writes += is_write(&annotations[i]);
	/* Who annotates tells what it wrote, too. */
	layer->known = count;
	if (!writes)
		return VMSNAP_OK;
	int rc = VMSNAP_OK;
	layer->items = work_array(work, writes, sizeof(*layer->items), &rc);
	layer->room = writes;
	for (size_t i = 0; !rc && i < count; i++)
		if (is_write(&annotations[i]))
			layer->items[layer->count++] = pages_around(&annotations[i], page_size);
	return rc ? rc : layer_ranges_join(layer->items, &layer->count, work);
}

int layer_append(struct layer *layer, uint64_t start, uint64_t end, uint64_t value)
{
	struct vmsnap_layer_range *last = layer->count ? &layer->items[layer->count - 1] : NULL;
	if (last && last->end == start && last->value == value) {
		last->end = end;
		return VMSNAP_OK;
	}
	struct vmsnap_layer_range *items = array_room(layer->items, layer->count, &layer->room, sizeof(*items));
	if (!items)
		return VMSNAP_ERR_NO_MEMORY;
	layer->items = items;
	layer->items[layer->count++] = (struct vmsnap_layer_range){ start, end, value };
	return VMSNAP_OK;
}

void layer_free(struct layer *layer)
{
	free(layer->items);
	*layer = (struct layer){ 0 };
}

VMSNAP_API const char *vmsnap_layer_name(int layer)
{
	static const char *const names[VMSNAP_LAYER_COUNT] = {
		[VMSNAP_LAYER_DEBUGGER_WRITES] = "debugger_writes",
		[VMSNAP_LAYER_WRITTEN] = "written",
		[VMSNAP_LAYER_KPAGE_FLAGS] = "kpage_flags",
		[VMSNAP_LAYER_KPAGE_COUNT] = "kpage_count",
		[VMSNAP_LAYER_NODE] = "node",
		[VMSNAP_LAYER_DUMPED] = "dumped",
	};
	return layer >= 0 && layer < VMSNAP_LAYER_COUNT ? names[layer] : NULL;
}

VMSNAP_API const char *vmsnap_kpage_flag_name(int bit)
{
	static const char *const names[VMSNAP_KPAGE_BITS] = {
		"locked",     "error",         "referenced",    "uptodate",  "dirty",       "lru",       "active",
		"slab",       "writeback",     "reclaim",       "buddy",     "mmap",        "anonymous", "swapcache",
		"swapbacked", "compound_head", "compound_tail", "hugetlb",   "unevictable", "hwpoison",  "nopage",
		"ksm",        "thp",           "offline",       "zero_page", "idle",        "pgtable",
	};
	return bit >= 0 && bit < VMSNAP_KPAGE_BITS ? names[bit] : NULL;
}

VMSNAP_API const char *vmsnap_written_name(int written)
{
	static const char *const names[] = {
		[VMSNAP_WRITTEN_UNKNOWN] = NULL,
		[VMSNAP_WRITTEN_SOFT_DIRTY] = "soft_dirty",
		[VMSNAP_WRITTEN_UFFD] = "uffd",
	};
	return written >= 0 && written <= VMSNAP_WRITTEN_UFFD ? names[written] : NULL;
}

VMSNAP_API const char *vmsnap_page_written_name(int written)
{
	static const char *const names[] = {
		[VMSNAP_PAGE_NOT_WRITTEN] = "no",
		[VMSNAP_PAGE_WAS_WRITTEN] = "yes",
		[VMSNAP_PAGE_MAYBE_WRITTEN] = "maybe",
	};
	return written >= 0 && written <= VMSNAP_PAGE_MAYBE_WRITTEN ? names[written] : NULL;
}

VMSNAP_API const char *vmsnap_page_dumped_name(int dumped)
{
	static const char *const names[] = { NULL, "bytes", "hole", "not", "cut", "listed" };
	return dumped >= 0 && dumped <= VMSNAP_DUMPED_LISTED ? names[dumped] : NULL;
}
