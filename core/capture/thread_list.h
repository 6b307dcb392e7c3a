/* thread_list.h - the threads of a process and where their stacks are, while it stands; their names later. */
#ifndef VMSNAP_THREAD_LIST_H
#define VMSNAP_THREAD_LIST_H

#include "snapshot.h"

struct thread_source {
	int procdir;
	bool stands;         /* frozen by us */
	const pid_t *listed; /* of one that stands, as they were listed last; NULL: to be listed */
	size_t listed_count;
	void (*kick)(void *ctx); /* between the steps: there may be ten thousand */
	void *ctx;
};

/* In place of those that the snapshot had.  Returns 0 or errno. */
int thread_list_take(const struct thread_source *source, struct vmsnap *snap);
/* What the text of a thread's file syscall (proc_pid_syscall(5)) tells of its stack pointer; 0: nothing. */
uint64_t thread_list_told_stack(const char *text, size_t len);
/* Who ended meanwhile has none. */
void thread_list_names(struct vmsnap *snap, int procdir, pid_t pid);

#endif
