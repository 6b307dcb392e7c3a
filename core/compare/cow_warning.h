/* cow_warning.h - what makes copy-on-write verdicts doubtful, in one line. */
#ifndef VMSNAP_COW_WARNING_H
#define VMSNAP_COW_WARNING_H

#include "snapshot.h"

/* "" if nothing does.  base may be NULL.  relation: enum vmsnap_relation. */
void cow_warning(const struct vmsnap *parent, const struct vmsnap *child, const struct vmsnap *base, int relation,
                 char *out, size_t size);

#endif
