/* blame_index.h - faults by process and page, and which of those on a page may have made it what it is. */
#ifndef VMSNAP_BLAME_INDEX_H
#define VMSNAP_BLAME_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "blame_heaps.h"
#include "memory_owners.h"
#include "vmsnap.h"
#include "work.h"

/* What a fault made is at .page from then to then. */
struct blame_entry {
	uint64_t page, from, until; /* until: UINT64_MAX: nobody gave it back */
	int32_t pid;                /* whose memory it is */
	uint32_t fault : 31;        /* its number */
	uint32_t maybe : 1;         /* it may be gone */
};
/* What became of memory, of whose it is, and where that ends. */
struct blame_act {
	uint64_t end;
	int32_t pid;
	uint32_t which;
};
struct blame_index {
	const struct vmsnap_faults *faults;
	const struct blame_heap *ends; /* of heaps, as snapshots have them */
	size_t end_count;
	struct memory_owners owners;
	struct blame_heaps heaps;
	struct blame_act *acts; /* by process, time */
	size_t act_count, act_room;
	struct blame_entry *entries; /* by process, page, time */
	size_t count, room;
	uint64_t page;  /* bytes */
	uint64_t until; /* what became of memory later does not matter */
};
/* faults, page, ends, until: are there. */
int blame_index_make(struct blame_index *index, struct work *work);
void blame_index_free(struct blame_index *index, struct work *work);

/* Of which process, from when to when. */
struct blame_whose {
	int32_t pid;
	uint64_t from, to;
};
enum { BLAME_PICKED_MAX = 16 }; /* one is right, and more are a doubt: so many are told at most */
struct blame_picks {
	uint32_t items[BLAME_PICKED_MAX];
	size_t count; /* all of them */
	bool maybe;   /* what they made may be gone */
};
/* Adds the faults on [start, end), which is less than 2^16 pages, that may have done it, in the order of pages and of
 * time. */
void blame_index_pick(const struct blame_index *index, const struct blame_whose *whose, uint64_t start, uint64_t end,
                      int became, struct blame_picks *picks);
/* One page after the other of those that the process has faults on; *at: 0 at first. */
bool blame_index_next_page(const struct blame_index *index, const struct blame_whose *whose, size_t *at,
                           uint64_t *page);
/* Whether there is one at all that wrote, or may have. */
bool blame_index_any_write(const struct blame_index *index, const struct blame_whose *whose, uint64_t start,
                           uint64_t end);

#endif
