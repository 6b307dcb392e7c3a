#include "captured.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"

int captured_order(const struct vmsnap_captured_name *a, const struct vmsnap_captured_name *b)
{
	if (a->address != b->address)
		return a->address < b->address ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->tid != b->tid)
		return a->tid < b->tid ? -1 : 1;
	return a->frame < b->frame ? -1 : a->frame > b->frame;
}

const char **captured_slot(struct captured_slots *slots, const char *string, size_t len)
{
	uint32_t hash = UINT32_C(0x811c9dc5); /* FNV-1a */
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (uint8_t)string[i]) * UINT32_C(0x01000193);
	return &slots->latest[(hash ^ hash >> 16) % CAPTURED_SLOTS];
}

/* ---- adding -------------------------------------------------------------------- */

/* For sorting: what captured_order() leaves open must not depend on how it is done. */
static int whole_order(const void *left, const void *right)
{
	const struct vmsnap_captured_name *a = left, *b = right;
	int order = captured_order(a, b);
	if (!order)
		order = a->size < b->size ? -1 : a->size > b->size;
	if (!order)
		order = strcmp(a->symbol, b->symbol);
	if (!order)
		order = strcmp(a->function, b->function);
	return order ? order : strcmp(a->type, b->type);
}

static const char *keep_string(struct vmsnap *snap, struct captured_slots *slots, const char *string)
{
	size_t len = string ? strlen(string) : 0;
	if (!len)
		return "";
	const char **slot = captured_slot(slots, string, len);
	if (!*slot || strcmp(*slot, string) != 0)
		*slot = arena_copy(&snap->strings, string, len);
	return *slot;
}

static bool keep_strings(struct vmsnap *snap, struct captured_slots *slots, struct vmsnap_captured_name *name)
{
	name->function = keep_string(snap, slots, name->function);
	name->symbol = keep_string(snap, slots, name->symbol);
	name->type = keep_string(snap, slots, name->type);
	return name->function && name->symbol && name->type;
}

static int check_names(const struct vmsnap_captured_name *names, size_t count, struct vmsnap_error *err)
{
	for (size_t i = 0; i < count; i++) {
		const struct vmsnap_captured_name *name = &names[i];
		if (name->kind >= VMSNAP_CAPTURED_KINDS)
			return fail(err, VMSNAP_ERR_ARGUMENT,
			            "name %zu of %zu is of kind %" PRIu32 ": expected 0 to %d", i + 1, count,
			            name->kind, VMSNAP_CAPTURED_KINDS - 1);
		if (name->size > UINT64_MAX - name->address)
			return fail(err, VMSNAP_ERR_ARGUMENT,
			            "name %zu of %zu, %" PRIu64 " bytes at 0x%" PRIx64
			            ", ends above the highest address",
			            i + 1, count, name->size, name->address);
	}
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_add_names(struct vmsnap *snap, const struct vmsnap_captured_name *names, size_t count,
                                struct vmsnap_error *err)
{
	struct captured_slots slots = { 0 };
	int rc = check_names(names, count, err);
	if (rc || !count)
		return rc;
	size_t total = snap->captured_count + count;
	if (total < count || total > SIZE_MAX / sizeof(*names))
		return fail_no_memory(err);
	CLEANUP_FREE struct vmsnap_captured_name *all = malloc(total * sizeof(*all));
	if (!all)
		return fail_no_memory(err);
	if (snap->captured_count)
		memcpy(all, snap->captured, snap->captured_count * sizeof(*all));
	memcpy(all + snap->captured_count, names, count * sizeof(*all));
	for (size_t i = snap->captured_count; i < total; i++)
		if (!keep_strings(snap, &slots, &all[i]))
			return fail_no_memory(err);
	qsort(all, total, sizeof(*all), whole_order);
	free(snap->captured);
	snap->captured = all;
	snap->captured_count = total;
	all = NULL;
	return VMSNAP_OK;
}

VMSNAP_API size_t vmsnap_captured_name_count(const struct vmsnap *snap)
{
	return snap->captured_count;
}

VMSNAP_API const struct vmsnap_captured_name *vmsnap_captured_name(const struct vmsnap *snap, size_t index)
{
	return index < snap->captured_count ? &snap->captured[index] : NULL;
}
