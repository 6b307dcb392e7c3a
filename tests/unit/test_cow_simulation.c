/* test_cow_simulation.c - a small model of what fork() and writes do to frames
 * (Linux 5.8 and later: the last owner of a page writes in place).  It knows what
 * each process did to each page; the verdicts have to find that out from the
 * snapshots. */
#include "test_diff_fixture.h"

#include <stdio.h>

enum { PAGES = 20000, VMA_PAGES = 40, FRAMES = 16 * PAGES };
enum who { PARENT, CHILD, THIRD, PROCESSES };
enum state { NONE, READ_ZERO, READ_FILE, PRIVATE };

struct slot {
	enum state state;
	uint32_t frame; /* of a private page */
	bool left;      /* it has not the frame of the fork, or never had */
};

struct world {
	uint64_t random;
	size_t processes; /* with a third one that shares frames, or without */
	uint32_t next_frame;
	uint32_t owners[FRAMES];
	struct slot slots[PAGES][PROCESSES];
	enum state at_fork[PAGES];
};

static bool is_file(size_t page)
{
	return page / VMA_PAGES % 2;
}

static void let_go(struct world *w, struct slot *slot)
{
	if (slot->state == PRIVATE)
		w->owners[slot->frame]--;
	slot->left = true;
	slot->state = NONE;
}

static void read_page(struct slot *slot, size_t page)
{
	if (slot->state == NONE)
		slot->state = is_file(page) ? READ_FILE : READ_ZERO;
}

static void write_page(struct world *w, struct slot *slot)
{
	if (slot->state == PRIVATE && w->owners[slot->frame] == 1)
		return;
	let_go(w, slot);
	assert_true(w->next_frame < FRAMES);
	*slot = (struct slot){ .state = PRIVATE, .frame = w->next_frame++, .left = true };
	w->owners[slot->frame] = 1;
}

static void act(struct world *w, size_t page, enum who who)
{
	struct slot *slot = &w->slots[page][who];
	uint64_t what = random_below(&w->random, 10);
	if (what < 5)
		write_page(w, slot);
	else if (what < 9)
		read_page(slot, page);
	else
		let_go(w, slot);
}

/* Page tables are copied only for VMAs that have private pages. */
static void fork_vma(struct world *w, size_t first)
{
	bool has_private = false;
	for (size_t page = first; page < first + VMA_PAGES; page++)
		has_private |= w->slots[page][PARENT].state == PRIVATE;
	for (size_t page = first; page < first + VMA_PAGES; page++) {
		struct slot *parent = &w->slots[page][PARENT];
		w->at_fork[page] = parent->state;
		parent->left = false;
		for (size_t who = CHILD; has_private && who < w->processes; who++) {
			w->slots[page][who] = *parent;
			if (parent->state == PRIVATE)
				w->owners[parent->frame]++;
		}
	}
}

static struct vmsnap *look(const struct world *w, enum who who)
{
	struct vmsnap *snap = make_snap();
	snap->info.pid = snap->info.tgid = 10 + who;
	snap->info.ppid = who == PARENT ? 1 : 10;
	snap->info.start_time = 10 + who;
	snap->info.freeze = VMSNAP_FREEZE_DEBUGGER;
	for (size_t page = 0; page < PAGES; page += VMA_PAGES) {
		if (is_file(page))
			add_file(snap, page, page + VMA_PAGES, "rw-p", "/lib/x.so", 99, page);
		else
			add_anon(snap, page, page + VMA_PAGES, "rw-p", "");
	}
	for (size_t page = 0; page < PAGES; page++) {
		const struct slot *slot = &w->slots[page][who];
		uint32_t pfn = slot->frame + 1000;
		if (slot->state == READ_ZERO)
			add_pages(snap, page, 1, ZEROPAGE);
		else if (slot->state == READ_FILE)
			add_pages(snap, page, 1, CACHED(10000000 + page));
		else if (slot->state == PRIVATE)
			add_pages(snap, page, 1, w->owners[slot->frame] == 1 ? OWNED(pfn) : ANON(pfn));
	}
	return snap;
}

/* What happened, as the processes know it.  -1: nothing is there. */
static int truth_of_two(const struct world *w, size_t page)
{
	const struct slot *parent = &w->slots[page][PARENT], *child = &w->slots[page][CHILD];
	switch (w->at_fork[page]) {
	case PRIVATE:
		if (!parent->left && !child->left)
			return VMSNAP_VERDICT_SHARED;
		if (parent->left && child->left)
			return VMSNAP_VERDICT_COPIED_BY_BOTH;
		return parent->left ? VMSNAP_VERDICT_COPIED_BY_PARENT : VMSNAP_VERDICT_COPIED_BY_CHILD;
	case READ_ZERO:
		return VMSNAP_VERDICT_ZERO_WRITTEN_BY_BOTH;
	default:
		return is_file(page) ? VMSNAP_VERDICT_COPIED_BY_BOTH : VMSNAP_VERDICT_NEW_IN_BOTH;
	}
}

static int truth_of_one(const struct world *w, size_t page, bool by_child)
{
	switch (w->at_fork[page]) {
	case PRIVATE:
		return by_child ? VMSNAP_VERDICT_DROPPED_BY_PARENT : VMSNAP_VERDICT_DROPPED_BY_CHILD;
	case READ_ZERO:
		return by_child ? VMSNAP_VERDICT_ZERO_WRITTEN_BY_CHILD : VMSNAP_VERDICT_ZERO_WRITTEN_BY_PARENT;
	default:
		if (is_file(page))
			return by_child ? VMSNAP_VERDICT_COPIED_BY_CHILD : VMSNAP_VERDICT_COPIED_BY_PARENT;
		return by_child ? VMSNAP_VERDICT_NEW_IN_CHILD : VMSNAP_VERDICT_NEW_IN_PARENT;
	}
}

static int truth(const struct world *w, size_t page)
{
	enum state parent = w->slots[page][PARENT].state, child = w->slots[page][CHILD].state;
	if (parent == PRIVATE && child == PRIVATE)
		return truth_of_two(w, page);
	if (parent == PRIVATE || child == PRIVATE)
		return truth_of_one(w, page, child == PRIVATE);
	if (w->at_fork[page] == PRIVATE)
		return VMSNAP_VERDICT_DROPPED_BY_BOTH;
	if (parent == NONE && child == NONE)
		return -1;
	if (is_file(page) || w->at_fork[page] == READ_ZERO)
		return is_file(page) ? VMSNAP_VERDICT_FILE : VMSNAP_VERDICT_ZERO_SHARED;
	return parent == NONE  ? VMSNAP_VERDICT_ZERO_IN_CHILD
	       : child == NONE ? VMSNAP_VERDICT_ZERO_IN_PARENT
	                       : VMSNAP_VERDICT_ZERO_IN_BOTH;
}

struct family {
	struct world *world;
	struct vmsnap *parent, *child, *base, *newborn; /* the last two at the fork */
};

static struct family live(uint64_t seed, size_t processes)
{
	struct family f = { .world = calloc(1, sizeof(*f.world)) };
	struct world *w = f.world;
	assert_non_null(w);
	w->random = seed * 2 + 1;
	w->processes = processes;
	for (size_t page = 0; page < PAGES; page++) {
		/* Some VMAs were only ever read, some never touched. */
		uint64_t mood = page / VMA_PAGES / 2 % 4;
		if (mood == 0)
			continue;
		for (uint64_t n = random_below(&w->random, 3); n; n--) {
			if (mood == 1)
				read_page(&w->slots[page][PARENT], page);
			else
				act(w, page, PARENT);
		}
	}
	for (size_t page = 0; page < PAGES; page += VMA_PAGES)
		fork_vma(w, page);
	f.base = look(w, PARENT);
	f.newborn = look(w, CHILD);
	f.newborn->info.faults = 1;
	for (size_t page = 0; page < PAGES; page++)
		for (uint64_t n = random_below(&w->random, 5); n; n--)
			act(w, page, (enum who)random_below(&w->random, processes));
	f.parent = look(w, PARENT);
	f.child = look(w, CHILD);
	return f;
}

static void bury(struct family *f)
{
	vmsnap_unref(f->parent);
	vmsnap_unref(f->child);
	vmsnap_unref(f->base);
	vmsnap_unref(f->newborn);
	free(f->world);
}

/* Verdicts by page; -1 where there is no range. */
static struct verdict_at {
	int verdict;
	bool inferred;
} * judge(const struct vmsnap *parent, const struct vmsnap *child, const struct vmsnap *base,
          const struct vmsnap *other)
{
	struct vmsnap_cow *cow = NULL;
	assert_int_equal(vmsnap_cow_new_between(parent, child, base, other, NULL, &cow, NULL), VMSNAP_OK);
	struct verdict_at *verdicts = malloc(PAGES * sizeof(*verdicts));
	assert_non_null(verdicts);
	for (size_t page = 0; page < PAGES; page++)
		verdicts[page] = (struct verdict_at){ .verdict = -1 };
	struct vmsnap_cow_range range;
	for (size_t i = 0; vmsnap_cow_range(cow, i, &range) == VMSNAP_OK; i++)
		for (uint64_t at = range.start; at < range.end; at += PAGE)
			verdicts[at / PAGE] = (struct verdict_at){ range.verdict, range.inferred };
	vmsnap_cow_free(cow);
	return verdicts;
}

static void verdicts_with_base_are_what_happened(void **state)
{
	(void)state;
	size_t seen[VMSNAP_VERDICT_COUNT] = { 0 };
	for (uint64_t seed = 1; seed <= 4; seed++) {
		struct family f = live(seed, seed % 2 ? 3 : 2);
		struct verdict_at *verdicts = judge(f.parent, f.child, f.base, f.newborn);
		for (size_t page = 0; page < PAGES; page++) {
			int expected = truth(f.world, page);
			if (verdicts[page].verdict != expected)
				fail_msg("page %zu: %s, but it is %s", page,
				         vmsnap_verdict_name(verdicts[page].verdict), vmsnap_verdict_name(expected));
			assert_false(verdicts[page].inferred);
			if (expected >= 0)
				seen[expected]++;
		}
		free(verdicts);
		bury(&f);
	}
	static const int must[] = { VMSNAP_VERDICT_SHARED,
		                    VMSNAP_VERDICT_COPIED_BY_CHILD,
		                    VMSNAP_VERDICT_COPIED_BY_PARENT,
		                    VMSNAP_VERDICT_COPIED_BY_BOTH,
		                    VMSNAP_VERDICT_NEW_IN_CHILD,
		                    VMSNAP_VERDICT_NEW_IN_PARENT,
		                    VMSNAP_VERDICT_NEW_IN_BOTH,
		                    VMSNAP_VERDICT_ZERO_SHARED,
		                    VMSNAP_VERDICT_ZERO_IN_CHILD,
		                    VMSNAP_VERDICT_ZERO_IN_PARENT,
		                    VMSNAP_VERDICT_ZERO_IN_BOTH,
		                    VMSNAP_VERDICT_ZERO_WRITTEN_BY_CHILD,
		                    VMSNAP_VERDICT_ZERO_WRITTEN_BY_PARENT,
		                    VMSNAP_VERDICT_ZERO_WRITTEN_BY_BOTH,
		                    VMSNAP_VERDICT_DROPPED_BY_CHILD,
		                    VMSNAP_VERDICT_DROPPED_BY_PARENT,
		                    VMSNAP_VERDICT_DROPPED_BY_BOTH,
		                    VMSNAP_VERDICT_FILE };
	for (size_t i = 0; i < sizeof(must) / sizeof(must[0]); i++)
		assert_true(seen[must[i]] > 50);
}

/* Without a base it cannot be known who copied; what is said must not be wrong. */
static void verdicts_without_base_do_not_contradict_what_happened(void **state)
{
	(void)state;
	struct family f = live(7, 3);
	struct verdict_at *verdicts = judge(f.parent, f.child, NULL, NULL);
	for (size_t page = 0; page < PAGES; page++) {
		int expected = truth(f.world, page), verdict = verdicts[page].verdict;
		const struct slot *slots = f.world->slots[page];
		bool two = slots[PARENT].state == PRIVATE && slots[CHILD].state == PRIVATE;
		assert_int_equal(verdict == VMSNAP_VERDICT_SHARED, expected == VMSNAP_VERDICT_SHARED);
		if (two)
			assert_true(verdict == VMSNAP_VERDICT_SHARED || verdict == VMSNAP_VERDICT_COPIED);
		else if (slots[PARENT].state == PRIVATE)
			assert_int_equal(verdict, VMSNAP_VERDICT_ONLY_IN_PARENT);
		else if (slots[CHILD].state == PRIVATE)
			assert_int_equal(verdict, VMSNAP_VERDICT_ONLY_IN_CHILD);
	}
	free(verdicts);
	bury(&f);
}

static void hide_frames(struct vmsnap *snap)
{
	snap->info.known.pfn = false;
	for (size_t i = 0; i < snap->runs.count; i++)
		snap->runs.items[i].entry &= ~ENTRY_FRAME_MASK;
}

static void check_inferred(const struct world *w, size_t page, struct verdict_at verdict)
{
	const struct slot *slots = w->slots[page];
	bool two = slots[PARENT].state == PRIVATE && slots[CHILD].state == PRIVATE;
	int expected = truth(w, page);
	if (!two) {
		assert_int_equal(verdict.verdict, expected);
		return;
	}
	assert_true(verdict.inferred);
	bool same_frame = slots[PARENT].frame == slots[CHILD].frame;
	assert_int_equal(verdict.verdict == VMSNAP_VERDICT_SHARED, same_frame);
	/* That one of them shares its page still says nothing: it may have forked again. */
	assert_int_not_equal(verdict.verdict, VMSNAP_VERDICT_COPIED_BY_CHILD);
	assert_int_not_equal(verdict.verdict, VMSNAP_VERDICT_COPIED_BY_PARENT);
	if (verdict.verdict != VMSNAP_VERDICT_COPIED)
		assert_int_equal(verdict.verdict, expected);
}

static void exclusive_bits_tell_what_is_shared_without_pfns(void **state)
{
	(void)state;
	for (size_t processes = 2; processes <= 3; processes++) {
		struct family f = live(11, processes);
		hide_frames(f.parent);
		hide_frames(f.child);
		hide_frames(f.base);
		hide_frames(f.newborn);
		struct verdict_at *verdicts = judge(f.parent, f.child, f.base, f.newborn);
		for (size_t page = 0; page < PAGES; page++)
			check_inferred(f.world, page, verdicts[page]);
		free(verdicts);
		bury(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts_with_base_are_what_happened),
		cmocka_unit_test(verdicts_without_base_do_not_contradict_what_happened),
		cmocka_unit_test(exclusive_bits_tell_what_is_shared_without_pfns),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
