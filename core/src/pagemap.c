#define _GNU_SOURCE
#include "pagemap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "error.h"
#include "raw_syscall.h"

/* From linux/fs.h of Linux 6.7; older headers lack it. */
struct scan_args {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};
#define SCAN_IOCTL _IOWR('f', 16, struct scan_args)
enum {
	SCAN_PRESENT = 1 << 3,
	SCAN_SWAPPED = 1 << 4,
	SCAN_ZERO = 1 << 5,
	SCAN_HUGE = 1 << 6,
};

enum {
	BUFFER_ENTRIES = 8192,
	REGIONS = 8192,
	SCAN_PAGES = 32768,        /* looked for in one scan, before we think again */
	SPARSE_ONE_IN = 64,        /* populated less than this: scanning may be cheaper */
	SPARSE_REST = 65536,       /* entries left for which that is worth an ioctl */
	DENSE_ONE_IN = 4,          /* populated more than this: reading is cheaper */
};

struct pagemap_walk {
	struct pagemap_probe probe;
	uint64_t page_size;
	const atomic_bool *cancel;
	int fd;
	struct run_list *runs;
	struct page_marks *marks;
	uint64_t buffer[BUFFER_ENTRIES];
	struct page_region regions[REGIONS];
};

struct pagemap_walk *pagemap_walk_new(const struct pagemap_probe *probe, uint64_t page_size, const atomic_bool *cancel)
{
	struct pagemap_walk *walk = malloc(sizeof(*walk));
	if (!walk)
		return NULL;
	/* Written once now, so that no page fault comes while the target stands. */
	memset(walk, 0, sizeof(*walk));
	walk->probe = *probe;
	walk->page_size = page_size;
	walk->cancel = cancel;
	return walk;
}

void pagemap_walk_free(struct pagemap_walk *walk)
{
	free(walk);
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
		uint64_t normal = entry_normal(entry);
		uint64_t step = entry_step(normal), expected = entry + step;
		size_t end = count - i < RUN_PAGES_MAX ? count : i + RUN_PAGES_MAX;
		size_t next = i + 1;
		while (next < end && entries[next] == expected) {
			next++;
			expected += step;
		}
		out->head = (address + i * walk->page_size) | (next - i - 1);
		out->entry = normal;
		out++;
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

static int scan(const struct pagemap_walk *walk, const struct address_range *range, uint64_t anyof,
                uint64_t max_pages, struct page_region *regions, int *found)
{
	struct scan_args args = {
		.size = sizeof(args),
		.start = range->start,
		.end = range->end,
		.vec = (uintptr_t)regions,
		.vec_len = REGIONS,
		.max_pages = max_pages,
		.category_anyof_mask = anyof,
		.return_mask = anyof,
	};
	long result;
	do
		result = raw_syscall4(SYS_ioctl, walk->fd, (long)SCAN_IOCTL, (long)&args, 0);
	while (result == -EINTR);
	*found = (int)result;
	return result < 0 ? (int)-result : 0;
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
		int error = scan(walk, &range, SCAN_PRESENT | SCAN_SWAPPED, SCAN_PAGES, walk->regions, &found);
		if (error)
			return error;
		error = read_regions(walk, found, &populated);
		if (error)
			return error;
		if (found < REGIONS && populated < SCAN_PAGES)
			break;
		uint64_t end = walk->regions[found - 1].end / walk->page_size, span = end - *at;
		*at = end;
		if (populated * DENSE_ONE_IN > span)
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
	for (int found = REGIONS; found == REGIONS && range.start < range.end;) {
		if (page_marks_reserve(marks, REGIONS))
			return ENOMEM;
		int error = scan(walk, &range, SCAN_ZERO | SCAN_HUGE, 0, marks->items + marks->count, &found);
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
	const struct run_list *runs = walk->runs;
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
		*index = run_list_joined(runs, first, walk->page_size, &start, &pages, &entry);
		if (huge_part(walk, start, pages, entry, out))
			return true;
		*out = (struct address_range){ start, start + pages * walk->page_size };
		if (zero)
			return true;
	}
	return false;
}

/* Asks PAGEMAP_SCAN about the few places where a zero or a huge page can be. */
static int mark_runs(struct pagemap_walk *walk, size_t first_run)
{
	struct address_range pending = { 0, 0 }, part;
	for (size_t i = first_run; next_part(walk, &i, &part);) {
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
int pagemap_walk_ranges(struct pagemap_walk *walk, int fd, const struct address_range *ranges, size_t count,
                        struct run_list *runs, struct page_marks *marks)
{
	walk->fd = fd;
	walk->runs = runs;
	walk->marks = marks;
	size_t first_run = runs->count;
	for (size_t i = 0; i < count; i++) {
		int error = walk_range(walk, ranges[i].start / walk->page_size, ranges[i].end / walk->page_size);
		if (error)
			return error;
	}
	if (!walk->probe.scan)
		return 0;
	int error = mark_runs(walk, first_run);
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

static uint64_t mark_flags(const struct page_region *region)
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
			flags = entry & ENTRY_PRESENT ? mark_flags(mark) : 0;
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

int pagemap_apply_marks(const struct pagemap_probe *probe, uint64_t page_size, const struct page_marks *marks,
                        struct run_list *runs)
{
	for (size_t i = 0; probe->zero_pfn && i < runs->count; i++) {
		uint64_t entry = runs->items[i].entry;
		if ((entry & ENTRY_PRESENT) && (entry & ENTRY_FRAME_MASK) == probe->zero_pfn)
			runs->items[i].entry |= ENTRY_FLAG(VMSNAP_PAGE_ZERO);
	}
	if (!marks->count)
		return VMSNAP_OK;
	struct run_list marked = { 0 };
	int rc = run_list_reserve(&marked, runs->count, false);
	size_t next = 0;
	for (size_t i = 0; !rc && i < runs->count; i++)
		rc = append_marked(&marked, page_size, &runs->items[i], marks, &next);
	if (rc) {
		run_list_free(&marked);
		return rc;
	}
	run_list_free(runs);
	*runs = marked;
	return VMSNAP_OK;
}

/* Linux 4.2 was the first to show bit 56. */
static bool kernel_shows_exclusive(void)
{
	struct utsname name;
	unsigned major, minor;
	if (uname(&name) || sscanf(name.release, "%u.%u", &major, &minor) != 2)
		return false;
	return major > 4 || (major == 4 && minor >= 2);
}

static bool one_zero_page(void)
{
	/* s390x and mips have several zero pages of different colours. */
#if defined(__x86_64__) || defined(__i386__) || defined(__aarch64__)
	return true;
#else
	return false;
#endif
}

static void probe_page(int fd, volatile char *page, size_t page_size, struct pagemap_probe *probe)
{
	uint64_t entry = 0;
	off_t at = (off_t)((uintptr_t)page / page_size * 8);
	/* Read before it is ever written: the zero page. */
	(void)page[0];
	if (pread(fd, &entry, sizeof(entry), at) == sizeof(entry) && (entry & ENTRY_PRESENT)) {
		probe->known.pfn = (entry & ENTRY_FRAME_MASK) != 0;
		if (one_zero_page())
			probe->zero_pfn = entry & ENTRY_FRAME_MASK;
	}
	struct page_region region = { 0 };
	struct scan_args args = { .size = sizeof(args),
		                  .start = (uintptr_t)page,
		                  .end = (uintptr_t)page + page_size,
		                  .vec = (uintptr_t)&region,
		                  .vec_len = 1,
		                  .category_anyof_mask = SCAN_ZERO | SCAN_PRESENT,
		                  .return_mask = SCAN_ZERO | SCAN_PRESENT };
	probe->scan = ioctl(fd, SCAN_IOCTL, &args) == 1 && (region.categories & SCAN_PRESENT);
	/* A new mapping is soft-dirty once it is written, wherever the bit exists. */
	page[0] = 1;
	if (pread(fd, &entry, sizeof(entry), at) == sizeof(entry))
		probe->known.soft_dirty = entry & ENTRY_FLAG(VMSNAP_PAGE_SOFT_DIRTY);
}

int pagemap_probe(struct pagemap_probe *out, struct vmsnap_error *err)
{
	*out = (struct pagemap_probe){ 0 };
	CLEANUP_CLOSE int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail_sys(err, errno, "cannot open /proc/self/pagemap (does the kernel have "
		                            "CONFIG_PROC_PAGE_MONITOR?)");
	size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
	void *page = mmap(NULL, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return fail_no_memory(err);
	probe_page(fd, page, page_size, out);
	munmap(page, page_size);
	out->known.exclusive = kernel_shows_exclusive();
	out->known.huge = out->scan;
	out->known.zero = out->scan || out->zero_pfn;
	return VMSNAP_OK;
}
