#define _GNU_SOURCE
#include "page_contents.h"

#include <errno.h>
#include <fcntl.h>

#include "error.h"
#include "maps.h"

/* ---- which pages -------------------------------------------------------------- */

struct taking {
	struct page_contents *contents;
	const struct page_contents_target *target;
	struct vmsnap *map; /* only its mappings, and what smaps says of them */
	bool flags_before;  /* that is what it said before the pause */
	bool anonymous;     /* the pages of the range that is read are no file's */
	struct contents_reading reading;
	struct contents_keeper keeper;
	struct vmsnap_error *err;
};

static const char *flags_of(const struct taking *taking, size_t index)
{
	const char *flags;
	if (!taking->flags_before)
		return vmsnap_smaps_flags(taking->map, index);
	(void)precopy_flags(taking->contents->precopy, &taking->map->vmas[index], &flags);
	return flags;
}

/* Neighbouring pages that are wanted, of one kind. */
struct gathered {
	uint64_t start, end;
	bool anonymous;
};

static int give(struct taking *taking, const struct gathered *range, contents_range_fn fn)
{
	if (range->start >= range->end)
		return VMSNAP_OK;
	taking->anonymous = range->anonymous;
	return contents_outside_excluded(taking->contents->options, taking->target->page_size, range->start, range->end,
	                                 fn, taking);
}

/* Of one mapping, added to what was gathered of those before it. */
static int each_of_mapping(struct taking *taking, const struct vmsnap_vma *vma, struct page_stretches *stretches,
                           struct gathered *range, contents_range_fn fn)
{
	bool private = !(vma->perms & VMSNAP_PERM_SHARED);
	struct page_stretch stretch;
	int rc = VMSNAP_OK;
	for (uint64_t at = vma->start; !rc && page_stretches_next(stretches, at, vma->end, &stretch);
	     at = stretch.end) {
		bool anonymous = private && !(stretch.entry & ENTRY_FLAG(VMSNAP_PAGE_FILE));
		if (!contents_wants_state(taking->contents->options, vma, stretch.entry))
			continue;
		if (stretch.start != range->end || anonymous != range->anonymous) {
			rc = give(taking, range, fn);
			*range = (struct gathered){ .start = stretch.start, .anonymous = anonymous };
		}
		range->end = stretch.end;
	}
	return rc;
}

static int each_range(struct taking *taking, contents_range_fn fn)
{
	const struct page_contents_target *target = taking->target;
	struct page_stretches stretches = { .found = target->found,
		                            .page_size = target->page_size,
		                            .zero_pfn = target->zero_pfn };
	struct gathered range = { 0 };
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < taking->map->vma_count; i++) {
		const struct vmsnap_vma *vma = &taking->map->vmas[i];
		if (contents_wants_mapping(taking->contents->options, vma, flags_of(taking, i)))
			rc = each_of_mapping(taking, vma, &stretches, &range, fn);
	}
	return rc ? rc : give(taking, &range, fn);
}

/* ---- reading -------------------------------------------------------------------- */

static int count_range(void *ctx, uint64_t start, uint64_t end)
{
	struct taking *taking = ctx;
	taking->contents->left_out += end - start;
	return VMSNAP_OK;
}

static int read_range(void *ctx, uint64_t start, uint64_t end)
{
	struct taking *taking = ctx;
	if (taking->contents->vouched)
		return precopy_read(taking->contents->precopy, &taking->reading, start, end, taking->anonymous);
	return contents_read(&taking->reading, start, end);
}

static int open_process(struct taking *taking)
{
	const struct page_contents_target *target = taking->target;
	taking->reading = (struct contents_reading){ .pagemap = target->pagemap,
		                                     .page_size = target->page_size,
		                                     .cancel = target->cancel,
		                                     .dog = target->dog,
		                                     .realtime = target->realtime,
		                                     .keeper = &taking->keeper,
		                                     .err = taking->err };
	taking->reading.memory = openat(target->memory, "mem", O_RDONLY | O_CLOEXEC);
	return taking->reading.memory < 0 ? fail_sys(taking->err, errno, "cannot read the memory of the process")
	                                  : VMSNAP_OK;
}

static bool is_above_limit(struct taking *taking)
{
	struct page_contents *contents = taking->contents;
	uint64_t limit = contents->options->contents_limit;
	if (limit)
		each_range(taking, count_range);
	if (contents->left_out > limit)
		return true;
	contents->left_out = 0;
	return false;
}

/* What was copied is joined with it when the process runs again. */
static int read_rest(struct taking *taking)
{
	taking->reading.keeper = &taking->contents->precopy->keeper;
	return each_range(taking, read_range);
}

static int read_all(struct taking *taking)
{
	struct page_contents *contents = taking->contents;
	bool hashes = (contents->options->contents & CONTENTS_WANTED_MASK) == VMSNAP_WANT_HASHES;
	contents->taken.store = vmsnap_store_ref(contents->store);
	contents->taken.bytes = !hashes;
	if (keeper_init(&taking->keeper, &contents->taken, (size_t)taking->target->page_size, hashes)) {
		keeper_free(&taking->keeper);
		return fail_no_memory(taking->err);
	}
	int rc = each_range(taking, read_range);
	int kept = keeper_finish(&taking->keeper, rc ? NULL : taking->err);
	keeper_free(&taking->keeper);
	return rc ? rc : kept;
}

static int read_wanted(struct taking *taking)
{
	if (is_above_limit(taking)) {
		taking->contents->vouched = false;
		return VMSNAP_OK;
	}
	int rc = open_process(taking);
	if (rc)
		return rc;
	CLEANUP_CLOSE int memory = taking->reading.memory;
	(void)memory; /* it is closed in the end: clang sees no use */
	rc = taking->contents->vouched ? read_rest(taking) : read_all(taking);
	/* The lists that reading puts pages into keep a reference to each. */
	vmsnap_put_back(true);
	return rc;
}

/* ---- what smaps says ---------------------------------------------------------------- */

static void kick(void *ctx)
{
	const struct page_contents_target *target = ctx;
	watchdog_kick(target->dog);
	realtime_check(target->realtime);
}

/* It tells what must not be read; a kernel without it has no such memory. */
static int take_smaps(const struct page_contents_target *target, struct vmsnap_error *err)
{
	struct page_contents_target kicked = *target;
	CLEANUP_CLOSE int fd = openat(target->memory, "smaps", O_RDONLY | O_CLOEXEC);
	int error = fd < 0 ? errno : procdir_read_fd_kicking(fd, target->smaps, kick, &kicked);
	return error && error != ENOENT ? procdir_fail(error, target->pid, "smaps", err) : VMSNAP_OK;
}

static bool knew_flags(const struct taking *taking)
{
	const char *flags;
	for (size_t i = 0; i < taking->map->vma_count; i++)
		if (!precopy_flags(taking->contents->precopy, &taking->map->vmas[i], &flags))
			return false;
	return true;
}

/* smaps takes as long as the process is large, and what it said before is still right where the map is. */
static int know_mappings(struct taking *taking)
{
	const struct page_contents_target *target = taking->target;
	int rc = VMSNAP_OK;
	if (taking->contents->vouched && !target->smaps->len) {
		rc = maps_parse(target->maps->text, target->maps->len, taking->map, taking->err);
		taking->flags_before = !rc && knew_flags(taking);
		if (rc || taking->flags_before)
			return rc;
		vmsnap_unref(taking->map);
		taking->map = snapshot_new();
		if (!taking->map)
			return fail_no_memory(taking->err);
		taking->map->info.page_size = target->page_size;
	}
	rc = target->smaps->len ? VMSNAP_OK : take_smaps(target, taking->err);
	if (rc)
		return rc;
	return target->smaps->len ? smaps_parse(target->smaps->text, target->smaps->len, taking->map, taking->err)
	                          : maps_parse(target->maps->text, target->maps->len, taking->map, taking->err);
}

/* ---- all of it ------------------------------------------------------------------------ */

int page_contents_take(struct page_contents *contents, const struct page_contents_target *target,
                       struct vmsnap_error *err)
{
	struct taking taking = { .contents = contents, .target = target, .map = snapshot_new(), .err = err };
	contents_free(&contents->taken);
	contents->left_out = 0;
	contents->vouched = contents->precopy && precopy_vouches(contents->precopy, target->held);
	int rc = taking.map ? VMSNAP_OK : fail_no_memory(err);
	if (!rc && target->page_size > CONTENTS_PAGE_MAX)
		rc = fail(err, VMSNAP_ERR_ARGUMENT, "contents of pages that are larger than 64 KiB");
	if (!rc)
		taking.map->info.page_size = target->page_size;
	rc = rc ? rc : know_mappings(&taking);
	if (contents->vouched)
		contents->precopy->flags_known = !taking.flags_before;
	rc = rc ? rc : read_wanted(&taking);
	vmsnap_unref(taking.map);
	return rc;
}

int page_contents_finish(struct page_contents *contents, struct vmsnap_error *err)
{
	return contents->vouched ? precopy_finish(contents->precopy, &contents->taken, &contents->copied, err)
	                         : VMSNAP_OK;
}

uint32_t page_contents_precopied(const struct page_contents *contents)
{
	int outcome = contents->precopy ? contents->precopy->outcome : VMSNAP_PRECOPY_NO;
	return (uint32_t)(outcome == VMSNAP_PRECOPY_DONE && !contents->vouched ? VMSNAP_PRECOPY_LOST : outcome);
}

void page_contents_free(struct page_contents *contents)
{
	contents_free(&contents->taken);
}
