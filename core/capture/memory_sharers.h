/* memory_sharers.h - processes that are watched and have the memory of another one that is (vfork, CLONE_VM): born so
 * before they were watched, or since. */
#ifndef VMSNAP_MEMORY_SHARERS_H
#define VMSNAP_MEMORY_SHARERS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct memory_sharers {
	struct memory_sharer {
		pid_t pid, parent;
	} * items;
	size_t count, room;
};
/* VMSNAP_OK, or VMSNAP_ERR_NO_MEMORY. */
int memory_sharers_add(struct memory_sharers *sharers, pid_t pid, pid_t parent);
/* One that is watched from now on: with its parent, if it has that one's memory. */
int memory_sharers_look(struct memory_sharers *sharers, int procdir, pid_t pid);
/* Those that have it no more, as they have executed a program, or ended. */
void memory_sharers_forget(struct memory_sharers *sharers);
void memory_sharers_free(struct memory_sharers *sharers);

#endif
