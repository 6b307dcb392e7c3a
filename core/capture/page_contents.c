#define _GNU_SOURCE
#include "page_contents.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "contents_keeper.h"
#include "error.h"
#include "maps.h"
#include "pattern.h"
#include "snapshot.h"

enum { WANTED_MASK = VMSNAP_WANT_UNDUMPED - 1 };

/* ---- which pages -------------------------------------------------------------- */

static bool has_flag(const char *flags, const char *flag)
{
	for (; *flags; flags += strcspn(flags, " "), flags += strspn(flags, " "))
		if (!strncmp(flags, flag, 2) && (flags[2] == ' ' || !flags[2]))
			return true;
	return false;
}

/* Memory of devices, and what the kernel shows of itself: reading it may do anything, or nothing. */
static bool is_device(const char *flags, const struct vmsnap_vma *vma)
{
	return has_flag(flags, "io") || has_flag(flags, "pf") || !strncmp(vma->name, "[vvar", 5) ||
	       !strcmp(vma->name, "[vsyscall]");
}

/* memfd_secret(2): not even the kernel may look at it. */
static bool is_secret(const struct vmsnap_vma *vma)
{
	return !strncmp(vma->name, "/secretmem", 10);
}

static bool is_excluded(const struct vmsnap_capture_options *options, const struct vmsnap_vma *vma)
{
	for (size_t i = 0; i < options->exclude_count; i++)
		if (pattern_fits(options->exclude[i], vma->name))
			return true;
	return false;
}

static bool wants_mapping(const struct vmsnap_capture_options *options, const struct vmsnap_vma *vma, const char *flags)
{
	const uint32_t access = VMSNAP_PERM_READ | VMSNAP_PERM_WRITE | VMSNAP_PERM_EXEC;
	bool undumped = options->contents & VMSNAP_WANT_UNDUMPED;
	if (is_device(flags, vma) || is_excluded(options, vma))
		return false;
	if (!undumped && (has_flag(flags, "dd") || !(vma->perms & access) || is_secret(vma)))
		return false;
	return (options->contents & WANTED_MASK) == VMSNAP_WANT_ALL || !(vma->perms & VMSNAP_PERM_SHARED);
}

/* Of a file that is mapped to be written to, what was not written yet as well: it is little, and tells what
 * a variable was before. */
static bool wants_state(const struct vmsnap_capture_options *options, const struct vmsnap_vma *vma, uint64_t entry)
{
	if (!(entry & ENTRY_PRESENT) || entry & ENTRY_FLAG(VMSNAP_PAGE_ZERO))
		return false;
	bool clean = entry & ENTRY_FLAG(VMSNAP_PAGE_FILE);
	return !clean || vma->perms & VMSNAP_PERM_WRITE || (options->contents & WANTED_MASK) == VMSNAP_WANT_ALL;
}

/* ---- reading -------------------------------------------------------------------- */

struct reading {
	struct page_contents *contents;
	const struct page_contents_target *target;
	struct vmsnap *map; /* only its mappings, and what smaps says of them */
	struct vmsnap_error *err;
	struct contents_keeper keeper;
	int memory;
};

/* Pages that were there a moment ago: what went to swap since must not be asked for. */
static void read_present(struct reading *reading, uint64_t address, size_t len)
{
	size_t page_size = (size_t)reading->target->page_size;
	struct page_batch *batch = keeper_batch(&reading->keeper);
	for (size_t done = 0; done < len;) {
		char *to = batch->bytes + batch->count * page_size;
		ssize_t got = pread(reading->memory, to, len - done, (off_t)(address + done));
		if (got < 0 && errno == EINTR)
			continue;
		size_t whole = got > 0 ? (size_t)got & ~(page_size - 1) : 0;
		for (size_t at = 0; at < whole; at += page_size)
			batch->addresses[batch->count++] = address + done + at;
		/* A page that cannot be read (poisoned, a guard) is not known. */
		done += whole ? whole : page_size;
	}
}

/* No more pages than the batch has room for. */
static int read_pages(struct reading *reading, uint64_t address, size_t pages)
{
	const struct page_contents_target *target = reading->target;
	uint64_t entries[KEEPER_PAGES_MAX];
	ssize_t size = (ssize_t)(pages * sizeof(*entries));
	watchdog_kick(target->dog);
	realtime_check(target->realtime);
	if (atomic_load_explicit(target->cancel, memory_order_relaxed))
		return fail(reading->err, VMSNAP_ERR_CANCELLED, "cancelled");
	if (pread(target->pagemap, entries, (size_t)size, (off_t)(address / target->page_size * 8)) != size)
		return VMSNAP_OK;
	for (size_t i = 0, end; i < pages; i = end) {
		bool present = entries[i] & ENTRY_PRESENT;
		for (end = i + 1; end < pages && !(entries[end] & ENTRY_PRESENT) == !present; end++)
			;
		if (present)
			read_present(reading, address + i * target->page_size, (end - i) * target->page_size);
	}
	return VMSNAP_OK;
}

static int read_range(struct reading *reading, uint64_t start, uint64_t end)
{
	size_t page_size = (size_t)reading->target->page_size, room = KEEPER_BYTES / page_size;
	int rc = VMSNAP_OK;
	for (uint64_t at = start; !rc && at < end;) {
		uint64_t left = (end - at) / page_size;
		size_t free = room - keeper_batch(&reading->keeper)->count, pages = left < free ? (size_t)left : free;
		rc = read_pages(reading, at, pages);
		at += pages * page_size;
		/* Of one that is nearly full the rest is not worth reading by itself. */
		if (!rc && keeper_batch(&reading->keeper)->count > room * 3 / 4)
			rc = keeper_give(&reading->keeper);
	}
	return rc;
}

/* ---- all of them ------------------------------------------------------------------ */

typedef int (*range_fn)(struct reading *reading, uint64_t start, uint64_t end);

/* What of [start, end) is in none of the excluded ranges. */
static int outside_excluded(struct reading *reading, uint64_t start, uint64_t end, range_fn fn)
{
	const struct vmsnap_capture_options *options = reading->contents->options;
	uint64_t mask = reading->target->page_size - 1;
	int rc = VMSNAP_OK;
	while (!rc && start < end) {
		uint64_t until = end, next = end;
		for (size_t i = 0; i < options->exclude_range_count; i++) {
			const struct vmsnap_range *range = &options->exclude_ranges[i];
			uint64_t from = range->start & ~mask, to = (range->end + mask) & ~mask;
			to = to < range->end ? UINT64_MAX & ~mask : to;
			if (from >= to || to <= start || from >= until)
				continue;
			until = from > start ? from : start;
			next = to;
		}
		if (until > start)
			rc = fn(reading, start, until);
		start = until == end ? end : next;
	}
	return rc;
}

/* Ranges of neighbouring pages that are wanted. */
static int each_range(struct reading *reading, range_fn fn)
{
	const struct page_contents_target *target = reading->target;
	const struct vmsnap_capture_options *options = reading->contents->options;
	const struct run_list *runs = target->runs;
	uint64_t from = 0, to = 0;
	size_t run = 0;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < reading->map->vma_count; i++) {
		const struct vmsnap_vma *vma = &reading->map->vmas[i];
		if (!wants_mapping(options, vma, vmsnap_smaps_flags(reading->map, i)))
			continue;
		for (run = run_list_find(runs, target->page_size, vma->start);
		     !rc && run < runs->count && run_start(&runs->items[run]) < vma->end; run++) {
			uint64_t start = run_start(&runs->items[run]);
			uint64_t end = start + run_pages(&runs->items[run]) * target->page_size;
			start = start > vma->start ? start : vma->start;
			end = end < vma->end ? end : vma->end;
			if (!wants_state(options, vma, runs->items[run].entry))
				continue;
			if (start != to) {
				rc = from < to ? outside_excluded(reading, from, to, fn) : VMSNAP_OK;
				from = start;
			}
			to = end;
		}
	}
	return rc || from >= to ? rc : outside_excluded(reading, from, to, fn);
}

static int count_range(struct reading *reading, uint64_t start, uint64_t end)
{
	reading->contents->left_out += end - start;
	return VMSNAP_OK;
}

static int read_all(struct reading *reading)
{
	struct page_contents *contents = reading->contents;
	const struct page_contents_target *target = reading->target;
	uint64_t limit = contents->options->contents_limit;
	if (limit) {
		each_range(reading, count_range);
		if (contents->left_out > limit)
			return VMSNAP_OK;
		contents->left_out = 0;
	}
	CLEANUP_CLOSE int memory = openat(target->memory, "mem", O_RDONLY | O_CLOEXEC);
	if (memory < 0)
		return fail_sys(reading->err, errno, "cannot read the memory of the process");
	reading->memory = memory;
	contents->taken.store = vmsnap_store_ref(contents->store);
	contents->taken.bytes = !reading->keeper.hashes;
	int rc = each_range(reading, read_range);
	int kept = keeper_finish(&reading->keeper, rc == VMSNAP_ERR_CANCELLED ? NULL : reading->err);
	rc = rc ? rc : kept;
	/* The lists that reading puts pages into keep a reference to each. */
	vmsnap_put_back(true);
	return rc;
}

static int parse_map(const struct page_contents_target *target, struct vmsnap *map, struct vmsnap_error *err)
{
	map->info.page_size = target->page_size;
	if (target->smaps->len)
		return smaps_parse(target->smaps->text, target->smaps->len, map, err);
	return maps_parse(target->maps->text, target->maps->len, map, err);
}

int page_contents_take(struct page_contents *contents, const struct page_contents_target *target,
                       struct vmsnap_error *err)
{
	struct reading reading = { .contents = contents, .target = target, .map = snapshot_new(), .err = err };
	bool hashes = (contents->options->contents & WANTED_MASK) == VMSNAP_WANT_HASHES;
	contents_free(&contents->taken);
	contents->left_out = 0;
	int rc = keeper_init(&reading.keeper, &contents->taken, (size_t)target->page_size, hashes);
	rc = !rc && reading.map ? VMSNAP_OK : fail_no_memory(err);
	if (!rc && target->page_size > CONTENTS_PAGE_MAX)
		rc = fail(err, VMSNAP_ERR_ARGUMENT, "contents of pages that are larger than 64 KiB");
	rc = rc ? rc : parse_map(target, reading.map, err);
	rc = rc ? rc : read_all(&reading);
	keeper_free(&reading.keeper);
	vmsnap_unref(reading.map);
	return rc;
}

void page_contents_free(struct page_contents *contents)
{
	contents_free(&contents->taken);
}
