/* page_moves.h - what the kernel does to frames by itself, machine-wide, as a number that only
 * counts up. */
#ifndef VMSNAP_PAGE_MOVES_H
#define VMSNAP_PAGE_MOVES_H

#include <stddef.h>
#include <stdint.h>

/* While it stays the same, no page got another frame but by a write: none was migrated, read from
 * swap or put into a huge page.  0: it cannot be known, as where KSM has merged pages.  Some 20 us. */
uint64_t page_moves_now(void);
/* The same of the text of /proc/vmstat. */
uint64_t page_moves_of(const char *text, size_t len);

#endif
