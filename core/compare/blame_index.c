#include "blame_index.h"

#include <string.h>

#include "earliest.h"

/* ---- what became of what faults made ----------------------------------------------------- */

static int by_place(const void *x, const void *y, const void *ctx)
{
	const struct blame_entry *a = x, *b = y;
	(void)ctx;
	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	if (a->page != b->page)
		return a->page < b->page ? -1 : 1;
	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	return (a->fault > b->fault) - (a->fault < b->fault);
}

/* Entries [begin, end) by their pages: of each page the first that is still there, and the first of these that is so
 * for certain; and since when. */
struct sweep {
	struct blame_index *index;
	struct work *work;
	size_t begin, end;
	size_t *first; /* of each page; behind the last one, .end */
	size_t *alive, *certain;
	struct earliest alive_since, certain_since;
	size_t count, room;
	int rc;
};

static const struct blame_entry *entry_of(const struct sweep *sweep, size_t page)
{
	return &sweep->index->entries[sweep->first[page]];
}

static uint64_t since(const struct sweep *sweep, size_t page, size_t at)
{
	return at < sweep->first[page + 1] ? sweep->index->entries[at].from : UINT64_MAX;
}

static void set_certain(struct sweep *sweep, size_t page, size_t at)
{
	sweep->certain[page] = at;
	earliest_set(&sweep->certain_since, page, since(sweep, page, at));
}

static void set_alive(struct sweep *sweep, size_t page, size_t at)
{
	sweep->alive[page] = at;
	earliest_set(&sweep->alive_since, page, since(sweep, page, at));
	if (sweep->certain[page] < at)
		set_certain(sweep, page, at);
}

static void find_pages(struct sweep *sweep)
{
	const struct blame_entry *entries = sweep->index->entries;
	sweep->room = sweep->end - sweep->begin + 1;
	sweep->alive = work_array(sweep->work, sweep->room, sizeof(*sweep->alive), &sweep->rc);
	sweep->first = work_array(sweep->work, sweep->room, sizeof(*sweep->first), &sweep->rc);
	sweep->certain = work_array(sweep->work, sweep->room, sizeof(*sweep->certain), &sweep->rc);
	sweep->rc = sweep->rc ? sweep->rc : earliest_make(&sweep->alive_since, sweep->room, sweep->work);
	sweep->rc = sweep->rc ? sweep->rc : earliest_make(&sweep->certain_since, sweep->room, sweep->work);
	if (sweep->rc)
		return;
	for (size_t i = sweep->begin; i < sweep->end; i++)
		if (i == sweep->begin || entries[i].pid != entries[i - 1].pid || entries[i].page != entries[i - 1].page)
			sweep->first[sweep->count++] = i;
	sweep->first[sweep->count] = sweep->end;
	for (size_t i = 0; i < sweep->count; i++) {
		set_certain(sweep, i, sweep->first[i]);
		set_alive(sweep, i, sweep->first[i]);
	}
}

static size_t page_from(const struct sweep *sweep, int32_t pid, uint64_t start)
{
	size_t low = 0, high = sweep->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct blame_entry *entry = entry_of(sweep, middle);
		if (entry->pid < pid || (entry->pid == pid && entry->page < start))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void add_moved(struct sweep *sweep, const struct blame_entry *from, const struct vmsnap_memory_event *event)
{
	struct blame_index *index = sweep->index;
	struct blame_entry moved = *from;
	moved.page = event->to + (from->page - event->start);
	moved.from = event->time;
	moved.until = UINT64_MAX;
	if (WORK_ROOM(sweep->work, index->entries, index->count, &index->room, &sweep->rc))
		index->entries[index->count++] = moved;
}

/* When what gave back was over: what came meanwhile may be gone, or not. */
static uint64_t over_at(const struct vmsnap_memory_event *event)
{
	bool told = event->kind == VMSNAP_MEMORY_EVENT_GIVEN_BACK || event->kind == VMSNAP_MEMORY_EVENT_FREED ||
	            event->kind == VMSNAP_MEMORY_EVENT_HEAP_END;
	return told && event->to > event->time ? event->to : event->time;
}

/* What was there by then may be gone. */
static void doubt_on_page(struct sweep *sweep, size_t page, uint64_t until)
{
	struct blame_entry *entries = sweep->index->entries;
	size_t at = sweep->certain[page];
	for (; at < sweep->first[page + 1] && entries[at].from < until; at++)
		entries[at].maybe = 1;
	set_certain(sweep, page, at);
}

/* It is. */
static void end_on_page(struct sweep *sweep, size_t page, const struct vmsnap_memory_event *event)
{
	struct blame_index *index = sweep->index;
	size_t at = sweep->alive[page];
	for (; !sweep->rc && at < sweep->first[page + 1] && index->entries[at].from < event->time; at++) {
		index->entries[at].until = event->time;
		if (event->kind == VMSNAP_MEMORY_EVENT_MOVED) {
			const struct blame_entry entry = index->entries[at];
			add_moved(sweep, &entry, event);
		}
	}
	set_alive(sweep, page, at);
	doubt_on_page(sweep, page, over_at(event));
}

/* Pages that have nothing left, or had nothing yet, are stepped over. */
static void end_all(struct sweep *sweep, const struct blame_act *act)
{
	const struct vmsnap_memory_event *event = vmsnap_faults_memory_event(sweep->index->faults, act->which);
	bool freed = event->kind == VMSNAP_MEMORY_EVENT_FREED;
	const struct earliest *since = freed ? &sweep->certain_since : &sweep->alive_since;
	for (size_t page = page_from(sweep, act->pid, event->start); !sweep->rc; page++) {
		page = earliest_next(since, page, over_at(event));
		if (page >= sweep->count || entry_of(sweep, page)->pid != act->pid ||
		    entry_of(sweep, page)->page >= act->end)
			break;
		if (freed)
			doubt_on_page(sweep, page, over_at(event));
		else
			end_on_page(sweep, page, event);
		sweep->rc = sweep->rc ? sweep->rc : work_step(sweep->work);
	}
}

static void run_acts(struct sweep *sweep)
{
	for (size_t i = 0; !sweep->rc && i < sweep->index->act_count; i++) {
		const struct blame_act *act = &sweep->index->acts[i];
		if (vmsnap_faults_memory_event(sweep->index->faults, act->which)->kind != VMSNAP_MEMORY_EVENT_COLLAPSED)
			end_all(sweep, act);
		sweep->rc = sweep->rc ? sweep->rc : work_step(sweep->work);
	}
}

static int sweep_from(struct blame_index *index, size_t begin, struct work *work)
{
	struct sweep sweep = { .index = index, .work = work, .begin = begin, .end = index->count };
	find_pages(&sweep);
	if (!sweep.rc)
		run_acts(&sweep);
	work_free(work, sweep.alive, sweep.room, sizeof(*sweep.alive));
	work_free(work, sweep.first, sweep.room, sizeof(*sweep.first));
	work_free(work, sweep.certain, sweep.room, sizeof(*sweep.certain));
	earliest_free(&sweep.alive_since, work);
	earliest_free(&sweep.certain_since, work);
	return sweep.rc;
}

static int sort_from(const struct blame_index *index, size_t begin, struct work *work)
{
	return work_sort(work, index->entries + begin, index->count - begin, sizeof(*index->entries), by_place, NULL);
}

/* What was moved may be given back, or moved on: that is for the next round.  Of what was moved more often nothing is
 * known. */
static int follow_events(struct blame_index *index, struct work *work)
{
	enum { ROUNDS = 64 };
	size_t begin = 0, end = index->count;
	int rc = VMSNAP_OK;
	for (int round = 0; !rc && begin < end && round < ROUNDS; round++) {
		rc = sweep_from(index, begin, work);
		begin = end;
		end = index->count;
		rc = rc ? rc : sort_from(index, begin, work);
	}
	index->count = begin < end ? begin : index->count;
	return rc ? rc : sort_from(index, 0, work);
}

static int by_whose(const void *x, const void *y, const void *ctx)
{
	const struct blame_act *a = x, *b = y;
	(void)ctx;
	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return (a->which > b->which) - (a->which < b->which);
}

/* Above its new end a heap has nothing any more. */
static int make_acts(struct blame_index *index, struct work *work)
{
	const struct vmsnap_memory_event *event;
	int rc = VMSNAP_OK;
	for (uint32_t i = 0; !rc && (event = vmsnap_faults_memory_event(index->faults, i)); i++) {
		int32_t pid = memory_owner_at(&index->owners, event->pid, event->time);
		uint64_t end = event->kind == VMSNAP_MEMORY_EVENT_HEAP_END
		                       ? blame_heap_top(&index->heaps, pid, event->time)
		                       : event->end;
		if (event->time > index->until)
			break;
		if (event->kind != VMSNAP_MEMORY_EVENT_SHARED && event->start < end &&
		    WORK_ROOM(work, index->acts, index->act_count, &index->act_room, &rc))
			index->acts[index->act_count++] = (struct blame_act){ end, pid, i };
		rc = rc ? rc : work_step(work);
	}
	return rc ? rc : work_sort(work, index->acts, index->act_count, sizeof(*index->acts), by_whose, NULL);
}

static void add_entry(struct blame_index *index, uint32_t which)
{
	const struct vmsnap_fault *fault = vmsnap_faults_at(index->faults, which);
	index->entries[index->count++] = (struct blame_entry){
		.page = fault->address & ~(index->page - 1),
		.from = fault->time,
		.until = UINT64_MAX,
		.pid = memory_owner_at(&index->owners, fault->pid, fault->time),
		.fault = which & INT32_MAX,
	};
}

int blame_index_make(struct blame_index *index, struct work *work)
{
	int rc = memory_owners_make(&index->owners, index->faults, work);
	rc = rc ? rc
	        : blame_heaps_make(&index->heaps, index->faults, &index->owners, index->ends, index->end_count, work);
	rc = rc ? rc : make_acts(index, work);
	size_t count = vmsnap_faults_count(index->faults);
	index->entries = rc ? NULL : work_array(work, count + 1, sizeof(*index->entries), &rc);
	index->room = index->entries ? count + 1 : 0;
	for (size_t i = 0; !rc && i < count; i++)
		add_entry(index, (uint32_t)i);
	rc = rc ? rc : sort_from(index, 0, work);
	return rc || !index->act_count ? rc : follow_events(index, work);
}

void blame_index_free(struct blame_index *index, struct work *work)
{
	work_free(work, index->entries, index->room, sizeof(*index->entries));
	work_free(work, index->acts, index->act_room, sizeof(*index->acts));
	blame_heaps_free(&index->heaps, work);
	memory_owners_free(&index->owners, work);
	index->entries = NULL;
	index->acts = NULL;
}

static size_t first_from(const struct blame_index *index, int32_t pid, uint64_t start)
{
	size_t low = 0, high = index->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct blame_entry *entry = &index->entries[middle];
		if (entry->pid < pid || (entry->pid == pid && entry->page < start))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* ---- which may have done it ------------------------------------------------------------- */

static bool writes(const struct vmsnap_fault *fault)
{
	return fault->kind == VMSNAP_FAULT_WRITE_NEW || fault->kind == VMSNAP_FAULT_WRITE_PROTECTED ||
	       fault->kind == VMSNAP_FAULT_WRITE || fault->kind == VMSNAP_FAULT_UNKNOWN;
}

/* The page was not there when it came. */
static bool from_nothing(const struct vmsnap_fault *fault)
{
	return fault->kind == VMSNAP_FAULT_READ || fault->kind == VMSNAP_FAULT_FETCH ||
	       fault->kind == VMSNAP_FAULT_WRITE_NEW;
}

/* What brings a page in does not change it, and may be any access; all else is a write. */
static bool may_have_done(const struct vmsnap_fault *fault, int became)
{
	bool any = became == VMSNAP_BECAME_MAPPED || became == VMSNAP_BECAME_SWAPPED_IN;
	return any ? fault->kind != VMSNAP_FAULT_WRITE_PROTECTED : writes(fault);
}

/* A fault of a page that was not there undoes what its thread did to the page before: that was over by then.  What
 * another thread did at the same time need not have been. */
static bool undone(const struct vmsnap_fault *fault, const struct vmsnap_fault *later)
{
	return from_nothing(later) && later->tid == fault->tid;
}

static bool in_time(const struct blame_entry *entry, const struct vmsnap_fault *fault, const struct blame_whose *whose)
{
	return fault->time >= whose->from && entry->from <= whose->to;
}

/* A page that may have been taken was so if it was not there later. */
static bool is_undone(const struct blame_index *index, const struct blame_whose *whose, size_t which, size_t last)
{
	enum { MOST = 64 };
	const struct blame_entry *entry = &index->entries[which];
	const struct vmsnap_fault *fault = vmsnap_faults_at(index->faults, entry->fault);
	if (entry->until <= whose->to)
		return true;
	for (size_t i = which + 1; i < last && i < which + MOST; i++) {
		const struct blame_entry *later = &index->entries[i];
		const struct vmsnap_fault *other = vmsnap_faults_at(index->faults, later->fault);
		if (in_time(later, other, whose) && (undone(fault, other) || (entry->maybe && from_nothing(other))))
			return true;
	}
	return false;
}

static void pick_on_page(const struct blame_index *index, const struct blame_whose *whose, size_t first, size_t last,
                         int became, struct blame_picks *picks)
{
	for (size_t i = first; i < last; i++) {
		const struct blame_entry *entry = &index->entries[i];
		const struct vmsnap_fault *fault = vmsnap_faults_at(index->faults, entry->fault);
		if (!in_time(entry, fault, whose) || !may_have_done(fault, became) || is_undone(index, whose, i, last))
			continue;
		if (picks->count < BLAME_PICKED_MAX)
			picks->items[picks->count] = entry->fault;
		picks->count++;
		picks->maybe |= entry->maybe;
	}
}

void blame_index_pick(const struct blame_index *index, const struct blame_whose *whose, uint64_t start, uint64_t end,
                      int became, struct blame_picks *picks)
{
	size_t at = first_from(index, whose->pid, start);
	while (at < index->count) {
		const struct blame_entry *entry = &index->entries[at];
		size_t last = at + 1;
		if (entry->pid != whose->pid || entry->page >= end)
			break;
		while (last < index->count && index->entries[last].page == entry->page &&
		       index->entries[last].pid == entry->pid)
			last++;
		pick_on_page(index, whose, at, last, became, picks);
		at = last;
	}
}

bool blame_index_next_page(const struct blame_index *index, const struct blame_whose *whose, size_t *at, uint64_t *page)
{
	size_t next = *at ? *at : first_from(index, whose->pid, 0);
	while (*at && next < index->count && index->entries[next].pid == whose->pid &&
	       index->entries[next].page == *page)
		next++;
	if (next == index->count || index->entries[next].pid != whose->pid)
		return false;
	*page = index->entries[next].page;
	*at = next + 1;
	return true;
}

bool blame_index_any_write(const struct blame_index *index, const struct blame_whose *whose, uint64_t start,
                           uint64_t end)
{
	struct blame_picks picks = { .count = 0 };
	blame_index_pick(index, whose, start, end, VMSNAP_BECAME_WRITTEN, &picks);
	return picks.count > 0;
}
