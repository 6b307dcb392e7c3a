/* print_page_touched.h - whether a debugger wrote to one page, and by what. */
#ifndef VMSNAP_PRINT_PAGE_TOUCHED_H
#define VMSNAP_PRINT_PAGE_TOUCHED_H

#include "print_touched.h"

struct page_touched {
	struct touched_by by;
	struct touched_reasons reasons;
	bool touched; /* it may be so without a reason that is known */
};
int page_touched_init(struct page_touched *touched, const struct vmsnap *snap, uint64_t address, struct work *work);
void page_touched_free(struct page_touched *touched, struct work *work);
/* "touched": ["breakpoint 2"]; [] if nobody did, as far as is known. */
void json_page_touched(struct json *json, const struct page_touched *touched);

#endif
