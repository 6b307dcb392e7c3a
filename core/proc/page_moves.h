/* page_moves.h - what the kernel does to frames by itself, machine-wide, as a number that only
 * counts up (base/moves_count.h). */
#ifndef VMSNAP_PAGE_MOVES_H
#define VMSNAP_PAGE_MOVES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* While it stays the same, no page got another frame but by a write: none was migrated, read from
 * swap, put into a huge page, or parted from those that KSM had merged it with.  What is being moved by
 * compaction is counted as it begins, for by the kernel's own count of it pages are where they go some
 * time before they are counted.  0: it cannot be known.  Some 20 us. */
uint64_t page_moves_now(void);
/* The same of the text of /proc/vmstat. */
uint64_t page_moves_of(const char *text, size_t len);

/* How often KSM merges pages is not counted: whether it has any merged pages now, of whomever. */
bool page_merges_anywhere(void);
/* Whether it has looked at pages of this process, or may.  True as well if nobody knows. */
bool page_merges_of_process(int procdir);
/* The same of the text of /proc/PID/ksm_stat. */
bool page_merges_of(const char *text, size_t len);

#endif
