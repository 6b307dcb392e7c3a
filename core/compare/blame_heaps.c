#include "blame_heaps.h"

#include <string.h>

static uint64_t heap_end(const struct vmsnap *snap)
{
	const struct vmsnap_vma *vma;
	uint64_t end = 0;
	for (size_t i = 0; snap && (vma = vmsnap_vma(snap, i)); i++)
		if (!strcmp(vma->name, "[heap]"))
			end = vma->end;
	return end;
}

struct blame_heap blame_heap_of(const struct vmsnap *snap)
{
	const struct vmsnap_info *info = snap ? vmsnap_info(snap) : NULL;
	uint64_t monotonic = info && info->monotonic > 0 ? (uint64_t)info->monotonic : 0;
	return (struct blame_heap){ .pid = info ? (int32_t)info->tgid : 0, .from = monotonic, .top = heap_end(snap) };
}

static int by_pid(const void *x, const void *y, const void *ctx)
{
	const struct blame_heap *a = x, *b = y;
	(void)ctx;
	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return (a->from > b->from) - (a->from < b->from);
}

/* The last that began by then; NULL: none. */
static struct blame_heap *find(const struct blame_heaps *heaps, int32_t pid, uint64_t time)
{
	size_t low = 0, high = heaps->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct blame_heap *heap = &heaps->items[middle];
		if (heap->pid < pid || (heap->pid == pid && heap->from <= time))
			low = middle + 1;
		else
			high = middle;
	}
	return low && heaps->items[low - 1].pid == pid ? &heaps->items[low - 1] : NULL;
}

uint64_t blame_heap_top(const struct blame_heaps *heaps, int32_t pid, uint64_t time)
{
	const struct blame_heap *heap = find(heaps, pid, time);
	return heap ? heap->top : 0;
}

static void raise_top(const struct blame_heaps *heaps, int32_t pid, uint64_t time, uint64_t top)
{
	struct blame_heap *heap = find(heaps, pid, time);
	if (heap && heap->top < top)
		heap->top = top;
}

static void begin(struct blame_heaps *heaps, int32_t pid, uint64_t from, struct work *work, int *rc)
{
	if (!*rc && WORK_ROOM(work, heaps->items, heaps->count, &heaps->room, rc))
		heaps->items[heaps->count++] = (struct blame_heap){ .pid = pid, .from = from };
}

/* Who executes another program has another heap from then on; a child one of its own, which begins as its parent's. */
static int begin_all(struct blame_heaps *heaps, const struct vmsnap_faults *faults, const struct blame_heap *given,
                     size_t given_count, struct work *work)
{
	const struct vmsnap_fault_event *event;
	int rc = VMSNAP_OK;
	for (size_t i = 0; i < given_count; i++)
		begin(heaps, given[i].pid, 0, work, &rc);
	for (size_t i = 0; !rc && (event = vmsnap_faults_event(faults, i)); i++) {
		bool fork = event->kind == VMSNAP_FAULT_EVENT_FORK;
		begin(heaps, event->pid, 0, work, &rc);
		begin(heaps, fork ? event->child : event->pid, event->time, work, &rc);
		rc = rc ? rc : work_step(work);
	}
	return rc ? rc : work_sort(work, heaps->items, heaps->count, sizeof(*heaps->items), by_pid, NULL);
}

int blame_heaps_make(struct blame_heaps *heaps, const struct vmsnap_faults *faults, const struct memory_owners *owners,
                     const struct blame_heap *given, size_t given_count, struct work *work)
{
	const struct vmsnap_memory_event *memory;
	const struct vmsnap_fault_event *event;
	*heaps = (struct blame_heaps){ .count = 0 };
	int rc = begin_all(heaps, faults, given, given_count, work);
	for (size_t i = 0; !rc && i < given_count; i++)
		raise_top(heaps, given[i].pid, given[i].from, given[i].top);
	for (size_t i = 0; !rc && (memory = vmsnap_faults_memory_event(faults, i)); i++) {
		if (memory->kind == VMSNAP_MEMORY_EVENT_HEAP_END)
			raise_top(heaps, memory_owner_at(owners, memory->pid, memory->time), memory->time,
			          memory->start);
		rc = work_step(work);
	}
	for (size_t i = 0; !rc && (event = vmsnap_faults_event(faults, i)); i++) {
		int32_t parent = memory_owner_at(owners, event->pid, event->time);
		if (event->kind == VMSNAP_FAULT_EVENT_FORK)
			raise_top(heaps, event->child, event->time, blame_heap_top(heaps, parent, event->time));
		rc = work_step(work);
	}
	return rc;
}

void blame_heaps_free(struct blame_heaps *heaps, struct work *work)
{
	work_free(work, heaps->items, heaps->room, sizeof(*heaps->items));
	*heaps = (struct blame_heaps){ .count = 0 };
}
