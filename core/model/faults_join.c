/* faults_join.c - page faults of several times as one. */
#include "error.h"
#include "faults.h"
#include "faults_gather.h"

static uint8_t marks_of(const struct vmsnap_fault *fault, const struct vmsnap_fault_mark *marks, size_t count)
{
	uint8_t flags = fault->flags;
	for (size_t i = 0; i < count; i++)
		if (fault->time >= marks[i].begin && fault->time <= marks[i].end &&
		    (!marks[i].tid || fault->tid == marks[i].tid))
			flags |= (uint8_t)marks[i].flags;
	return flags;
}

static int add_faults(struct vmsnap_faults_builder *builder, const struct vmsnap_faults *part,
                      const struct vmsnap_fault_mark *marks, size_t mark_count, uint64_t after,
                      struct vmsnap_error *err)
{
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < part->count; i++) {
		struct vmsnap_fault fault = part->items[i];
		size_t count;
		if (fault.time <= after)
			continue;
		const uint64_t *frames = vmsnap_faults_stack(part, fault.stack, &count);
		fault.flags = marks_of(&fault, marks, mark_count);
		rc = vmsnap_faults_builder_add(builder, &fault, frames, count, err);
	}
	return rc;
}

static int add_rest(struct vmsnap_faults_builder *builder, const struct vmsnap_faults *part, bool *dropped,
                    struct vmsnap_error *err)
{
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < part->thread_count; i++)
		rc = vmsnap_faults_builder_add_thread(builder, part->threads[i].pid, part->threads[i].tid,
		                                      part->threads[i].comm, err);
	for (size_t i = 0; !rc && i < part->syscall_count; i++)
		rc = vmsnap_faults_builder_add_syscall(builder, part->syscalls[i].number, part->syscalls[i].name, err);
	for (size_t i = 0; !rc && i < part->event_count; i++)
		rc = vmsnap_faults_builder_add_event(builder, &part->events[i], err);
	for (size_t i = 0; !rc && i < part->memory_event_count; i++)
		rc = faults_add_memory_event(builder, &part->memory_events[i], dropped, err);
	return rc;
}

static int set_info(struct vmsnap_faults_builder *builder, struct vmsnap_faults_info *info, bool dropped,
                    struct vmsnap_error *err)
{
	if (dropped) {
		info->flags &= ~(uint32_t)VMSNAP_FAULTS_MEMORY;
		info->lost += info->lost != UINT64_MAX;
	}
	return vmsnap_faults_builder_set(builder, info, err);
}

/* What holds for all of them; what was lost in any. */
static void join_info(struct vmsnap_faults_info *all, const struct vmsnap_faults_info *part)
{
	all->begin = part->begin < all->begin ? part->begin : all->begin;
	all->end = part->end > all->end ? part->end : all->end;
	all->lost = part->lost > UINT64_MAX - all->lost ? UINT64_MAX : all->lost + part->lost;
	all->flags &= part->flags;
	all->pid = part->pid == all->pid ? all->pid : 0;
}

static int fill(struct vmsnap_faults_builder *builder, const struct vmsnap_faults *const *parts, size_t count,
                const struct vmsnap_fault_mark *marks, size_t mark_count, bool one_watch, struct vmsnap_error *err)
{
	struct vmsnap_faults_info info = parts[0]->info;
	bool dropped = false;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < count; i++) {
		uint64_t known = i && one_watch ? info.end : 0;
		if (i)
			join_info(&info, &parts[i]->info);
		rc = add_faults(builder, parts[i], marks, mark_count, known, err);
		rc = rc ? rc : add_rest(builder, parts[i], &dropped, err);
	}
	return rc ? rc : set_info(builder, &info, dropped, err);
}

int faults_join_of(const struct vmsnap_faults *const *parts, size_t count, const struct vmsnap_fault_mark *marks,
                   size_t mark_count, bool one_watch, struct vmsnap_faults **out, struct vmsnap_error *err)
{
	struct vmsnap_faults_builder *builder = NULL;
	int rc = vmsnap_faults_builder_new(NULL, &builder, err);
	rc = rc ? rc : fill(builder, parts, count, marks, mark_count, one_watch, err);
	rc = rc ? rc : vmsnap_faults_builder_finish(builder, out, err);
	vmsnap_faults_builder_free(builder);
	return rc;
}

VMSNAP_API int vmsnap_faults_join(const struct vmsnap_faults *const *parts, size_t count,
                                  const struct vmsnap_fault_mark *marks, size_t mark_count, struct vmsnap_faults **out,
                                  struct vmsnap_error *err)
{
	if (!parts || !count || !out || (!marks && mark_count))
		return fail(err, VMSNAP_ERR_ARGUMENT, "page faults: none are given to be joined");
	for (size_t i = 0; i < mark_count; i++)
		if (marks[i].flags & ~(uint32_t)FAULT_FLAGS_ALL)
			return fail(err, VMSNAP_ERR_ARGUMENT, "struct vmsnap_fault_mark: a flag that there is not");
	return faults_join_of(parts, count, marks, mark_count, false, out, err);
}

/* ---- kept with several snapshots --------------------------------------------- */

static void gather_info(struct vmsnap_faults_info *all, const struct vmsnap_faults_info *part)
{
	all->begin = part->begin < all->begin ? part->begin : all->begin;
	all->end = part->end > all->end ? part->end : all->end;
	all->lost = part->lost > all->lost ? part->lost : all->lost;
	all->flags &= part->flags;
	all->pid = 0;
}

static int gather(struct vmsnap_faults_builder *builder, const struct vmsnap_faults *const *parts, size_t count,
                  struct vmsnap_error *err)
{
	struct vmsnap_faults_info info = parts[0]->info;
	bool dropped = false;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < count; i++) {
		gather_info(&info, &parts[i]->info);
		rc = add_faults(builder, parts[i], NULL, 0, 0, err);
		rc = rc ? rc : faults_copy_all_code(builder, parts[i], err);
		rc = rc ? rc : add_rest(builder, parts[i], &dropped, err);
	}
	return rc ? rc : set_info(builder, &info, dropped, err);
}

int faults_of_processes(const struct vmsnap_faults *const *parts, size_t count, struct vmsnap_faults **out,
                        struct vmsnap_error *err)
{
	struct vmsnap_faults_builder *builder = NULL;
	if (count == 1) {
		*out = vmsnap_faults_ref(parts[0]);
		return VMSNAP_OK;
	}
	int rc = vmsnap_faults_builder_new(NULL, &builder, err);
	rc = rc ? rc : gather(builder, parts, count, err);
	rc = rc ? rc : vmsnap_faults_builder_finish(builder, out, err);
	vmsnap_faults_builder_free(builder);
	return rc;
}
