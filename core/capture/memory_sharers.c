#include "memory_sharers.h"

#include <stdlib.h>

#include "array.h"
#include "procdir.h"
#include "same_memory.h"

int memory_sharers_add(struct memory_sharers *sharers, pid_t pid, pid_t parent)
{
	struct memory_sharer *items =
	        array_room(sharers->items, sharers->count, &sharers->room, sizeof(*sharers->items));
	if (!items)
		return VMSNAP_ERR_NO_MEMORY;
	sharers->items = items;
	sharers->items[sharers->count++] = (struct memory_sharer){ pid, parent };
	return VMSNAP_OK;
}

/* The kernel compares what their main threads have: two of which these have ended would be alike. */
int memory_sharers_look(struct memory_sharers *sharers, int procdir, pid_t pid)
{
	struct proc_stat stat;
	bool may = !procdir_stat(procdir, &stat, NULL) && stat.forked && stat.size && stat.ppid;
	return may && same_memory(pid, (pid_t)stat.ppid) == SAME_MEMORY_YES
	               ? memory_sharers_add(sharers, pid, (pid_t)stat.ppid)
	               : VMSNAP_OK;
}

void memory_sharers_forget(struct memory_sharers *sharers)
{
	size_t kept = 0;
	for (size_t i = 0; i < sharers->count; i++)
		if (same_memory(sharers->items[i].pid, sharers->items[i].parent) == SAME_MEMORY_YES)
			sharers->items[kept++] = sharers->items[i];
	sharers->count = kept;
}

void memory_sharers_free(struct memory_sharers *sharers)
{
	free(sharers->items);
	*sharers = (struct memory_sharers){ .count = 0 };
}
