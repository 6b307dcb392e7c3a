#define _GNU_SOURCE
#include "blame_untold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "say.h"

uint64_t ticks_now(void)
{
	struct timespec now;
	uint64_t each = (uint64_t)sysconf(_SC_CLK_TCK);
	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * each + (uint64_t)now.tv_nsec * each / 1000000000u;
}

bool blamed_is_gone(int rc)
{
	return rc == VMSNAP_ERR_EXITED || rc == VMSNAP_ERR_NO_PROCESS || rc == VMSNAP_ERR_ZOMBIE;
}

/* ---- births ----------------------------------------------------------------------------- */

struct seen {
	pid_t pid;
	bool watched, told;
};
struct all_seen {
	struct seen *items; /* by their numbers, ascending */
	size_t count;
};

static int compare_seen(const void *a, const void *b)
{
	pid_t one = ((const struct seen *)a)->pid, other = ((const struct seen *)b)->pid;
	return (one > other) - (one < other);
}

static struct seen *find_seen(const struct all_seen *all, pid_t pid)
{
	const struct seen key = { .pid = pid };
	return bsearch(&key, all->items, all->count, sizeof(key), compare_seen);
}

static bool list_seen(struct all_seen *all, struct vmsnap *const *snaps, size_t count)
{
	*all = (struct all_seen){ .items = calloc(count + 1, sizeof(*all->items)), .count = count };
	for (size_t i = 0; all->items && i < count; i++)
		all->items[i].pid = (pid_t)vmsnap_info(snaps[i])->pid;
	if (all->items)
		qsort(all->items, count, sizeof(*all->items), compare_seen);
	return all->items;
}

static void mark_seen(const struct all_seen *all, const struct processes *living,
                      const struct vmsnap_fault_watch *watch)
{
	const struct vmsnap_fault_event *event;
	struct seen *seen;
	for (size_t i = 0; i < living->count; i++)
		if ((seen = find_seen(all, living->pids[i])))
			seen->watched = true;
	for (size_t i = 0; (event = vmsnap_fault_watch_event(watch, i)); i++)
		if (event->kind == VMSNAP_FAULT_EVENT_FORK && (seen = find_seen(all, event->child)))
			seen->told = true;
}

/* A child comes after its parent. */
static int add_children(const struct all_seen *all, struct vmsnap *const *snaps, struct processes *living,
                        uint64_t ticks, size_t *untold)
{
	int status = STATUS_OK;
	for (size_t i = 0; !status && i < all->count; i++) {
		const struct vmsnap_info *info = vmsnap_info(snaps[i]);
		const struct seen *parent = find_seen(all, (pid_t)info->ppid);
		struct seen *child = find_seen(all, (pid_t)info->pid);
		if (child->watched || !parent || !parent->watched || info->start_time <= ticks)
			continue;
		child->watched = true;
		*untold += !child->told;
		status = processes_add_pid(living, child->pid);
	}
	return status;
}

/* What has come until then is taken in after they were seen: who is told of by that was not lost. */
static int look_at_descendants(struct vmsnap_fault_watch *watch, struct vmsnap *const *snaps, size_t count,
                               struct processes *living, uint64_t ticks, struct untold_births *out)
{
	struct vmsnap_error err;
	struct all_seen all;
	if (vmsnap_fault_watch_read(watch, 0, &err))
		return trouble_with_process("blame", &err);
	if (!list_seen(&all, snaps, count))
		return trouble("out of memory");
	mark_seen(&all, living, watch);
	int status = add_children(&all, snaps, living, ticks, &out->count);
	free(all.items);
	return status;
}

int untold_births(struct vmsnap_fault_watch *watch, struct processes *living, uint64_t ticks, struct untold_births *out,
                  int *rc)
{
	const struct vmsnap_capture_options how = {
		.size = sizeof(how),
		.flags = VMSNAP_CAPTURE_NO_PAGES | VMSNAP_CAPTURE_NO_FREEZE | VMSNAP_CAPTURE_DESCENDANTS |
		         VMSNAP_CAPTURE_BRIEF,
	};
	struct vmsnap **snaps;
	size_t count;
	*out = (struct untold_births){ .count = 0 };
	*rc = VMSNAP_OK;
	if (!vmsnap_fault_watch_lost(watch))
		return STATUS_OK;
	int failed = vmsnap_capture_set(living->pids, living->count, &how, &snaps, &count, NULL);
	out->unseen = failed && !blamed_is_gone(failed);
	*rc = out->unseen ? VMSNAP_OK : failed;
	if (failed)
		return STATUS_OK;
	int status = look_at_descendants(watch, snaps, count, living, ticks, out);
	vmsnap_unref_all(snaps, count);
	return status;
}

void say_untold_births(const struct untold_births *births)
{
	if (births->count)
		say("blame: %zu process%s seen only at the end: records were lost, %s maybe among them", births->count,
		    births->count == 1 ? " was" : "es were",
		    births->count == 1 ? "that of its birth" : "those of their births");
	if (births->unseen)
		say("blame: records were lost, those of births maybe among them: that was not looked for, as there are "
		    "descendants that cannot be looked at");
}

/* ---- rights ----------------------------------------------------------------------------- */

/* "1000 0 0 0": who it was is not who it acts as. */
static bool acts_as_another(const struct vmsnap *snap, const char *key)
{
	struct vmsnap_status_field field;
	unsigned real, effective;
	char text[64];
	if (vmsnap_status_find(snap, key, &field) || field.text_len >= sizeof(text))
		return false;
	memcpy(text, field.text, field.text_len);
	text[field.text_len] = '\0';
	return sscanf(text, "%u %u", &real, &effective) == 2 && real != effective;
}

static bool has_executed(const struct vmsnap_fault_watch *watch, uint32_t pid)
{
	const struct vmsnap_fault_event *event;
	for (size_t i = 0; (event = vmsnap_fault_watch_event(watch, i)); i++)
		if (event->kind == VMSNAP_FAULT_EVENT_EXEC && event->pid == (int32_t)pid)
			return true;
	return false;
}

void say_gained_rights(const struct vmsnap_fault_watch *watch, struct vmsnap *const *snaps, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct vmsnap_info *info = vmsnap_info(snaps[i]);
		if ((acts_as_another(snaps[i], "Uid") || acts_as_another(snaps[i], "Gid")) &&
		    has_executed(watch, info->pid))
			say("blame: process %u acts as another user or group: if a program that it executed gave it "
			    "these rights, the kernel has told no events of it since (perf_event_open), and what they "
			    "would have told is among the unseen",
			    (unsigned)info->pid);
	}
}
