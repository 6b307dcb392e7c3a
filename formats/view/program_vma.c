#include "program_vma.h"

#include <string.h>

const struct vmsnap_vma *program_vma(const struct vmsnap *snap)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	const struct vmsnap_vma *vma = info->start_code ? vmsnap_vma_at(snap, info->start_code) : NULL;
	if (vma && vmsnap_vma_has_file(vma))
		return vma;
	for (size_t i = 0; *info->exe && (vma = vmsnap_vma(snap, i)); i++)
		if (vmsnap_vma_has_file(vma) && strcmp(vma->name, info->exe) == 0)
			return vma;
	return NULL;
}

/* Whether a program's .bss may be in it.  Where addresses are not randomised, as in a debugger, the heap follows at
 * once and the two may be one VMA. */
static bool may_have_bss(const struct vmsnap_vma *vma)
{
	return !vmsnap_vma_has_file(vma) && !(vma->perms & VMSNAP_PERM_SHARED) &&
	       (!*vma->name || strcmp(vma->name, "[heap]") == 0 || strncmp(vma->name, "[anon:", 6) == 0);
}

/* The .bss lies right behind the file, and what of it is not named may be several VMAs. */
bool vma_is_programs(const struct vmsnap *snap, const struct vmsnap_vma *program, const struct vmsnap_vma *vma)
{
	while (vma && vma->start && may_have_bss(vma)) {
		const struct vmsnap_vma *below = vmsnap_vma_at(snap, vma->start - 1);
		if (below && !vmsnap_vma_has_file(below) && *vma->name)
			return false;
		vma = below;
	}
	return program && vma && vma->inode == program->inode && vma->dev_major == program->dev_major &&
	       vma->dev_minor == program->dev_minor;
}
