/* plain.h - what plain.c and plain_code.c share, and plain_text.c has: the page for browsers that run no scripts. */
#ifndef VMSNAP_HTML_PLAIN_H
#define VMSNAP_HTML_PLAIN_H

#include "report.h"
#include "text_out.h"

/* As text: names come from the target, and nothing they hold becomes markup. */
void plain_put_text(struct text *text, const struct string *string);
void plain_put_string(struct text *text, const struct vmsnap_html *html, uint32_t string);
/* The view by code, if page faults are kept. */
int plain_code(struct text *text, const struct vmsnap_html *html, const struct vmsnap_style *style,
               struct vmsnap_error *err);

#endif
