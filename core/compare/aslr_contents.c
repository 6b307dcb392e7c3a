#include "aslr_contents.h"

#include <string.h>

#include "sorted.h"

int aslr_contents_init(struct aslr_contents *contents, const struct aslr_side sides[ASLR_SIDES], struct work *work)
{
	const struct vmsnap *a = sides[ASLR_A].snap, *b = sides[ASLR_B].snap;
	int kind_a = vmsnap_contents_kind(a), kind_b = vmsnap_contents_kind(b), rc = VMSNAP_OK;
	*contents = (struct aslr_contents){ .sides = sides, .work = work };
	contents->known = kind_a != VMSNAP_CONTENTS_NONE && kind_b != VMSNAP_CONTENTS_NONE &&
	                  a->info.page_size == b->info.page_size;
	contents->bytes = contents->known && kind_a == VMSNAP_CONTENTS_BYTES && kind_b == VMSNAP_CONTENTS_BYTES;
	for (int side = 0; contents->bytes && side < ASLR_SIDES; side++)
		contents->page[side] = work_array(work, CONTENTS_PAGE_MAX, 1, &rc);
	return rc;
}

void aslr_contents_free(struct aslr_contents *contents)
{
	for (int side = 0; side < ASLR_SIDES; side++) {
		if (contents->page[side])
			work_free(contents->work, contents->page[side], CONTENTS_PAGE_MAX, 1);
		contents->page[side] = NULL;
	}
}

/* Whether both are addresses of one place in two matched mappings. */
static bool same_place(const struct aslr_contents *contents, uint64_t a, uint64_t b)
{
	const struct aslr_side *side = &contents->sides[ASLR_A];
	size_t index = SORTED_ABOVE(struct aslr_item, end, side->items, side->count, a);
	if (index == side->count || side->items[index].start > a || side->items[index].partner == ASLR_NONE)
		return false;
	const struct aslr_item *in_a = &side->items[index];
	const struct aslr_item *in_b = &contents->sides[ASLR_B].items[in_a->partner];
	if (b < in_b->start || b >= in_b->end)
		return false;
	return aslr_from_end(in_a) ? in_a->end - a == in_b->end - b : a - in_a->start == b - in_b->start;
}

static bool only_addresses(const struct aslr_contents *contents, size_t len)
{
	for (size_t at = 0; at < len; at += sizeof(uint64_t)) {
		uint64_t a, b;
		memcpy(&a, contents->page[ASLR_A] + at, sizeof(a));
		memcpy(&b, contents->page[ASLR_B] + at, sizeof(b));
		if (a != b && !same_place(contents, a, b))
			return false;
	}
	return true;
}

static int read_both(const struct aslr_contents *contents, const uint64_t at[ASLR_SIDES], bool *yes,
                     struct vmsnap_error *err)
{
	size_t len = contents->sides[ASLR_A].snap->info.page_size;
	*yes = true;
	for (int side = 0; *yes && side < ASLR_SIDES; side++) {
		size_t got = 0;
		int rc = vmsnap_contents_read(contents->sides[side].snap, at[side], contents->page[side], len, &got,
		                              err);
		if (rc && rc != VMSNAP_ERR_NOT_FOUND)
			return rc;
		*yes = !rc && got == len;
	}
	return VMSNAP_OK;
}

static int compare_page(const struct aslr_contents *contents, const uint64_t at[ASLR_SIDES],
                        struct vmsnap_aslr_contents *out, struct vmsnap_error *err)
{
	uint8_t hash[ASLR_SIDES][VMSNAP_CONTENTS_HASH_SIZE];
	for (int side = 0; side < ASLR_SIDES; side++)
		if (vmsnap_contents_hash(contents->sides[side].snap, at[side], hash[side]))
			return VMSNAP_OK;
	out->compared++;
	if (!memcmp(hash[ASLR_A], hash[ASLR_B], sizeof(hash[ASLR_A]))) {
		out->same++;
		return VMSNAP_OK;
	}
	bool read = false;
	int rc = contents->bytes ? read_both(contents, at, &read, err) : VMSNAP_OK;
	if (!rc && read && only_addresses(contents, contents->sides[ASLR_A].snap->info.page_size))
		out->same_but_addresses++;
	return rc;
}

int aslr_contents_compare(struct aslr_contents *contents, const struct aslr_item *a, const struct aslr_item *b,
                          struct vmsnap_aslr_contents *out, struct vmsnap_error *err)
{
	uint64_t shift = aslr_from_end(a) ? b->end - a->end : b->start - a->start;
	uint64_t page_size = contents->sides[ASLR_A].snap->info.page_size, start, end;
	int rc = VMSNAP_OK;
	for (uint64_t from = a->start; !rc && contents->known && from < a->end; from = end) {
		if (vmsnap_contents_range(contents->sides[ASLR_A].snap, from, &start, &end) || start >= a->end)
			break;
		end = end && end < a->end ? end : a->end;
		for (uint64_t at = start; !rc && at < end; at += page_size) {
			bool inside = at + shift >= b->start && at + shift < b->end;
			const uint64_t places[ASLR_SIDES] = { at, at + shift };
			rc = work_step(contents->work);
			rc = rc       ? work_fail(contents->work, rc, err)
			     : inside ? compare_page(contents, places, out, err)
			              : VMSNAP_OK;
		}
	}
	return rc;
}
