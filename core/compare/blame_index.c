#include "blame_index.h"

#include <string.h>

struct key {
	int32_t pid;
	uint64_t page;
	uint64_t time;
	uint32_t index;
};

static struct key key_of(const struct blame_index *index, uint32_t which)
{
	const struct vmsnap_fault *fault = vmsnap_faults_at(index->faults, which);
	return (struct key){ fault->pid, fault->address & ~(index->page - 1), fault->time, which };
}

static int by_place(const void *x, const void *y, const void *ctx)
{
	struct key a = key_of(ctx, *(const uint32_t *)x), b = key_of(ctx, *(const uint32_t *)y);
	if (a.pid != b.pid)
		return a.pid < b.pid ? -1 : 1;
	if (a.page != b.page)
		return a.page < b.page ? -1 : 1;
	return (a.index > b.index) - (a.index < b.index); /* they are in the order of time */
}

int blame_index_make(struct blame_index *index, const struct vmsnap_faults *faults, uint64_t page, struct work *work)
{
	int rc = VMSNAP_OK;
	*index = (struct blame_index){ .faults = faults, .count = vmsnap_faults_count(faults), .page = page };
	index->order = work_array(work, index->count + 1, sizeof(*index->order), &rc);
	for (size_t i = 0; !rc && i < index->count; i++)
		index->order[i] = (uint32_t)i;
	return rc ? rc : work_sort(work, index->order, index->count, sizeof(*index->order), by_place, index);
}

void blame_index_free(struct blame_index *index, struct work *work)
{
	work_free(work, index->order, index->count + 1, sizeof(*index->order));
	index->order = NULL;
}

static size_t first_from(const struct blame_index *index, int32_t pid, uint64_t start)
{
	size_t low = 0, high = index->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct key key = key_of(index, index->order[middle]);
		if (key.pid < pid || (key.pid == pid && key.page < start))
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

static bool in_time(const struct vmsnap_fault *fault, const struct blame_whose *whose)
{
	return fault->time >= whose->from && fault->time <= whose->to;
}

/* From the last one back, for what came later undoes. */
static size_t pick_on_page(const struct blame_index *index, const struct blame_whose *whose, size_t first, size_t last,
                           int became, uint32_t *picked, size_t room, size_t count)
{
	for (size_t i = first; i < last; i++) {
		const struct vmsnap_fault *fault = vmsnap_faults_at(index->faults, index->order[i]);
		bool gone = false;
		if (!in_time(fault, whose) || !may_have_done(fault, became))
			continue;
		for (size_t later = i + 1; !gone && later < last && later < i + 64; later++) {
			const struct vmsnap_fault *other = vmsnap_faults_at(index->faults, index->order[later]);
			gone = in_time(other, whose) && undone(fault, other);
		}
		if (gone)
			continue;
		if (count < room)
			picked[count] = index->order[i];
		count++;
	}
	return count;
}

size_t blame_index_pick(const struct blame_index *index, const struct blame_whose *whose, uint64_t start, uint64_t end,
                        int became, uint32_t *picked, size_t room)
{
	size_t at = first_from(index, whose->pid, start), count = 0;
	while (at < index->count) {
		struct key key = key_of(index, index->order[at]);
		size_t last = at + 1;
		if (key.pid != whose->pid || key.page >= end)
			break;
		while (last < index->count && key_of(index, index->order[last]).page == key.page &&
		       key_of(index, index->order[last]).pid == key.pid)
			last++;
		count = pick_on_page(index, whose, at, last, became, picked, room, count);
		at = last;
	}
	return count;
}

bool blame_index_any_write(const struct blame_index *index, const struct blame_whose *whose, uint64_t start,
                           uint64_t end)
{
	uint32_t one;
	return blame_index_pick(index, whose, start, end, VMSNAP_BECAME_WRITTEN, &one, 1) > 0;
}
