/* group.c - processes of one instant: who shares how much with whom. */
#include "group.h"

#include <stdlib.h>
#include <string.h>

#include "compared.h"
#include "error.h"
#include "options.h"
#include "relation.h"
#include "set.h"
#include "sorted.h"
#include "spare.h"

int group_options(struct vmsnap_group_options *taken, const struct vmsnap_group_options *options,
                  struct vmsnap_error *err)
{
	return options_take(taken, sizeof(*taken), options, "struct vmsnap_group_options", err);
}

/* ---- who is in it --------------------------------------------------------------------------- */

static size_t space_of(const struct vmsnap_group *group, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (group->processes[i].space == i &&
		    relation_one_memory(group->processes[i].snap, group->processes[index].snap))
			return i;
	return index;
}

static int add_process(struct vmsnap_group *group, const struct vmsnap *snap)
{
	size_t index = group->count++;
	struct group_process *process = &group->processes[index];
	*process = (struct group_process){ .snap = vmsnap_ref(snap), .frames_known = vmsnap_info(snap)->known.pfn };
	process->space = space_of(group, index);
	process->counted.snap = snap;
	if (process->space != index) {
		process->member = group->processes[process->space].member;
		return VMSNAP_OK;
	}
	process->member = group->member_count++;
	int rc = counted_pages_of(snap, &process->counted, &group->work);
	process->mapping = work_array(&group->work, snap->vma_count, sizeof(*process->mapping), &rc);
	return rc;
}

/* ---- mappings ------------------------------------------------------------------------------- */

struct mapping_ref {
	const struct vmsnap_vma *vma;
	uint32_t *id;
	size_t process;
};

int group_mapping_order(const struct vmsnap_vma *a, const struct vmsnap_vma *b)
{
	int order = strcmp(a->name, b->name);
	return order ? order : vma_file_order(a, b);
}

static int by_mapping(const void *x, const void *y, const void *ctx)
{
	const struct mapping_ref *a = x, *b = y;
	(void)ctx;
	return group_mapping_order(a->vma, b->vma);
}

static size_t count_vmas(const struct vmsnap_group *group)
{
	size_t count = 0;
	for (size_t i = 0; i < group->count; i++)
		count += group->processes[i].mapping ? group->processes[i].snap->vma_count : 0;
	return count;
}

static void list_vmas(const struct vmsnap_group *group, struct mapping_ref *refs)
{
	for (size_t i = 0; i < group->count; i++) {
		const struct group_process *process = &group->processes[i];
		for (size_t k = 0; process->mapping && k < process->snap->vma_count; k++)
			*refs++ = (struct mapping_ref){ &process->snap->vmas[k], &process->mapping[k], i };
	}
}

static void count_mapping(struct group_mapping *mapping, const struct mapping_ref *ref)
{
	mapping->told.vma = ref->vma;
	mapping->told.size += ref->vma->end - ref->vma->start;
	mapping->told.processes += mapping->last != ref->process + 1;
	mapping->last = ref->process + 1;
}

static int find_mappings(struct vmsnap_group *group)
{
	size_t count = count_vmas(group);
	int rc = count < UINT32_MAX ? VMSNAP_OK : VMSNAP_ERR_TOO_LARGE;
	struct mapping_ref *refs = work_array(&group->work, count, sizeof(*refs), &rc);
	if (rc)
		return rc;
	list_vmas(group, refs);
	rc = work_sort(&group->work, refs, count, sizeof(*refs), by_mapping, NULL);
	for (size_t i = 0; !rc && i < count; i++) {
		group->mapping_count += !i || group_mapping_order(refs[i - 1].vma, refs[i].vma) != 0;
		*refs[i].id = (uint32_t)group->mapping_count - 1;
	}
	group->mappings = work_array(&group->work, group->mapping_count, sizeof(*group->mappings), &rc);
	for (size_t i = 0; !rc && i < count; i++)
		count_mapping(&group->mappings[*refs[i].id], &refs[i]);
	work_free(&group->work, refs, count, sizeof(*refs));
	return rc;
}

/* ---- pages ---------------------------------------------------------------------------------- */

static int exclusive_of(const struct vmsnap_info *info, const struct vmsnap_run *run)
{
	if (!vmsnap_exclusive_known(&info->known, run))
		return EXCLUSIVE_UNKNOWN;
	return run->flags & VMSNAP_PAGE_EXCLUSIVE ? EXCLUSIVE_YES : EXCLUSIVE_NO;
}

/* How often the frames of a run are mapped, where the capture asked. */
static int add_counts(struct vmsnap_group *group, const struct vmsnap *snap, const struct vmsnap_run *run)
{
	struct group_counts *counts = &group->frames.counts;
	int rc = VMSNAP_OK;
	for (uint64_t at = run->start, end, count; !rc && at < run->end; at = end) {
		bool known = !vmsnap_layer_at(snap, VMSNAP_LAYER_KPAGE_COUNT, at, &count, &end);
		end = end < run->end ? end : run->end;
		if (!known || !WORK_ROOM(&group->work, counts->items, counts->count, &counts->capacity, &rc))
			continue;
		uint64_t first = run->pfn + (at - run->start) / group->page_size;
		counts->items[counts->count++] =
		        (struct group_count){ first, first + (end - at) / group->page_size, count };
	}
	return rc;
}

static int add_run(struct vmsnap_group *group, struct group_process *process, size_t vma, const struct vmsnap_run *run)
{
	const struct vmsnap_info *info = vmsnap_info(process->snap);
	uint64_t bytes = run->end - run->start;
	struct vmsnap_group_mapping *mapping = &group->mappings[process->mapping[vma]].told;
	if (!is_counted_page(&process->counted, vma, run))
		return work_step(&group->work);
	int memory = memory_of_page(&process->snap->vmas[vma], run->flags);
	process->of_memory[memory] += bytes;
	mapping->rss += bytes;
	if (info->known.pfn && run->pfn) {
		int rc = group_frames_add(
		        &group->frames, run->pfn, run->pfn + bytes / group->page_size,
		        group_event(process->member, process->mapping[vma], memory, exclusive_of(info, run)),
		        &group->work);
		bool counted =
		        !group->frames.counts.read && vmsnap_layer_known(process->snap, VMSNAP_LAYER_KPAGE_COUNT);
		return rc || !counted ? rc : add_counts(group, process->snap, run);
	}
	process->hidden += bytes;
	mapping->hidden += bytes;
	return work_step(&group->work);
}

static int add_pages(struct vmsnap_group *group, struct group_process *process)
{
	enum { AT_ONCE = 64 };
	struct vmsnap_run runs[AT_ONCE];
	int rc = VMSNAP_OK;
	for (size_t vma = 0; !rc && vma < process->snap->vma_count; vma++) {
		struct vmsnap_run_iter it;
		size_t got = AT_ONCE;
		vmsnap_run_iter_init(&it, process->snap, process->snap->vmas[vma].start, process->snap->vmas[vma].end);
		while (!rc && got == AT_ONCE) {
			got = vmsnap_run_read(&it, runs, AT_ONCE);
			for (size_t i = 0; !rc && i < got; i++)
				rc = add_run(group, process, vma, &runs[i]);
		}
	}
	return rc;
}

/* At the most: a run may lie in several mappings. */
static size_t count_runs(const struct vmsnap_group *group)
{
	size_t runs = 0;
	for (size_t i = 0; i < group->count; i++)
		if (group->processes[i].space == i)
			runs += group->processes[i].snap->runs.count + group->processes[i].snap->vma_count;
	return runs;
}

static int add_all_pages(struct vmsnap_group *group)
{
	int rc = group_frames_reserve(&group->frames, count_runs(group), &group->work);
	for (size_t i = 0; !rc && i < group->count; i++)
		if (group->processes[i].space == i)
			rc = add_pages(group, &group->processes[i]);
	return rc;
}

/* ---- sums ----------------------------------------------------------------------------------- */

static void add_pairs(struct vmsnap_group *group, const struct group_sharers *sharers, const uint32_t *members,
                      size_t count)
{
	for (size_t i = 1; i < count; i++)
		for (size_t k = 0; k < i; k++) {
			uint64_t *pair = &group->pairs[((size_t)members[i] * (members[i] - 1) / 2 + members[k]) *
			                               VMSNAP_MEMORY_COUNT];
			for (int memory = 0; memory < VMSNAP_MEMORY_COUNT; memory++)
				pair[memory] += sharers->pages[memory] * group->page_size;
		}
	work_count(&group->work, count * count);
}

static int sum_pairs(struct vmsnap_group *group)
{
	const struct group_frames *frames = &group->frames;
	size_t members = group->member_count;
	int rc = VMSNAP_OK;
	group->pair_count = members * (members - 1) / 2;
	group->pairs = work_array(&group->work, group->pair_count, VMSNAP_MEMORY_COUNT * sizeof(*group->pairs), &rc);
	uint32_t *list = work_array(&group->work, members, sizeof(*list), &rc);
	for (size_t i = 0; !rc && i < frames->sharer_count; i++) {
		const uint64_t *bits = &frames->sharer_bits[i * frames->words];
		size_t count = 0;
		for (size_t word = 0; word < frames->words; word++)
			for (uint64_t left = bits[word]; left; left &= left - 1)
				list[count++] = (uint32_t)(word * 64 + (size_t)__builtin_ctzll(left));
		add_pairs(group, &frames->sharers[i], list, count);
		rc = work_step(&group->work);
	}
	work_free(&group->work, list, members, sizeof(*list));
	return rc;
}

/* To the nearest byte. */
static uint64_t bytes_of(const struct vmsnap_group *group, group_fraction part)
{
	return (uint64_t)((part * group->page_size + ((group_fraction)1 << (FRACTION_BITS - 1))) >> FRACTION_BITS);
}

static void tell_mappings(struct vmsnap_group *group)
{
	for (size_t i = 0; i < group->mapping_count; i++) {
		const struct group_sums *sums = &group->frames.mappings[i];
		struct vmsnap_group_mapping *told = &group->mappings[i].told;
		told->pss = bytes_of(group, sums->parts[PART_PSS]);
		told->pss_known = !sums->pss_unknown && !told->hidden;
		told->frames = sums->sums[SUM_FRAMES] * group->page_size;
		told->by_all = sums->sums[SUM_BY_ALL] * group->page_size;
		told->own = sums->sums[SUM_SOLE] * group->page_size;
		told->shared = told->frames - told->own;
		told->outside = sums->sums[SUM_OUTSIDE] * group->page_size;
	}
}

static int by_frames(const void *x, const void *y, const void *ctx)
{
	const struct vmsnap_group *group = ctx;
	const struct vmsnap_group_mapping *a = &group->mappings[*(const uint32_t *)x].told;
	const struct vmsnap_group_mapping *b = &group->mappings[*(const uint32_t *)y].told;
	uint64_t of_a = a->frames + a->hidden, of_b = b->frames + b->hidden;
	return (of_a < of_b) - (of_a > of_b);
}

static int order_mappings(struct vmsnap_group *group)
{
	int rc = VMSNAP_OK;
	tell_mappings(group);
	group->order = work_array(&group->work, group->mapping_count, sizeof(*group->order), &rc);
	group->place = work_array(&group->work, group->mapping_count, sizeof(*group->place), &rc);
	for (size_t i = 0; !rc && i < group->mapping_count; i++)
		group->order[i] = (uint32_t)i;
	rc = rc ? rc
	        : work_sort(&group->work, group->order, group->mapping_count, sizeof(*group->order), by_frames, group);
	for (size_t i = 0; !rc && i < group->mapping_count; i++)
		group->place[group->order[i]] = (uint32_t)i;
	return rc;
}

static void sum_totals(struct vmsnap_group *group)
{
	static const int of_memory[VMSNAP_MEMORY_COUNT][2] = {
		{ VMSNAP_GROUP_TOTAL_PRIVATE, VMSNAP_GROUP_TOTAL_BY_ALL_PRIVATE },
		{ VMSNAP_GROUP_TOTAL_CACHE, VMSNAP_GROUP_TOTAL_BY_ALL_CACHE },
		{ VMSNAP_GROUP_TOTAL_SHARED, VMSNAP_GROUP_TOTAL_BY_ALL_SHARED },
	};
	const struct group_frames *frames = &group->frames;
	const uint64_t *sums = frames->all.sums;
	uint64_t *totals = group->totals, page_size = group->page_size;
	struct vmsnap_group_process process;
	for (size_t i = 0; !vmsnap_group_process(group, i, &process); i++) {
		if (process.space != i)
			continue;
		totals[VMSNAP_GROUP_TOTAL_RSS] += process.rss;
		totals[VMSNAP_GROUP_TOTAL_PSS] += process.pss_known ? process.pss : 0;
		totals[VMSNAP_GROUP_TOTAL_HIDDEN] += process.hidden;
	}
	for (int i = 0; i < VMSNAP_MEMORY_COUNT; i++) {
		totals[of_memory[i][0]] = frames->by_memory[i] * page_size;
		totals[of_memory[i][1]] = frames->by_all[i] * page_size;
	}
	totals[VMSNAP_GROUP_TOTAL_SPACES] = group->member_count;
	totals[VMSNAP_GROUP_TOTAL_FRAMES] = sums[SUM_FRAMES] * page_size;
	totals[VMSNAP_GROUP_TOTAL_OWN] = sums[SUM_SOLE] * page_size;
	totals[VMSNAP_GROUP_TOTAL_OUTSIDE] = sums[SUM_OUTSIDE] * page_size;
	totals[VMSNAP_GROUP_TOTAL_OUTSIDE_UNKNOWN] = sums[SUM_OUTSIDE_UNKNOWN] * page_size;
	totals[VMSNAP_GROUP_TOTAL_USS] = (sums[SUM_FRAMES] - sums[SUM_OUTSIDE] - sums[SUM_OUTSIDE_UNKNOWN]) * page_size;
}

/* ---- all of it ------------------------------------------------------------------------------ */

static int fill(struct vmsnap_group *group, const struct vmsnap_set *set, int *saved_errno)
{
	size_t count = vmsnap_set_count(set);
	int rc = count < 1u << EVENT_MEMBER_BITS ? VMSNAP_OK : VMSNAP_ERR_TOO_LARGE;
	group->processes = work_array(&group->work, count, sizeof(*group->processes), &rc);
	for (size_t i = 0; !rc && i < count; i++)
		rc = add_process(group, vmsnap_set_at(set, i));
	rc = rc ? rc : find_mappings(group);
	rc = rc ? rc : add_all_pages(group);
	rc = rc ? rc : group_counts_join(&group->frames.counts, &group->work);
	rc = rc ? rc
	        : group_frames_sweep(&group->frames, group->member_count, group->mapping_count, &group->work,
	                             saved_errno);
	rc = rc ? rc : sum_pairs(group);
	return rc ? rc : order_mappings(group);
}

VMSNAP_API int vmsnap_group_new(const struct vmsnap_set *set, const struct vmsnap_group_options *options,
                                struct vmsnap_group **out, struct vmsnap_error *err)
{
	struct vmsnap_group_options taken;
	int saved_errno = 0, rc = group_options(&taken, options, err);
	for (size_t i = 0; !rc && i < vmsnap_set_count(set); i++)
		rc = states_known((const struct vmsnap *[]){ vmsnap_set_at(set, i) }, 1, err);
	if (rc)
		return rc;
	struct vmsnap_group *group = calloc(1, sizeof(*group));
	if (!group)
		return fail_no_memory(err);
	group->page_size = vmsnap_info(vmsnap_set_at(set, 0))->page_size;
	group->frames.counts.read = taken.counts;
	group->frames.counts.ctx = taken.counts_ctx;
	rc = set_work_with(&group->work, set, NULL, NULL, err);
	group->work.cancelled = taken.cancelled;
	group->work.cancel_ctx = taken.cancel_ctx;
	rc = rc ? rc : fill(group, set, &saved_errno);
	if (!rc) {
		sum_totals(group);
		*out = group;
		return rc;
	}
	rc = rc == VMSNAP_ERR_SYSTEM ? fail_sys(err, saved_errno, "/proc/kpagecount")
	                             : work_fail(&group->work, rc, err);
	vmsnap_group_free(group);
	return rc;
}

VMSNAP_API void vmsnap_group_free(struct vmsnap_group *group)
{
	if (!group)
		return;
	for (size_t i = 0; i < group->count; i++) {
		struct group_process *process = &group->processes[i];
		counted_pages_free(&process->counted, &group->work);
		free(process->mapping);
		vmsnap_unref(process->snap);
	}
	group_frames_free(&group->frames, &group->work);
	free(group->processes);
	free(group->mappings);
	free(group->order);
	free(group->place);
	free(group->pairs);
	free(group);
}

/* ---- what it tells -------------------------------------------------------------------------- */

VMSNAP_API size_t vmsnap_group_count(const struct vmsnap_group *group)
{
	return group->count;
}

static int role_of(const struct vmsnap_group *group, size_t index)
{
	uint32_t pid = vmsnap_info(group->processes[index].snap)->pid;
	uint32_t parent = vmsnap_info(group->processes[index].snap)->ppid;
	int role = VMSNAP_GROUP_ALONE;
	for (size_t i = 0; i < group->count; i++) {
		const struct vmsnap_info *other = vmsnap_info(group->processes[i].snap);
		if (i != index && other->pid == parent)
			return VMSNAP_GROUP_WORKER;
		if (i != index && other->ppid == pid)
			role = VMSNAP_GROUP_MASTER;
	}
	return role;
}

/* The sum of a key of smaps; false: it is not there. */
static bool smaps_sum(const struct vmsnap *snap, const char *key, uint64_t *sum)
{
	size_t index = 0;
	while (index < snap->smaps.key_count && strcmp(snap->smaps.keys[index], key) != 0)
		index++;
	if (index == snap->smaps.key_count)
		return false;
	for (size_t i = 0; i < snap->vma_count; i++) {
		uint64_t value = vmsnap_smaps_value(snap, i, index);
		*sum += value == UINT64_MAX ? 0 : value;
	}
	return true;
}

/* What is known without frames: EXCLUSIVE of each page, and smaps, if that was captured. */
static void tell_without_frames(const struct group_process *process, struct vmsnap_group_process *told)
{
	const struct vmsnap *snap = process->snap;
	struct vmsnap_sums sums;
	uint64_t pss = 0, private = 0;
	vmsnap_sum(snap, 0, UINT64_MAX, &sums);
	told->source = VMSNAP_GROUP_NOTHING;
	told->own_unknown = vmsnap_info(snap)->known.exclusive ? sums.exclusive_unknown : told->rss;
	told->uss = sums.exclusive;
	if (smaps_sum(snap, "Pss", &pss) && smaps_sum(snap, "Private_Clean", &private) &&
	    smaps_sum(snap, "Private_Dirty", &private)) {
		told->source = VMSNAP_GROUP_SMAPS;
		told->pss = pss;
		told->pss_known = true;
		if (told->own_unknown)
			told->uss = private;
		told->own_unknown = 0;
	}
	told->own = told->uss;
}

static void tell_frames(const struct vmsnap_group *group, const struct group_process *process,
                        struct vmsnap_group_process *told)
{
	const struct group_sums *frames = &group->frames.members[process->member];
	const uint64_t *sums = frames->sums;
	told->source = VMSNAP_GROUP_FRAMES;
	told->pss = bytes_of(group, frames->parts[PART_PSS]);
	told->pss_known = !frames->pss_unknown && !process->hidden;
	told->share = bytes_of(group, frames->parts[PART_SHARE]);
	told->uss = sums[SUM_ONCE] * group->page_size;
	told->own = sums[SUM_OWN] * group->page_size;
	told->own_unknown = sums[SUM_OWN_UNKNOWN] * group->page_size + process->hidden;
	told->with_private = sums[SUM_WITH + VMSNAP_MEMORY_PRIVATE] * group->page_size;
	told->with_cache = sums[SUM_WITH + VMSNAP_MEMORY_CACHE] * group->page_size;
	told->with_shared = sums[SUM_WITH + VMSNAP_MEMORY_SHARED] * group->page_size;
	told->outside = sums[SUM_OUTSIDE] * group->page_size;
}

VMSNAP_API int vmsnap_group_process_sized(const struct vmsnap_group *group, size_t index,
                                          struct vmsnap_group_process *out, size_t size)
{
	if (index >= group->count)
		return VMSNAP_ERR_NOT_FOUND;
	const struct group_process *process = &group->processes[group->processes[index].space];
	const uint64_t *of_memory = process->of_memory;
	struct vmsnap_group_process told = {
		.snap = group->processes[index].snap,
		.space = group->processes[index].space,
		.role = role_of(group, index),
		.rss = of_memory[VMSNAP_MEMORY_PRIVATE] + of_memory[VMSNAP_MEMORY_CACHE] +
		       of_memory[VMSNAP_MEMORY_SHARED],
		.of_private = of_memory[VMSNAP_MEMORY_PRIVATE],
		.of_cache = of_memory[VMSNAP_MEMORY_CACHE],
		.of_shared = of_memory[VMSNAP_MEMORY_SHARED],
		.hidden = process->hidden,
	};
	if (process->frames_known)
		tell_frames(group, process, &told);
	else
		tell_without_frames(process, &told);
	struct_give(out, size, &told, sizeof(told));
	return VMSNAP_OK;
}

VMSNAP_API uint64_t vmsnap_group_total(const struct vmsnap_group *group, int total)
{
	return total >= 0 && total < VMSNAP_GROUP_TOTAL_COUNT ? group->totals[total] : 0;
}

VMSNAP_API uint64_t vmsnap_group_pair(const struct vmsnap_group *group, size_t a, size_t b, int memory)
{
	if (a >= group->count || b >= group->count || memory < 0 || memory >= VMSNAP_MEMORY_COUNT)
		return 0;
	size_t of_a = group->processes[a].member, of_b = group->processes[b].member;
	size_t high = of_a > of_b ? of_a : of_b, low = of_a > of_b ? of_b : of_a;
	if (high == low)
		return 0;
	return group->pairs[(high * (high - 1) / 2 + low) * VMSNAP_MEMORY_COUNT + (size_t)memory];
}

VMSNAP_API size_t vmsnap_group_mapping_count(const struct vmsnap_group *group)
{
	return group->mapping_count;
}

VMSNAP_API int vmsnap_group_mapping_sized(const struct vmsnap_group *group, size_t index,
                                          struct vmsnap_group_mapping *out, size_t size)
{
	if (index >= group->mapping_count)
		return VMSNAP_ERR_NOT_FOUND;
	const struct vmsnap_group_mapping *told = &group->mappings[group->order[index]].told;
	struct_give(out, size, told, sizeof(*told));
	return VMSNAP_OK;
}

VMSNAP_API size_t vmsnap_group_mapping_of(const struct vmsnap_group *group, size_t process, size_t vma)
{
	if (process >= group->count)
		return SIZE_MAX;
	const struct group_process *of = &group->processes[group->processes[process].space];
	return vma < of->snap->vma_count ? group->place[of->mapping[vma]] : SIZE_MAX;
}

bool group_frames_shared(const struct vmsnap_group *group, uint64_t frame, uint64_t *pages, size_t *at)
{
	const struct frame_list *shared = &group->frames.shared;
	/* Most are where the one before was, or follow it. */
	if (*at >= shared->count || frame < shared->items[*at].first || frame >= shared->items[*at].end)
		*at = SORTED_ABOVE(struct frame_range, end, shared->items, shared->count, frame);
	if (*at == shared->count)
		return false;
	const struct frame_range *next = &shared->items[*at];
	bool is_shared = next->first <= frame;
	uint64_t until = is_shared ? next->end : next->first;
	*pages = until - frame < *pages ? until - frame : *pages;
	return is_shared;
}

/* ---- which pages are shared ------------------------------------------------------------------ */

struct telling_ranges {
	const struct vmsnap_group *group;
	struct vmsnap_group_range last; /* not told yet; end 0: none */
	bool (*fn)(void *ctx, const struct vmsnap_group_range *range);
	void *ctx;
	bool stopped;
};

static void tell_range(struct telling_ranges *telling, const struct vmsnap_group_range *range)
{
	struct vmsnap_group_range *last = &telling->last;
	if (last->end && last->end == range->start && last->vma == range->vma && last->shared == range->shared) {
		last->end = range->end;
		return;
	}
	if (last->end && !telling->stopped)
		telling->stopped = !telling->fn(telling->ctx, last);
	*last = *range;
}

static void tell_run(struct telling_ranges *telling, size_t vma, const struct vmsnap_run *run, size_t *place)
{
	uint64_t page_size = telling->group->page_size, pages = (run->end - run->start) / page_size;
	for (uint64_t done = 0, some; done < pages && !telling->stopped; done += some) {
		some = pages - done;
		bool shared = group_frames_shared(telling->group, run->pfn + done, &some, place);
		tell_range(telling,
		           &(struct vmsnap_group_range){ run->start + done * page_size,
		                                         run->start + (done + some) * page_size, vma, shared });
	}
}

static int tell_mapping(struct telling_ranges *telling, const struct group_process *process, size_t vma,
                        struct work *work)
{
	struct vmsnap_run_iter it;
	struct vmsnap_run run;
	size_t place = 0;
	int rc = VMSNAP_OK;
	const struct vmsnap_vma *of = &process->snap->vmas[vma];
	vmsnap_run_iter_init(&it, process->snap, of->start, of->end);
	while (!rc && !telling->stopped && !vmsnap_run_next(&it, &run)) {
		rc = work_step(work);
		if (run.pfn && is_counted_page(&process->counted, vma, &run) &&
		    memory_of_page(of, run.flags) == VMSNAP_MEMORY_PRIVATE)
			tell_run(telling, vma, &run, &place);
	}
	return rc;
}

VMSNAP_API int vmsnap_group_ranges(const struct vmsnap_group *group, size_t process,
                                   bool (*fn)(void *ctx, const struct vmsnap_group_range *range), void *ctx,
                                   struct vmsnap_error *err)
{
	struct telling_ranges telling = { .group = group, .fn = fn, .ctx = ctx };
	struct work work = group->work;
	if (process >= group->count)
		return fail(err, VMSNAP_ERR_NOT_FOUND, "there is no process %zu in the group", process);
	const struct group_process *of = &group->processes[group->processes[process].space];
	int rc = VMSNAP_OK;
	for (size_t vma = 0; !rc && of->frames_known && vma < of->snap->vma_count; vma++)
		rc = tell_mapping(&telling, of, vma, &work);
	if (!rc && !telling.stopped && telling.last.end)
		fn(ctx, &telling.last);
	return rc ? work_fail(&work, rc, err) : VMSNAP_OK;
}
