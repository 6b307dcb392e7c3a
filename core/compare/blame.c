/* blame.c - which faults made pages what they are (vmsnap/blame.h). */
#include "blame_looking.h"
#include "compared.h"
#include "error.h"
#include "faults.h"
#include "options.h"
#include "spare.h"

static int add_processes(struct vmsnap_blame *blame, const struct vmsnap *const *before, size_t before_count,
                         const struct vmsnap *const *after, size_t after_count, const struct blame_births *births)
{
	int rc = VMSNAP_OK;
	blame->processes = work_array(&blame->work, after_count + 1, sizeof(*blame->processes), &rc);
	for (size_t i = 0; !rc && i < after_count; i++) {
		struct blame_process *process = &blame->processes[blame->process_count++];
		process->after = vmsnap_ref(after[i]);
		blame_births_find(births, process, before, before_count);
	}
	return rc;
}

/* ends: of two heaps for each process. */
static int make_index(struct vmsnap_blame *blame, struct blame_heap *ends, struct blame_index *index)
{
	*index = (struct blame_index){
		.faults = blame->faults,
		.ends = ends,
		.end_count = 2 * blame->process_count,
		.page = blame->process_count ? vmsnap_info(blame->processes[0].after)->page_size : 4096,
	};
	for (size_t i = 0; i < blame->process_count; i++) {
		const struct blame_process *process = &blame->processes[i];
		uint64_t until = (uint64_t)vmsnap_info(process->after)->monotonic;
		ends[2 * i] = blame_heap_of(process->before);
		ends[2 * i + 1] = blame_heap_of(process->after);
		ends[2 * i + 1].from = until ? until : UINT64_MAX;
		index->until = until && until < index->until ? index->until : until ? until : UINT64_MAX;
	}
	return blame_index_make(index, &blame->work);
}

static int blame_all(struct vmsnap_blame *blame, const struct blame_births *births,
                     const struct vmsnap_blame_options *options, struct vmsnap_error *err)
{
	struct blame_index index = { .count = 0 };
	int rc = VMSNAP_OK;
	size_t room = 2 * blame->process_count + 1;
	struct blame_heap *ends = work_array(&blame->work, room, sizeof(*ends), &rc);
	rc = rc ? rc : blame_count_seen(blame);
	rc = rc ? rc : make_index(blame, ends, &index);
	if (rc)
		work_fail(&blame->work, rc, err);
	for (size_t i = 0; !rc && i < blame->process_count; i++)
		rc = blame_process(blame, &index, births, &blame->processes[i], options, err);
	blame_index_free(&index, &blame->work);
	work_free(&blame->work, ends, room, sizeof(*ends));
	return rc;
}

static int blame_new(const struct vmsnap *const *before, size_t before_count, const struct vmsnap *const *after,
                     size_t after_count, const struct vmsnap_faults *faults, bool stored,
                     const struct vmsnap_blame_options *options, struct vmsnap_blame **out, struct vmsnap_error *err)
{
	struct vmsnap_blame_options how = { .size = sizeof(how) };
	int rc = options_take(&how, sizeof(how), options, "struct vmsnap_blame_options", err);
	if (!rc)
		rc = comparable(before, before_count, err);
	if (!rc)
		rc = comparable(after, after_count, err);
	if (rc)
		return rc;
	if (!how.event_count)
		how.events = vmsnap_faults_event(faults, 0);
	while (how.events == vmsnap_faults_event(faults, 0) && vmsnap_faults_event(faults, how.event_count))
		how.event_count++;
	struct vmsnap_blame *blame = calloc(1, sizeof(*blame));
	if (!blame)
		return fail_no_memory(err);
	blame->faults = vmsnap_faults_ref(faults);
	blame->stored = stored;
	blame->work = work_on(after, after_count);
	blame->work.cancelled = how.cancelled;
	blame->work.cancel_ctx = how.cancel_ctx;
	struct blame_births births;
	rc = blame_births_make(&births, how.events, how.event_count, &blame->work);
	rc = rc ? rc : add_processes(blame, before, before_count, after, after_count, &births);
	rc = rc ? work_fail(&blame->work, rc, err) : blame_all(blame, &births, &how, err);
	blame_births_free(&births, &blame->work);
	if (rc) {
		vmsnap_blame_free(blame);
		return rc;
	}
	blame->work.cancelled = NULL;
	*out = blame;
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_blame_new(const struct vmsnap *const *before, size_t before_count,
                                const struct vmsnap *const *after, size_t after_count,
                                const struct vmsnap_faults *faults, const struct vmsnap_blame_options *options,
                                struct vmsnap_blame **out, struct vmsnap_error *err)
{
	return blame_new(before, before_count, after, after_count, faults, false, options, out, err);
}

/* Faults as they are kept: of each process with its snapshot, or, as older files have it, of all with the first
 * (.pid 0). */
struct kept {
	const struct vmsnap_faults **parts;
	const struct vmsnap **of; /* of whom there are some */
	size_t part_count, of_count;
	bool all;
};

static void gather_kept(struct kept *kept, const struct vmsnap *const *after, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct vmsnap_faults *faults = vmsnap_faults_of(after[i]);
		bool known = !faults;
		for (size_t k = 0; k < kept->part_count; k++)
			known |= kept->parts[k] == faults;
		if (!known)
			kept->parts[kept->part_count++] = faults;
		kept->all |= faults && !vmsnap_faults_info(faults)->pid;
	}
	for (size_t i = 0; i < count; i++)
		if (kept->all || vmsnap_faults_of(after[i]))
			kept->of[kept->of_count++] = after[i];
}

VMSNAP_API int vmsnap_blame_stored(const struct vmsnap *const *before, size_t before_count,
                                   const struct vmsnap *const *after, size_t after_count,
                                   const struct vmsnap_blame_options *options, struct vmsnap_blame **out,
                                   struct vmsnap_error *err)
{
	CLEANUP_FREE const struct vmsnap_faults **parts = calloc(after_count + 1, sizeof(*parts));
	CLEANUP_FREE const struct vmsnap **of = calloc(after_count + 1, sizeof(*of));
	struct kept kept = { .parts = parts, .of = of };
	struct vmsnap_faults *faults = NULL;
	if (!parts || !of)
		return fail_no_memory(err);
	gather_kept(&kept, after, after_count);
	if (!kept.part_count)
		return fail(err, VMSNAP_ERR_NOT_FOUND, "no page faults are kept with these snapshots");
	int rc = faults_of_processes(parts, kept.part_count, &faults, err);
	rc = rc ? rc : blame_new(before, before_count, of, kept.of_count, faults, true, options, out, err);
	vmsnap_faults_unref(faults);
	return rc;
}

VMSNAP_API bool vmsnap_blame_is_known(const struct vmsnap_blame *blame, size_t index)
{
	return index < blame->process_count && blame_is_known(&blame->processes[index]);
}

VMSNAP_API void vmsnap_blame_free(struct vmsnap_blame *blame)
{
	if (!blame)
		return;
	for (size_t i = 0; i < blame->process_count; i++) {
		vmsnap_unref(blame->processes[i].before);
		vmsnap_unref(blame->processes[i].after);
	}
	free(blame->processes);
	free(blame->items);
	free(blame->picked);
	vmsnap_faults_unref(blame->faults);
	free(blame);
}

VMSNAP_API uint64_t vmsnap_blame_untold(const struct vmsnap_blame *blame)
{
	return blame->untold;
}

VMSNAP_API const struct vmsnap_faults *vmsnap_blame_faults(const struct vmsnap_blame *blame)
{
	return blame->faults;
}

VMSNAP_API const struct vmsnap_blamed *vmsnap_blame_at(const struct vmsnap_blame *blame, size_t index)
{
	return index < blame->count ? &blame->items[index] : NULL;
}

VMSNAP_API const struct vmsnap_fault *vmsnap_blame_fault(const struct vmsnap_blame *blame, size_t index)
{
	return blame_picked(blame, index);
}

VMSNAP_API const struct vmsnap *vmsnap_blame_process(const struct vmsnap_blame *blame, size_t index,
                                                     const struct vmsnap **before)
{
	*before = index < blame->process_count ? blame->processes[index].before : NULL;
	return index < blame->process_count ? blame->processes[index].after : NULL;
}

VMSNAP_API const char *vmsnap_became_name(int became)
{
	static const char *const names[] = { "new",     "copied",    "privatised", "filled", "swapped_in",
		                             "written", "exclusive", "replaced",   "mapped" };
	return became >= 0 && (size_t)became < sizeof(names) / sizeof(names[0]) ? names[became] : NULL;
}
