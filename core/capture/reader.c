#define _GNU_SOURCE
#include "reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arguments.h"
#include "error.h"
#include "identity.h"
#include "maps_aside.h"
#include "pagemap_pieces.h"
#include "recorded.h"
#include "scan.h"
#include "status_kept.h"
#include "thread_list.h"

/* The map as it is now.  What it takes while the target stands is made resident as well. */
static int prepare_maps(struct reader *reader, struct vmsnap_error *err)
{
	enum { ROOM_EXTRA = 16384 };
	CLEANUP_CLOSE int fd = openat(reader->memory, "maps", O_RDONLY | O_CLOEXEC);
	uint64_t page_size = reader->builder.snap->info.page_size;
	/* It may be that of a process which is exiting: the one that counts is still to come. */
	if (fd < 0 || procdir_read_fd(fd, &reader->maps_before) ||
	    maps_ranges(reader->maps_before.text, reader->maps_before.len, PAGEMAP_JOIN_PAGES * page_size,
	                &reader->ranges_before, &reader->range_before_count, NULL))
		reader->maps_before.len = 0;
	size_t room = reader->maps_before.len + reader->maps_before.len / 8 + ROOM_EXTRA;
	reader->maps_text.text = malloc(room);
	if (!reader->maps_text.text)
		return fail_no_memory(err);
	/* Nearly always it is the same again, and no more than this is written. */
	memset(reader->maps_text.text, 0, MAPS_ASIDE_BYTES);
	reader->maps_text.room = room;
	return VMSNAP_OK;
}

/* And the lines of status that our freeze will change. */
static int prepare_freeze(struct reader *reader, enum reader_when when, struct vmsnap_error *err)
{
	int error = procdir_read(reader->memory, "status", &reader->status_before);
	if (error)
		return procdir_fail(error, reader->pid, "status", err);
	return when == READER_BEFORE ? prepare_maps(reader, err) : VMSNAP_OK;
}

/* It stays in the one that it was born in. */
static int prepare_namespace(struct reader *reader, struct vmsnap_error *err)
{
	const char *ns = procdir_link(reader->memory, "ns/pid", &reader->builder.snap->strings);
	if (!ns)
		return fail_no_memory(err);
	struct cursor c = { ns, ns + strlen(ns) };
	take_until(&c, '[');
	take_decimal(&c, &reader->builder.snap->info.pid_namespace);
	return VMSNAP_OK;
}

int reader_prepare(struct reader *reader, int procdir, pid_t pid, bool smaps, enum reader_when when,
                   struct vmsnap_error *err)
{
	*reader = (struct reader){
		.procdir = procdir, .memory = procdir, .pid = pid, .smaps_wanted = smaps, .root = -1, .maps = -1
	};
	if (builder_begin(&reader->builder))
		return fail_no_memory(err);
	/* Taken for a recorded copy, a process would be read while it runs. */
	int error = procdir_is_live(procdir, &reader->live);
	if (error)
		return fail_sys(err, error, "cannot tell a process from a recorded copy");
	reader->builder.snap->info.page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	if (!reader->live)
		return VMSNAP_OK;
	struct proc_stat stat;
	int rc = procdir_stat(procdir, &stat, err);
	if (rc)
		return rc;
	reader->resident = stat.resident;
	reader->size = stat.size / reader->builder.snap->info.page_size;
	if (stat.state == 'Z')
		reader->memory = procdir_living_thread(procdir);
	if (reader->memory < 0)
		return procdir_fail(ESRCH, pid, "maps", err);
	rc = prepare_namespace(reader, err);
	return rc || when == READER_HELD ? rc : prepare_freeze(reader, when, err);
}

int reader_status_of_newborn(struct reader *reader, struct vmsnap_error *err)
{
	static const char status[] = "State:\tR (running)\nTracerPid:\t0\n";
	char *copy = strdup(status);
	if (!copy)
		return fail_no_memory(err);
	proc_text_free(&reader->status_before);
	reader->status_before = (struct proc_text){ .text = copy, .len = sizeof(status) - 1, .room = sizeof(status) };
	return VMSNAP_OK;
}

/* ---- while the target stands ------------------------------------------------------ */

static void kick(void *ctx)
{
	const struct reader *reader = ctx;
	watchdog_kick(reader->dog);
	realtime_check(reader->realtime);
}

/* Whether there is a living thread after all: the main one may have exited since. */
static bool read_via_live_thread(struct reader *reader)
{
	int memory = reader->memory == reader->procdir ? procdir_living_thread(reader->procdir) : -1;
	if (memory < 0)
		return false;
	reader->memory = memory;
	close(reader->maps);
	reader->maps = -1;
	return true;
}

/* What a process lacks has gone with it; a folder never had it. */
static int fail_file(const struct reader *reader, int error, const char *name, struct vmsnap_error *err)
{
	return reader->live ? procdir_fail(error, reader->pid, name, err)
	                    : fail_sys(err, error, "cannot read %s in the folder", name);
}

static int take_maps(struct reader *reader, struct vmsnap_error *err)
{
	do {
		reader->maps = openat(reader->memory, "maps", O_RDONLY | O_CLOEXEC);
		int error = reader->maps < 0 ? errno : procdir_read_fd(reader->maps, &reader->maps_text);
		if (error)
			return fail_file(reader, error, "maps", err);
		/* A process that is exiting, or has exited, has no maps. */
		if (reader->maps_text.len || !reader->live)
			return VMSNAP_OK;
	} while (read_via_live_thread(reader));
	return procdir_fail(ESRCH, reader->pid, "maps", err);
}

/* Of a recorded tree. */
static bool show_frames(const struct run_list *runs)
{
	for (size_t i = 0; i < runs->count; i++)
		if ((runs->items[i].entry & ENTRY_POPULATED) && (runs->items[i].entry & ENTRY_FRAME_MASK))
			return true;
	return false;
}

/* What was marked of the runs stays: what is read again has marks of its own. */
static int take_again(struct reader *reader, struct pagemap_walk *walk, int fd, bool frames)
{
	struct pagemap_again *again = &reader->again;
	again->memory = reader->memory;
	again->pagemap = fd;
	again->page_size = reader->builder.snap->info.page_size;
	again->frames = frames;
	again->live = reader->live;
	again->swap_before = pagemap_swap_told(&reader->status_before, "VmSwap:", again->page_size);
	again->cancel = pagemap_walk_cancel(walk);
	again->dog = reader->dog;
	int error = pagemap_read_again(again, &reader->builder.snap->runs);
	return error ? error : pagemap_walk_marks(walk, fd, &again->runs, &again->marks);
}

/* What was found becomes runs: now, if somebody has to see all of them. */
static int collect(struct reader *reader)
{
	return pagemap_pieces_collect(&reader->found.pieces, reader->builder.snap->info.page_size,
	                              &reader->builder.snap->runs);
}

/* Of huge pages which each is mapped once; what was just being moved is left alone. */
static int take_mapcounts(struct reader *reader, struct pagemap_walk *walk, int fd)
{
	struct mapcount *mapcount = &reader->mapcount;
	mapcount->memory = reader->memory;
	mapcount->pagemap = fd;
	mapcount->page_size = reader->builder.snap->info.page_size;
	mapcount->unhurried = reader->smaps_wanted;
	mapcount->cancel = pagemap_walk_cancel(walk);
	mapcount->dog = reader->dog;
	mapcount->realtime = reader->realtime;
	if (reader->again.marks.count || !mapcount_has_work(&reader->found.marks))
		return 0;
	return collect(reader) ? ENOMEM : mapcount_take(mapcount, &reader->builder.snap->runs, &reader->found.marks);
}

static int settle_pages(struct reader *reader, struct pagemap_walk *walk, int fd)
{
	const struct run_list *runs = &reader->builder.snap->runs;
	bool frames = reader->live && pagemap_walk_probe(walk)->known.pfn;
	unsigned seen = reader->found.seen;
	if (reader->live && !(seen & PAGEMAP_MOVING || (seen && !frames)))
		return frames ? take_mapcounts(reader, walk, fd) : 0;
	if (collect(reader))
		return ENOMEM;
	frames = reader->live ? frames : show_frames(runs);
	int error = seen & PAGEMAP_MOVING || (seen && !frames) ? take_again(reader, walk, fd, frames) : 0;
	return error || !frames || !reader->live ? error : take_mapcounts(reader, walk, fd);
}

static int fail_pages(const struct reader *reader, int error, struct vmsnap_error *err)
{
	if (error == ECANCELED)
		return fail(err, VMSNAP_ERR_CANCELLED, "cancelled");
	return fail_file(reader, error, "pagemap", err);
}

static int take_kpage(struct reader *reader, struct pagemap_walk *walk, int fd)
{
	bool frames = pagemap_walk_probe(walk)->known.pfn;
	if (!reader->live || reader->pages_left_out || (!reader->kpage.tables && !reader->kpage.nodes))
		return 0;
	if (collect(reader))
		return ENOMEM;
	const struct kpage_target target = { .pid = reader->pid,
		                             .pagemap = fd,
		                             .page_size = reader->builder.snap->info.page_size,
		                             .runs = &reader->builder.snap->runs,
		                             .cancel = pagemap_walk_cancel(walk),
		                             .own = reader->own,
		                             .dog = reader->dog,
		                             .realtime = reader->realtime };
	return kpage_take(&reader->kpage, &target, frames);
}

static int walk_ranges(struct reader *reader, struct pagemap_walk *walk, int fd, const struct address_range *ranges,
                       size_t count, const struct own_mappings *own, struct vmsnap_error *err)
{
	if (reader->pages_left_out)
		return VMSNAP_OK;
	if (own)
		own_mappings_drop(own);
	int error = pagemap_walk_ranges(walk, fd, reader->builder.snap->info.page_size, ranges, count, &reader->found);
	return error ? fail_pages(reader, error, err) : VMSNAP_OK;
}

static int ranges_now(const struct reader *reader, struct address_range **ranges, size_t *count,
                      struct vmsnap_error *err)
{
	return maps_ranges(reader->maps_text.text, reader->maps_text.len,
	                   PAGEMAP_JOIN_PAGES * reader->builder.snap->info.page_size, ranges, count, err);
}

/* What is mapped since has to be read, too; what is not any more has no entries. */
static int walk_the_rest(struct reader *reader, struct pagemap_walk *walk, int fd, struct vmsnap_error *err)
{
	CLEANUP_FREE struct address_range *now = NULL, *rest = NULL;
	size_t count = 0, rest_count = 0;
	int rc = ranges_now(reader, &now, &count, err);
	if (!rc &&
	    maps_ranges_without(now, count, reader->ranges_before, reader->range_before_count, &rest, &rest_count))
		rc = fail_no_memory(err);
	return rc || !rest_count ? rc : walk_ranges(reader, walk, fd, rest, rest_count, reader->own, err);
}

/* Pages and the map at the same time.  *done is false if there is no map any more. */
static int take_both(struct reader *reader, struct pagemap_walk *walk, int fd, bool *done, struct vmsnap_error *err)
{
	reader->maps = openat(reader->memory, "maps", O_RDONLY | O_CLOEXEC);
	if (reader->maps < 0)
		return fail_file(reader, errno, "maps", err);
	struct maps_aside job = { .maps = reader->maps,
		                  .before = &reader->maps_before,
		                  .realtime = reader->realtime,
		                  .text = &reader->maps_text };
	/* One thread has to read it anyway, and may know then which files are theirs. */
	if (pagemap_walk_is_alone(walk))
		maps_aside_read(&job);
	else
		pagemap_walk_aside(walk, (struct pagemap_aside){ maps_aside_read, &job });
	bool known = job.same && !job.error && reader->own && reader->own_shared.items;
	int rc = walk_ranges(reader, walk, fd, reader->ranges_before, reader->range_before_count,
	                     known ? &reader->own_shared : reader->own, err);
	if (!rc && job.error == ENOSPC)
		job.error = procdir_read_fd(reader->maps, &reader->maps_text);
	if (!rc && job.error)
		rc = fail_file(reader, job.error, "maps", err);
	if (job.same) {
		struct proc_text room = reader->maps_text;
		reader->maps_text = reader->maps_before;
		reader->maps_before = (struct proc_text){ .text = room.text, .room = room.room };
	}
	*done = reader->maps_text.len;
	return rc || job.same || !*done ? rc : walk_the_rest(reader, walk, fd, err);
}

static int take_one_by_one(struct reader *reader, struct pagemap_walk *walk, int fd, struct vmsnap_error *err)
{
	CLEANUP_FREE struct address_range *ranges = NULL;
	size_t count = 0;
	int rc = ranges_now(reader, &ranges, &count, err);
	return rc ? rc : walk_ranges(reader, walk, fd, ranges, count, reader->own, err);
}

static int fail_tracking(const struct reader *reader, int error, struct vmsnap_error *err)
{
	if (error == EBUSY)
		return fail_sys(err, error, "memory of process %d is tracked by somebody else's userfaultfd",
		                (int)reader->pid);
	return error == ESRCH ? procdir_fail(error, reader->pid, "memory", err)
	                      : fail_sys(err, error, "cannot track what process %d writes", (int)reader->pid);
}

static int read_in_folder(void *ctx, const char *name, struct proc_text *out)
{
	const struct reader *reader = ctx;
	return procdir_read(reader->memory, name, out);
}

static int take_recorded_identity(struct reader *reader, struct vmsnap_error *err)
{
	const struct recorded_source folder = { read_in_folder, reader };
	return recorded_identity(&folder, &reader->maps_text, reader->builder.snap, err);
}

static int take_maps_and_pages(struct reader *reader, struct pagemap_walk *walk, struct vmsnap_error *err)
{
	CLEANUP_CLOSE int fd = -1;
	bool done = false;
	int rc = VMSNAP_OK;
	pagemap_found_free(&reader->found);
	if (reader->tracker) {
		int error = tracker_before_pages(reader->tracker, reader->monotonic, reader->held);
		if (error)
			return fail_tracking(reader, error, err);
	}
	if (reader->stands && reader->maps_before.len) {
		fd = openat(reader->memory, "pagemap", O_RDONLY | O_CLOEXEC);
		rc = fd < 0 ? fail_file(reader, errno, "pagemap", err) : take_both(reader, walk, fd, &done, err);
	}
	if (!rc && !done) {
		pagemap_found_free(&reader->found);
		if (reader->maps >= 0)
			close(reader->maps);
		rc = take_maps(reader, err);
		if (!rc && !reader->live)
			rc = take_recorded_identity(reader, err);
		if (fd >= 0)
			close(fd);
		fd = rc ? -1 : openat(reader->memory, "pagemap", O_RDONLY | O_CLOEXEC);
		if (!rc)
			rc = fd < 0 ? fail_file(reader, errno, "pagemap", err) : take_one_by_one(reader, walk, fd, err);
	}
	int error = rc ? 0 : settle_pages(reader, walk, fd);
	if (!rc && !error)
		error = take_kpage(reader, walk, fd);
	if (rc || error)
		return error ? fail_pages(reader, error, err) : rc;
	error = reader->tracker ? tracker_after_pages(reader->tracker, reader->monotonic, reader->held) : 0;
	return error ? fail_tracking(reader, error, err) : VMSNAP_OK;
}

static uint64_t entry_at(const void *ctx, uint64_t address)
{
	const struct reader *reader = ctx;
	const struct vmsnap *snap = reader->builder.snap;
	struct vmsnap_run page;
	if (reader->found.pieces.count)
		return pagemap_pieces_entry(&reader->found.pieces, snap->info.page_size,
		                            address / snap->info.page_size);
	return vmsnap_page_at(snap, address, &page) ? 0 : ENTRY_FLAG(page.flags);
}

static int take_cmdline(struct reader *reader, const struct proc_stat *stat)
{
	struct vmsnap *snap = reader->builder.snap;
	struct arguments_source source = { .memory = reader->memory,
		                           .maps = &reader->maps_text,
		                           .page_size = snap->info.page_size,
		                           .strings = &snap->strings };
	struct proc_text text = { 0 };
	int error = arguments_read(&source, stat, &text);
	if (!error && text.len) {
		snap->info.cmdline = arena_copy(&snap->strings, text.text, text.len);
		snap->info.cmdline_len = text.len;
		error = snap->info.cmdline ? 0 : ENOMEM;
	}
	proc_text_free(&text);
	return error ? VMSNAP_ERR_NO_MEMORY : VMSNAP_OK;
}

/* What it was started as. */
static int take_identity(struct reader *reader, struct vmsnap_error *err)
{
	struct vmsnap_info *info = &reader->builder.snap->info;
	struct proc_stat stat;
	int rc = procdir_stat(reader->memory, &stat, err);
	if (rc)
		return rc;
	/* Killed while it stood: what was read last may be missing pages. */
	if (stat.state == 'Z' || stat.state == 'X')
		return procdir_fail(ESRCH, reader->pid, "pagemap", err);
	info->start_time = stat.start_time;
	info->executed = proc_stat_executed(&stat);
	struct proc_stat first;
	if (reader->memory != reader->procdir) {
		/* A thread was made by its process, and has executed nothing, whatever that has. */
		bool read = !procdir_stat(reader->procdir, &first, NULL);
		info->start_time = read ? first.start_time : stat.start_time;
		info->executed = read ? proc_stat_executed(&first) : VMSNAP_EXECUTED_UNKNOWN;
	}
	info->start_code = stat.start_code;
	info->start_stack = stat.start_stack;
	info->arg_start = stat.arg_start;
	/* A thread's own directory counts that thread's. */
	if (reader->memory == reader->procdir)
		info->faults = stat.faults;
	return take_cmdline(reader, &stat) ? fail_no_memory(err) : VMSNAP_OK;
}

static int take_names(struct reader *reader, struct vmsnap_error *err)
{
	struct arena *strings = &reader->builder.snap->strings;
	struct vmsnap_info *info = &reader->builder.snap->info;
	info->comm = procdir_word(reader->procdir, "comm", strings);
	info->exe = procdir_link(reader->memory, "exe", strings);
	return info->comm && info->exe ? VMSNAP_OK : fail_no_memory(err);
}

static int take_threads(struct reader *reader, struct vmsnap_error *err)
{
	struct thread_source source = { .procdir = reader->procdir,
		                        .stands = reader->stands,
		                        .listed = reader->threads,
		                        .listed_count = reader->thread_count,
		                        .kick = kick,
		                        .ctx = reader };
	int error = thread_list_take(&source, reader->builder.snap);
	if (error == ENOMEM)
		return fail_no_memory(err);
	return error ? procdir_fail(error, reader->pid, "the list of threads", err) : VMSNAP_OK;
}

/* What no page of its memory is touched for. */
static int take_circumstances(struct reader *reader, struct vmsnap_error *err)
{
	int error = procdir_read(reader->memory, "status", &reader->status_text);
	if (error && reader->live)
		return procdir_fail(error, reader->pid, "status", err);
	int rc = reader->live ? take_names(reader, err) : VMSNAP_OK;
	return rc || !reader->live ? rc : take_threads(reader, err);
}

/* Of many mappings it takes longer than anything else. */
static int take_smaps(struct reader *reader)
{
	CLEANUP_CLOSE int fd = openat(reader->memory, "smaps", O_RDONLY | O_CLOEXEC);
	return fd < 0 ? errno : procdir_read_fd_kicking(fd, &reader->smaps_text, kick, reader);
}

static int take_contents(struct reader *reader, struct pagemap_walk *walk, struct vmsnap_error *err)
{
	if (!reader->live)
		return VMSNAP_OK;
	CLEANUP_CLOSE int pagemap = openat(reader->memory, "pagemap", O_RDONLY | O_CLOEXEC);
	if (pagemap < 0)
		return fail_file(reader, errno, "pagemap", err);
	const struct pagemap_probe *probe = pagemap_walk_probe(walk);
	struct vmsnap *snap = reader->builder.snap;
	/* Where no scan tells which pages are the huge zero page, frames do, of runs that are whole. */
	if (!probe->known.huge &&
	    (collect(reader) || pagemap_apply_marks(probe, snap->info.page_size, &reader->found.marks, &snap->runs)))
		return fail_no_memory(err);
	struct pagemap_piece collected = { .list = &snap->runs, .count = snap->runs.count };
	struct pagemap_found found = reader->found;
	if (!found.pieces.count)
		found.pieces = (struct pagemap_pieces){ .items = &collected, .count = 1 };
	struct page_contents_target target = { .pid = reader->pid,
		                               .memory = reader->memory,
		                               .pagemap = pagemap,
		                               .page_size = snap->info.page_size,
		                               .held = reader->held,
		                               .smaps = &reader->smaps_text,
		                               .maps = &reader->maps_text,
		                               .found = &found,
		                               .zero_pfn = probe->zero_pfn,
		                               .cancel = pagemap_walk_cancel(walk),
		                               .dog = reader->dog,
		                               .realtime = reader->realtime };
	return page_contents_take(&reader->contents, &target, err);
}

int reader_take(struct reader *reader, struct pagemap_walk *walk, struct vmsnap_error *err)
{
	reader->builder.snap->info.taken = reader->taken;
	reader->builder.snap->info.monotonic = reader->monotonic;
	reader->builder.snap->info.boottime = reader->live ? reader->boottime : 0;
	reader->builder.snap->info.page_moves = reader->live ? reader->page_moves : 0;
	/* pagemap before all else, whatever may change the pages.  What may not comes first if it stands: then
	 * our own mappings need not be there once more (own_mappings.h). */
	int memory = reader->memory, rc = reader->stands ? take_circumstances(reader, err) : VMSNAP_OK;
	kick(reader);
	rc = rc ? rc : take_maps_and_pages(reader, walk, err);
	if (rc)
		return rc;
	kick(reader);
	if (!reader->stands || memory != reader->memory)
		rc = take_circumstances(reader, err);
	if (rc)
		return rc;
	struct malloc_heaps_pages pages = { reader->builder.snap->info.page_size, entry_at, reader };
	int error = reader->live ? malloc_heaps_find(reader->memory, &reader->maps_text, &pages, &reader->heaps) : 0;
	if (error)
		return fail_no_memory(err);
	error = reader->smaps_wanted ? take_smaps(reader) : 0;
	if (error)
		return fail_file(reader, error, "smaps", err);
	rc = page_contents_wanted(&reader->contents) ? take_contents(reader, walk, err) : VMSNAP_OK;
	if (rc)
		return rc;
	if (reader->live && reader->keep) /* the target's own root, for its files */
		reader->root = openat(reader->memory, "root", O_PATH | O_CLOEXEC | O_DIRECTORY);
	if (!reader->keep)
		reader_close(reader);
	kick(reader);
	return reader->live ? take_identity(reader, err) : VMSNAP_OK;
}

int reader_recheck(struct reader *reader, bool *same, struct vmsnap_error *err)
{
	struct proc_text text = { 0 };
	int error = procdir_read_fd(reader->maps, &text);
	if (!error)
		*same = text.len == reader->maps_text.len && !memcmp(text.text, reader->maps_text.text, text.len);
	size_t len = text.len;
	proc_text_free(&text);
	if (error)
		return procdir_fail(error, reader->pid, "maps", err);
	if (len)
		return VMSNAP_OK;
	/* The descriptor belongs to the memory that there was when it was opened. */
	struct proc_stat stat;
	if (procdir_stat(reader->memory, &stat, NULL) || strchr("ZX", stat.state))
		return procdir_fail(ESRCH, reader->pid, "maps", err);
	return fail(err, VMSNAP_ERR_EXECED, "process %d executed another program meanwhile; try again",
	            (int)reader->pid);
}

/* ---- when it runs again ------------------------------------------------------------ */

static int finish_kpage(struct reader *reader)
{
	bool wanted = reader->kpage.tables || reader->kpage.nodes;
	if (!wanted || reader->pages_left_out)
		return VMSNAP_OK;
	CLEANUP_CLOSE int pagemap = openat(reader->memory, "pagemap", O_RDONLY | O_CLOEXEC);
	return kpage_finish(&reader->kpage, reader->builder.snap, reader->pid, pagemap);
}

int reader_finish(struct reader *reader, const struct pagemap_probe *probe, bool frozen, struct vmsnap_error *err)
{
	struct vmsnap *snap = reader->builder.snap;
	int rc;
	if (reader->smaps_wanted)
		rc = smaps_parse(reader->smaps_text.text, reader->smaps_text.len, snap, err);
	else
		rc = maps_parse(reader->maps_text.text, reader->maps_text.len, snap, err);
	if (rc)
		return rc;
	if (!reader->live) {
		recorded_known(snap, probe->zero_pfn);
		if (pagemap_again_apply(&reader->again, probe, &snap->runs))
			return fail_no_memory(err);
	} else {
		snap->info.known = probe->known;
		snap->info.zero_pfn = probe->zero_pfn;
		if (collect(reader) ||
		    pagemap_apply_marks(probe, snap->info.page_size, &reader->found.marks, &snap->runs) ||
		    pagemap_again_apply(&reader->again, probe, &snap->runs))
			return fail_no_memory(err);
		bool counted;
		if (mapcount_apply(&reader->mapcount, &snap->runs, &counted))
			return fail_no_memory(err);
		snap->info.known.exclusive_huge = counted && probe->known.huge;
		if (finish_kpage(reader))
			return fail_no_memory(err);
		if (reader->pages_left_out)
			snap->info.known = (struct vmsnap_known){ 0 };
		if (reader->tracker && tracker_finish(reader->tracker, snap))
			return fail_no_memory(err);
		thread_list_names(snap, reader->procdir, reader->pid);
		if (identity_cgroup(snap, reader->memory))
			return fail_no_memory(err);
	}
	rc = page_contents_finish(&reader->contents, err);
	if (rc)
		return rc;
	snap->contents = reader->contents.taken;
	reader->contents.taken = (struct contents){ 0 };
	contents_trim(&snap->contents);
	snap->info.contents_left_out = reader->contents.left_out;
	snap->info.contents_copied = reader->contents.copied;
	snap->info.precopy = page_contents_precopied(&reader->contents);
	struct run *items = realloc(snap->runs.items, (snap->runs.count + 1) * sizeof(*items));
	if (items) {
		snap->runs.items = items;
		snap->runs.capacity = snap->runs.count + 1;
	}
	if (status_keep(snap, &reader->status_text, frozen ? &reader->status_before : NULL))
		return fail_no_memory(err);
	return malloc_heaps_annotate(&reader->heaps, snap, err);
}

void reader_reopen(struct reader *reader)
{
	if (reader->live && reader->maps < 0)
		reader->maps = openat(reader->memory, "maps", O_RDONLY | O_CLOEXEC);
	if (reader->live && reader->root < 0)
		reader->root = openat(reader->memory, "root", O_PATH | O_CLOEXEC | O_DIRECTORY);
}

void reader_close(struct reader *reader)
{
	if (reader->root >= 0)
		close(reader->root);
	if (reader->maps >= 0)
		close(reader->maps);
	reader->root = reader->maps = -1;
}

void reader_free(struct reader *reader)
{
	reader_close(reader);
	if (reader->memory >= 0 && reader->memory != reader->procdir)
		close(reader->memory);
	proc_text_free(&reader->maps_text);
	proc_text_free(&reader->smaps_text);
	proc_text_free(&reader->status_text);
	proc_text_free(&reader->status_before);
	proc_text_free(&reader->maps_before);
	own_mappings_free(&reader->own_shared);
	free(reader->ranges_before);
	pagemap_found_free(&reader->found);
	pagemap_again_free(&reader->again);
	mapcount_free(&reader->mapcount);
	kpage_free(&reader->kpage);
	free(reader->heaps.items);
	page_contents_free(&reader->contents);
	builder_drop(&reader->builder);
	*reader = (struct reader){ .memory = -1, .root = -1, .maps = -1 };
}
