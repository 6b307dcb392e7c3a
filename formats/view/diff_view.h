/* diff_view.h - a diff as the picture sees it: every changed page in one class (copied, new,
 * gone, written, other), and sums of them.  The facts, and what they come to, are the diff's. */
#ifndef VMSNAP_DIFF_VIEW_H
#define VMSNAP_DIFF_VIEW_H

#include "page_class.h"
#include "touched_by.h"
#include "vmsnap.h"

/* Frames mean something only until the next boot; what is not known is not another one. */
bool same_boot(const struct vmsnap *a, const struct vmsnap *b);

struct diff_view {
	const struct vmsnap_diff *diff;
	const struct vmsnap *a, *b;
	bool frames;                            /* PFNs of A and B can be compared: "copied" is known */
	bool exclusive;                         /* of A: "shared at A" is known */
	bool shared_more;                       /* there may be more of that: in huge pages */
	struct touched_by touched_a, touched_b; /* empty if no changed page was touched */
};

int diff_view_init(struct diff_view *view, const struct vmsnap_diff *diff, struct work *work);
void diff_view_free(struct diff_view *view, struct work *work);

/* What a range looks like in a picture of B: where memory lies in the place of other memory, as
 * that which is there now.  CLASS_HOLE: nothing happened to its pages, or they are no memory of its own. */
int diff_range_class(const struct vmsnap_diff_range *range);
/* Adds its bytes to each class that it belongs to: new and gone, where other memory lies; CLASS_FILE for what was
 * mapped. */
void diff_range_sums(const struct vmsnap_diff_range *range, uint64_t *classes);
/* Range after range from *index on, where neighbours with the same facts are one. */
bool diff_facts_next(const struct vmsnap_diff *diff, size_t *index, struct vmsnap_diff_range *range);

/* By what a debugger touched the pages of the range, if it did. */
void diff_touched_reasons(const struct diff_view *view, const struct vmsnap_diff_range *range,
                          struct touched_reasons *reasons);
/* How many pages of executable code a debugger wrote to, and with what; reasons may be
 * NULL. */
uint64_t diff_touched_code(const struct diff_view *view, uint32_t changes, struct touched_reasons *reasons);

/* Bytes of A's writable private mappings that were present and shared. */
uint64_t diff_total_shared_at_a(const struct diff_view *view);
/* Bytes from start to end that were present and shared at A: what a write would have copied. */
uint64_t diff_shared_at_a(const struct diff_view *view, uint64_t start, uint64_t end);

/* Index of the first range that ends after address. */
size_t diff_range_find(const struct vmsnap_diff *diff, uint64_t address);

#endif
