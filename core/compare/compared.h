/* compared.h - what diff and cow have in common. */
#ifndef VMSNAP_COMPARED_H
#define VMSNAP_COMPARED_H

#include "vmsnap.h"

/* Whether the pages of all these (NULLs are passed over) are of one size. */
int comparable(const struct vmsnap *const *snaps, size_t count, struct vmsnap_error *err);
/* Whether it is known of all these which pages they had: a core file does not tell. */
int states_known(const struct vmsnap *const *snaps, size_t count, struct vmsnap_error *err);

#endif
