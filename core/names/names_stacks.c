#include "names_stacks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "snapshot.h"
#include "sorted.h"

static int by_pointer(const void *a, const void *b)
{
	const struct vmsnap_thread *x = *(const struct vmsnap_thread *const *)a;
	const struct vmsnap_thread *y = *(const struct vmsnap_thread *const *)b;
	return x->stack_pointer < y->stack_pointer ? -1 : x->stack_pointer > y->stack_pointer;
}

/* Private anonymous memory, with a name that a program may have given it. */
static bool may_be_stack(const struct vmsnap_vma *vma)
{
	return !vmsnap_vma_has_file(vma) && !(vma->perms & VMSNAP_PERM_SHARED) &&
	       (!*vma->name || strncmp(vma->name, "[anon:", 6) == 0);
}

static bool is_guard(const struct vmsnap_vma *vma)
{
	return may_be_stack(vma) && !(vma->perms & (VMSNAP_PERM_READ | VMSNAP_PERM_WRITE | VMSNAP_PERM_EXEC));
}

static uint64_t guard_of(const struct vmsnap *snap, uint64_t start)
{
	const struct vmsnap_vma *below = start ? vmsnap_vma_at(snap, start - 1) : NULL;
	return below && below->end == start && is_guard(below) ? below->start : start;
}

static int add(const struct vmsnap *snap, struct stacks *out, struct arena *arena, const struct vmsnap_thread *thread,
               uint64_t start, uint64_t end)
{
	char name[256];
	/* A core file does not tell what threads were called. */
	if (thread->comm && *thread->comm)
		snprintf(name, sizeof(name), "stack of thread %u (%s)", thread->tid, thread->comm);
	else
		snprintf(name, sizeof(name), "stack of thread %u", thread->tid);
	struct stack stack = { start, end, arena_string(arena, name), guard_of(snap, start) };
	if (!stack.name)
		return VMSNAP_ERR_NO_MEMORY;
	out->items[out->count++] = stack;
	return VMSNAP_OK;
}

/* The threads whose pointers lie in one mapping, in order.  Walks the mapping's
 * runs once; each guard region, and the mapping's end, closes a range. */
static int find_in_vma(const struct vmsnap *snap, const struct vmsnap_vma *vma,
                       const struct vmsnap_thread *const *threads, size_t count, struct arena *arena,
                       struct stacks *out)
{
	struct vmsnap_run_iter it;
	struct vmsnap_run run;
	uint64_t start = vma->start;
	size_t next = 0;
	vmsnap_run_iter_init(&it, snap, vma->start, vma->end);
	while (next < count) {
		int rc = vmsnap_run_next(&it, &run);
		if (rc == VMSNAP_OK && !(run.flags & VMSNAP_PAGE_GUARD))
			continue;
		uint64_t end = rc == VMSNAP_OK ? run.start : vma->end;
		size_t first = next;
		while (next < count && threads[next]->stack_pointer < end)
			next++;
		if (next - first == 1 && add(snap, out, arena, threads[first], start, end))
			return VMSNAP_ERR_NO_MEMORY;
		if (rc != VMSNAP_OK)
			break;
		start = run.end;
		while (next < count && threads[next]->stack_pointer < start)
			next++; /* it points into the guard: an overflow about to be found out */
	}
	return VMSNAP_OK;
}

int stacks_find(const struct vmsnap *snap, struct arena *arena, struct stacks *out)
{
	CLEANUP_FREE const struct vmsnap_thread **threads = malloc((snap->thread_count + 1) * sizeof(*threads));
	out->items = malloc((snap->thread_count + 1) * sizeof(*out->items));
	if (!threads || !out->items)
		return VMSNAP_ERR_NO_MEMORY;
	uint32_t main_thread = snap->info.tgid ? snap->info.tgid : snap->info.pid;
	size_t count = 0;
	for (size_t i = 0; i < snap->thread_count; i++)
		if (snap->threads[i].stack_pointer && snap->threads[i].tid != main_thread)
			threads[count++] = &snap->threads[i];
	qsort(threads, count, sizeof(*threads), by_pointer);
	for (size_t i = 0, next; i < count; i = next) {
		const struct vmsnap_vma *vma = vmsnap_vma_at(snap, threads[i]->stack_pointer);
		for (next = i + 1; vma && next < count && threads[next]->stack_pointer < vma->end;)
			next++;
		if (vma && may_be_stack(vma) && find_in_vma(snap, vma, threads + i, next - i, arena, out))
			return VMSNAP_ERR_NO_MEMORY;
	}
	return VMSNAP_OK;
}

static int by_start(const void *a, const void *b)
{
	const struct stack *x = a, *y = b;
	return x->start < y->start ? -1 : x->start > y->start;
}

/* Whether it is in this snapshot what it was in the other: the same mapping, one that may be a stack, and no thread's of
 * ours.  Of another size it was mapped by the child, at an address that the parent, laid out alike, used later, too. */
static bool is_left(const struct vmsnap *snap, const struct vmsnap *parent, const struct stacks *own,
                    const struct stack *stack)
{
	const struct vmsnap_vma *vma = vmsnap_vma_at(snap, stack->start);
	const struct vmsnap_vma *theirs = vmsnap_vma_at(parent, stack->start);
	if (!vma || !theirs || vma->start != theirs->start || vma->end != theirs->end)
		return false;
	const struct stack *next = stacks_from(own, stack->start);
	return may_be_stack(vma) && stack->end <= vma->end && (!next || next->start >= stack->end);
}

int stacks_add_left(const struct vmsnap *snap, const struct vmsnap *parent, struct arena *arena, struct stacks *out)
{
	struct stacks theirs = { 0 };
	int rc = stacks_find(parent, arena, &theirs);
	struct stack *all = rc ? NULL : malloc((out->count + theirs.count + 1) * sizeof(*all));
	size_t count = out->count;
	rc = rc || all ? rc : VMSNAP_ERR_NO_MEMORY;
	for (size_t i = 0; !rc && i < theirs.count; i++) {
		if (!is_left(snap, parent, out, &theirs.items[i]))
			continue;
		all[count] = theirs.items[i];
		all[count].guard = guard_of(snap, all[count].start);
		count++;
	}
	free(theirs.items);
	if (rc)
		return rc;
	if (out->count)
		memcpy(all, out->items, out->count * sizeof(*all));
	qsort(all, count, sizeof(*all), by_start);
	free(out->items);
	*out = (struct stacks){ all, count };
	return VMSNAP_OK;
}

const struct stack *stacks_from(const struct stacks *stacks, uint64_t address)
{
	size_t low = SORTED_ABOVE(struct stack, end, stacks->items, stacks->count, address);
	return low < stacks->count ? &stacks->items[low] : NULL;
}
