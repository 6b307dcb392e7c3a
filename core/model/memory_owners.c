#include "memory_owners.h"

static int by_pid(const void *x, const void *y, const void *ctx)
{
	const struct memory_owner *a = x, *b = y;
	(void)ctx;
	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return (a->from > b->from) - (a->from < b->from);
}

/* The last that began by then; NULL: none. */
static struct memory_owner *find(const struct memory_owners *owners, int32_t pid, uint64_t time)
{
	size_t low = 0, high = owners->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct memory_owner *owner = &owners->items[middle];
		if (owner->pid < pid || (owner->pid == pid && owner->from <= time))
			low = middle + 1;
		else
			high = middle;
	}
	return low && owners->items[low - 1].pid == pid ? &owners->items[low - 1] : NULL;
}

/* It executed another program, or its number is somebody else's by now. */
static void note_end(const struct memory_owners *owners, int32_t pid, uint64_t time)
{
	struct memory_owner *owner = find(owners, pid, time);
	if (owner && owner->from < time && time < owner->until)
		owner->until = time;
}

/* Where it is told once more, what was told before ends there. */
static void end_at_next(const struct memory_owners *owners)
{
	for (size_t i = 1; i < owners->count; i++) {
		struct memory_owner *one = &owners->items[i - 1];
		if (one->pid == owners->items[i].pid && one->until > owners->items[i].from)
			one->until = owners->items[i].from;
	}
}

int memory_owners_add(struct memory_owners *owners, const struct vmsnap_faults *faults, struct work *work)
{
	const struct vmsnap_memory_event *memory;
	const struct vmsnap_fault_event *event;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && (memory = vmsnap_faults_memory_event(faults, i)); i++)
		if (memory->kind == VMSNAP_MEMORY_EVENT_SHARED &&
		    WORK_ROOM(work, owners->items, owners->count, &owners->room, &rc))
			owners->items[owners->count++] = (struct memory_owner){
				.from = memory->time,
				.until = UINT64_MAX,
				.pid = memory->pid,
				.parent = (int32_t)memory->to,
			};
	rc = rc ? rc : work_sort(work, owners->items, owners->count, sizeof(*owners->items), by_pid, NULL);
	if (!rc)
		end_at_next(owners);
	for (size_t i = 0; !rc && owners->count && (event = vmsnap_faults_event(faults, i)); i++)
		note_end(owners, event->kind == VMSNAP_FAULT_EVENT_FORK ? event->child : event->pid, event->time);
	return rc;
}

int memory_owners_make(struct memory_owners *owners, const struct vmsnap_faults *faults, struct work *work)
{
	*owners = (struct memory_owners){ .count = 0 };
	return memory_owners_add(owners, faults, work);
}

void memory_owners_forget(struct memory_owners *owners, uint64_t time)
{
	size_t kept = 0;
	for (size_t i = 0; i < owners->count; i++)
		if (owners->items[i].until >= time)
			owners->items[kept++] = owners->items[i];
	owners->count = kept;
}

void memory_owners_free(struct memory_owners *owners, struct work *work)
{
	work_free(work, owners->items, owners->room, sizeof(*owners->items));
	*owners = (struct memory_owners){ .count = 0 };
}

int32_t memory_owner_at(const struct memory_owners *owners, int32_t pid, uint64_t time)
{
	enum { GENERATIONS = 16 };
	for (int i = 0; i < GENERATIONS; i++) {
		const struct memory_owner *owner = owners->count ? find(owners, pid, time) : NULL;
		if (!owner || time >= owner->until)
			break;
		pid = owner->parent;
		time = owner->from;
	}
	return pid;
}
