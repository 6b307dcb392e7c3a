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
 * to be laid over others).  For what is made runs_laid_most() runs are counted. */
int runs_lay_over(const struct run_list *low, const struct run_list *high, uint64_t page_size, bool absent,
                  struct run_list *out, struct work *work);
size_t runs_laid_most(const struct run_list *low, const struct run_list *high);

/* Differences, given from the newest to the oldest, made one.  Each is larger than the next: so that none is
 * laid over others more often than there are powers of two. */
enum { RUN_LAYERS = 64 };
struct run_layer {
	struct run_list runs;
	uint64_t charged; /* bytes, of `work` */
};
struct run_layers {
	struct run_layer items[RUN_LAYERS];
	size_t count;
	uint64_t page_size;
	struct work *work;
};
/* Takes over the list. */
int run_layers_add(struct run_layers *layers, struct run_list *older, uint64_t charged);
/* All of them as one, items[0]. */
int run_layers_finish(struct run_layers *layers);
void run_layers_free(struct run_layers *layers);

#endif
