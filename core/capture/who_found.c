#include "who_found.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "options.h"
#include "runs.h"
#include "who_file.h"

VMSNAP_API const char *vmsnap_who_kind_name(int kind)
{
	static const char *const names[] = { "frame", "swap", "file" };
	return kind >= 0 && kind <= VMSNAP_WHO_FILE ? names[kind] : NULL;
}

/* ---- filling it ------------------------------------------------------------------------ */

struct vmsnap_who *who_new(void)
{
	struct vmsnap_who *who = calloc(1, sizeof(*who));
	if (!who)
		return NULL;
	struct vmsnap_who_info *info = &who->info;
	info->pfn = info->flags = info->counted = info->counted_then = UINT64_MAX;
	info->inode = info->bytes = info->cached = info->dirty = UINT64_MAX;
	info->path = "";
	return who;
}

/* Room for one more; NULL without memory. */
static void *room_for(void *items, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return items;
	size_t more = *room ? *room * 2 : 16;
	void *grown = realloc(items, more * size);
	*room = grown ? more : *room;
	return grown;
}

struct vmsnap_who_process *who_begin_process(struct vmsnap_who *who, uint32_t pid, uint64_t start_time)
{
	void *items = room_for(who->processes, who->process_count, &who->process_room, sizeof(*who->processes));
	if (!items)
		return NULL;
	who->processes = items;
	who->processes[who->process_count++] = (struct vmsnap_who_process){
		.pid = pid, .start_time = start_time, .comm = "", .label = "", .file = "", .first = who->place_count
	};
	return who_last(who);
}

struct vmsnap_who_process *who_last(struct vmsnap_who *who)
{
	return &who->processes[who->process_count - 1];
}

void who_drop_last(struct vmsnap_who *who)
{
	who->place_count = who_last(who)->first;
	who->process_count--;
}

/* A mapping's name, that of the place before if it is in the same. */
static const char *keep_name(struct vmsnap_who *who, const struct vmsnap_vma *vma)
{
	const struct vmsnap_who_place *last = who->place_count ? &who->places[who->place_count - 1] : NULL;
	if (last && last->process == who->process_count - 1 && last->vma.start == vma->start)
		return last->vma.name;
	return arena_string(&who->strings, vma->name);
}

static int add_pages(struct vmsnap_who *who, const struct vmsnap_vma *vma, uint64_t address, uint64_t end,
                     uint32_t flags)
{
	struct vmsnap_who_process *process = who_last(who);
	struct vmsnap_who_place *last = process->places ? &who->places[who->place_count - 1] : NULL;
	if (last && last->end == address && last->vma.start == vma->start) {
		last->end = end;
		return 0;
	}
	const char *name = keep_name(who, vma);
	void *items = room_for(who->places, who->place_count, &who->place_room, sizeof(*who->places));
	if (!items || !name)
		return ENOMEM;
	who->places = items;
	struct vmsnap_who_place *place = &who->places[who->place_count++];
	*place = (struct vmsnap_who_place){
		.start = address, .end = end, .flags = flags, .process = who->process_count - 1, .vma = *vma
	};
	place->vma.name = name;
	place->vma.build_id = NULL;
	place->vma.build_id_len = 0;
	process->places++;
	return 0;
}

int who_add_page(struct vmsnap_who *who, const struct vmsnap_vma *vma, uint64_t address, uint32_t flags)
{
	return add_pages(who, vma, address, address + who->info.page_size, flags);
}

void who_count_found(struct vmsnap_who *who)
{
	who->info.found = 0;
	for (size_t i = 0; i < who->process_count; i++) {
		const struct vmsnap_who_process *process = &who->processes[i];
		if (process->memory_of || process->other_file)
			continue;
		if (who->info.kind == VMSNAP_WHO_FILE)
			who->info.found += process->mappings;
		for (size_t p = 0; who->info.kind != VMSNAP_WHO_FILE && p < process->places; p++) {
			const struct vmsnap_who_place *place = &who->places[process->first + p];
			who->info.found += (place->end - place->start) / who->info.page_size;
		}
	}
}

static int by_number(const void *a, const void *b)
{
	const struct vmsnap_who_process *x = a, *y = b;
	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->first > y->first) - (x->first < y->first);
}

int who_sort(struct vmsnap_who *who)
{
	struct vmsnap_who_place *places = calloc(who->place_count + 1, sizeof(*places));
	size_t count = 0;
	if (!places)
		return ENOMEM;
	qsort(who->processes, who->process_count, sizeof(*who->processes), by_number);
	for (size_t i = 0; i < who->process_count; i++) {
		struct vmsnap_who_process *process = &who->processes[i];
		size_t first = count;
		for (size_t p = 0; p < process->places; p++) {
			places[count] = who->places[process->first + p];
			places[count++].process = i;
		}
		process->first = first;
	}
	free(who->places);
	who->places = places;
	who->place_room = who->place_count + 1;
	return 0;
}

VMSNAP_API void vmsnap_who_free(struct vmsnap_who *who)
{
	if (!who)
		return;
	for (size_t i = 0; i < who->process_count; i++)
		vmsnap_unref(who->processes[i].snap);
	free(who->processes);
	free(who->places);
	arena_free(&who->strings);
	free(who);
}

/* ---- reading it ------------------------------------------------------------------------ */

VMSNAP_API void vmsnap_who_info_sized(const struct vmsnap_who *who, struct vmsnap_who_info *out, size_t size)
{
	struct_give(out, size, &who->info, sizeof(who->info));
}

VMSNAP_API int vmsnap_who_process_sized(const struct vmsnap_who *who, size_t index, struct vmsnap_who_process *out,
                                        size_t size)
{
	if (index >= who->process_count)
		return VMSNAP_END;
	struct_give(out, size, &who->processes[index], sizeof(*who->processes));
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_who_place_sized(const struct vmsnap_who *who, size_t index, struct vmsnap_who_place *out,
                                      size_t size)
{
	if (index >= who->place_count)
		return VMSNAP_END;
	struct_give(out, size, &who->places[index], sizeof(*who->places));
	return VMSNAP_OK;
}

/* ---- of snapshots ---------------------------------------------------------------------- */

VMSNAP_API int vmsnap_who_new(const struct vmsnap_who_query *given, struct vmsnap_who **out, struct vmsnap_error *err)
{
	struct vmsnap_who_query query;
	int rc = options_take(&query, sizeof(query), given, "struct vmsnap_who_query", err);
	if (rc)
		return rc;
	bool file = query.kind == VMSNAP_WHO_FILE;
	if (query.kind > VMSNAP_WHO_FILE || query.pid || (file && !query.path))
		return fail(err, VMSNAP_ERR_ARGUMENT, "snapshots are asked for a frame, a slot in swap or a path");
	struct vmsnap_who *who = who_new();
	if (!who)
		return fail_no_memory(err);
	const char *path = file ? arena_string(&who->strings, query.path) : "";
	if (!path) {
		vmsnap_who_free(who);
		return fail_no_memory(err);
	}
	who->info.kind = query.kind;
	who->info.path = path;
	who->info.by_name = file;
	who->info.pfn = query.kind == VMSNAP_WHO_FRAME ? query.pfn : UINT64_MAX;
	who->info.swap_type = query.swap_type;
	who->info.swap_offset = query.swap_offset;
	if (query.boot_id)
		snprintf(who->boot_id, sizeof(who->boot_id), "%s", query.boot_id);
	*out = who;
	return VMSNAP_OK;
}

/* The page of a run that is wanted; false: none is. */
static bool find_in_run(const struct vmsnap_who_info *info, const struct vmsnap_run *run, uint64_t *address)
{
	uint64_t pages = (run->end - run->start) / info->page_size, at;
	if (info->kind == VMSNAP_WHO_FRAME) {
		/* Frame 0 is one that is not known; the zero page counts up in no run of one page. */
		at = info->pfn - run->pfn;
		if (!(run->flags & VMSNAP_PAGE_PRESENT) || !run->pfn || info->pfn < run->pfn)
			return false;
	} else {
		at = info->swap_offset - run->swap_offset;
		if (!vmsnap_swap_known(run) || run->swap_type != info->swap_type ||
		    info->swap_offset < run->swap_offset)
			return false;
	}
	*address = run->start + at * info->page_size;
	return at < pages;
}

static int add_runs(struct vmsnap_who *who, const struct vmsnap *snap, uint64_t left)
{
	struct vmsnap_run_iter it;
	struct vmsnap_run run;
	uint64_t address, bytes = 0;
	vmsnap_run_iter_init(&it, snap, 0, UINT64_MAX);
	while (vmsnap_run_next(&it, &run) == VMSNAP_OK) {
		if (!find_in_run(&who->info, &run, &address))
			continue;
		const struct vmsnap_vma *vma = vmsnap_vma_at(snap, address), none = { .start = address, .name = "" };
		bytes += sizeof(struct vmsnap_who_place);
		if (bytes > left)
			return VMSNAP_ERR_TOO_LARGE;
		if (who_add_page(who, vma ? vma : &none, address, run.flags))
			return VMSNAP_ERR_NO_MEMORY;
	}
	return VMSNAP_OK;
}

/* What of a run is of a mapping of the file: as look_at_file() counts entries of pagemap. */
static int add_run_of_file(struct vmsnap_who *who, const struct vmsnap_vma *vma, const struct vmsnap_run *run,
                           uint64_t left)
{
	struct vmsnap_who_process *process = who_last(who);
	uint64_t start = run->start > vma->start ? run->start : vma->start,
	         end = run->end < vma->end ? run->end : vma->end;
	bool present = run->flags & VMSNAP_PAGE_PRESENT, own = !(run->flags & VMSNAP_PAGE_FILE);
	if (present && !own)
		process->resident += end - start;
	if (!own || !(present || run->flags & VMSNAP_PAGE_SWAPPED) || vma->perms & VMSNAP_PERM_SHARED)
		return VMSNAP_OK;
	process->copied += end - start;
	process->copied_code += vma->perms & VMSNAP_PERM_EXEC ? end - start : 0;
	if ((process->places + 1) * sizeof(struct vmsnap_who_place) > left)
		return VMSNAP_ERR_TOO_LARGE;
	return add_pages(who, vma, start, end, run->flags) ? VMSNAP_ERR_NO_MEMORY : VMSNAP_OK;
}

static int add_mappings_of_file(struct vmsnap_who *who, const struct vmsnap *snap, uint64_t left)
{
	const struct vmsnap_vma *vma;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && (vma = vmsnap_vma(snap, i)); i++) {
		struct vmsnap_run_iter it;
		struct vmsnap_run run;
		if (!who_file_named(who->info.path, vma))
			continue;
		if (!who_last(who)->mappings++)
			who_last(who)->address = vma->start;
		who_last(who)->size += vma->end - vma->start;
		vmsnap_run_iter_init(&it, snap, vma->start, vma->end);
		while (!rc && vmsnap_run_next(&it, &run) == VMSNAP_OK)
			rc = add_run_of_file(who, vma, &run, left);
	}
	return rc;
}

static bool is_of_this_boot(struct vmsnap_who *who, const struct vmsnap_info *info)
{
	if (!*info->boot_id)
		return false;
	if (!*who->boot_id)
		snprintf(who->boot_id, sizeof(who->boot_id), "%s", info->boot_id);
	return !strncmp(who->boot_id, info->boot_id, sizeof(who->boot_id) - 1);
}

VMSNAP_API int vmsnap_who_begin_file(struct vmsnap_who *who, const char *name, struct vmsnap_error *err)
{
	const char *copy = arena_string(&who->strings, name);
	if (!copy)
		return fail_no_memory(err);
	who->file = copy;
	who->file_first = who->info.looked;
	who->info.files++;
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_who_add(struct vmsnap_who *who, const struct vmsnap *snap, struct vmsnap_error *err)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	uint64_t number = who->info.looked++;
	bool file = who->info.kind == VMSNAP_WHO_FILE;
	if (!file && (!info->known.pfn || !is_of_this_boot(who, info) ||
	              (who->info.page_size && who->info.page_size != info->page_size))) {
		who->info.unreadable++;
		return VMSNAP_OK;
	}
	who->info.page_size = info->page_size;
	who->info.frames_known = who->info.frames_known || info->known.pfn;
	struct vmsnap_who_process *process = who_begin_process(who, info->pid, info->start_time);
	if (!process)
		return fail_no_memory(err);
	process->snapshot = number;
	process->file = who->file ? who->file : "";
	process->file_snapshot = number - who->file_first;
	process->taken = info->taken;
	process->uid = info->uid;
	process->pages_known = !info->known.states_unknown;
	process->comm = arena_string(&who->strings, info->comm);
	process->label = arena_string(&who->strings, info->label);
	uint64_t left = vmsnap_memory_left((const struct vmsnap *[]){ snap }, 1);
	int rc = !process->comm || !process->label ? VMSNAP_ERR_NO_MEMORY
	         : file                            ? add_mappings_of_file(who, snap, left)
	                                           : add_runs(who, snap, left);
	process = who_last(who);
	process->mappings = file ? process->mappings : process->places;
	if (rc || !process->mappings)
		who_drop_last(who);
	who_count_found(who);
	return rc == VMSNAP_ERR_TOO_LARGE ? fail(err, rc, "it is in more places than the limit of memory allows")
	       : rc                       ? fail_no_memory(err)
	                                  : VMSNAP_OK;
}
