#define _GNU_SOURCE
#include "reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arguments.h"
#include "cgroup.h"
#include "error.h"
#include "pagemap_pieces.h"
#include "recorded.h"
#include "scan.h"
#include "tracee.h"

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
	reader->maps_text.text = calloc(1, room);
	if (!reader->maps_text.text)
		return fail_no_memory(err);
	for (size_t at = 0; at < room; at += page_size)
		*(volatile char *)(reader->maps_text.text + at) = 0;
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
	return when == READER_HELD ? VMSNAP_OK : prepare_freeze(reader, when, err);
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

/* The map while pages are read of what was mapped before: no libc. */
struct maps_job {
	const struct reader *reader;
	struct proc_text *text;
	int error; /* ENOSPC: there is more of it */
	bool same; /* as before */
};

static bool same_bytes(const char *a, const char *b, size_t len)
{
	uint64_t difference = 0;
	size_t at = 0;
	for (; at + sizeof(uint64_t) <= len; at += sizeof(uint64_t)) {
		uint64_t left, right;
		__builtin_memcpy(&left, a + at, sizeof(left));
		__builtin_memcpy(&right, b + at, sizeof(right));
		difference |= left ^ right;
	}
	for (; at < len; at++)
		difference |= (uint64_t)(a[at] ^ b[at]);
	return !difference;
}

static void read_maps_aside(void *ctx)
{
	struct maps_job *job = ctx;
	struct proc_text *text = job->text;
	const struct proc_text *before = &job->reader->maps_before;
	job->same = true;
	for (text->len = 0; !job->error;) {
		size_t room = text->room - text->len - 1;
		realtime_check(job->reader->realtime);
		long got = room ? raw_syscall4(SYS_pread64, job->reader->maps, (long)(text->text + text->len),
		                               (long)room, (long)text->len)
		                : -ENOSPC;
		if (got <= 0) {
			job->error = got == -EINTR ? 0 : (int)-got;
			if (!got)
				break;
			continue;
		}
		size_t to = text->len + (size_t)got;
		job->same = job->same && to <= before->len &&
		            same_bytes(text->text + text->len, before->text + text->len, (size_t)got);
		text->len = to;
	}
	text->text[text->len] = '\0';
	job->same = job->same && text->len == before->len;
}

static int fail_pages(const struct reader *reader, int error, struct vmsnap_error *err)
{
	if (error == ECANCELED)
		return fail(err, VMSNAP_ERR_CANCELLED, "cancelled");
	return fail_file(reader, error, "pagemap", err);
}

static int walk_ranges(struct reader *reader, struct pagemap_walk *walk, int fd, const struct address_range *ranges,
                       size_t count, struct vmsnap_error *err)
{
	if (reader->own)
		own_mappings_drop(reader->own);
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
	return rc || !rest_count ? rc : walk_ranges(reader, walk, fd, rest, rest_count, err);
}

/* Pages and the map at the same time.  *done is false if there is no map any more. */
static int take_both(struct reader *reader, struct pagemap_walk *walk, int fd, bool *done, struct vmsnap_error *err)
{
	struct maps_job job = { .reader = reader, .text = &reader->maps_text };
	reader->maps = openat(reader->memory, "maps", O_RDONLY | O_CLOEXEC);
	if (reader->maps < 0)
		return fail_file(reader, errno, "maps", err);
	pagemap_walk_aside(walk, (struct pagemap_aside){ read_maps_aside, &job });
	int rc = walk_ranges(reader, walk, fd, reader->ranges_before, reader->range_before_count, err);
	if (!rc && job.error == ENOSPC)
		job.error = procdir_read_fd(reader->maps, &reader->maps_text);
	if (!rc && job.error)
		rc = fail_file(reader, job.error, "maps", err);
	*done = reader->maps_text.len;
	return rc || job.same || !*done ? rc : walk_the_rest(reader, walk, fd, err);
}

static int take_one_by_one(struct reader *reader, struct pagemap_walk *walk, int fd, struct vmsnap_error *err)
{
	CLEANUP_FREE struct address_range *ranges = NULL;
	size_t count = 0;
	int rc = ranges_now(reader, &ranges, &count, err);
	return rc ? rc : walk_ranges(reader, walk, fd, ranges, count, err);
}

static int take_maps_and_pages(struct reader *reader, struct pagemap_walk *walk, struct vmsnap_error *err)
{
	CLEANUP_CLOSE int fd = -1;
	bool done = false;
	int rc = VMSNAP_OK;
	pagemap_found_free(&reader->found);
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
			rc = recorded_identity(reader->memory, &reader->maps_text, reader->builder.snap, err);
		if (fd >= 0)
			close(fd);
		fd = rc ? -1 : openat(reader->memory, "pagemap", O_RDONLY | O_CLOEXEC);
		if (!rc)
			rc = fd < 0 ? fail_file(reader, errno, "pagemap", err) : take_one_by_one(reader, walk, fd, err);
	}
	int error = rc ? 0 : settle_pages(reader, walk, fd);
	return error ? fail_pages(reader, error, err) : rc;
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

/* The last two numbers of /proc/PID/task/TID/syscall are the stack pointer and the
 * program counter, while the thread does not run (proc_pid_syscall(5)). */
static uint64_t told_stack_pointer(int procdir, pid_t tid)
{
	char name[40], text[256];
	snprintf(name, sizeof(name), "task/%d/syscall", (int)tid);
	CLEANUP_CLOSE int fd = openat(procdir, name, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text));
	if (len <= 0)
		return 0;
	struct cursor c = { text, text + len };
	uint64_t before = 0, last = 0;
	while (c.at < c.end) {
		struct cursor word = take_until(&c, ' ');
		uint64_t value;
		if (!take_char(&word, '0') || !take_char(&word, 'x') || !take_hex(&word, &value))
			continue;
		before = last;
		last = value;
	}
	return before;
}

/* Who traces it is told in one call (Linux 5.3), not in three: there may be ten thousand. */
static uint64_t stack_pointer(const struct reader *reader, pid_t tid)
{
	uint64_t stack = reader->stands ? tracee_stack_pointer(tid) : 0;
	return stack ? stack : told_stack_pointer(reader->procdir, tid);
}

struct threads_job {
	struct reader *reader;
	size_t room;
};

static int add_thread(void *ctx, pid_t tid)
{
	enum { KICK_EACH = 64 };
	struct threads_job *job = ctx;
	struct vmsnap *snap = job->reader->builder.snap;
	if (snap->thread_count % KICK_EACH == 0)
		kick(job->reader);
	if (snap->thread_count == job->room) {
		size_t room = job->room ? job->room * 2 : 16;
		struct vmsnap_thread *threads = realloc(snap->threads, room * sizeof(*threads));
		if (!threads)
			return 1;
		snap->threads = threads;
		job->room = room;
	}
	snap->threads[snap->thread_count++] = (struct vmsnap_thread){ .tid = (uint32_t)tid,
		                                                      .stack_pointer = stack_pointer(job->reader, tid),
		                                                      .comm = "" };
	return 0;
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

static const char *take_link(struct reader *reader, const char *name)
{
	char path[4096 + 16];
	ssize_t len = readlinkat(reader->memory, name, path, sizeof(path));
	return len > 0 ? arena_copy(&reader->builder.snap->strings, path, (size_t)len) : "";
}

static const char *take_word(struct reader *reader, const char *name)
{
	struct proc_text text = { 0 };
	const char *word = "";
	if (procdir_read(reader->procdir, name, &text) == 0 && text.len) {
		/* comm may hold newlines; the kernel adds one of its own at the end. */
		word = arena_copy(&reader->builder.snap->strings, text.text,
		                  text.len - (text.text[text.len - 1] == '\n'));
	}
	proc_text_free(&text);
	return word;
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
	struct proc_stat first;
	if (reader->memory != reader->procdir && !procdir_stat(reader->procdir, &first, NULL))
		info->start_time = first.start_time;
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
	struct vmsnap_info *info = &reader->builder.snap->info;
	info->comm = take_word(reader, "comm");
	info->exe = take_link(reader, "exe");
	const char *ns = take_link(reader, "ns/pid");
	if (!info->comm || !info->exe || !ns)
		return fail_no_memory(err);
	struct cursor c = { ns, ns + strlen(ns) };
	take_until(&c, '[');
	take_decimal(&c, &info->pid_namespace);
	return VMSNAP_OK;
}

static int take_threads(struct reader *reader, struct vmsnap_error *err)
{
	struct vmsnap *snap = reader->builder.snap;
	struct threads_job job = { .reader = reader };
	free(snap->threads);
	snap->threads = NULL;
	snap->thread_count = 0;
	int listed = 0;
	for (size_t i = 0; !listed && i < reader->thread_count; i++)
		listed = add_thread(&job, reader->threads[i]);
	if (!reader->threads)
		listed = procdir_each_task(reader->procdir, add_thread, &job);
	if (listed > 0)
		return fail_no_memory(err);
	return listed ? procdir_fail(-listed, reader->pid, "the list of threads", err) : VMSNAP_OK;
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

/* smaps tells what must not be read; a kernel without it has no such memory. */
static int take_contents(struct reader *reader, struct pagemap_walk *walk, struct vmsnap_error *err)
{
	if (!reader->live)
		return VMSNAP_OK;
	CLEANUP_CLOSE int pagemap = openat(reader->memory, "pagemap", O_RDONLY | O_CLOEXEC);
	if (pagemap < 0)
		return fail_file(reader, errno, "pagemap", err);
	int error = reader->smaps_wanted ? 0 : take_smaps(reader);
	if (error && error != ENOENT)
		return fail_file(reader, error, "smaps", err);
	if (collect(reader))
		return fail_no_memory(err);
	struct page_contents_target target = { .memory = reader->memory,
		                               .pagemap = pagemap,
		                               .page_size = reader->builder.snap->info.page_size,
		                               .zero_pfn = pagemap_walk_probe(walk)->zero_pfn,
		                               .smaps = &reader->smaps_text,
		                               .maps = &reader->maps_text,
		                               .runs = &reader->builder.snap->runs,
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

/* A line of status with its newline; empty if there is none. */
static struct cursor status_line(const struct proc_text *status, const char *key)
{
	struct cursor c = { status->text, status->text + status->len };
	while (c.at < c.end) {
		const char *start = c.at;
		take_until(&c, '\n');
		if ((size_t)(c.at - start) > strlen(key) && memcmp(start, key, strlen(key)) == 0)
			return (struct cursor){ start, c.at };
	}
	return (struct cursor){ c.end, c.end };
}

/* Our own freeze shows in two lines: they are kept as they were right before it. */
enum { OUR_LINES = 2 };
static const char *const our_lines[OUR_LINES] = { "State:", "TracerPid:" };

static int keep_status(struct reader *reader, bool frozen)
{
	struct vmsnap *snap = reader->builder.snap;
	if (!frozen) {
		snap->status = arena_copy(&snap->strings, reader->status_text.text, reader->status_text.len);
		snap->status_len = reader->status_text.len;
		return snap->status ? VMSNAP_OK : VMSNAP_ERR_NO_MEMORY;
	}
	size_t room = reader->status_text.len + 1;
	for (size_t i = 0; i < OUR_LINES; i++) {
		struct cursor before = status_line(&reader->status_before, our_lines[i]);
		room += (size_t)(before.end - before.at);
	}
	char *out = arena_alloc(&snap->strings, room);
	if (!out)
		return VMSNAP_ERR_NO_MEMORY;
	const char *from = reader->status_text.text, *end = from + reader->status_text.len;
	size_t len = 0;
	for (size_t i = 0; i < OUR_LINES; i++) {
		struct cursor now = status_line(&reader->status_text, our_lines[i]);
		struct cursor before = status_line(&reader->status_before, our_lines[i]);
		if (now.at == now.end || before.at == before.end || now.at < from)
			continue;
		memcpy(out + len, from, (size_t)(now.at - from));
		len += (size_t)(now.at - from);
		memcpy(out + len, before.at, (size_t)(before.end - before.at));
		len += (size_t)(before.end - before.at);
		from = now.end;
	}
	if (end > from)
		memcpy(out + len, from, (size_t)(end - from));
	len += (size_t)(end - from);
	out[len] = '\0';
	snap->status = out;
	snap->status_len = len;
	return VMSNAP_OK;
}

static void thread_names(struct reader *reader)
{
	struct vmsnap *snap = reader->builder.snap;
	for (size_t i = 0; i < snap->thread_count; i++) {
		char name[40];
		snprintf(name, sizeof(name), "task/%u/comm", snap->threads[i].tid);
		/* The main thread's is known already. */
		const char *comm =
		        (pid_t)snap->threads[i].tid == reader->pid ? snap->info.comm : take_word(reader, name);
		snap->threads[i].comm = comm ? comm : "";
	}
}

/* It may have exited since: then it is not known. */
static int take_cgroup(struct reader *reader)
{
	struct vmsnap *snap = reader->builder.snap;
	struct proc_text text = { 0 };
	if (procdir_read(reader->memory, "cgroup", &text) == 0) {
		struct cursor path = cgroup_path(&text);
		snap->info.cgroup = arena_copy(&snap->strings, path.at, (size_t)(path.end - path.at));
	}
	proc_text_free(&text);
	return snap->info.cgroup ? VMSNAP_OK : VMSNAP_ERR_NO_MEMORY;
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
		thread_names(reader);
		if (take_cgroup(reader))
			return fail_no_memory(err);
	}
	snap->contents = reader->contents.taken;
	reader->contents.taken = (struct contents){ 0 };
	contents_trim(&snap->contents);
	snap->info.contents_left_out = reader->contents.left_out;
	struct run *items = realloc(snap->runs.items, (snap->runs.count + 1) * sizeof(*items));
	if (items) {
		snap->runs.items = items;
		snap->runs.capacity = snap->runs.count + 1;
	}
	rc = malloc_heaps_annotate(&reader->heaps, snap, err);
	return rc ? rc : keep_status(reader, frozen) ? fail_no_memory(err) : VMSNAP_OK;
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
	free(reader->ranges_before);
	pagemap_found_free(&reader->found);
	pagemap_again_free(&reader->again);
	mapcount_free(&reader->mapcount);
	free(reader->heaps.items);
	page_contents_free(&reader->contents);
	builder_drop(&reader->builder);
	*reader = (struct reader){ .memory = -1, .root = -1, .maps = -1 };
}
