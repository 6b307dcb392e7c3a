/* touched_text.h - by what a debugger touched pages, in a line. */
#ifndef VMSNAP_TOUCHED_TEXT_H
#define VMSNAP_TOUCHED_TEXT_H

#include "text_fit.h"
#include "touched_by.h"

/* "(breakpoint 2, inferior call and more)" between two marks; nothing if no reason is
 * known.  with_places: "breakpoint 2 at 555555555151". */
void touched_reasons_put(const struct touched_reasons *reasons, struct fit_line *line, const char *open,
                         const char *close, bool with_places);

#endif
