#include "backing.h"

#include <string.h>

#include "snapshot.h"

static bool begins_with(const char *name, const char *prefix)
{
	return !strncmp(name, prefix, strlen(prefix));
}

bool vma_is_anonymous(const struct vmsnap_vma *vma)
{
	/* A SysV segment with id 0 has inode 0, but a name that is a path. */
	return !vma->inode && !vma->dev_major && !vma->dev_minor && vma->name[0] != '/';
}

bool vma_is_plain(const struct vmsnap_vma *vma)
{
	const char *name = vma->name;
	if (!vma_is_anonymous(vma))
		return false;
	/* [stack:TID] was written by Linux 3.4 to 4.4. */
	return !*name || !strcmp(name, "[heap]") || !strcmp(name, "[stack]") || begins_with(name, "[anon:") ||
	       begins_with(name, "[stack:");
}

bool vma_is_private_file(const struct vmsnap_vma *vma)
{
	if ((vma->perms & VMSNAP_PERM_SHARED) || vma_is_anonymous(vma))
		return false;
	/* Anonymous memory that shows a file: a private mapping of /dev/zero, and
	 * MAP_ANONYMOUS | MAP_HUGETLB. */
	return strcmp(vma->name, "/dev/zero") != 0 && !begins_with(vma->name, "/anon_hugepage");
}

bool vma_same_backing(const struct vmsnap_vma *a, const struct vmsnap_vma *b)
{
	const uint32_t nothing = VMSNAP_VMA_UNKNOWN_NAME | VMSNAP_VMA_UNKNOWN_SHARED;
	uint32_t unknown = a->unknown | b->unknown;
	/* Not even whether a file is mapped there. */
	if ((a->unknown & nothing) == nothing || (b->unknown & nothing) == nothing)
		return true;
	if ((a->perms ^ b->perms) & VMSNAP_PERM_SHARED && !(unknown & VMSNAP_VMA_UNKNOWN_SHARED))
		return false;
	bool anonymous_a = vma_is_anonymous(a), anonymous_b = vma_is_anonymous(b);
	if (anonymous_a || anonymous_b) {
		/* Most often, and cheaply. */
		if (anonymous_a && anonymous_b && !strcmp(a->name, b->name))
			return true;
		/* No file is mapped there: that is all that is known. */
		if (unknown & VMSNAP_VMA_UNKNOWN_NAME)
			return anonymous_a && anonymous_b;
		if (vma_is_plain(a) || vma_is_plain(b))
			return vma_is_plain(a) && vma_is_plain(b);
		return false;
	}
	return !vma_file_order(a, b) && a->offset - a->start == b->offset - b->start;
}

uint32_t vma_perms_differ(const struct vmsnap_vma *a, const struct vmsnap_vma *b)
{
	uint32_t unknown = a->unknown | b->unknown, differ = a->perms ^ b->perms;
	if (unknown & VMSNAP_VMA_UNKNOWN_PERMS)
		return 0;
	return unknown & VMSNAP_VMA_UNKNOWN_SHARED ? differ & ~(uint32_t)VMSNAP_PERM_SHARED : differ;
}

bool vma_names_differ(const struct vmsnap_vma *a, const struct vmsnap_vma *b)
{
	return !((a->unknown | b->unknown) & VMSNAP_VMA_UNKNOWN_NAME) && strcmp(a->name, b->name) != 0;
}
