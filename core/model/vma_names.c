#include "vma_names.h"

#include <string.h>

bool name_begins_with(const char *name, const char *start)
{
	return strncmp(name, start, strlen(start)) == 0;
}

bool vma_names_shared_memory(const struct vmsnap_vma *vma)
{
	return name_begins_with(vma->name, "/memfd:") || name_begins_with(vma->name, "/SYSV") ||
	       name_begins_with(vma->name, "/dev/shm/") || strcmp(vma->name, "/dev/zero (deleted)") == 0 ||
	       name_begins_with(vma->name, "/anon_hugepage") || name_begins_with(vma->name, "[anon_shmem:");
}
