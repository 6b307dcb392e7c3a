/* reader.h - reading one process from its directory: first what must be read while
 * it stands, and nothing else; later, when it runs again, making a snapshot of it. */
#ifndef VMSNAP_READER_H
#define VMSNAP_READER_H

#include "builder.h"
#include "kpage.h"
#include "malloc_heaps.h"
#include "mapcount.h"
#include "own_mappings.h"
#include "page_contents.h"
#include "pagemap_again.h"
#include "procdir.h"
#include "tracker.h"

struct reader {
	int procdir; /* borrowed */
	int memory;  /* where maps and its like are read: procdir, or one of its threads */
	pid_t pid;   /* for messages */
	bool live;   /* a real /proc, not a recorded copy */
	bool smaps_wanted, pages_left_out;
	struct vmsnap_tracker *tracker; /* of this process; NULL: none */
	int root, maps;                 /* descriptors, -1: none */
	bool keep;                      /* them open: one of many gives them back to hold no more than it must */
	int64_t taken, monotonic;       /* set by the caller: one instant for all */
	uint64_t boottime, page_moves;  /* as well */
	struct proc_text maps_text, smaps_text, status_text, status_before;
	uint64_t resident, size; /* pages that were there, and that were mapped, before */
	bool stands;             /* frozen by us, all of it; set by the caller */
	bool held;               /* by us or by a debugger; as well */
	const pid_t *threads;    /* of one that stands, as they were listed last; NULL: to be listed */
	size_t thread_count;
	/* Before it stood: mostly still right, and then there is less to do while it stands. */
	struct proc_text maps_before;
	struct address_range *ranges_before;
	size_t range_before_count;
	struct pagemap_found found; /* until runs are made of it */
	struct pagemap_again again; /* what was read twice */
	struct mapcount mapcount;   /* of huge pages */
	struct kpage kpage;         /* what of it is wanted is set by the caller */
	struct malloc_heaps heaps;
	struct page_contents contents;  /* .options and .store are set by the caller */
	const struct own_mappings *own; /* to drop before pages are read; NULL: none */
	struct own_mappings own_shared; /* those that do, if the map is as it was before; set by the caller */
	struct watchdog *dog;           /* to kick between the steps */
	struct realtime *realtime;      /* to check, as well */
	struct vmsnap_builder builder;  /* runs, threads and identity are filled bit by bit */
};

enum reader_when {
	READER_BEFORE,  /* the target stands: all is made ready */
	READER_NEWBORN, /* it stands already, but is only found now */
	READER_HELD,    /* it stands already, and nobody waits for it */
};
int reader_prepare(struct reader *reader, int procdir, pid_t pid, bool smaps, enum reader_when when,
                   struct vmsnap_error *err);
/* For one that was ours when it was prepared: as its status was before that. */
int reader_status_of_newborn(struct reader *reader, struct vmsnap_error *err);
/* While the target stands; .taken, .monotonic, .own, .keep and .stands are set. */
int reader_take(struct reader *reader, struct pagemap_walk *walk, struct vmsnap_error *err);
/* While it stands, or not at all: whether maps reads as it did.  Errors: the target
 * exited, or executed another program. */
int reader_recheck(struct reader *reader, bool *same, struct vmsnap_error *err);
/* When it runs again: parses, applies the marks.  `frozen`: by us. */
int reader_finish(struct reader *reader, const struct pagemap_probe *probe, bool frozen, struct vmsnap_error *err);
/* Opens again, for looking things up afterwards, what was given back; and closes. */
void reader_reopen(struct reader *reader);
void reader_close(struct reader *reader);
void reader_free(struct reader *reader);

#endif
