/* blame_index.h - faults by process and page, and which of those on a page may have made it what it is. */
#ifndef VMSNAP_BLAME_INDEX_H
#define VMSNAP_BLAME_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmsnap.h"
#include "work.h"

struct blame_index {
	const struct vmsnap_faults *faults;
	uint32_t *order; /* of faults: by process, address, time */
	size_t count;
	uint64_t page; /* bytes */
};
int blame_index_make(struct blame_index *index, const struct vmsnap_faults *faults, uint64_t page, struct work *work);
void blame_index_free(struct blame_index *index, struct work *work);

/* Of which process, from when to when. */
struct blame_whose {
	int32_t pid;
	uint64_t from, to;
};
/* Faults on [start, end), which is less than 2^16 pages: at most `room` of those that may have done it are written to
 * `picked`, in the order of time, and all are counted. */
size_t blame_index_pick(const struct blame_index *index, const struct blame_whose *whose, uint64_t start, uint64_t end,
                        int became, uint32_t *picked, size_t room);
/* Whether there is one at all that wrote, or may have. */
bool blame_index_any_write(const struct blame_index *index, const struct blame_whose *whose, uint64_t start,
                           uint64_t end);

#endif
