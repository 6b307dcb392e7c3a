#define _GNU_SOURCE
#include "uffd_tracking.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "array.h"
#include "error.h"
#include "pagemap_scan.h"
#include "scan.h"
#include "sorted.h"

/* Of linux/userfaultfd.h and linux/fs.h of Linux 6.7; older headers lack them. */
enum { FEATURE_WP_UNPOPULATED = 1 << 13, FEATURE_WP_ASYNC = 1 << 15 };
enum { SCAN_WP_ALLOWED = 1 << 0, SCAN_WRITTEN = 1 << 1, SCAN_FILE = 1 << 2, SCAN_WP_MATCHING = 1 };
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif
#define FEATURES_NEEDED ((uint64_t)(FEATURE_WP_UNPOPULATED | FEATURE_WP_ASYNC))

enum { REGIONS = 32768 };

/* ---- what the kernel can ------------------------------------------------------------- */

static int ask_api(int uffd, uint64_t features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	return ioctl(uffd, UFFDIO_API, &api) ? errno : 0;
}

int uffd_tracking_exists(struct vmsnap_error *err)
{
	CLEANUP_CLOSE int uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);
	if (uffd < 0)
		return fail_sys(err, errno, "this kernel gives us no userfaultfd");
	int error = ask_api(uffd, FEATURES_NEEDED);
	if (error == EINVAL)
		return fail(
		        err, VMSNAP_ERR_SYSTEM,
		        "tracking by userfaultfd needs asynchronous write protection, which came with Linux 6.7 (and "
		        "on arm64 with 6.10)");
	return error ? fail_sys(err, error, "cannot use userfaultfd") : VMSNAP_OK;
}

int uffd_tracking_init(struct uffd_tracking *tracking, int uffd, int procdir, pid_t pid, struct vmsnap_error *err)
{
	*tracking = (struct uffd_tracking){ .fd = uffd, .maps = -1, .pagemap = -1 };
	tracking->page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	int error = ask_api(uffd, FEATURES_NEEDED);
	if (error)
		return fail_sys(err, error, "cannot use the userfaultfd of process %d", (int)pid);
	tracking->maps = openat(procdir, "maps", O_RDONLY | O_CLOEXEC);
	tracking->pagemap = tracking->maps < 0 ? -1 : openat(procdir, "pagemap", O_RDONLY | O_CLOEXEC);
	if (tracking->pagemap < 0)
		return procdir_fail(errno, pid, "pagemap", err);
	tracking->regions = malloc(REGIONS * sizeof(*tracking->regions));
	return tracking->regions ? VMSNAP_OK : fail_no_memory(err);
}

static void free_ranges(struct uffd_ranges *ranges)
{
	free(ranges->items);
	*ranges = (struct uffd_ranges){ 0 };
}

void uffd_tracking_free(struct uffd_tracking *tracking)
{
	int *const fds[] = { &tracking->fd, &tracking->maps, &tracking->pagemap };
	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
	proc_text_free(&tracking->text);
	free_ranges(&tracking->ranges);
	free_ranges(&tracking->next);
	layer_free(&tracking->shared);
	layer_free(&tracking->last);
	layer_free(&tracking->found);
	free(tracking->regions);
	tracking->regions = NULL;
}

/* ---- mappings ------------------------------------------------------------------------ */

static size_t range_find(const struct uffd_ranges *ranges, uint64_t address)
{
	return SORTED_ABOVE(struct uffd_range, end, ranges->items, ranges->count, address);
}

bool uffd_tracking_protects(const struct uffd_tracking *tracking, uint64_t address, uint64_t *end)
{
	const struct uffd_ranges *ranges = &tracking->ranges;
	size_t at = range_find(ranges, address);
	const struct uffd_range *range = at < ranges->count ? &ranges->items[at] : NULL;
	bool inside = range && range->start <= address;
	*end = !range ? UINT64_MAX : inside ? range->end : range->start;
	return inside && range->tracked;
}

/* [vdso], [vvar], [vsyscall]: the kernel's own, which no process writes to. */
static bool is_kernels(const struct cursor *line)
{
	const char *name = line->end;
	while (name > line->at && name[-1] != ' ')
		name--;
	return line->end - name > 2 && name[0] == '[' && name[1] == 'v';
}

/* Of one line of maps: "START-END PERM …". */
static bool range_of_line(struct cursor line, struct uffd_range *range)
{
	*range = (struct uffd_range){ 0 };
	if (is_kernels(&line))
		return false;
	if (!take_hex(&line, &range->start) || !take_char(&line, '-') || !take_hex(&line, &range->end) ||
	    !take_char(&line, ' ') || line.end - line.at < 4)
		return false;
	range->shared = line.at[3] == 's';
	range->writable = line.at[1] == 'w';
	line.at += 4;
	struct cursor fields = { line.at + (line.at < line.end), line.end };
	(void)take_until(&fields, ' '); /* the offset */
	struct cursor device = take_until(&fields, ' ');
	range->of_file = !range->shared && (device.end - device.at != 5 || memcmp(device.at, "00:00", 5) != 0);
	return range->end > range->start && range->end <= INT64_MAX;
}

static int add_range(struct uffd_ranges *ranges, const struct uffd_range *range)
{
	struct uffd_range *items = array_room(ranges->items, ranges->count, &ranges->room, sizeof(*items));
	if (!items)
		return ENOMEM;
	ranges->items = items;
	ranges->items[ranges->count++] = *range;
	return 0;
}

/* Whether all of it was registered at the last look: then it still is, or was unmapped meanwhile, and mapped anew
 * (mark_new()). */
static bool was_tracked(const struct uffd_tracking *tracking, const struct uffd_range *range)
{
	uint64_t at = range->start, end = 0;
	while (at < range->end && uffd_tracking_protects(tracking, at, &end))
		at = end;
	return at >= range->end;
}

static int read_ranges(struct uffd_tracking *tracking)
{
	int error = procdir_read_fd(tracking->maps, &tracking->text);
	if (error || !tracking->text.len)
		return error ? error : ESRCH;
	struct cursor text = { tracking->text.text, tracking->text.text + tracking->text.len };
	tracking->next.count = 0;
	while (!error && text.at < text.end) {
		struct uffd_range range;
		if (!range_of_line(take_until(&text, '\n'), &range))
			continue;
		range.tracked = was_tracked(tracking, &range);
		error = add_range(&tracking->next, &range);
	}
	return error;
}

/* ---- pages --------------------------------------------------------------------------- */

struct scan {
	uint64_t flags, inverted, mask, returned;
	int (*take)(struct uffd_tracking *tracking, const struct page_region *region);
};

/* Only what is there: to arm what is not, the kernel would make page tables for it. */
static int scan_pages(struct uffd_tracking *tracking, uint64_t start, uint64_t end, const struct scan *scan)
{
	struct scan_args args = { .size = sizeof(args),
		                  .flags = scan->flags,
		                  .start = start,
		                  .end = end,
		                  .vec = (uintptr_t)tracking->regions,
		                  .vec_len = REGIONS,
		                  .category_inverted = scan->inverted,
		                  .category_mask = scan->mask,
		                  .category_anyof_mask = SCAN_PRESENT | SCAN_SWAPPED,
		                  .return_mask = scan->returned };
	int error = 0;
	while (!error && args.start < end) {
		long count = raw_syscall4(SYS_ioctl, tracking->pagemap, (long)SCAN_IOCTL, (long)&args, 0);
		if (count == -EINTR)
			continue;
		if (count < 0)
			return (int)-count;
		for (long i = 0; !error && scan->take && i < count; i++)
			error = scan->take(tracking, &tracking->regions[i]);
		args.start = args.walk_end;
	}
	return error;
}

static int note(struct layer *layer, uint64_t start, uint64_t end, enum vmsnap_page_written value)
{
	return layer_append(layer, start, end, (uint64_t)value) ? ENOMEM : 0;
}

/* A page of a shared mapping that was not there before may have been read only. */
static int note_shared(struct uffd_tracking *tracking, uint64_t start, uint64_t end)
{
	const struct layer *shared = &tracking->shared;
	size_t i = SORTED_ABOVE(struct vmsnap_layer_range, end, shared->items, shared->count, start);
	int error = 0;
	while (!error && start < end) {
		const struct vmsnap_layer_range *before = i < shared->count ? &shared->items[i] : NULL;
		bool was_there = before && before->start <= start;
		uint64_t until = !before || before->start >= end ? end : was_there ? before->end : before->start;
		until = until < end ? until : end;
		error = note(&tracking->last, start, until,
		             was_there ? VMSNAP_PAGE_WAS_WRITTEN : VMSNAP_PAGE_MAYBE_WRITTEN);
		i += was_there;
		start = until;
	}
	return error;
}

/* The page cache's own page, and the zero page, are not what a write to private memory leaves. */
static bool is_unwritten(const struct page_region *region)
{
	return region->categories & (SCAN_FILE | SCAN_ZERO);
}

/* Calls for each part of a region that lies in one mapping; what lies in none was unmapped since. */
static int each_part(struct uffd_tracking *tracking, const struct page_region *region,
                     int (*fn)(struct uffd_tracking *tracking, const struct uffd_range *range, uint64_t start,
                               uint64_t end))
{
	const struct uffd_ranges *ranges = &tracking->next;
	int error = 0;
	for (size_t i = range_find(ranges, region->start);
	     !error && i < ranges->count && ranges->items[i].start < region->end; i++) {
		const struct uffd_range *range = &ranges->items[i];
		if (!range->shared && is_unwritten(region))
			continue;
		error = fn(tracking, range, range->start > region->start ? range->start : region->start,
		           range->end < region->end ? range->end : region->end);
	}
	return error;
}

static int note_written(struct uffd_tracking *tracking, const struct uffd_range *range, uint64_t start, uint64_t end)
{
	return range->shared ? note_shared(tracking, start, end)
	                     : note(&tracking->last, start, end, VMSNAP_PAGE_WAS_WRITTEN);
}

static int take_written(struct uffd_tracking *tracking, const struct page_region *region)
{
	return each_part(tracking, region, note_written);
}

/* EBUSY: another userfaultfd has it.  EPERM: it is shared, and the process has no right ever to write to it.  Others:
 * it is of a kind that cannot be (device memory). */
static int try_register(const struct uffd_tracking *tracking, uint64_t start, uint64_t end)
{
	struct uffdio_register request = { .range = { start, end - start }, .mode = UFFDIO_REGISTER_MODE_WP };
	return ioctl(tracking->fd, UFFDIO_REGISTER, &request) ? errno : 0;
}

/* Memory that is not registered: new, or moved here (mremap(2)), with what was written before, or such that cannot
 * be. */
static int note_new(struct uffd_tracking *tracking, const struct uffd_range *range, uint64_t start, uint64_t end)
{
	struct uffd_range *untracked = &tracking->next.items[range - tracking->next.items];
	untracked->lost |= untracked->tracked;
	untracked->tracked = false;
	if (range->shared && !range->writable && try_register(tracking, range->start, range->end) == EPERM)
		return 0;
	return note(&tracking->last, start, end, VMSNAP_PAGE_MAYBE_WRITTEN);
}

static int take_new(struct uffd_tracking *tracking, const struct page_region *region)
{
	return each_part(tracking, region, note_new);
}

/* What got there, or was written, since scan_new looked: it is armed now, and no later look will find it. */
static int note_armed(struct uffd_tracking *tracking, const struct uffd_range *range, uint64_t start, uint64_t end)
{
	(void)range;
	return note(&tracking->last, start, end, VMSNAP_PAGE_MAYBE_WRITTEN);
}

static int take_armed(struct uffd_tracking *tracking, const struct page_region *region)
{
	return each_part(tracking, region, note_armed);
}

static int take_shared(struct uffd_tracking *tracking, const struct page_region *region)
{
	return note(&tracking->shared, region->start, region->end, VMSNAP_PAGE_WAS_WRITTEN);
}

/* Whether a page is the page cache's the kernel sees in the page itself, which takes longer than all else: only what
 * may be one is asked about. */
static const struct scan scan_written = {
	.flags = SCAN_WP_MATCHING, .mask = SCAN_WRITTEN, .returned = SCAN_WRITTEN | SCAN_ZERO, .take = take_written
};
static const struct scan scan_written_file = { .flags = SCAN_WP_MATCHING,
	                                       .mask = SCAN_WRITTEN,
	                                       .returned = SCAN_WRITTEN | SCAN_FILE | SCAN_ZERO,
	                                       .take = take_written };
static const struct scan scan_arm = { .flags = SCAN_WP_MATCHING, .mask = SCAN_WRITTEN, .returned = SCAN_WRITTEN };
static const struct scan scan_arm_late = { .flags = SCAN_WP_MATCHING,
	                                   .mask = SCAN_WRITTEN,
	                                   .returned = SCAN_WRITTEN | SCAN_FILE | SCAN_ZERO,
	                                   .take = take_armed };
static const struct scan scan_new = {
	.inverted = SCAN_WP_ALLOWED, .mask = SCAN_WP_ALLOWED, .returned = SCAN_FILE | SCAN_ZERO, .take = take_new
};
static const struct scan scan_shared = { .returned = SCAN_PRESENT | SCAN_SWAPPED, .take = take_shared };

/* ---- a look -------------------------------------------------------------------------- */

/* Memory that loses its registration, as it is moved, or joined with what is moved (mremap(2)), may keep the bits of
 * its pages: they look armed, and are written to unseen.  Found right after it was registered anew, while nobody can
 * have armed them. */
static int take_leftover(struct uffd_tracking *tracking, const struct page_region *region)
{
	(void)region;
	tracking->leftover = true;
	return 0;
}
static const struct scan scan_leftover = {
	.inverted = SCAN_WRITTEN, .mask = SCAN_WRITTEN, .returned = SCAN_WRITTEN, .take = take_leftover
};

static int clear_leftover(struct uffd_tracking *tracking, uint64_t start, uint64_t end)
{
	struct uffdio_writeprotect request = { .range = { start, end - start } };
	tracking->leftover = false;
	int error = scan_pages(tracking, start, end, &scan_leftover);
	if (error || !tracking->leftover)
		return error;
	while (ioctl(tracking->fd, UFFDIO_WRITEPROTECT, &request)) {
		/* Its mappings are just being changed. */
		if (errno != EAGAIN && errno != EINTR)
			return errno == ENOENT ? 0 : errno;
	}
	return 0;
}

static int register_part(struct uffd_tracking *tracking, struct uffd_range *range, uint64_t start, uint64_t end)
{
	int error = try_register(tracking, start, end);
	range->tracked &= !error;
	if (error == ESRCH || error == ENOMEM || (error == EBUSY && !tracking->armed))
		return error;
	if (error)
		return 0;
	error = clear_leftover(tracking, start, end);
	return error ? error : scan_pages(tracking, start, end, tracking->armed ? &scan_arm_late : &scan_arm);
}

/* Of one that is larger than it was, only what it has more. */
static int register_range(struct uffd_tracking *tracking, struct uffd_range *range)
{
	int error = 0;
	range->tracked = true;
	for (uint64_t at = range->start, end; !error && at < range->end; at = end) {
		bool protected = uffd_tracking_protects(tracking, at, &end);
		end = end < range->end && !range->lost ? end : range->end;
		if (range->lost || !protected)
			error = register_part(tracking, range, at, end);
	}
	return error;
}

static int register_new(struct uffd_tracking *tracking)
{
	int error = 0;
	for (size_t i = 0; !error && i < tracking->next.count; i++)
		if (!tracking->next.items[i].tracked)
			error = register_range(tracking, &tracking->next.items[i]);
	return error;
}

static int look_at_shared(struct uffd_tracking *tracking)
{
	int error = 0;
	tracking->shared.count = 0;
	for (size_t i = 0; !error && i < tracking->next.count; i++) {
		const struct uffd_range *range = &tracking->next.items[i];
		if (range->shared && range->tracked)
			error = scan_pages(tracking, range->start, range->end, &scan_shared);
	}
	return error;
}

static int by_start(const void *left, const void *right)
{
	const struct vmsnap_layer_range *a = left, *b = right;
	return (a->start > b->start) - (a->start < b->start);
}

/* Appends the parts of [start, end) that lie in no range of `without`, from the one at *index on. */
static int append_rest(struct layer *to, uint64_t start, uint64_t end, const struct layer *without, size_t *index)
{
	int rc = VMSNAP_OK;
	while (*index < without->count && without->items[*index].end <= start)
		++*index;
	for (size_t i = *index; !rc && start < end; i++) {
		bool more = i < without->count && without->items[i].start < end;
		uint64_t until = more ? without->items[i].start : end;
		if (until > start)
			rc = layer_append(to, start, until, VMSNAP_PAGE_MAYBE_WRITTEN);
		start = more ? without->items[i].end : end;
	}
	return rc;
}

/* In the order of addresses, each page once: what is known to be written is so, whatever another look, or that of
 * new mappings, found. */
static int put_in_order(struct layer *layer)
{
	struct layer written = { 0 }, maybe = { 0 };
	struct work work = { .limit = WORK_UNLIMITED };
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < layer->count; i++) {
		const struct vmsnap_layer_range *range = &layer->items[i];
		bool sure = range->value == VMSNAP_PAGE_WAS_WRITTEN;
		rc = layer_append(sure ? &written : &maybe, range->start, range->end, range->value);
	}
	rc = rc ? rc : layer_ranges_join(written.items, &written.count, &work);
	rc = rc ? rc : layer_ranges_join(maybe.items, &maybe.count, &work);
	layer->count = 0;
	for (size_t i = 0; !rc && i < written.count; i++)
		rc = layer_append(layer, written.items[i].start, written.items[i].end, VMSNAP_PAGE_WAS_WRITTEN);
	for (size_t i = 0, index = 0; !rc && i < maybe.count; i++)
		rc = append_rest(layer, maybe.items[i].start, maybe.items[i].end, &written, &index);
	layer_free(&written);
	layer_free(&maybe);
	qsort(layer->items, layer->count, sizeof(*layer->items), by_start);
	return rc ? ENOMEM : 0;
}

void uffd_tracking_told(struct uffd_tracking *tracking)
{
	tracking->found.count = 0;
}

/* Neighbours of one kind in one go. */
static int look_at_written(struct uffd_tracking *tracking)
{
	const struct uffd_ranges *ranges = &tracking->next;
	int error = 0;
	for (size_t i = 0, end; !error && i < ranges->count; i = end) {
		bool of_file = ranges->items[i].of_file;
		for (end = i + 1; end < ranges->count && ranges->items[end].of_file == of_file;)
			end++;
		error = scan_pages(tracking, ranges->items[i].start, ranges->items[end - 1].end,
		                   of_file ? &scan_written_file : &scan_written);
	}
	return error;
}

/* Most looks find what was written, and nothing new, and so in order. */
static bool is_in_order(const struct layer *layer)
{
	for (size_t i = 1; i < layer->count; i++)
		if (layer->items[i].start < layer->items[i - 1].end)
			return false;
	return true;
}

static int add_found(struct uffd_tracking *tracking)
{
	const struct layer *last = &tracking->last;
	int error = 0;
	for (size_t i = 0; !error && i < last->count; i++)
		error = note(&tracking->found, last->items[i].start, last->items[i].end,
		             (enum vmsnap_page_written)last->items[i].value);
	return error;
}

int uffd_tracking_settle(struct uffd_tracking *tracking)
{
	return is_in_order(&tracking->found) ? 0 : put_in_order(&tracking->found);
}

int uffd_tracking_look(struct uffd_tracking *tracking)
{
	int error = read_ranges(tracking);
	if (error || !tracking->next.count)
		return error ? error : ESRCH;
	uint64_t start = tracking->next.items[0].start, end = tracking->next.items[tracking->next.count - 1].end;
	tracking->last.count = 0;
	if (tracking->armed)
		error = look_at_written(tracking);
	if (!error && tracking->armed)
		error = scan_pages(tracking, start, end, &scan_new);
	error = error ? error : register_new(tracking);
	error = error ? error : look_at_shared(tracking);
	if (!error && !is_in_order(&tracking->last))
		error = put_in_order(&tracking->last);
	error = error ? error : add_found(tracking);
	if (error)
		return error;
	struct uffd_ranges last = tracking->ranges;
	tracking->ranges = tracking->next;
	tracking->next = last;
	tracking->armed = true;
	return 0;
}
