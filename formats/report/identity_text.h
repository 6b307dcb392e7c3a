/* identity_text.h - who a snapshot is of, for people. */
#ifndef VMSNAP_IDENTITY_TEXT_H
#define VMSNAP_IDENTITY_TEXT_H

#include "format_value.h"
#include "text_fit.h"

/* The number of its process, or "?": a core file that is cut before its notes tells of none.  Alone: where no name of
 * the process may stand beside it, "process ?". */
struct word word_process(const struct vmsnap_info *info);
struct word word_process_alone(const struct vmsnap_info *info);

/* "1234 python3, "after-fork", 2026-01-31 12:00:00.000 +0000" */
void print_identity_line(struct text *text, const struct vmsnap *snap);

/* "child 3638 "save +9"": a role, a number, a name, a label.  than: who was told before, if anybody: what is the same
 * is not told again. */
void fit_identity(struct fit_line *line, const char *role, const struct vmsnap *snap, bool by_number,
                  const struct vmsnap *than);

/* "==> a.vms@2: 1234 python3 <==", if the text has a title, and is for people. */
void put_title(struct text *text, const struct vmsnap *snap);

#endif
