/* print_cow_map.h - the picture of a fork. */
#ifndef VMSNAP_PRINT_COW_MAP_H
#define VMSNAP_PRINT_COW_MAP_H

#include "vmsnap.h"

/* names: of the child; may be NULL. */
int print_cow_map(const struct vmsnap_cow *cow, struct vmsnap_names *names, const struct vmsnap_output *out,
                  struct vmsnap_error *err);

#endif
