#include "annotation.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "sorted.h"

int annotation_order(const struct vmsnap_annotation *a, const struct vmsnap_annotation *b)
{
	if (a->address != b->address)
		return a->address < b->address ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->tid != b->tid)
		return a->tid < b->tid ? -1 : 1;
	return a->frame < b->frame ? -1 : a->frame > b->frame;
}

const char **annotation_slot(struct annotation_slots *slots, const char *string, size_t len)
{
	uint32_t hash = UINT32_C(0x811c9dc5); /* FNV-1a */
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (uint8_t)string[i]) * UINT32_C(0x01000193);
	return &slots->latest[(hash ^ hash >> 16) % ANNOTATION_SLOTS];
}

/* ---- adding -------------------------------------------------------------------- */

/* For sorting: what annotation_order() leaves open must not depend on how it is done. */
static int whole_order(const void *left, const void *right)
{
	const struct vmsnap_annotation *a = left, *b = right;
	int order = annotation_order(a, b);
	if (!order)
		order = a->size < b->size ? -1 : a->size > b->size;
	if (!order)
		order = strcmp(a->symbol, b->symbol);
	if (!order)
		order = strcmp(a->function, b->function);
	return order ? order : strcmp(a->type, b->type);
}

static const char *keep_string(struct vmsnap *snap, struct annotation_slots *slots, const char *string)
{
	size_t len = string ? strlen(string) : 0;
	if (!len)
		return "";
	const char **slot = annotation_slot(slots, string, len);
	if (!*slot || strcmp(*slot, string) != 0)
		*slot = arena_copy(&snap->strings, string, len);
	return *slot;
}

static bool keep_strings(struct vmsnap *snap, struct annotation_slots *slots, struct vmsnap_annotation *name)
{
	name->function = keep_string(snap, slots, name->function);
	name->symbol = keep_string(snap, slots, name->symbol);
	name->type = keep_string(snap, slots, name->type);
	return name->function && name->symbol && name->type;
}

static int check_names(const struct vmsnap_annotation *names, size_t count, struct vmsnap_error *err)
{
	for (size_t i = 0; i < count; i++) {
		const struct vmsnap_annotation *name = &names[i];
		if (name->kind >= VMSNAP_ANNOTATION_KIND_COUNT)
			return fail(err, VMSNAP_ERR_ARGUMENT,
			            "name %zu of %zu is of kind %" PRIu32 ": expected 0 to %d", i + 1, count,
			            name->kind, VMSNAP_ANNOTATION_KIND_COUNT - 1);
		if (name->size > UINT64_MAX - name->address)
			return fail(err, VMSNAP_ERR_ARGUMENT,
			            "name %zu of %zu, %" PRIu64 " bytes at 0x%" PRIx64
			            ", ends above the highest address",
			            i + 1, count, name->size, name->address);
	}
	return VMSNAP_OK;
}

int annotations_add(struct vmsnap *snap, const struct vmsnap_annotation *names, size_t count, struct vmsnap_error *err)
{
	struct annotation_slots slots = { 0 };
	int rc = check_names(names, count, err);
	if (rc || !count)
		return rc;
	size_t total = snap->annotation_count + count;
	if (total < count || total > SIZE_MAX / sizeof(*names))
		return fail_no_memory(err);
	CLEANUP_FREE struct vmsnap_annotation *all = malloc(total * sizeof(*all));
	if (!all)
		return fail_no_memory(err);
	if (snap->annotation_count)
		memcpy(all, snap->annotations, snap->annotation_count * sizeof(*all));
	memcpy(all + snap->annotation_count, names, count * sizeof(*all));
	for (size_t i = snap->annotation_count; i < total; i++)
		if (!keep_strings(snap, &slots, &all[i]))
			return fail_no_memory(err);
	qsort(all, total, sizeof(*all), whole_order);
	free(snap->annotations);
	snap->annotations = all;
	snap->annotation_count = total;
	all = NULL;
	return VMSNAP_OK;
}

VMSNAP_API size_t vmsnap_annotation_count(const struct vmsnap *snap)
{
	return snap->annotation_count;
}

VMSNAP_API const struct vmsnap_annotation *vmsnap_annotation(const struct vmsnap *snap, size_t index)
{
	return index < snap->annotation_count ? &snap->annotations[index] : NULL;
}

size_t annotation_first_at(const struct vmsnap *snap, uint64_t address)
{
	return SORTED_FROM(struct vmsnap_annotation, address, snap->annotations, snap->annotation_count, address);
}
