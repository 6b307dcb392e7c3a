#include "blame_looking.h"
#include "moves_count.h"
#include "relation.h"

/* Who has its parent's memory takes nothing of it. */
static void find_forks(struct blame_looking *looking, const struct blame_births *births)
{
	const struct vmsnap_fault_event *event;
	for (size_t at = 0; !looking->rc && (event = blame_births_child(births, looking->whose.pid, &at));) {
		looking->rc = work_step(&looking->blame->work);
		if (event->time < looking->whose.from || event->time > looking->whose.to ||
		    memory_owner_at(&looking->index->owners, event->child, event->time) != event->child)
			continue;
		if (looking->forks < BLAME_CHILDREN_MOST)
			looking->children[looking->forks] = event->child;
		looking->forks++;
		looking->fork_before = looking->last_fork;
		looking->last_fork = event->time;
	}
}

/* Its faults were watched from later on only: those of snapshots in between are not here. */
static bool was_watched(const struct vmsnap_blame *blame, const struct blame_process *process)
{
	const struct vmsnap_faults *own = vmsnap_faults_of(process->after);
	const struct vmsnap_faults_info *info = vmsnap_faults_info(own ? own : blame->faults);
	const struct vmsnap_info *before = process->before ? vmsnap_info(process->before) : NULL;
	return !before || process->born.time || process->executed || before->monotonic <= 0 ||
	       info->begin <= (uint64_t)before->monotonic;
}

/* Its system calls are not told as those of others are. */
static bool is_of_32_bits(const struct vmsnap *snap)
{
	const struct vmsnap_vma *last = NULL, *vma;
	for (size_t i = 0; (vma = vmsnap_vma(snap, i)); i++)
		last = vma->start >> 63 ? last : vma; /* but for [vsyscall] */
	return last && last->end <= UINT64_C(1) << 32;
}

/* Nobody tells of whom the kernel does it (khugepaged, MADV_COLLAPSE of another process), but it counts how often. */
static bool may_have_collapsed(const struct blame_process *process)
{
	uint64_t after = vmsnap_info(process->after)->page_moves, moved = 0;
	return !process->before || !moves_between(vmsnap_info(process->before)->page_moves, after, &moved) || moved;
}

/* Who has the memory of another of these (vfork, CLONE_VM) has the same pages. */
static bool is_anothers(const struct blame_looking *looking)
{
	const struct vmsnap_blame *blame = looking->blame;
	bool anothers = false;
	for (size_t i = 0; looking->whose.pid != blame_number_of(looking->process) && i < blame->process_count; i++)
		anothers |= blame_number_of(&blame->processes[i]) == looking->whose.pid;
	return anothers;
}

int blame_process(struct vmsnap_blame *blame, const struct blame_index *index, const struct blame_births *births,
                  const struct blame_process *process, const struct vmsnap_blame_options *options,
                  struct vmsnap_error *err)
{
	const struct vmsnap_info *after = vmsnap_info(process->after);
	uint64_t from = process->executed ? process->executed : blame_since(process);
	struct blame_looking looking = {
		.blame = blame,
		.index = index,
		.process = process,
		.whose = { (int32_t)after->tgid, from, after->monotonic ? (uint64_t)after->monotonic : UINT64_MAX },
	};
	looking.whose.pid = memory_owner_at(&index->owners, looking.whose.pid, looking.whose.to);
	const struct vmsnap_faults_info *info = vmsnap_faults_info(blame->faults);
	looking.lost = info->lost || (blame->stored && !was_watched(blame, process));
	looking.hidden = !(info->flags & VMSNAP_FAULTS_KERNEL) || looking.lost;
	looking.memory = info->flags & VMSNAP_FAULTS_MEMORY && !is_of_32_bits(process->after) &&
	                 (!blame->stored || was_watched(blame, process));
	looking.maybe_collapsed = may_have_collapsed(process);
	/* Nobody knows what it had before, or its parent. */
	if (!blame_is_known(process) || is_anothers(&looking))
		return VMSNAP_OK;
	find_forks(&looking, births);
	struct vmsnap_compare_options how = { .size = sizeof(how),
		                              .cancelled = options->cancelled,
		                              .cancel_ctx = options->cancel_ctx };
	struct vmsnap_diff *diff = NULL;
	int rc = process->before ? vmsnap_diff_new_with(process->before, process->after, &how, &diff, err) : VMSNAP_OK;
	if (rc)
		return rc;
	looking.rc = looking.rc ? looking.rc : blame_gone_make(&looking.gone, index, &looking.whose, &blame->work);
	bool other = process->executed || !diff || vmsnap_diff_relation(diff) != VMSNAP_RELATION_COMPARABLE;
	if (other && !process->executed && !process->born.time)
		looking.whose.to = 0; /* since when it is this program is not known */
	size_t first = blame->count;
	blame_join(&looking, other ? NULL : diff);
	if (!looking.rc)
		blame_doubt(&looking, first);
	vmsnap_diff_free(diff);
	blame_gone_free(&looking.gone, &blame->work);
	return looking.rc ? work_fail(&blame->work, looking.rc, err) : VMSNAP_OK;
}
