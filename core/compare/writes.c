#include "writes.h"

#include <string.h>

#include "facts.h"

static bool is_tracked(const struct vmsnap *snap)
{
	return snap->info.known.written && snap->info.written_since && vmsnap_layer_known(snap, VMSNAP_LAYER_WRITTEN);
}

/* Whether it lies between them in time and is tracked since A at the earliest. */
static bool is_between(const struct vmsnap *snap, const struct vmsnap *a, const struct vmsnap *b)
{
	return snap && facts_same_process(snap, a) && snap->info.page_size == a->info.page_size &&
	       snap->info.monotonic > a->info.monotonic && snap->info.monotonic < b->info.monotonic &&
	       is_tracked(snap) && snap->info.written_since >= a->info.monotonic;
}

/* Whether what B and those between tell goes back to A without a gap. */
static bool reaches(const struct writes *writes)
{
	int64_t since = writes->b->info.written_since;
	for (bool further = true; since != writes->a->info.monotonic && further;) {
		further = false;
		for (size_t i = 0; !further && i < writes->between_count; i++) {
			const struct vmsnap *snap = writes->between[i];
			further = is_between(snap, writes->a, writes->b) && snap->info.monotonic == since &&
			          snap->info.written_since < since;
			since = further ? snap->info.written_since : since;
		}
	}
	return since == writes->a->info.monotonic;
}

static void find_tracking(struct writes *writes, const struct vmsnap_compare_options *options)
{
	const struct vmsnap *a = writes->a, *b = writes->b;
	if (writes->one_look || !facts_same_process(a, b) || !is_tracked(b) || !a->info.monotonic ||
	    a->info.page_size != b->info.page_size)
		return;
	writes->between = options ? options->between : NULL;
	writes->between_count = writes->between ? options->between_count : 0;
	writes->whole = reaches(writes);
	/* Tracked since before A: it may have been written before that. */
	writes->tracked = writes->whole || b->info.written_since > a->info.monotonic;
}

struct writes writes_between(const struct vmsnap *a, const struct vmsnap *b,
                             const struct vmsnap_compare_options *options)
{
	const struct vmsnap_info *in_a = &a->info, *in_b = &b->info;
	bool boot = facts_same_boot(a, b);
	struct writes writes = {
		.a = a, .b = b, .frames = in_a->known.pfn && in_b->known.pfn && boot, .asked = UINT64_MAX
	};
	writes.one_instant = boot && in_a->monotonic && in_a->monotonic == in_b->monotonic;
	writes.one_look = a == b || (writes.one_instant && facts_same_process(a, b) && in_a->taken == in_b->taken);
	writes.contents = !writes.one_look && vmsnap_contents_kind(a) != VMSNAP_CONTENTS_NONE &&
	                  vmsnap_contents_kind(b) != VMSNAP_CONTENTS_NONE && in_a->page_size == in_b->page_size;
	find_tracking(&writes, options);
	writes.told = writes.contents || writes.tracked;
	return writes;
}

/* What one snapshot tells of the page that it has at `at`. */
static enum writes_answer tracked_in(const struct vmsnap *snap, uint64_t at, uint64_t *until)
{
	static const enum writes_answer answers[] = { [VMSNAP_PAGE_NOT_WRITTEN] = WRITES_NONE,
		                                      [VMSNAP_PAGE_WAS_WRITTEN] = WRITES_SOME,
		                                      [VMSNAP_PAGE_MAYBE_WRITTEN] = WRITES_UNKNOWN };
	uint64_t end;
	int written = vmsnap_written_at(snap, at, &end);
	if (end > at && end < *until)
		*until = end;
	return answers[written];
}

/* Written in B or in any between.  Of memory that moved only B tells: where it was in between is not asked. */
static enum writes_answer tracked_at(const struct writes *writes, uint64_t at, uint64_t shift, uint64_t *until)
{
	enum writes_answer answer = tracked_in(writes->b, at, until);
	bool none = answer == WRITES_NONE && writes->whole && !shift;
	for (size_t i = 0; !shift && answer != WRITES_SOME && i < writes->between_count; i++) {
		if (!is_between(writes->between[i], writes->a, writes->b))
			continue;
		enum writes_answer in = tracked_in(writes->between[i], at, until);
		none &= in == WRITES_NONE;
		answer = in == WRITES_SOME ? in : answer;
	}
	return answer == WRITES_SOME ? WRITES_SOME : none ? WRITES_NONE : WRITES_UNKNOWN;
}

static enum writes_answer compare_page(const struct writes *writes, uint64_t at, uint64_t shift)
{
	uint8_t in_a[VMSNAP_CONTENTS_HASH_SIZE], in_b[VMSNAP_CONTENTS_HASH_SIZE];
	if (vmsnap_contents_hash(writes->a, at + shift, in_a) || vmsnap_contents_hash(writes->b, at, in_b))
		return WRITES_UNKNOWN;
	return memcmp(in_a, in_b, sizeof(in_a)) ? WRITES_SOME : WRITES_NONE;
}

static enum writes_answer moved_at(const struct writes *writes, uint64_t at, uint64_t shift, uint64_t *until)
{
	uint64_t page_size = writes->b->info.page_size;
	enum writes_answer answer = compare_page(writes, at, shift);
	for (uint64_t next = at + page_size; next < *until; next += page_size)
		if (compare_page(writes, next, shift) != answer)
			*until = next;
	return answer;
}

enum writes_answer writes_contents_at(struct writes *writes, uint64_t at, uint64_t *until)
{
	if (at < writes->asked || at > writes->last) {
		uint64_t end;
		writes->asked = at;
		if (vmsnap_contents_compare(writes->a, writes->b, at, &writes->start, &end, &writes->differ))
			writes->start = writes->last = UINT64_MAX;
		else
			writes->last = end - 1;
	}
	bool inside = writes->start <= at;
	uint64_t edge = inside ? writes->last : writes->start - 1;
	if (edge < *until - 1)
		*until = edge + 1;
	return !inside ? WRITES_UNKNOWN : writes->differ ? WRITES_SOME : WRITES_NONE;
}

enum writes_answer writes_at(struct writes *writes, uint64_t at, uint64_t shift, uint64_t *until)
{
	enum writes_answer answer = WRITES_UNKNOWN;
	if (writes->contents)
		answer = shift ? moved_at(writes, at, shift, until) : writes_contents_at(writes, at, until);
	if (answer == WRITES_UNKNOWN && writes->tracked)
		answer = tracked_at(writes, at, shift, until);
	return answer;
}
