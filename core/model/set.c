#include "set.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "frames.h"
#include "options.h"
#include "spare.h"

struct vmsnap_set {
	const struct vmsnap **snaps;  /* in the order in which they were given */
	const struct vmsnap **by_pid; /* the same, by process */
	size_t count;
};

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_processes(const struct vmsnap *a, const struct vmsnap *b)
{
	const struct vmsnap_info *of_a = vmsnap_info(a), *of_b = vmsnap_info(b);
	int order = compare(of_a->pid, of_b->pid);
	order = order ? order : compare(of_a->start_time, of_b->start_time);
	return order ? order : strcmp(of_a->boot_id, of_b->boot_id);
}

VMSNAP_API bool vmsnap_same_process(const struct vmsnap *a, const struct vmsnap *b)
{
	return !compare_processes(a, b);
}

VMSNAP_API bool vmsnap_same_instant(const struct vmsnap *a, const struct vmsnap *b)
{
	const struct vmsnap_info *of_a = vmsnap_info(a), *of_b = vmsnap_info(b);
	return of_a->taken && of_a->taken == of_b->taken && of_a->monotonic == of_b->monotonic &&
	       !strcmp(of_a->boot_id, of_b->boot_id);
}

static int by_process(const void *x, const void *y, const void *ctx)
{
	const struct vmsnap *const *a = x, *const *b = y;
	(void)ctx;
	return compare_processes(*a, *b);
}

static int check_times(const struct vmsnap *const *snaps, size_t count, struct vmsnap_error *err)
{
	for (size_t i = 1; i < count; i++) {
		if (!vmsnap_same_instant(snaps[0], snaps[i]) && vmsnap_info(snaps[0])->pid == vmsnap_info(snaps[i])->pid)
			return fail(err, VMSNAP_ERR_ARGUMENT,
			            "these are of more than one instant: process %" PRIu32 " is there twice",
			            vmsnap_info(snaps[i])->pid);
		if (!vmsnap_same_instant(snaps[0], snaps[i]))
			return fail(err, VMSNAP_ERR_ARGUMENT,
			            "process %" PRIu32 " and process %" PRIu32 " were not captured at one instant",
			            vmsnap_info(snaps[0])->pid, vmsnap_info(snaps[i])->pid);
		if (vmsnap_info(snaps[i])->page_size != vmsnap_info(snaps[0])->page_size)
			return fail(err, VMSNAP_ERR_ARGUMENT, "processes of one machine have pages of one size");
	}
	return VMSNAP_OK;
}

static int check_twice(const struct vmsnap_set *set, struct vmsnap_error *err)
{
	for (size_t i = 1; i < set->count; i++)
		if (vmsnap_info(set->by_pid[i])->pid == vmsnap_info(set->by_pid[i - 1])->pid)
			return fail(err, VMSNAP_ERR_ARGUMENT, "process %" PRIu32 " is there twice at one instant",
			            vmsnap_info(set->by_pid[i])->pid);
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_set_new(const struct vmsnap *const *snaps, size_t count, struct vmsnap_set **out,
                              struct vmsnap_error *err)
{
	struct work work = work_on(snaps, count);
	for (size_t i = 0; i < count; i++)
		if (!snaps[i])
			return fail(err, VMSNAP_ERR_ARGUMENT, "a set needs snapshots");
	if (!count)
		return fail(err, VMSNAP_ERR_ARGUMENT, "a set needs one snapshot at the least");
	int rc = check_times(snaps, count, err);
	if (rc)
		return rc;
	struct vmsnap_set *set = calloc(1, sizeof(*set));
	if (!set)
		return fail_no_memory(err);
	set->snaps = work_array(&work, count, sizeof(struct vmsnap *), &rc);
	set->by_pid = work_array(&work, count, sizeof(struct vmsnap *), &rc);
	for (; !rc && set->count < count; set->count++)
		set->snaps[set->count] = set->by_pid[set->count] = vmsnap_ref(snaps[set->count]);
	rc = rc ? rc : work_sort(&work, set->by_pid, count, sizeof(struct vmsnap *), by_process, NULL);
	rc = rc ? work_fail(&work, rc, err) : check_twice(set, err);
	if (rc)
		vmsnap_set_free(set);
	else
		*out = set;
	return rc;
}

VMSNAP_API void vmsnap_set_free(struct vmsnap_set *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->count; i++)
		vmsnap_unref(set->snaps[i]);
	free(set->snaps);
	free(set->by_pid);
	free(set);
}

VMSNAP_API size_t vmsnap_set_count(const struct vmsnap_set *set)
{
	return set->count;
}

VMSNAP_API const struct vmsnap *vmsnap_set_at(const struct vmsnap_set *set, size_t index)
{
	return index < set->count ? set->snaps[index] : NULL;
}

/* No number is there twice. */
static const struct vmsnap *find_pid(const struct vmsnap_set *set, uint32_t pid)
{
	size_t low = 0, high = set->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (vmsnap_info(set->by_pid[middle])->pid < pid)
			low = middle + 1;
		else
			high = middle;
	}
	return low < set->count && vmsnap_info(set->by_pid[low])->pid == pid ? set->by_pid[low] : NULL;
}

VMSNAP_API const struct vmsnap *vmsnap_set_same(const struct vmsnap_set *set, const struct vmsnap *snap)
{
	const struct vmsnap *found = find_pid(set, vmsnap_info(snap)->pid);
	return found && vmsnap_same_process(found, snap) ? found : NULL;
}

VMSNAP_API const struct vmsnap *vmsnap_set_parent(const struct vmsnap_set *set, const struct vmsnap *snap)
{
	const struct vmsnap *found = find_pid(set, vmsnap_info(snap)->ppid);
	return found == snap ? NULL : found;
}

int set_work_with(struct work *work, const struct vmsnap_set *a, const struct vmsnap_set *b,
                  const struct vmsnap_compare_options *options, struct vmsnap_error *err)
{
	int rc = work_with(work, a->snaps, a->count, options, err);
	if (rc || !b)
		return rc;
	uint64_t more = work_on(b->snaps, b->count).limit;
	work->limit = more > WORK_UNLIMITED - work->limit ? WORK_UNLIMITED : work->limit + more;
	return rc;
}

static int sum(const struct vmsnap_set *set, struct vmsnap_set_sums *sums, struct frame_list *frames, struct work *work)
{
	uint64_t page_size = vmsnap_info(set->snaps[0])->page_size;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < set->count; i++) {
		struct vmsnap_sums own;
		vmsnap_sum(set->snaps[i], 0, UINT64_MAX, &own);
		sums->resident += own.resident;
		rc = frames_add(frames, set->snaps[i], 0, UINT64_MAX, work);
	}
	rc = rc ? rc : frames_join(frames, work);
	sums->distinct = frames_count(frames) * page_size;
	sums->hidden = frames->hidden * page_size;
	return rc;
}

VMSNAP_API int vmsnap_set_sums_sized(const struct vmsnap_set *set, struct vmsnap_set_sums *out, size_t size,
                                     struct vmsnap_error *err)
{
	struct work work = work_on(set->snaps, set->count);
	struct vmsnap_set_sums sums = { 0 };
	struct frame_list frames = { 0 };
	int rc = sum(set, &sums, &frames, &work);
	frames_free(&frames, &work);
	if (rc)
		return work_fail(&work, rc, err);
	struct_give(out, size, &sums, sizeof(sums));
	return VMSNAP_OK;
}
