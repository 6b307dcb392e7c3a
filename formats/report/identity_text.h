/* identity_text.h - who a snapshot is of, for people. */
#ifndef VMSNAP_IDENTITY_TEXT_H
#define VMSNAP_IDENTITY_TEXT_H

#include "text_out.h"

/* "1234 python3, "after-fork", 2026-01-31 12:00:00.000 +0000" */
void print_identity_line(struct text *text, const struct vmsnap *snap);

/* "==> a.vms@2: 1234 python3 <==", if the text has a title, and is for people. */
void put_title(struct text *text, const struct vmsnap *snap);

#endif
