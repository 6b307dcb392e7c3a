#define _GNU_SOURCE
#include "pagemap_pieces.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "array.h"
#include "pagemap_entries.h"
#include "sorted.h"

int pagemap_pieces_reserve(struct pagemap_pieces *pieces, size_t more)
{
	struct pagemap_piece *items = array_reserve(pieces->items, pieces->count + more, &pieces->room, sizeof(*items));
	if (!items && pieces->count + more)
		return VMSNAP_ERR_NO_MEMORY;
	pieces->items = items;
	return VMSNAP_OK;
}

int pagemap_pieces_move(struct pagemap_pieces *pieces, struct pagemap_pieces *from)
{
	if (from->count && pagemap_pieces_reserve(pieces, from->count))
		return VMSNAP_ERR_NO_MEMORY;
	for (size_t i = 0; i < from->count; i++)
		pieces->items[pieces->count++] = from->items[i];
	from->count = 0;
	return VMSNAP_OK;
}

static int by_page(const void *left, const void *right)
{
	uint64_t a = ((const struct pagemap_piece *)left)->first, b = ((const struct pagemap_piece *)right)->first;
	return (a > b) - (a < b);
}

void pagemap_pieces_sort(struct pagemap_pieces *pieces)
{
	for (size_t i = 1; i < pieces->count; i++)
		if (pieces->items[i].first < pieces->items[i - 1].first) {
			qsort(pieces->items, pieces->count, sizeof(*pieces->items), by_page);
			return;
		}
}

static uint64_t entry_in_runs(const struct pagemap_piece *piece, uint64_t page_size, uint64_t page)
{
	struct run_list part = { piece->list->items + piece->run, piece->count, piece->count };
	size_t index = run_list_find(&part, page_size, page * page_size);
	const struct run *run = &part.items[index];
	if (index == part.count || run_start(run) > page * page_size)
		return 0;
	return run->entry + (page - run_start(run) / page_size) * entry_step(run->entry);
}

uint64_t pagemap_pieces_entry(const struct pagemap_pieces *pieces, uint64_t page_size, uint64_t page)
{
	size_t after = SORTED_ABOVE(struct pagemap_piece, first, pieces->items, pieces->count, page);
	const struct pagemap_piece *piece = after ? &pieces->items[after - 1] : NULL;
	if (!piece)
		return 0;
	if (!piece->entries)
		return entry_in_runs(piece, page_size, page);
	return page - piece->first < piece->count ? entry_normal(piece->entries[page - piece->first]) : 0;
}

/* ---- runs ---------------------------------------------------------------------------- */

/* What was used gives its whole pages back: with so much memory in both forms there is no need to have
 * all of it twice.  Little stays: who takes the next one would have it back by page faults. */
static void give_back(const void *from, size_t bytes, size_t all)
{
	enum { WORTH_A_CALL = 1 << 16, LITTLE = 8 << 20 };
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), start = ((uintptr_t)from + page - 1) & ~(page - 1);
	uintptr_t end = ((uintptr_t)from + bytes) & ~(page - 1);
	if (all > LITTLE && end > start && end - start >= WORTH_A_CALL)
		(void)madvise((void *)start, end - start, MADV_DONTNEED);
}

/* Runs are as long as they can be, wherever the pieces were cut. */
static int append_runs(const struct pagemap_piece *piece, uint64_t page_size, struct run_list *out, size_t all)
{
	const struct run *from = piece->list->items + piece->run, *end = from + piece->count;
	while (from < end && out->count && run_continues(&out->items[out->count - 1], from, page_size)) {
		if (run_list_append(out, page_size, run_start(from), run_pages(from), from->entry))
			return VMSNAP_ERR_NO_MEMORY;
		from++;
	}
	size_t left = (size_t)(end - from), most = out->count + left;
	if (most > out->capacity && run_list_reserve(out, most + most / 2, false))
		return VMSNAP_ERR_NO_MEMORY;
	if (left)
		memcpy(out->items + out->count, from, left * sizeof(*from));
	out->count = most;
	give_back(piece->list->items + piece->run, piece->count * sizeof(*from), all);
	return VMSNAP_OK;
}

static int append_entries(const struct pagemap_piece *piece, uint64_t page_size, struct run_list *out, size_t all)
{
	struct entries entries = { piece->entries, piece->count, piece->first };
	unsigned seen = 0;
	if (entries_decode(&entries, page_size, out, 0, &seen) < 0)
		return VMSNAP_ERR_NO_MEMORY;
	give_back(piece->entries, piece->count * sizeof(*piece->entries), all);
	return VMSNAP_OK;
}

static size_t piece_bytes(const struct pagemap_piece *piece)
{
	return piece->count * (piece->entries ? sizeof(*piece->entries) : sizeof(struct run));
}

/* No piece is read after its list has been: entries are never more than runs could be.  Of entries that were kept most
 * become a run each; room that is not used costs nothing. */
int pagemap_pieces_collect(struct pagemap_pieces *pieces, uint64_t page_size, struct run_list *runs)
{
	size_t most = runs->count, all = 0;
	for (size_t i = 0; i < pieces->count; i++) {
		most += pieces->items[i].count;
		all += piece_bytes(&pieces->items[i]);
	}
	int rc = run_list_reserve(runs, most, false);
	for (size_t i = 0; !rc && i < pieces->count; i++) {
		const struct pagemap_piece *piece = &pieces->items[i];
		rc = piece->entries ? append_entries(piece, page_size, runs, all)
		                    : append_runs(piece, page_size, runs, all);
	}
	free(pieces->items);
	*pieces = (struct pagemap_pieces){ 0 };
	return rc;
}
