#define _GNU_SOURCE
#include "precopy.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "error.h"
#include "maps.h"
#include "pagemap_scan.h"
#include "sorted.h"
#include "unseen_writers.h"

/* A round pays if it leaves a quarter less than the one before; a few pages cost the pause nothing. */
enum { ROUNDS_MAX = 8, HURRIES = 2, PAGES_ENOUGH = 128 };

/* ---- mappings ------------------------------------------------------------------------ */

static int forget_process(struct precopy *precopy, int outcome)
{
	precopy->outcome = outcome;
	contents_free(&precopy->copies);
	return VMSNAP_OK;
}

/* smaps takes as long as the process is large: it is read again only if the map is another one. */
static int know_mappings(struct precopy *precopy, struct vmsnap_error *err)
{
	const struct proc_text *now = &precopy->tracker->uffd.text;
	if (precopy->map && precopy->maps.len == now->len && !memcmp(precopy->maps.text, now->text, now->len))
		return VMSNAP_OK;
	struct proc_text smaps = { 0 };
	struct vmsnap *map = snapshot_new();
	if (!map)
		return fail_no_memory(err);
	map->info.page_size = precopy->tracker->uffd.page_size;
	proc_text_free(&precopy->maps);
	precopy->maps.text = malloc(now->len + 1);
	int rc = precopy->maps.text ? VMSNAP_OK : fail_no_memory(err);
	if (!rc) {
		memcpy(precopy->maps.text, now->text, now->len);
		precopy->maps.len = now->len;
		int error = procdir_read(precopy->procdir, "smaps", &smaps);
		rc = error ? VMSNAP_OK : smaps_parse(smaps.text, smaps.len, map, err);
	}
	proc_text_free(&smaps);
	vmsnap_unref(precopy->map);
	precopy->map = map;
	return rc;
}

static bool is_same_mapping(const struct vmsnap_vma *a, const struct vmsnap_vma *b)
{
	return a->start == b->start && a->offset == b->offset && a->inode == b->inode && a->dev_major == b->dev_major &&
	       a->dev_minor == b->dev_minor && (a->perms & VMSNAP_PERM_SHARED) == (b->perms & VMSNAP_PERM_SHARED) &&
	       !strcmp(a->name, b->name);
}

bool precopy_flags(const struct precopy *precopy, const struct vmsnap_vma *vma, const char **flags)
{
	size_t index = snapshot_vma_find(precopy->map, vma->start);
	bool known = index < precopy->map->vma_count && is_same_mapping(&precopy->map->vmas[index], vma);
	*flags = known ? vmsnap_smaps_flags(precopy->map, index) : "";
	/* Memory of nobody's file is no device's; whether it is to be left out is asked once more afterwards. */
	return known || !vma_has_file(vma->inode, vma->dev_major, vma->dev_minor);
}

/* ---- copying ------------------------------------------------------------------------- */

struct copying {
	struct precopy *precopy;
	struct contents_reading reading;
	struct contents_keeper keeper;
	struct contents copied;
	const struct vmsnap_vma *vma;
	uint64_t pages;
};

static int copy_range(void *ctx, uint64_t start, uint64_t end)
{
	struct copying *copying = ctx;
	copying->pages += (end - start) / copying->reading.page_size;
	return contents_read(&copying->reading, start, end);
}

/* The pages that are there: of a mapping that only reserves addresses there are few. */
static int copy_present(struct copying *copying, uint64_t start, uint64_t end)
{
	enum { REGIONS = 512 };
	const struct precopy *precopy = copying->precopy;
	struct page_region regions[REGIONS];
	struct scan_args args = { .size = sizeof(args),
		                  .start = start,
		                  .end = end,
		                  .vec = (uintptr_t)regions,
		                  .vec_len = REGIONS,
		                  .category_inverted = SCAN_ZERO,
		                  .category_mask = SCAN_PRESENT | SCAN_ZERO,
		                  .return_mask = SCAN_PRESENT };
	int rc = VMSNAP_OK;
	while (!rc && args.start < end) {
		long count = raw_syscall4(SYS_ioctl, copying->reading.pagemap, (long)SCAN_IOCTL, (long)&args, 0);
		if (count == -EINTR)
			continue;
		if (count < 0)
			return VMSNAP_OK;
		for (long i = 0; !rc && i < count; i++)
			rc = contents_outside_excluded(precopy->options, copying->reading.page_size, regions[i].start,
			                               regions[i].end, copy_range, copying);
		args.start = args.walk_end;
	}
	return rc;
}

/* What the last look found to be written, of [start, end). */
static int copy_written(struct copying *copying, uint64_t start, uint64_t end)
{
	const struct layer *last = &copying->precopy->tracker->uffd.last;
	const struct vmsnap_capture_options *options = copying->precopy->options;
	size_t i = SORTED_ABOVE(struct vmsnap_layer_range, end, last->items, last->count, start);
	int rc = VMSNAP_OK;
	for (; !rc && i < last->count && last->items[i].start < end; i++) {
		uint64_t from = last->items[i].start > start ? last->items[i].start : start;
		uint64_t to = last->items[i].end < end ? last->items[i].end : end;
		rc = contents_outside_excluded(options, copying->reading.page_size, from, to, copy_range, copying);
	}
	return rc;
}

/* Only private memory that is tracked: all else is read in the pause. */
static int copy_mappings(struct copying *copying, int (*copy)(struct copying *copying, uint64_t start, uint64_t end))
{
	const struct precopy *precopy = copying->precopy;
	const struct vmsnap *map = precopy->map;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < map->vma_count; i++) {
		const struct vmsnap_vma *vma = &map->vmas[i];
		bool copied = !(vma->perms & VMSNAP_PERM_SHARED) &&
		              contents_wants_mapping(precopy->options, vma, vmsnap_smaps_flags(map, i));
		for (uint64_t at = vma->start, end; copied && !rc && at < vma->end; at = end) {
			bool tracked = uffd_tracking_protects(&precopy->tracker->uffd, at, &end);
			end = end < vma->end ? end : vma->end;
			rc = tracked ? copy(copying, at, end) : VMSNAP_OK;
		}
	}
	return rc;
}

static int open_process(const struct precopy *precopy, struct contents_reading *reading, struct vmsnap_error *err)
{
	*reading = (struct contents_reading){ .page_size = precopy->tracker->uffd.page_size,
		                              .pagemap = precopy->tracker->uffd.pagemap,
		                              .cancel = precopy->cancel,
		                              .dog = precopy->dog,
		                              .realtime = precopy->realtime,
		                              .err = err };
	reading->memory = openat(precopy->procdir, "mem", O_RDONLY | O_CLOEXEC);
	return reading->memory < 0 ? fail_sys(err, errno, "cannot read the memory of the process") : VMSNAP_OK;
}

static void begin_contents(const struct precopy *precopy, struct contents *contents)
{
	*contents = (struct contents){ .store = vmsnap_store_ref(precopy->store) };
	contents->bytes = (precopy->options->contents & CONTENTS_WANTED_MASK) != VMSNAP_WANT_HASHES;
}

static int keep_in(struct contents_keeper *keeper, const struct precopy *precopy, struct contents *contents,
                   struct vmsnap_error *err)
{
	begin_contents(precopy, contents);
	size_t page_size = (size_t)precopy->tracker->uffd.page_size;
	return keeper_init(keeper, contents, page_size, !contents->bytes) ? fail_no_memory(err) : VMSNAP_OK;
}

/* What was written is not as it was copied, also if it cannot be copied now. */
static void forget_written(struct precopy *precopy)
{
	const struct layer *last = &precopy->tracker->uffd.last;
	for (size_t i = 0; i < last->count; i++)
		contents_forget(&precopy->copies, precopy->tracker->uffd.page_size, last->items[i].start,
		                last->items[i].end);
}

static int copy_round(struct precopy *precopy, bool first, struct vmsnap_error *err)
{
	struct copying copying = { .precopy = precopy };
	int rc = open_process(precopy, &copying.reading, err);
	if (rc)
		return rc;
	CLEANUP_CLOSE int memory = copying.reading.memory;
	(void)memory; /* it is closed in the end: clang sees no use */
	rc = keep_in(&copying.keeper, precopy, &copying.copied, err);
	copying.reading.keeper = &copying.keeper;
	rc = rc ? rc : copy_mappings(&copying, first ? copy_present : copy_written);
	int kept = keeper_finish(&copying.keeper, rc ? NULL : err);
	keeper_free(&copying.keeper);
	rc = rc ? rc : kept;
	if (rc) {
		contents_free(&copying.copied);
		return rc;
	}
	contents_renew(&precopy->copies, copying.reading.page_size, &copying.copied);
	if (!copying.copied.page_count)
		contents_free(&copying.copied);
	else if (contents_join(&precopy->copies, copying.reading.page_size, &precopy->copies, &copying.copied, NULL))
		return fail_no_memory(err);
	return VMSNAP_OK;
}

/* ---- while it runs ------------------------------------------------------------------- */

static uint64_t written_pages(const struct precopy *precopy)
{
	const struct layer *last = &precopy->tracker->uffd.last;
	uint64_t bytes = 0;
	for (size_t i = 0; i < last->count; i++)
		bytes += last->items[i].end - last->items[i].start;
	return bytes / precopy->tracker->uffd.page_size;
}

/* What it needs to be right. */
static bool is_possible(struct precopy *precopy)
{
	precopy->outcome = VMSNAP_PRECOPY_NO;
	if (!precopy->tracker || precopy->tracker->how != VMSNAP_WRITTEN_UFFD ||
	    precopy->tracker->uffd.page_size > CONTENTS_PAGE_MAX)
		return false;
	if (unseen_writers_may_be(precopy->procdir)) {
		precopy->outcome = VMSNAP_PRECOPY_UNSEEN;
		return false;
	}
	precopy->outcome = VMSNAP_PRECOPY_DONE;
	return true;
}

/* A look, and what it found is forgotten.  What goes wrong here goes wrong in the pause again, and is told there. */
static int look(struct precopy *precopy, struct vmsnap_error *err)
{
	if (uffd_tracking_look(&precopy->tracker->uffd))
		return forget_process(precopy, VMSNAP_PRECOPY_LOST);
	forget_written(precopy);
	int rc = know_mappings(precopy, err);
	/* It has ended, or executes another program. */
	return rc == VMSNAP_ERR_PROC ? forget_process(precopy, VMSNAP_PRECOPY_LOST) : rc;
}

static bool is_above_limit(const struct precopy *precopy)
{
	uint64_t limit = precopy->options->contents_limit;
	return limit && precopy->copies.page_count * precopy->tracker->uffd.page_size > limit;
}

int precopy_run(struct precopy *precopy, struct vmsnap_error *err)
{
	uint64_t before = UINT64_MAX;
	if (!is_possible(precopy))
		return VMSNAP_OK;
	begin_contents(precopy, &precopy->copies);
	for (int round = 0; round < ROUNDS_MAX; round++) {
		int rc = look(precopy, err);
		uint64_t pages = round ? written_pages(precopy) : UINT64_MAX - 1;
		if (!rc && precopy->outcome == VMSNAP_PRECOPY_DONE)
			rc = copy_round(precopy, !round, err);
		if (rc || precopy->outcome != VMSNAP_PRECOPY_DONE)
			return rc;
		if (is_above_limit(precopy))
			return forget_process(precopy, VMSNAP_PRECOPY_NO);
		if (pages < PAGES_ENOUGH || pages >= before - before / 4)
			return VMSNAP_OK;
		before = pages;
	}
	return VMSNAP_OK;
}

int precopy_hurry(struct precopy *precopy, struct vmsnap_error *err)
{
	if (precopy->outcome != VMSNAP_PRECOPY_DONE)
		return VMSNAP_OK;
	int rc = keep_in(&precopy->keeper, precopy, &precopy->late, err);
	precopy->kept = true;
	if (rc)
		return rc;
	keeper_prepare(&precopy->keeper);
	for (int round = 0; !rc && precopy->outcome == VMSNAP_PRECOPY_DONE && round < HURRIES; round++) {
		rc = look(precopy, err);
		if (!rc && precopy->outcome == VMSNAP_PRECOPY_DONE)
			rc = copy_round(precopy, false, err);
	}
	/* Memory that was pinned before it was armed is so through what was open then. */
	if (!rc && precopy->outcome == VMSNAP_PRECOPY_DONE && unseen_writers_may_be(precopy->procdir))
		return forget_process(precopy, VMSNAP_PRECOPY_UNSEEN);
	return rc;
}

/* ---- in the pause ---------------------------------------------------------------------- */

bool precopy_vouches(const struct precopy *precopy, bool held)
{
	const struct vmsnap_tracker *tracker = precopy->tracker;
	return held && precopy->outcome == VMSNAP_PRECOPY_DONE && !precopy->wanted.count && tracker->armed_now &&
	       (tracker->tracking == VMSNAP_TRACKING_TELLS || tracker->tracking == VMSNAP_TRACKING_ARMED);
}

/* Where in what was copied, and what was written since, the pause is. */
struct place {
	size_t written, range;
};

/* Whether the page at `at` is as it was copied; *end: up to where that is the same. */
static bool is_as_copied(const struct precopy *precopy, struct place *place, uint64_t at, uint64_t *end)
{
	const struct layer *last = &precopy->tracker->uffd.last;
	const struct contents *copies = &precopy->copies;
	uint64_t page_size = precopy->tracker->uffd.page_size;
	while (place->written < last->count && last->items[place->written].end <= at)
		place->written++;
	while (place->range < copies->range_count &&
	       copies->ranges[place->range].start + copies->ranges[place->range].pages * page_size <= at)
		place->range++;
	const struct vmsnap_layer_range *written = place->written < last->count ? &last->items[place->written] : NULL;
	const struct contents_range *range = place->range < copies->range_count ? &copies->ranges[place->range] : NULL;
	if (written && written->start <= at) {
		*end = *end < written->end ? *end : written->end;
		return false;
	}
	*end = written && written->start < *end ? written->start : *end;
	if (!range || range->start > at) {
		*end = range && range->start < *end ? range->start : *end;
		return false;
	}
	uint64_t index = (at - range->start) / page_size, until = (*end - range->start) / page_size;
	until = until < range->pages ? until : range->pages;
	const uint32_t *pages = copies->pages + range->first;
	bool copied = pages[index];
	while (++index < until && copied == (pages[index] != STORE_NO_PAGE))
		;
	*end = range->start + index * page_size;
	return copied;
}

static int read_late(struct precopy *precopy, struct contents_reading *reading, uint64_t start, uint64_t end)
{
	if (layer_append(&precopy->read, start, end, 1))
		return fail_no_memory(reading->err);
	return contents_read(reading, start, end);
}

static int read_rest(struct precopy *precopy, struct contents_reading *reading, uint64_t start, uint64_t end)
{
	const struct layer *last = &precopy->tracker->uffd.last;
	struct place place = {
		.written = SORTED_ABOVE(struct vmsnap_layer_range, end, last->items, last->count, start),
		.range = contents_find(&precopy->copies, reading->page_size, start),
	};
	int rc = VMSNAP_OK;
	uint64_t from = start; /* what is to be read begins here */
	for (uint64_t at = start, until; !rc && at < end; at = until) {
		until = end;
		if (!is_as_copied(precopy, &place, at, &until))
			continue;
		rc = from < at ? read_late(precopy, reading, from, at) : VMSNAP_OK;
		from = until;
	}
	return rc || from >= end ? rc : read_late(precopy, reading, from, end);
}

int precopy_read(struct precopy *precopy, struct contents_reading *reading, uint64_t start, uint64_t end,
                 bool anonymous)
{
	int rc = layer_append(&precopy->wanted, start, end, 1) ? fail_no_memory(reading->err) : VMSNAP_OK;
	for (uint64_t at = start, until; !rc && at < end; at = until) {
		bool tracked = uffd_tracking_protects(&precopy->tracker->uffd, at, &until) && anonymous;
		until = until < end ? until : end;
		rc = tracked ? read_rest(precopy, reading, at, until) : read_late(precopy, reading, at, until);
	}
	return rc;
}

/* ---- when it runs again ---------------------------------------------------------------- */

/* By what smaps says now, or said before: of memory that is in neither nobody can tell any more.  *end: up to where
 * that is the same. */
static bool may_be_kept(const struct precopy *precopy, const struct vmsnap *now, uint64_t at, uint64_t *end)
{
	const struct vmsnap *maps[] = { now, precopy->map };
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		size_t index = snapshot_vma_find(maps[i], at);
		const struct vmsnap_vma *vma = index < maps[i]->vma_count ? &maps[i]->vmas[index] : NULL;
		bool inside = vma && vma->start <= at;
		uint64_t until = !vma ? UINT64_MAX : inside ? vma->end : vma->start;
		*end = until < *end ? until : *end;
		if (inside)
			return !contents_flags_undumped(vmsnap_smaps_flags(maps[i], index));
	}
	return false;
}

/* What is not to be in any dump since a moment ago is left out, and so is what was new then and is gone now: nobody can
 * tell any more whether it might be kept. */
static int leave_out_undumped(struct precopy *precopy, struct vmsnap_error *err)
{
	struct layer kept = { 0 };
	struct proc_text smaps = { 0 };
	struct vmsnap *now = snapshot_new();
	int rc = now ? VMSNAP_OK : fail_no_memory(err);
	if (!rc) {
		now->info.page_size = precopy->tracker->uffd.page_size;
		bool told = !procdir_read(precopy->procdir, "smaps", &smaps) && smaps.len;
		if (told && smaps_parse(smaps.text, smaps.len, now, NULL))
			now->vma_count = 0;
	}
	for (size_t i = 0; !rc && i < precopy->wanted.count; i++) {
		for (uint64_t at = precopy->wanted.items[i].start, end; !rc && at < precopy->wanted.items[i].end;
		     at = end) {
			end = precopy->wanted.items[i].end;
			if (may_be_kept(precopy, now, at, &end) && layer_append(&kept, at, end, 1))
				rc = fail_no_memory(err);
		}
	}
	proc_text_free(&smaps);
	vmsnap_unref(now);
	layer_free(&precopy->wanted);
	precopy->wanted = kept;
	return rc;
}

static int join(struct precopy *precopy, struct contents *out, uint64_t *copied, struct vmsnap_error *err)
{
	uint64_t page_size = precopy->tracker->uffd.page_size;
	for (size_t i = 0; i < precopy->read.count; i++)
		contents_forget(&precopy->copies, page_size, precopy->read.items[i].start, precopy->read.items[i].end);
	size_t late = precopy->late.page_count;
	if (contents_join(out, page_size, &precopy->copies, &precopy->late, &precopy->wanted))
		return fail_no_memory(err);
	*copied = out->page_count > late ? (out->page_count - late) * page_size : 0;
	return VMSNAP_OK;
}

int precopy_finish(struct precopy *precopy, struct contents *out, uint64_t *copied, struct vmsnap_error *err)
{
	int rc = keeper_finish(&precopy->keeper, err);
	bool told = precopy->flags_known || precopy->options->contents & VMSNAP_WANT_UNDUMPED;
	rc = rc || told ? rc : leave_out_undumped(precopy, err);
	return rc ? rc : join(precopy, out, copied, err);
}

void precopy_free(struct precopy *precopy)
{
	if (precopy->kept)
		keeper_free(&precopy->keeper);
	precopy->kept = false;
	contents_free(&precopy->copies);
	contents_free(&precopy->late);
	layer_free(&precopy->wanted);
	layer_free(&precopy->read);
	proc_text_free(&precopy->maps);
	vmsnap_unref(precopy->map);
	precopy->map = NULL;
}
