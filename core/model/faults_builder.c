/* faults_builder.c - page faults in the making. */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "error.h"
#include "faults.h"
#include "memory_owners.h"
#include "options.h"

struct vmsnap_faults_builder {
	struct vmsnap_faults *faults; /* nobody has seen it yet; NULL: finished */
	struct work work;             /* counts nothing: arrays that grow want one */
	size_t item_room, stack_room, frame_room, object_room, code_room, thread_room, syscall_room, event_room,
	        memory_event_room;
	uint32_t *slots; /* stacks by what they hold: number + 1; 0: nothing */
	size_t slot_count;
	const char *latest[512]; /* strings that were kept lately, by their hash */
};

static int too_many(const char *what, uint64_t most, struct vmsnap_error *err)
{
	return fail(err, VMSNAP_ERR_TOO_LARGE, "more than %" PRIu64 " %s", most, what);
}

/* Room for one more of them. */
static int room(struct vmsnap_faults_builder *builder, void *items, size_t count, size_t *capacity, size_t size,
                struct vmsnap_error *err)
{
	int rc = VMSNAP_OK;
	void **array = items;
	*array = work_grow(&builder->work, *array, count, capacity, size, &rc);
	return rc ? work_fail(&builder->work, rc, err) : VMSNAP_OK;
}

static int can_add(const struct vmsnap_faults_builder *builder, const void *given, struct vmsnap_error *err)
{
	if (!builder || !given)
		return fail(err, VMSNAP_ERR_ARGUMENT, "page faults: NULL is given");
	if (!builder->faults)
		return fail(err, VMSNAP_ERR_ARGUMENT, "page faults: for some that are finished");
	return VMSNAP_OK;
}

/* Names of files and functions come again and again. */
static int keep(struct vmsnap_faults_builder *builder, const char **string, struct vmsnap_error *err)
{
	const char *given = *string ? *string : "";
	size_t len = strnlen(given, VMSNAP_FAULT_NAME_MAX + 1);
	struct arena *strings = &builder->faults->strings;
	if (len > VMSNAP_FAULT_NAME_MAX)
		return too_many("bytes in a name", VMSNAP_FAULT_NAME_MAX, err);
	const char **slot = &builder->latest[XXH3_64bits(given, len) % (sizeof(builder->latest) / sizeof(*slot))];
	if (!len || (*slot && !strcmp(*slot, given))) {
		*string = len ? *slot : "";
		return VMSNAP_OK;
	}
	if (strings->total + len > FAULT_STRINGS_MAX)
		return too_many("bytes of names", FAULT_STRINGS_MAX, err);
	*string = *slot = arena_copy(strings, given, len);
	return *string ? VMSNAP_OK : fail_no_memory(err);
}

/* ---- begin ------------------------------------------------------------------ */

static bool copy_array(void *to, const void *from, size_t count, size_t size)
{
	void **array = to;
	*array = count ? malloc(count * size) : NULL;
	if (*array)
		memcpy(*array, from, count * size);
	return *array || !count;
}

static int copy_names(struct vmsnap_faults_builder *builder, const struct vmsnap_faults *from, bool code,
                      struct vmsnap_error *err)
{
	int rc = VMSNAP_OK;
	uint32_t index;
	for (size_t i = 0; !rc && i < from->object_count; i++)
		rc = vmsnap_faults_builder_add_object(builder, &from->objects[i], &index, err);
	for (size_t i = 0; !rc && code && i < from->code_count; i++)
		rc = vmsnap_faults_builder_add_code(builder, &from->code[i], err);
	for (size_t i = 0; !rc && i < from->thread_count; i++) {
		const struct vmsnap_fault_thread *thread = &from->threads[i];
		rc = vmsnap_faults_builder_add_thread(builder, thread->pid, thread->tid, thread->comm, err);
	}
	for (size_t i = 0; !rc && i < from->syscall_count; i++)
		rc = vmsnap_faults_builder_add_syscall(builder, from->syscalls[i].number, from->syscalls[i].name, err);
	for (size_t i = 0; !rc && i < from->event_count; i++)
		rc = vmsnap_faults_builder_add_event(builder, &from->events[i], err);
	for (size_t i = 0; !rc && i < from->memory_event_count; i++)
		rc = vmsnap_faults_builder_add_memory_event(builder, &from->memory_events[i], err);
	return rc;
}

static int slots_grow(struct vmsnap_faults_builder *builder);

static int copy_faults(struct vmsnap_faults_builder *builder, const struct vmsnap_faults *from,
                       struct vmsnap_error *err)
{
	struct vmsnap_faults *to = builder->faults;
	if (!copy_array(&to->items, from->items, from->count, sizeof(*to->items)) ||
	    !copy_array(&to->stacks, from->stacks, from->stack_count, sizeof(*to->stacks)) ||
	    !copy_array(&to->frames, from->frames, from->frame_count, sizeof(*to->frames)))
		return fail_no_memory(err);
	builder->item_room = to->count = from->count;
	builder->stack_room = to->stack_count = from->stack_count;
	builder->frame_room = to->frame_count = from->frame_count;
	return to->stack_count && slots_grow(builder) ? fail_no_memory(err) : VMSNAP_OK;
}

static int builder_new(struct vmsnap_faults_builder **out, struct vmsnap_error *err)
{
	struct vmsnap_faults_builder *builder = calloc(1, sizeof(*builder));
	if (builder)
		builder->faults = faults_new();
	if (!builder || !builder->faults) {
		free(builder);
		return fail_no_memory(err);
	}
	builder->work.limit = WORK_UNLIMITED;
	*out = builder;
	return VMSNAP_OK;
}

static int new_from(const struct vmsnap_faults *from, bool code, struct vmsnap_faults_builder **out,
                    struct vmsnap_error *err)
{
	struct vmsnap_faults_builder *builder = NULL;
	int rc = builder_new(&builder, err);
	if (rc)
		return rc;
	if (from) {
		builder->faults->info = from->info;
		rc = copy_faults(builder, from, err);
		rc = rc ? rc : copy_names(builder, from, code, err);
	}
	if (rc) {
		vmsnap_faults_builder_free(builder);
		return rc;
	}
	*out = builder;
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_faults_builder_new(const struct vmsnap_faults *from, struct vmsnap_faults_builder **out,
                                         struct vmsnap_error *err)
{
	return out ? new_from(from, true, out, err) : fail(err, VMSNAP_ERR_ARGUMENT, "page faults: NULL is given");
}

VMSNAP_API void vmsnap_faults_builder_free(struct vmsnap_faults_builder *builder)
{
	if (!builder)
		return;
	vmsnap_faults_unref(builder->faults);
	free(builder->slots);
	free(builder);
}

VMSNAP_API int vmsnap_faults_builder_set_sized(struct vmsnap_faults_builder *builder,
                                               const struct vmsnap_faults_info *info, size_t size,
                                               struct vmsnap_error *err)
{
	struct vmsnap_faults_info given;
	int rc = can_add(builder, info, err);
	rc = rc ? rc : struct_take(&given, sizeof(given), info, size, "struct vmsnap_faults_info", err);
	if (rc)
		return rc;
	if (given.flags & ~(uint32_t)FAULTS_FLAGS_ALL || given.end < given.begin || given.pid > INT32_MAX)
		return fail(err, VMSNAP_ERR_ARGUMENT,
		            "struct vmsnap_faults_info: a flag that there is not, or it ends before it begins");
	builder->faults->info = given;
	return VMSNAP_OK;
}

/* ---- stacks: each different one once ---------------------------------------- */

static bool stack_is(const struct vmsnap_faults *faults, uint32_t stack, const uint64_t *frames, size_t count)
{
	const struct fault_stack *known = &faults->stacks[stack];
	return known->count == count &&
	       (!count || !memcmp(&faults->frames[known->first], frames, count * sizeof(*frames)));
}

static size_t slot_of(const struct vmsnap_faults_builder *builder, const uint64_t *frames, size_t count)
{
	size_t slot = XXH3_64bits(frames, count * sizeof(*frames)) & (builder->slot_count - 1);
	while (builder->slots[slot] && !stack_is(builder->faults, builder->slots[slot] - 1, frames, count))
		slot = (slot + 1) & (builder->slot_count - 1);
	return slot;
}

/* Twice as many as there are stacks, and one more of them. */
static int slots_grow(struct vmsnap_faults_builder *builder)
{
	const struct vmsnap_faults *faults = builder->faults;
	size_t count = 256;
	while (count < 4 * (faults->stack_count + 1))
		count *= 2;
	uint32_t *slots = calloc(count, sizeof(*slots));
	if (!slots)
		return VMSNAP_ERR_NO_MEMORY;
	free(builder->slots);
	builder->slots = slots;
	builder->slot_count = count;
	for (uint32_t i = 0; i < faults->stack_count; i++) {
		const struct fault_stack *stack = &faults->stacks[i];
		slots[slot_of(builder, stack->count ? &faults->frames[stack->first] : NULL, stack->count)] = i + 1;
	}
	return VMSNAP_OK;
}

static int frames_room(struct vmsnap_faults_builder *builder, size_t count, struct vmsnap_error *err)
{
	struct vmsnap_faults *faults = builder->faults;
	/* work_grow() is for one more: so many at the most are asked for before. */
	while (builder->frame_room - faults->frame_count < count) {
		int rc = room(builder, &faults->frames, builder->frame_room, &builder->frame_room,
		              sizeof(*faults->frames), err);
		if (rc)
			return rc;
	}
	return VMSNAP_OK;
}

static int stack_number(struct vmsnap_faults_builder *builder, const uint64_t *frames, size_t count, uint32_t *number,
                        struct vmsnap_error *err)
{
	struct vmsnap_faults *faults = builder->faults;
	if (builder->slot_count < 2 * (faults->stack_count + 1) && slots_grow(builder))
		return fail_no_memory(err);
	uint32_t *slot = &builder->slots[slot_of(builder, frames, count)];
	if (*slot) {
		*number = *slot - 1;
		return VMSNAP_OK;
	}
	if (faults->stack_count == FAULT_STACKS_MAX)
		return too_many("different stacks", FAULT_STACKS_MAX, err);
	if (count > FAULT_ALL_FRAMES_MAX - faults->frame_count)
		return too_many("calls in different stacks", FAULT_ALL_FRAMES_MAX, err);
	int rc =
	        room(builder, &faults->stacks, faults->stack_count, &builder->stack_room, sizeof(*faults->stacks), err);
	rc = rc ? rc : frames_room(builder, count, err);
	if (rc)
		return rc;
	if (count)
		memcpy(&faults->frames[faults->frame_count], frames, count * sizeof(*frames));
	faults->stacks[faults->stack_count] = (struct fault_stack){ (uint32_t)faults->frame_count, (uint32_t)count };
	faults->frame_count += count;
	*number = (uint32_t)faults->stack_count++;
	*slot = *number + 1;
	return VMSNAP_OK;
}

/* ---- what is added ---------------------------------------------------------- */

VMSNAP_API int vmsnap_faults_builder_add_sized(struct vmsnap_faults_builder *builder, const struct vmsnap_fault *fault,
                                               size_t size, const uint64_t *frames, size_t count,
                                               struct vmsnap_error *err)
{
	struct vmsnap_fault kept;
	int rc = can_add(builder, fault, err);
	rc = rc ? rc : struct_take(&kept, sizeof(kept), fault, size, "struct vmsnap_fault", err);
	if (rc)
		return rc;
	if (kept.kind >= VMSNAP_FAULT_KIND_COUNT || kept.flags & ~FAULT_FLAGS_ALL || kept.unused1 || kept.unused2 ||
	    kept.pid < 0 || kept.tid < 0 || kept.syscall < FAULT_SYSCALL_UNKNOWN || count > VMSNAP_FAULT_FRAMES_MAX ||
	    (count && !frames))
		return fail(err, VMSNAP_ERR_ARGUMENT, "struct vmsnap_fault: what no fault is");
	struct vmsnap_faults *faults = builder->faults;
	if (faults->count == VMSNAP_FAULTS_MAX)
		return too_many("page faults", VMSNAP_FAULTS_MAX, err);
	rc = room(builder, &faults->items, faults->count, &builder->item_room, sizeof(*faults->items), err);
	rc = rc ? rc : stack_number(builder, frames, count, &kept.stack, err);
	if (!rc)
		faults->items[faults->count++] = kept;
	return rc;
}

VMSNAP_API int vmsnap_faults_builder_add_object_sized(struct vmsnap_faults_builder *builder,
                                                      const struct vmsnap_fault_object *object, size_t size,
                                                      uint32_t *index, struct vmsnap_error *err)
{
	struct vmsnap_fault_object kept;
	int rc = can_add(builder, object, err);
	rc = rc ? rc : struct_take(&kept, sizeof(kept), object, size, "struct vmsnap_fault_object", err);
	if (rc)
		return rc;
	struct vmsnap_faults *faults = builder->faults;
	if (!kept.build_id)
		kept.build_id_len = 0;
	if (kept.build_id_len > UINT8_MAX || kept.end < kept.start)
		return fail(err, VMSNAP_ERR_ARGUMENT,
		            "struct vmsnap_fault_object: its build ID or its addresses cannot be");
	if (faults->object_count == FAULT_OBJECTS_MAX)
		return too_many("objects", FAULT_OBJECTS_MAX, err);
	rc = room(builder, &faults->objects, faults->object_count, &builder->object_room, sizeof(*faults->objects),
	          err);
	rc = rc ? rc : keep(builder, &kept.path, err);
	if (!rc && kept.build_id_len) {
		kept.build_id = (const uint8_t *)arena_copy(&faults->strings, kept.build_id, kept.build_id_len);
		rc = kept.build_id ? rc : fail_no_memory(err);
	} else {
		kept.build_id = NULL;
	}
	if (rc)
		return rc;
	*index = (uint32_t)faults->object_count;
	faults->objects[faults->object_count++] = kept;
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_faults_builder_add_code_sized(struct vmsnap_faults_builder *builder,
                                                    const struct vmsnap_fault_code *code, size_t size,
                                                    struct vmsnap_error *err)
{
	struct vmsnap_fault_code kept;
	int rc = can_add(builder, code, err);
	rc = rc ? rc : struct_take(&kept, sizeof(kept), code, size, "struct vmsnap_fault_code", err);
	if (rc)
		return rc;
	struct vmsnap_faults *faults = builder->faults;
	if ((kept.object != FAULT_NO_OBJECT && kept.object >= faults->object_count) || kept.pid > INT32_MAX ||
	    kept.begin > kept.address || kept.unused)
		return fail(err, VMSNAP_ERR_ARGUMENT, "struct vmsnap_fault_code: what no code is");
	if (faults->code_count == FAULT_CODE_MAX)
		return too_many("addresses of code", FAULT_CODE_MAX, err);
	rc = room(builder, &faults->code, faults->code_count, &builder->code_room, sizeof(*faults->code), err);
	rc = rc ? rc : keep(builder, &kept.function, err);
	rc = rc ? rc : keep(builder, &kept.file, err);
	if (!rc)
		faults->code[faults->code_count++] = kept;
	return rc;
}

VMSNAP_API int vmsnap_faults_builder_add_thread(struct vmsnap_faults_builder *builder, int32_t pid, int32_t tid,
                                                const char *comm, struct vmsnap_error *err)
{
	struct vmsnap_fault_thread kept = { .pid = pid, .tid = tid, .comm = comm };
	int rc = can_add(builder, comm, err);
	if (!rc && (pid < 0 || tid < 0))
		rc = fail(err, VMSNAP_ERR_ARGUMENT, "page faults: no thread is %d of %d", tid, pid);
	if (rc)
		return rc;
	struct vmsnap_faults *faults = builder->faults;
	if (faults->thread_count == FAULT_THREADS_MAX)
		return too_many("threads", FAULT_THREADS_MAX, err);
	rc = room(builder, &faults->threads, faults->thread_count, &builder->thread_room, sizeof(*faults->threads),
	          err);
	rc = rc ? rc : keep(builder, &kept.comm, err);
	if (!rc)
		faults->threads[faults->thread_count++] = kept;
	return rc;
}

VMSNAP_API int vmsnap_faults_builder_add_syscall(struct vmsnap_faults_builder *builder, int32_t number,
                                                 const char *name, struct vmsnap_error *err)
{
	struct fault_syscall kept = { number, name };
	int rc = can_add(builder, name, err);
	if (!rc && number < 0)
		rc = fail(err, VMSNAP_ERR_ARGUMENT, "page faults: no system call is %d", number);
	if (rc)
		return rc;
	struct vmsnap_faults *faults = builder->faults;
	if (faults->syscall_count == FAULT_SYSCALLS_MAX)
		return too_many("system calls", FAULT_SYSCALLS_MAX, err);
	rc = room(builder, &faults->syscalls, faults->syscall_count, &builder->syscall_room, sizeof(*faults->syscalls),
	          err);
	rc = rc ? rc : keep(builder, &kept.name, err);
	if (!rc)
		faults->syscalls[faults->syscall_count++] = kept;
	return rc;
}

VMSNAP_API int vmsnap_faults_builder_add_event(struct vmsnap_faults_builder *builder,
                                               const struct vmsnap_fault_event *event, struct vmsnap_error *err)
{
	int rc = can_add(builder, event, err);
	if (rc)
		return rc;
	bool fork = event->kind == VMSNAP_FAULT_EVENT_FORK;
	if ((!fork && event->kind != VMSNAP_FAULT_EVENT_EXEC) || event->pid < 0 || (fork && event->child <= 0))
		return fail(err, VMSNAP_ERR_ARGUMENT, "struct vmsnap_fault_event: what no event is");
	struct vmsnap_faults *faults = builder->faults;
	if (faults->event_count == FAULT_EVENTS_MAX)
		return too_many("events", FAULT_EVENTS_MAX, err);
	rc = room(builder, &faults->events, faults->event_count, &builder->event_room, sizeof(*event), err);
	if (rc)
		return rc;
	struct vmsnap_fault_event *kept = &faults->events[faults->event_count++];
	*kept = *event;
	kept->child = fork ? event->child : 0;
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_faults_builder_add_memory_event(struct vmsnap_faults_builder *builder,
                                                      const struct vmsnap_memory_event *event, struct vmsnap_error *err)
{
	int rc = can_add(builder, event, err);
	if (rc)
		return rc;
	if (!memory_event_is_valid(event))
		return fail(err, VMSNAP_ERR_ARGUMENT, "struct vmsnap_memory_event: what no event is");
	struct vmsnap_faults *faults = builder->faults;
	if (faults->memory_event_count == FAULT_MEMORY_EVENTS_MAX)
		return too_many("events of memory", FAULT_MEMORY_EVENTS_MAX, err);
	rc = room(builder, &faults->memory_events, faults->memory_event_count, &builder->memory_event_room,
	          sizeof(*event), err);
	if (!rc)
		faults->memory_events[faults->memory_event_count++] = *event;
	return rc;
}

int faults_add_memory_event(struct vmsnap_faults_builder *builder, const struct vmsnap_memory_event *event,
                            bool *dropped, struct vmsnap_error *err)
{
	int rc = *dropped ? VMSNAP_OK : vmsnap_faults_builder_add_memory_event(builder, event, err);
	*dropped |= rc == VMSNAP_ERR_TOO_LARGE;
	return rc == VMSNAP_ERR_TOO_LARGE ? VMSNAP_OK : rc;
}

const struct vmsnap_faults *faults_in_making(const struct vmsnap_faults_builder *builder)
{
	return builder->faults;
}

/* ---- the end ---------------------------------------------------------------- */

static int event_order(const void *a, const void *b, const void *ctx)
{
	(void)ctx;
	const struct vmsnap_fault_event *left = a, *right = b;
	if (left->time != right->time)
		return left->time < right->time ? -1 : 1;
	if (left->pid != right->pid)
		return left->pid < right->pid ? -1 : 1;
	if (left->child != right->child)
		return left->child < right->child ? -1 : 1;
	return (left->kind > right->kind) - (left->kind < right->kind);
}

static int compared(uint64_t left, uint64_t right)
{
	return (left > right) - (left < right);
}

static int memory_event_order(const void *a, const void *b, const void *ctx)
{
	(void)ctx;
	const struct vmsnap_memory_event *left = a, *right = b;
	int is = compared(left->time, right->time);
	is = is ? is : compared((uint64_t)left->pid, (uint64_t)right->pid);
	is = is ? is : compared((uint64_t)left->kind, (uint64_t)right->kind);
	is = is ? is : compared(left->start, right->start);
	is = is ? is : compared(left->end, right->end);
	return is ? is : compared(left->to, right->to);
}

static int fault_order(const void *a, const void *b, const void *ctx)
{
	(void)ctx;
	uint64_t left = ((const struct vmsnap_fault *)a)->time, right = ((const struct vmsnap_fault *)b)->time;
	return left < right ? -1 : left > right;
}

/* In order, and of equal ones the last. */
static int sort_last(struct work *work, void *items, size_t *count, size_t size, work_order_fn order)
{
	int rc = work_sort(work, items, *count, size, order, NULL);
	if (rc)
		return rc;
	char *bytes = items;
	size_t kept = 0;
	for (size_t i = 0; i < *count; i++) {
		bool last = i + 1 == *count || order(bytes + i * size, bytes + (i + 1) * size, NULL);
		if (last && kept != i)
			memcpy(bytes + kept * size, bytes + i * size, size);
		kept += last;
	}
	*count = kept;
	return VMSNAP_OK;
}

/* Threads that have faults and no name yet, in front of those that have one: of equal ones the last counts. */
static int name_all_threads(struct vmsnap_faults_builder *builder, struct vmsnap_error *err)
{
	enum { SEEN = 1024 };
	struct vmsnap_faults *faults = builder->faults;
	struct vmsnap_fault_thread *named = faults->threads, seen[SEEN] = { { 0 } };
	size_t named_count = faults->thread_count;
	faults->threads = NULL;
	faults->thread_count = builder->thread_room = 0;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < faults->count; i++) {
		const struct vmsnap_fault *fault = &faults->items[i];
		struct vmsnap_fault_thread *slot = &seen[(uint32_t)fault->tid % SEEN];
		if (slot->comm && slot->pid == fault->pid && slot->tid == fault->tid)
			continue;
		*slot = (struct vmsnap_fault_thread){ fault->pid, fault->tid, "" };
		rc = vmsnap_faults_builder_add_thread(builder, fault->pid, fault->tid, "", err);
	}
	rc = rc ? rc
	        : sort_last(&builder->work, faults->threads, &faults->thread_count, sizeof(*named), fault_thread_order);
	for (size_t i = 0; !rc && i < named_count; i++)
		rc = vmsnap_faults_builder_add_thread(builder, named[i].pid, named[i].tid, named[i].comm, err);
	free(named);
	return rc;
}

VMSNAP_API int vmsnap_faults_builder_finish(struct vmsnap_faults_builder *builder, struct vmsnap_faults **out,
                                            struct vmsnap_error *err)
{
	int rc = can_add(builder, out, err);
	if (rc)
		return rc;
	rc = name_all_threads(builder, err);
	if (rc)
		return rc;
	struct vmsnap_faults *faults = builder->faults;
	struct work *work = &builder->work;
	rc = work_sort(work, faults->items, faults->count, sizeof(*faults->items), fault_order, NULL);
	rc = rc ? rc : sort_last(work, faults->events, &faults->event_count, sizeof(*faults->events), event_order);
	rc = rc ? rc
	        : sort_last(work, faults->memory_events, &faults->memory_event_count, sizeof(*faults->memory_events),
	                    memory_event_order);
	rc = rc ? rc : sort_last(work, faults->code, &faults->code_count, sizeof(*faults->code), fault_code_order);
	rc = rc ? rc
	        : sort_last(work, faults->threads, &faults->thread_count, sizeof(*faults->threads), fault_thread_order);
	rc = rc ? rc
	        : sort_last(work, faults->syscalls, &faults->syscall_count, sizeof(*faults->syscalls),
	                    fault_syscall_order);
	if (rc)
		return work_fail(work, rc, err);
	faults_count(faults);
	builder->faults = NULL;
	*out = faults;
	return VMSNAP_OK;
}

/* ---- parts of others -------------------------------------------------------- */

static int add_of(struct vmsnap_faults_builder *builder, const struct vmsnap_faults *from, int32_t pid,
                  struct vmsnap_error *err)
{
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < from->count; i++) {
		size_t count;
		const uint64_t *frames = vmsnap_faults_stack(from, from->items[i].stack, &count);
		if (from->items[i].pid == pid)
			rc = vmsnap_faults_builder_add(builder, &from->items[i], frames, count, err);
	}
	return rc;
}

static int code_of(struct vmsnap_faults_builder *builder, const struct vmsnap_faults *from, int32_t pid,
                   struct vmsnap_error *err)
{
	const struct vmsnap_faults *to = builder->faults;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < to->frame_count; i++) {
		const struct vmsnap_fault_code *code = vmsnap_faults_code_at(from, (uint32_t)pid, to->frames[i]);
		rc = code ? vmsnap_faults_builder_add_code(builder, code, err) : VMSNAP_OK;
	}
	return rc;
}

/* And of those that have its memory. */
static int keep_memory_events_of(struct vmsnap_faults *faults, int32_t pid, struct work *work)
{
	struct memory_owners owners;
	size_t kept = 0;
	int rc = memory_owners_make(&owners, faults, work);
	for (size_t i = 0; i < faults->memory_event_count; i++) {
		const struct vmsnap_memory_event *event = &faults->memory_events[i];
		int32_t owner = memory_owner_at(&owners, event->pid, event->time);
		if (event->pid == pid || owner == pid ||
		    (event->kind == VMSNAP_MEMORY_EVENT_SHARED && event->to == (uint64_t)pid))
			faults->memory_events[kept++] = *event;
	}
	faults->memory_event_count = kept;
	memory_owners_free(&owners, work);
	return rc;
}

static int fill_of(struct vmsnap_faults_builder *builder, const struct vmsnap_faults *from, int32_t pid,
                   struct vmsnap_error *err)
{
	int rc = add_of(builder, from, pid, err);
	rc = rc ? rc : copy_names(builder, from, false, err);
	rc = rc ? rc : code_of(builder, from, pid, err);
	struct vmsnap_faults *to = builder->faults;
	size_t kept = 0;
	for (size_t i = 0; !rc && i < to->thread_count; i++)
		if (to->threads[i].pid == pid)
			to->threads[kept++] = to->threads[i];
	to->thread_count = kept;
	if (!rc && keep_memory_events_of(to, pid, &builder->work))
		rc = fail_no_memory(err);
	to->info = from->info;
	to->info.pid = (uint32_t)pid;
	return rc;
}

VMSNAP_API int vmsnap_faults_of_process(const struct vmsnap_faults *faults, int32_t pid, struct vmsnap_faults **out,
                                        struct vmsnap_error *err)
{
	struct vmsnap_faults_builder *builder = NULL;
	int rc = !faults || !out || pid <= 0 ? fail(err, VMSNAP_ERR_ARGUMENT, "page faults: of a process, and a place")
	                                     : builder_new(&builder, err);
	if (rc)
		return rc;
	rc = fill_of(builder, faults, pid, err);
	rc = rc ? rc : vmsnap_faults_builder_finish(builder, out, err);
	vmsnap_faults_builder_free(builder);
	return rc;
}

int faults_without_names(const struct vmsnap_faults *faults, struct vmsnap_faults **out)
{
	struct vmsnap_faults_builder *builder = NULL;
	if (new_from(faults, false, &builder, NULL))
		return VMSNAP_ERR_NO_MEMORY;
	int rc = vmsnap_faults_builder_finish(builder, out, NULL);
	vmsnap_faults_builder_free(builder);
	return rc;
}
