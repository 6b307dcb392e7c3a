#include "cow_unnamed_text.h"

#include "cow_groups.h"
#include "error.h"
#include "format_value.h"
#include "program_vma.h"
#include "text_fit.h"
#include "top_names.h"
#include "vma_find.h"

enum place { OWN, HEAP, LIBRARIES, STACKS, ELSEWHERE, PLACES };
static const char *const words[] = {
	[HEAP] = "heap (no names)",
	[LIBRARIES] = "libraries",
	[STACKS] = "stacks",
	[ELSEWHERE] = "elsewhere",
};

/* Of one side's mappings: enum vmsnap_mapping_kind; NULL: not enough memory, or cancelled. */
static uint8_t *kinds_of(const struct vmsnap *snap, struct vmsnap_names *names, struct work *work, int *rc,
                         struct vmsnap_error *err)
{
	uint8_t *kinds = work_array(work, vmsnap_vma_count(snap), sizeof(*kinds), rc);
	if (*rc)
		work_fail(work, *rc, err);
	else
		*rc = vmsnap_mapping_kinds(snap, names, kinds, err);
	return kinds;
}

static int kind_at(const struct vmsnap *snap, const uint8_t *kinds, uint64_t address)
{
	size_t index = vma_find(snap, address);
	const struct vmsnap_vma *vma = vmsnap_vma(snap, index);
	return vma && vma->start <= address ? kinds[index] : VMSNAP_MAPPING_KIND_COUNT;
}

static enum place place_of(int kind)
{
	switch (kind) {
	case VMSNAP_MAPPING_HEAP:
	case VMSNAP_MAPPING_ARENA:
	case VMSNAP_MAPPING_ANONYMOUS:
		return HEAP;
	case VMSNAP_MAPPING_LIBRARY:
	case VMSNAP_MAPPING_FILE:
		return LIBRARIES;
	case VMSNAP_MAPPING_STACK:
	case VMSNAP_MAPPING_THREAD_STACK:
		return STACKS;
	default:
		return ELSEWHERE;
	}
}

/* What the parent's threads left in the child is no heap. */
static enum place place_in(const struct vmsnap_cow *cow, const uint8_t *of_child, const uint8_t *of_parent,
                           const struct vmsnap_cow_range *range)
{
	int left = kind_at(vmsnap_cow_parent(cow), of_parent, range->parent_start);
	int kind = kind_at(vmsnap_cow_child(cow), of_child, range->start);
	return place_of(left == VMSNAP_MAPPING_THREAD_STACK || kind == VMSNAP_MAPPING_KIND_COUNT ? left : kind);
}

static void put_places(struct text *text, const uint64_t bytes[PLACES])
{
	struct fit_line line = fit_line(text, 0, 2);
	bool any = false;
	for (int i = OWN + 1; i < PLACES; i++) {
		if (!bytes[i])
			continue;
		if (any)
			fit_glue(&line, ",");
		else
			fit_words(&line, bytes[OWN] ? "the rest:" : "what was copied:");
		any = true;
		fit_piece(&line, word_size(text->style, bytes[i]).text);
		fit_words(&line, words[i]);
	}
	text_string(text, any ? "\n" : "");
}

int put_cow_unnamed(struct text *text, const struct vmsnap_cow *cow, const struct naming *naming,
                    const struct vmsnap_vma *program, struct vmsnap_error *err)
{
	const struct vmsnap *child = vmsnap_cow_child(cow), *parent = vmsnap_cow_parent(cow);
	struct work *work = &text->work;
	struct vmsnap_cow_range range;
	uint64_t bytes[PLACES] = { 0 };
	int rc = VMSNAP_OK;
	uint8_t *of_child = kinds_of(child, naming->names, work, &rc, err);
	uint8_t *of_parent = rc ? NULL : kinds_of(parent, NULL, work, &rc, err);
	for (size_t i = 0; !rc && !text_failed(text) && !vmsnap_cow_range(cow, i, &range); i++)
		if (verdict_is_lost(range.verdict) && !range.touched)
			bytes[vma_is_programs(child, program, range.vma)
			              ? OWN
			              : place_in(cow, of_child, of_parent, &range)] += range.end - range.start;
	work_free(work, of_child, vmsnap_vma_count(child), sizeof(*of_child));
	work_free(work, of_parent, vmsnap_vma_count(parent), sizeof(*of_parent));
	if (!rc)
		put_places(text, bytes);
	return rc;
}
