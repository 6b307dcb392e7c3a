#define _GNU_SOURCE
#include "blame_untold.h"

#include <stdio.h>
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

static bool is_of(const struct processes *all, pid_t pid)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->pids[i] == pid)
			return true;
	return false;
}

int untold_births(struct processes *living, uint64_t ticks, size_t *found)
{
	const struct vmsnap_capture_options how = {
		.size = sizeof(how),
		.flags = VMSNAP_CAPTURE_NO_PAGES | VMSNAP_CAPTURE_NO_FREEZE | VMSNAP_CAPTURE_DESCENDANTS |
		         VMSNAP_CAPTURE_BRIEF,
	};
	struct vmsnap **snaps;
	size_t count, before = living->count;
	int status = STATUS_OK;
	*found = 0;
	if (vmsnap_capture_set(living->pids, living->count, &how, &snaps, &count, NULL))
		return STATUS_OK; /* one of them is gone */
	for (size_t i = 0; !status && i < count; i++) {
		const struct vmsnap_info *info = vmsnap_info(snaps[i]); /* a child comes after its parent */
		if (info->start_time > ticks && is_of(living, (pid_t)info->ppid))
			status = processes_add_pid(living, (pid_t)info->pid);
	}
	vmsnap_unref_all(snaps, count);
	*found = living->count - before;
	return status;
}

void say_untold_births(size_t count)
{
	if (count)
		say("blame: %zu process%s seen only at the end: the kernel had no room to tell of %s", count,
		    count == 1 ? " was" : "es were", count == 1 ? "its birth" : "their births");
}

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
		if (has_executed(watch, info->pid) &&
		    (acts_as_another(snaps[i], "Uid") || acts_as_another(snaps[i], "Gid")))
			say("blame: process %u has executed a program that gave it rights: from then on the kernel "
			    "tells no "
			    "events of it (perf_event_open), and what these would have told is among the unseen",
			    (unsigned)info->pid);
	}
}
