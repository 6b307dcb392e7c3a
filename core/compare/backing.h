/* backing.h - what a mapping shows: a file, a device, plain memory; and whether two show the
 * same.  Pure. */
#ifndef VMSNAP_BACKING_H
#define VMSNAP_BACKING_H

#include "vmsnap.h"

/* Memory without a file: "", [heap], [stack], [anon:…], [vdso], … */
bool vma_is_anonymous(const struct vmsnap_vma *vma);
/* The anonymous memory that programs get and may rename; not [vdso] and such. */
bool vma_is_plain(const struct vmsnap_vma *vma);
/* A private mapping whose absent pages are the page cache of a file. */
bool vma_is_private_file(const struct vmsnap_vma *vma);
/* Whether both map the same thing at the same address.  For any one address this
 * is an equivalence relation, but for those of cores: what is not known of them does not tell them from others. */
bool vma_same_backing(const struct vmsnap_vma *a, const struct vmsnap_vma *b);
/* What is known to differ: bits of enum vmsnap_perm. */
uint32_t vma_perms_differ(const struct vmsnap_vma *a, const struct vmsnap_vma *b);
bool vma_names_differ(const struct vmsnap_vma *a, const struct vmsnap_vma *b);

#endif
