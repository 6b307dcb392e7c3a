#include "group_pages.h"

#include <string.h>

/* ---- hugetlb -------------------------------------------------------------------------------- */

/* VmFlags of smaps has "ht"; where smaps was not captured, nothing but the pages tells. */
static bool has_flag(const char *flags, const char *flag)
{
	size_t len = strlen(flag);
	for (const char *at = flags; (at = strstr(at, flag)); at += len)
		if ((at == flags || at[-1] == ' ') && (!at[len] || at[len] == ' '))
			return true;
	return false;
}

/* What of a mapping may be hugetlb pages: of a file, as also those of no name are, and all mapped by a PMD. */
static uint64_t bytes_if_huge(const struct vmsnap *snap, const struct vmsnap_vma *vma)
{
	const uint32_t telling = VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_HUGE;
	struct vmsnap_run_iter it;
	struct vmsnap_run run;
	uint64_t bytes = 0;
	if (!vma_has_file(vma->inode, vma->dev_major, vma->dev_minor))
		return 0;
	vmsnap_run_iter_init(&it, snap, vma->start, vma->end);
	while (!vmsnap_run_next(&it, &run)) {
		if ((run.flags & telling) != telling || run.flags & VMSNAP_PAGE_ZERO)
			return 0;
		bytes += run.end - run.start;
	}
	return bytes;
}

/* Those of a name of their own first, and of others as many as there can be.  told: by HugetlbPages of status. */
static void find_hugetlb(const struct vmsnap *snap, uint64_t told, bool *hugetlb)
{
	static const char anonymous[] = "/anon_hugepage";
	for (int named = 1; named >= 0; named--)
		for (size_t i = 0; i < snap->vma_count && told; i++) {
			const struct vmsnap_vma *vma = &snap->vmas[i];
			uint64_t bytes = hugetlb[i] ? 0 : bytes_if_huge(snap, vma);
			if (!bytes || bytes > told || (named && strncmp(vma->name, anonymous, sizeof(anonymous) - 1)))
				continue;
			hugetlb[i] = true;
			told -= bytes;
		}
}

int counted_pages_of(const struct vmsnap *snap, struct counted_pages *out, struct work *work)
{
	struct vmsnap_status_field field;
	int rc = VMSNAP_OK;
	*out = (struct counted_pages){ .snap = snap };
	uint64_t told = vmsnap_status_find(snap, "HugetlbPages", &field) || !field.is_size ? 0 : field.number;
	if (!told)
		return rc;
	out->hugetlb = work_array(work, snap->vma_count, sizeof(*out->hugetlb), &rc);
	if (rc)
		return rc;
	if (snap->smaps.key_count)
		for (size_t i = 0; i < snap->vma_count; i++)
			out->hugetlb[i] = has_flag(vmsnap_smaps_flags(snap, i), "ht");
	else
		find_hugetlb(snap, told, out->hugetlb);
	return rc;
}

void counted_pages_free(struct counted_pages *counted, struct work *work)
{
	work_free(work, counted->hugetlb, counted->snap->vma_count, sizeof(*counted->hugetlb));
	counted->hugetlb = NULL;
}

/* ---- all ------------------------------------------------------------------------------------ */

/* What a driver put there is of no file, though the mapping is a shared one (or the kernel's own): neither FILE nor
 * EXCLUSIVE is ever set. */
static bool is_special(const struct vmsnap_vma *vma, const struct vmsnap_run *run)
{
	return !(run->flags & (VMSNAP_PAGE_FILE | VMSNAP_PAGE_EXCLUSIVE)) &&
	       (vma->perms & VMSNAP_PERM_SHARED || (*vma->name == '[' && !strncmp(vma->name, "[vvar", 5)));
}

bool is_counted_page(const struct counted_pages *counted, size_t vma, const struct vmsnap_run *run)
{
	if (!(run->flags & VMSNAP_PAGE_PRESENT) || run->flags & VMSNAP_PAGE_ZERO)
		return false;
	return !(counted->hugetlb && counted->hugetlb[vma]) && !is_special(&counted->snap->vmas[vma], run);
}

int memory_of_page(const struct vmsnap_vma *vma, uint32_t flags)
{
	if (!(flags & VMSNAP_PAGE_FILE))
		return VMSNAP_MEMORY_PRIVATE;
	return vma->perms & VMSNAP_PERM_SHARED ? VMSNAP_MEMORY_SHARED : VMSNAP_MEMORY_CACHE;
}
