/* kpage.h - what the kernel's own tables say of a process's frames: /proc/kpageflags, /proc/kpagecount, and the
 * NUMA node (move_pages(2) as a question).
 *
 * How often a frame is mapped may change as soon as the process, or one that shares with it, runs again: that is read
 * while it stands, but for pages that pagemap says are mapped once.  The flags are the kernel's housekeeping, which
 * goes on while the process stands, so that they are of no instant that could be had; they take three times as long,
 * and are read when nobody waits, and so is the node, which a frame keeps for ever.  Each page is looked for once more
 * behind that: of one that is in another frame by then nothing is told.  Without frames that cannot be seen, and nodes
 * are asked for while the process stands. */
#ifndef VMSNAP_KPAGE_H
#define VMSNAP_KPAGE_H

#include "own_mappings.h"
#include "pagemap.h"

/* Of one process. */
struct kpage {
	bool tables, nodes;    /* what is wanted */
	struct layer counts;   /* what was read while it stood, in the order of addresses; .known: it could be read */
	struct layer nodes_of; /* the same without frames */
};

struct kpage_target {
	pid_t pid;
	int pagemap;
	uint64_t page_size;
	const struct run_list *runs;
	const atomic_bool *cancel;
	const struct own_mappings *own; /* to drop before counts are read; NULL: none */
	struct watchdog *dog;
	struct realtime *realtime;
};
/* While it stands.  frames: whether they are known.  Returns 0, ECANCELED or ENOMEM: what cannot be read is not
 * known. */
int kpage_take(struct kpage *kpage, const struct kpage_target *target, bool frames);
/* When nobody waits: makes the layers of a snapshot whose pages are complete.  pagemap: of the process; -1: it is
 * gone. */
int kpage_finish(struct kpage *kpage, struct vmsnap *snap, pid_t pid, int pagemap);
void kpage_free(struct kpage *kpage);

#endif
