/* capture_from.c - a snapshot of a process that somebody else reads (vmsnap/source.h): what a recorded folder is made
 * one of, but file by file, and no more of pagemap than there is. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "builder.h"
#include "clock.h"
#include "contents_wanted.h"
#include "error.h"
#include "identity.h"
#include "maps.h"
#include "options.h"
#include "pagemap_entries.h"
#include "recorded.h"
#include "source_build_ids.h"
#include "status_kept.h"

/* To ask once more takes as long as some thousand entries that nobody needs. */
enum { JOIN_PAGES = 2048, ENTRIES = 8192, CONTENTS_BYTES = 64 * 1024 };
/* Of mappings above that size smaps is asked first whether there is anything. */
#define LARGE (UINT64_C(1) << 30)
/* Of a stranger's machine no more is kept than this: maps and smaps of a million mappings, and page states of 16 bytes
 * each. */
enum { TEXT_MOST = 64 << 20, RUNS_MOST = 64 << 20 };
/* What a process has on most machines: more would be a run of 16 bytes for each 16 MiB of a made-up number. */
#define UNREAD_MOST (UINT64_C(1) << 48)
/* Where user memory ends on all machines of 64 bits; pagemap has no more. */
#define USER_TOP (UINT64_C(1) << 63)

struct taking {
	const struct vmsnap_capture_source *source;
	const struct vmsnap_capture_options *options;
	struct vmsnap_builder builder;
	struct proc_text maps, smaps, status;
	uint64_t unread_bytes;
	bool smaps_parsed, unread, forbidden; /* some pages are, and all of pagemap is */
	uint64_t entries[ENTRIES];
	struct vmsnap_error *err;
};

static bool is_cancelled(const struct taking *taking)
{
	return taking->options->cancelled && taking->options->cancelled(taking->options->cancel_ctx);
}

static int fail_cancelled(const struct taking *taking)
{
	return fail(taking->err, VMSNAP_ERR_CANCELLED, "cancelled");
}

static int64_t read_some(const struct taking *taking, const char *name, uint64_t offset, void *into, size_t len)
{
	int64_t got = taking->source->read(taking->source->ctx, name, offset, into, len);
	return got > (int64_t)len ? -EIO : got;
}

/* ---- its texts ------------------------------------------------------------------------ */

static int read_text(void *ctx, const char *name, struct proc_text *out)
{
	enum { ROOM_FIRST = 16384 };
	const struct taking *taking = ctx;
	for (out->len = 0;;) {
		if (out->len > TEXT_MOST)
			return EFBIG;
		if (out->room - out->len < 4097) {
			size_t room = out->room ? out->room * 2 : ROOM_FIRST;
			char *text = realloc(out->text, room);
			if (!text)
				return ENOMEM;
			out->text = text;
			out->room = room;
		}
		int64_t got = read_some(taking, name, out->len, out->text + out->len, out->room - out->len - 1);
		if (got < 0)
			return (int)-got;
		out->len += (size_t)got;
		out->text[out->len] = '\0';
		if (!got)
			return 0;
	}
}

static int need_text(struct taking *taking, const char *name, struct proc_text *out)
{
	int error = read_text(taking, name, out);
	if (error == ECANCELED)
		return fail_cancelled(taking);
	return error ? fail_sys(taking->err, error, "cannot read %s of the process there", name) : VMSNAP_OK;
}

static int parse_smaps(struct taking *taking)
{
	struct vmsnap *snap = taking->builder.snap;
	int rc = need_text(taking, "smaps", &taking->smaps);
	if (rc)
		return rc;
	free(snap->vmas);
	snap->vmas = NULL;
	snap->vma_count = 0;
	taking->smaps_parsed = true;
	rc = smaps_parse(taking->smaps.text, taking->smaps.len, snap, taking->err);
	if (!rc && !snap->vma_count)
		rc = fail(taking->err, VMSNAP_ERR_PROC, "smaps of the process there has no mappings");
	return rc;
}

static bool some_large(const struct vmsnap *snap)
{
	for (size_t i = 0; i < snap->vma_count; i++)
		if (snap->vmas[i].end - snap->vmas[i].start > LARGE)
			return true;
	return false;
}

static int take_mappings(struct taking *taking)
{
	struct vmsnap *snap = taking->builder.snap;
	const struct recorded_source files = { read_text, taking };
	int rc = need_text(taking, "maps", &taking->maps);
	if (!rc && !taking->maps.len)
		rc = fail(taking->err, VMSNAP_ERR_EXITED, "the process there has no memory: it has ended");
	rc = rc ? rc : recorded_identity(&files, &taking->maps, snap, taking->err);
	rc = rc ? rc : maps_parse(taking->maps.text, taking->maps.len, snap, taking->err);
	if (!rc && (taking->options->flags & VMSNAP_CAPTURE_SMAPS || some_large(snap)))
		rc = parse_smaps(taking);
	return rc;
}

/* ---- its pages ------------------------------------------------------------------------ */

/* UINT64_MAX: it does not tell. */
static uint64_t smaps_told(const struct vmsnap *snap, size_t vma, const char *key)
{
	for (size_t i = 0; i < vmsnap_smaps_key_count(snap); i++)
		if (!strcmp(vmsnap_smaps_key(snap, i), key))
			return vmsnap_smaps_value(snap, vma, i);
	return UINT64_MAX;
}

/* Nothing but, perhaps, zero pages and guards, which smaps does not count. */
static bool left_alone(const struct taking *taking, size_t index)
{
	const struct vmsnap *snap = taking->builder.snap;
	const struct vmsnap_vma *vma = &snap->vmas[index];
	return taking->smaps_parsed && vma->end - vma->start > LARGE && !smaps_told(snap, index, "Rss") &&
	       !smaps_told(snap, index, "Swap");
}

/* Only what is mapped: gaps are read along. */
static int mark_unread(struct taking *taking, uint64_t start, uint64_t end)
{
	struct vmsnap *snap = taking->builder.snap;
	uint64_t page_size = snap->info.page_size;
	taking->unread = true;
	for (size_t i = snapshot_vma_find(snap, start); i < snap->vma_count && snap->vmas[i].start < end; i++) {
		uint64_t from = snap->vmas[i].start > start ? snap->vmas[i].start : start;
		uint64_t to = snap->vmas[i].end < end ? snap->vmas[i].end : end;
		if (from < to && to - from > UNREAD_MOST - taking->unread_bytes)
			return fail(taking->err, VMSNAP_ERR_TOO_LARGE,
			            "more of its memory cannot be read than there is");
		taking->unread_bytes += from < to ? to - from : 0;
		if (from < to && run_list_append(&snap->runs, page_size, from, (to - from) / page_size, ENTRY_UNREAD))
			return fail_no_memory(taking->err);
	}
	return VMSNAP_OK;
}

/* Where smaps says the same of all pages of a mapping, it says it of each: that all are there (the zero page is not
 * counted in Rss), whether they are a file's, and whether others map them.  ENTRY_UNREAD where it does not. */
static uint64_t entry_by_smaps(const struct vmsnap *snap, size_t vma)
{
	uint64_t size = snap->vmas[vma].end - snap->vmas[vma].start, anonymous = smaps_told(snap, vma, "Anonymous");
	uint64_t shared = smaps_told(snap, vma, "Shared_Clean") + smaps_told(snap, vma, "Shared_Dirty");
	uint64_t own = smaps_told(snap, vma, "Private_Clean") + smaps_told(snap, vma, "Private_Dirty");
	if (smaps_told(snap, vma, "Rss") != size || (anonymous && anonymous != size) || (own != size && shared != size))
		return ENTRY_UNREAD;
	uint32_t flags =
	        VMSNAP_PAGE_PRESENT | (anonymous ? 0u : VMSNAP_PAGE_FILE) | (own == size ? VMSNAP_PAGE_EXCLUSIVE : 0u);
	return ENTRY_FLAG(flags);
}

static bool is_unread(const struct vmsnap *snap, const struct vmsnap_vma *vma)
{
	uint64_t page_size = snap->info.page_size, at = vma->start;
	for (size_t i = run_list_find(&snap->runs, page_size, at); i < snap->runs.count && at < vma->end; i++) {
		const struct run *run = &snap->runs.items[i];
		if (run_start(run) > at || !entry_unread(run->entry))
			return false;
		at = run_start(run) + run_pages(run) * page_size;
	}
	return at >= vma->end;
}

/* What was said last: of a large mapping there are many runs. */
struct told {
	size_t vma; /* SIZE_MAX: nothing yet */
	uint64_t entry;
};

static uint64_t entry_told(const struct vmsnap *snap, size_t vma, struct told *told)
{
	if (told->vma != vma)
		*told = (struct told){ vma,
			               is_unread(snap, &snap->vmas[vma]) ? entry_by_smaps(snap, vma) : ENTRY_UNREAD };
	return told->entry;
}

/* Of pages that were not read, in whichever mappings. */
static int append_told(const struct vmsnap *snap, const struct run *run, struct told *told, struct run_list *out)
{
	uint64_t page_size = snap->info.page_size, at = run_start(run), end = at + run_pages(run) * page_size;
	for (size_t i = snapshot_vma_find(snap, at); at < end && i < snap->vma_count; i++) {
		const struct vmsnap_vma *vma = &snap->vmas[i];
		uint64_t until = vma->end < end ? vma->end : end;
		if (run_list_append(out, page_size, at, (until - at) / page_size, entry_told(snap, i, told)))
			return VMSNAP_ERR_NO_MEMORY;
		at = until;
	}
	return VMSNAP_OK;
}

/* For mappings of which nothing was read. */
static int ask_smaps(struct taking *taking)
{
	struct vmsnap *snap = taking->builder.snap;
	uint64_t page_size = snap->info.page_size;
	struct run_list out = { 0 };
	struct told told = { .vma = SIZE_MAX };
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < snap->runs.count; i++) {
		const struct run *run = &snap->runs.items[i];
		rc = entry_unread(run->entry)
		             ? append_told(snap, run, &told, &out)
		             : run_list_append(&out, page_size, run_start(run), run_pages(run), run->entry);
	}
	if (rc) {
		run_list_free(&out);
		return fail_no_memory(taking->err);
	}
	run_list_free(&snap->runs);
	snap->runs = out;
	return VMSNAP_OK;
}

static int add_entries(struct taking *taking, uint64_t start, size_t count)
{
	struct vmsnap *snap = taking->builder.snap;
	struct entries entries = { taking->entries, count, start / snap->info.page_size };
	unsigned seen = 0;
	if (snap->runs.count > RUNS_MOST)
		return fail(taking->err, VMSNAP_ERR_TOO_LARGE, "page states of the process there are more than %d",
		            RUNS_MOST);
	return entries_decode(&entries, snap->info.page_size, &snap->runs, 0, &seen) < 0 ? fail_no_memory(taking->err)
	                                                                                 : VMSNAP_OK;
}

/* The next entries from *start on, fewer than asked for at the end of the file. */
static int read_entries(struct taking *taking, uint64_t *start, uint64_t end)
{
	uint64_t page_size = taking->builder.snap->info.page_size;
	uint64_t pages = (end - *start) / page_size, wanted = pages < ENTRIES ? pages : ENTRIES;
	uint64_t offset = *start / page_size * sizeof(uint64_t);
	if (is_cancelled(taking))
		return fail_cancelled(taking);
	int64_t got = taking->forbidden
	                      ? -EINVAL
	                      : read_some(taking, "pagemap", offset, taking->entries, wanted * sizeof(uint64_t));
	uint64_t from = *start;
	*start += wanted * page_size;
	if (got == -ECANCELED)
		return fail_cancelled(taking);
	if (got == -ENOENT || got == -EACCES || got == -EPERM)
		taking->forbidden = true;
	else if (got < 0 && got != -EINVAL && got != -EOVERFLOW)
		return fail_sys(taking->err, (int)-got, "cannot read pagemap of the process there");
	if (got < 0)
		return mark_unread(taking, from, *start);
	/* Rather less than was asked for, than an entry in two; none: the end of the file. */
	size_t count = (size_t)got / sizeof(uint64_t);
	if (count && count < wanted)
		*start = from + count * page_size;
	return add_entries(taking, from, count);
}

static int read_range(struct taking *taking, uint64_t start, uint64_t end)
{
	int rc = VMSNAP_OK;
	while (!rc && start < end)
		rc = read_entries(taking, &start, end);
	return rc;
}

static int take_pages(struct taking *taking)
{
	struct vmsnap *snap = taking->builder.snap;
	uint64_t page_size = snap->info.page_size, start = 0, end = 0;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < snap->vma_count; i++) {
		const struct vmsnap_vma *vma = &snap->vmas[i];
		bool alone = left_alone(taking, i);
		if (vma->start >= USER_TOP)
			break;
		if (alone || vma->start - end > JOIN_PAGES * page_size) {
			rc = read_range(taking, start, end);
			start = alone ? vma->end : vma->start;
		}
		end = vma->end;
		if (!rc && alone)
			rc = mark_unread(taking, vma->start, vma->end);
	}
	return rc ? rc : read_range(taking, start, end);
}

static bool is_swapped(uint64_t entry)
{
	return entry & ENTRY_SWAPPED && !entry_unread(entry);
}

/* Where frames are hidden, a page that is just being moved looks swapped: as many as status says are in swap. */
static void doubt_swapped(struct taking *taking)
{
	struct vmsnap *snap = taking->builder.snap;
	uint64_t swapped = 0, told = proc_text_number(&taking->status, "\nVmSwap:") * 1024 / snap->info.page_size;
	for (size_t i = 0; i < snap->runs.count; i++)
		swapped += is_swapped(snap->runs.items[i].entry) ? run_pages(&snap->runs.items[i]) : 0;
	if (snap->info.known.pfn || swapped <= told)
		return;
	for (size_t i = 0; i < snap->runs.count; i++)
		if (is_swapped(snap->runs.items[i].entry))
			snap->runs.items[i].entry |= ENTRY_DOUBTFUL;
}

static void know(struct taking *taking)
{
	struct vmsnap *snap = taking->builder.snap;
	struct pagemap_probe probe = { 0 };
	bool frames = false;
	for (size_t i = 0; !frames && i < snap->runs.count; i++)
		frames = snap->runs.items[i].entry & ENTRY_PRESENT && snap->runs.items[i].entry & ENTRY_FRAME_MASK;
	/* The zero page is this machine's only if the process is; and there may be no pagemap here at all. */
	if (frames && pagemap_probe(&probe, NULL))
		probe = (struct pagemap_probe){ 0 };
	recorded_known(snap, probe.zero_pfn);
	doubt_swapped(taking);
}

/* ---- what they hold ------------------------------------------------------------------- */

struct wanted {
	struct taking *taking;
	uint64_t bytes; /* that there are */
	bool counting;
	char *buffer;
};

/* What cannot be read is not known. */
static int keep_bytes(void *ctx, uint64_t start, uint64_t end)
{
	struct wanted *wanted = ctx;
	struct taking *taking = wanted->taking;
	wanted->bytes += end - start;
	uint64_t page_size = taking->builder.snap->info.page_size;
	int rc = VMSNAP_OK;
	while (!wanted->counting && !rc && start < end) {
		size_t len = end - start < CONTENTS_BYTES ? (size_t)(end - start) : CONTENTS_BYTES;
		if (is_cancelled(taking))
			return fail_cancelled(taking);
		int64_t got = read_some(taking, "mem", start, wanted->buffer, len);
		if (got == -ECANCELED)
			return fail_cancelled(taking);
		size_t whole = got > 0 ? (size_t)got / page_size * page_size : 0;
		if (whole)
			rc = vmsnap_builder_add_contents(&taking->builder, taking->options->store, start,
			                                 wanted->buffer, whole, taking->err);
		start += whole ? whole : page_size;
	}
	return rc;
}

static int each_wanted(struct wanted *wanted)
{
	const struct vmsnap *snap = wanted->taking->builder.snap;
	const struct vmsnap_capture_options *options = wanted->taking->options;
	uint64_t page_size = snap->info.page_size;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < snap->runs.count; i++) {
		const struct run *run = &snap->runs.items[i];
		uint64_t start = run_start(run), end = start + run_pages(run) * page_size;
		for (size_t at = snapshot_vma_find(snap, start); !rc && at < snap->vma_count; at++) {
			const struct vmsnap_vma *vma = &snap->vmas[at];
			if (vma->start >= end)
				break;
			if (contents_wants_mapping(options, vma, vmsnap_smaps_flags(snap, at)) &&
			    contents_wants_state(options, vma, run->entry))
				rc = contents_outside_excluded(options, page_size,
				                               vma->start > start ? vma->start : start,
				                               vma->end < end ? vma->end : end, keep_bytes, wanted);
		}
	}
	return rc;
}

static int take_contents(struct taking *taking)
{
	const struct vmsnap_capture_options *options = taking->options;
	struct vmsnap *snap = taking->builder.snap;
	struct wanted wanted = { .taking = taking, .counting = true };
	if (!options->contents || snap->info.page_size > CONTENTS_PAGE_MAX)
		return VMSNAP_OK;
	int rc = each_wanted(&wanted);
	if (!rc && options->contents_limit && wanted.bytes > options->contents_limit) {
		snap->info.contents_left_out = wanted.bytes;
		return VMSNAP_OK;
	}
	CLEANUP_FREE char *buffer = malloc(CONTENTS_BYTES);
	if (!buffer)
		return fail_no_memory(taking->err);
	wanted.buffer = buffer;
	wanted.counting = false;
	rc = rc ? rc : each_wanted(&wanted);
	contents_trim(&snap->contents);
	return rc;
}

/* ---- who it is ------------------------------------------------------------------------ */

static int take_threads(struct taking *taking)
{
	const struct vmsnap_capture_source *source = taking->source;
	struct vmsnap *snap = taking->builder.snap;
	if (!source->tids || !source->thread_count)
		return VMSNAP_OK;
	snap->threads = calloc(source->thread_count, sizeof(*snap->threads));
	if (!snap->threads)
		return fail_no_memory(taking->err);
	snap->thread_count = source->thread_count;
	for (size_t i = 0; i < source->thread_count; i++)
		snap->threads[i] = (struct vmsnap_thread){
			.tid = source->tids[i],
			.stack_pointer = source->stack_pointers ? source->stack_pointers[i] : 0,
			.comm = source->tids[i] == snap->info.pid ? snap->info.comm : "",
		};
	return VMSNAP_OK;
}

/* Where its program, its stack and its arguments are: the kernel tells who may debug it. */
static void take_places(struct taking *taking)
{
	struct vmsnap_info *info = &taking->builder.snap->info;
	struct proc_text text = { 0 };
	struct proc_stat stat;
	if (!read_text(taking, "stat", &text) && !proc_stat_parse(text.text, text.len, &stat)) {
		info->start_code = stat.start_code;
		info->start_stack = stat.start_stack;
		info->arg_start = stat.arg_start;
		info->executed = proc_stat_executed(&stat);
		info->faults = taking->source->held ? stat.faults : UINT64_MAX;
	}
	proc_text_free(&text);
}

static int64_t now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_REALTIME, &time);
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int take_circumstances(struct taking *taking)
{
	struct vmsnap *snap = taking->builder.snap;
	const struct vmsnap_capture_options *options = taking->options;
	if (status_keep(snap, &taking->status, NULL))
		return fail_no_memory(taking->err);
	identity_from_status(snap, true);
	take_places(taking);
	snap->info.tool = "vmsnap " VMSNAP_BUILD_VERSION;
	snap->info.taken = snap->info.taken ? snap->info.taken : now();
	snap->info.freeze = taking->source->held ? VMSNAP_FREEZE_DEBUGGER : VMSNAP_FREEZE_NONE;
	snap->info.source = VMSNAP_SOURCE_REMOTE;
	snap->info.consistent = true; /* if it was not held, nobody looked: vmsnap_consistent_known() */
	snap->info.label = arena_string(&snap->strings, options->label ? options->label : "");
	snap->info.reason = arena_string(&snap->strings, options->reason ? options->reason : "");
	if (!snap->info.label || !snap->info.reason)
		return fail_no_memory(taking->err);
	return take_threads(taking);
}

static int take_build_ids(struct taking *taking)
{
	int rc = source_build_ids(taking->source, taking->builder.snap);
	if (rc == VMSNAP_ERR_CANCELLED)
		return fail_cancelled(taking);
	return rc ? fail_no_memory(taking->err) : VMSNAP_OK;
}

/* Pages first: what is read for all else may change them. */
static int take(struct taking *taking)
{
	int rc = take_mappings(taking);
	rc = rc ? rc : take_pages(taking);
	if (!rc && taking->unread && !taking->smaps_parsed)
		rc = parse_smaps(taking);
	if (!rc && taking->unread)
		rc = ask_smaps(taking);
	rc = rc ? rc : need_text(taking, "status", &taking->status);
	if (rc)
		return rc;
	know(taking);
	rc = take_contents(taking);
	rc = rc ? rc : take_build_ids(taking);
	return rc ? rc : take_circumstances(taking);
}

static int check(const struct vmsnap_capture_source *source, const struct vmsnap_capture_options *options,
                 struct vmsnap_error *err)
{
	const unsigned ignored = VMSNAP_CAPTURE_SMAPS | VMSNAP_CAPTURE_BRIEF | VMSNAP_CAPTURE_REALTIME |
	                         VMSNAP_CAPTURE_PEEK | VMSNAP_CAPTURE_NO_FREEZE;
	if (!source->read)
		return fail(err, VMSNAP_ERR_ARGUMENT, "a source needs to read");
	if (options->flags & ~ignored)
		return fail(err, VMSNAP_ERR_ARGUMENT,
		            "of a process that somebody else reads, that cannot be asked for");
	if (options->tracker)
		return fail(err, VMSNAP_ERR_ARGUMENT, "what a process writes can be tracked on this machine only");
	if ((options->contents & CONTENTS_WANTED_MASK) == VMSNAP_WANT_HASHES)
		return fail(err, VMSNAP_ERR_ARGUMENT,
		            "of a process that somebody else reads, hashes alone are not kept");
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_capture_from(const struct vmsnap_capture_source *given,
                                   const struct vmsnap_capture_options *options, struct vmsnap **out,
                                   struct vmsnap_error *err)
{
	struct vmsnap_capture_source source;
	struct vmsnap_capture_options taken;
	struct work work = { .limit = WORK_UNLIMITED };
	int rc = options_take(&source, sizeof(source), given, "struct vmsnap_capture_source", err);
	rc = rc ? rc : options_take(&taken, sizeof(taken), options, "struct vmsnap_capture_options", err);
	rc = rc ? rc : check(&source, &taken, err);
	if (rc)
		return rc;
	CLEANUP_FREE struct taking *taking = calloc(1, sizeof(*taking));
	if (!taking || builder_begin(&taking->builder))
		return fail_no_memory(err);
	taking->source = &source;
	taking->options = &taken;
	taking->err = err;
	rc = take(taking);
	if (!rc && builder_finish(&taking->builder, &work, out))
		rc = fail_no_memory(err);
	proc_text_free(&taking->maps);
	proc_text_free(&taking->smaps);
	proc_text_free(&taking->status);
	builder_drop(&taking->builder);
	return rc;
}
