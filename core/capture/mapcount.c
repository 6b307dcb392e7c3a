#define _GNU_SOURCE
#include "mapcount.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "error.h"
#include "pagemap_again.h"

enum {
	CHUNK = 512,
	COUNTED_MAX = 16384, /* pages, 1 ms: 32 huge ones of 2 MiB */
	ROLLUP_ONE_IN = 8,   /* small pages, for which it takes 10 ns, at most */
};

/* ---- which pages ------------------------------------------------------------------------ */

/* Pages whose frames count up, as a region whose category is the first frame. */
static int add_part(struct page_marks *parts, uint64_t page_size, uint64_t start, uint64_t pages, uint64_t frame)
{
	struct page_region *last = parts->count ? &parts->items[parts->count - 1] : NULL;
	uint64_t end = start + pages * page_size;
	if (last && last->end == start && last->categories + (start - last->start) / page_size == frame) {
		last->end = end;
		return 0;
	}
	if (page_marks_reserve(parts, 1))
		return ENOMEM;
	parts->items[parts->count++] = (struct page_region){ start, end, frame };
	return 0;
}

struct huge_parts {
	struct page_marks parts;
	uint64_t pages, resident;
	bool files;  /* some are of files or shared memory */
	bool shared; /* the first page of some huge one is not exclusive */
	bool moving; /* the frame of some is not known: it was just being moved */
};

static bool is_huge(const struct page_region *mark)
{
	return (mark->categories & (SCAN_HUGE | SCAN_ZERO)) == SCAN_HUGE;
}

/* What of a run the marks say is huge.  *next: the first mark that may. */
static int add_run(struct huge_parts *found, const struct run *run, uint64_t page_size, const struct page_marks *marks,
                   size_t *next)
{
	uint64_t start = run_start(run), end = start + run_pages(run) * page_size;
	while (*next < marks->count && marks->items[*next].end <= start)
		++*next;
	for (size_t i = *next; i < marks->count && marks->items[i].start < end; i++) {
		const struct page_region *mark = &marks->items[i];
		uint64_t from = mark->start > start ? mark->start : start, to = mark->end < end ? mark->end : end;
		uint64_t pages = (to - from) / page_size, frame = run->entry & ENTRY_FRAME_MASK;
		if (!is_huge(mark))
			continue;
		found->pages += pages;
		found->moving |= !frame;
		found->shared |= !(run->entry & ENTRY_FLAG(VMSNAP_PAGE_EXCLUSIVE));
		found->files |= !!(run->entry & ENTRY_FLAG(VMSNAP_PAGE_FILE));
		if (add_part(&found->parts, page_size, from, pages, frame + (from - start) / page_size))
			return ENOMEM;
	}
	return 0;
}

static int find_parts(const struct mapcount *mapcount, const struct run_list *runs, const struct page_marks *marks,
                      struct huge_parts *found)
{
	size_t next = 0;
	for (size_t i = 0; i < runs->count; i++) {
		const struct run *run = &runs->items[i];
		if (!(run->entry & ENTRY_PRESENT))
			continue;
		found->resident += run_pages(run);
		if (add_run(found, run, mapcount->page_size, marks, &next))
			return ENOMEM;
	}
	return 0;
}

/* ---- while the target stands ------------------------------------------------------------ */

int mapcount_read(int kpagecount, uint64_t frame, size_t count, uint64_t *counts)
{
	ssize_t size = (ssize_t)(count * sizeof(*counts)), got;
	do
		got = pread(kpagecount, counts, (size_t)size, (off_t)(frame * sizeof(*counts)));
	while (got < 0 && errno == EINTR);
	return got == size ? 0 : got < 0 ? errno : EIO;
}

/* Whether these pages are still in these frames: a count is of whoever has the frame now. */
static bool still_there(const struct mapcount *mapcount, uint64_t address, uint64_t frame, size_t count)
{
	uint64_t entries[CHUNK];
	ssize_t size = (ssize_t)(count * sizeof(*entries));
	if (pread(mapcount->pagemap, entries, (size_t)size, (off_t)(address / mapcount->page_size * 8)) != size)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!(entries[i] & ENTRY_PRESENT) || (entries[i] & ENTRY_FRAME_MASK) != frame + i)
			return false;
	return true;
}

/* *told: false if the kernel moved them meanwhile, or does not say. */
static int count_chunk(struct mapcount *mapcount, int kpagecount, uint64_t address, uint64_t frame, size_t count,
                       bool *told)
{
	uint64_t counts[CHUNK];
	watchdog_kick(mapcount->dog);
	realtime_check(mapcount->realtime);
	if (atomic_load_explicit(mapcount->cancel, memory_order_relaxed))
		return ECANCELED;
	*told = !mapcount_read(kpagecount, frame, count, counts) && still_there(mapcount, address, frame, count);
	for (size_t i = 0, end; *told && i < count; i = end) {
		for (end = i + 1; end < count && (counts[end] == 1) == (counts[i] == 1); end++)
			;
		if (counts[i] == 1 && add_part(&mapcount->exclusive, mapcount->page_size,
		                               address + i * mapcount->page_size, end - i, frame + i))
			return ENOMEM;
	}
	return 0;
}

static int count_part(struct mapcount *mapcount, int kpagecount, const struct page_region *part, bool *told)
{
	uint64_t frame = part->categories;
	int error = 0;
	for (uint64_t at = part->start; !error && *told && at < part->end;) {
		uint64_t left = (part->end - at) / mapcount->page_size;
		size_t count = left < CHUNK ? (size_t)left : CHUNK;
		error = count_chunk(mapcount, kpagecount, at, frame, count, told);
		at += count * mapcount->page_size;
		frame += count;
	}
	return error;
}

static int count_each(struct mapcount *mapcount, const struct page_marks *parts)
{
	CLEANUP_CLOSE int kpagecount = open("/proc/kpagecount", O_RDONLY | O_CLOEXEC);
	bool told = kpagecount >= 0;
	int error = 0;
	for (size_t i = 0; !error && told && i < parts->count; i++)
		error = count_part(mapcount, kpagecount, &parts->items[i], &told);
	mapcount->told = told && !error;
	return error;
}

/* Whether no anonymous page is mapped twice: then each is counted in full.  hugetlb pages are not among these,
 * so all that are huge must be. */
static bool none_is_shared(const struct mapcount *mapcount, uint64_t huge)
{
	struct proc_text text = { 0 };
	uint64_t anonymous = SWAP_UNKNOWN, counted = SWAP_UNKNOWN, anonymous_huge = SWAP_UNKNOWN;
	if (!procdir_read(mapcount->memory, "smaps_rollup", &text)) {
		anonymous = pagemap_swap_told(&text, "Anonymous:", mapcount->page_size);
		counted = pagemap_swap_told(&text, "Pss_Anon:", mapcount->page_size);
		anonymous_huge = pagemap_swap_told(&text, "AnonHugePages:", mapcount->page_size);
	}
	proc_text_free(&text);
	return anonymous != SWAP_UNKNOWN && anonymous == counted && anonymous_huge == huge;
}

/* It costs ten times as much where pages are shared, or small, and then may be for nothing. */
static bool is_worth_a_rollup(const struct huge_parts *found)
{
	return !found->files && !found->shared && (found->resident - found->pages) * ROLLUP_ONE_IN <= found->pages;
}

static int take_parts(struct mapcount *mapcount, struct huge_parts *found)
{
	if (is_worth_a_rollup(found) && none_is_shared(mapcount, found->pages)) {
		mapcount->told = true;
		mapcount->exclusive = found->parts;
		found->parts = (struct page_marks){ 0 };
		return 0;
	}
	return mapcount->unhurried || found->pages <= COUNTED_MAX ? count_each(mapcount, &found->parts) : 0;
}

bool mapcount_has_work(const struct page_marks *marks)
{
	for (size_t i = 0; i < marks->count; i++)
		if (is_huge(&marks->items[i]))
			return true;
	return false;
}

int mapcount_take(struct mapcount *mapcount, const struct run_list *runs, const struct page_marks *marks)
{
	struct huge_parts found = { 0 };
	if (!mapcount_has_work(marks))
		return 0;
	int error = find_parts(mapcount, runs, marks, &found);
	if (!error && found.pages && !found.moving)
		error = take_parts(mapcount, &found);
	free(found.parts.items);
	return error;
}

/* ---- afterwards ------------------------------------------------------------------------- */

static bool before_6_15(void)
{
	struct utsname name;
	unsigned major, minor;
	return !uname(&name) && sscanf(name.release, "%u.%u", &major, &minor) == 2 &&
	       (major < 6 || (major == 6 && minor < 15));
}

static uint64_t read_word(const char *path, uint64_t index, uint64_t otherwise)
{
	uint64_t word;
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && pread(fd, &word, sizeof(word), (off_t)(index * 8)) == sizeof(word) ? word : otherwise;
}

/* Of a huge page of ours one page is given back.  It stays a part of the folio, mapped by nobody: so says
 * a count of its own; the average would be 1. */
static bool tells_pages_apart(char *huge, uint64_t page_size)
{
	enum { COMPOUND_TAIL = 16 };
	char *page = huge + page_size;
	*(volatile char *)huge = 1;
	uint64_t entry = read_word("/proc/self/pagemap", (uintptr_t)page / page_size, 0);
	uint64_t frame = entry & ENTRY_FRAME_MASK;
	if (!(entry & ENTRY_PRESENT) || !frame || madvise(page, page_size, MADV_DONTNEED))
		return false;
	/* As long as it is one it has not been given to somebody else. */
	return read_word("/proc/kpagecount", frame, 1) == 0 &&
	       (read_word("/proc/kpageflags", frame, 0) >> COMPOUND_TAIL & 1);
}

bool mapcount_is_exact(void)
{
	if (before_6_15())
		return true;
	uint64_t page_size = (uint64_t)sysconf(_SC_PAGESIZE), size = page_size / sizeof(uint64_t) * page_size;
	char *memory = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return false;
	char *huge = memory + (size - (uintptr_t)memory % size) % size;
	bool exact = !madvise(huge, size, MADV_HUGEPAGE) && tells_pages_apart(huge, page_size);
	munmap(memory, 2 * size);
	return exact;
}

static int append_pages(struct run_list *out, uint64_t page_size, uint64_t start, uint64_t end, uint64_t entry)
{
	return start == end ? VMSNAP_OK : run_list_append(out, page_size, start, (end - start) / page_size, entry);
}

/* One huge run, cut where pages begin and cease to be exclusive.  *next: the first range that may be in it. */
static int append_counted(struct run_list *out, const struct mapcount *mapcount, const struct run *run, size_t *next)
{
	const uint64_t exclusive = ENTRY_FLAG(VMSNAP_PAGE_EXCLUSIVE);
	const struct page_marks *ranges = &mapcount->exclusive;
	uint64_t page_size = mapcount->page_size, start = run_start(run), end = start + run_pages(run) * page_size;
	uint64_t at = start, shared = run->entry & ~exclusive, step = entry_step(shared);
	int rc = VMSNAP_OK;
	while (*next < ranges->count && ranges->items[*next].end <= start)
		++*next;
	for (size_t i = *next; !rc && i < ranges->count && ranges->items[i].start < end; i++) {
		uint64_t from = ranges->items[i].start > at ? ranges->items[i].start : at;
		uint64_t to = ranges->items[i].end < end ? ranges->items[i].end : end;
		rc = append_pages(out, page_size, at, from, shared + (at - start) / page_size * step);
		rc = rc ? rc
		        : append_pages(out, page_size, from, to,
		                       (shared | exclusive) + (from - start) / page_size * step);
		at = to;
	}
	return rc ? rc : append_pages(out, page_size, at, end, shared + (at - start) / page_size * step);
}

static bool is_counted(const struct run *run)
{
	const uint64_t telling = ENTRY_PRESENT | ENTRY_FLAG(VMSNAP_PAGE_HUGE | VMSNAP_PAGE_ZERO);
	return (run->entry & telling) == (ENTRY_PRESENT | ENTRY_FLAG(VMSNAP_PAGE_HUGE));
}

int mapcount_apply(const struct mapcount *mapcount, struct run_list *runs, bool *told)
{
	struct run_list out = { 0 };
	*told = mapcount->told && mapcount_is_exact();
	if (!*told)
		return VMSNAP_OK;
	int rc = run_list_reserve(&out, runs->count + mapcount->exclusive.count, false);
	size_t next = 0;
	for (size_t i = 0; !rc && i < runs->count; i++) {
		const struct run *run = &runs->items[i];
		rc = is_counted(run)
		             ? append_counted(&out, mapcount, run, &next)
		             : run_list_append(&out, mapcount->page_size, run_start(run), run_pages(run), run->entry);
	}
	if (rc) {
		run_list_free(&out);
		return rc;
	}
	run_list_free(runs);
	*runs = out;
	return VMSNAP_OK;
}

void mapcount_free(struct mapcount *mapcount)
{
	free(mapcount->exclusive.items);
	*mapcount = (struct mapcount){ 0 };
}
