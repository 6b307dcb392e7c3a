/* file_encode_faults.c - EVNT, MEVT. */
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "file_encode.h"
#include "section.h"
#include "work.h"

struct encoder {
	const struct vmsnap_faults *faults;
	struct payload *out;
	struct work work;
	int rc;
	size_t code_count, object_count, thread_count, syscall_count, fault_count, event_count, memory_event_count;
	const char **strings; /* different ones in their order; the first is number 1, and "" is 0 */
	size_t string_count;
	uint64_t *addresses; /* of all frames, different ones in their order */
	size_t address_count;
	uint32_t *nodes;                /* of each stack, the one that it ends in */
	uint64_t *parents, *node_place; /* of each node: how far back the caller is, and which address it has */
	size_t node_count;
	uint64_t *values; /* scratch: as many as there are of anything */
	size_t value_room;
};

static void *array(struct encoder *e, size_t count, size_t size)
{
	return work_array(&e->work, count, size, &e->rc);
}

/* ---- strings ------------------------------------------------------------------ */

static int string_order(const void *a, const void *b, const void *ctx)
{
	(void)ctx;
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void gather_strings(struct encoder *e)
{
	const char **strings = e->strings;
	size_t count = 0;
	int32_t number;
	for (size_t i = 0; i < e->object_count; i++)
		strings[count++] = vmsnap_faults_object(e->faults, i)->path;
	for (size_t i = 0; i < e->thread_count; i++)
		strings[count++] = vmsnap_faults_thread(e->faults, i)->comm;
	for (size_t i = 0; i < e->syscall_count; i++)
		strings[count++] = vmsnap_faults_syscall(e->faults, i, &number);
	for (size_t i = 0; i < e->code_count; i++) {
		strings[count++] = vmsnap_faults_code(e->faults, i)->function;
		strings[count++] = vmsnap_faults_code(e->faults, i)->file;
	}
	e->string_count = count;
}

static void make_strings(struct encoder *e)
{
	e->strings =
	        array(e, e->object_count + e->thread_count + e->syscall_count + 2 * e->code_count, sizeof(*e->strings));
	if (e->rc)
		return;
	gather_strings(e);
	e->rc = work_sort(&e->work, e->strings, e->string_count, sizeof(*e->strings), string_order, NULL);
	size_t kept = 0;
	for (size_t i = 0; !e->rc && i < e->string_count; i++)
		if (*e->strings[i] && (!kept || strcmp(e->strings[kept - 1], e->strings[i]) != 0))
			e->strings[kept++] = e->strings[i];
	e->string_count = kept;
}

static uint64_t string_number(const struct encoder *e, const char *string)
{
	size_t low = 0, high = e->string_count;
	while (*string && low < high) {
		size_t middle = low + (high - low) / 2;
		int is = strcmp(e->strings[middle], string);
		if (!is)
			return middle + 1;
		if (is < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}

static void put_strings(struct encoder *e)
{
	struct bytes all = { 0 };
	for (size_t i = 0; i < e->string_count; i++)
		put_bytes(&all, e->strings[i], strlen(e->strings[i]) + 1);
	put_varint(&e->out->bytes, e->string_count);
	put_column(&e->out->bytes, all.data, all.len);
	if (all.failed)
		e->rc = VMSNAP_ERR_NO_MEMORY;
	bytes_free(&all);
	payload_cut(e->out);
}

/* ---- stacks: a tree, whose root is whoever called first -------------------------- */

static int number_order(const void *a, const void *b, const void *ctx)
{
	(void)ctx;
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
	return left < right ? -1 : left > right;
}

static void make_addresses(struct encoder *e, size_t stacks)
{
	size_t all = 0, count;
	for (size_t i = 0; i < stacks; i++, all += count)
		vmsnap_faults_stack(e->faults, (uint32_t)i, &count);
	e->addresses = array(e, all, sizeof(*e->addresses));
	if (e->rc)
		return;
	all = 0;
	for (size_t i = 0; i < stacks; i++, all += count) {
		const uint64_t *frames = vmsnap_faults_stack(e->faults, (uint32_t)i, &count);
		if (count)
			memcpy(e->addresses + all, frames, count * sizeof(*frames));
	}
	e->parents = array(e, all + 1, sizeof(*e->parents));
	e->node_place = array(e, all + 1, sizeof(*e->node_place));
	e->rc = e->rc ? e->rc : work_sort(&e->work, e->addresses, all, sizeof(*e->addresses), number_order, NULL);
	for (size_t i = 0; !e->rc && i < all; i++)
		if (!e->address_count || e->addresses[e->address_count - 1] != e->addresses[i])
			e->addresses[e->address_count++] = e->addresses[i];
}

static uint64_t address_number(const struct encoder *e, uint64_t address)
{
	size_t low = 0, high = e->address_count;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (e->addresses[middle] <= address)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* From the outermost call inwards. */
static int stack_order(const void *a, const void *b, const void *ctx)
{
	size_t left, right;
	const uint64_t *one = vmsnap_faults_stack(ctx, *(const uint32_t *)a, &left);
	const uint64_t *other = vmsnap_faults_stack(ctx, *(const uint32_t *)b, &right);
	while (left && right) {
		left--, right--;
		if (one[left] != other[right])
			return one[left] < other[right] ? -1 : 1;
	}
	return left ? 1 : right ? -1 : 0;
}

/* Neighbours in that order share what they can. */
static void make_nodes(struct encoder *e, const uint32_t *order, size_t stacks)
{
	uint32_t path[VMSNAP_FAULT_FRAMES_MAX];
	size_t depth = 0, count, before_count = 0;
	const uint64_t *before = NULL;
	for (size_t i = 0; i < stacks; i++) {
		const uint64_t *frames = vmsnap_faults_stack(e->faults, order[i], &count);
		size_t common = 0;
		while (common < depth && common < count &&
		       frames[count - 1 - common] == before[before_count - 1 - common])
			common++;
		for (depth = common; depth < count; depth++) {
			uint64_t caller = depth ? path[depth - 1] : 0;
			e->node_place[e->node_count] = address_number(e, frames[count - 1 - depth]);
			e->node_count++;
			e->parents[e->node_count - 1] = e->node_count - caller;
			path[depth] = (uint32_t)e->node_count;
		}
		e->nodes[order[i]] = count ? path[count - 1] : 0;
		before = frames;
		before_count = count;
	}
}

static void make_tree(struct encoder *e)
{
	size_t stacks = (size_t)vmsnap_faults_info(e->faults)->stacks;
	uint32_t *order = array(e, stacks, sizeof(*order));
	e->nodes = array(e, stacks, sizeof(*e->nodes));
	if (!e->rc)
		make_addresses(e, stacks);
	for (size_t i = 0; !e->rc && i < stacks; i++)
		order[i] = (uint32_t)i;
	e->rc = e->rc ? e->rc : work_sort(&e->work, order, stacks, sizeof(*order), stack_order, e->faults);
	if (!e->rc)
		make_nodes(e, order, stacks);
	free(order);
}

static void put_tree(struct encoder *e)
{
	uint64_t before = 0;
	for (size_t i = 0; i < e->address_count; i++) {
		uint64_t address = e->addresses[i];
		e->addresses[i] -= before;
		before = address;
	}
	put_varint(&e->out->bytes, e->address_count);
	put_numbers(&e->out->bytes, e->addresses, e->address_count);
	put_varint(&e->out->bytes, e->node_count);
	put_numbers(&e->out->bytes, e->parents, e->node_count);
	put_numbers(&e->out->bytes, e->node_place, e->node_count);
	payload_cut(e->out);
}

/* ---- names ---------------------------------------------------------------------- */

/* A column of what a function tells of each of them. */
typedef uint64_t (*number_fn)(const struct encoder *e, size_t index, uint64_t *before);
static void put_of(struct encoder *e, size_t count, number_fn number)
{
	uint64_t before = 0;
	for (size_t i = 0; i < count; i++)
		e->values[i] = number(e, i, &before);
	put_numbers(&e->out->bytes, e->values, count);
}

static uint64_t minus(uint64_t value, uint64_t *before)
{
	uint64_t difference = value - *before;
	*before = value;
	return difference;
}

static uint64_t object_path(const struct encoder *e, size_t i, uint64_t *before)
{
	(void)before;
	return string_number(e, vmsnap_faults_object(e->faults, i)->path);
}

static uint64_t object_start(const struct encoder *e, size_t i, uint64_t *before)
{
	return zigzag(minus(vmsnap_faults_object(e->faults, i)->start, before));
}

static uint64_t object_size(const struct encoder *e, size_t i, uint64_t *before)
{
	(void)before;
	return vmsnap_faults_object(e->faults, i)->end - vmsnap_faults_object(e->faults, i)->start;
}

static uint64_t object_offset(const struct encoder *e, size_t i, uint64_t *before)
{
	(void)before;
	return vmsnap_faults_object(e->faults, i)->offset;
}

static void put_objects(struct encoder *e)
{
	struct bytes ids = { 0 };
	put_varint(&e->out->bytes, e->object_count);
	put_of(e, e->object_count, object_path);
	put_varint(&e->out->bytes, e->object_count);
	for (size_t i = 0; i < e->object_count; i++) {
		const struct vmsnap_fault_object *object = vmsnap_faults_object(e->faults, i);
		uint8_t len = (uint8_t)object->build_id_len;
		put_bytes(&e->out->bytes, &len, 1);
		put_bytes(&ids, object->build_id, len);
	}
	put_column(&e->out->bytes, ids.data, ids.len);
	if (ids.failed)
		e->rc = VMSNAP_ERR_NO_MEMORY;
	bytes_free(&ids);
	put_of(e, e->object_count, object_start);
	put_of(e, e->object_count, object_size);
	put_of(e, e->object_count, object_offset);
}

static uint64_t thread_pid(const struct encoder *e, size_t i, uint64_t *before)
{
	return minus((uint64_t)vmsnap_faults_thread(e->faults, i)->pid, before);
}

static uint64_t thread_tid(const struct encoder *e, size_t i, uint64_t *before)
{
	return zigzag(minus((uint64_t)vmsnap_faults_thread(e->faults, i)->tid, before));
}

static uint64_t thread_comm(const struct encoder *e, size_t i, uint64_t *before)
{
	(void)before;
	return string_number(e, vmsnap_faults_thread(e->faults, i)->comm);
}

static uint64_t syscall_number(const struct encoder *e, size_t i, uint64_t *before)
{
	int32_t number = 0;
	vmsnap_faults_syscall(e->faults, i, &number);
	return minus((uint64_t)number, before);
}

static uint64_t syscall_name(const struct encoder *e, size_t i, uint64_t *before)
{
	int32_t number;
	(void)before;
	return string_number(e, vmsnap_faults_syscall(e->faults, i, &number));
}

static uint64_t code_address(const struct encoder *e, size_t i, uint64_t *before)
{
	return minus(vmsnap_faults_code(e->faults, i)->address, before);
}

static uint64_t code_pid(const struct encoder *e, size_t i, uint64_t *before)
{
	(void)before;
	return vmsnap_faults_code(e->faults, i)->pid;
}

static uint64_t code_begin(const struct encoder *e, size_t i, uint64_t *before)
{
	const struct vmsnap_fault_code *code = vmsnap_faults_code(e->faults, i);
	(void)before;
	return code->begin ? code->address - code->begin + 1 : 0;
}

static uint64_t code_function(const struct encoder *e, size_t i, uint64_t *before)
{
	(void)before;
	return string_number(e, vmsnap_faults_code(e->faults, i)->function);
}

static uint64_t code_file(const struct encoder *e, size_t i, uint64_t *before)
{
	(void)before;
	return string_number(e, vmsnap_faults_code(e->faults, i)->file);
}

static uint64_t code_line(const struct encoder *e, size_t i, uint64_t *before)
{
	(void)before;
	return vmsnap_faults_code(e->faults, i)->line;
}

static uint64_t code_object(const struct encoder *e, size_t i, uint64_t *before)
{
	(void)before;
	return (uint32_t)(vmsnap_faults_code(e->faults, i)->object + 1); /* of none: 0 */
}

static void put_names(struct encoder *e)
{
	put_objects(e);
	put_varint(&e->out->bytes, e->thread_count);
	put_of(e, e->thread_count, thread_pid);
	put_of(e, e->thread_count, thread_tid);
	put_of(e, e->thread_count, thread_comm);
	put_varint(&e->out->bytes, e->syscall_count);
	put_of(e, e->syscall_count, syscall_number);
	put_of(e, e->syscall_count, syscall_name);
	payload_cut(e->out);
	static const number_fn code[] = { code_address, code_pid,  code_begin, code_function,
		                          code_file,    code_line, code_object };
	put_varint(&e->out->bytes, e->code_count);
	for (size_t i = 0; i < sizeof(code) / sizeof(*code); i++)
		put_of(e, e->code_count, code[i]);
	payload_cut(e->out);
}

/* ---- faults ---------------------------------------------------------------------- */

static uint64_t fault_time(const struct encoder *e, size_t i, uint64_t *before)
{
	return minus(vmsnap_faults_at(e->faults, i)->time, before);
}

static uint64_t fault_address(const struct encoder *e, size_t i, uint64_t *before)
{
	return zigzag(minus(vmsnap_faults_at(e->faults, i)->address, before));
}

static uint64_t fault_thread(const struct encoder *e, size_t i, uint64_t *before)
{
	const struct vmsnap_fault *fault = vmsnap_faults_at(e->faults, i);
	const struct vmsnap_fault_thread *found = vmsnap_faults_thread(e->faults, (size_t)*before);
	if (found && found->pid == fault->pid && found->tid == fault->tid)
		return *before;
	size_t low = 0, high = e->thread_count;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		const struct vmsnap_fault_thread *thread = vmsnap_faults_thread(e->faults, middle);
		bool above = thread->pid != fault->pid ? thread->pid > fault->pid : thread->tid > fault->tid;
		low = above ? low : middle;
		high = above ? middle : high;
	}
	*before = low;
	return low;
}

static uint64_t fault_stack(const struct encoder *e, size_t i, uint64_t *before)
{
	(void)before;
	return e->nodes[vmsnap_faults_at(e->faults, i)->stack];
}

static bool has_own_ip(const struct encoder *e, const struct vmsnap_fault *fault)
{
	size_t count;
	const uint64_t *frames = vmsnap_faults_stack(e->faults, fault->stack, &count);
	return fault->ip != (count ? frames[0] : 0);
}

static void put_what(struct encoder *e)
{
	put_varint(&e->out->bytes, e->fault_count);
	for (size_t i = 0; i < e->fault_count; i++) {
		const struct vmsnap_fault *fault = vmsnap_faults_at(e->faults, i);
		uint8_t what =
		        (uint8_t)(fault->kind | fault->flags << EVNT_FLAGS_SHIFT |
		                  (has_own_ip(e, fault) ? EVNT_OWN_IP : 0) | (fault->syscall != -1 ? EVNT_SYSCALL : 0));
		put_bytes(&e->out->bytes, &what, 1);
	}
}

static void put_rest(struct encoder *e)
{
	size_t ips = 0, calls = 0;
	uint64_t before = 0;
	for (size_t i = 0; i < e->fault_count; i++) {
		const struct vmsnap_fault *fault = vmsnap_faults_at(e->faults, i);
		if (has_own_ip(e, fault))
			e->values[ips++] = zigzag(minus(fault->ip, &before));
	}
	put_numbers(&e->out->bytes, e->values, ips);
	for (size_t i = 0; i < e->fault_count; i++) {
		int32_t number = vmsnap_faults_at(e->faults, i)->syscall;
		if (number != -1)
			e->values[calls++] = number < 0 ? 0 : (uint64_t)number + 1;
	}
	put_numbers(&e->out->bytes, e->values, calls);
}

static void put_faults(struct encoder *e)
{
	static const number_fn columns[] = { fault_time, fault_address, fault_thread, fault_stack };
	put_varint(&e->out->bytes, e->fault_count);
	for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++) {
		put_of(e, e->fault_count, columns[i]);
		payload_cut(e->out);
	}
	put_what(e);
	put_rest(e);
}

static uint64_t event_time(const struct encoder *e, size_t i, uint64_t *before)
{
	return minus(vmsnap_faults_event(e->faults, i)->time, before);
}

static uint64_t event_pid(const struct encoder *e, size_t i, uint64_t *before)
{
	(void)before;
	return (uint64_t)vmsnap_faults_event(e->faults, i)->pid;
}

static uint64_t event_child(const struct encoder *e, size_t i, uint64_t *before)
{
	(void)before;
	return (uint64_t)vmsnap_faults_event(e->faults, i)->child;
}

static void put_events(struct encoder *e)
{
	put_varint(&e->out->bytes, e->event_count);
	put_of(e, e->event_count, event_time);
	put_of(e, e->event_count, event_pid);
	put_of(e, e->event_count, event_child);
}

/* Zero where it says nothing. */
static uint64_t memory_event_time(const struct encoder *e, size_t i, uint64_t *before)
{
	return minus(vmsnap_faults_memory_event(e->faults, i)->time, before);
}

static uint64_t memory_event_pid(const struct encoder *e, size_t i, uint64_t *before)
{
	(void)before;
	return (uint64_t)vmsnap_faults_memory_event(e->faults, i)->pid;
}

static uint64_t memory_event_kind(const struct encoder *e, size_t i, uint64_t *before)
{
	(void)before;
	return (uint64_t)vmsnap_faults_memory_event(e->faults, i)->kind;
}

static uint64_t memory_event_start(const struct encoder *e, size_t i, uint64_t *before)
{
	return zigzag(minus(vmsnap_faults_memory_event(e->faults, i)->start, before));
}

static uint64_t memory_event_size(const struct encoder *e, size_t i, uint64_t *before)
{
	const struct vmsnap_memory_event *event = vmsnap_faults_memory_event(e->faults, i);
	(void)before;
	return event->end - event->start;
}

static uint64_t memory_event_to(const struct encoder *e, size_t i, uint64_t *before)
{
	(void)before;
	return vmsnap_faults_memory_event(e->faults, i)->to;
}

static void put_memory_events(struct encoder *e)
{
	static const number_fn columns[] = { memory_event_time,  memory_event_pid,  memory_event_kind,
		                             memory_event_start, memory_event_size, memory_event_to };
	put_varint(&e->out->bytes, vmsnap_faults_info(e->faults)->flags & VMSNAP_FAULTS_MEMORY ? MEVT_ALL : 0);
	put_varint(&e->out->bytes, e->memory_event_count);
	for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++)
		put_of(e, e->memory_event_count, columns[i]);
}

static void put_all(struct encoder *e)
{
	const struct vmsnap_faults_info *info = vmsnap_faults_info(e->faults);
	struct bytes *bytes = &e->out->bytes;
	put_varint(bytes, info->begin);
	put_varint(bytes, info->end - info->begin);
	put_varint(bytes, info->lost + 1); /* nobody knows how many: 0 */
	put_varint(bytes, info->flags & EVNT_WATCHED);
	put_varint(bytes, info->pid);
	put_strings(e);
	put_tree(e);
	put_names(e);
	put_faults(e);
	put_events(e);
}

static size_t most(size_t a, size_t b)
{
	return a > b ? a : b;
}

static void count_all(struct encoder *e)
{
	int32_t number;
	while (vmsnap_faults_code(e->faults, e->code_count))
		e->code_count++;
	while (vmsnap_faults_object(e->faults, e->object_count))
		e->object_count++;
	while (vmsnap_faults_thread(e->faults, e->thread_count))
		e->thread_count++;
	while (vmsnap_faults_syscall(e->faults, e->syscall_count, &number))
		e->syscall_count++;
	while (vmsnap_faults_event(e->faults, e->event_count))
		e->event_count++;
	e->fault_count = vmsnap_faults_count(e->faults);
	e->value_room = most(most(e->code_count, e->object_count), most(e->thread_count, e->syscall_count));
	e->value_room = most(e->value_room, most(e->fault_count, e->event_count));
}

int encode_faults(const struct vmsnap *snap, struct payload *out, struct vmsnap_error *err)
{
	struct encoder e = { .faults = vmsnap_faults_of(snap), .out = out, .work = { .limit = WORK_UNLIMITED } };
	count_all(&e);
	e.values = array(&e, e.value_room, sizeof(*e.values));
	if (!e.rc)
		make_strings(&e);
	if (!e.rc)
		make_tree(&e);
	if (!e.rc)
		put_all(&e);
	free(e.strings);
	free(e.addresses);
	free(e.nodes);
	free(e.parents);
	free(e.node_place);
	free(e.values);
	return e.rc || encode_done(out) ? fail_no_memory(err) : VMSNAP_OK;
}

int encode_memory_events(const struct vmsnap *snap, struct payload *out, struct vmsnap_error *err)
{
	struct encoder e = { .faults = vmsnap_faults_of(snap), .out = out, .work = { .limit = WORK_UNLIMITED } };
	while (vmsnap_faults_memory_event(e.faults, e.memory_event_count))
		e.memory_event_count++;
	e.values = array(&e, e.memory_event_count, sizeof(*e.values));
	if (!e.rc)
		put_memory_events(&e);
	free(e.values);
	return e.rc || encode_done(out) ? fail_no_memory(err) : VMSNAP_OK;
}
