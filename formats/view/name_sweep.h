/* name_sweep.h - which names lie on which page: goes over ranges of pages once and
 * stops where a name begins or ends, so that it costs in proportion to names, not to
 * pages, however large the ranges are and however the names overlap. */
#ifndef VMSNAP_NAME_SWEEP_H
#define VMSNAP_NAME_SWEEP_H

#include "top_names.h"
#include "work.h"

struct name_sweep;
/* Neighbouring pages [start, end) with the same names on each, at least one. */
typedef void (*name_sweep_fn)(void *ctx, struct name_sweep *sweep, uint64_t start, uint64_t end);

struct swept {
	struct vmsnap_name name;
	uint64_t start, end; /* the pages that it lies on */
};
/* Indexes of items, the first of some order on top. */
struct swept_heap {
	size_t *indexes;
	size_t count;
	bool (*before)(const struct swept *a, const struct swept *b);
};
struct name_sweep {
	const struct naming *naming;
	uint64_t page_size;
	name_sweep_fn fn;
	void *ctx;
	uint64_t start, end; /* the range that is not swept yet: another may continue it */
	struct swept *items; /* names on it, by start */
	size_t count, room, heap_room;
	struct swept_heap ends; /* names begun and not ended, the first to end on top */
	struct swept_heap best; /* the same by name_order(); some may have ended */
	uint64_t at;
	struct work *work;
	int rc; /* of work */
};

void name_sweep_init(struct name_sweep *sweep, const struct naming *naming, struct work *work, uint64_t page_size,
                     name_sweep_fn fn, void *ctx);
/* Ranges must come in address order.  fn is called in that order too, here or later. */
int name_sweep_add(struct name_sweep *sweep, uint64_t start, uint64_t end, struct vmsnap_error *err);
int name_sweep_finish(struct name_sweep *sweep, struct vmsnap_error *err);
void name_sweep_free(struct name_sweep *sweep);

/* Within fn: the names on these pages. */
void name_sweep_top(struct name_sweep *sweep, struct top_names *top);

#endif
