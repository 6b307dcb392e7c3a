/* layer.h - columns beside the pages: what is known of some of them, each with its own known.
 * The 16-byte run is not widened for what few pages have. */
#ifndef VMSNAP_LAYER_H
#define VMSNAP_LAYER_H

#include "work.h"

/* Pages that something is known of, in address order, with a gap between any two or another value. */
struct layer {
	bool known;
	struct vmsnap_layer_range *items;
	size_t count, room;
};

/* VMSNAP_LAYER_DEBUGGER_WRITES of annotations: whole pages, in address order, with a gap
 * between any two. */
int layer_of_debugger_writes(struct layer *layer, const struct vmsnap_annotation *annotations, size_t count,
                             uint64_t page_size, struct work *work);
/* Adds a range at the end; one with the same value that it continues becomes longer. */
int layer_append(struct layer *layer, uint64_t start, uint64_t end, uint64_t value);
void layer_free(struct layer *layer);

/* Puts ranges of one value in order; those that overlap or follow each other become one. */
int layer_ranges_join(struct vmsnap_layer_range *items, size_t *count, struct work *work);

#endif
