/* group_pages.h - which pages of a process smaps counts as resident: not the zero page, hugetlb pages, and what is no
 * memory of the kernel's to give (device memory, the vvar). */
#ifndef VMSNAP_GROUP_PAGES_H
#define VMSNAP_GROUP_PAGES_H

#include "snapshot.h"
#include "work.h"

struct counted_pages {
	const struct vmsnap *snap;
	bool *hugetlb; /* of each mapping; NULL: none is */
};
int counted_pages_of(const struct vmsnap *snap, struct counted_pages *out, struct work *work);
void counted_pages_free(struct counted_pages *counted, struct work *work);
/* Whether a run of one of its mappings is counted. */
bool is_counted_page(const struct counted_pages *counted, size_t vma, const struct vmsnap_run *run);
/* enum vmsnap_memory */
int memory_of_page(const struct vmsnap_vma *vma, uint32_t flags);

#endif
