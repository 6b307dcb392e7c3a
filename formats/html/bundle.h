/* bundle.h - the page without data: HTML, style and script, as formats/report_html has them. */
#ifndef VMSNAP_HTML_BUNDLE_H
#define VMSNAP_HTML_BUNDLE_H

#include <stddef.h>

/* Between the parts come what is for browsers without scripts, the head, the tracks, the frames, and what pages held. */
enum { BUNDLE_PARTS = 6 };
const char *bundle_part(int part, size_t *len);

#endif
