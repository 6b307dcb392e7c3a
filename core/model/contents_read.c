/* contents_read.c - what a snapshot's pages held, for who asks. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "contents_backed.h"
#include "error.h"
#include "snapshot.h"
#include "sorted.h"

VMSNAP_API const char *vmsnap_contents_name(int contents)
{
	static const char *const names[] = { "none", "hashes", "bytes" };
	return contents >= 0 && contents <= VMSNAP_CONTENTS_BYTES ? names[contents] : NULL;
}

VMSNAP_API int vmsnap_contents_kind(const struct vmsnap *snap)
{
	if (!snap->contents.store && !snap->contents.backed)
		return VMSNAP_CONTENTS_NONE;
	return snap->contents.bytes ? VMSNAP_CONTENTS_BYTES : VMSNAP_CONTENTS_HASHES;
}

VMSNAP_API int vmsnap_contents_range(const struct vmsnap *snap, uint64_t from, uint64_t *start, uint64_t *end)
{
	uint64_t page_size = snap->info.page_size;
	size_t index = contents_find(&snap->contents, page_size, from);
	if (index == snap->contents.range_count)
		return VMSNAP_END;
	const struct contents_range *range = &snap->contents.ranges[index];
	from &= ~(page_size - 1);
	*start = range->start > from ? range->start : from;
	*end = range->start + range->pages * page_size;
	return VMSNAP_OK;
}

VMSNAP_API uint64_t vmsnap_contents_bytes(const struct vmsnap *snap)
{
	return snap->contents.page_count * snap->info.page_size;
}

/* A hole of a core file, which holds zeros as debuggers read it.  *end: up to where that is so, or not so. */
static bool is_hole(const struct vmsnap *snap, uint64_t address, uint64_t *end)
{
	uint64_t dumped;
	int rc = vmsnap_layer_at(snap, VMSNAP_LAYER_DUMPED, address, &dumped, end);
	return !rc && dumped == VMSNAP_DUMPED_HOLE;
}

/* A page that is known to hold zeros without having been read.  Memory without a file that was never
 * touched holds zeros, as mmap(2) says; absent pages may be in swap where that is hidden. */
static bool is_zero(const struct vmsnap *snap, uint64_t address)
{
	struct vmsnap_run page;
	if (snap->info.known.states_unknown)
		return is_hole(snap, address, NULL);
	if (!vmsnap_page_at(snap, address, &page))
		return snap->info.known.zero && (page.flags & VMSNAP_PAGE_ZERO);
	const struct vmsnap_vma *vma = vmsnap_vma_at(snap, address);
	bool file = vma && (vma->inode || vma->dev_major || vma->dev_minor);
	return vma && !file && !(vma->perms & VMSNAP_PERM_SHARED) && vma->perms & VMSNAP_PERM_READ &&
	       (!*vma->name || !strcmp(vma->name, "[heap]") || !strcmp(vma->name, "[stack]") ||
	        !strncmp(vma->name, "[anon:", 6));
}

/* From one page. */
static int read_page(const struct vmsnap *snap, uint64_t address, char *to, size_t len, struct vmsnap_error *err)
{
	uint64_t page_size = snap->info.page_size, start = address & ~(page_size - 1);
	if (snap->contents.backed && contents_has(&snap->contents, page_size, start))
		return contents_read_backed(&snap->contents, contents_find(&snap->contents, page_size, start), address,
		                            to, len, err);
	uint32_t page = contents_page(&snap->contents, page_size, start);
	if (!page && !is_zero(snap, start))
		return VMSNAP_ERR_NOT_FOUND;
	if (!page) {
		memset(to, 0, len);
		return VMSNAP_OK;
	}
	size_t skip = (size_t)(address - start);
	if (!skip)
		return store_read(snap->contents.store, page, to, len, err);
	CLEANUP_FREE char *whole = malloc(skip + len);
	if (!whole)
		return fail_no_memory(err);
	int rc = store_read(snap->contents.store, page, whole, skip + len, err);
	if (!rc)
		memcpy(to, whole + skip, len);
	return rc;
}

VMSNAP_API int vmsnap_contents_read(const struct vmsnap *snap, uint64_t address, void *to, size_t len, size_t *got,
                                    struct vmsnap_error *err)
{
	if (!snap || !got || (len && !to))
		return fail(err, VMSNAP_ERR_ARGUMENT, "contents are read of a snapshot, to some place");
	uint64_t page_size = snap->info.page_size;
	*got = 0;
	if (vmsnap_contents_kind(snap) != VMSNAP_CONTENTS_BYTES)
		return fail(err, VMSNAP_ERR_NOT_FOUND, "the snapshot does not have what its pages hold");
	if (len && len - 1 > UINT64_MAX - address)
		len = (size_t)(UINT64_MAX - address) + 1;
	while (*got < len) {
		uint64_t at = address + *got, left = page_size - (at & (page_size - 1));
		size_t part = len - *got < left ? len - *got : (size_t)left;
		int rc = read_page(snap, at, (char *)to + *got, part, err);
		if (rc == VMSNAP_ERR_NOT_FOUND && *got)
			return VMSNAP_OK;
		if (rc == VMSNAP_ERR_NOT_FOUND)
			return fail(err, rc, "what 0x%" PRIx64 " held is not known", address);
		if (rc)
			return rc;
		*got += part;
	}
	return VMSNAP_OK;
}

static struct page_hash hash_of_zeros(uint64_t page_size)
{
	static const char zeros[CONTENTS_PAGE_MAX];
	return page_hash_of(zeros, page_size);
}

/* Of a page that is in a range, by its start. */
static int hash_in(const struct contents *contents, size_t index, uint64_t page_size, uint64_t address,
                   struct page_hash *hash)
{
	const struct contents_range *range = &contents->ranges[index];
	if (contents->backed)
		return contents_hash_backed(contents, index, page_size, address, hash);
	*hash = store_hash(contents->store, contents->pages[range->first + (address - range->start) / page_size]);
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_contents_hash(const struct vmsnap *snap, uint64_t address, uint8_t *hash)
{
	uint64_t page_size = snap->info.page_size;
	struct page_hash found;
	address &= ~(page_size - 1);
	if (contents_has(&snap->contents, page_size, address)) {
		int rc = hash_in(&snap->contents, contents_find(&snap->contents, page_size, address), page_size,
		                 address, &found);
		if (rc)
			return rc;
	} else if (snap->info.known.states_unknown && page_size <= CONTENTS_PAGE_MAX && is_hole(snap, address, NULL)) {
		found = hash_of_zeros(page_size);
	} else {
		return VMSNAP_ERR_NOT_FOUND;
	}
	page_hash_canonical(&found, hash);
	return VMSNAP_OK;
}

/* ---- two that may have holes --------------------------------------------------------- */

/* Pages of which contents are known in one way: kept, or as zeros. */
struct stretch {
	bool there, hole;
	uint64_t start, end; /* an end of 0 is 2^64 */
	size_t range;        /* of contents, if no hole */
};

/* The first that ends above an address, from there on. */
static struct stretch stretch_at(const struct vmsnap *snap, uint64_t at)
{
	const struct contents *contents = &snap->contents;
	const struct layer *dumped = &snap->layers[VMSNAP_LAYER_DUMPED];
	uint64_t page_size = snap->info.page_size;
	size_t range = contents_find(contents, page_size, at), hole = 0;
	struct stretch found = { .there = range < contents->range_count, .range = range };
	if (found.there) {
		found.start = contents->ranges[range].start;
		found.end = found.start + contents->ranges[range].pages * page_size;
	}
	hole = SORTED_ABOVE(struct vmsnap_layer_range, end, dumped->items, dumped->count, at);
	/* One behind what is there is of no use now. */
	while (hole < dumped->count && dumped->items[hole].value != VMSNAP_DUMPED_HOLE &&
	       !(found.there && dumped->items[hole].start >= found.start))
		hole++;
	if (hole < dumped->count && dumped->items[hole].value == VMSNAP_DUMPED_HOLE &&
	    (!found.there || (dumped->items[hole].start > at ? dumped->items[hole].start : at) < found.start)) {
		uint64_t end = dumped->items[hole].end;
		bool cut = found.there && found.start < end;
		found = (struct stretch){ true, true, dumped->items[hole].start, cut ? found.start : end, 0 };
	}
	found.start = found.start > at ? found.start : at;
	return found;
}

static bool stretches_differ(const struct vmsnap *const *snaps, const struct stretch *in, uint64_t address)
{
	struct page_hash hash[2];
	for (size_t i = 0; i < 2; i++) {
		hash[i] = hash_of_zeros(snaps[i]->info.page_size);
		/* What cannot be read is not the same. */
		if (!in[i].hole &&
		    hash_in(&snaps[i]->contents, in[i].range, snaps[i]->info.page_size, address, &hash[i]))
			return true;
	}
	return hash[0].low != hash[1].low || hash[0].high != hash[1].high;
}

/* As vmsnap_contents_compare(). */
static int compare_with_holes(const struct vmsnap *a, const struct vmsnap *b, uint64_t from, uint64_t *start,
                              uint64_t *end, bool *differ)
{
	const struct vmsnap *const snaps[] = { a, b };
	uint64_t page_size = a->info.page_size;
	struct stretch in[2];
	for (from &= ~(page_size - 1);;) {
		in[0] = stretch_at(a, from);
		in[1] = stretch_at(b, from);
		if (!in[0].there || !in[1].there)
			return VMSNAP_END;
		*start = in[0].start > in[1].start ? in[0].start : in[1].start;
		*end = in[0].end - 1 < in[1].end - 1 ? in[0].end : in[1].end;
		if (*start <= *end - 1)
			break;
		from = *end;
		if (!from)
			return VMSNAP_END;
	}
	*differ = stretches_differ(snaps, in, *start);
	if (in[0].hole && in[1].hole)
		return VMSNAP_OK;
	uint64_t limit = *end;
	for (*end = *start + page_size; *end != limit && stretches_differ(snaps, in, *end) == *differ;)
		*end += page_size;
	return VMSNAP_OK;
}

/* Where a walk through the pages of one snapshot is. */
struct position {
	const struct contents *contents;
	uint64_t page_size;
	size_t range;
};

static struct position position_at(const struct vmsnap *snap, uint64_t from)
{
	return (struct position){ &snap->contents, snap->info.page_size,
		                  contents_find(&snap->contents, snap->info.page_size, from) };
}

/* Where both have pages: [*start, *end), at or above the start of the page of from. */
static bool overlap(struct position *a, struct position *b, uint64_t from, uint64_t *start, uint64_t *end)
{
	uint64_t page_size = a->page_size;
	from &= ~(page_size - 1);
	while (a->range < a->contents->range_count && b->range < b->contents->range_count) {
		const struct contents_range *one = &a->contents->ranges[a->range],
		                            *other = &b->contents->ranges[b->range];
		uint64_t one_end = one->start + one->pages * page_size,
		         other_end = other->start + other->pages * page_size;
		*start = one->start > other->start ? one->start : other->start;
		*start = *start > from ? *start : from;
		/* An end of 0 is 2^64. */
		*end = one_end - 1 < other_end - 1 ? one_end : other_end;
		if (*start - 1 < *end - 1 || (!*start && *end))
			return true;
		if (one_end - 1 < other_end - 1)
			a->range++;
		else
			b->range++;
	}
	return false;
}

static uint32_t page_in(const struct position *position, uint64_t address)
{
	const struct contents_range *range = &position->contents->ranges[position->range];
	return position->contents->pages[range->first + (address - range->start) / position->page_size];
}

/* In one store equal pages have one number. */
static bool differ_at(const struct position *a, const struct position *b, uint64_t address)
{
	uint32_t one = page_in(a, address), other = page_in(b, address);
	if (a->contents->store == b->contents->store)
		return one != other;
	struct page_hash hash = store_hash(a->contents->store, one), against = store_hash(b->contents->store, other);
	return hash.low != against.low || hash.high != against.high;
}

VMSNAP_API int vmsnap_contents_compare(const struct vmsnap *a, const struct vmsnap *b, uint64_t from, uint64_t *start,
                                       uint64_t *end, bool *differ)
{
	uint64_t page_size = a->info.page_size, limit;
	/* Of larger ones no core's are kept, and it is not known what is a hole's. */
	if (page_size != b->info.page_size || page_size > CONTENTS_PAGE_MAX)
		return VMSNAP_END;
	if (a->info.known.states_unknown || b->info.known.states_unknown)
		return compare_with_holes(a, b, from, start, end, differ);
	struct position in_a = position_at(a, from), in_b = position_at(b, from);
	if (!overlap(&in_a, &in_b, from, start, &limit))
		return VMSNAP_END;
	*differ = differ_at(&in_a, &in_b, *start);
	for (*end = *start + page_size; *end != limit && differ_at(&in_a, &in_b, *end) == *differ;)
		*end += page_size;
	return VMSNAP_OK;
}
