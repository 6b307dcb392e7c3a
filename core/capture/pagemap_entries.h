/* pagemap_entries.h - the entries of one read of pagemap: made runs of, and looked at for what else
 * has to be asked while the target stands.  Does no I/O, uses no libc (own_mappings.h). */
#ifndef VMSNAP_PAGEMAP_ENTRIES_H
#define VMSNAP_PAGEMAP_ENTRIES_H

#include <stdbool.h>

#include "pagemap.h"

struct entries {
	const uint64_t *items;
	size_t count;
	uint64_t first; /* the page that they begin with */
};

/* Appends runs; what continues the last run of the list joins it, if that has index `floor` or more.
 * Adds to *seen what of enum pagemap_seen is among them.  Returns how many are populated, or -1 without
 * memory. */
int64_t entries_decode(const struct entries *entries, uint64_t page_size, struct run_list *runs, size_t floor,
                       unsigned *seen);

/* Whether runs of them would take more room than they do themselves, and nothing in them has to be
 * looked at twice: then they are kept as they are until nobody waits. */
bool entries_worth_keeping(const struct entries *entries);

/* The next part from page *at on that a huge or the zero page may be in, for PAGEMAP_SCAN to tell;
 * false at the end. */
bool entries_next_question(const struct entries *entries, const struct pagemap_probe *probe, uint64_t page_size,
                           uint64_t *at, struct address_range *out);

#endif
