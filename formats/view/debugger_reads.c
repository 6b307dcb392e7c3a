#include "debugger_reads.h"

#include "sorted.h"

/* Of a thread, from its innermost frame on. */
enum { STACK_MAX = 1 << 20 };

struct stack {
	uint64_t tid, start, end;
};
struct stacks {
	struct stack *items;
	size_t count;
};
struct bytes {
	uint64_t start, end;
};
struct reads {
	struct bytes *items;
	size_t count, capacity;
};

static int by_tid(const void *x, const void *y, const void *ctx)
{
	const struct stack *a = x, *b = y;
	(void)ctx;
	return (a->tid > b->tid) - (a->tid < b->tid);
}

static int by_start(const void *x, const void *y, const void *ctx)
{
	const struct bytes *a = x, *b = y;
	(void)ctx;
	return (a->start > b->start) - (a->start < b->start);
}

static int add(struct reads *reads, uint64_t start, uint64_t end, uint64_t page_size, struct work *work)
{
	int rc = VMSNAP_OK;
	if (start >= end || !WORK_ROOM(work, reads->items, reads->count, &reads->capacity, &rc))
		return rc;
	reads->items[reads->count++] =
	        (struct bytes){ start / page_size * page_size, (end - 1) / page_size * page_size + (page_size - 1) };
	return rc;
}

static int stacks_of(const struct vmsnap *snap, struct work *work, struct stacks *out)
{
	int rc = VMSNAP_OK;
	out->count = vmsnap_thread_count(snap);
	out->items = work_array(work, out->count, sizeof(*out->items), &rc);
	for (size_t i = 0; !rc && i < out->count; i++) {
		const struct vmsnap_thread *thread = vmsnap_thread(snap, i);
		out->items[i] = (struct stack){ .tid = thread->tid, .start = thread->stack_pointer };
	}
	return rc ? rc : work_sort(work, out->items, out->count, sizeof(*out->items), by_tid, NULL);
}

/* Frames are unwound by what is on the stack: it is read from the innermost on to the outermost of whose variables
 * one was found. */
static void reach(struct stacks *stacks, const struct vmsnap_annotation *variable)
{
	size_t index = SORTED_FROM(struct stack, tid, stacks->items, stacks->count, variable->tid);
	struct stack *stack = index < stacks->count ? &stacks->items[index] : NULL;
	uint64_t end = variable->address + variable->size;
	if (stack && stack->tid == variable->tid && end > stack->end)
		stack->end = end;
}

static int add_stack(struct reads *reads, const struct stack *stack, uint64_t page_size, struct work *work)
{
	bool whole = stack->start && stack->start < stack->end && stack->end - stack->start <= STACK_MAX;
	return stack->end ? add(reads, whole ? stack->start : stack->end - 1, stack->end, page_size, work) : VMSNAP_OK;
}

static int add_reads_of(const struct vmsnap *snap, struct work *work, struct reads *reads)
{
	struct stacks stacks = { 0 };
	uint64_t page_size = vmsnap_info(snap)->page_size;
	int rc = stacks_of(snap, work, &stacks);
	for (size_t i = 0; !rc && i < vmsnap_annotation_count(snap); i++) {
		const struct vmsnap_annotation *name = vmsnap_annotation(snap, i);
		if (name->kind == VMSNAP_ANNOTATION_THREAD_LOCAL)
			rc = add(reads, name->address, name->address + name->size, page_size, work);
		else if (name->kind == VMSNAP_ANNOTATION_LOCAL || name->kind == VMSNAP_ANNOTATION_ARGUMENT)
			reach(&stacks, name);
		rc = rc ? rc : work_step(work);
	}
	for (size_t i = 0; !rc && i < stacks.count; i++)
		rc = add_stack(reads, &stacks.items[i], page_size, work);
	work_free(work, stacks.items, stacks.count, sizeof(*stacks.items));
	return rc;
}

/* In order, and none among each other.  Ends are last bytes: that of the highest page has no end. */
static int join(struct reads *reads, struct work *work)
{
	size_t kept = 0;
	int rc = work_sort(work, reads->items, reads->count, sizeof(*reads->items), by_start, NULL);
	for (size_t i = 0; !rc && i < reads->count; i++) {
		struct bytes *last = kept ? &reads->items[kept - 1] : NULL, next = reads->items[i];
		if (!last || next.start > last->end)
			reads->items[kept++] = next;
		else if (next.end > last->end)
			last->end = next.end;
	}
	reads->count = kept;
	return rc;
}

static void count_range(const struct reads *reads, const struct vmsnap_cow_range *range, uint64_t page_size,
                        struct debugger_reads *out)
{
	uint64_t start = range->base_start, last = start + (range->end - range->start) - 1;
	size_t i = SORTED_FROM(struct bytes, end, reads->items, reads->count, start);
	for (; i < reads->count && reads->items[i].start <= last; i++) {
		const struct bytes *read = &reads->items[i];
		uint64_t from = read->start > start ? read->start : start, to = read->end < last ? read->end : last;
		uint64_t pages = (to - from) / page_size + 1;
		for (uint64_t page = 0; page < pages && out->pages + page < DEBUGGER_READS_SAID; page++)
			out->first[out->pages + page] = range->start + (from - start) + page * page_size;
		out->pages += pages;
	}
}

static void count_all(const struct vmsnap_cow *cow, const struct reads *reads, struct debugger_reads *out)
{
	uint64_t page_size = vmsnap_info(vmsnap_cow_child(cow))->page_size;
	struct vmsnap_cow_range range;
	for (size_t i = 0; reads->count && !vmsnap_cow_range(cow, i, &range); i++)
		if (range.verdict == VMSNAP_VERDICT_COPIED_BY_BOTH)
			count_range(reads, &range, page_size, out);
}

int debugger_reads(const struct vmsnap_cow *cow, struct work *work, struct debugger_reads *out)
{
	const struct vmsnap *looks[] = { vmsnap_cow_base(cow), vmsnap_cow_base_other(cow) };
	struct reads reads = { 0 };
	int rc = VMSNAP_OK;
	*out = (struct debugger_reads){ 0 };
	if (!vmsnap_cow_pages(cow, VMSNAP_VERDICT_COPIED_BY_BOTH))
		return rc;
	for (size_t i = 0; !rc && i < sizeof(looks) / sizeof(*looks); i++)
		rc = looks[i] ? add_reads_of(looks[i], work, &reads) : rc;
	rc = rc ? rc : join(&reads, work);
	if (!rc)
		count_all(cow, &reads, out);
	work_free(work, reads.items, reads.capacity, sizeof(*reads.items));
	return rc;
}
