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

/* The same for a structure whose size is told beside it. */
int struct_take(void *to, size_t to_size, const void *from, size_t from_size, const char *what,
                struct vmsnap_error *err);
/* Gives a program a structure of ours, of which it knows to_size bytes. */
void struct_give(void *to, size_t to_size, const void *from, size_t from_size);

#endif
