/* who.c - which processes map a frame or a file now: vmsnap_who_now(). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "array.h"
#include "error.h"
#include "mapcount.h"
#include "options.h"
#include "pagemap_scan.h"
#include "procdir.h"
#include "same_memory.h"
#include "who_file.h"
#include "who_found.h"
#include "who_pages.h"

struct look {
	struct vmsnap_who_query query;
	struct vmsnap_who *who;
	struct pagemap_probe probe;
	struct who_file file;
	int kpagecount, kpageflags; /* -1: not to be had */
	struct vmsnap_error *err;
	/* Of the process that is looked at: */
	struct vmsnap *map; /* its mappings and no more */
	const struct vmsnap_vma *vma;
};

static int ask_cancelled(const struct look *look)
{
	bool (*cancelled)(void *) = look->query.cancelled;
	return cancelled && cancelled(look->query.cancel_ctx) ? fail(look->err, VMSNAP_ERR_CANCELLED, "cancelled")
	                                                      : VMSNAP_OK;
}

/* ---- what is asked for ----------------------------------------------------------------- */

static int need_frames(const struct look *look)
{
	return fail(look->err, VMSNAP_ERR_PERMISSION,
	            "frames are known only to who has CAP_SYS_ADMIN: run as root (of a file, its path tells which "
	            "processes map it)");
}

static uint64_t kernel_says(int fd, uint64_t pfn)
{
	uint64_t word;
	return fd >= 0 && !mapcount_read(fd, pfn, 1, &word) ? word : UINT64_MAX;
}

/* Pages of a file that a mapping has, by what maps says of it. */
static int ask_for_page_of_file(struct look *look, uint64_t address)
{
	struct vmsnap_who_info *info = &look->who->info;
	CLEANUP_CLOSE int procdir = -1;
	struct proc_text text = { 0 };
	int rc = procdir_open(look->query.pid, &procdir, look->err);
	int error = rc ? 0 : procdir_read(procdir, "maps", &text);
	struct vmsnap *map = snapshot_new();
	if (map)
		map->info.page_size = info->page_size;
	if (!rc)
		rc = error  ? procdir_fail(error, look->query.pid, "maps", look->err)
		     : !map ? fail_no_memory(look->err)
		            : maps_parse(text.text, text.len, map, look->err);
	const struct vmsnap_vma *vma = rc ? NULL : vmsnap_vma_at(map, address);
	if (!rc && (!vma || !vma_has_file(vma->inode, vma->dev_major, vma->dev_minor)))
		rc = need_frames(look);
	if (!rc) {
		info->kind = VMSNAP_WHO_FILE;
		info->offset = vma->offset + (address - vma->start);
		info->bytes = info->page_size;
		look->file = (struct who_file){ .name = strdup(vma->name),
			                        .known = true,
			                        .dev_major = vma->dev_major,
			                        .dev_minor = vma->dev_minor,
			                        .inode = vma->inode,
			                        .bytes = info->page_size,
			                        .cached = UINT64_MAX,
			                        .dirty = UINT64_MAX };
		rc = look->file.name ? VMSNAP_OK : fail_no_memory(look->err);
	}
	proc_text_free(&text);
	vmsnap_unref(map);
	return rc;
}

/* The frame, or the slot, of a process's page. */
static int ask_for_page(struct look *look)
{
	struct vmsnap_who_info *info = &look->who->info;
	uint64_t address = look->query.address & ~(info->page_size - 1);
	struct vmsnap_run page;
	struct vmsnap_known known;
	int rc = vmsnap_page_now(look->query.pid, address, &page, &known, look->err);
	if (rc)
		return rc;
	if (!known.pfn)
		return ask_for_page_of_file(look, address);
	bool swapped = page.flags & VMSNAP_PAGE_SWAPPED;
	if (swapped ? !vmsnap_swap_known(&page) : !page.pfn)
		return fail(look->err, VMSNAP_ERR_NOT_FOUND,
		            "the page of 0x%" PRIx64 " in process %d is in no frame right now", address,
		            (int)look->query.pid);
	info->kind = swapped ? VMSNAP_WHO_SWAP : VMSNAP_WHO_FRAME;
	info->pfn = swapped ? UINT64_MAX : page.pfn;
	info->swap_type = page.swap_type;
	info->swap_offset = page.swap_offset;
	return VMSNAP_OK;
}

static int ask_for_frame(struct look *look)
{
	struct vmsnap_who_info *info = &look->who->info;
	info->flags = kernel_says(look->kpageflags, info->pfn);
	info->counted_then = kernel_says(look->kpagecount, info->pfn);
	info->count_exact = mapcount_is_exact();
	/* Beyond the last one nothing is told, where something is told of others. */
	bool none = info->flags == UINT64_MAX ? kernel_says(look->kpageflags, look->probe.zero_pfn) != UINT64_MAX
	                                      : info->flags >> VMSNAP_KPAGE_NOPAGE & 1;
	if (none || info->pfn > ENTRY_FRAME_MASK)
		return fail(look->err, VMSNAP_ERR_NOT_FOUND, "this machine has no frame 0x%" PRIx64, info->pfn);
	return VMSNAP_OK;
}

static int ask_for_file(struct look *look)
{
	if (!look->query.path || !*look->query.path)
		return fail(look->err, VMSNAP_ERR_ARGUMENT, "a file's path is missing");
	return who_file_find(look->query.path, look->query.by_name, &look->file, look->err);
}

static int tell_file(struct look *look)
{
	struct vmsnap_who_info *info = &look->who->info;
	const struct who_file *file = &look->file;
	info->path = arena_string(&look->who->strings, file->name);
	info->by_name = !file->known;
	info->dev_major = file->dev_major;
	info->dev_minor = file->dev_minor;
	info->inode = file->known ? file->inode : UINT64_MAX;
	info->bytes = file->bytes;
	info->cached = file->cached;
	info->dirty = file->dirty;
	info->cached_by_mincore = file->by_mincore;
	return info->path ? VMSNAP_OK : fail_no_memory(look->err);
}

static int begin(struct look *look)
{
	struct vmsnap_who_info *info = &look->who->info;
	info->kind = look->query.kind;
	info->live = true;
	info->page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	info->frames_known = look->probe.known.pfn;
	info->pfn = look->query.kind == VMSNAP_WHO_FRAME ? look->query.pfn : UINT64_MAX;
	info->swap_type = look->query.swap_type;
	info->swap_offset = look->query.swap_offset;
	int rc = VMSNAP_OK;
	if (look->query.kind > VMSNAP_WHO_FILE)
		return fail(look->err, VMSNAP_ERR_ARGUMENT, "struct vmsnap_who_query: kind %" PRIu32, look->query.kind);
	if (look->query.kind == VMSNAP_WHO_FRAME && look->query.pid)
		rc = ask_for_page(look);
	else if (look->query.kind == VMSNAP_WHO_FILE)
		rc = ask_for_file(look);
	else if (!look->probe.known.pfn)
		rc = need_frames(look);
	if (!rc && info->kind == VMSNAP_WHO_FRAME)
		rc = ask_for_frame(look);
	return !rc && info->kind == VMSNAP_WHO_FILE ? tell_file(look) : rc;
}

/* ---- one process ------------------------------------------------------------------------ */

/* Whether an entry of pagemap is what is wanted. */
static bool is_wanted(const struct vmsnap_who_info *info, uint64_t entry)
{
	if (info->kind == VMSNAP_WHO_FRAME)
		return (entry & ENTRY_PRESENT) && (entry & ENTRY_FRAME_MASK) == info->pfn;
	return (entry & ENTRY_POPULATED) == ENTRY_SWAPPED &&
	       (entry & ENTRY_FRAME_MASK) == (info->swap_offset << SWAP_TYPE_BITS | info->swap_type);
}

static int look_for_frame(void *ctx, uint64_t address, const uint64_t *entries, size_t count)
{
	struct look *look = ctx;
	const struct vmsnap_who_info *info = &look->who->info;
	int error = 0;
	for (size_t i = 0; !error && i < count; i++) {
		if (!is_wanted(info, entries[i]))
			continue;
		uint64_t at = address + i * info->page_size;
		const struct vmsnap_vma *vma = vmsnap_vma_at(look->map, at);
		/* Mapped after maps was read. */
		const struct vmsnap_vma unknown = { .start = at, .name = "" };
		error = who_add_page(look->who, vma ? vma : &unknown, at, entry_flags(entry_normal(entries[i])));
	}
	return error;
}

/* A page of a private mapping that is not the file's any more is the process's own. */
static int look_at_file(void *ctx, uint64_t address, const uint64_t *entries, size_t count)
{
	struct look *look = ctx;
	const struct vmsnap_vma *vma = look->vma;
	struct vmsnap_who_process *process = who_last(look->who);
	uint64_t page = look->who->info.page_size;
	int error = 0;
	for (size_t i = 0; !error && i < count; i++) {
		uint64_t entry = entries[i] & ENTRY_POPULATED ? entry_normal(entries[i]) : 0;
		bool present = entry & ENTRY_PRESENT, own = !(entry & ENTRY_FLAG(VMSNAP_PAGE_FILE));
		if (present && !own)
			process->resident += page;
		if (!own || !(entry & ENTRY_POPULATED) || (vma->perms & VMSNAP_PERM_SHARED))
			continue;
		process->copied += page;
		process->copied_code += vma->perms & VMSNAP_PERM_EXEC ? page : 0;
		error = who_add_page(look->who, vma, address + i * page, entry_flags(entry));
	}
	return error;
}

/* Above the user's addresses, where [vsyscall] is, there are no page tables of a process. */
static bool is_users(const struct vmsnap_vma *vma)
{
	return vma->end <= (uint64_t)INT64_MAX;
}

/* One that has been written to, or never was: what a frame is tells where it may be. */
static enum who_pages_of kind_of_pages(const struct vmsnap_who_info *info)
{
	if (info->kind == VMSNAP_WHO_SWAP)
		return WHO_PAGES_SWAPPED;
	if (info->flags == UINT64_MAX)
		return WHO_PAGES_PRESENT;
	if (info->flags >> VMSNAP_KPAGE_ANON & 1)
		return WHO_PAGES_ANONYMOUS;
	return info->flags >> VMSNAP_KPAGE_LRU & 1 ? WHO_PAGES_FILE : WHO_PAGES_PRESENT;
}

static int walk_all(struct look *look, int pagemap)
{
	const struct vmsnap *map = look->map;
	struct who_pages pages = { .pagemap = pagemap,
		                   .page_size = look->who->info.page_size,
		                   .scan = look->probe.scan,
		                   .of = kind_of_pages(&look->who->info),
		                   .fn = look_for_frame,
		                   .ctx = look };
	size_t count = map->vma_count;
	while (count && !is_users(&map->vmas[count - 1]))
		count--;
	if (!count)
		return 0;
	struct address_range all = { map->vmas[0].start, map->vmas[count - 1].end };
	if (pages.scan)
		return who_pages_walk(&pages, &all, 1);
	int error = 0;
	for (size_t i = 0; !error && i < count; i++)
		error = who_pages_walk(&pages, &(struct address_range){ map->vmas[i].start, map->vmas[i].end }, 1);
	return error;
}

/* What of a mapping shows the page of the file that is asked for; all, if it is the file. */
static bool part_of(const struct look *look, const struct vmsnap_vma *vma, struct address_range *part)
{
	const struct vmsnap_who_info *info = &look->who->info;
	*part = (struct address_range){ vma->start, vma->end };
	if (!look->query.pid)
		return true;
	if (info->offset < vma->offset || info->offset - vma->offset >= vma->end - vma->start)
		return false;
	part->start += info->offset - vma->offset;
	part->end = part->start + info->page_size;
	return true;
}

static int walk_file(struct look *look, int pagemap, bool others)
{
	const struct vmsnap_who_info *info = &look->who->info;
	struct vmsnap_who_process *process = who_last(look->who);
	struct who_pages pages = { .pagemap = pagemap,
		                   .page_size = info->page_size,
		                   .scan = look->probe.scan,
		                   .of = WHO_PAGES_ALL,
		                   .fn = look_at_file,
		                   .ctx = look };
	int error = 0;
	process->pages_known = pagemap >= 0;
	for (size_t i = 0; !error && i < look->map->vma_count; i++) {
		bool other;
		struct address_range part;
		look->vma = &look->map->vmas[i];
		if (!who_file_is(&look->file, look->vma, &other) || other != others || !part_of(look, look->vma, &part))
			continue;
		process->address = process->mappings++ ? process->address : part.start;
		process->size += part.end - part.start;
		error = pagemap >= 0 ? who_pages_walk(&pages, &part, 1) : 0;
	}
	return error;
}

static int keep_identity(struct look *look, int procdir, struct vmsnap_who_process *process)
{
	struct proc_text status = { 0 };
	process->comm = procdir_word(procdir, "comm", &look->who->strings);
	if (!procdir_read(procdir, "status", &status))
		process->uid = (uint32_t)proc_text_number(&status, "\nUid:");
	proc_text_free(&status);
	process->self = (pid_t)process->pid == getpid();
	return process->comm ? 0 : ENOMEM;
}

/* Of the file, or of others of its name. */
static int look_for(struct look *look, int procdir, pid_t pid, uint64_t start_time, int pagemap, bool others)
{
	struct vmsnap_who_process *process = who_begin_process(look->who, (uint32_t)pid, start_time);
	if (!process)
		return ENOMEM;
	process->other_file = others;
	bool file = look->who->info.kind == VMSNAP_WHO_FILE;
	int error = file ? walk_file(look, pagemap, others) : walk_all(look, pagemap);
	process = who_last(look->who);
	if (!file) {
		process->mappings = process->places;
		process->pages_known = true;
	}
	if (!error && process->mappings)
		return keep_identity(look, procdir, process);
	who_drop_last(look->who);
	return error;
}

/* Returns 0 or errno: ESRCH, it is gone; EACCES or EPERM, it cannot be read. */
static int look_at_memory(struct look *look, int procdir, int memory, pid_t pid, uint64_t start_time)
{
	struct proc_text text = { 0 };
	bool file = look->who->info.kind == VMSNAP_WHO_FILE;
	CLEANUP_CLOSE int pagemap = openat(memory, "pagemap", O_RDONLY | O_CLOEXEC);
	int error = pagemap < 0 && !file ? errno : procdir_read(memory, "maps", &text);
	look->map = error ? NULL : snapshot_new();
	if (!error && !look->map)
		error = ENOMEM;
	if (!error) {
		look->map->info.page_size = look->who->info.page_size;
		/* What it is mapped as meanwhile may be read torn. */
		error = maps_parse(text.text, text.len, look->map, NULL) ? EIO : 0;
	}
	if (!error)
		error = look_for(look, procdir, pid, start_time, pagemap, false);
	if (!error && file)
		error = look_for(look, procdir, pid, start_time, pagemap, true);
	proc_text_free(&text);
	vmsnap_unref(look->map);
	look->map = NULL;
	return error;
}

static int look_at_process(struct look *look, pid_t pid)
{
	struct vmsnap_who_info *info = &look->who->info;
	CLEANUP_CLOSE int procdir = -1;
	struct proc_stat stat;
	if (procdir_open_any(pid, &procdir, NULL) || procdir_stat(procdir, &stat, NULL))
		return VMSNAP_OK;
	if (stat.kernel_thread)
		return VMSNAP_OK;
	/* If the main thread has exited, another has the memory. */
	CLEANUP_CLOSE int living = stat.state == 'Z' ? procdir_living_thread(procdir) : -1;
	if (stat.state == 'Z' && living < 0)
		return VMSNAP_OK;
	int error = look_at_memory(look, procdir, living < 0 ? procdir : living, pid, stat.start_time);
	if (error == ENOMEM)
		return fail_no_memory(look->err);
	info->looked += error != ESRCH;
	info->unreadable += error && error != ESRCH;
	return VMSNAP_OK;
}

/* ---- all of them ------------------------------------------------------------------------ */

struct pids {
	pid_t *items;
	size_t count, room;
};

static int add_pid(void *ctx, pid_t pid)
{
	struct pids *pids = ctx;
	pid_t *items = array_room(pids->items, pids->count, &pids->room, sizeof(*items));
	if (!items)
		return ENOMEM;
	pids->items = items;
	pids->items[pids->count++] = pid;
	return 0;
}

static int by_pid(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;
	return (x > y) - (x < y);
}

static int list_pids(struct look *look, struct pids *out)
{
	int error = procdir_each_process(add_pid, out);
	if (error == ENOMEM)
		return fail_no_memory(look->err);
	if (error)
		return fail_sys(look->err, -error, "cannot list /proc");
	if (out->count)
		qsort(out->items, out->count, sizeof(*out->items), by_pid);
	return VMSNAP_OK;
}

static bool has_pid(const struct pids *pids, pid_t pid)
{
	return pids->count && bsearch(&pid, pids->items, pids->count, sizeof(pid), by_pid);
}

/* Those of `now` that are not among `before`. */
static int look_at_new(struct look *look, const struct pids *now, const struct pids *before, size_t *count)
{
	int rc = VMSNAP_OK;
	*count = 0;
	for (size_t i = 0; !rc && i < now->count; i++) {
		if (has_pid(before, now->items[i]))
			continue;
		++*count;
		rc = ask_cancelled(look);
		rc = rc ? rc : look_at_process(look, now->items[i]);
	}
	return rc;
}

/* Who came meanwhile is looked at, too, but not for ever. */
static int look_at_all(struct look *look)
{
	enum { LOOKS = 4 };
	struct pids before = { 0 };
	int rc = VMSNAP_OK;
	size_t fresh = 1;
	for (int i = 0; !rc && fresh && i < LOOKS; i++) {
		struct pids now = { 0 };
		rc = list_pids(look, &now);
		rc = rc ? rc : look_at_new(look, &now, &before, &fresh);
		look->who->info.came += i ? fresh : 0;
		for (size_t p = 0; !rc && p < before.count; p++)
			look->who->info.went += !has_pid(&now, before.items[p]);
		free(before.items);
		before = now;
	}
	free(before.items);
	return rc;
}

/* ---- what it comes to -------------------------------------------------------------------- */

/* Two processes that have one address space (vfork, CLONE_VM) have one page table. */
static void note_memory(struct vmsnap_who *who, size_t index)
{
	struct vmsnap_who_process *process = &who->processes[index];
	for (size_t i = 0; i < index && !process->memory_of; i++) {
		const struct vmsnap_who_process *other = &who->processes[i];
		if (other->memory_of || other->places != process->places || other->mappings != process->mappings ||
		    other->other_file != process->other_file || other->pid == process->pid)
			continue;
		if (process->places && who->places[other->first].start != who->places[process->first].start)
			continue;
		if (same_memory((pid_t)other->pid, (pid_t)process->pid) == SAME_MEMORY_YES)
			process->memory_of = other->pid;
	}
}

/* Mappings and build IDs, for names; if it is that process still. */
static struct vmsnap *snapshot_for_names(const struct vmsnap_who_process *process)
{
	const struct vmsnap_capture_options options = { .size = sizeof(options),
		                                        .flags = VMSNAP_CAPTURE_NO_FREEZE | VMSNAP_CAPTURE_NO_PAGES |
		                                                 VMSNAP_CAPTURE_BRIEF };
	struct vmsnap *snap = NULL;
	if (vmsnap_capture((pid_t)process->pid, &options, &snap, NULL))
		return NULL;
	if (vmsnap_info(snap)->start_time == process->start_time)
		return snap;
	vmsnap_unref(snap);
	return NULL;
}

static int finish(struct look *look)
{
	struct vmsnap_who *who = look->who;
	int rc = VMSNAP_OK;
	if (who_sort(who))
		return fail_no_memory(look->err);
	for (size_t i = 0; !rc && i < who->process_count; i++) {
		struct vmsnap_who_process *process = &who->processes[i];
		note_memory(who, i);
		if (who->info.kind != VMSNAP_WHO_FILE || process->copied_code)
			process->snap = snapshot_for_names(process);
		rc = ask_cancelled(look);
	}
	who_count_found(who);
	return rc;
}

/* Whether the page that was asked about is where it was; so, if it could not be told. */
static bool still_there(const struct look *look)
{
	const struct vmsnap_who_info *info = &look->who->info;
	struct vmsnap_run page;
	struct vmsnap_known known;
	if (!look->query.pid || info->kind != VMSNAP_WHO_FRAME)
		return true;
	int rc = vmsnap_page_now(look->query.pid, look->query.address, &page, &known, NULL);
	return rc ? rc != VMSNAP_ERR_NOT_FOUND : page.pfn == info->pfn;
}

static int look_once(struct look *look)
{
	int rc = begin(look);
	rc = rc ? rc : look_at_all(look);
	if (rc)
		return rc;
	struct vmsnap_who_info *info = &look->who->info;
	if (info->kind == VMSNAP_WHO_FRAME)
		info->counted = kernel_says(look->kpagecount, info->pfn);
	info->moved = !still_there(look);
	return VMSNAP_OK;
}

static int look_twice(struct look *look)
{
	int rc = VMSNAP_OK;
	for (int i = 0; !rc && i < 2 && (!i || look->who->info.moved); i++) {
		vmsnap_who_free(look->who);
		who_file_free(&look->file);
		look->who = who_new();
		rc = look->who ? look_once(look) : fail_no_memory(look->err);
	}
	return rc ? rc : finish(look);
}

VMSNAP_API int vmsnap_who_now(const struct vmsnap_who_query *query, struct vmsnap_who **out, struct vmsnap_error *err)
{
	struct look look = { .err = err };
	int rc = options_take(&look.query, sizeof(look.query), query, "struct vmsnap_who_query", err);
	rc = rc ? rc : pagemap_probe(&look.probe, err);
	if (rc)
		return rc;
	CLEANUP_CLOSE int kpagecount = open("/proc/kpagecount", O_RDONLY | O_CLOEXEC);
	CLEANUP_CLOSE int kpageflags = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	look.kpagecount = kpagecount;
	look.kpageflags = kpageflags;
	rc = look_twice(&look);
	who_file_free(&look.file);
	if (rc)
		vmsnap_who_free(look.who);
	else
		*out = look.who;
	return rc;
}
