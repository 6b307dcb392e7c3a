/* pagemap.h - reading page states from /proc/PID/pagemap: what can be known here,
 * and the walk that asks the kernel for as little as possible.
 * Source: Documentation/admin-guide/mm/pagemap.rst. */
#ifndef VMSNAP_PAGEMAP_H
#define VMSNAP_PAGEMAP_H

#include <stdatomic.h>

#include "maps.h"
#include "pagemap_scan.h"
#include "realtime.h"
#include "runs.h"
#include "watchdog.h"

/* What this kernel and our rights let us know.  Tried out on a page of our own,
 * because kernels may accept a question and still answer 0. */
struct pagemap_probe {
	struct vmsnap_known known;
	bool scan;              /* PAGEMAP_SCAN works */
	uint64_t zero_pfn;      /* of the zero page; 0: not known, or there are several */
	uint64_t huge_zero_pfn; /* the first of the huge zero page; 0: not known, or not asked, as scan tells */
};
int pagemap_probe(struct pagemap_probe *out, struct vmsnap_error *err);
/* Linux 4.2 was the first to show bit 56.  False of a release that is none. */
bool pagemap_shows_exclusive(const char *release);

/* ZERO and HUGE of its pages, as in an entry. */
uint64_t pagemap_region_flags(const struct page_region *region);

struct page_marks {
	struct page_region *items;
	size_t count, room;
};

/* Room for `more` marks, so that they need no memory while the target stands. */
int page_marks_reserve(struct page_marks *marks, size_t more);
/* Adds those of another list, which then is empty.  VMSNAP_ERR_NO_MEMORY. */
int page_marks_move(struct page_marks *marks, struct page_marks *from);
void page_marks_sort(struct page_marks *marks);
enum { PAGE_MARKS_PREPARED = 16384 };

/* VMAs nearer than this are read in one call, and so are scanned regions: a
 * pread costs about 1 us, an empty entry 4 ns. */
enum { PAGEMAP_JOIN_PAGES = 256 };

/* Something else to do while pages are read, by whichever thread has the time; without libc. */
struct pagemap_aside {
	void (*run)(void *ctx); /* NULL: nothing */
	void *ctx;
};

/* How much a walk is made for. */
struct pagemap_need {
	uint64_t resident, size; /* pages that are there and that are mapped, of all processes */
	uint64_t map;            /* bytes of their maps, which are read at the same time */
	unsigned threads;        /* asked for; 0: as many as are worth it */
	bool realtime;           /* they will not wait for others */
	bool prepared;           /* somebody will wait: all memory is made resident, and threads started */
};

struct pagemap_walk;
/* cancel and dog are looked at and kicked as it goes.  NULL without memory; of threads there may be fewer. */
struct pagemap_walk *pagemap_walk_new(const struct pagemap_probe *probe, const atomic_bool *cancel,
                                      struct watchdog *dog, const struct pagemap_need *need);
void pagemap_walk_free(struct pagemap_walk *walk);
/* Adds its threads, which check it as they go. */
void pagemap_walk_hasten(struct pagemap_walk *walk, struct realtime *realtime);
/* Pages that may be other than they look: see pagemap_again.h. */
enum pagemap_seen { PAGEMAP_SWAPPED = 1, PAGEMAP_MOVING = 2 };

/* What was read of one process (pagemap_pieces.h).  Uses the walk's memory until it is collected. */
struct pagemap_piece;
struct pagemap_found {
	struct pagemap_pieces {
		struct pagemap_piece *items;
		size_t count, room;
	} pieces;
	struct page_marks marks; /* what PAGEMAP_SCAN knows of them, in the order of addresses */
	unsigned seen;           /* whether some are of these kinds */
};
void pagemap_found_free(struct pagemap_found *found);

/* The next walk has that done, too. */
void pagemap_walk_aside(struct pagemap_walk *walk, struct pagemap_aside aside);
/* Whether one thread does all. */
bool pagemap_walk_is_alone(const struct pagemap_walk *walk);
/* Reads the entries of the ranges; more calls add to what was found.  Returns 0, ECANCELED, or errno. */
int pagemap_walk_ranges(struct pagemap_walk *walk, int fd, uint64_t page_size, const struct address_range *ranges,
                        size_t count, struct pagemap_found *found);
/* Before another look with the same walk, when what was found has become runs. */
void pagemap_walk_reset(struct pagemap_walk *walk);
/* Adds to `marks` what PAGEMAP_SCAN knows of these runs, of the process that was walked last.  Returns 0
 * or errno. */
int pagemap_walk_marks(struct pagemap_walk *walk, int fd, const struct run_list *runs, struct page_marks *marks);
/* What was known in the end: less than at first, if PAGEMAP_SCAN failed after all. */
const struct pagemap_probe *pagemap_walk_probe(struct pagemap_walk *walk);

const atomic_bool *pagemap_walk_cancel(const struct pagemap_walk *walk);

/* After the walk, when nobody waits: sets ZERO and HUGE in the runs; where HUGE is not known, in those that may
 * be. */
int pagemap_apply_marks(const struct pagemap_probe *probe, uint64_t page_size, const struct page_marks *marks,
                        struct run_list *runs);

#endif
