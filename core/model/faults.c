#include "faults.h"

#include <stdlib.h>

#include "error.h"
#include "sorted.h"

struct vmsnap_faults *faults_new(void)
{
	struct vmsnap_faults *faults = calloc(1, sizeof(*faults));
	if (!faults)
		return NULL;
	atomic_init(&faults->holders, 1);
	faults->self = faults;
	return faults;
}

static void faults_free(struct vmsnap_faults *faults)
{
	free(faults->items);
	free(faults->stacks);
	free(faults->frames);
	free(faults->objects);
	free(faults->code);
	free(faults->threads);
	free(faults->syscalls);
	free(faults->events);
	free(faults->memory_events);
	arena_free(&faults->strings);
	free(faults);
}

VMSNAP_API struct vmsnap_faults *vmsnap_faults_ref(const struct vmsnap_faults *faults)
{
	if (!faults)
		return NULL;
	atomic_fetch_add_explicit(&faults->self->holders, 1, memory_order_relaxed);
	return faults->self;
}

VMSNAP_API void vmsnap_faults_unref(const struct vmsnap_faults *faults)
{
	if (faults && atomic_fetch_sub_explicit(&faults->self->holders, 1, memory_order_acq_rel) == 1)
		faults_free(faults->self);
}

void faults_count(struct vmsnap_faults *faults)
{
	struct vmsnap_faults_info *info = &faults->info;
	info->count = faults->count;
	info->stacks = faults->stack_count;
	info->memory = sizeof(*faults) + faults->strings.total + faults->count * sizeof(*faults->items) +
	               faults->stack_count * sizeof(*faults->stacks) + faults->frame_count * sizeof(*faults->frames) +
	               faults->object_count * sizeof(*faults->objects) + faults->code_count * sizeof(*faults->code) +
	               faults->thread_count * sizeof(*faults->threads) +
	               faults->syscall_count * sizeof(*faults->syscalls) +
	               faults->event_count * sizeof(*faults->events) +
	               faults->memory_event_count * sizeof(*faults->memory_events);
}

/* ---- orders ----------------------------------------------------------------- */

int fault_code_order(const void *a, const void *b, const void *ctx)
{
	(void)ctx;
	const struct vmsnap_fault_code *left = a, *right = b;
	if (left->address != right->address)
		return left->address < right->address ? -1 : 1;
	return left->pid < right->pid ? -1 : left->pid > right->pid;
}

int fault_thread_order(const void *a, const void *b, const void *ctx)
{
	(void)ctx;
	const struct vmsnap_fault_thread *left = a, *right = b;
	if (left->pid != right->pid)
		return left->pid < right->pid ? -1 : 1;
	return left->tid < right->tid ? -1 : left->tid > right->tid;
}

int fault_syscall_order(const void *a, const void *b, const void *ctx)
{
	(void)ctx;
	const struct fault_syscall *left = a, *right = b;
	return left->number < right->number ? -1 : left->number > right->number;
}

/* bsearch() of an order with a context. */
static const void *find(const void *key, const void *items, size_t count, size_t item_size,
                        int (*order)(const void *, const void *, const void *))
{
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const void *item = (const char *)items + middle * item_size;
		int is = order(item, key, NULL);
		if (!is)
			return item;
		if (is < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

bool memory_event_is_valid(const struct vmsnap_memory_event *event)
{
	bool other = event->kind == VMSNAP_MEMORY_EVENT_SHARED;
	return event->kind >= VMSNAP_MEMORY_EVENT_GIVEN_BACK && event->kind <= VMSNAP_MEMORY_EVENT_SHARED &&
	       event->pid >= 0 && event->end >= event->start && (!other || event->to <= INT32_MAX);
}

/* ---- what it holds ---------------------------------------------------------- */

VMSNAP_API const struct vmsnap_faults_info *vmsnap_faults_info(const struct vmsnap_faults *faults)
{
	return &faults->info;
}

VMSNAP_API size_t vmsnap_faults_count(const struct vmsnap_faults *faults)
{
	return faults->count;
}

VMSNAP_API const struct vmsnap_fault *vmsnap_faults_at(const struct vmsnap_faults *faults, size_t index)
{
	return index < faults->count ? &faults->items[index] : NULL;
}

VMSNAP_API const uint64_t *vmsnap_faults_stack(const struct vmsnap_faults *faults, uint32_t stack, size_t *count)
{
	const struct fault_stack *found = stack < faults->stack_count ? &faults->stacks[stack] : NULL;
	*count = found ? found->count : 0;
	return *count ? &faults->frames[found->first] : NULL;
}

VMSNAP_API const struct vmsnap_fault_code *vmsnap_faults_code_at(const struct vmsnap_faults *faults, uint32_t pid,
                                                                 uint64_t address)
{
	const struct vmsnap_fault_code own = { .address = address, .pid = pid }, all = { .address = address };
	const struct vmsnap_fault_code *found =
	        find(&own, faults->code, faults->code_count, sizeof(*faults->code), fault_code_order);
	if (found || !pid)
		return found;
	return find(&all, faults->code, faults->code_count, sizeof(*faults->code), fault_code_order);
}

VMSNAP_API const struct vmsnap_fault_code *vmsnap_faults_code(const struct vmsnap_faults *faults, size_t index)
{
	return index < faults->code_count ? &faults->code[index] : NULL;
}

VMSNAP_API const struct vmsnap_fault_object *vmsnap_faults_object(const struct vmsnap_faults *faults, size_t index)
{
	return index < faults->object_count ? &faults->objects[index] : NULL;
}

VMSNAP_API const struct vmsnap_fault_thread *vmsnap_faults_thread(const struct vmsnap_faults *faults, size_t index)
{
	return index < faults->thread_count ? &faults->threads[index] : NULL;
}

VMSNAP_API const char *vmsnap_faults_syscall(const struct vmsnap_faults *faults, size_t index, int32_t *number)
{
	if (index >= faults->syscall_count)
		return NULL;
	*number = faults->syscalls[index].number;
	return faults->syscalls[index].name;
}

static bool may_write(const struct vmsnap_fault *fault)
{
	return fault->kind != VMSNAP_FAULT_READ && fault->kind != VMSNAP_FAULT_FETCH;
}

VMSNAP_API const struct vmsnap_fault *vmsnap_faults_first_write(const struct vmsnap_faults *faults, int32_t pid,
                                                                uint64_t start, uint64_t end, uint64_t after)
{
	size_t i = SORTED_ABOVE(struct vmsnap_fault, time, faults->items, faults->count, after);
	for (; i < faults->count; i++) {
		const struct vmsnap_fault *fault = &faults->items[i];
		if (fault->pid == pid && fault->address >= start && fault->address < end && may_write(fault))
			return fault;
	}
	return NULL;
}

VMSNAP_API const struct vmsnap_fault_event *vmsnap_faults_event(const struct vmsnap_faults *faults, size_t index)
{
	return index < faults->event_count ? &faults->events[index] : NULL;
}

VMSNAP_API const struct vmsnap_memory_event *vmsnap_faults_memory_event(const struct vmsnap_faults *faults,
                                                                        size_t index)
{
	return index < faults->memory_event_count ? &faults->memory_events[index] : NULL;
}

VMSNAP_API const char *vmsnap_faults_comm(const struct vmsnap_faults *faults, int32_t pid, int32_t tid)
{
	const struct vmsnap_fault_thread key = { .pid = pid, .tid = tid }, *found;
	found = find(&key, faults->threads, faults->thread_count, sizeof(key), fault_thread_order);
	return found ? found->comm : "";
}

VMSNAP_API const char *vmsnap_faults_syscall_name(const struct vmsnap_faults *faults, int32_t number)
{
	const struct fault_syscall key = { .number = number }, *found;
	found = find(&key, faults->syscalls, faults->syscall_count, sizeof(key), fault_syscall_order);
	return found ? found->name : "";
}
