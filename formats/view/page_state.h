/* page_state.h - how the state of a page is called, and what of it is seen in a picture. */
#ifndef VMSNAP_PAGE_STATE_H
#define VMSNAP_PAGE_STATE_H

#include "vmsnap.h"

/* "present", "swapped", "swapped?", "guard", "marker"; with flags 0 "absent" */
const char *page_state_name(const struct vmsnap_run *page);
/* Bytes of pages whose states could not be read. */
uint64_t pages_unread(const struct vmsnap *snap);
/* The class of a page in which nothing happened: enum page_class. */
int page_quiet_class(const struct vmsnap *snap, const struct vmsnap_run *page);

/* Ranges of pages of one such class, as far as something is known of them: by their states, or by what a core file has
 * of them. */
struct page_range {
	uint64_t start, end;
	int page_class;
};
struct page_classes {
	const struct vmsnap *snap;
	struct vmsnap_run_iter runs;
	bool dumped;
	uint64_t at, end;
};
void page_classes_init(struct page_classes *it, const struct vmsnap *snap, uint64_t start, uint64_t end);
bool page_classes_next(struct page_classes *it, struct page_range *out);

/* Flags in the order in which they are told: 1 << what page_flag_name() is asked for. */
uint32_t page_flag_bits(uint32_t flags);
const char *page_flag_name(int bit);
/* The same of a page, and those that may be set: EXCLUSIVE, where that cannot be told. */
struct page_flags {
	uint32_t bits, unknown;
};
struct page_flags page_flags_told(const struct vmsnap *snap, const struct vmsnap_run *page);

static inline uint64_t pages_of(const struct vmsnap *snap, uint64_t bytes)
{
	return bytes / vmsnap_info(snap)->page_size;
}

#endif
