/* program_vma.h - which mappings are the program's own: of its file, and its .bss. */
#ifndef VMSNAP_PROGRAM_VMA_H
#define VMSNAP_PROGRAM_VMA_H

#include "vmsnap.h"

/* A mapping of its file; NULL: not known, or not mapped. */
const struct vmsnap_vma *program_vma(const struct vmsnap *snap);
/* program: NULL has none. */
bool vma_is_programs(const struct vmsnap *snap, const struct vmsnap_vma *program, const struct vmsnap_vma *vma);

#endif
