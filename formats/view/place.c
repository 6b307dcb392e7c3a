#include "place.h"

#include "error.h"
#include "page_state.h"
#include "vma_find.h"

static void find_gap(struct place *place)
{
	size_t low = vma_find(place->snap, place->address);
	const struct vmsnap_vma *next = vmsnap_vma(place->snap, low);
	place->gap_start = low ? vmsnap_vma(place->snap, low - 1)->end : 0;
	place->gap_end = next ? next->start : 0;
}

static void find_place(struct place *place, struct vmsnap_names *names)
{
	place->vma = vmsnap_vma_at(place->snap, place->address);
	place->populated = vmsnap_page_at(place->snap, place->address, &place->page) == VMSNAP_OK;
	if (!place->vma)
		find_gap(place);
	if (!names || !place->vma)
		return;
	place->has_name = vmsnap_name_at(names, place->address, &place->name) == VMSNAP_OK;
	place->has_segment = vmsnap_segment_at(names, place->address, &place->segment) == VMSNAP_OK;
}

static int find_names(struct place *place, struct vmsnap_names *names, struct work *work, struct vmsnap_error *err)
{
	uint64_t page_size = vmsnap_info(place->snap)->page_size;
	place->page_start = place->address - place->address % page_size;
	place->page_end = place->page_start < UINT64_MAX - page_size ? place->page_start + page_size : UINT64_MAX;
	place->naming = naming_of(names, place->snap, NULL, NULL);
	top_names_init(&place->on_page, &place->naming);
	int rc = top_names_add(&place->on_page, place->page_start, place->page_end, err);
	if (rc)
		return rc;
	rc = page_touched_init(&place->touched, place->snap, place->address, work);
	return rc ? work_fail(work, rc, err) : VMSNAP_OK;
}

/* Of shared memory in swap the page table has nothing: what the sums say of its mapping, they say of the page. */
static const char *state_of_absent(const struct place *place)
{
	struct vmsnap_sums sums;
	vmsnap_sum(place->snap, place->page_start, place->page_end, &sums);
	return sums.swapped ? "swapped" : sums.swap_unknown ? "swapped?" : "absent";
}

const char *place_state(const struct place *place)
{
	if (!place->vma && !place->populated)
		return "unmapped";
	if (vmsnap_info(place->snap)->known.states_unknown)
		return NULL;
	return place->populated ? page_state_name(&place->page) : state_of_absent(place);
}

bool place_physical_known(const struct place *place)
{
	return place->populated && (place->page.flags & VMSNAP_PAGE_PRESENT) && vmsnap_info(place->snap)->known.pfn &&
	       place->page.pfn;
}

uint64_t place_physical(const struct place *place)
{
	uint64_t page_size = vmsnap_info(place->snap)->page_size;
	return place->page.pfn * page_size + (place->address & (page_size - 1));
}

int place_contents(const struct place *place)
{
	uint64_t start, end;
	bool kept = !vmsnap_contents_range(place->snap, place->page_start, &start, &end) && start <= place->page_start;
	return kept ? vmsnap_contents_kind(place->snap) : VMSNAP_CONTENTS_NONE;
}

const char *place_dumped(const struct place *place)
{
	uint64_t dumped;
	if (vmsnap_layer_at(place->snap, VMSNAP_LAYER_DUMPED, place->address, &dumped, NULL))
		return NULL;
	return vmsnap_page_dumped_name((int)dumped);
}

const char *place_written(const struct place *place)
{
	bool there = place->populated && (place->page.flags & (VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_SWAPPED));
	if (!there || !vmsnap_info(place->snap)->known.written)
		return NULL;
	return vmsnap_page_written_name(vmsnap_written_at(place->snap, place->address, NULL));
}

bool place_of_file(const struct place *place)
{
	return place->vma && vmsnap_vma_has_file(place->vma);
}

/* Where that cannot be told, the rest is. */
static int find_value(struct place *place, struct vmsnap_names *names, struct vmsnap_error *err)
{
	struct vmsnap_value_options options = { .size = sizeof(options), .names = names };
	struct vmsnap_error why;
	if (!names || vmsnap_contents_kind(place->snap) != VMSNAP_CONTENTS_BYTES)
		return VMSNAP_OK;
	int rc = vmsnap_value_at(place->snap, place->address, &options, &place->value, &why);
	bool matters = rc == VMSNAP_ERR_NO_MEMORY || rc == VMSNAP_ERR_CANCELLED;
	return matters ? fail(err, rc, "%s", why.message) : VMSNAP_OK;
}

int place_init(struct place *place, const struct vmsnap *snap, uint64_t address, struct vmsnap_names *names,
               struct work *work, struct vmsnap_error *err)
{
	*place = (struct place){ .snap = snap, .address = address };
	find_place(place, names);
	int rc = find_names(place, names, work, err);
	return rc ? rc : find_value(place, names, err);
}

void place_free(struct place *place, struct work *work)
{
	page_touched_free(&place->touched, work);
	vmsnap_value_diff_free(place->value);
	place->value = NULL;
}
