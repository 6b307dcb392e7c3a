#define _GNU_SOURCE
#include "pagemap.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "pagemap_scan.h"

enum {
	BUFFER_ENTRIES = 8192,
	REGIONS = 8192,
	SCAN_PAGES = 32768,  /* looked for in one scan, before we think again */
	SPARSE_ONE_IN = 64,  /* populated less than this: scanning may be cheaper */
	SPARSE_REST = 65536, /* entries left for which that is worth an ioctl */
	DENSE_ONE_IN = 4,    /* populated more than this: reading is cheaper */
};

struct pagemap_walk {
	struct pagemap_probe probe;
	uint64_t page_size;
	const atomic_bool *cancel;
	struct watchdog *dog;
	int fd;
	struct run_list *runs;         /* that it fills */
	const struct run_list *marked; /* that it looks for marks of */
	struct page_marks *marks;
	unsigned seen; /* enum pagemap_seen */
	uint64_t buffer[BUFFER_ENTRIES];
	struct page_region regions[REGIONS];
};

struct pagemap_walk *pagemap_walk_new(const struct pagemap_probe *probe, const atomic_bool *cancel,
                                      struct watchdog *dog, bool resident)
{
	struct pagemap_walk *walk = malloc(sizeof(*walk));
	if (!walk)
		return NULL;
	/* Written once now, so that no page fault comes while the target stands. */
	memset(walk, 0, resident ? sizeof(*walk) : offsetof(struct pagemap_walk, buffer));
	walk->probe = *probe;
	walk->cancel = cancel;
	walk->dog = dog;
	return walk;
}

void pagemap_walk_free(struct pagemap_walk *walk)
{
	free(walk);
}

/* What the kernel shows as swapped, and what bits 59 and 60 would be, is looked at twice. */
static bool is_odd(uint64_t entry)
{
	return entry & (ENTRY_SWAPPED | ENTRY_FLAG(VMSNAP_PAGE_ZERO | VMSNAP_PAGE_HUGE));
}

/* The innermost loop of a capture: entries to runs.  Returns how many pages are
 * populated, or -1 without memory.  An entry with only bit 55 set is an absent page
 * of a mapping that is soft-dirty as a whole. */
static int64_t decode(struct pagemap_walk *walk, uint64_t address, size_t count)
{
	struct run_list *runs = walk->runs;
	size_t most = runs->count + count;
	if (most > runs->capacity && run_list_reserve(runs, most + most / 2, false))
		return -1;
	const uint64_t *entries = walk->buffer;
	struct run *out = runs->items + runs->count;
	int64_t populated = 0;
	for (size_t i = 0; i < count;) {
		uint64_t entry = entries[i];
		if (!(entry & ENTRY_POPULATED)) {
			i++;
			continue;
		}
		uint64_t normal = entry;
		if (is_odd(entry)) {
			normal = entry_normal(entry);
			walk->seen |= normal & ENTRY_SWAPPED ? PAGEMAP_SWAPPED : 0;
			walk->seen |= normal & ENTRY_PRESENT && entry & ENTRY_SWAPPED ? PAGEMAP_MOVING : 0;
		}
		uint64_t step = entry_step(normal), expected = entry + step;
		size_t end = count - i < RUN_PAGES_MAX ? count : i + RUN_PAGES_MAX;
		size_t next = i + 1;
		while (next < end && entries[next] == expected) {
			next++;
			expected += step;
		}
		out->head = (address + i * walk->page_size) | (next - i - 1);
		out->entry = normal;
		out += normal != 0;
		populated += (int64_t)(next - i);
		i = next;
	}
	runs->count = (size_t)(out - runs->items);
	return populated;
}

/* Reads one bufferful at most.  *got is how many entries there were: none above
 * the user's address space ([vsyscall]) and once the target is gone. */
static int read_entries(struct pagemap_walk *walk, uint64_t first, uint64_t count, uint64_t *got, int64_t *populated)
{
	if (atomic_load_explicit(walk->cancel, memory_order_relaxed))
		return ECANCELED;
	watchdog_kick(walk->dog);
	long bytes;
	do
		bytes = raw_syscall4(SYS_pread64, walk->fd, (long)walk->buffer, (long)(count * 8), (long)(first * 8));
	while (bytes == -EINTR);
	if (bytes < 0)
		return (int)-bytes;
	*got = (uint64_t)bytes / 8;
	*populated = decode(walk, first * walk->page_size, *got);
	return *populated < 0 ? ENOMEM : 0;
}

static int read_range(struct pagemap_walk *walk, uint64_t first, uint64_t last)
{
	while (first < last) {
		uint64_t count = last - first < BUFFER_ENTRIES ? last - first : BUFFER_ENTRIES, got = 0;
		int64_t populated = 0;
		int error = read_entries(walk, first, count, &got, &populated);
		if (error || !got)
			return error;
		first += got;
	}
	return 0;
}

/* Reads the entries of the regions that a scan named, near ones in one call. */
static int read_regions(struct pagemap_walk *walk, int found, uint64_t *populated)
{
	uint64_t first = 0, last = 0;
	for (int i = 0; i < found; i++) {
		uint64_t from = walk->regions[i].start / walk->page_size, to = walk->regions[i].end / walk->page_size;
		*populated += to - from;
		if (i && from - last <= PAGEMAP_JOIN_PAGES) {
			last = to;
			continue;
		}
		int error = read_range(walk, first, last);
		if (error)
			return error;
		first = from;
		last = to;
	}
	return read_range(walk, first, last);
}

/* From *at on the range looked empty: lets the kernel step over what is not
 * populated, until it looks dense again.  The end of a scan is told by its last
 * region, not by walk_end, which can be stale when the scan has finished (seen
 * on Linux 6.18). */
static int scan_range(struct pagemap_walk *walk, uint64_t *at, uint64_t last)
{
	while (*at < last) {
		int found;
		uint64_t populated = 0;
		struct address_range range = { *at * walk->page_size, last * walk->page_size };
		watchdog_kick(walk->dog);
		int error = pagemap_scan(walk->fd, &range, SCAN_PRESENT | SCAN_SWAPPED, SCAN_PAGES, walk->regions,
		                         REGIONS, &found);
		if (error)
			return error;
		error = read_regions(walk, found, &populated);
		if (error)
			return error;
		if (found < REGIONS && populated < SCAN_PAGES)
			break;
		uint64_t end = walk->regions[found - 1].end / walk->page_size, pages = end - *at;
		*at = end;
		if (populated * DENSE_ONE_IN > pages)
			return 0;
	}
	*at = last;
	return 0;
}

static int walk_range(struct pagemap_walk *walk, uint64_t first, uint64_t last)
{
	while (first < last) {
		uint64_t count = last - first < BUFFER_ENTRIES ? last - first : BUFFER_ENTRIES, got = 0;
		int64_t populated = 0;
		int error = read_entries(walk, first, count, &got, &populated);
		if (error || !got)
			return error;
		first += got;
		if (!walk->probe.scan || populated * SPARSE_ONE_IN >= (int64_t)count || last - first < SPARSE_REST)
			continue;
		error = scan_range(walk, &first, last);
		if (error == ENOTTY || error == EINVAL) /* some kernels pass the probe and fail later */
			walk->probe.scan = false;
		else if (error)
			return error;
	}
	return 0;
}

int page_marks_reserve(struct page_marks *marks, size_t more)
{
	if (marks->count + more <= marks->room)
		return VMSNAP_OK;
	size_t room = (marks->count + more) * 2;
	struct page_region *items = realloc(marks->items, room * sizeof(*items));
	if (!items)
		return VMSNAP_ERR_NO_MEMORY;
	marks->items = items;
	marks->room = room;
	return VMSNAP_OK;
}

static int mark_range(struct pagemap_walk *walk, struct address_range range)
{
	struct page_marks *marks = walk->marks;
	uint64_t pages = (range.end - range.start) / walk->page_size;
	int room = pages < REGIONS ? (int)pages : REGIONS;
	for (int found = room; found == room && range.start < range.end;) {
		if (page_marks_reserve(marks, (size_t)room))
			return ENOMEM;
		watchdog_kick(walk->dog);
		int error = pagemap_scan(walk->fd, &range, SCAN_ZERO | SCAN_HUGE, 0, marks->items + marks->count,
		                         (size_t)room, &found);
		if (error)
			return error;
		marks->count += (size_t)found;
		if (found)
			range.start = marks->items[marks->count - 1].end;
	}
	return 0;
}

static uint64_t pmd_pages(const struct pagemap_walk *walk)
{
	return walk->page_size / sizeof(uint64_t);
}

/* Whether a run may be huge, and from where to where: whole PMDs whose frames, if
 * known, are aligned as their addresses are. */
static bool huge_part(const struct pagemap_walk *walk, uint64_t start, uint64_t pages, uint64_t entry,
                      struct address_range *out)
{
	uint64_t pmd = pmd_pages(walk), first = start / walk->page_size, head = (first + pmd - 1) / pmd * pmd;
	uint64_t frame = entry & ENTRY_FRAME_MASK;
	if (!(entry & ENTRY_PRESENT) || first + pages < head + pmd || (frame && (frame - first) % pmd))
		return false;
	out->start = head * walk->page_size;
	out->end = (first + pages) / pmd * pmd * walk->page_size;
	return true;
}

/* The zero page is never exclusive and never a file's (its huge sister looks like
 * one, but is found as a huge page).  With PFNs it is known by its own. */
static bool may_be_zero(const struct pagemap_walk *walk, uint64_t entry)
{
	uint32_t telling = VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_SWAPPED | VMSNAP_PAGE_EXCLUSIVE | VMSNAP_PAGE_FILE;
	if (walk->probe.zero_pfn && (entry & ENTRY_FRAME_MASK))
		return false;
	return (entry_flags(entry) & telling) == VMSNAP_PAGE_PRESENT;
}

/* The next part that has to be asked about, from run *index on; false at the end.
 * A huge page may be cut into two runs, one of which then is half of it at least: by
 * far the most runs are passed over at a glance. */
static bool next_part(const struct pagemap_walk *walk, size_t *index, struct address_range *out)
{
	const struct run_list *runs = walk->marked;
	while (*index < runs->count) {
		size_t first = *index;
		const struct run *run = &runs->items[first];
		bool zero = may_be_zero(walk, run->entry);
		++*index;
		if (!zero && run_pages(run) < pmd_pages(walk) / 2)
			continue;
		while (first && run_continues(&runs->items[first - 1], &runs->items[first], walk->page_size))
			first--;
		uint64_t start, pages, entry;
		*index = run_list_joined(runs, first, walk->page_size, UINT64_MAX, &start, &pages, &entry);
		if (huge_part(walk, start, pages, entry, out))
			return true;
		*out = (struct address_range){ start, start + pages * walk->page_size };
		if (zero)
			return true;
	}
	return false;
}

/* Asks PAGEMAP_SCAN about the few places where a zero or a huge page can be. */
static int mark_runs(struct pagemap_walk *walk)
{
	struct address_range pending = { 0, 0 }, part;
	for (size_t i = 0; next_part(walk, &i, &part);) {
		if (pending.end && part.start - pending.end <= PAGEMAP_JOIN_PAGES * walk->page_size) {
			pending.end = part.end;
			continue;
		}
		int error = mark_range(walk, pending);
		if (error)
			return error;
		pending = part;
	}
	return mark_range(walk, pending);
}

/* From here on no libc, if it can be helped: see raw_syscall.h. */
int pagemap_walk_ranges(struct pagemap_walk *walk, int fd, uint64_t page_size, const struct address_range *ranges,
                        size_t count, struct run_list *runs, unsigned *seen)
{
	walk->fd = fd;
	walk->page_size = page_size;
	walk->runs = runs;
	walk->seen = 0;
	for (size_t i = 0; i < count; i++) {
		int error = walk_range(walk, ranges[i].start / walk->page_size, ranges[i].end / walk->page_size);
		if (error)
			return error;
	}
	*seen = walk->seen;
	return 0;
}

int pagemap_walk_marks(struct pagemap_walk *walk, int fd, const struct run_list *runs, struct page_marks *marks)
{
	walk->fd = fd;
	walk->marked = runs;
	walk->marks = marks;
	if (!walk->probe.scan)
		return 0;
	int error = mark_runs(walk);
	if (error != ENOTTY && error != EINVAL)
		return error;
	walk->probe.scan = walk->probe.known.huge = false;
	walk->probe.known.zero = walk->probe.zero_pfn != 0;
	return 0;
}

const struct pagemap_probe *pagemap_walk_probe(const struct pagemap_walk *walk)
{
	return &walk->probe;
}

const atomic_bool *pagemap_walk_cancel(const struct pagemap_walk *walk)
{
	return walk->cancel;
}

uint64_t pagemap_region_flags(const struct page_region *region)
{
	uint64_t flags = 0;
	if (region->categories & SCAN_ZERO)
		flags |= ENTRY_FLAG(VMSNAP_PAGE_ZERO);
	if (region->categories & SCAN_HUGE)
		flags |= ENTRY_FLAG(VMSNAP_PAGE_HUGE);
	return flags;
}

/* Appends a run cut at the borders of the marks that overlap it.  *next is the first
 * mark that may. */
static int append_marked(struct run_list *out, uint64_t page_size, const struct run *run,
                         const struct page_marks *marks, size_t *next)
{
	uint64_t at = run_start(run), end = at + run_pages(run) * page_size, entry = run->entry;
	uint64_t step = entry_step(entry);
	while (*next < marks->count && marks->items[*next].end <= at)
		++*next;
	for (size_t i = *next; at < end;) {
		const struct page_region *mark = i < marks->count ? &marks->items[i] : NULL;
		uint64_t to = end, flags = 0;
		if (mark && mark->start <= at) {
			to = mark->end < end ? mark->end : end;
			flags = entry & ENTRY_PRESENT ? pagemap_region_flags(mark) : 0;
			i++;
		} else if (mark && mark->start < end) {
			to = mark->start;
		}
		int rc = run_list_append(out, page_size, at, (to - at) / page_size, entry | flags);
		if (rc)
			return rc;
		entry += (to - at) / page_size * step;
		at = to;
	}
	return VMSNAP_OK;
}

static int append_all_marked(struct run_list *out, uint64_t page_size, const struct run_list *runs,
                             const struct page_marks *marks)
{
	size_t next = 0;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < runs->count; i++)
		rc = append_marked(out, page_size, &runs->items[i], marks, &next);
	return rc;
}

/* Pages of a run, from its first on, that no PMD maps, and how many after them one may: as many as a table of
 * 8-byte entries has, from a border of as many, in memory too, if that is known. */
static uint64_t perhaps_huge(uint64_t page_size, uint64_t at, uint64_t pages, uint64_t entry, uint64_t *head)
{
	uint64_t whole = page_size / sizeof(uint64_t), step = entry_step(entry);
	*head = (whole - at / page_size % whole) % whole;
	if (!(entry & ENTRY_PRESENT) || (entry & ENTRY_FLAG(VMSNAP_PAGE_ZERO)) ||
	    (((entry + *head * step) & ENTRY_FRAME_MASK) % whole && step) || pages < *head + whole)
		*head = pages;
	return (pages - *head) / whole * whole;
}

/* Pages that one PMD or more may map; of these the huge zero page is known by its frame. */
static int append_huge(struct run_list *out, const struct pagemap_probe *probe, uint64_t page_size, uint64_t start,
                       uint64_t pages, uint64_t entry)
{
	uint64_t whole = page_size / sizeof(uint64_t), zero = probe->huge_zero_pfn - (entry & ENTRY_FRAME_MASK);
	bool has_zero = probe->huge_zero_pfn && entry_step(entry) && zero < pages;
	uint64_t parts[] = { has_zero ? zero : pages, has_zero ? whole : 0, has_zero ? pages - zero - whole : 0 };
	for (int part = 0; part < 3; part++) {
		uint64_t flags = ENTRY_FLAG(part == 1 ? VMSNAP_PAGE_HUGE | VMSNAP_PAGE_ZERO : VMSNAP_PAGE_HUGE);
		int rc = parts[part] ? run_list_append(out, page_size, start, parts[part], entry | flags) : VMSNAP_OK;
		if (rc)
			return rc;
		start += parts[part] * page_size;
		entry += parts[part] * entry_step(entry);
	}
	return VMSNAP_OK;
}

/* Where nothing tells which pages are mapped by a PMD, those that may be are taken for such: known.huge is not
 * set, so nobody calls them huge, but their bit 56 may be about others. */
static int append_all_perhaps_huge(struct run_list *out, const struct pagemap_probe *probe, uint64_t page_size,
                                   const struct run_list *runs)
{
	for (size_t i = 0; i < runs->count;) {
		uint64_t start, pages, entry, head;
		i = run_list_joined(runs, i, page_size, UINT64_MAX, &start, &pages, &entry);
		uint64_t step = entry_step(entry), huge = perhaps_huge(page_size, start, pages, entry, &head);
		uint64_t tail = head + huge;
		int rc = head ? run_list_append(out, page_size, start, head, entry) : VMSNAP_OK;
		if (!rc && huge)
			rc = append_huge(out, probe, page_size, start + head * page_size, huge, entry + head * step);
		if (!rc && tail < pages)
			rc = run_list_append(out, page_size, start + tail * page_size, pages - tail,
			                     entry + tail * step);
		if (rc)
			return rc;
	}
	return VMSNAP_OK;
}

int pagemap_apply_marks(const struct pagemap_probe *probe, uint64_t page_size, const struct page_marks *marks,
                        struct run_list *runs)
{
	for (size_t i = 0; probe->zero_pfn && i < runs->count; i++) {
		uint64_t entry = runs->items[i].entry;
		if ((entry & ENTRY_PRESENT) && (entry & ENTRY_FRAME_MASK) == probe->zero_pfn)
			runs->items[i].entry |= ENTRY_FLAG(VMSNAP_PAGE_ZERO);
	}
	if (!marks->count && probe->known.huge)
		return VMSNAP_OK;
	struct run_list marked = { 0 };
	int rc = run_list_reserve(&marked, runs->count, false);
	rc = rc                  ? rc
	     : probe->known.huge ? append_all_marked(&marked, page_size, runs, marks)
	                         : append_all_perhaps_huge(&marked, probe, page_size, runs);
	if (rc) {
		run_list_free(&marked);
		return rc;
	}
	run_list_free(runs);
	*runs = marked;
	return VMSNAP_OK;
}
