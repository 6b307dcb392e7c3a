#include "blame_looking.h"

/* ---- faults that were told of ----------------------------------------------------------- */

static int by_number(const void *x, const void *y, const void *ctx)
{
	int32_t a = blame_number_of(*(struct blame_process *const *)x),
	        b = blame_number_of(*(struct blame_process *const *)y);
	(void)ctx;
	return (a > b) - (a < b);
}

static bool has_seen(const struct blame_process *process, const struct vmsnap_fault *fault)
{
	int64_t to = vmsnap_info(process->after)->monotonic;
	return fault->time >= blame_since(process) && (!to || fault->time <= (uint64_t)to);
}

int blame_count_seen(struct vmsnap_blame *blame)
{
	int rc = VMSNAP_OK;
	size_t count = blame->process_count;
	struct blame_process **order = work_array(&blame->work, count + 1, sizeof(struct blame_process *), &rc);
	for (size_t i = 0; !rc && i < count; i++)
		order[i] = &blame->processes[i];
	rc = rc ? rc : work_sort(&blame->work, order, count, sizeof(struct blame_process *), by_number, NULL);
	for (size_t i = 0; !rc && i < vmsnap_faults_count(blame->faults); i++) {
		const struct vmsnap_fault *fault = vmsnap_faults_at(blame->faults, i);
		size_t low = 0, high = count;
		while (low < high) {
			size_t middle = low + (high - low) / 2;
			low = blame_number_of(order[middle]) < fault->pid ? middle + 1 : low;
			high = blame_number_of(order[middle]) < fault->pid ? high : middle;
		}
		if (low < count && blame_number_of(order[low]) == fault->pid && has_seen(order[low], fault))
			order[low]->seen++;
		rc = work_step(&blame->work);
	}
	work_free(&blame->work, order, count + 1, sizeof(struct blame_process *));
	return rc;
}

/* ---- what nobody tells ------------------------------------------------------------------ */

/* The kernel counts those inside of it, too, by which pages are made for a system call.  UINT64_MAX: not known. */
static uint64_t faults_had(const struct blame_looking *looking)
{
	const struct blame_process *process = looking->process;
	uint64_t after = vmsnap_info(process->after)->faults, before = 0;
	if (!process->born.time && process->before)
		before = vmsnap_info(process->before)->faults;
	return after == UINT64_MAX || before == UINT64_MAX || after < before ? UINT64_MAX : after - before;
}

static uint64_t pages_of(const struct blame_looking *looking, const struct vmsnap_blamed *item)
{
	return (item->end - item->start) / looking->index->page;
}

/* Each page that is new and has no fault was made by one that was not told, and so was each huge page: if it was not
 * made before, and moved or put together.  Of a process that was forked meanwhile its parent's may be among these; of
 * one that forked, those of who has its memory, if that is not told. */
static uint64_t made_untold(const struct blame_looking *looking, size_t first)
{
	uint64_t made = 0, huge = looking->index->page / 8 * looking->index->page, last = 0;
	bool own = !looking->process->born.time && !looking->gone.moved.count && !looking->gone.collapsed.count &&
	           (looking->memory || !looking->forks);
	for (size_t i = first; own && i < looking->blame->count; i++) {
		const struct vmsnap_blamed *item = &looking->blame->items[i];
		bool counts = item->became == VMSNAP_BECAME_NEW || item->became == VMSNAP_BECAME_COPIED ||
		              item->became == VMSNAP_BECAME_PRIVATISED || item->became == VMSNAP_BECAME_FILLED;
		if (!counts || item->count || item->inherited)
			continue;
		if (blame_is_huge(looking->process->after, item->start))
			made += (item->end - 1) / huge - item->start / huge + (item->start / huge != last);
		else
			made += pages_of(looking, item);
		last = (item->end - 1) / huge;
	}
	return made;
}

static bool is_definite(const struct vmsnap_blamed *item)
{
	return item->count == 1 && !item->doubtful && item->became != VMSNAP_BECAME_MAPPED &&
	       item->became != VMSNAP_BECAME_SWAPPED_IN;
}

static bool is_still_shared(const struct vmsnap *snap, const struct vmsnap_blamed *item)
{
	struct vmsnap_run_iter it;
	struct vmsnap_run run;
	const struct vmsnap_known *known = &vmsnap_info(snap)->known;
	bool shared = true;
	vmsnap_run_iter_init(&it, snap, item->start, item->end);
	while (shared && !vmsnap_run_next(&it, &run))
		shared = run.flags & VMSNAP_PAGE_PRESENT && !(run.flags & VMSNAP_PAGE_EXCLUSIVE) &&
		         vmsnap_exclusive_known(known, &run);
	return shared;
}

/* What was written to before a fork somebody else may have copied after it, which no fault of this process tells
 * (process_vm_writev, /proc/PID/mem, ptrace): unless it is as the fork left it. */
static bool may_be_anothers_copy(const struct blame_looking *looking, const struct vmsnap_blamed *item,
                                 const struct vmsnap_fault *fault)
{
	bool shared = fault->time >= looking->fork_before && is_still_shared(looking->process->after, item);
	return fault->time < looking->last_fork && item->became != VMSNAP_BECAME_WRITTEN && !shared;
}

/* After a fork the kernel may have copied a page that was written to before; and, if it had faults that were not told,
 * one that it had made before that need not have been copied by who wrote to it then. */
static void doubt_forked(struct blame_looking *looking, size_t first, bool untold)
{
	struct vmsnap_blame *blame = looking->blame;
	for (size_t i = first; looking->forks && i < blame->count; i++) {
		struct vmsnap_blamed *item = &blame->items[i];
		if (!is_definite(item))
			continue;
		const struct vmsnap_fault *fault = blame_picked(blame, item->first);
		bool copied = fault->time < looking->last_fork || fault->kind == VMSNAP_FAULT_WRITE_PROTECTED;
		item->doubtful = (untold && copied) || may_be_anothers_copy(looking, item, fault);
	}
}

/* Each that was not told may have made a page anew that was given back.  If these are as many as there are pages of
 * which who did it is known, it is not known of any. */
static void doubt_given_back(struct blame_looking *looking, size_t first, uint64_t untold)
{
	struct vmsnap_blame *blame = looking->blame;
	uint64_t definite = 0;
	blame->untold = untold > UINT64_MAX - blame->untold ? UINT64_MAX : blame->untold + untold;
	for (size_t i = first; i < blame->count; i++)
		definite += is_definite(&blame->items[i]) ? pages_of(looking, &blame->items[i]) : 0;
	for (size_t i = first; untold != UINT64_MAX && untold >= definite && i < blame->count; i++)
		blame->items[i].doubtful |= is_definite(&blame->items[i]) && untold;
}

/* By one that may have had this memory (vfork). */
static bool written_by_child(const struct blame_looking *looking, const struct vmsnap_blamed *item)
{
	struct blame_whose child = { .from = blame_picked(looking->blame, item->first)->time, .to = looking->whose.to };
	bool wrote = looking->forks > BLAME_CHILDREN_MOST;
	for (size_t i = 0; !wrote && i < looking->forks; i++) {
		child.pid = looking->children[i];
		wrote = blame_index_any_write(looking->index, &child, item->start, item->end);
	}
	return wrote;
}

static void doubt_children(struct blame_looking *looking, size_t first)
{
	struct vmsnap_blame *blame = looking->blame;
	for (size_t i = first; looking->forks && i < blame->count; i++)
		if (is_definite(&blame->items[i]) && written_by_child(looking, &blame->items[i]))
			blame->items[i].doubtful = true;
}

void blame_doubt(struct blame_looking *looking, size_t first)
{
	uint64_t had = faults_had(looking), known = looking->process->seen + made_untold(looking, first);
	uint64_t untold = had == UINT64_MAX ? UINT64_MAX : had > known ? had - known : 0;
	doubt_forked(looking, first, untold && untold != UINT64_MAX);
	if (!looking->memory)
		doubt_children(looking, first);
	if (!looking->memory)
		doubt_given_back(looking, first, untold);
}
