/* pagemap_walk.c - the walk over page tables, which threads share: each takes the next stretch of its own share
 * of the address space, and of another's when its own is done. */
#define _GNU_SOURCE
#include "pagemap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pagemap_crew.h"
#include "pagemap_entries.h"
#include "pagemap_scan.h"

enum {
	SCAN_PAGES = 32768,    /* looked for in one scan, before we think again; REALTIME_MS allows for it */
	SPARSE_ONE_IN = 64,    /* populated less than this: scanning may be cheaper */
	SPARSE_MOST = 1 << 20, /* of one thread at a time */
	DENSE_ONE_IN = 4,      /* populated more than this: reading is cheaper */
};

static uint64_t pmd_pages(const struct pagemap_walk *walk)
{
	return walk->page_size / sizeof(uint64_t);
}

/* The end of a read from `first` on: at the border of a PMD, so that a huge page is seen as a whole. */
static uint64_t reach(const struct pagemap_walk *walk, uint64_t first, uint64_t last, uint64_t most)
{
	if (last - first <= most)
		return last;
	uint64_t end = (first + most) / pmd_pages(walk) * pmd_pages(walk);
	return end > first ? end : first + most;
}

/* ---- what was read ------------------------------------------------------------------- */

/* Where the next runs go: those of one range are in one piece, as long as nothing else comes between. */
static int open_piece(struct walker *walker, uint64_t first)
{
	struct pagemap_pieces *pieces = &walker->pieces;
	struct pagemap_piece *last = pieces->count ? &pieces->items[pieces->count - 1] : NULL;
	if (last && walker->open && !last->entries)
		return 0;
	if (pagemap_pieces_reserve(pieces, 1))
		return ENOMEM;
	pieces->items[pieces->count++] =
	        (struct pagemap_piece){ .first = first, .list = &walker->runs, .run = walker->runs.count };
	walker->open = true;
	return 0;
}

static int keep_as_runs(struct walker *walker, const struct entries *entries, int64_t *populated)
{
	int error = open_piece(walker, entries->first);
	if (error)
		return error;
	struct pagemap_piece *piece = &walker->pieces.items[walker->pieces.count - 1];
	*populated = entries_decode(entries, walker->walk->page_size, &walker->runs, piece->run, &walker->seen);
	piece->count = walker->runs.count - piece->run;
	return *populated < 0 ? ENOMEM : 0;
}

/* As they are: they stay where they were read, and the next ones go elsewhere. */
static int keep_as_read(struct walker *walker, const struct entries *entries, uint64_t *slot)
{
	if (pagemap_pieces_reserve(&walker->pieces, 1))
		return ENOMEM;
	walker->pieces.items[walker->pieces.count++] =
	        (struct pagemap_piece){ .first = entries->first, .entries = entries->items, .count = entries->count };
	walker->slot = slot;
	return 0;
}

static int ask(struct walker *walker, struct address_range range)
{
	struct pagemap_walk *walk = walker->walk;
	struct page_marks *marks = &walker->marks;
	uint64_t pages = (range.end - range.start) / walk->page_size;
	int room = pages < WALKER_REGIONS ? (int)pages : WALKER_REGIONS;
	for (int found = room; found == room && range.start < range.end;) {
		if (page_marks_reserve(marks, (size_t)room))
			return ENOMEM;
		pagemap_crew_kick(walker);
		int error = pagemap_scan(walk->fd, &range, SCAN_ZERO | SCAN_HUGE, 0, marks->items + marks->count,
		                         (size_t)room, &found);
		if (error == ENOTTY || error == EINVAL) /* some kernels pass the probe and fail later */
			atomic_store(&walk->scan_failed, true);
		if (error)
			return error == ENOTTY || error == EINVAL ? 0 : error;
		marks->count += (size_t)found;
		if (found)
			range.start = marks->items[marks->count - 1].end;
	}
	return 0;
}

static int ask_pending(struct walker *walker)
{
	struct address_range range = walker->question;
	walker->question = (struct address_range){ 0, 0 };
	return range.end && !atomic_load(&walker->walk->scan_failed) ? ask(walker, range) : 0;
}

/* Asks PAGEMAP_SCAN about the few places where a zero or a huge page can be, near ones at once. */
static int ask_about(struct walker *walker, const struct entries *entries)
{
	struct pagemap_walk *walk = walker->walk;
	uint64_t at = entries->first;
	struct address_range range;
	while (walk->probe.scan && entries_next_question(entries, &walk->probe, walk->page_size, &at, &range)) {
		struct address_range *pending = &walker->question;
		if (pending->end && range.start - pending->end <= PAGEMAP_JOIN_PAGES * walk->page_size) {
			pending->end = range.end;
			continue;
		}
		int error = ask_pending(walker);
		if (error)
			return error;
		*pending = range;
	}
	return 0;
}

/* ---- reading ------------------------------------------------------------------------- */

static int read_whole(struct walker *walker, uint64_t first, uint64_t count, uint64_t *got)
{
	char *to = (char *)walker->slot;
	uint64_t bytes = count * sizeof(uint64_t), offset = first * sizeof(uint64_t), at = 0;
	while (at < bytes) {
		long more = raw_syscall4(SYS_pread64, walker->walk->fd, (long)(to + at), (long)(bytes - at),
		                         (long)(offset + at));
		if (more < 0 && more != -EINTR)
			return (int)-more;
		if (!more)
			break;
		at += more > 0 ? (uint64_t)more : 0;
	}
	*got = at / sizeof(uint64_t);
	return 0;
}

/* Reads one slotful at most.  *got is how many entries there were: none above
 * the user's address space ([vsyscall]) and once the target is gone. */
static int read_entries(struct walker *walker, uint64_t first, uint64_t count, uint64_t *got, int64_t *populated)
{
	struct pagemap_walk *walk = walker->walk;
	if (atomic_load_explicit(walk->cancel, memory_order_relaxed))
		return ECANCELED;
	pagemap_crew_kick(walker);
	int error = read_whole(walker, first, count, got);
	if (error || !*got)
		return error;
	struct entries entries = { walker->slot, (size_t)*got, first };
	*populated = (int64_t)*got;
	error = ask_about(walker, &entries);
	uint64_t *slot = !error && entries_worth_keeping(&entries) ? pagemap_crew_slot(walk) : NULL;
	if (slot)
		return keep_as_read(walker, &entries, slot);
	return error ? error : keep_as_runs(walker, &entries, populated);
}

static int read_range(struct walker *walker, uint64_t first, uint64_t last)
{
	while (first < last) {
		uint64_t count = reach(walker->walk, first, last, WALKER_ENTRIES) - first, got = 0;
		int64_t populated = 0;
		int error = read_entries(walker, first, count, &got, &populated);
		if (error || !got)
			return error;
		first += got;
	}
	return 0;
}

/* Reads the entries of the regions that a scan named, near ones in one call. */
static int read_regions(struct walker *walker, int found, uint64_t end, uint64_t *populated)
{
	uint64_t page_size = walker->walk->page_size, first = 0, last = 0;
	for (int i = 0; i < found; i++) {
		uint64_t from = walker->regions[i].start / page_size, to = walker->regions[i].end / page_size;
		to = to < end ? to : end;
		*populated += to - from;
		if (i && from - last <= PAGEMAP_JOIN_PAGES) {
			last = to;
			continue;
		}
		int error = read_range(walker, first, last);
		if (error)
			return error;
		first = from;
		last = to;
	}
	return read_range(walker, first, last);
}

/* Where to go on behind a scan that found as much as it may: not within a huge page. */
static uint64_t end_of_scan(const struct walker *walker, uint64_t at, int found)
{
	uint64_t end = walker->regions[found - 1].end / walker->walk->page_size;
	uint64_t border = end / pmd_pages(walker->walk) * pmd_pages(walker->walk);
	return border > at && border > walker->regions[found - 1].start / walker->walk->page_size ? border : end;
}

/* From *at on the range looked empty: lets the kernel step over what is not
 * populated, until it looks dense again.  The end of a scan is told by its last
 * region, not by walk_end, which can be stale when the scan has finished (seen
 * on Linux 6.18). */
static int scan_range(struct walker *walker, uint64_t *at, uint64_t last)
{
	struct pagemap_walk *walk = walker->walk;
	while (*at < last) {
		int found;
		uint64_t populated = 0;
		struct address_range range = { *at * walk->page_size, last * walk->page_size };
		if (atomic_load_explicit(walk->cancel, memory_order_relaxed))
			return ECANCELED;
		pagemap_crew_kick(walker);
		int error = pagemap_scan(walk->fd, &range, SCAN_PRESENT | SCAN_SWAPPED, SCAN_PAGES, walker->regions,
		                         WALKER_REGIONS, &found);
		if (error)
			return error;
		for (int i = 0; i < found; i++)
			populated += (walker->regions[i].end - walker->regions[i].start) / walk->page_size;
		bool finished = found < WALKER_REGIONS && populated < SCAN_PAGES;
		uint64_t end = finished ? last : end_of_scan(walker, *at, found);
		populated = 0;
		error = read_regions(walker, found, end, &populated);
		if (error || finished) {
			*at = last;
			return error;
		}
		uint64_t pages = end - *at;
		*at = end;
		if (populated * DENSE_ONE_IN > pages)
			return 0;
	}
	return 0;
}

/* walker->sparse: whether its end looked empty. */
static int walk_range(struct walker *walker, uint64_t first, uint64_t last)
{
	struct pagemap_walk *walk = walker->walk;
	while (first < last) {
		if (walker->sparse && last - first >= SCANNED_PAGES_MIN && walk->probe.scan &&
		    !atomic_load(&walk->scan_failed)) {
			int error = scan_range(walker, &first, last);
			if (error == ENOTTY || error == EINVAL)
				atomic_store(&walk->scan_failed, true);
			else if (error)
				return error;
			walker->sparse = first == last;
			continue;
		}
		uint64_t count = reach(walk, first, last, WALKER_ENTRIES) - first, got = 0;
		int64_t populated = 0;
		int error = read_entries(walker, first, count, &got, &populated);
		if (error || !got)
			return error;
		first += got;
		walker->sparse = populated * SPARSE_ONE_IN < (int64_t)count;
	}
	return 0;
}

/* ---- shares -------------------------------------------------------------------------- */

/* Index of the first range that ends after this page. */
static size_t find_range(const struct pagemap_walk *walk, uint64_t page)
{
	size_t low = 0, high = walk->range_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (walk->ranges[middle].end / walk->page_size <= page)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool take_from(struct walker *walker, struct walk_share *share, uint64_t *first, uint64_t *end)
{
	const struct pagemap_walk *walk = walker->walk;
	uint64_t at = atomic_load(&share->next);
	while (at < share->end) {
		size_t range = find_range(walk, at);
		uint64_t start = range < walk->range_count ? walk->ranges[range].start / walk->page_size : share->end;
		*first = start > at ? start : at;
		*end = *first < share->end ? reach(walk, *first, share->end, walker->step) : share->end;
		if (atomic_compare_exchange_weak(&share->next, &at, *end))
			return *first < share->end;
	}
	return false;
}

/* Of its own share, or of the one of which most is left. */
static bool take_next(struct walker *walker, uint64_t *first, uint64_t *end)
{
	struct pagemap_walk *walk = walker->walk;
	struct walk_share *share = &walk->shares[walker - walk->walkers];
	while (!take_from(walker, share, first, end)) {
		uint64_t most = 0;
		for (unsigned i = 0; i < walk->share_count; i++) {
			uint64_t next = atomic_load(&walk->shares[i].next), until = walk->shares[i].end;
			if (next < until && until - next > most) {
				most = until - next;
				share = &walk->shares[i];
			}
		}
		if (!most)
			return false;
	}
	return true;
}

/* Small steps where memory is dense, for nobody is to wait for another in the end; large ones where the
 * kernel steps over what is empty. */
static void note_step(struct walker *walker)
{
	if (walker->walk->share_count == 1)
		walker->step = UINT64_MAX / 2;
	else if (!walker->sparse || !walker->walk->probe.scan)
		walker->step = WALKER_ENTRIES;
	else if (walker->step < SPARSE_MOST)
		walker->step = walker->step < SCANNED_PAGES_MIN ? 2 * SCANNED_PAGES_MIN : walker->step * 2;
}

static int walk_stretch(struct walker *walker, uint64_t first, uint64_t end)
{
	const struct pagemap_walk *walk = walker->walk;
	for (size_t i = find_range(walk, first); i < walk->range_count; i++) {
		uint64_t from = walk->ranges[i].start / walk->page_size, to = walk->ranges[i].end / walk->page_size;
		if (from >= end)
			break;
		walker->open = false; /* what is read later may lie between two ranges */
		int error = walk_range(walker, from > first ? from : first, to < end ? to : end);
		if (error)
			return error;
	}
	return ask_pending(walker);
}

/* From here on no libc, if it can be helped: see raw_syscall.h. */
static void walker_run(struct walker *walker)
{
	struct pagemap_walk *walk = walker->walk;
	uint64_t first, end;
	int error = 0, none = 0;
	walker->sparse = false;
	note_step(walker);
	while (!error && !atomic_load(&walk->error) && take_next(walker, &first, &end)) {
		error = walk_stretch(walker, first, end);
		note_step(walker);
	}
	walker->question = (struct address_range){ 0, 0 };
	if (error)
		atomic_compare_exchange_strong(&walk->error, &none, error);
}

/* As many pages of mappings for each, which need not be as many that are there: who is done sooner takes
 * of the others'.  Apart, because neighbours meet at one lock of the kernel's. */
static void make_shares(struct pagemap_walk *walk, unsigned count)
{
	uint64_t pages = 0, before = 0, pmd = pmd_pages(walk), all = UINT64_MAX / 2;
	for (size_t i = 0; i < walk->range_count; i++)
		pages += (walk->ranges[i].end - walk->ranges[i].start) / walk->page_size;
	if (pages < walk->shared_pages)
		count = 1;
	walk->share_count = count;
	for (unsigned k = 0; k < walk->count; k++) {
		atomic_store(&walk->shares[k].next, 0);
		walk->shares[k].end = 0;
	}
	walk->shares[count - 1].end = all;
	unsigned k = 0;
	for (size_t i = 0; i < walk->range_count && k + 1 < count; i++) {
		uint64_t start = walk->ranges[i].start / walk->page_size, size;
		size = walk->ranges[i].end / walk->page_size - start;
		for (; k + 1 < count && before + size > pages / count * (k + 1); k++) {
			uint64_t border = (start + (pages / count * (k + 1) - before)) / pmd * pmd;
			walk->shares[k].end = border;
			atomic_store(&walk->shares[k + 1].next, border);
		}
		before += size;
	}
}

struct pagemap_walk *pagemap_walk_new(const struct pagemap_probe *probe, const atomic_bool *cancel,
                                      struct watchdog *dog, const struct pagemap_need *need)
{
	return pagemap_crew_new(walker_run, probe, cancel, dog, need);
}

/* ---- one process --------------------------------------------------------------------- */

static int gather(struct pagemap_walk *walk, struct pagemap_found *found)
{
	for (unsigned i = 0; i < walk->count; i++) {
		struct walker *walker = &walk->walkers[i];
		if (pagemap_pieces_move(&found->pieces, &walker->pieces) ||
		    page_marks_move(&found->marks, &walker->marks))
			return ENOMEM;
		found->seen |= walker->seen;
		walker->seen = 0;
	}
	pagemap_pieces_sort(&found->pieces);
	page_marks_sort(&found->marks);
	return 0;
}

static void forget(struct pagemap_walk *walk)
{
	for (unsigned i = 0; i < walk->count; i++) {
		walk->walkers[i].pieces.count = walk->walkers[i].marks.count = 0;
		walk->walkers[i].seen = 0;
	}
}

void pagemap_walk_reset(struct pagemap_walk *walk)
{
	forget(walk);
	for (unsigned i = 0; i < walk->count; i++) {
		walk->walkers[i].runs.count = 0;
		walk->walkers[i].open = walk->walkers[i].sparse = false;
	}
}

int pagemap_walk_ranges(struct pagemap_walk *walk, int fd, uint64_t page_size, const struct address_range *ranges,
                        size_t count, struct pagemap_found *found)
{
	walk->fd = fd;
	walk->page_size = page_size;
	walk->ranges = ranges;
	walk->range_count = count;
	atomic_store(&walk->error, 0);
	make_shares(walk, walk->count);
	pagemap_crew_run(walk);
	int error = atomic_load(&walk->error);
	error = error ? error : gather(walk, found);
	if (error)
		forget(walk);
	return error;
}

int pagemap_walk_marks(struct pagemap_walk *walk, int fd, const struct run_list *runs, struct page_marks *marks)
{
	struct walker *walker = &walk->walkers[0];
	int error = 0;
	walk->fd = fd;
	for (size_t i = 0; !error && walk->probe.scan && i < runs->count; i++) {
		uint64_t start = run_start(&runs->items[i]), end = start + run_pages(&runs->items[i]) * walk->page_size;
		if (walker->question.end && start - walker->question.end <= PAGEMAP_JOIN_PAGES * walk->page_size) {
			walker->question.end = end;
			continue;
		}
		error = ask_pending(walker);
		walker->question = (struct address_range){ start, end };
	}
	error = error ? error : ask_pending(walker);
	walker->question = (struct address_range){ 0, 0 };
	if (!error && page_marks_move(marks, &walker->marks))
		error = ENOMEM;
	walker->marks.count = 0;
	return error;
}

void pagemap_found_free(struct pagemap_found *found)
{
	free(found->pieces.items);
	free(found->marks.items);
	*found = (struct pagemap_found){ 0 };
}

const struct pagemap_probe *pagemap_walk_probe(struct pagemap_walk *walk)
{
	if (atomic_load(&walk->scan_failed)) {
		walk->probe.scan = walk->probe.known.huge = false;
		walk->probe.known.zero = walk->probe.zero_pfn != 0;
	}
	return &walk->probe;
}

const atomic_bool *pagemap_walk_cancel(const struct pagemap_walk *walk)
{
	return walk->cancel;
}
