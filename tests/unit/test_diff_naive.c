/* test_diff_naive.c - a diff against a comparison page by page. */
#include "test_diff_fixture.h"

#define F(change) (1u << VMSNAP_CHANGE_##change)

enum { SPACE = 12000 };

/* Files lie at their own offset, so that nothing seems to have moved. */
static void random_vmas(struct vmsnap *snap, uint64_t *random)
{
	static const char *const perms[] = { "rw-p", "r-xp", "r--p" };
	for (uint64_t at = random_below(random, 20); at < SPACE;) {
		uint64_t end = at + 1 + random_below(random, 60);
		uint64_t what = random_below(random, 3);
		if (what)
			add_file(snap, at, end, perms[random_below(random, 3)], "/x", 4 + what, at);
		else
			add_anon(snap, at, end, perms[random_below(random, 3)], "");
		at = end + (random_below(random, 2) ? 0 : random_below(random, 20));
	}
}

static uint64_t random_entry(uint64_t *random)
{
	static const uint32_t flags[] = { 0, VMSNAP_PAGE_EXCLUSIVE, VMSNAP_PAGE_SOFT_DIRTY, VMSNAP_PAGE_FILE };
	uint64_t frame = random_below(random, 20) ? random_below(random, 1u << 30) : 0;
	switch (random_below(random, 8)) {
	case 0:
		return ZEROPAGE;
	case 1:
		return SLOT(frame);
	case 2:
		return GUARD_ENTRY;
	case 3:
		return ENTRY_FLAG(VMSNAP_PAGE_UFFD_WP);
	default:
		return ENTRY_PRESENT | ENTRY_FLAG(flags[random_below(random, 4)]) | frame;
	}
}

/* Entries of all pages; those of B mostly as in A. */
static uint64_t *random_entries(uint64_t *random, const uint64_t *like)
{
	uint64_t *entries = calloc(SPACE + 1, sizeof(*entries));
	assert_non_null(entries);
	for (uint64_t at = 0; at < SPACE;) {
		uint64_t pages = 1 + random_below(random, random_below(random, 3) ? 6 : 200);
		bool copy = like && random_below(random, 3), absent = !random_below(random, 4);
		uint64_t entry = absent ? 0 : random_entry(random);
		for (; pages && at < SPACE; pages--, at++, entry += entry_step(entry))
			entries[at] = copy ? like[at] : entry;
	}
	return entries;
}

static struct vmsnap *snap_of(const uint64_t *entries, uint64_t *random)
{
	struct vmsnap *snap = make_snap();
	random_vmas(snap, random);
	for (uint64_t at = 0; at < SPACE; at++)
		if (entries[at])
			add_pages(snap, at, 1, entries[at]);
	return snap;
}

/* Values of pages; 0: what they hold is not known. */
static unsigned char *random_values(uint64_t *random, const unsigned char *like)
{
	unsigned char *values = calloc(SPACE + 1, 1);
	assert_non_null(values);
	for (uint64_t at = 0; at < SPACE;) {
		uint64_t pages = 1 + random_below(random, 20);
		bool copy = like && random_below(random, 3), known = random_below(random, 3);
		for (; pages && at < SPACE; pages--, at++)
			values[at] = copy ? like[at] : known ? (unsigned char)(1 + random_below(random, 3)) : 0;
	}
	return values;
}

static void add_values(struct vmsnap *snap, struct vmsnap_store *store, const uint64_t *entries,
                       const unsigned char *values)
{
	for (uint64_t at = 0; at < SPACE; at++)
		if (values[at] && (entries[at] & ENTRY_PRESENT))
			add_contents(snap, store, at, values[at]);
}

static bool naive_exclusive_known(uint64_t entry)
{
	uint32_t flags = entry_flags(entry);
	bool huge = (flags & VMSNAP_PAGE_HUGE) && !(flags & VMSNAP_PAGE_ZERO);
	return !huge && ((entry & ENTRY_FRAME_MASK) || (flags & VMSNAP_PAGE_EXCLUSIVE));
}

/* Written from docs/verdicts.md, for one page. */
static uint32_t naive_facts_of_one_mapping(uint64_t a, uint64_t b, const struct vmsnap_vma *in_a,
                                           const struct vmsnap_vma *in_b)
{
	const uint64_t frame = ENTRY_FRAME_MASK;
	uint32_t fa = entry_flags(a), fb = entry_flags(b), out = 0;
	bool pa = fa & VMSNAP_PAGE_PRESENT, pb = fb & VMSNAP_PAGE_PRESENT;
	bool sa = fa & VMSNAP_PAGE_SWAPPED, sb = fb & VMSNAP_PAGE_SWAPPED;
	bool differ = (a & frame) && (b & frame) && (a & frame) != (b & frame);
	out |= !pa && !sa && (pb || sb) ? F(APPEARED) : 0;
	bool kept = in_a && in_b && in_b->inode && in_a->inode == in_b->inode && (fa & VMSNAP_PAGE_FILE);
	out |= !pb && !sb && (pa || sa) ? kept ? F(NOT_MAPPED_NOW) : F(VANISHED) : 0;
	out |= pa && pb && differ ? F(PFN_CHANGED) : 0;
	out |= sa && sb && differ ? F(SWAP_MOVED) : 0;
	out |= pa && sb ? F(SWAPPED_OUT) : 0;
	out |= sa && pb ? F(SWAPPED_IN) : 0;
	if (pa && pb && ((fa ^ fb) & VMSNAP_PAGE_EXCLUSIVE) && naive_exclusive_known(a) && naive_exclusive_known(b))
		out |= fb & VMSNAP_PAGE_EXCLUSIVE ? F(BECAME_EXCLUSIVE) : F(BECAME_SHARED);
	if (pa && pb && (fa & ~fb & VMSNAP_PAGE_ZERO))
		out |= F(ZERO_FILLED_IN);
	if ((pb || sb) && (fb & ~fa & VMSNAP_PAGE_SOFT_DIRTY))
		out |= F(SOFT_DIRTIED);
	if ((fa ^ fb) & VMSNAP_PAGE_GUARD)
		out |= fb & VMSNAP_PAGE_GUARD ? F(GUARDED) : F(UNGUARDED);
	bool wa = fa & VMSNAP_PAGE_UFFD_WP, wb = fb & VMSNAP_PAGE_UFFD_WP;
	out |= !wa && wb ? F(WRITE_PROTECTED) : 0;
	out |= wa && !wb && (pb || sb || !(pa || sa)) ? F(WRITE_UNPROTECTED) : 0;
	if (in_b && in_b->inode && (pb || sb) && !(fb & VMSNAP_PAGE_FILE)) {
		bool executable = (in_b->perms | (in_a ? in_a->perms : 0)) & VMSNAP_PERM_EXEC;
		bool same = in_a && in_a->inode == in_b->inode;
		if (same && (pa || sa) && (fa & VMSNAP_PAGE_FILE))
			out |= F(PRIVATISED);
		if (executable && !pa && !sa)
			out |= F(PRIVATISED);
	}
	return out;
}

/* Other memory in its place: A's page is gone, B's is new. */
static uint32_t naive_facts(uint64_t a, uint64_t b, const struct vmsnap_vma *in_a, const struct vmsnap_vma *in_b)
{
	if (!in_a || !in_b || in_a->inode == in_b->inode)
		return naive_facts_of_one_mapping(a, b, in_a, in_b);
	uint32_t gone = naive_facts_of_one_mapping(a, 0, in_a, NULL) & (F(VANISHED) | F(UNGUARDED));
	if (entry_flags(b) & VMSNAP_PAGE_GUARD)
		gone &= ~F(UNGUARDED);
	return gone | naive_facts_of_one_mapping(0, b, in_a, in_b);
}

static bool naive_pair(uint64_t a, uint64_t b, const struct vmsnap_vma *in_a, const struct vmsnap_vma *in_b)
{
	return (a & ENTRY_POPULATED) && (b & ENTRY_POPULATED) && (!in_a || !in_b || in_a->inode == in_b->inode);
}

enum { CANNOT_TELL, THE_SAME, OTHER_BYTES };

static int naive_contents(const struct vmsnap *a, const struct vmsnap *b, uint64_t at)
{
	uint8_t of_a[VMSNAP_CONTENTS_HASH_SIZE], of_b[VMSNAP_CONTENTS_HASH_SIZE];
	if (vmsnap_contents_hash(a, at, of_a) || vmsnap_contents_hash(b, at, of_b))
		return CANNOT_TELL;
	return memcmp(of_a, of_b, sizeof(of_a)) ? OTHER_BYTES : THE_SAME;
}

static bool is_plain(uint64_t entry)
{
	return !(entry_flags(entry) & (VMSNAP_PAGE_FILE | VMSNAP_PAGE_ZERO));
}

/* Private, and writable at least in one of the two. */
static bool is_own(const struct vmsnap_vma *a, const struct vmsnap_vma *b)
{
	return a && b && (a->perms | b->perms) & VMSNAP_PERM_WRITE && !((a->perms | b->perms) & VMSNAP_PERM_SHARED);
}

static void check_against_naive(const struct vmsnap *a, const struct vmsnap *b, const uint64_t *entries_a,
                                const uint64_t *entries_b)
{
	const uint32_t shown = 1u << VMSNAP_KIND_NEW | 1u << VMSNAP_KIND_COPIED;
	struct vmsnap_diff *diff = compare(a, b);
	struct {
		uint64_t pages[VMSNAP_CHANGE_COUNT], touched_pages[VMSNAP_CHANGE_COUNT];
		uint64_t touched, privatised_executable, resident_a, resident_b, written_unknown;
	} totals = { 0 };
	struct vmsnap_diff_range range = { 0 }, last = { 0 };
	size_t index = 0;
	bool more = vmsnap_diff_range(diff, index, &range) == VMSNAP_OK;
	assert_int_equal(vmsnap_diff_vma_rows(diff, VMSNAP_VMA_CHANGE_MOVED), 0);
	for (uint64_t page = 0; page <= SPACE; page++) { /* the last one is absent */
		uint64_t at = PAGE_AT(page);
		if (more && range.end <= at) {
			last = range;
			more = vmsnap_diff_range(diff, ++index, &range) == VMSNAP_OK;
			/* What could be one range is one. */
			if (more && last.end == range.start)
				assert_true(last.changes != range.changes || last.vma != range.vma ||
				            last.executable != range.executable || last.touched != range.touched ||
				            last.before != range.before || last.after != range.after ||
				            last.kinds != range.kinds);
		}
		const struct vmsnap_vma *in_a = vmsnap_vma_at(a, at), *in_b = vmsnap_vma_at(b, at);
		uint32_t expected = naive_facts(entries_a[page], entries_b[page], in_a, in_b);
		bool pair = naive_pair(entries_a[page], entries_b[page], in_a, in_b);
		int contents = naive_contents(a, b, at);
		expected |= pair && contents == OTHER_BYTES ? F(WRITTEN) : 0;
		assert_int_equal(more && range.start <= at ? range.changes : 0, expected);
		for (int change = 0; change < VMSNAP_CHANGE_COUNT; change++)
			totals.pages[change] += expected >> change & 1;
		totals.resident_a += entries_a[page] >> 63;
		totals.resident_b += entries_b[page] >> 63;
		totals.written_unknown += pair && contents == CANNOT_TELL && is_own(in_a, in_b) &&
		                          is_plain(entries_a[page] | entries_b[page]) &&
		                          !(expected && range.kinds & shown);
		if (!expected)
			continue;
		assert_ptr_equal(range.vma, in_b ? in_b : in_a);
		bool executable = ((in_a ? in_a->perms : 0) | (in_b ? in_b->perms : 0)) & VMSNAP_PERM_EXEC;
		assert_int_equal(range.executable, executable);
		bool code = vmsnap_code_written(&range);
		bool touched = (!code && holds_touched(a, at)) || holds_touched(b, at);
		assert_int_equal(range.touched, touched);
		totals.touched += touched;
		for (int change = 0; touched && change < VMSNAP_CHANGE_COUNT; change++)
			totals.touched_pages[change] += expected >> change & 1;
		totals.privatised_executable += executable && (expected & F(PRIVATISED));
	}
	assert_false(more);
	for (int change = 0; change < VMSNAP_CHANGE_COUNT; change++) {
		assert_int_equal(vmsnap_diff_pages(diff, change), totals.pages[change]);
		assert_int_equal(vmsnap_diff_touched_pages(diff, change), totals.touched_pages[change]);
	}
	assert_int_equal(vmsnap_diff_total(diff, VMSNAP_TOTAL_TOUCHED), totals.touched);
	assert_int_equal(vmsnap_diff_total(diff, VMSNAP_TOTAL_PRIVATISED_EXECUTABLE), totals.privatised_executable);
	assert_int_equal(vmsnap_diff_total(diff, VMSNAP_TOTAL_RESIDENT_A), totals.resident_a);
	assert_int_equal(vmsnap_diff_total(diff, VMSNAP_TOTAL_RESIDENT_B), totals.resident_b);
	assert_int_equal(vmsnap_diff_total(diff, VMSNAP_TOTAL_WRITTEN_UNKNOWN), totals.written_unknown);
	vmsnap_diff_free(diff);
}

static void facts_agree_with_a_comparison_page_by_page(void **state)
{
	(void)state;
	uint64_t random = 4711;
	for (int round = 0; round < 8; round++) {
		uint64_t *entries_a = random_entries(&random, NULL), *entries_b = random_entries(&random, entries_a);
		uint64_t maps = random, same_maps = round % 2 ? maps : random + 99;
		struct vmsnap *a = snap_of(entries_a, &maps), *b = snap_of(entries_b, &same_maps);
		check_against_naive(a, b, entries_a, entries_b);
		add_random_touched(a, SPACE, &random);
		check_against_naive(a, b, entries_a, entries_b);
		if (round % 2)
			add_random_touched(b, SPACE, &random);
		check_against_naive(a, b, entries_a, entries_b);
		check_against_naive(b, a, entries_b, entries_a);
		unsigned char *values_a = random_values(&random, NULL), *values_b = random_values(&random, values_a);
		struct vmsnap_store *store = NULL;
		if (round % 4 < 2)
			assert_int_equal(vmsnap_store_new(&store, NULL), VMSNAP_OK);
		add_values(a, store, entries_a, values_a);
		check_against_naive(a, b, entries_a, entries_b);
		add_values(b, store, entries_b, values_b);
		check_against_naive(a, b, entries_a, entries_b);
		check_against_naive(b, a, entries_b, entries_a);
		vmsnap_store_unref(store);
		free(values_a);
		free(values_b);
		vmsnap_unref(a);
		vmsnap_unref(b);
		free(entries_a);
		free(entries_b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(facts_agree_with_a_comparison_page_by_page),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
