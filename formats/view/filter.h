/* filter.h - struct vmsnap_filter, read: which mappings and pages are shown. */
#ifndef VMSNAP_FILTER_H
#define VMSNAP_FILTER_H

#include "vmsnap.h"
#include "work.h"

struct filter {
	struct vmsnap_filter given;
	bool any;                         /* something may be left out */
	uint32_t perms, without_perms;    /* enum vmsnap_perm: all of these, none of those */
	uint32_t flags, without_flags;    /* enum vmsnap_page_flag, likewise */
	uint32_t unsure, sure;            /* of which it is not known whether pages are so; of which it is */
	bool frames;                      /* only what lies in these: */
	uint64_t first_frame, last_frame; /* the last one included */
	uint64_t start, end;              /* whole pages; 0 and UINT64_MAX: all */
	struct vmsnap_known known;        /* of the snapshot that it fits */
	/* Bytes that are left out only because it is not known whether they are what is wanted, and what is
	 * not known of them: see filter_count_unknown(). */
	uint64_t unknown;
	uint32_t unknown_of; /* enum vmsnap_page_flag, FILTER_FRAME */
};
/* What is not known of a page may be its frame, too. */
#define FILTER_FRAME (1u << 31)

/* given NULL: all.  Holds given's strings as long as it is used. */
int filter_init(struct filter *filter, const struct vmsnap_filter *given, struct vmsnap_error *err);
/* To be asked before it is used on a snapshot: whether that knows what the filter asks. */
int filter_fit(struct filter *filter, const struct vmsnap *snap, struct vmsnap_error *err);
/* Whether it chooses pages by what they are, and not only by where they lie. */
static inline bool filter_has_states(const struct filter *filter)
{
	return filter->flags || filter->without_flags || filter->unsure || filter->sure || filter->frames;
}
/* Whether it tells of the mapping as a whole, not of pages of it. */
static inline bool filter_takes_whole(const struct filter *filter, const struct vmsnap_vma *vma)
{
	return !filter_has_states(filter) && filter->start <= vma->start && vma->end <= filter->end;
}

/* vma NULL: what is not mapped. */
bool filter_takes_vma(const struct filter *filter, const struct vmsnap_vma *vma);
/* Cuts the run, which lies in one mapping, down to the pages that are wanted; false: none is. */
bool filter_cut_run(const struct filter *filter, uint64_t page_size, struct vmsnap_run *run);
/* The next pages of one mapping that are wanted; false: none is left. */
bool filter_next(const struct filter *filter, struct vmsnap_run_iter *it, struct vmsnap_run *run);
/* vmsnap_sum() of what is wanted of a mapping that is taken, whose size is told as it is; false:
 * pages are chosen by what they are, and it has none of them. */
bool filter_sum(const struct filter *filter, const struct vmsnap *snap, const struct vmsnap_vma *vma,
                struct vmsnap_sums *sums);
/* Finds out what is left out of [start, end) as it is not known to be wanted.  A look at every page, which
 * a filter that does not choose by states spares. */
int filter_count_unknown(struct filter *filter, const struct vmsnap *snap, uint64_t start, uint64_t end,
                         struct work *work);

#endif
