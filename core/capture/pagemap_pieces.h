/* pagemap_pieces.h - what was read of one process, by whichever thread, until nobody waits: then runs are
 * made of it. */
#ifndef VMSNAP_PAGEMAP_PIECES_H
#define VMSNAP_PAGEMAP_PIECES_H

#include "pagemap.h"

/* Pages from `first` on: entries as they were read, or some runs of a list of the thread's. */
struct pagemap_piece {
	uint64_t first;          /* page */
	const uint64_t *entries; /* NULL: runs */
	const struct run_list *list;
	size_t run, count; /* the first of the runs; how many runs or entries there are */
};

/* Room for one more.  VMSNAP_ERR_NO_MEMORY. */
int pagemap_pieces_reserve(struct pagemap_pieces *pieces, size_t more);
/* Adds those of another list, which then is empty.  VMSNAP_ERR_NO_MEMORY. */
int pagemap_pieces_move(struct pagemap_pieces *pieces, struct pagemap_pieces *from);
/* In the order of addresses; each page is in one of them at the most. */
void pagemap_pieces_sort(struct pagemap_pieces *pieces);
/* Of sorted ones: the entry of that page, as kept in a run; 0 if it is in none. */
uint64_t pagemap_pieces_entry(const struct pagemap_pieces *pieces, uint64_t page_size, uint64_t page);
/* Makes runs of sorted ones, which are gone then.  VMSNAP_ERR_NO_MEMORY. */
int pagemap_pieces_collect(struct pagemap_pieces *pieces, uint64_t page_size, struct run_list *runs);

#endif
