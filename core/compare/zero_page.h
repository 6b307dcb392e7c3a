/* zero_page.h - whether a page is the shared zero page, where its snapshot does not say so itself: recordings
 * and old kernels do not.  Pure. */
#ifndef VMSNAP_ZERO_PAGE_H
#define VMSNAP_ZERO_PAGE_H

#include "snapshot.h"

enum zero_page { ZERO_NO, ZERO_YES, ZERO_MAYBE };

/* What a snapshot lets know of it. */
struct zero_known {
	bool flagged;   /* its pages have the flag */
	bool exclusive; /* it knows which are exclusive: never the zero page */
	uint64_t pfn;   /* the zero page's frame, where its frames are of that machine and boot; 0: not known */
};
/* That frame is known by any snapshot of the machine, until its next boot. */
struct zero_known zero_known_of(const struct vmsnap *snap, const struct vmsnap *const *snaps, size_t count);

/* plain: memory without a file, privately mapped.  What looks like a file's there is the huge zero page. */
enum zero_page zero_page_of(uint64_t entry, const struct zero_known *known, bool plain);

#endif
