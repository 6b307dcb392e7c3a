/* fault_code.c - what the addresses of code are that page faults came from: vmsnap_faults_name(). */
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "names.h"

/* An address in a process. */
struct place {
	int32_t pid;
	uint64_t address;
	uint64_t time; /* of the first fault from there */
	bool named;
	const struct vmsnap_vma *vma; /* where it lies in the snapshot that is being asked */
};
struct stack_of {
	int32_t pid;
	uint32_t stack;
	uint64_t time; /* of the first */
};
struct naming_faults {
	const struct vmsnap_faults *faults;
	const struct vmsnap *const *snaps;
	size_t count;
	const struct vmsnap_fault_event *events;
	size_t event_count;
	struct vmsnap_names *names;
	struct vmsnap_faults_builder *builder;
	struct place *places; /* by process, then address; each once */
	size_t place_count;
	const struct vmsnap_vma *object_of; /* the last one that was added */
	uint32_t object;
	struct vmsnap_error *err;
};

/* ---- which ------------------------------------------------------------------------------ */

static int by_stack(const void *x, const void *y)
{
	const struct stack_of *a = x, *b = y;
	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return (a->stack > b->stack) - (a->stack < b->stack);
}

static int by_place(const void *x, const void *y)
{
	const struct place *a = x, *b = y;
	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return (a->address > b->address) - (a->address < b->address);
}

static uint64_t executed_at(const struct naming_faults *naming, int32_t pid)
{
	uint64_t at = 0;
	for (size_t i = 0; i < naming->event_count; i++)
		if (naming->events[i].kind == VMSNAP_FAULT_EVENT_EXEC && naming->events[i].pid == pid)
			at = naming->events[i].time;
	return at;
}

static int by_stack_and_time(const void *x, const void *y)
{
	const struct stack_of *a = x, *b = y;
	int is = by_stack(x, y);
	return is ? is : (a->time > b->time) - (a->time < b->time);
}

static int by_place_and_time(const void *x, const void *y)
{
	const struct place *a = x, *b = y;
	int is = by_place(x, y);
	return is ? is : (a->time > b->time) - (a->time < b->time);
}

/* order: of what is the same, too, of which the first is kept. */
static size_t drop_doubles(void *items, size_t count, size_t size, int (*order)(const void *, const void *),
                           int (*same)(const void *, const void *))
{
	char *bytes = items;
	size_t kept = 0;
	qsort(items, count, size, order);
	for (size_t i = 0; i < count; i++)
		if (!kept || same(bytes + (kept - 1) * size, bytes + i * size) != 0)
			memmove(bytes + kept++ * size, bytes + i * size, size);
	return kept;
}

/* Those of the program that a process executes now. */
static struct stack_of *stacks_of(const struct naming_faults *naming, size_t *count)
{
	size_t all = vmsnap_faults_count(naming->faults);
	struct stack_of *stacks = calloc(all + 1, sizeof(*stacks));
	int32_t pid = 0;
	uint64_t executed = 0;
	*count = 0;
	for (size_t i = 0; stacks && i < all; i++) {
		const struct vmsnap_fault *fault = vmsnap_faults_at(naming->faults, i);
		if (fault->pid != pid)
			executed = executed_at(naming, fault->pid);
		pid = fault->pid;
		if (fault->time >= executed)
			stacks[(*count)++] = (struct stack_of){ fault->pid, fault->stack, fault->time };
	}
	if (stacks)
		*count = drop_doubles(stacks, *count, sizeof(*stacks), by_stack_and_time, by_stack);
	return stacks;
}

static int find_places(struct naming_faults *naming)
{
	size_t count, frames, all = 0;
	CLEANUP_FREE struct stack_of *stacks = stacks_of(naming, &count);
	for (size_t i = 0; stacks && i < count; i++) {
		vmsnap_faults_stack(naming->faults, stacks[i].stack, &frames);
		all += frames;
	}
	naming->places = calloc(all + 1, sizeof(*naming->places));
	if (!stacks || !naming->places)
		return fail_no_memory(naming->err);
	for (size_t i = 0; i < count; i++) {
		const uint64_t *at = vmsnap_faults_stack(naming->faults, stacks[i].stack, &frames);
		for (size_t k = 0; k < frames; k++)
			naming->places[naming->place_count++] =
			        (struct place){ .pid = stacks[i].pid, .address = at[k], .time = stacks[i].time };
	}
	naming->place_count =
	        drop_doubles(naming->places, naming->place_count, sizeof(*naming->places), by_place_and_time, by_place);
	return VMSNAP_OK;
}

/* ---- what they are ---------------------------------------------------------------------- */

static bool is_of(const struct vmsnap *snap, int32_t pid)
{
	return (int32_t)vmsnap_info(snap)->tgid == pid;
}

/* Whose memory a process has, as far as it was seen: its own, or its parent's, as it was forked meanwhile. */
static int32_t seen_as(const struct naming_faults *naming, int32_t pid)
{
	for (size_t rounds = 0; rounds <= naming->event_count; rounds++) {
		int32_t parent = 0;
		for (size_t i = 0; i < naming->count; i++)
			if (is_of(naming->snaps[i], pid))
				return pid;
		if (executed_at(naming, pid))
			return 0;
		for (size_t i = 0; i < naming->event_count; i++)
			if (naming->events[i].kind == VMSNAP_FAULT_EVENT_FORK && naming->events[i].child == pid)
				parent = naming->events[i].pid;
		if (!parent)
			return 0;
		pid = parent;
	}
	return 0;
}

static bool same_code(const struct vmsnap_vma *a, const struct vmsnap_vma *b, uint64_t address)
{
	return !strcmp(a->name, b->name) && a->inode == b->inode && a->dev_major == b->dev_major &&
	       a->dev_minor == b->dev_minor &&
	       (!a->inode || a->offset + (address - a->start) == b->offset + (address - b->start));
}

/* NULL: it is no code there, or another snapshot has something else in that place. */
static const struct vmsnap_vma *code_in(const struct naming_faults *naming, const struct vmsnap *snap, int32_t pid,
                                        uint64_t address)
{
	const struct vmsnap_vma *vma = vmsnap_vma_at(snap, address);
	if (!vma || !(vma->perms & VMSNAP_PERM_EXEC))
		return NULL;
	for (size_t i = 0; i < naming->count; i++) {
		const struct vmsnap_vma *other = is_of(naming->snaps[i], pid) && !executed_at(naming, pid)
		                                         ? vmsnap_vma_at(naming->snaps[i], address)
		                                         : NULL;
		if (other && !same_code(vma, other, address))
			return NULL;
	}
	return vma;
}

static int add_object(struct naming_faults *naming, const struct vmsnap_vma *vma)
{
	struct vmsnap_fault_object object = {
		.path = vma->name,
		.build_id = vma->build_id,
		.build_id_len = vma->build_id_len,
		.start = vma->start,
		.end = vma->end,
		.offset = vma->offset,
	};
	if (naming->object_of == vma)
		return VMSNAP_OK;
	naming->object_of = vma;
	return vmsnap_faults_builder_add_object(naming->builder, &object, &naming->object, naming->err);
}

static int add_code(struct naming_faults *naming, struct place *place, const struct names_line *line)
{
	struct vmsnap_name name;
	int rc = vmsnap_name_at(naming->names, place->address, &name);
	if (rc && rc != VMSNAP_ERR_NOT_FOUND)
		return fail(naming->err, rc, rc == VMSNAP_ERR_CANCELLED ? "cancelled" : "out of memory");
	bool function =
	        !rc && name.symbol && (name.kind == VMSNAP_NAME_FUNCTION || name.kind == VMSNAP_NAME_OTHER_SYMBOL);
	rc = add_object(naming, place->vma);
	struct vmsnap_fault_code code = {
		.address = place->address,
		.pid = (uint32_t)place->pid,
		.begin = function ? name.address : 0,
		.function = function ? name.symbol : "",
		.file = line->file ? line->file : "",
		.line = line->line,
		.object = naming->object,
	};
	place->named = true;
	place->vma = NULL;
	return rc ? rc : vmsnap_faults_builder_add_code(naming->builder, &code, naming->err);
}

/* Places [first, last) are of one process, which is seen as that one. */
struct group {
	int32_t pid, as;
	size_t first, last;
};

static struct group *groups_of(const struct naming_faults *naming, size_t *count)
{
	struct group *groups = calloc(naming->place_count + 1, sizeof(*groups));
	*count = 0;
	for (size_t i = 0; groups && i < naming->place_count; i++) {
		int32_t pid = naming->places[i].pid;
		if (!*count || groups[*count - 1].pid != pid)
			groups[(*count)++] = (struct group){ pid, seen_as(naming, pid), i, i };
		groups[*count - 1].last = i + 1;
	}
	return groups;
}

static size_t place_from(const struct naming_faults *naming, const struct group *group, uint64_t address)
{
	size_t low = group->first, high = group->last;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		low = naming->places[middle].address < address ? middle + 1 : low;
		high = naming->places[middle].address < address ? high : middle;
	}
	return low;
}

/* What was unmapped after a fault from there was not what the snapshots have there, or need not have been. */
static int leave_out_unmapped(struct naming_faults *naming)
{
	const struct vmsnap_memory_event *event;
	size_t count;
	CLEANUP_FREE struct group *groups = groups_of(naming, &count);
	if (!groups)
		return fail_no_memory(naming->err);
	for (size_t i = 0; (event = vmsnap_faults_memory_event(naming->faults, i)); i++) {
		bool gone = event->kind == VMSNAP_MEMORY_EVENT_GIVEN_BACK || event->kind == VMSNAP_MEMORY_EVENT_MOVED;
		for (size_t k = 0; gone && k < count; k++) {
			const struct group *group = &groups[k];
			if (group->pid != event->pid && group->as != event->pid)
				continue;
			for (size_t at = place_from(naming, group, event->start);
			     at < group->last && naming->places[at].address < event->end; at++)
				naming->places[at].named |= naming->places[at].time < event->time;
		}
	}
	return VMSNAP_OK;
}

/* Which places a snapshot tells of: their .vma is not NULL then.  How many. */
static size_t places_in(struct naming_faults *naming, const struct vmsnap *snap)
{
	int32_t pid = 0, as = 0;
	size_t count = 0;
	for (size_t i = 0; i < naming->place_count; i++) {
		struct place *place = &naming->places[i];
		if (place->pid != pid)
			as = seen_as(naming, place->pid);
		pid = place->pid;
		place->vma = as && is_of(snap, as) && !place->named ? code_in(naming, snap, as, place->address) : NULL;
		count += place->vma != NULL;
	}
	return count;
}

static int name_by(struct naming_faults *naming, const struct vmsnap *snap)
{
	size_t count = places_in(naming, snap), at = 0;
	naming->object_of = NULL;
	if (!count)
		return VMSNAP_OK;
	CLEANUP_FREE struct names_line *lines = calloc(count, sizeof(*lines));
	int rc = lines ? vmsnap_names_rebind(naming->names, snap, naming->err) : fail_no_memory(naming->err);
	for (size_t i = 0; !rc && i < naming->place_count; i++)
		if (naming->places[i].vma)
			lines[at++].address = naming->places[i].address;
	if (!rc && names_lines(naming->names, lines, count))
		rc = fail(naming->err, VMSNAP_ERR_NO_MEMORY, "out of memory, or cancelled");
	for (size_t i = at = 0; !rc && i < naming->place_count; i++)
		if (naming->places[i].vma)
			rc = add_code(naming, &naming->places[i], &lines[at++]);
	return rc;
}

static int add_threads(struct naming_faults *naming, const struct vmsnap *snap)
{
	const struct vmsnap_thread *thread;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && (thread = vmsnap_thread(snap, i)); i++)
		rc = vmsnap_faults_builder_add_thread(naming->builder, (int32_t)vmsnap_info(snap)->tgid,
		                                      (int32_t)thread->tid, thread->comm, naming->err);
	return rc;
}

/* The later ones first, as they are given last. */
static int name_all(struct naming_faults *naming, struct vmsnap_faults **out)
{
	int rc = find_places(naming);
	rc = rc ? rc : leave_out_unmapped(naming);
	for (size_t i = naming->count; !rc && i-- > 0;)
		rc = name_by(naming, naming->snaps[i]);
	for (size_t i = 0; !rc && i < naming->count; i++)
		rc = add_threads(naming, naming->snaps[i]);
	return rc ? rc : vmsnap_faults_builder_finish(naming->builder, out, naming->err);
}

VMSNAP_API int vmsnap_faults_name(const struct vmsnap_faults *faults, const struct vmsnap *const *snaps, size_t count,
                                  const struct vmsnap_fault_event *events, size_t event_count,
                                  struct vmsnap_names *names, struct vmsnap_faults **out, struct vmsnap_error *err)
{
	struct naming_faults naming = {
		.faults = faults,
		.snaps = snaps,
		.count = count,
		.events = events,
		.event_count = event_count,
		.names = names,
		.err = err,
	};
	int rc = vmsnap_faults_builder_new(faults, &naming.builder, err);
	rc = rc ? rc : name_all(&naming, out);
	vmsnap_faults_builder_free(naming.builder);
	free(naming.places);
	return rc;
}
