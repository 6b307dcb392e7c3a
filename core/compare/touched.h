/* touched.h - the pages that a debugger wrote to, as it told when snapshots were
 * taken (VMSNAP_ANNOTATION_DEBUGGER_WRITE).  Knows pages; not by what they were touched. */
#ifndef VMSNAP_TOUCHED_H
#define VMSNAP_TOUCHED_H

#include "snapshot.h"
#include "work.h"

/* In address order, with a gap between any two. */
struct touched_list {
	struct vmsnap_layer_range *items;
	size_t count, room;
};

/* What any of the snapshots, which have pages of one size, says was touched. */
int touched_pages(const struct vmsnap *const *snaps, size_t sides, struct work *work, struct touched_list *out);
void touched_free(struct touched_list *list, struct work *work);

/* Whether the page at `at` was touched.  Lowers *until to where that changes. */
bool touched_at(const struct touched_list *list, uint64_t at, uint64_t *until);

#endif
