/* vma_names.h - what the kernel's name of a mapping says of it. */
#ifndef VMSNAP_VMA_NAMES_H
#define VMSNAP_VMA_NAMES_H

#include "snapshot.h"

bool name_begins_with(const char *name, const char *start);
/* Memory that is shared by intention, whatever its file is called: drivers/char/mem.c, mm/shmem.c, ipc/shm.c,
 * mm/memfd.c, fs/hugetlbfs. */
bool vma_names_shared_memory(const struct vmsnap_vma *vma);

#endif
