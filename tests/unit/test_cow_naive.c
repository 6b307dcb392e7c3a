/* test_cow_naive.c - verdicts of whole snapshots against a walk page by page. */
#include "test_diff_fixture.h"

#include "backing.h"
#include "moves_count.h"
#include "verdict.h"

enum { SPACE = 4000 };

static void random_vmas(struct vmsnap *snap, uint64_t *random)
{
	for (uint64_t at = random_below(random, 20); at < SPACE;) {
		uint64_t end = at + 1 + random_below(random, 60);
		switch (random_below(random, 4)) {
		case 0:
			add_file(snap, at, end, "r-xp", "/lib/x.so", 5, at);
			break;
		case 1:
			add_file(snap, at, end, "rw-s", "/dev/shm/x", 6, at);
			break;
		default:
			add_anon(snap, at, end, "rw-p", "");
		}
		at = end + (random_below(random, 2) ? 0 : random_below(random, 20));
	}
}

static uint64_t random_entry(uint64_t *random)
{
	uint64_t frame = 100 * random_below(random, 3);
	/* What two processes have, and others too, is the same memory wherever they have it: here
	 * nothing is to have moved. */
	uint64_t flags = frame || random_below(random, 2) ? ENTRY_FLAG(VMSNAP_PAGE_EXCLUSIVE) : 0;
	switch (random_below(random, 8)) {
	case 0:
		return ZEROPAGE;
	case 1:
		return CACHED(frame);
	case 2:
		return SLOT(frame ? random_below(random, UINT64_C(1) << 40) : 0);
	case 3:
		return GUARD_ENTRY;
	default:
		return ANON(frame) | flags;
	}
}

/* Mostly long runs, so that frames of several sides run in parallel. */
static struct vmsnap *random_snap(uint64_t *random)
{
	struct vmsnap *snap = make_snap();
	snap->info.faults = UINT64_MAX; /* that the same frames come again is no proof of a move */
	random_vmas(snap, random);
	for (uint64_t at = random_below(random, 8); at < SPACE;) {
		uint64_t pages = 1 + random_below(random, random_below(random, 2) ? 3 : 90);
		uint64_t entry = random_entry(random);
		uint64_t aligned = entry & ENTRY_FRAME_MASK ? entry + at % 64 * entry_step(entry) : entry;
		add_pages(snap, at, pages, entry == ZEROPAGE ? entry : aligned);
		at += pages + (random_below(random, 2) ? 0 : random_below(random, 9));
	}
	return snap;
}

static struct verdict_page page_at(const struct vmsnap *snap, uint64_t address)
{
	const struct vmsnap_vma *vma = vmsnap_vma_at(snap, address);
	struct verdict_page page = { .mapped = vma,
		                     .shared = vma && vma->perms & VMSNAP_PERM_SHARED,
		                     .file = vma && vma_is_private_file(vma),
		                     .frames_known = true,
		                     .exclusive_known = true,
		                     .zero.flagged = true };
	vmsnap_pages_read(snap, address, 1, &page.entry);
	return page;
}

static bool same_at(const struct vmsnap *a, const struct vmsnap *b, uint64_t address)
{
	const struct vmsnap_vma *in_a = vmsnap_vma_at(a, address), *in_b = vmsnap_vma_at(b, address);
	return in_a && in_b ? vma_same_backing(in_a, in_b) : in_a == in_b;
}

static bool plain_at(const struct vmsnap *snap, uint64_t address)
{
	const struct vmsnap_vma *vma = vmsnap_vma_at(snap, address);
	return vma && vma_is_plain(vma);
}

static bool populated_at(const struct vmsnap *snap, uint64_t address)
{
	uint64_t entry;
	vmsnap_pages_read(snap, address, 1, &entry);
	return plain_at(snap, address) && (entry & ENTRY_POPULATED);
}

/* Whether memory of the base's is gone from a side which has other that the base has not. */
static bool adrift(const struct vmsnap *base, const struct vmsnap *side)
{
	bool lost = false, gained = false;
	for (uint64_t at = 0; base && at < PAGE_AT(SPACE + 200); at += PAGE) {
		lost |= !same_at(side, base, at) && populated_at(base, at);
		gained |= !same_at(side, base, at) && populated_at(side, at);
	}
	return lost && gained;
}

/* What is the same throughout. */
struct naive_fork {
	struct fork_base base;
	bool went_on, parent_adrift, child_adrift;
};

static struct verdict naive(const struct vmsnap *parent, const struct vmsnap *child, const struct naive_fork *known,
                            uint64_t address)
{
	const struct fork_base *fork = &known->base;
	const struct vmsnap *base = fork->base;
	struct verdict_case c = { .parent = page_at(parent, address),
		                  .child = page_at(child, address),
		                  .base_time = fork->time,
		                  .went_on = known->went_on,
		                  .base_after = fork->after,
		                  .parent_idle = fork->parent_idle,
		                  .child_idle = fork->child_idle,
		                  .parent_child_same = same_at(parent, child, address),
		                  .parent_child_frames = true,
		                  .base_frames = true,
		                  .moves = base ? MOVES_NONE : MOVES_UNKNOWN,
		                  .at_once = true };
	if (base) {
		c.base = page_at(base, address);
		c.parent_base_same = same_at(parent, base, address);
		c.child_base_same = same_at(child, base, address);
		c.parent_adrift = known->parent_adrift && (plain_at(parent, address) || plain_at(base, address));
		c.child_adrift = known->child_adrift && (plain_at(child, address) || plain_at(base, address));
	}
	if (fork->other) {
		c.other = page_at(fork->other, address);
		c.base_other_same = same_at(fork->other, base, address);
	}
	return verdict_of(&c);
}

static bool naive_went_on(const struct vmsnap *parent, const struct vmsnap *child, const struct naive_fork *fork)
{
	bool went_on = false;
	for (uint64_t at = 0; at < PAGE_AT(SPACE + 200); at += PAGE)
		went_on |= naive(parent, child, fork, at).went_on;
	return went_on;
}

static const struct vmsnap_vma *naive_vma(const struct vmsnap *parent, const struct vmsnap *child,
                                          const struct vmsnap *base, uint64_t address)
{
	const struct vmsnap_vma *vma = vmsnap_vma_at(child, address);
	vma = vma ? vma : vmsnap_vma_at(parent, address);
	return vma || !base ? vma : vmsnap_vma_at(base, address);
}

static void check_against_naive(const struct vmsnap *parent, const struct vmsnap *child, const struct vmsnap *base,
                                const struct vmsnap *other)
{
	struct naive_fork fork = { .base = fork_base_of(parent, child, base, other) };
	fork.parent_adrift = adrift(fork.base.base, parent);
	fork.child_adrift = adrift(fork.base.base, child);
	fork.went_on = naive_went_on(parent, child, &fork);
	struct vmsnap_cow *cow = NULL;
	assert_int_equal(vmsnap_cow_new_between(parent, child, base, other, NULL, &cow, NULL), VMSNAP_OK);
	base = fork.base.base;
	uint64_t totals[VMSNAP_VERDICT_COUNT] = { 0 }, touched_totals[VMSNAP_VERDICT_COUNT] = { 0 };
	struct vmsnap_cow_range range = { 0 }, last = { 0 };
	size_t index = 0;
	bool more = vmsnap_cow_range(cow, index, &range) == VMSNAP_OK;
	for (uint64_t at = 0; at < PAGE_AT(SPACE + 200); at += PAGE) {
		if (more && range.end <= at) {
			last = range;
			more = vmsnap_cow_range(cow, ++index, &range) == VMSNAP_OK;
			/* What could be one range is one. */
			if (more && last.end == range.start)
				assert_true(last.verdict != range.verdict || last.inferred != range.inferred ||
				            last.touched != range.touched || last.vma != range.vma);
		}
		struct verdict expected = naive(parent, child, &fork, at);
		bool inside = more && range.start <= at;
		assert_int_equal(inside, expected.verdict != VERDICT_NONE);
		if (!inside)
			continue;
		assert_int_equal(range.verdict, expected.verdict);
		assert_int_equal(range.inferred, expected.inferred);
		assert_ptr_equal(range.vma, naive_vma(parent, child, base, at));
		bool touched =
		        holds_touched(parent, at) || holds_touched(child, at) || (base && holds_touched(base, at));
		assert_int_equal(range.touched, touched);
		totals[expected.verdict]++;
		touched_totals[expected.verdict] += touched;
	}
	assert_false(more);
	for (int verdict = 0; verdict < VMSNAP_VERDICT_COUNT; verdict++) {
		assert_int_equal(totals[verdict], vmsnap_cow_pages(cow, verdict));
		assert_int_equal(touched_totals[verdict], vmsnap_cow_touched_pages(cow, verdict));
	}
	vmsnap_cow_free(cow);
}

enum { TICK = 10000000, FORKED = 11 * TICK };

/* A snapshot of process 10, which forked 11 at FORKED. */
static struct vmsnap *random_member(uint64_t *random, uint32_t pid, uint64_t boottime, uint64_t faults)
{
	struct vmsnap *snap = random_snap(random);
	snap->info.pid = snap->info.tgid = pid;
	snap->info.ppid = pid - 1;
	snap->info.start_time = pid;
	snap->info.boottime = boottime;
	snap->info.faults = faults;
	return snap;
}

/* The parent before the fork and after, the child when it had run, and before. */
enum { BASES = 4 };
static void make_bases(uint64_t *random, struct vmsnap *bases[BASES])
{
	bases[0] = random_member(random, 10, FORKED - TICK, UINT64_MAX);
	bases[1] = random_member(random, 10, FORKED + TICK, UINT64_MAX);
	bases[2] = random_member(random, 11, FORKED + TICK, UINT64_MAX);
	bases[3] = random_member(random, 11, FORKED + TICK, 1);
}

static void check_bases(const struct vmsnap *parent, const struct vmsnap *child, struct vmsnap *const bases[BASES])
{
	check_against_naive(parent, child, NULL, NULL);
	for (int i = 0; i < BASES; i++)
		check_against_naive(parent, child, bases[i], NULL);
	check_against_naive(parent, child, bases[1], bases[2]);
	check_against_naive(parent, child, bases[3], bases[1]);
}

static void ranges_agree_with_a_walk_page_by_page(void **state)
{
	(void)state;
	uint64_t random = 42;
	for (int round = 0; round < 6; round++) {
		struct vmsnap *parent = random_member(&random, 10, 0, UINT64_MAX), *bases[BASES];
		struct vmsnap *child = random_member(&random, 11, 0, UINT64_MAX);
		make_bases(&random, bases);
		check_bases(parent, child, bases);
		for (int i = 0; i < BASES; i++)
			add_random_touched(bases[i], SPACE, &random);
		check_bases(parent, child, bases);
		add_random_touched(parent, SPACE, &random);
		add_random_touched(child, SPACE, &random);
		check_bases(parent, child, bases);
		check_against_naive(parent, parent, child, NULL);
		vmsnap_unref(parent);
		vmsnap_unref(child);
		for (int i = 0; i < BASES; i++)
			vmsnap_unref(bases[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_agree_with_a_walk_page_by_page),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
