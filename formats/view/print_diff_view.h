/* print_diff_view.h - a diff as the picture sees it: every changed page in one
 * class (copied, new, gone, other).  Facts come from the diff; what is added here
 * is whether a page that got another frame was shared at A. */
#ifndef VMSNAP_PRINT_DIFF_VIEW_H
#define VMSNAP_PRINT_DIFF_VIEW_H

#include "page_class.h"
#include "touched_by.h"
#include "vmsnap.h"

/* Where the pages of a moved mapping came from: address in A = address + delta. */
struct diff_move {
	uint64_t start, end; /* in B */
	uint64_t delta;      /* modulo 2^64 */
};
struct diff_view {
	const struct vmsnap_diff *diff;
	const struct vmsnap *a, *b;
	bool frames;             /* PFNs of A and B can be compared: "copied" is known */
	bool exclusive;          /* of A: "shared at A" is known */
	struct diff_move *moves; /* by .start */
	size_t move_count;
	struct touched_by touched_a, touched_b; /* empty if no changed page was touched */
};

int diff_view_init(struct diff_view *view, const struct vmsnap_diff *diff, struct work *work);
void diff_view_free(struct diff_view *view, struct work *work);

/* Cuts a range into pieces of one class, in address order:
 *   CLASS_COPIED  another frame, and at A the page was shared (mapped elsewhere
 *                 too, or of the page cache): somebody's copy-on-write
 *   CLASS_NEW     appeared, or the zero page's first write
 *   CLASS_GONE    vanished
 *   CLASS_OTHER   all else: moved to another frame by the kernel, swapped, … */
typedef void (*diff_piece_fn)(void *ctx, uint64_t start, uint64_t end, int page_class);
void diff_pieces(const struct diff_view *view, const struct vmsnap_diff_range *range, diff_piece_fn fn, void *ctx);

/* By what a debugger touched the pages of the range, if it did. */
void diff_touched_reasons(const struct diff_view *view, const struct vmsnap_diff_range *range,
                          struct touched_reasons *reasons);
/* How many pages of executable code a debugger wrote to, and with what; reasons may be
 * NULL. */
uint64_t diff_touched_code(const struct diff_view *view, struct touched_reasons *reasons);

/* The address in A of what is at `address` in B. */
uint64_t diff_address_in_a(const struct diff_view *view, uint64_t address);
/* Bytes of A's writable private mappings that were present and shared. */
uint64_t diff_total_shared_at_a(const struct diff_view *view);
/* Bytes from start to end, of one mapping, that were present and shared at A: what a
 * write would have copied. */
uint64_t diff_shared_at_a(const struct diff_view *view, const struct vmsnap_vma *vma, uint64_t start, uint64_t end);

/* Index of the first range that ends after address. */
size_t diff_range_find(const struct vmsnap_diff *diff, uint64_t address);

#endif
