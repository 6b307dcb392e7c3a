#include "mapping_groups.h"

#include <string.h>

/* Room that the linker leaves between segments is at most one of its page sizes, 2 MiB as a rule. */
enum { HOLE_PAGES_MAX = 1024 };
/* The guard of a thread's stack is a page, of 64 KiB at most, as a rule. */
enum { GUARD_BYTES_MAX = 64 << 10 };

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

/* What memory without a name is known to be; VMSNAP_NAME_MAPPING: nothing that is kept apart. */
static int kind_of(struct vmsnap_names *names, size_t index)
{
	struct vmsnap_name name;
	return names && !vmsnap_name_of_mapping(names, index, &name) ? name.kind : VMSNAP_NAME_MAPPING;
}

/* As it looks: what no thread of this process runs on has no name, as in a child the stacks of the parent's other
 * threads. */
static bool looks_like_guard(const struct vmsnap_vma *vma, const struct vmsnap_vma *next)
{
	return next && is_nameless(vma) && is_nameless(next) && !vma->perms &&
	       vma->end - vma->start <= GUARD_BYTES_MAX && vma->end == next->start && (next->perms & VMSNAP_PERM_WRITE);
}

/* Whether memory without a name begins something of its own, or what lies before it has ended: a thread's stack with
 * its guard, a heap of malloc's with what is reserved for it. */
static bool begins_anew(const struct vmsnap *snap, struct vmsnap_names *names, size_t index)
{
	const struct vmsnap_vma *vma = vmsnap_vma(snap, index), *before = vmsnap_vma(snap, index - 1);
	int kind = kind_of(names, index), kind_before = kind_of(names, index - 1);
	if (kind == VMSNAP_NAME_THREAD_STACK)
		return before->perms & VMSNAP_PERM_READ;
	if (kind == VMSNAP_NAME_MALLOC_HEAP)
		return (vma->perms & VMSNAP_PERM_READ) || kind_before != kind;
	if (kind == VMSNAP_NAME_STACK_GUARD || kind_before == VMSNAP_NAME_THREAD_STACK ||
	    kind_before == VMSNAP_NAME_MALLOC_HEAP)
		return true;
	return looks_like_guard(vma, vmsnap_vma(snap, index + 1)) ||
	       (index > 1 && looks_like_guard(vmsnap_vma(snap, index - 2), before));
}

/* As a program or a library is mapped: some of it executable, and what ends it private and written to.  Anything
 * may lie right behind another file, as the kernel puts a new mapping right below the last. */
static bool may_have_bss(const struct vmsnap *snap, const struct mapping_group *group)
{
	const struct vmsnap_vma *last = vmsnap_vma(snap, group->first + group->count - 1);
	uint32_t perms = 0;
	for (size_t i = group->first; i < group->first + group->count; i++)
		perms |= vmsnap_vma(snap, i)->perms;
	return has_file(last) && (perms & VMSNAP_PERM_EXEC) && (last->perms & VMSNAP_PERM_WRITE) &&
	       !(last->perms & VMSNAP_PERM_SHARED);
}

static bool continues_file(const struct vmsnap *snap, struct vmsnap_names *names, const struct mapping_group *group,
                           const struct vmsnap_vma *next)
{
	size_t index = group->first + group->count;
	const struct vmsnap_vma *file = vmsnap_vma(snap, group->first);
	uint64_t hole = next->start - group->end;
	if (has_file(next))
		return same_file(file, next) && hole / vmsnap_info(snap)->page_size < HOLE_PAGES_MAX;
	/* Its .bss; a stack or a heap that lies there is not. */
	return is_nameless(next) && !hole && (next->perms & VMSNAP_PERM_READ) && may_have_bss(snap, group) &&
	       kind_of(names, index) == VMSNAP_NAME_MAPPING;
}

static bool continues(const struct vmsnap *snap, struct vmsnap_names *names, const struct mapping_group *group,
                      const struct vmsnap_vma *next)
{
	size_t index = group->first + group->count;
	const struct vmsnap_vma *first = vmsnap_vma(snap, group->first);
	if (has_file(first))
		return continues_file(snap, names, group, next);
	if (next->start != group->end || has_file(next))
		return false;
	if (is_nameless(first))
		return is_nameless(next) && !begins_anew(snap, names, index);
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
