#define _GNU_SOURCE
#include "pagemap_crew.h"

#include <limits.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "processors.h"
#include "thread.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

enum {
	SLOT_BYTES = WALKER_ENTRIES * sizeof(uint64_t),
	SLOTS_MOST = 256,       /* 16 MiB: 8 GiB of scattered pages */
	PAGES_A_THREAD = 32768, /* that are there, for one more thread */
	EMPTY_A_PAGE = 4096,    /* pages that are not there cost as much as one that is, */
	MAP_A_PAGE = 8,         /* and so many bytes of the map */
	THREADS_MOST = 8,       /* unless more are asked for */
	SHARED_PAGES = 32768,   /* fewer are read sooner than another thread has woken up */
	PREPARED_RUNS_MAX = 128 * 1024,
	PREPARED_RUNS_EXTRA = 12288,
};

/* ---- how many ------------------------------------------------------------------------ */

static unsigned least(uint64_t a, uint64_t b)
{
	return (unsigned)(a < b ? a : b);
}

static unsigned threads_for(const struct pagemap_need *need)
{
	if (!need->prepared)
		return 1;
	if (need->threads)
		return least(need->threads, WALKERS_MAX);
	uint64_t worth = (need->resident + need->size / EMPTY_A_PAGE + need->map / MAP_A_PAGE) / PAGES_A_THREAD;
	if (worth <= 1)
		return 1;
	/* With real-time priority nobody else is in the way. */
	unsigned free = processors_available(), others = need->realtime ? 0 : processors_wanted();
	free = free > others ? free - others : 1;
	return least(worth, least(free, THREADS_MOST));
}

/* ---- memory -------------------------------------------------------------------------- */

/* Before the target stands; what is written the first time costs a page fault. */
static void make_resident(char *memory, size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	if (!madvise(memory, bytes, MADV_POPULATE_WRITE))
		return;
	for (size_t at = 0; at < bytes; at += page)
		*(volatile char *)(memory + at) = 0;
}

static size_t regions_bytes(void)
{
	return WALKER_REGIONS * sizeof(struct page_region);
}

/* What will be written: of a small process little, and no regions where nothing is scanned (pagemap_walk.c). */
static void make_slots_resident(const struct pagemap_walk *walk, const struct pagemap_need *need, size_t slots)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), regions = walk->count * regions_bytes();
	uint64_t entries = (need->size * sizeof(uint64_t) + page) / page * page;
	if (need->size >= SCANNED_PAGES_MIN)
		make_resident((char *)walk->slots, slots + regions);
	else
		make_resident((char *)walk->slots, entries < slots ? (size_t)entries : slots);
}

static bool make_memory(struct pagemap_walk *walk, const struct pagemap_need *need)
{
	uint64_t scattered = need->resident / WALKER_ENTRIES, more = scattered + scattered / 8;
	walk->slot_count = walk->count + (need->prepared ? (more < SLOTS_MOST ? more : SLOTS_MOST) : 0);
	size_t slots = walk->slot_count * SLOT_BYTES, bytes = slots + walk->count * regions_bytes();
	/* Of malloc's, so that who takes one snapshot after the other can have it kept (cli/cmd_record.c). */
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	walk->memory = malloc(bytes + page);
	if (!walk->memory)
		return false;
	char *memory = (char *)(((uintptr_t)walk->memory + page - 1) & ~(uintptr_t)(page - 1));
	walk->slots = (uint64_t *)memory;
	walk->regions = (struct page_region *)(memory + slots);
	if (need->prepared)
		make_slots_resident(walk, need, slots);
	return true;
}

static bool make_walker(struct pagemap_walk *walk, unsigned index, const struct pagemap_need *need)
{
	enum { PIECES = 256 };
	struct walker *walker = &walk->walkers[index];
	*walker = (struct walker){ .walk = walk,
		                   .slot = pagemap_crew_slot(walk),
		                   .regions = walk->regions + (size_t)index * WALKER_REGIONS };
	if (!need->prepared)
		return true;
	uint64_t runs = need->resident < PREPARED_RUNS_MAX ? need->resident : PREPARED_RUNS_MAX;
	/* Where most pages would be a run each there are none: entries are kept as they are read.  What is in swap, and
	 * zero pages, are not counted as resident. */
	uint64_t written = runs / walk->count / 2 + PREPARED_RUNS_EXTRA;
	return !run_list_reserve(&walker->runs, written < need->size ? written : need->size, true) &&
	       !run_list_reserve(&walker->runs, runs / walk->count + PREPARED_RUNS_EXTRA, false) &&
	       !pagemap_pieces_reserve(&walker->pieces, PIECES) &&
	       !page_marks_reserve(&walker->marks, PAGE_MARKS_PREPARED / walk->count);
}

uint64_t *pagemap_crew_slot(struct pagemap_walk *walk)
{
	size_t slot = atomic_fetch_add(&walk->slots_used, 1);
	return slot < walk->slot_count ? walk->slots + slot * WALKER_ENTRIES : NULL;
}

/* ---- threads ------------------------------------------------------------------------- */

static void futex_wait(_Atomic uint32_t *word, uint32_t value)
{
	(void)raw_syscall4(SYS_futex, (long)word, FUTEX_WAIT_PRIVATE, (long)value, 0);
}

static void futex_wake_all(_Atomic uint32_t *word)
{
	(void)raw_syscall4(SYS_futex, (long)word, FUTEX_WAKE_PRIVATE, INT_MAX, 0);
}

static void do_aside(struct pagemap_walk *walk)
{
	if (walk->aside.run && !atomic_exchange(&walk->aside_taken, true))
		walk->aside.run(walk->aside.ctx);
}

static void *walker_thread(void *argument)
{
	struct walker *walker = argument;
	struct pagemap_walk *walk = walker->walk;
	prctl(PR_SET_NAME, "vmsnap-read");
	atomic_store(&walker->tid, (uint32_t)syscall(SYS_gettid));
	futex_wake_all(&walker->tid);
	for (uint32_t round = 0;; round++) {
		while (atomic_load(&walk->round) == round)
			futex_wait(&walk->round, round);
		if (atomic_load(&walk->quit))
			return NULL;
		do_aside(walk);
		walk->run(walker);
		if (atomic_fetch_sub(&walk->busy, 1) == 1)
			futex_wake_all(&walk->busy);
	}
}

/* Without enough of them, those that there are do all. */
static void start_threads(struct pagemap_walk *walk)
{
	unsigned wanted = walk->count;
	for (walk->count = 1; walk->count < wanted; walk->count++) {
		struct walker *walker = &walk->walkers[walk->count];
		if (thread_start(&walker->thread, walker_thread, walker))
			return;
	}
}

void pagemap_walk_hasten(struct pagemap_walk *walk, struct realtime *realtime)
{
	walk->realtime = realtime;
	for (unsigned i = 1; i < walk->count; i++) {
		while (!atomic_load(&walk->walkers[i].tid))
			futex_wait(&walk->walkers[i].tid, 0);
		realtime_add(realtime, (pid_t)walk->walkers[i].tid);
	}
}

void pagemap_crew_kick(struct walker *walker)
{
	struct pagemap_walk *walk = walker->walk;
	if (walker == walk->walkers)
		watchdog_kick(walk->dog);
	if (walk->realtime)
		realtime_check(walk->realtime);
}

void pagemap_crew_run(struct pagemap_walk *walk)
{
	bool all = walk->count > 1 && (walk->share_count > 1 || walk->aside.run);
	atomic_store(&walk->aside_taken, false);
	if (all) {
		atomic_store(&walk->busy, walk->count - 1);
		atomic_fetch_add(&walk->round, 1);
		futex_wake_all(&walk->round);
	}
	walk->run(&walk->walkers[0]);
	do_aside(walk);
	for (uint32_t busy; all && (busy = atomic_load(&walk->busy)) != 0;) {
		futex_wait(&walk->busy, busy);
		watchdog_kick(walk->dog);
	}
	walk->aside = (struct pagemap_aside){ NULL, NULL };
}

struct pagemap_walk *pagemap_crew_new(void (*run)(struct walker *walker), const struct pagemap_probe *probe,
                                      const atomic_bool *cancel, struct watchdog *dog, const struct pagemap_need *need)
{
	struct pagemap_walk *walk = calloc(1, sizeof(*walk));
	if (!walk)
		return NULL;
	walk->run = run;
	walk->probe = *probe;
	walk->cancel = cancel;
	walk->dog = dog;
	walk->count = threads_for(need);
	walk->shared_pages = need->threads ? 1 : SHARED_PAGES;
	bool made = make_memory(walk, need);
	for (unsigned i = 0; made && i < walk->count; i++)
		made = make_walker(walk, i, need);
	if (!made)
		walk->count = 1; /* no thread yet */
	else
		start_threads(walk);
	if (made)
		return walk;
	pagemap_walk_free(walk);
	return NULL;
}

void pagemap_walk_free(struct pagemap_walk *walk)
{
	if (!walk)
		return;
	atomic_store(&walk->quit, true);
	atomic_fetch_add(&walk->round, 1);
	futex_wake_all(&walk->round);
	for (unsigned i = 1; i < walk->count; i++)
		pthread_join(walk->walkers[i].thread, NULL);
	for (unsigned i = 0; i < WALKERS_MAX; i++) {
		free(walk->walkers[i].runs.items);
		free(walk->walkers[i].pieces.items);
		free(walk->walkers[i].marks.items);
	}
	free(walk->memory);
	free(walk);
}

void pagemap_walk_aside(struct pagemap_walk *walk, struct pagemap_aside aside)
{
	walk->aside = aside;
}

bool pagemap_walk_is_alone(const struct pagemap_walk *walk)
{
	return walk->count == 1;
}
