/* pagemap_again.h - pages whose entry does not say what they are: read again while the target stands.
 *
 * The kernel moves pages to other frames at any time (compaction, NUMA balancing), also those of a
 * process that stands.  For microseconds to some milliseconds the entry of such a page is a swap
 * entry of a type that no swap area has.  With frames the type is seen, and the entry is read until
 * the page is back, or for as long as that may take; then the page is there, its frame unknown.
 * Without frames types read 0: how many pages are in swap is known from VmSwap, or, as kernels before
 * 6.17 keep that roughly, from smaps_rollup; if more look swapped than are, they are read again, and in
 * the end all of them are doubtful. */
#ifndef VMSNAP_PAGEMAP_AGAIN_H
#define VMSNAP_PAGEMAP_AGAIN_H

#include "pagemap.h"
#include "procdir.h"

/* Whether such a page is to be read again. */
static inline bool pagemap_unsettled(uint64_t normal, bool frames)
{
	if (frames)
		return (normal & ENTRY_PRESENT) && !(normal & ENTRY_FRAME_MASK);
	return normal & ENTRY_SWAPPED;
}

struct pagemap_again {
	int memory, pagemap; /* the process's directory, and its pagemap; borrowed */
	uint64_t page_size;
	bool frames;          /* known */
	bool live;            /* otherwise nothing changes by waiting */
	uint64_t swap_before; /* pages in swap before the first look, or: */
#define SWAP_UNKNOWN UINT64_MAX
	const atomic_bool *cancel;
	struct watchdog *dog;

	bool replaces; /* what was read again counts, in the place of all unsettled runs: */
	struct run_list runs;
	struct page_marks marks; /* of these; the caller's doing */
};

/* Pages that a file of /proc/PID says are in swap, by a line "KEY  128 kB"; SWAP_UNKNOWN if it does not. */
uint64_t pagemap_swap_told(const struct proc_text *text, const char *key, uint64_t page_size);
/* While the target stands: reads again what is unsettled in `runs`.  Returns 0, ECANCELED or errno. */
int pagemap_read_again(struct pagemap_again *again, const struct run_list *runs);
/* The same of a list of one page, which says nothing of how many others are in swap. */
int pagemap_read_one_again(struct pagemap_again *again, const struct run_list *one);
/* When nobody waits: puts it into the list.  VMSNAP_ERR_NO_MEMORY. */
int pagemap_again_apply(struct pagemap_again *again, const struct pagemap_probe *probe, struct run_list *runs);
void pagemap_again_free(struct pagemap_again *again);

#endif
