/* uffd_tracking.h - a process's memory write-protected by userfaultfd, asynchronously (Linux 6.7): which pages were
 * written since the last look.  One look costs a walk of its page tables, by the kernel itself.
 * Source: Documentation/admin-guide/mm/{userfaultfd,pagemap}.rst. */
#ifndef VMSNAP_UFFD_TRACKING_H
#define VMSNAP_UFFD_TRACKING_H

#include "layer.h"
#include "procdir.h"

struct uffd_range {
	uint64_t start, end;
	bool shared;
	bool writable; /* now */
	bool of_file;  /* private memory of a file: some of its pages may be the page cache's */
	bool tracked;  /* it is registered; else it cannot be, or was not tried yet */
	bool lost;     /* some of it is not, though it was at the last look */
};
struct uffd_ranges {
	struct uffd_range *items; /* in address order */
	size_t count, room;
};

struct uffd_tracking {
	int fd;            /* the userfaultfd */
	int maps, pagemap; /* opened when it was armed first: of that memory, and of none after an execve(2) */
	uint64_t page_size;
	bool armed;    /* there was a look */
	bool leftover; /* what was registered just now had pages that look armed */
	struct proc_text text;
	struct uffd_ranges ranges, next; /* mappings as they were at the last look */
	struct layer shared;             /* pages of shared mappings that were there then */
	struct page_region *regions;
	struct layer last;  /* what the last look found: enum vmsnap_page_written, in the order of addresses */
	struct layer found; /* what all did since uffd_tracking_told(), as it came: uffd_tracking_settle() */
};

/* Whether this kernel has what is needed; err says what is missing. */
int uffd_tracking_exists(struct vmsnap_error *err);
/* Of a descriptor that is new, which is the tracking's from then on, also if this failed. */
int uffd_tracking_init(struct uffd_tracking *tracking, int uffd, int procdir, pid_t pid, struct vmsnap_error *err);
/* Finds what was written since the last look (.last; it is added to .found), and arms all anew; before the first,
 * nothing is known.  Returns 0 or errno; ESRCH: that memory is gone. */
int uffd_tracking_look(struct uffd_tracking *tracking);
/* Puts .found in order, each page once.  Returns 0 or ENOMEM. */
int uffd_tracking_settle(struct uffd_tracking *tracking);
/* What was found is in a snapshot. */
void uffd_tracking_told(struct uffd_tracking *tracking);
/* Whether a page is protected because of us. */
bool uffd_tracking_protects(const struct uffd_tracking *tracking, uint64_t address, uint64_t *end);
void uffd_tracking_free(struct uffd_tracking *tracking);

#endif
