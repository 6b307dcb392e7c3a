#include "mapping_groups.h"

#include <string.h>

/* Room that the linker leaves between segments is at most one of its page sizes, 2 MiB as a rule. */
enum { HOLE_PAGES_MAX = 1024 };

static bool has_file(const struct vmsnap_vma *vma)
{
	return vmsnap_vma_has_file(vma);
}

static bool is_nameless(const struct vmsnap_vma *vma)
{
	return !*vma->name && !has_file(vma) && !(vma->perms & VMSNAP_PERM_SHARED);
}

static bool same_file(const struct vmsnap_vma *a, const struct vmsnap_vma *b)
{
	return a->inode == b->inode && a->dev_major == b->dev_major && a->dev_minor == b->dev_minor &&
	       strcmp(a->name, b->name) == 0;
}

/* Whether memory without a name is known to begin something of its own: a thread's stack with its guard, a heap of
 * malloc's with what is reserved for it. */
static bool begins_anew(struct vmsnap_names *names, size_t index, const struct vmsnap_vma *vma,
                        const struct vmsnap_vma *before)
{
	struct vmsnap_name name;
	if (!names || vmsnap_name_of_mapping(names, index, &name))
		return false;
	if (name.kind == VMSNAP_NAME_THREAD_STACK)
		return before->perms & VMSNAP_PERM_READ;
	return name.kind == VMSNAP_NAME_STACK_GUARD ||
	       (name.kind == VMSNAP_NAME_MALLOC_HEAP && vma->perms & VMSNAP_PERM_READ);
}

static bool continues_file(const struct vmsnap *snap, const struct mapping_group *group, const struct vmsnap_vma *next)
{
	const struct vmsnap_vma *file = vmsnap_vma(snap, group->first);
	uint64_t hole = next->start - group->end;
	if (has_file(next))
		return same_file(file, next) && hole / vmsnap_info(snap)->page_size < HOLE_PAGES_MAX;
	const struct vmsnap_vma *before = vmsnap_vma(snap, group->first + group->count - 1);
	/* Its .bss; the guard of a stack that lies there is not. */
	return is_nameless(next) && !hole && has_file(before) && (next->perms & VMSNAP_PERM_READ);
}

static bool continues(const struct vmsnap *snap, struct vmsnap_names *names, const struct mapping_group *group,
                      const struct vmsnap_vma *next)
{
	size_t index = group->first + group->count;
	const struct vmsnap_vma *first = vmsnap_vma(snap, group->first), *before = vmsnap_vma(snap, index - 1);
	if (has_file(first))
		return continues_file(snap, group, next);
	if (next->start != group->end || has_file(next))
		return false;
	if (is_nameless(first))
		return is_nameless(next) && !begins_anew(names, index, next, before);
	return *first->name && strcmp(first->name, next->name) == 0;
}

bool mapping_group_at(const struct vmsnap *snap, struct vmsnap_names *names, size_t first, struct mapping_group *group)
{
	const struct vmsnap_vma *vma = vmsnap_vma(snap, first), *called = vma;
	if (!vma)
		return false;
	*group = (struct mapping_group){ first, 1, first, vma->start, vma->end };
	while ((vma = vmsnap_vma(snap, first + group->count)) && continues(snap, names, group, vma)) {
		/* A stack, not its guard. */
		if (!*called->name && !(called->perms & VMSNAP_PERM_READ) && vma->perms & VMSNAP_PERM_READ) {
			called = vma;
			group->called = first + group->count;
		}
		group->end = vma->end;
		group->count++;
	}
	return true;
}
