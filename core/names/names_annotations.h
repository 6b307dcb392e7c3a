/* names_annotations.h - the names that a debugger found, of one snapshot or of several,
 * in the order of addresses and each of them once. */
#ifndef VMSNAP_NAMES_ANNOTATIONS_H
#define VMSNAP_NAMES_ANNOTATIONS_H

#include <stdbool.h>

#include "name_ranges.h"
#include "vmsnap.h"

/* How many names may cover one address: scopes and inlined functions share memory, but
 * not by the hundred.  What a crafted file has beyond is left out, for otherwise each
 * page could have all of its names. */
enum { ANNOTATION_DEPTH_MAX = 256 };

struct annotation_item {
	const struct vmsnap_annotation *name; /* of a snapshot */
	uint64_t end;                         /* a name without a size is one byte long */
	size_t source;                        /* index of the snapshot */
};

struct annotation_names {
	struct annotation_item *items; /* malloc'ed; by address, at one address the widest first */
	size_t count;
	struct name_ranges ranges;
	bool crowded; /* some were left out */
};

/* Of names that several snapshots have, that of the first one is taken: the same
 * variable may be in another frame by then, or a forked thread have another number.
 * What the debugger touched is no name. */
int annotation_collect(struct annotation_names *annotations, const struct vmsnap *const *snaps, size_t count);
void annotation_free(struct annotation_names *annotations);

/* The narrowest name at an address: of those that begin last the shortest.  NULL if
 * there is none. */
const struct vmsnap_annotation *annotation_at(const struct annotation_names *annotations, uint64_t address);
/* Index of the next name, from index `from` on, that reaches beyond start; go on while
 * its address is below the end. */
static inline size_t annotation_next(const struct annotation_names *annotations, size_t from, uint64_t start)
{
	return name_ranges_next(&annotations->ranges, from, start);
}
int annotation_kind(const struct vmsnap_annotation *name); /* enum vmsnap_name_kind */

#endif
