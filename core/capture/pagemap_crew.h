/* pagemap_crew.h - the threads that read page tables together, and the memory that they read into.
 *
 * They are made before the target stands and then wait; all of their memory is resident by then.  While
 * page tables are read, and while they wait, none of them uses libc (raw_syscall.h). */
#ifndef VMSNAP_PAGEMAP_CREW_H
#define VMSNAP_PAGEMAP_CREW_H

#include <pthread.h>

#include "pagemap.h"
#include "pagemap_pieces.h"

enum {
	WALKER_ENTRIES = 8192,
	WALKER_REGIONS = 8192,
	WALKERS_MAX = 64,
	SCANNED_PAGES_MIN = 65536, /* fewer that look empty are read sooner than an ioctl steps over them */
};

struct walker {
	struct pagemap_walk *walk;
	uint64_t *slot; /* what is read next goes there: WALKER_ENTRIES */
	struct run_list runs;
	struct pagemap_pieces pieces;
	bool open; /* the last piece is of the range that is walked */
	struct page_marks marks;
	struct address_range question; /* to be asked together with what is near; end 0: none */
	unsigned seen;                 /* enum pagemap_seen */
	bool sparse;                   /* what was read last */
	uint64_t step;                 /* pages to take at once */
	struct page_region *regions;
	pthread_t thread;     /* of all but the first, who is the caller */
	_Atomic uint32_t tid; /* of it; a futex until it is known */
};

/* Pages that are still to be read.  No two in one line of the processors' caches. */
struct walk_share {
	_Atomic uint64_t next;
	uint64_t end;
	char apart[112];
};

struct pagemap_walk {
	struct pagemap_probe probe;
	const atomic_bool *cancel;
	struct watchdog *dog;
	struct realtime *realtime; /* to check; NULL: there is none */
	/* Of the process that is read: */
	int fd;
	uint64_t page_size;
	const struct address_range *ranges;
	size_t range_count;
	struct walk_share shares[WALKERS_MAX];
	unsigned share_count;
	atomic_int error;
	atomic_bool scan_failed;
	struct pagemap_aside aside; /* something else that one of them does first */
	atomic_bool aside_taken;

	void (*run)(struct walker *walker);
	struct walker walkers[WALKERS_MAX];
	unsigned count;
	uint64_t shared_pages; /* fewer are one thread's */
	void *memory;          /* slots, and regions behind them */
	uint64_t *slots;
	size_t slot_count;
	atomic_size_t slots_used;
	struct page_region *regions;
	/* Futexes: */
	_Atomic uint32_t round; /* counts up when there is something to do */
	_Atomic uint32_t busy;  /* who has not finished it */
	atomic_bool quit;
};

/* The next empty slot; NULL: there is none. */
uint64_t *pagemap_crew_slot(struct pagemap_walk *walk);
/* Between two system calls. */
void pagemap_crew_kick(struct walker *walker);
/* All shares, by all threads that have one; waits for them. */
void pagemap_crew_run(struct pagemap_walk *walk);
/* As pagemap_walk_new() says; run: what each of them does, until nothing is left. */
struct pagemap_walk *pagemap_crew_new(void (*run)(struct walker *walker), const struct pagemap_probe *probe,
                                      const atomic_bool *cancel, struct watchdog *dog, const struct pagemap_need *need);

#endif
