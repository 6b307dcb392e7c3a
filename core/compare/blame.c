/* blame.c - which faults made pages what they are (vmsnap/blame.h). */
#include <string.h>

#include "blame_index.h"
#include "compared.h"
#include "error.h"
#include "faults.h"
#include "options.h"
#include "relation.h"
#include "spare.h"

struct process {
	const struct vmsnap *before, *after; /* held; before NULL: there is none */
	struct vmsnap_fault_event born;      /* .time 0: it was there before */
	uint64_t executed;                   /* when it last did so meanwhile; 0: not */
	uint64_t seen;                       /* faults of it */
};
struct vmsnap_blame {
	struct vmsnap_faults *faults;
	bool stored; /* they come with the snapshots */
	struct process *processes;
	size_t process_count;
	struct vmsnap_blamed *items;
	size_t count, room;
	uint32_t *picked;
	size_t picked_count, picked_room;
	uint64_t untold; /* faults of those of which nobody tells what they gave back */
	struct work work;
};

static int32_t number_of(const struct process *process)
{
	return (int32_t)vmsnap_info(process->after)->tgid;
}

/* ---- one stretch of pages --------------------------------------------------------------- */

enum { CHILDREN_MOST = 64 };
struct looking {
	struct vmsnap_blame *blame;
	const struct blame_index *index;
	const struct process *process;
	struct blame_whose whose;
	bool lost;   /* something was */
	bool hidden; /* there may have been faults that were not seen */
	bool memory; /* what became of memory without a fault is told */
	struct blame_ranges given_back, maybe_given_back, collapsed, moved;
	uint64_t last_fork;
	size_t forks;                    /* of it, meanwhile: after each, each page can be copied once more */
	int32_t children[CHILDREN_MOST]; /* the first of these */
	int rc;
};

/* A page that was not the process's own can be written to with a fault once; and once more after each fork.  If as many
 * were seen, no other one can have been: unless it was given back, which may be among what was lost. */
static bool is_doubtful(const struct looking *looking, int became, const struct blame_picks *picks)
{
	bool plain = became == VMSNAP_BECAME_MAPPED || became == VMSNAP_BECAME_SWAPPED_IN;
	bool more = looking->hidden && picks->count < looking->forks + (became != VMSNAP_BECAME_REPLACED);
	return picks->count && !plain && (more || picks->maybe || (looking->lost && !looking->memory));
}

static size_t told_of(const struct blame_picks *picks)
{
	return picks->count < BLAME_PICKED_MAX ? picks->count : BLAME_PICKED_MAX;
}

static bool same_picks(const struct vmsnap_blame *blame, const struct vmsnap_blamed *last,
                       const struct blame_picks *picks)
{
	size_t count = told_of(picks);
	return last->count == count &&
	       (!count || !memcmp(blame->picked + last->first, picks->items, count * sizeof(*picks->items)));
}

/* What was there, and the process's own, and is in another frame after a write to it, was shared in between: it forked.
 */
static bool copies(const struct vmsnap_blame *blame, const struct blame_picks *picks)
{
	size_t count = told_of(picks);
	for (size_t i = 0; i < count; i++)
		if (vmsnap_faults_at(blame->faults, picks->items[i])->kind != VMSNAP_FAULT_WRITE_PROTECTED)
			return false;
	return count > 0;
}

static void put(struct looking *looking, uint64_t start, uint64_t end, int became, const struct blame_picks *picks,
                bool inherited)
{
	struct vmsnap_blame *blame = looking->blame;
	struct vmsnap_blamed *last = blame->count ? &blame->items[blame->count - 1] : NULL;
	bool doubtful = is_doubtful(looking, became, picks);
	became = became == VMSNAP_BECAME_REPLACED && copies(blame, picks) ? VMSNAP_BECAME_COPIED : became;
	if (last && last->snap == looking->process->after && last->end == start && last->became == became &&
	    last->inherited == inherited && last->doubtful == doubtful && same_picks(blame, last, picks)) {
		last->end = end;
		return;
	}
	size_t first = blame->picked_count, count = told_of(picks);
	for (size_t i = 0; i < count; i++)
		if (WORK_ROOM(&blame->work, blame->picked, blame->picked_count, &blame->picked_room, &looking->rc))
			blame->picked[blame->picked_count++] = picks->items[i];
	if (WORK_ROOM(&blame->work, blame->items, blame->count, &blame->room, &looking->rc))
		blame->items[blame->count++] = (struct vmsnap_blamed){
			.snap = looking->process->after,
			.start = start,
			.end = end,
			.became = became,
			.first = first,
			.count = count,
			.doubtful = doubtful,
			.inherited = inherited,
		};
}

static bool holds(const struct blame_ranges *ranges, uint64_t start, uint64_t end)
{
	const struct blame_range *found = blame_ranges_find(ranges, start);
	return found && found->start <= start && found->end >= end;
}

static bool touches(const struct blame_ranges *ranges, uint64_t start, uint64_t end)
{
	const struct blame_range *found = blame_ranges_find(ranges, start);
	return found && found->start < end;
}

/* Pages of a process that was forked meanwhile, on which it had no fault: they are as its parent had made them. */
static bool by_parent(const struct looking *looking, uint64_t start, uint64_t end)
{
	const struct vmsnap_fault_event *born = &looking->process->born;
	struct blame_whose parent = { .pid = memory_owner_at(&looking->index->owners, born->pid, born->time),
		                      .from = 0,
		                      .to = born->time };
	return born->time && !touches(&looking->given_back, start, end) &&
	       !touches(&looking->maybe_given_back, start, end) &&
	       blame_index_any_write(looking->index, &parent, start, end);
}

static void blame_pages(struct looking *looking, uint64_t start, uint64_t end, uint64_t from, int became)
{
	struct blame_picks picks = { .count = 0 };
	uint64_t len = end - start;
	blame_index_pick(looking->index, &looking->whose, start, end, became, &picks);
	/* Memory that moved: it may have been before.  Where moves are told, the index has what was as it is now. */
	if (from != start && !looking->memory)
		blame_index_pick(looking->index, &looking->whose, from, from + len, became, &picks);
	bool inherited = !picks.count && by_parent(looking, start, end);
	put(looking, start, end, became, &picks, inherited);
}

/* Of small pages that the process had before; all of them: or such that were huge. */
static bool had_pages(const struct looking *looking, uint64_t start, uint64_t end, bool all)
{
	const struct vmsnap *before = looking->process->executed ? NULL : looking->process->before;
	struct vmsnap_run_iter it;
	struct vmsnap_run run;
	if (!before)
		return false;
	vmsnap_run_iter_init(&it, before, start, end);
	while (!vmsnap_run_next(&it, &run))
		if (run.flags & (VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_SWAPPED) &&
		    !(run.flags & (VMSNAP_PAGE_FILE | VMSNAP_PAGE_ZERO)) && (all || !(run.flags & VMSNAP_PAGE_HUGE)))
			return true;
	return false;
}

/* A huge page may be made by one fault, anywhere in it, if nothing was there; or be copied as a whole.  Else the kernel
 * made it of small ones (khugepaged, MADV_COLLAPSE), and each of these is for itself. */
static bool is_one_thing(const struct looking *looking, uint64_t start, uint64_t end, int became)
{
	bool copied = became == VMSNAP_BECAME_COPIED || became == VMSNAP_BECAME_EXCLUSIVE;
	return !touches(&looking->collapsed, start, end) &&
	       (holds(&looking->given_back, start, end) || !had_pages(looking, start, end, !copied));
}

/* If there were several faults, too, each is for itself. */
static void blame_huge(struct looking *looking, uint64_t start, uint64_t end, uint64_t from, int became)
{
	uint64_t page = looking->index->page, huge = page / 8 * page;
	for (uint64_t at = start; !looking->rc && at < end;) {
		uint64_t first = at & ~(huge - 1), next = first + huge < end ? first + huge : end;
		struct blame_picks picks = { .count = 0 };
		bool one = is_one_thing(looking, first, first + huge, became);
		if (one)
			blame_index_pick(looking->index, &looking->whose, first, first + huge, became, &picks);
		one = one && picks.count == 1;
		if (one)
			put(looking, at, next, became, &picks, false);
		for (uint64_t small = at; !one && !looking->rc && small < next; small += page)
			blame_pages(looking, small, small + page, from + (small - start), became);
		looking->rc = looking->rc ? looking->rc : work_step(&looking->blame->work);
		at = next;
	}
}

static void blame_range(struct looking *looking, uint64_t start, uint64_t end, uint64_t from, int became)
{
	struct vmsnap_run_iter it;
	struct vmsnap_run run;
	uint64_t page = looking->index->page;
	vmsnap_run_iter_init(&it, looking->process->after, start, end);
	while (!looking->rc && !vmsnap_run_next(&it, &run)) {
		uint64_t at = from + (run.start - start);
		bool huge = (run.flags & VMSNAP_PAGE_HUGE) && vmsnap_info(looking->process->after)->known.huge;
		if (huge && from == start)
			blame_huge(looking, run.start, run.end, at, became);
		for (uint64_t small = run.start; !(huge && from == start) && !looking->rc && small < run.end;
		     small += page) {
			blame_pages(looking, small, small + page, at + (small - run.start), became);
			looking->rc = looking->rc ? looking->rc : work_step(&looking->blame->work);
		}
	}
}

/* ---- what became of it ------------------------------------------------------------------ */

#define HAS(set, which) ((set) & (UINT32_C(1) << (which)))

/* -1: nothing that a fault would do. */
static int became_of(const struct vmsnap_diff_range *range)
{
	bool own = !(range->after & (VMSNAP_PAGE_FILE | VMSNAP_PAGE_ZERO));
	if (!(range->after & (VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_SWAPPED)))
		return -1;
	/* Where a copy of its own was given back, the file's page is in another frame, too. */
	if (!own)
		return HAS(range->changes, VMSNAP_CHANGE_APPEARED) || HAS(range->changes, VMSNAP_CHANGE_PFN_CHANGED) ||
		                       HAS(range->kinds, VMSNAP_KIND_NEW) || HAS(range->kinds, VMSNAP_KIND_MAPPED)
		               ? VMSNAP_BECAME_MAPPED
		               : -1;
	if (HAS(range->changes, VMSNAP_CHANGE_PRIVATISED))
		return VMSNAP_BECAME_PRIVATISED;
	if (HAS(range->changes, VMSNAP_CHANGE_ZERO_FILLED_IN))
		return VMSNAP_BECAME_FILLED;
	if (HAS(range->kinds, VMSNAP_KIND_COPIED))
		return VMSNAP_BECAME_COPIED;
	if (HAS(range->kinds, VMSNAP_KIND_NEW) || HAS(range->changes, VMSNAP_CHANGE_APPEARED))
		return VMSNAP_BECAME_NEW;
	if (HAS(range->changes, VMSNAP_CHANGE_SWAPPED_IN))
		return VMSNAP_BECAME_SWAPPED_IN;
	if (HAS(range->kinds, VMSNAP_KIND_WRITTEN))
		return VMSNAP_BECAME_WRITTEN;
	if (HAS(range->changes, VMSNAP_CHANGE_PFN_CHANGED))
		return VMSNAP_BECAME_REPLACED;
	return HAS(range->changes, VMSNAP_CHANGE_BECAME_EXCLUSIVE) ? VMSNAP_BECAME_EXCLUSIVE : -1;
}

static bool has_frames(const struct vmsnap_diff *diff)
{
	return vmsnap_info(vmsnap_diff_a(diff))->known.pfn && vmsnap_info(vmsnap_diff_b(diff))->known.pfn;
}

static void compare(struct looking *looking, const struct vmsnap_diff *diff)
{
	struct vmsnap_diff_range range;
	bool frames = has_frames(diff);
	for (size_t i = 0; !looking->rc && !vmsnap_diff_range(diff, i, &range); i++) {
		int became = became_of(&range);
		/* Where frames are known, it is in the one it was in. */
		if (became >= 0 && !(became == VMSNAP_BECAME_EXCLUSIVE && frames))
			blame_range(looking, range.start, range.end, range.moved ? range.from : range.start, became);
	}
}

/* Of a program that was executed meanwhile, all is new. */
static void all_new(struct looking *looking)
{
	struct vmsnap_run_iter it;
	struct vmsnap_run run;
	vmsnap_run_iter_init(&it, looking->process->after, 0, UINT64_MAX);
	while (!looking->rc && !vmsnap_run_next(&it, &run)) {
		bool own = !(run.flags & (VMSNAP_PAGE_FILE | VMSNAP_PAGE_ZERO));
		blame_range(looking, run.start, run.end, run.start, own ? VMSNAP_BECAME_NEW : VMSNAP_BECAME_MAPPED);
	}
}

static bool is_huge(const struct vmsnap *snap, uint64_t page)
{
	struct vmsnap_run_iter it;
	struct vmsnap_run run;
	vmsnap_run_iter_init(&it, snap, page, page + 1);
	return !vmsnap_run_next(&it, &run) && run.flags & VMSNAP_PAGE_HUGE;
}

static bool is_own(const struct vmsnap *snap, uint64_t page)
{
	struct vmsnap_run_iter it;
	struct vmsnap_run run;
	vmsnap_run_iter_init(&it, snap, page, page + 1);
	return !vmsnap_run_next(&it, &run) && run.flags & (VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_SWAPPED) &&
	       !(run.flags & (VMSNAP_PAGE_FILE | VMSNAP_PAGE_ZERO));
}

static int by_start(const void *x, const void *y, const void *ctx)
{
	const struct vmsnap_blamed *a = x, *b = y;
	(void)ctx;
	return (a->start > b->start) - (a->start < b->start);
}

/* Without frames a page that was copied, and that a child has by the end, or that was made anew, looks as it did: only
 * the fault tells.  first: of what is told of this process already, in the order of addresses. */
static void add_rewritten(struct looking *looking, size_t first)
{
	struct vmsnap_blame *blame = looking->blame;
	size_t told = first, end = blame->count;
	uint64_t page = 0;
	for (size_t at = 0; !looking->rc && blame_index_next_page(looking->index, &looking->whose, &at, &page);) {
		struct blame_picks picks = { .count = 0 };
		while (told < end && blame->items[told].end <= page)
			told++;
		if ((told < end && blame->items[told].start <= page) || !is_own(looking->process->after, page) ||
		    !is_own(looking->process->before, page))
			continue;
		blame_index_pick(looking->index, &looking->whose, page, page + looking->index->page,
		                 VMSNAP_BECAME_EXCLUSIVE, &picks);
		if (picks.count)
			put(looking, page, page + looking->index->page, VMSNAP_BECAME_EXCLUSIVE, &picks, false);
		looking->rc = looking->rc ? looking->rc : work_step(&blame->work);
	}
	if (!looking->rc && blame->count > end)
		looking->rc = work_sort(&blame->work, blame->items + first, blame->count - first, sizeof(*blame->items),
		                        by_start, NULL);
}

/* ---- what nobody tells ------------------------------------------------------------------ */

/* The kernel counts those inside of it, too, by which pages are made for a system call.  UINT64_MAX: not known. */
static uint64_t faults_had(const struct looking *looking)
{
	const struct process *process = looking->process;
	uint64_t after = vmsnap_info(process->after)->faults, before = 0;
	if (!process->born.time && process->before)
		before = vmsnap_info(process->before)->faults;
	return after == UINT64_MAX || before == UINT64_MAX || after < before ? UINT64_MAX : after - before;
}

static uint64_t pages_of(const struct looking *looking, const struct vmsnap_blamed *item)
{
	return (item->end - item->start) / looking->index->page;
}

/* Each page that is new and has no fault was made by one that was not told, and so was each huge page: if it was not
 * made before, and moved or put together.  Of a process that was forked meanwhile its parent's may be among these; of
 * one that forked, those of who has its memory, if that is not told. */
static uint64_t made_untold(const struct looking *looking, size_t first)
{
	uint64_t made = 0, huge = looking->index->page / 8 * looking->index->page, last = 0;
	bool own = !looking->process->born.time && !looking->moved.count && !looking->collapsed.count &&
	           (looking->memory || !looking->forks);
	for (size_t i = first; own && i < looking->blame->count; i++) {
		const struct vmsnap_blamed *item = &looking->blame->items[i];
		bool counts = item->became == VMSNAP_BECAME_NEW || item->became == VMSNAP_BECAME_COPIED ||
		              item->became == VMSNAP_BECAME_PRIVATISED || item->became == VMSNAP_BECAME_FILLED;
		if (!counts || item->count || item->inherited)
			continue;
		if (is_huge(looking->process->after, item->start))
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

/* After a fork the kernel may have copied a page that was written to before; and one that it had made before that need
 * not have been copied by who wrote to it then. */
static void doubt_forked(struct looking *looking, size_t first)
{
	struct vmsnap_blame *blame = looking->blame;
	for (size_t i = first; looking->forks && i < blame->count; i++) {
		struct vmsnap_blamed *item = &blame->items[i];
		if (!is_definite(item))
			continue;
		const struct vmsnap_fault *fault = vmsnap_blame_fault(blame, item->first);
		item->doubtful = fault->time < looking->last_fork || fault->kind == VMSNAP_FAULT_WRITE_PROTECTED;
	}
}

/* Each that was not told may have made a page anew that was given back.  If these are as many as there are pages of
 * which who did it is known, it is not known of any. */
static void doubt_given_back(struct looking *looking, size_t first, uint64_t untold)
{
	struct vmsnap_blame *blame = looking->blame;
	uint64_t definite = 0;
	blame->untold = untold > UINT64_MAX - blame->untold ? UINT64_MAX : blame->untold + untold;
	for (size_t i = first; i < blame->count; i++)
		definite += is_definite(&blame->items[i]) ? pages_of(looking, &blame->items[i]) : 0;
	for (size_t i = first; untold != UINT64_MAX && untold >= definite && i < blame->count; i++)
		blame->items[i].doubtful |= is_definite(&blame->items[i]) && untold;
}

static bool is_child(const struct looking *looking, const struct vmsnap_fault_event *event)
{
	return event->kind == VMSNAP_FAULT_EVENT_FORK && event->pid == looking->whose.pid &&
	       event->time >= looking->whose.from && event->time <= looking->whose.to;
}

/* By one that may have had this memory (vfork). */
static bool written_by_child(const struct looking *looking, const struct vmsnap_blamed *item)
{
	struct blame_whose child = { .from = vmsnap_blame_fault(looking->blame, item->first)->time,
		                     .to = looking->whose.to };
	bool wrote = looking->forks > CHILDREN_MOST;
	for (size_t i = 0; !wrote && i < looking->forks; i++) {
		child.pid = looking->children[i];
		wrote = blame_index_any_write(looking->index, &child, item->start, item->end);
	}
	return wrote;
}

static void doubt_children(struct looking *looking, size_t first)
{
	struct vmsnap_blame *blame = looking->blame;
	for (size_t i = first; looking->forks && i < blame->count; i++)
		if (is_definite(&blame->items[i]) && written_by_child(looking, &blame->items[i]))
			blame->items[i].doubtful = true;
}

static void doubt(struct looking *looking, size_t first)
{
	uint64_t had = faults_had(looking), known = looking->process->seen + made_untold(looking, first);
	uint64_t untold = had == UINT64_MAX ? UINT64_MAX : had > known ? had - known : 0;
	if (untold && untold != UINT64_MAX)
		doubt_forked(looking, first);
	if (!looking->memory)
		doubt_children(looking, first);
	if (!looking->memory)
		doubt_given_back(looking, first, untold);
}

/* Who has its parent's memory takes nothing of it. */
static void find_forks(struct looking *looking, const struct vmsnap_blame_options *options)
{
	work_count(&looking->blame->work, options->event_count);
	for (size_t i = 0; i < options->event_count; i++) {
		const struct vmsnap_fault_event *event = &options->events[i];
		if (!is_child(looking, event) ||
		    memory_owner_at(&looking->index->owners, event->child, event->time) != event->child)
			continue;
		if (looking->forks < CHILDREN_MOST)
			looking->children[looking->forks] = event->child;
		looking->forks++;
		looking->last_fork = event->time;
	}
}

static bool is_known(const struct process *process)
{
	return process->before || process->executed;
}

/* Its faults were watched from later on only: those of snapshots in between are not here. */
static bool was_watched(const struct vmsnap_blame *blame, const struct process *process)
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

static int find_ranges(struct looking *looking)
{
	enum {
		GONE = 1 << VMSNAP_MEMORY_EVENT_GIVEN_BACK | 1 << VMSNAP_MEMORY_EVENT_MOVED |
		       1 << VMSNAP_MEMORY_EVENT_HEAP_END,
		MAYBE = 1 << VMSNAP_MEMORY_EVENT_FREED,
		COLLAPSED = 1 << VMSNAP_MEMORY_EVENT_COLLAPSED,
		MOVED = 1 << VMSNAP_MEMORY_EVENT_MOVED
	};
	struct work *work = &looking->blame->work;
	int rc = blame_ranges_make(&looking->given_back, looking->index, &looking->whose, GONE, work);
	rc = rc ? rc : blame_ranges_make(&looking->maybe_given_back, looking->index, &looking->whose, MAYBE, work);
	rc = rc ? rc : blame_ranges_make(&looking->moved, looking->index, &looking->whose, MOVED, work);
	return rc ? rc : blame_ranges_make(&looking->collapsed, looking->index, &looking->whose, COLLAPSED, work);
}

/* Who has the memory of another of these (vfork, CLONE_VM) has the same pages. */
static bool is_anothers(const struct looking *looking)
{
	const struct vmsnap_blame *blame = looking->blame;
	bool anothers = false;
	for (size_t i = 0; looking->whose.pid != number_of(looking->process) && i < blame->process_count; i++)
		anothers |= number_of(&blame->processes[i]) == looking->whose.pid;
	return anothers;
}

static int blame_process(struct vmsnap_blame *blame, const struct blame_index *index, const struct process *process,
                         const struct vmsnap_blame_options *options, struct vmsnap_error *err)
{
	const struct vmsnap_info *after = vmsnap_info(process->after);
	uint64_t from = process->executed    ? process->executed
	                : process->born.time ? process->born.time
	                : process->before    ? (uint64_t)vmsnap_info(process->before)->monotonic
	                                     : 0;
	struct looking looking = {
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
	/* Nobody knows what it had before, or its parent. */
	if (!is_known(process) || is_anothers(&looking))
		return VMSNAP_OK;
	find_forks(&looking, options);
	struct vmsnap_compare_options how = { .size = sizeof(how),
		                              .cancelled = options->cancelled,
		                              .cancel_ctx = options->cancel_ctx };
	struct vmsnap_diff *diff = NULL;
	int rc = process->before ? vmsnap_diff_new_with(process->before, process->after, &how, &diff, err) : VMSNAP_OK;
	if (rc)
		return rc;
	looking.rc = find_ranges(&looking);
	bool other = process->executed || !diff || vmsnap_diff_relation(diff) != VMSNAP_RELATION_COMPARABLE;
	if (other && !process->executed && !process->born.time)
		looking.whose.to = 0; /* since when it is this program is not known */
	size_t first = blame->count;
	if (other)
		all_new(&looking);
	else
		compare(&looking, diff);
	if (!other && !has_frames(diff))
		add_rewritten(&looking, first);
	if (!looking.rc)
		doubt(&looking, first);
	vmsnap_diff_free(diff);
	blame_ranges_free(&looking.given_back, &blame->work);
	blame_ranges_free(&looking.maybe_given_back, &blame->work);
	blame_ranges_free(&looking.collapsed, &blame->work);
	blame_ranges_free(&looking.moved, &blame->work);
	return looking.rc ? work_fail(&blame->work, looking.rc, err) : VMSNAP_OK;
}

/* ---- which processes -------------------------------------------------------------------- */

static const struct vmsnap *find_pid(const struct vmsnap *const *snaps, size_t count, int32_t pid)
{
	for (size_t i = 0; i < count; i++)
		if ((int32_t)vmsnap_info(snaps[i])->tgid == pid)
			return snaps[i];
	return NULL;
}

/* Of one that was forked meanwhile what its parent had before is what it began with; or its parent's parent. */
static void find_birth(struct process *process, const struct vmsnap *const *before, size_t before_count,
                       const struct vmsnap_blame_options *options)
{
	int32_t pid = (int32_t)vmsnap_info(process->after)->tgid;
	for (size_t i = options->event_count; i-- > 0;) {
		const struct vmsnap_fault_event *event = &options->events[i];
		if (event->kind == VMSNAP_FAULT_EVENT_EXEC && event->pid == pid && !process->executed)
			process->executed = event->time;
		if (event->kind != VMSNAP_FAULT_EVENT_FORK || event->child != pid || process->before)
			continue;
		if (!process->born.time)
			process->born = *event;
		process->before = vmsnap_ref(find_pid(before, before_count, event->pid));
		pid = event->pid;
	}
}

static void find_before(struct process *process, const struct vmsnap *const *before, size_t before_count)
{
	for (size_t i = 0; i < before_count && !process->before; i++)
		if (vmsnap_same_process(before[i], process->after))
			process->before = vmsnap_ref(before[i]);
}

static int add_processes(struct vmsnap_blame *blame, const struct vmsnap *const *before, size_t before_count,
                         const struct vmsnap *const *after, size_t after_count,
                         const struct vmsnap_blame_options *options)
{
	int rc = VMSNAP_OK;
	blame->processes = work_array(&blame->work, after_count + 1, sizeof(*blame->processes), &rc);
	for (size_t i = 0; !rc && i < after_count; i++) {
		struct process *process = &blame->processes[blame->process_count++];
		process->after = vmsnap_ref(after[i]);
		find_before(process, before, before_count);
		find_birth(process, before, before_count, options);
	}
	return rc;
}

/* ---- the public functions --------------------------------------------------------------- */

static uint64_t heap_end(const struct vmsnap *snap)
{
	const struct vmsnap_vma *vma;
	uint64_t end = 0;
	for (size_t i = 0; snap && (vma = vmsnap_vma(snap, i)); i++)
		if (!strcmp(vma->name, "[heap]"))
			end = vma->end;
	return end;
}

static struct blame_heap heap_of(const struct vmsnap *snap)
{
	const struct vmsnap_info *info = snap ? vmsnap_info(snap) : NULL;
	uint64_t monotonic = info && info->monotonic > 0 ? (uint64_t)info->monotonic : 0;
	return (struct blame_heap){ .pid = info ? (int32_t)info->tgid : 0, .from = monotonic, .top = heap_end(snap) };
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
		const struct process *process = &blame->processes[i];
		uint64_t until = (uint64_t)vmsnap_info(process->after)->monotonic;
		ends[2 * i] = heap_of(process->before);
		ends[2 * i + 1] = heap_of(process->after);
		ends[2 * i + 1].from = until ? until : UINT64_MAX;
		index->until = until && until < index->until ? index->until : until ? until : UINT64_MAX;
	}
	return blame_index_make(index, &blame->work);
}

static int by_number(const void *x, const void *y, const void *ctx)
{
	int32_t a = number_of(*(struct process *const *)x), b = number_of(*(struct process *const *)y);
	(void)ctx;
	return (a > b) - (a < b);
}

static bool has_seen(const struct process *process, const struct vmsnap_fault *fault)
{
	int64_t to = vmsnap_info(process->after)->monotonic;
	uint64_t from = process->born.time ? process->born.time
	                : process->before  ? (uint64_t)vmsnap_info(process->before)->monotonic
	                                   : 0;
	return fault->time >= from && (!to || fault->time <= (uint64_t)to);
}

static int count_seen(struct vmsnap_blame *blame)
{
	int rc = VMSNAP_OK;
	size_t count = blame->process_count;
	struct process **order = work_array(&blame->work, count + 1, sizeof(struct process *), &rc);
	for (size_t i = 0; !rc && i < count; i++)
		order[i] = &blame->processes[i];
	rc = rc ? rc : work_sort(&blame->work, order, count, sizeof(struct process *), by_number, NULL);
	for (size_t i = 0; !rc && i < vmsnap_faults_count(blame->faults); i++) {
		const struct vmsnap_fault *fault = vmsnap_faults_at(blame->faults, i);
		size_t low = 0, high = count;
		while (low < high) {
			size_t middle = low + (high - low) / 2;
			low = number_of(order[middle]) < fault->pid ? middle + 1 : low;
			high = number_of(order[middle]) < fault->pid ? high : middle;
		}
		if (low < count && number_of(order[low]) == fault->pid && has_seen(order[low], fault))
			order[low]->seen++;
		rc = work_step(&blame->work);
	}
	work_free(&blame->work, order, count + 1, sizeof(struct process *));
	return rc;
}

static int blame_all(struct vmsnap_blame *blame, const struct vmsnap_blame_options *options, struct vmsnap_error *err)
{
	struct blame_index index = { .count = 0 };
	int rc = VMSNAP_OK;
	size_t room = 2 * blame->process_count + 1;
	struct blame_heap *ends = work_array(&blame->work, room, sizeof(*ends), &rc);
	rc = rc ? rc : count_seen(blame);
	rc = rc ? rc : make_index(blame, ends, &index);
	if (rc)
		work_fail(&blame->work, rc, err);
	for (size_t i = 0; !rc && i < blame->process_count; i++)
		rc = blame_process(blame, &index, &blame->processes[i], options, err);
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
	rc = add_processes(blame, before, before_count, after, after_count, &how);
	rc = rc ? work_fail(&blame->work, rc, err) : blame_all(blame, &how, err);
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
	return index < blame->process_count && is_known(&blame->processes[index]);
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
	return index < blame->picked_count ? vmsnap_faults_at(blame->faults, blame->picked[index]) : NULL;
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
