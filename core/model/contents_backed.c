#include "contents_backed.h"

#include <stdlib.h>

#include "backed_pages.h"
#include "error.h"
#include "work.h"

/* ---- making ------------------------------------------------------------------------ */

int contents_back(struct contents *contents, const struct page_source *source)
{
	contents->backed = backed_pages_new(source);
	contents->bytes = true;
	return contents->backed ? VMSNAP_OK : VMSNAP_ERR_NO_MEMORY;
}

int contents_add_backed(struct contents *contents, uint64_t page_size, uint64_t address, uint64_t pages, uint64_t place)
{
	struct contents_range *last = contents->range_count ? &contents->ranges[contents->range_count - 1] : NULL;
	if (last && last->start + last->pages * page_size == address &&
	    backed_pages_place(contents->backed, contents->range_count - 1) + last->pages * page_size == place) {
		last->pages += pages;
		contents->page_count += pages;
		return VMSNAP_OK;
	}
	if (contents->range_count == contents->range_room) {
		size_t room = contents->range_room < 16 ? 16 : contents->range_room + contents->range_room / 2;
		struct contents_range *ranges = realloc(contents->ranges, room * sizeof(*ranges));
		if (!ranges)
			return VMSNAP_ERR_NO_MEMORY;
		contents->ranges = ranges;
		contents->range_room = room;
	}
	int rc = backed_pages_add(contents->backed, place);
	if (rc)
		return rc;
	contents->ranges[contents->range_count++] = (struct contents_range){ address, pages, contents->page_count };
	contents->page_count += pages;
	return VMSNAP_OK;
}

/* ---- asking ------------------------------------------------------------------------ */

static uint64_t place_of(const struct contents *contents, size_t index, uint64_t address)
{
	return backed_pages_place(contents->backed, index) + (address - contents->ranges[index].start);
}

int contents_read_backed(const struct contents *contents, size_t index, uint64_t address, void *to, size_t len,
                         struct vmsnap_error *err)
{
	return backed_pages_read(contents->backed, place_of(contents, index, address), to, len, err);
}

int contents_hash_backed(const struct contents *contents, size_t index, uint64_t page_size, uint64_t address,
                         struct page_hash *hash)
{
	const struct contents_range *range = &contents->ranges[index];
	uint64_t start = address & ~(page_size - 1);
	return backed_pages_hash(contents->backed, range->first + (start - range->start) / page_size,
	                         contents->page_count, place_of(contents, index, start), page_size, hash);
}

/* ---- as numbers in a store ----------------------------------------------------------- */

static int read_on(void *ctx, uint64_t place, void *to, size_t len, struct vmsnap_error *err)
{
	return backed_pages_read(ctx, place, to, len, err);
}

static void let_go(void *ctx)
{
	backed_pages_unref(ctx);
}

static int store_range(const struct contents *from, size_t index, uint64_t page_size, unsigned source,
                       struct work *work, struct contents *to)
{
	const struct contents_range *range = &from->ranges[index];
	int rc = VMSNAP_OK;
	for (uint64_t i = 0; !rc && i < range->pages; i++) {
		uint64_t address = range->start + i * page_size;
		struct page_hash hash;
		uint32_t page;
		rc = work_step(work);
		rc = rc ? rc : contents_hash_backed(from, index, page_size, address, &hash);
		rc = rc ? rc
		        : store_put_place(to->store, &hash, page_size, source, place_of(from, index, address), &page);
		rc = rc ? rc : contents_add(to, page_size, address, page);
	}
	return rc;
}

int contents_store_backed(const struct contents *from, uint64_t page_size, struct work *work, struct contents *to,
                          struct vmsnap_error *err)
{
	const struct page_source source = { read_on, let_go, from->backed };
	unsigned number;
	*to = (struct contents){ .bytes = true };
	int rc = vmsnap_store_new(&to->store, err);
	if (rc)
		return rc;
	backed_pages_ref(from->backed);
	rc = store_add_source(to->store, &source, &number);
	if (rc)
		backed_pages_unref(from->backed);
	for (size_t i = 0; !rc && i < from->range_count; i++)
		rc = store_range(from, i, page_size, number, work, to);
	if (rc) {
		contents_free(to);
		return fail(err, rc, "the contents of the core file could not be read, or there is no room for them");
	}
	contents_trim(to);
	return VMSNAP_OK;
}
