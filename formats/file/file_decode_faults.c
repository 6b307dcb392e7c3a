/* file_decode_faults.c - EVNT, MEVT. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "file_decode.h"
#include "section.h"

struct decoder {
	struct decode *decode;
	const char *section;
	struct vmsnap_faults *faults;
	struct cursor payload;
	const char **strings; /* numbered from 1 */
	uint64_t string_count;
	uint64_t *node_address; /* of each node, numbered from 1 */
	uint32_t *node_parent, *node_stack;
	uint16_t *node_depth;
	uint64_t node_count;
};

static int damaged(const struct decoder *d, const char *what)
{
	return decode_damaged(d->decode, "%s: %s", d->section, what);
}

/* How many of something come; each takes at least one byte of what follows. */
static int take_count(struct decoder *d, uint64_t most, uint64_t *count)
{
	if (!take_varint(&d->payload, count) || *count > cursor_left(&d->payload) || *count > most)
		return damaged(d, "more than there can be");
	return VMSNAP_OK;
}

static int open_column(struct decoder *d, uint64_t count, struct numbers *numbers)
{
	struct cursor column;
	if (!take_column(&d->payload, &column) || !numbers_open(numbers, column, (size_t)count))
		return damaged(d, "a column that does not fit");
	return VMSNAP_OK;
}

static int open_columns(struct decoder *d, uint64_t count, struct numbers *numbers, size_t columns)
{
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < columns; i++)
		rc = open_column(d, count, &numbers[i]);
	return rc;
}

static uint64_t next(struct numbers *numbers)
{
	uint64_t value;
	numbers_next(numbers, &value, 1);
	return value;
}

/* The string of the next number in a column. */
static int next_string(const struct decoder *d, struct numbers *numbers, const char **out)
{
	uint64_t number = next(numbers);
	if (number > d->string_count)
		return damaged(d, "a string that there is not");
	*out = number ? d->strings[number - 1] : "";
	return VMSNAP_OK;
}

/* ---- the beginning, strings ------------------------------------------------------ */

static int take_head(struct decoder *d)
{
	struct vmsnap_faults_info *info = &d->faults->info;
	uint64_t span, lost, flags, pid;
	if (!take_varint(&d->payload, &info->begin) || !take_varint(&d->payload, &span) ||
	    !take_varint(&d->payload, &lost) || !take_varint(&d->payload, &flags) || !take_varint(&d->payload, &pid))
		return damaged(d, "cut off");
	if (span > UINT64_MAX - info->begin || flags & ~(uint64_t)EVNT_WATCHED || pid > INT32_MAX)
		return damaged(d, "a time, a flag or a process that there is not");
	info->end = info->begin + span;
	info->lost = lost - 1;
	info->flags = (uint32_t)flags;
	info->pid = (uint32_t)pid;
	return VMSNAP_OK;
}

static int keep_string(struct decoder *d, const char *string, size_t len, const char **out)
{
	struct arena *strings = &d->faults->strings;
	if (!len || len > VMSNAP_FAULT_NAME_MAX || len > FAULT_STRINGS_MAX - strings->total)
		return damaged(d, "a string that is empty or too long");
	int rc = decode_charge(d->decode, len + 1);
	*out = rc ? NULL : arena_copy(strings, string, len);
	return rc || *out ? rc : fail_no_memory(d->decode->err);
}

static int take_strings(struct decoder *d)
{
	struct cursor column;
	void *strings;
	int rc = take_count(d, FAULT_STRINGS_MAX, &d->string_count);
	if (!rc && !take_column(&d->payload, &column))
		rc = damaged(d, "no strings");
	rc = rc ? rc : decode_array(d->decode, d->string_count, sizeof(*d->strings), &strings);
	if (rc)
		return rc;
	d->strings = strings;
	for (uint64_t i = 0; !rc && i < d->string_count; i++) {
		const char *string;
		size_t len;
		rc = take_string(&column, &string, &len) ? decode_step(d->decode) : damaged(d, "strings are missing");
		rc = rc ? rc : keep_string(d, string, len, &d->strings[i]);
	}
	return rc || !cursor_left(&column) ? rc : damaged(d, "more strings than it says");
}

/* ---- stacks ------------------------------------------------------------------------ */

static int take_addresses(struct decoder *d, uint64_t **out, uint64_t *count)
{
	struct numbers gaps;
	void *addresses = NULL;
	int rc = take_count(d, FAULT_ALL_FRAMES_MAX, count);
	rc = rc ? rc : open_column(d, *count, &gaps);
	rc = rc ? rc : decode_array(d->decode, *count, sizeof(**out), &addresses);
	*out = addresses;
	uint64_t before = 0;
	for (uint64_t i = 0; !rc && i < *count; i++) {
		uint64_t gap = next(&gaps);
		rc = gap > UINT64_MAX - before || (i && !gap) ? damaged(d, "addresses out of order")
		                                              : decode_step(d->decode);
		(*out)[i] = before += gap;
	}
	return rc;
}

static int node_arrays(struct decoder *d)
{
	void *addresses = NULL, *parents = NULL, *stacks = NULL, *depths = NULL;
	uint64_t count = d->node_count + 1;
	int rc = decode_array(d->decode, count, sizeof(*d->node_address), &addresses);
	rc = rc ? rc : decode_array(d->decode, count, sizeof(*d->node_parent), &parents);
	rc = rc ? rc : decode_array(d->decode, count, sizeof(*d->node_stack), &stacks);
	rc = rc ? rc : decode_array(d->decode, count, sizeof(*d->node_depth), &depths);
	d->node_address = addresses;
	d->node_parent = parents;
	d->node_stack = stacks;
	d->node_depth = depths;
	return rc;
}

static int fill_nodes(struct decoder *d, const uint64_t *addresses, uint64_t address_count, struct numbers columns[2])
{
	int rc = VMSNAP_OK;
	for (uint64_t i = 1; !rc && i <= d->node_count; i++) {
		uint64_t back = next(&columns[0]), address = next(&columns[1]);
		rc = decode_step(d->decode);
		if (rc)
			return rc;
		if (!back || back > i || address >= address_count)
			return damaged(d, "a call of nowhere");
		uint64_t parent = i - back;
		if (d->node_depth[parent] == VMSNAP_FAULT_FRAMES_MAX)
			return damaged(d, "a stack that is too deep");
		d->node_parent[i] = (uint32_t)parent;
		d->node_depth[i] = (uint16_t)(d->node_depth[parent] + 1);
		d->node_address[i] = addresses[address];
	}
	return rc;
}

static int take_tree(struct decoder *d)
{
	uint64_t *addresses = NULL, address_count;
	struct numbers columns[2];
	int rc = take_addresses(d, &addresses, &address_count);
	rc = rc ? rc : take_count(d, FAULT_ALL_FRAMES_MAX, &d->node_count);
	rc = rc ? rc : open_columns(d, d->node_count, columns, 2);
	rc = rc ? rc : node_arrays(d);
	rc = rc ? rc : fill_nodes(d, addresses, address_count, columns);
	free(addresses);
	return rc;
}

/* ---- names ------------------------------------------------------------------------- */

static int take_build_id(struct decoder *d, uint8_t len, struct cursor *ids, struct vmsnap_fault_object *object)
{
	const uint8_t *bytes;
	if (!len)
		return VMSNAP_OK;
	if (!take_bytes(ids, len, &bytes))
		return damaged(d, "build IDs are missing");
	int rc = decode_charge(d->decode, len);
	object->build_id = rc ? NULL : (const uint8_t *)arena_copy(&d->faults->strings, bytes, len);
	object->build_id_len = len;
	return rc || object->build_id ? rc : fail_no_memory(d->decode->err);
}

static int take_objects(struct decoder *d)
{
	struct numbers paths, places[3];
	struct cursor lengths, ids;
	uint64_t count, start = 0;
	void *objects;
	int rc = take_count(d, FAULT_OBJECTS_MAX, &count);
	rc = rc ? rc : open_column(d, count, &paths);
	if (!rc &&
	    (!take_column(&d->payload, &lengths) || cursor_left(&lengths) != count || !take_column(&d->payload, &ids)))
		rc = damaged(d, "build IDs do not fit");
	rc = rc ? rc : open_columns(d, count, places, 3);
	rc = rc ? rc : decode_array(d->decode, count, sizeof(*d->faults->objects), &objects);
	if (rc)
		return rc;
	d->faults->objects = objects;
	d->faults->object_count = (size_t)count;
	for (uint64_t i = 0; !rc && i < count; i++) {
		struct vmsnap_fault_object *object = &d->faults->objects[i];
		object->start = start += unzigzag(next(&places[0]));
		uint64_t size = next(&places[1]);
		object->offset = next(&places[2]);
		object->end = start + size;
		rc = size > UINT64_MAX - start ? damaged(d, "an object above the highest address")
		                               : next_string(d, &paths, &object->path);
		rc = rc ? rc : take_build_id(d, *lengths.at++, &ids, object);
	}
	return rc || !cursor_left(&ids) ? rc : damaged(d, "more of build IDs than it says");
}

static int take_threads(struct decoder *d)
{
	struct numbers columns[3];
	uint64_t count, pid = 0, tid = 0;
	void *threads;
	int rc = take_count(d, FAULT_THREADS_MAX, &count);
	rc = rc ? rc : open_columns(d, count, columns, 3);
	rc = rc ? rc : decode_array(d->decode, count, sizeof(*d->faults->threads), &threads);
	if (rc)
		return rc;
	d->faults->threads = threads;
	d->faults->thread_count = (size_t)count;
	for (uint64_t i = 0; !rc && i < count; i++) {
		struct vmsnap_fault_thread *thread = &d->faults->threads[i];
		uint64_t more = next(&columns[0]), before = tid;
		tid += unzigzag(next(&columns[1]));
		if (more > INT32_MAX - pid || tid > INT32_MAX || (i && !more && tid <= before))
			return damaged(d, "threads out of order");
		thread->pid = (int32_t)(pid += more);
		thread->tid = (int32_t)tid;
		rc = next_string(d, &columns[2], &thread->comm);
		rc = rc ? rc : decode_step(d->decode);
	}
	return rc;
}

static int take_syscalls(struct decoder *d)
{
	struct numbers columns[2];
	uint64_t count, number = 0;
	void *syscalls;
	int rc = take_count(d, FAULT_SYSCALLS_MAX, &count);
	rc = rc ? rc : open_columns(d, count, columns, 2);
	rc = rc ? rc : decode_array(d->decode, count, sizeof(*d->faults->syscalls), &syscalls);
	if (rc)
		return rc;
	d->faults->syscalls = syscalls;
	d->faults->syscall_count = (size_t)count;
	for (uint64_t i = 0; !rc && i < count; i++) {
		uint64_t more = next(&columns[0]);
		if (more > INT32_MAX - number || (i && !more))
			return damaged(d, "system calls out of order");
		d->faults->syscalls[i].number = (int32_t)(number += more);
		rc = next_string(d, &columns[1], &d->faults->syscalls[i].name);
	}
	return rc;
}

enum { CODE_ADDRESS, CODE_PID, CODE_BEGIN, CODE_FUNCTION, CODE_FILE, CODE_LINE, CODE_OBJECT, CODE_COLUMNS };

static int take_row(struct decoder *d, struct numbers *columns, uint64_t before, struct vmsnap_fault_code *code)
{
	uint64_t gap = next(&columns[CODE_ADDRESS]), pid = next(&columns[CODE_PID]), back = next(&columns[CODE_BEGIN]);
	uint64_t line = next(&columns[CODE_LINE]), object = next(&columns[CODE_OBJECT]);
	if (gap > UINT64_MAX - before || pid > INT32_MAX || line > UINT32_MAX || object > d->faults->object_count)
		return damaged(d, "code that there is not");
	code->address = before + gap;
	if (back > code->address)
		return damaged(d, "a function that begins below the lowest address");
	code->begin = back ? code->address - (back - 1) : 0;
	code->pid = (uint32_t)pid;
	code->line = (uint32_t)line;
	code->object = object ? (uint32_t)(object - 1) : FAULT_NO_OBJECT;
	int rc = next_string(d, &columns[CODE_FUNCTION], &code->function);
	return rc ? rc : next_string(d, &columns[CODE_FILE], &code->file);
}

static int take_code(struct decoder *d)
{
	struct numbers columns[CODE_COLUMNS];
	uint64_t count;
	void *code;
	int rc = take_count(d, FAULT_CODE_MAX, &count);
	rc = rc ? rc : open_columns(d, count, columns, CODE_COLUMNS);
	rc = rc ? rc : decode_array(d->decode, count, sizeof(*d->faults->code), &code);
	if (rc)
		return rc;
	struct vmsnap_fault_code *rows = d->faults->code = code;
	d->faults->code_count = (size_t)count;
	for (uint64_t i = 0; !rc && i < count; i++) {
		rc = take_row(d, columns, i ? rows[i - 1].address : 0, &rows[i]);
		if (!rc && i && fault_code_order(&rows[i - 1], &rows[i], NULL) >= 0)
			rc = damaged(d, "code out of order");
		rc = rc ? rc : decode_step(d->decode);
	}
	return rc;
}

/* ---- faults ------------------------------------------------------------------------ */

/* Room for the stacks that faults have: all that they need is known before. */
static int stacks_room(struct decoder *d, struct numbers nodes)
{
	uint64_t stacks = 0, frames = 0;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < d->faults->count; i++) {
		uint64_t node = next(&nodes);
		if (node > d->node_count)
			return damaged(d, "a stack that there is not");
		stacks += !d->node_stack[node];
		frames += d->node_stack[node] ? 0 : d->node_depth[node];
		d->node_stack[node] = 1;
		rc = decode_step(d->decode);
	}
	if (!rc && (stacks > FAULT_STACKS_MAX || frames > FAULT_ALL_FRAMES_MAX))
		rc = damaged(d, "more stacks than there can be");
	void *items = NULL, *all = NULL;
	rc = rc ? rc : decode_array(d->decode, stacks, sizeof(*d->faults->stacks), &items);
	d->faults->stacks = items;
	rc = rc ? rc : decode_array(d->decode, frames, sizeof(*d->faults->frames), &all);
	d->faults->frames = all;
	memset(d->node_stack, 0, (size_t)(d->node_count + 1) * sizeof(*d->node_stack));
	return rc;
}

static uint32_t stack_of(struct decoder *d, uint64_t node)
{
	struct vmsnap_faults *faults = d->faults;
	if (d->node_stack[node])
		return d->node_stack[node] - 1;
	struct fault_stack *stack = &faults->stacks[faults->stack_count++];
	*stack = (struct fault_stack){ (uint32_t)faults->frame_count, d->node_depth[node] };
	for (uint64_t at = node; at; at = d->node_parent[at])
		faults->frames[faults->frame_count++] = d->node_address[at];
	work_count(&d->decode->work, stack->count);
	d->node_stack[node] = (uint32_t)faults->stack_count;
	return (uint32_t)faults->stack_count - 1;
}

enum { FAULT_TIME, FAULT_ADDRESS, FAULT_THREAD, FAULT_NODE, FAULT_COLUMNS };

static int take_place(struct decoder *d, struct numbers *columns, const struct vmsnap_fault *before,
                      struct vmsnap_fault *fault)
{
	uint64_t later = next(&columns[FAULT_TIME]), thread = next(&columns[FAULT_THREAD]);
	if (later > UINT64_MAX - before->time || thread >= d->faults->thread_count)
		return damaged(d, "a time or a thread that there is not");
	fault->time = before->time + later;
	fault->address = before->address + unzigzag(next(&columns[FAULT_ADDRESS]));
	fault->pid = d->faults->threads[thread].pid;
	fault->tid = d->faults->threads[thread].tid;
	fault->stack = stack_of(d, next(&columns[FAULT_NODE]));
	fault->syscall = FAULT_SYSCALL_NONE;
	const struct fault_stack *stack = &d->faults->stacks[fault->stack];
	fault->ip = stack->count ? d->faults->frames[stack->first] : 0;
	return VMSNAP_OK;
}

static int take_faults(struct decoder *d, struct cursor *what, struct numbers *columns)
{
	static const struct vmsnap_fault none;
	struct vmsnap_fault *items = d->faults->items;
	int rc = stacks_room(d, columns[FAULT_NODE]);
	for (size_t i = 0; !rc && i < d->faults->count; i++) {
		uint8_t byte = what->at[i];
		rc = take_place(d, columns, i ? &items[i - 1] : &none, &items[i]);
		items[i].kind = byte & EVNT_KIND;
		items[i].flags = byte >> EVNT_FLAGS_SHIFT & FAULT_FLAGS_ALL;
		if (!rc && (items[i].kind >= VMSNAP_FAULT_KIND_COUNT || byte & EVNT_NOTHING))
			rc = damaged(d, "an access that there is not");
		rc = rc ? rc : decode_step(d->decode);
	}
	return rc;
}

/* What only some have. */
static int take_rest(struct decoder *d, const struct cursor *what)
{
	struct vmsnap_fault *items = d->faults->items;
	size_t ips = 0, calls = 0;
	uint64_t ip = 0;
	struct numbers columns[2];
	for (size_t i = 0; i < d->faults->count; i++) {
		ips += (what->at[i] & EVNT_OWN_IP) != 0;
		calls += (what->at[i] & EVNT_SYSCALL) != 0;
	}
	int rc = open_column(d, ips, &columns[0]);
	rc = rc ? rc : open_column(d, calls, &columns[1]);
	for (size_t i = 0; !rc && i < d->faults->count; i++) {
		if (what->at[i] & EVNT_OWN_IP)
			items[i].ip = ip += unzigzag(next(&columns[0]));
		uint64_t number = what->at[i] & EVNT_SYSCALL ? next(&columns[1]) : 0;
		if (number > (uint64_t)INT32_MAX + 1)
			return damaged(d, "a system call that there is not");
		if (what->at[i] & EVNT_SYSCALL)
			items[i].syscall = number ? (int32_t)(number - 1) : FAULT_SYSCALL_UNKNOWN;
		rc = decode_step(d->decode);
	}
	return rc;
}

static int take_all_faults(struct decoder *d)
{
	struct numbers columns[FAULT_COLUMNS];
	struct cursor what;
	uint64_t count;
	void *items;
	int rc = take_count(d, VMSNAP_FAULTS_MAX, &count);
	rc = rc ? rc : open_columns(d, count, columns, FAULT_COLUMNS);
	if (!rc && (!take_column(&d->payload, &what) || cursor_left(&what) != count))
		rc = damaged(d, "what each access was is missing");
	rc = rc ? rc : decode_array(d->decode, count, sizeof(*d->faults->items), &items);
	if (rc)
		return rc;
	d->faults->items = items;
	d->faults->count = (size_t)count;
	rc = take_faults(d, &what, columns);
	return rc ? rc : take_rest(d, &what);
}

static int take_events(struct decoder *d)
{
	struct numbers columns[3];
	uint64_t count, time = 0;
	void *events;
	int rc = take_count(d, FAULT_EVENTS_MAX, &count);
	rc = rc ? rc : open_columns(d, count, columns, 3);
	rc = rc ? rc : decode_array(d->decode, count, sizeof(*d->faults->events), &events);
	if (rc)
		return rc;
	d->faults->events = events;
	d->faults->event_count = (size_t)count;
	for (uint64_t i = 0; !rc && i < count; i++) {
		uint64_t later = next(&columns[0]), pid = next(&columns[1]), child = next(&columns[2]);
		if (later > UINT64_MAX - time || pid > INT32_MAX || child > INT32_MAX)
			return damaged(d, "a time or a process that there is not");
		time += later;
		d->faults->events[i] = (struct vmsnap_fault_event){
			.time = time,
			.pid = (int32_t)pid,
			.child = (int32_t)child,
			.kind = child ? VMSNAP_FAULT_EVENT_FORK : VMSNAP_FAULT_EVENT_EXEC,
		};
		rc = decode_step(d->decode);
	}
	return rc;
}

enum { MEMORY_TIME, MEMORY_PID, MEMORY_KIND, MEMORY_START, MEMORY_SIZE, MEMORY_TO, MEMORY_COLUMNS };

static int take_memory_event(struct decoder *d, struct numbers *columns, const struct vmsnap_memory_event *before,
                             struct vmsnap_memory_event *event)
{
	uint64_t later = next(&columns[MEMORY_TIME]), pid = next(&columns[MEMORY_PID]);
	uint64_t kind = next(&columns[MEMORY_KIND]), size;
	event->start = before->start + unzigzag(next(&columns[MEMORY_START]));
	size = next(&columns[MEMORY_SIZE]);
	event->to = next(&columns[MEMORY_TO]);
	if (later > UINT64_MAX - before->time || pid > INT32_MAX || kind > INT32_MAX ||
	    size > UINT64_MAX - event->start)
		return damaged(d, "memory that there is not");
	event->time = before->time + later;
	event->pid = (int32_t)pid;
	event->kind = (int)kind;
	event->end = event->start + size;
	return memory_event_is_valid(event) ? VMSNAP_OK : damaged(d, "an event of memory that there is not");
}

static int take_memory_events(struct decoder *d)
{
	static const struct vmsnap_memory_event none;
	struct numbers columns[MEMORY_COLUMNS];
	uint64_t flags, count;
	void *events;
	if (!take_varint(&d->payload, &flags) || flags & ~(uint64_t)MEVT_ALL)
		return damaged(d, "a flag that there is not");
	d->faults->info.flags |= flags & MEVT_ALL ? VMSNAP_FAULTS_MEMORY : 0u;
	int rc = take_count(d, FAULT_MEMORY_EVENTS_MAX, &count);
	rc = rc ? rc : open_columns(d, count, columns, MEMORY_COLUMNS);
	rc = rc ? rc : decode_array(d->decode, count, sizeof(*d->faults->memory_events), &events);
	if (rc)
		return rc;
	struct vmsnap_memory_event *items = d->faults->memory_events = events;
	d->faults->memory_event_count = (size_t)count;
	for (uint64_t i = 0; !rc && i < count; i++) {
		rc = take_memory_event(d, columns, i ? &items[i - 1] : &none, &items[i]);
		rc = rc ? rc : decode_step(d->decode);
	}
	return rc;
}

int decode_faults(struct decode *decode, struct cursor payload)
{
	struct decoder d = { .decode = decode, .section = "EVNT", .payload = payload };
	int rc = decode_charge(decode, sizeof(*d.faults));
	if (rc)
		return rc;
	/* The snapshot frees it, whatever comes. */
	d.faults = decode->snap->faults = faults_new();
	if (!d.faults)
		return fail_no_memory(decode->err);
	rc = take_head(&d);
	rc = rc ? rc : take_strings(&d);
	rc = rc ? rc : take_tree(&d);
	rc = rc ? rc : take_objects(&d);
	rc = rc ? rc : take_threads(&d);
	rc = rc ? rc : take_syscalls(&d);
	rc = rc ? rc : take_code(&d);
	rc = rc ? rc : take_all_faults(&d);
	rc = rc ? rc : take_events(&d);
	if (!rc && cursor_left(&d.payload))
		rc = damaged(&d, "something behind its columns");
	faults_count(d.faults);
	free(d.strings);
	free(d.node_address);
	free(d.node_parent);
	free(d.node_stack);
	free(d.node_depth);
	return rc;
}

/* Of a snapshot that has no faults it says nothing. */
int decode_memory_events(struct decode *decode, struct cursor payload)
{
	struct decoder d = { .decode = decode, .section = "MEVT", .payload = payload, .faults = decode->snap->faults };
	if (!d.faults)
		return VMSNAP_OK;
	int rc = take_memory_events(&d);
	if (!rc && cursor_left(&d.payload))
		rc = damaged(&d, "something behind its columns");
	faults_count(d.faults);
	return rc;
}
