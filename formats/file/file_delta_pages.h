/* file_delta_pages.h - the pages of one snapshot as what differs from another: runs as both have them, of which
 * those without flags are pages that are not there any more. */
#ifndef VMSNAP_FILE_DELTA_PAGES_H
#define VMSNAP_FILE_DELTA_PAGES_H

#include "builder.h"
#include "work.h"

/* ---- writing ---- */

struct run_difference {
	struct vmsnap_run *items;
	size_t count, room;
};
/* VMSNAP_END: there would be more than `most`. */
int run_difference_make(struct run_difference *out, const struct vmsnap *base, const struct vmsnap *now, size_t most);
void run_difference_free(struct run_difference *difference);

/* ---- reading ---- */

/* `high` over `low`: in the places of its runs they count.  absent: runs without flags stay in the list (they are
 * to be laid over others).  out: empty, or with memory that is used again, and neither of the two; for what is made
 * runs_laid_most() runs are counted. */
int runs_lay_over(const struct run_list *low, const struct run_list *high, uint64_t page_size, bool absent,
                  struct run_list *out, struct work *work);
size_t runs_laid_most(const struct run_list *low, const struct run_list *high);

/* Differences, given from the newest to the oldest, and laid over each other two at a time: each is at least twice as
 * large as the next, so that none is laid over others more often than there are powers of two. */
enum { RUN_LAYERS = 64 };
struct run_layers {
	/* One behind the other, the newest first, and what two become, which is put in their place.  In the end that is
	 * what the snapshot has: memory that is used for the first time costs more than what is done with it. */
	struct run_list all, joined;
	size_t counts[RUN_LAYERS], count;
	uint64_t page_size, charged; /* bytes of `work` */
	struct work *work;
};
/* Before the first one: how many runs they all have, and what they are laid over.  Only a help, which costs nothing
 * until it is used. */
void run_layers_expect(struct run_layers *layers, size_t runs, size_t base);
/* Copies the list, and takes over what it is counted as. */
int run_layers_add(struct run_layers *layers, const struct run_list *older, uint64_t charged);
/* All of them over `base`; *out is counted as runs_laid_most() are, if there are any. */
int run_layers_finish(struct run_layers *layers, const struct run_list *base, struct run_list *out);
void run_layers_free(struct run_layers *layers);

#endif
