/* options.h - structures that programs give us: how those of older and newer programs are
 * read.  One rule for all of them. */
#ifndef VMSNAP_OPTIONS_H
#define VMSNAP_OPTIONS_H

#include <stddef.h>

#include "vmsnap.h"

/* The first member of such a structure is size_t size, by which a program tells how much of it
 * there is: what an older one does not know is zero here, what a newer one knows beyond must be
 * zero there, for we would ignore what it wants.  No struct has a size in between its members.
 * from may be NULL: all zero.  to->size is to_size then.  what: "struct vmsnap_limits". */
int options_take(void *to, size_t to_size, const void *from, const char *what, struct vmsnap_error *err);

#endif
