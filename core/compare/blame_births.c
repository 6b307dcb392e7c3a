#include "blame_births.h"

int32_t blame_number_of(const struct blame_process *process)
{
	return (int32_t)vmsnap_info(process->after)->tgid;
}

uint64_t blame_since(const struct blame_process *process)
{
	uint64_t before = process->before ? (uint64_t)vmsnap_info(process->before)->monotonic : 0;
	return process->born.time ? process->born.time : before;
}

bool blame_is_known(const struct blame_process *process)
{
	return process->before || process->executed;
}

static int by_pid(const void *x, const void *y, const void *ctx)
{
	const struct blame_birth *a = x, *b = y;
	(void)ctx;
	return (a->pid > b->pid) - (a->pid < b->pid);
}

int blame_births_make(struct blame_births *births, const struct vmsnap_fault_event *events, size_t count,
                      struct work *work)
{
	int rc = VMSNAP_OK;
	*births = (struct blame_births){ .events = events };
	for (size_t i = 0; !rc && i < count; i++) {
		bool fork = events[i].kind == VMSNAP_FAULT_EVENT_FORK;
		if (WORK_ROOM(work, births->own, births->own_count, &births->own_room, &rc))
			births->own[births->own_count++] =
			        (struct blame_birth){ fork ? events[i].child : events[i].pid, i };
		if (fork && WORK_ROOM(work, births->children, births->child_count, &births->child_room, &rc))
			births->children[births->child_count++] = (struct blame_birth){ events[i].pid, i };
		rc = rc ? rc : work_step(work);
	}
	rc = rc ? rc : work_sort(work, births->own, births->own_count, sizeof(*births->own), by_pid, NULL);
	return rc ? rc
	          : work_sort(work, births->children, births->child_count, sizeof(*births->children), by_pid, NULL);
}

void blame_births_free(struct blame_births *births, struct work *work)
{
	work_free(work, births->own, births->own_room, sizeof(*births->own));
	work_free(work, births->children, births->child_room, sizeof(*births->children));
	*births = (struct blame_births){ .own_count = 0 };
}

/* The first of a process that is this event, or behind it. */
static size_t first_from(const struct blame_birth *items, size_t count, int32_t pid, size_t event)
{
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (items[middle].pid < pid || (items[middle].pid == pid && items[middle].event < event))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const struct vmsnap *find_pid(const struct vmsnap *const *snaps, size_t count, int32_t pid)
{
	for (size_t i = 0; i < count; i++)
		if ((int32_t)vmsnap_info(snaps[i])->tgid == pid)
			return snaps[i];
	return NULL;
}

/* Of one that was forked meanwhile what its parent had before is what it began with; or its parent's parent. */
static void find_birth(const struct blame_births *births, struct blame_process *process,
                       const struct vmsnap *const *before, size_t before_count)
{
	int32_t pid = blame_number_of(process);
	size_t at = first_from(births->own, births->own_count, pid, SIZE_MAX);
	while (at > 0 && births->own[at - 1].pid == pid) {
		size_t which = births->own[--at].event;
		const struct vmsnap_fault_event *event = &births->events[which];
		if (event->kind == VMSNAP_FAULT_EVENT_EXEC && !process->executed)
			process->executed = event->time;
		if (event->kind != VMSNAP_FAULT_EVENT_FORK || process->before)
			continue;
		if (!process->born.time)
			process->born = *event;
		process->before = vmsnap_ref(find_pid(before, before_count, event->pid));
		pid = event->pid;
		at = first_from(births->own, births->own_count, pid, which);
	}
}

static void find_before(struct blame_process *process, const struct vmsnap *const *before, size_t before_count)
{
	for (size_t i = 0; i < before_count && !process->before; i++)
		if (vmsnap_same_process(before[i], process->after))
			process->before = vmsnap_ref(before[i]);
}

void blame_births_find(const struct blame_births *births, struct blame_process *process,
                       const struct vmsnap *const *before, size_t before_count)
{
	find_before(process, before, before_count);
	find_birth(births, process, before, before_count);
}

const struct vmsnap_fault_event *blame_births_child(const struct blame_births *births, int32_t pid, size_t *at)
{
	size_t next = *at ? *at : first_from(births->children, births->child_count, pid, 0);
	if (next == births->child_count || births->children[next].pid != pid)
		return NULL;
	*at = next + 1;
	return &births->events[births->children[next].event];
}
