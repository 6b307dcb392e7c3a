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
#include "recorded.h"
#include "scan.h"

/* Made resident before the freeze; more grows in it. */
enum { PREPARED_RUNS_MAX = 1280 * 1024, PREPARED_RUNS_EXTRA = 12288 };

/* As much as will be needed, made resident; and the lines of status that our freeze
 * will change. */
static int prepare_freeze(struct reader *reader, const struct proc_stat *stat, struct vmsnap_error *err)
{
	size_t runs = stat->resident < PREPARED_RUNS_MAX ? (size_t)stat->resident : PREPARED_RUNS_MAX;
	if (run_list_reserve(&reader->builder.snap->runs, runs + PREPARED_RUNS_EXTRA, true) ||
	    page_marks_reserve(&reader->marks, PAGE_MARKS_PREPARED))
		return fail_no_memory(err);
	int error = procdir_read(reader->memory, "status", &reader->status_before);
	return error ? procdir_fail(error, reader->pid, "status", err) : VMSNAP_OK;
}

int reader_prepare(struct reader *reader, int procdir, pid_t pid, bool smaps, bool held, struct vmsnap_error *err)
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
	if (stat.state == 'Z')
		reader->memory = procdir_living_thread(procdir);
	if (reader->memory < 0)
		return procdir_fail(ESRCH, pid, "maps", err);
	return held ? VMSNAP_OK : prepare_freeze(reader, &stat, err);
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
	return reader->again.marks.count ? 0 : mapcount_take(mapcount, &reader->builder.snap->runs, &reader->marks);
}

static int walk_pages(struct reader *reader, struct pagemap_walk *walk, int fd, const struct address_range *ranges,
                      size_t count)
{
	struct run_list *runs = &reader->builder.snap->runs;
	unsigned seen;
	int error = pagemap_walk_ranges(walk, fd, reader->builder.snap->info.page_size, ranges, count, runs, &seen);
	bool frames = reader->live ? pagemap_walk_probe(walk)->known.pfn : show_frames(runs);
	if (!error && (seen & PAGEMAP_MOVING || (seen && !frames)))
		error = take_again(reader, walk, fd, frames);
	error = error ? error : pagemap_walk_marks(walk, fd, runs, &reader->marks);
	return error || !frames || !reader->live ? error : take_mapcounts(reader, walk, fd);
}

static int take_pages(struct reader *reader, struct pagemap_walk *walk, struct vmsnap_error *err)
{
	CLEANUP_CLOSE int fd = openat(reader->memory, "pagemap", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail_file(reader, errno, "pagemap", err);
	CLEANUP_FREE struct address_range *ranges = NULL;
	size_t count = 0;
	uint64_t page_size = reader->builder.snap->info.page_size;
	int rc = maps_ranges(reader->maps_text.text, reader->maps_text.len, PAGEMAP_JOIN_PAGES * page_size, &ranges,
	                     &count, err);
	if (rc)
		return rc;
	if (reader->own)
		own_mappings_drop(reader->own);
	int error = walk_pages(reader, walk, fd, ranges, count);
	if (error == ECANCELED)
		return fail(err, VMSNAP_ERR_CANCELLED, "cancelled");
	return error ? fail_file(reader, error, "pagemap", err) : VMSNAP_OK;
}

/* The last two numbers of /proc/PID/task/TID/syscall are the stack pointer and the
 * program counter, while the thread does not run (proc_pid_syscall(5)). */
static uint64_t stack_pointer(int procdir, pid_t tid)
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

struct threads_job {
	struct reader *reader;
	size_t room;
};

static int add_thread(void *ctx, pid_t tid)
{
	struct threads_job *job = ctx;
	struct vmsnap *snap = job->reader->builder.snap;
	if (snap->thread_count == job->room) {
		size_t room = job->room ? job->room * 2 : 16;
		struct vmsnap_thread *threads = realloc(snap->threads, room * sizeof(*threads));
		if (!threads)
			return 1;
		snap->threads = threads;
		job->room = room;
	}
	snap->threads[snap->thread_count++] = (struct vmsnap_thread){
		.tid = (uint32_t)tid, .stack_pointer = stack_pointer(job->reader->procdir, tid), .comm = ""
	};
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
	info->comm = take_word(reader, "comm");
	info->exe = take_link(reader, "exe");
	const char *ns = take_link(reader, "ns/pid");
	if (!info->comm || !info->exe || !ns || take_cmdline(reader, &stat))
		return fail_no_memory(err);
	struct cursor c = { ns, ns + strlen(ns) };
	take_until(&c, '[');
	take_decimal(&c, &info->pid_namespace);
	struct threads_job job = { .reader = reader };
	int listed = procdir_each_task(reader->procdir, add_thread, &job);
	if (listed > 0)
		return fail_no_memory(err);
	return listed ? procdir_fail(-listed, reader->pid, "the list of threads", err) : VMSNAP_OK;
}

int reader_take(struct reader *reader, struct pagemap_walk *walk, struct vmsnap_error *err)
{
	reader->builder.snap->info.taken = reader->taken;
	reader->builder.snap->info.monotonic = reader->monotonic;
	reader->builder.snap->info.boottime = reader->live ? reader->boottime : 0;
	reader->builder.snap->info.page_moves = reader->live ? reader->page_moves : 0;
	/* pagemap before all else: whatever else we read may change the pages. */
	watchdog_kick(reader->dog);
	int rc = take_maps(reader, err);
	if (!rc && !reader->live)
		rc = recorded_identity(reader->memory, &reader->maps_text, reader->builder.snap, err);
	rc = rc ? rc : take_pages(reader, walk, err);
	if (rc)
		return rc;
	watchdog_kick(reader->dog);
	int error = reader->live ? malloc_heaps_find(reader->memory, &reader->maps_text, reader->builder.snap,
	                                             &reader->heaps)
	                         : 0;
	if (error)
		return fail_no_memory(err);
	error = procdir_read(reader->memory, "status", &reader->status_text);
	if (error && reader->live)
		return procdir_fail(error, reader->pid, "status", err);
	error = reader->smaps_wanted ? procdir_read(reader->memory, "smaps", &reader->smaps_text) : 0;
	if (error)
		return fail_file(reader, error, "smaps", err);
	if (reader->live && reader->keep) /* the target's own root, for its files */
		reader->root = openat(reader->memory, "root", O_PATH | O_CLOEXEC | O_DIRECTORY);
	if (!reader->keep)
		reader_close(reader);
	watchdog_kick(reader->dog);
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
		if (pagemap_apply_marks(probe, snap->info.page_size, &reader->marks, &snap->runs) ||
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
	free(reader->marks.items);
	pagemap_again_free(&reader->again);
	mapcount_free(&reader->mapcount);
	free(reader->heaps.items);
	builder_drop(&reader->builder);
	*reader = (struct reader){ .memory = -1, .root = -1, .maps = -1 };
}
