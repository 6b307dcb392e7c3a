/* names_captured.h - the names that a debugger found, of one snapshot or of several,
 * in the order of addresses and each of them once. */
#ifndef VMSNAP_NAMES_CAPTURED_H
#define VMSNAP_NAMES_CAPTURED_H

#include <stdbool.h>

#include "names_spans.h"
#include "vmsnap.h"

/* How many names may cover one address: scopes and inlined functions share memory, but
 * not by the hundred.  What a crafted file has beyond is left out, for otherwise each
 * page could have all of its names. */
enum { CAPTURED_DEPTH_MAX = 256 };

struct captured_item {
	const struct vmsnap_captured_name *name; /* of a snapshot */
	uint64_t end;                            /* a name without a size is one byte long */
	size_t source;                           /* index of the snapshot */
};

struct captured {
	struct captured_item *items; /* malloc'ed; by address, at one address the widest first */
	size_t count;
	struct spans spans;
	bool crowded; /* some were left out */
};

/* Of names that several snapshots have, that of the first one is taken: the same
 * variable may be in another frame by then, or a forked thread have another number.
 * What the debugger touched is no name. */
int captured_collect(struct captured *captured, const struct vmsnap *const *snaps, size_t count);
void captured_free(struct captured *captured);

/* The narrowest name at an address: of those that begin last the shortest.  NULL if
 * there is none. */
const struct vmsnap_captured_name *captured_at(const struct captured *captured, uint64_t address);
/* Index of the next name, from index `from` on, that reaches beyond start; go on while
 * its address is below the end. */
static inline size_t captured_next(const struct captured *captured, size_t from, uint64_t start)
{
	return spans_next(&captured->spans, from, start);
}
int captured_kind(const struct vmsnap_captured_name *name); /* enum vmsnap_name_kind */

#endif
