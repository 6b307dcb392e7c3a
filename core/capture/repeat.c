/* repeat.c - snapshots of one process again and again: what has not changed is not read again. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "arguments.h"
#include "cgroup.h"
#include "clock.h"
#include "error.h"
#include "identity.h"
#include "kept_files.h"
#include "malloc_heaps.h"
#include "mapcount.h"
#include "options.h"
#include "page_moves.h"
#include "pagemap_pieces.h"
#include "scan.h"
#include "status_kept.h"
#include "thread_list.h"
#include "tracee.h"
#include "tracer.h"

/* A file that is mapped, as it was when it was judged whether it is what was mapped (identity.h). */
struct mapped_file {
	const char *name;
	bool found;
	uint64_t device, inode, size;
	int64_t changed;
};

struct vmsnap_repeat {
	pid_t pid;
	int procdir;
	uint64_t brief;
	struct kept_files files;
	struct vmsnap *base;   /* what was read in full last; NULL: the next one is */
	struct proc_stat stat; /* then, as are these: */
	struct proc_text maps;
	struct address_range *ranges;
	size_t range_count;
	/* The same without what had no page at the last look, which one question each tells to be so still: of threads'
	 * stacks and malloc's arenas nearly all. */
	struct address_range *dense, *gaps;
	size_t dense_count, gap_count;
	struct mapped_file *mapped;
	size_t mapped_count;
	uint64_t moves; /* page_moves.h, after the last look */
	struct pagemap_walk *walk;
	struct pagemap_probe probe;
	atomic_bool cancel;
	struct watchdog dog;                     /* never on */
	struct proc_text text, status, maps_now; /* room that is kept */
};

/* ---- what is compared --------------------------------------------------------------- */

static bool stat_now(struct vmsnap_repeat *repeat, struct proc_stat *stat)
{
	return !kept_read_record(repeat->files.fds[KEPT_STAT], &repeat->text) &&
	       !proc_stat_parse(repeat->text.text, repeat->text.len, stat) && !strchr("ZX", stat->state);
}

static bool same_program(const struct proc_stat *a, const struct proc_stat *b)
{
	return a->start_time == b->start_time && a->start_code == b->start_code && a->start_stack == b->start_stack &&
	       a->arg_start == b->arg_start && a->arg_end == b->arg_end && a->env_start == b->env_start &&
	       a->env_end == b->env_end;
}

static bool maps_now(struct vmsnap_repeat *repeat)
{
	return !procdir_read_fd(repeat->files.fds[KEPT_MAPS], &repeat->maps_now) && repeat->maps_now.len;
}

static bool maps_are_same(struct vmsnap_repeat *repeat)
{
	return maps_now(repeat) && repeat->maps_now.len == repeat->maps.len &&
	       !memcmp(repeat->maps_now.text, repeat->maps.text, repeat->maps.len);
}

/* What is told of one thread. */
struct moment {
	bool stands, still; /* its tracer has stopped it; or it sleeps, and would be known to have run (slept_on()) */
	uint64_t turns;     /* on a processor, until then; 0: not known */
	uint64_t stack_pointer;
};

/* The third number of schedstat. */
static uint64_t turns_of(struct vmsnap_repeat *repeat, const struct kept_thread *thread)
{
	if (thread->schedstat < 0 || kept_read_record(thread->schedstat, &repeat->text))
		return 0;
	const char *last = memrchr(repeat->text.text, ' ', repeat->text.len);
	return last ? strtoull(last, NULL, 10) : 0;
}

/* Only the calling thread's own tracees, and of these only those that stand, let it ask that. */
static bool look_at_standing(struct moment *moment, pid_t tid)
{
	unsigned long message;
	moment->stack_pointer = tracee_stack_pointer(tid);
	return moment->stack_pointer || !ptrace(PTRACE_GETEVENTMSG, tid, NULL, &message);
}

/* For that the kernel makes sure that it is on no processor (wait_task_inactive()), or says "running". */
static bool look_at_stack(struct vmsnap_repeat *repeat, const struct kept_thread *thread, struct moment *moment)
{
	if (kept_read_record(thread->syscall, &repeat->text))
		return false;
	moment->still = moment->turns && repeat->text.text[0] != 'r';
	moment->stack_pointer = thread_list_told_stack(repeat->text.text, repeat->text.len);
	return true;
}

/* Whether it is the one that there was, is traced by the calling thread if it stands, and is no zombie.
 * text: its stat, or the process's. */
static bool thread_is_same(struct vmsnap_repeat *repeat, const struct kept_thread *thread, const struct proc_text *text,
                           struct moment *moment)
{
	char name[KEPT_NAME_MAX];
	if (!kept_name_of(text, name) || strcmp(name, thread->name) != 0)
		return false;
	const char *end = memrchr(text->text, ')', text->len);
	char state = end[1] == ' ' ? end[2] : 'X';
	*moment = (struct moment){ .stands = state == 't' };
	if (strchr("ZX", state) || (moment->stands && !look_at_standing(moment, thread->tid)))
		return false;
	if (moment->stands && moment->stack_pointer)
		return true;
	moment->turns = turns_of(repeat, thread);
	return look_at_stack(repeat, thread, moment);
}

/* All that there were, and no more: there are as many as there were.  *stat: of the process. */
static bool threads_are_same(struct vmsnap_repeat *repeat, struct proc_stat *stat, struct moment *moments, bool *runs)
{
	struct kept_files *files = &repeat->files;
	bool found = false;
	*runs = false;
	if (kept_read_record(files->fds[KEPT_STATUS], &repeat->status) ||
	    proc_text_number(&repeat->status, "\nThreads:") != files->thread_count)
		return false;
	for (size_t i = 0; i < files->thread_count; i++) {
		const struct kept_thread *thread = &files->threads[i];
		bool first = thread->tid == repeat->pid;
		if (first ? !stat_now(repeat, stat) : kept_read_record(thread->stat, &repeat->text))
			return false;
		if (!thread_is_same(repeat, thread, &repeat->text, &moments[i]))
			return false;
		*runs |= !moments[i].stands;
		found |= first;
	}
	return found;
}

/* Whether none of them has run since, though nobody had stopped them. */
static bool slept_on(struct vmsnap_repeat *repeat, const struct moment *moments)
{
	for (size_t i = 0; i < repeat->files.thread_count; i++)
		if (!moments[i].stands &&
		    (!moments[i].still || turns_of(repeat, &repeat->files.threads[i]) != moments[i].turns))
			return false;
	return true;
}

/* A child that has the memory for a while (vfork), say. */
static bool there_are_children(struct vmsnap_repeat *repeat)
{
	for (size_t i = 0; i < repeat->files.thread_count; i++)
		if (kept_read_record(repeat->files.threads[i].children, &repeat->text) || repeat->text.len)
			return true;
	return false;
}

static bool words_are_same(struct vmsnap_repeat *repeat)
{
	const struct vmsnap_info *info = &repeat->base->info;
	char exe[4096 + 16];
	struct utsname name;
	ssize_t len = readlinkat(repeat->procdir, "exe", exe, sizeof(exe));
	if (len < 0 || (size_t)len != strlen(info->exe) || memcmp(exe, info->exe, (size_t)len) != 0 || uname(&name) ||
	    strcmp(name.nodename, info->host) != 0 || kept_read_record(repeat->files.fds[KEPT_CGROUP], &repeat->text))
		return false;
	struct cursor path = cgroup_path(&repeat->text);
	size_t path_len = (size_t)(path.end - path.at);
	return path_len == strlen(info->cgroup) && !memcmp(path.at, info->cgroup, path_len);
}

static void look_at_file(struct mapped_file *file)
{
	struct stat st;
	const char *name = file->name;
	*file = (struct mapped_file){ .name = name };
	if (fstatat(AT_FDCWD, name, &st, AT_NO_AUTOMOUNT))
		return;
	*file = (struct mapped_file){ .name = name,
		                      .found = true,
		                      .device = st.st_dev,
		                      .inode = st.st_ino,
		                      .size = (uint64_t)st.st_size,
		                      .changed = (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec };
}

static bool files_are_same(const struct vmsnap_repeat *repeat)
{
	for (size_t i = 0; i < repeat->mapped_count; i++) {
		const struct mapped_file *then = &repeat->mapped[i];
		struct mapped_file now = *then;
		look_at_file(&now);
		if (now.found != then->found || now.device != then->device || now.inode != then->inode ||
		    now.size != then->size || now.changed != then->changed)
			return false;
	}
	return true;
}

static bool arguments_are_same(struct vmsnap_repeat *repeat, struct vmsnap *snap)
{
	const struct vmsnap_info *info = &repeat->base->info;
	struct arguments_source source = { .memory = repeat->procdir,
		                           .pagemap = repeat->files.fds[KEPT_PAGEMAP],
		                           .cmdline = repeat->files.fds[KEPT_CMDLINE],
		                           .maps = &repeat->maps,
		                           .page_size = info->page_size,
		                           .strings = &snap->strings };
	struct proc_text text = { 0 };
	bool same = !arguments_read(&source, &repeat->stat, &text) && text.len == info->cmdline_len &&
	            (!text.len || !memcmp(text.text, info->cmdline, text.len));
	proc_text_free(&text);
	return same;
}

/* ---- pages -------------------------------------------------------------------------- */

static bool moves_now(struct vmsnap_repeat *repeat, uint64_t *moves)
{
	if (kept_read_records(repeat->files.fds[KEPT_VMSTAT], &repeat->text))
		return false;
	*moves = page_moves_of(repeat->text.text, repeat->text.len);
	return true;
}

static bool nothing_merged(struct vmsnap_repeat *repeat)
{
	for (int file = KEPT_KSM_SHARED; file <= KEPT_KSM_ZERO; file++) {
		int fd = repeat->files.fds[file];
		if (fd >= 0 && (kept_read_record(fd, &repeat->text) || repeat->text.text[0] != '0'))
			return false;
	}
	return true;
}

static void forget_gaps(struct vmsnap_repeat *repeat)
{
	free(repeat->dense);
	free(repeat->gaps);
	repeat->dense = repeat->gaps = NULL;
	repeat->dense_count = repeat->gap_count = 0;
}

static void add_gap(struct vmsnap_repeat *repeat, struct address_range gap, uint64_t least)
{
	if (gap.end > gap.start && gap.end - gap.start >= least)
		repeat->gaps[repeat->gap_count++] = gap;
}

/* An empty entry takes some 4 ns to be read, a scan of none but empty page tables a microsecond. */
static void keep_gaps(struct vmsnap_repeat *repeat, const struct vmsnap *snap)
{
	enum { LEAST_PAGES = 512, MOST = 64 };
	uint64_t page_size = snap->info.page_size, least = LEAST_PAGES * page_size;
	forget_gaps(repeat);
	repeat->gaps = calloc(MOST + 1, sizeof(*repeat->gaps));
	for (size_t i = 0; repeat->gaps && repeat->probe.scan && i < repeat->range_count; i++) {
		uint64_t at = repeat->ranges[i].start, end = repeat->ranges[i].end;
		size_t run = run_list_find(&snap->runs, page_size, at);
		for (; run < snap->runs.count && run_start(&snap->runs.items[run]) < end; run++) {
			const struct run *next = &snap->runs.items[run];
			if (repeat->gap_count < MOST)
				add_gap(repeat, (struct address_range){ at, run_start(next) }, least);
			at = run_start(next) + run_pages(next) * page_size;
		}
		if (repeat->gap_count < MOST)
			add_gap(repeat, (struct address_range){ at, end }, least);
	}
	if (!repeat->gap_count || maps_ranges_without(repeat->ranges, repeat->range_count, repeat->gaps,
	                                              repeat->gap_count, &repeat->dense, &repeat->dense_count))
		forget_gaps(repeat);
}

static bool gaps_are_empty(const struct vmsnap_repeat *repeat)
{
	struct page_region region;
	int found = 0;
	for (size_t i = 0; i < repeat->gap_count; i++)
		if (pagemap_scan(repeat->files.fds[KEPT_PAGEMAP], &repeat->gaps[i], SCAN_PRESENT | SCAN_SWAPPED, 1,
		                 &region, 1, &found) ||
		    found)
			return false;
	return true;
}

/* False also of pages that have to be looked at twice (reader.c). */
static bool read_ranges(struct vmsnap_repeat *repeat, struct vmsnap *snap, const struct address_range *ranges,
                        size_t count)
{
	struct pagemap_found found = { 0 };
	uint64_t page_size = snap->info.page_size;
	run_list_free(&snap->runs);
	pagemap_walk_reset(repeat->walk);
	bool done =
	        !pagemap_walk_ranges(repeat->walk, repeat->files.fds[KEPT_PAGEMAP], page_size, ranges, count, &found);
	const struct pagemap_probe *probe = pagemap_walk_probe(repeat->walk);
	done = done && !(found.seen & PAGEMAP_MOVING) && !(found.seen && !probe->known.pfn) &&
	       !mapcount_has_work(&found.marks) && probe->scan == repeat->probe.scan &&
	       !pagemap_pieces_collect(&found.pieces, page_size, &snap->runs) &&
	       !pagemap_apply_marks(probe, page_size, &found.marks, &snap->runs);
	pagemap_found_free(&found);
	run_list_trim(&snap->runs);
	return done && snap->runs.count;
}

static bool read_pages(struct vmsnap_repeat *repeat, struct vmsnap *snap)
{
	if (repeat->gap_count && gaps_are_empty(repeat))
		return read_ranges(repeat, snap, repeat->dense, repeat->dense_count);
	if (!read_ranges(repeat, snap, repeat->ranges, repeat->range_count))
		return false;
	keep_gaps(repeat, snap);
	return true;
}

/* Nothing moved since the last look, which is mostly so; or else while the pages are read, which is known by reading
 * them once more. */
static bool pages_and_moves(struct vmsnap_repeat *repeat, struct vmsnap *snap)
{
	uint64_t moves = 0;
	if (!read_pages(repeat, snap))
		return false;
	if (!repeat->probe.known.pfn)
		return true;
	if (!nothing_merged(repeat) || !moves_now(repeat, &moves))
		return false;
	uint64_t before = repeat->moves;
	repeat->moves = moves;
	if (moves != before) {
		before = moves;
		if (!read_pages(repeat, snap) || !moves_now(repeat, &moves))
			return false;
		repeat->moves = moves;
	}
	snap->info.page_moves = moves == before ? moves : 0;
	return true;
}

static uint64_t entry_at(const void *ctx, uint64_t address)
{
	struct vmsnap_run page;
	return vmsnap_page_at(ctx, address, &page) ? 0 : ENTRY_FLAG(page.flags);
}

static bool find_heaps(struct vmsnap_repeat *repeat, struct vmsnap *snap)
{
	struct malloc_heaps heaps = { 0 };
	struct malloc_heaps_pages pages = { snap->info.page_size, entry_at, snap };
	bool done = !malloc_heaps_find(repeat->procdir, &repeat->maps, &pages, &heaps) &&
	            !malloc_heaps_annotate(&heaps, snap, NULL);
	free(heaps.items);
	return done;
}

/* ---- a snapshot of it ----------------------------------------------------------------- */

static uint64_t swap_in_use(void)
{
	struct sysinfo info;
	if (sysinfo(&info) || info.freeswap > info.totalswap)
		return UINT64_MAX;
	return (uint64_t)(info.totalswap - info.freeswap) * info.mem_unit;
}

static const char *reason_of(struct arena *strings, const char *reason, const char *if_running)
{
	size_t len = strlen(reason), more = strlen(if_running);
	char *text = arena_alloc(strings, len + more + 1);
	if (text) {
		memcpy(text, reason, len);
		memcpy(text + len, if_running, more + 1);
	}
	return text;
}

struct wanted {
	struct vmsnap_capture_options options;
	const char *if_running;
};

static bool note_words(struct vmsnap *snap, const struct wanted *wanted, bool runs)
{
	const char *label = wanted->options.label, *reason = wanted->options.reason;
	snap->info.label = arena_string(&snap->strings, label ? label : "");
	snap->info.reason = reason_of(&snap->strings, reason ? reason : "", runs ? wanted->if_running : "");
	return snap->info.label && snap->info.reason;
}

static void note_instant(struct vmsnap *snap, bool runs, uint64_t faults)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	snap->info.taken = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	snap->info.monotonic = (int64_t)monotonic_now();
	snap->info.boottime = boottime_now();
	snap->info.page_moves = 0;
	snap->info.swap_in_use = swap_in_use();
	snap->info.freeze = runs ? VMSNAP_FREEZE_NONE : VMSNAP_FREEZE_DEBUGGER;
	snap->info.consistent = true;
	snap->info.faults = runs ? UINT64_MAX : faults;
	snap->info.known.exclusive_huge = false;
}

/* False: something is not as it was, or there is no memory: then all is to be read. */
static bool take(struct vmsnap_repeat *repeat, const struct wanted *wanted, struct vmsnap *snap)
{
	struct proc_stat stat;
	struct moment moments[KEPT_THREADS_MAX];
	bool runs;
	if (!threads_are_same(repeat, &stat, moments, &runs) || !same_program(&stat, &repeat->stat) ||
	    !maps_are_same(repeat) || there_are_children(repeat))
		return false;
	note_instant(snap, runs, stat.faults);
	for (size_t i = 0; i < snap->thread_count; i++)
		snap->threads[i].stack_pointer = moments[i].stack_pointer;
	/* Pages before all that may change them. */
	if (!pages_and_moves(repeat, snap) || !find_heaps(repeat, snap) || !words_are_same(repeat) ||
	    !arguments_are_same(repeat, snap) || !files_are_same(repeat))
		return false;
	if (status_keep(snap, &repeat->status, NULL) || !note_words(snap, wanted, runs))
		return false;
	identity_from_status(snap, true);
	/* Who ran meanwhile may have changed the map. */
	return !runs || slept_on(repeat, moments) || maps_are_same(repeat);
}

static struct vmsnap *take_brief(struct vmsnap_repeat *repeat, const struct wanted *wanted)
{
	struct vmsnap *snap = repeat->base ? snapshot_again(repeat->base) : NULL;
	if (snap && take(repeat, wanted, snap))
		return snap;
	vmsnap_unref(snap);
	return NULL;
}

/* ---- reading all ---------------------------------------------------------------------- */

static bool keep_ranges(struct vmsnap_repeat *repeat, uint64_t page_size)
{
	free(repeat->ranges);
	repeat->ranges = NULL;
	return !maps_ranges(repeat->maps.text, repeat->maps.len, PAGEMAP_JOIN_PAGES * page_size, &repeat->ranges,
	                    &repeat->range_count, NULL);
}

static bool keep_walk(struct vmsnap_repeat *repeat, const struct vmsnap *base)
{
	if (repeat->walk)
		return true;
	struct pagemap_need need = { .threads = 1 };
	if (pagemap_probe(&repeat->probe, NULL) || repeat->probe.known.pfn != base->info.known.pfn ||
	    repeat->probe.known.huge != base->info.known.huge)
		return false;
	repeat->walk = pagemap_walk_new(&repeat->probe, &repeat->cancel, &repeat->dog, &need);
	return repeat->walk;
}

/* What was changed as late as that may have been judged before. */
static bool keep_mapped(struct vmsnap_repeat *repeat, const struct vmsnap *base)
{
	free(repeat->mapped);
	repeat->mapped = calloc(base->vma_count + 1, sizeof(*repeat->mapped));
	repeat->mapped_count = 0;
	for (size_t i = 0; repeat->mapped && i < base->vma_count; i++) {
		const struct vmsnap_vma *vma = &base->vmas[i];
		if (!vma->inode || vma->name[0] != '/' || (i && !strcmp(vma->name, vma[-1].name)))
			continue;
		struct mapped_file *file = &repeat->mapped[repeat->mapped_count++];
		file->name = vma->name;
		look_at_file(file);
		if (file->found && file->changed >= base->info.taken)
			return false;
	}
	return repeat->mapped;
}

/* Whether others like it can be made of a snapshot that was read in full, right after it was. */
static bool may_be_base(const struct vmsnap *snap)
{
	bool held = snap->info.freeze == VMSNAP_FREEZE_DEBUGGER || snap->info.freeze == VMSNAP_FREEZE_NONE;
	return held && snap->info.consistent && !snap->info.memory_with_count && !snap->base && snap->thread_count &&
	       snap->thread_count <= KEPT_THREADS_MAX;
}

/* Files are looked at by their names as we see them. */
static bool names_are_ours(const struct vmsnap_repeat *repeat)
{
	static const char *const files[][2] = { { "root", "/" }, { "ns/mnt", "/proc/self/ns/mnt" } };
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		struct stat its, ours;
		if (fstatat(repeat->procdir, files[i][0], &its, 0) || stat(files[i][1], &ours) ||
		    its.st_dev != ours.st_dev || its.st_ino != ours.st_ino)
			return false;
	}
	return true;
}

static bool keep_as_base(struct vmsnap_repeat *repeat, struct vmsnap *snap)
{
	/* That the map did not change between its being read here, before, and now is that it is the snapshot's. */
	if (!may_be_base(snap) || !names_are_ours(repeat) || !maps_are_same(repeat) ||
	    !stat_now(repeat, &repeat->stat) || repeat->stat.size > TRACER_HELD_BYTES_MAX ||
	    repeat->stat.start_time != snap->info.start_time || repeat->stat.start_stack != snap->info.start_stack ||
	    !keep_ranges(repeat, snap->info.page_size) || !keep_walk(repeat, snap) || !keep_mapped(repeat, snap) ||
	    kept_files_threads(&repeat->files, snap->threads, snap->thread_count))
		return false;
	for (size_t i = 0; i < snap->thread_count; i++) {
		if (strcmp(repeat->files.threads[i].name, snap->threads[i].comm) != 0)
			return false;
	}
	repeat->moves = 0;
	repeat->base = vmsnap_ref(snap);
	return true;
}

static void forget_base(struct vmsnap_repeat *repeat)
{
	forget_gaps(repeat);
	vmsnap_unref(repeat->base);
	repeat->base = NULL;
}

static bool open_files(struct vmsnap_repeat *repeat)
{
	return !kept_files_open(&repeat->files) && maps_now(repeat);
}

static bool some_run(struct vmsnap_repeat *repeat)
{
	struct tracer_ours ours;
	tracer_ours(repeat->procdir, &ours);
	return ours.hold == TRACER_HOLD_RUNS;
}

static bool tells_no_more(const struct vmsnap_capture_options *options)
{
	const unsigned fine = VMSNAP_CAPTURE_BRIEF | VMSNAP_CAPTURE_REALTIME | VMSNAP_CAPTURE_PEEK;
	return !(options->flags & ~fine) && !options->contents && !options->tracker;
}

static int take_whole(struct vmsnap_repeat *repeat, const struct wanted *wanted, struct vmsnap **out,
                      struct vmsnap_error *err)
{
	forget_base(repeat);
	bool kept = tells_no_more(&wanted->options) && open_files(repeat);
	if (kept) {
		struct proc_text before = repeat->maps;
		repeat->maps = repeat->maps_now;
		repeat->maps_now = before;
	}
	struct arena strings = { 0 };
	struct vmsnap_capture_options options = wanted->options;
	options.flags |= VMSNAP_CAPTURE_BRIEF;
	if (some_run(repeat))
		options.reason = reason_of(&strings, options.reason ? options.reason : "", wanted->if_running);
	int rc = options.reason || !wanted->options.reason ? vmsnap_capture_at(repeat->procdir, &options, out, err)
	                                                   : fail_no_memory(err);
	arena_free(&strings);
	if (!rc && kept && !keep_as_base(repeat, *out))
		forget_base(repeat);
	return rc;
}

/* ---- for everybody -------------------------------------------------------------------- */

VMSNAP_API int vmsnap_repeat_new(pid_t pid, struct vmsnap_repeat **out, struct vmsnap_error *err)
{
	int procdir, rc = procdir_open(pid, &procdir, err);
	if (rc)
		return rc;
	struct vmsnap_repeat *repeat = calloc(1, sizeof(*repeat));
	if (!repeat) {
		close(procdir);
		return fail_no_memory(err);
	}
	repeat->pid = pid;
	repeat->procdir = procdir;
	kept_files_init(&repeat->files, procdir);
	*out = repeat;
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_repeat_capture(struct vmsnap_repeat *repeat, const struct vmsnap_capture_options *options,
                                     const char *if_running, struct vmsnap **out, struct vmsnap_error *err)
{
	if (!repeat || !out)
		return fail(err, VMSNAP_ERR_ARGUMENT, "a repeated capture needs its process, and a place to go to");
	struct wanted wanted = { .if_running = if_running ? if_running : "" };
	int rc = options_take(&wanted.options, sizeof(wanted.options), options, "struct vmsnap_capture_options", err);
	if (rc)
		return rc;
	*out = tells_no_more(&wanted.options) ? take_brief(repeat, &wanted) : NULL;
	if (!*out)
		return take_whole(repeat, &wanted, out, err);
	repeat->brief++;
	return VMSNAP_OK;
}

VMSNAP_API uint64_t vmsnap_repeat_brief(const struct vmsnap_repeat *repeat)
{
	return repeat->brief;
}

VMSNAP_API void vmsnap_repeat_free(struct vmsnap_repeat *repeat)
{
	if (!repeat)
		return;
	forget_base(repeat);
	kept_files_close(&repeat->files);
	pagemap_walk_free(repeat->walk);
	free(repeat->ranges);
	free(repeat->mapped);
	proc_text_free(&repeat->maps);
	proc_text_free(&repeat->maps_now);
	proc_text_free(&repeat->text);
	proc_text_free(&repeat->status);
	close(repeat->procdir);
	free(repeat);
}
