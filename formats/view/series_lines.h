/* series_lines.h - the lines of one process from snapshot to snapshot: which mapping became which, or how much is of
 * which kind, or in which state. */
#ifndef VMSNAP_SERIES_LINES_H
#define VMSNAP_SERIES_LINES_H

#include "vmsnap.h"
#include "work.h"

struct series_lines {
	struct vmsnap_series_line *items; /* those that are there, then those that went */
	size_t count, live, capacity;
};
/* One process, as it was seen last. */
struct series_member {
	struct vmsnap *snap;   /* held; NULL: never */
	struct vmsnap *before; /* held: names of what went are its */
	int relation;
	struct vmsnap_sums sums, sums_before;
	uint32_t *line_of;          /* by mapping: of each VMA of snap, its line */
	struct vmsnap_names *names; /* by kind: of snap; NULL: there are none */
	struct series_lines lines;
};
/* Takes over snap, whatever it gives.  *ids: how many lines were numbered.  What it keeps counts against the limits
 * of the snapshots. */
int series_member_add(struct series_member *member, int by, struct vmsnap *snap,
                      const struct vmsnap_series_options *options, uint64_t *ids, struct vmsnap_error *err);
void series_member_drop(struct series_member *member);

#endif
