/* show_text.h - what stands above and below the table of mappings. */
#ifndef VMSNAP_SHOW_TEXT_H
#define VMSNAP_SHOW_TEXT_H

#include "filter.h"
#include "text_out.h"

/* Whose memory it is, what of it is told, and what that comes to.  flags: enum vmsnap_print_flag; with
 * VMSNAP_PRINT_LONG also how the snapshot came about. */
void put_show_heading(struct text *text, const struct vmsnap *snap, const struct filter *filter, unsigned flags);
/* The lines of status that are about memory. */
void put_show_status(struct text *text, const struct vmsnap *snap);

#endif
