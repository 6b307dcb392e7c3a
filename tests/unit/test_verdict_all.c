/* test_verdict_all.c - what holds of the verdicts of all cases that there are, and of any at random. */
#include "test_verdict_case.h"

/* Of the last three, one at a time. */
static const unsigned doings[] = { 0, MOVED_BY_KERNEL, MOVED_HERE, MERGED };
enum { DOINGS = sizeof(doings) / sizeof(doings[0]) };

static int mirrored(int verdict)
{
	static const int pairs[][2] = {
		{ VMSNAP_VERDICT_COPIED_BY_CHILD, VMSNAP_VERDICT_COPIED_BY_PARENT },
		{ VMSNAP_VERDICT_NEW_IN_CHILD, VMSNAP_VERDICT_NEW_IN_PARENT },
		{ VMSNAP_VERDICT_ONLY_IN_CHILD, VMSNAP_VERDICT_ONLY_IN_PARENT },
		{ VMSNAP_VERDICT_ZERO_WRITTEN_BY_CHILD, VMSNAP_VERDICT_ZERO_WRITTEN_BY_PARENT },
		{ VMSNAP_VERDICT_DROPPED_BY_CHILD, VMSNAP_VERDICT_DROPPED_BY_PARENT },
		{ VMSNAP_VERDICT_ZERO_IN_CHILD, VMSNAP_VERDICT_ZERO_IN_PARENT },
	};
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		if (verdict == pairs[i][0])
			return pairs[i][1];
		if (verdict == pairs[i][1])
			return pairs[i][0];
	}
	return verdict;
}

static const uint64_t pages[] = { NOTHING, GUARD_ENTRY, ZEROPAGE, CACHED(1), CACHED(2), ANON(1),
	                          ANON(2), ANON(3),     OWNED(1), OWNED(2),  OWNED(3),  OWNED(0),
	                          SLOT(1), SLOT(2),     SLOT(3),  SLOT(0),   BASELESS };
enum { PAGES = sizeof(pages) / sizeof(pages[0]) };

/* Calls fn for every combination of pages, mappings and unknowns: each rule is
 * met, and no case is without one. */
static void for_all_cases(void (*fn)(const struct verdict_case *c, void *ctx), void *ctx)
{
	for (size_t base = 0; base < PAGES; base++)
		for (size_t parent = 0; parent < PAGES - 1; parent++)
			for (size_t child = 0; child < PAGES - 1; child++)
				for (unsigned variant = 0; variant < MAPPINGS * DOINGS * MOVED_BY_KERNEL; variant++) {
					struct row row = { .mapping = variant / DOINGS / MOVED_BY_KERNEL,
						           .unknown = (variant & (MOVED_BY_KERNEL - 1)) |
						                      doings[variant / MOVED_BY_KERNEL % DOINGS],
						           .base = pages[base],
						           .parent = pages[parent],
						           .child = pages[child] };
					struct verdict_case c = make_case(&row);
					fn(&c, ctx);
				}
}

static void count_row(const struct verdict_case *c, void *ctx)
{
	size_t *met = ctx;
	struct verdict verdict = verdict_of(c);
	/* Before any row: it may be the zero page. */
	if (!c->parent.zero.flagged && verdict.verdict == VMSNAP_VERDICT_UNKNOWN && !verdict.row)
		return;
	if (c->merges && !verdict.row)
		return; /* see zero_pages_may_be_pages_that_were_merged */
	assert_in_range(verdict.row, 1, TABLE_ROWS);
	met[verdict.row]++;
}

static void every_case_has_a_row_and_every_row_a_case(void **state)
{
	(void)state;
	size_t met[TABLE_ROWS + 1] = { 0 };
	for_all_cases(count_row, met);
	for (size_t row = 1; row <= TABLE_ROWS; row++)
		if (!met[row])
			fail_msg("no case meets row %zu", row);
}

static void check_mirror(const struct verdict_case *c, void *ctx)
{
	(void)ctx;
	struct verdict_case turned = mirror(*c);
	struct verdict here = verdict_of(c), there = verdict_of(&turned);
	assert_int_equal(there.verdict, mirrored(here.verdict));
	assert_int_equal(there.inferred, here.inferred);
}

static void parent_and_child_are_treated_alike(void **state)
{
	(void)state;
	for_all_cases(check_mirror, NULL);
}

static bool is_page(uint64_t entry)
{
	return entry & ENTRY_POPULATED;
}

static void check_absent(const struct verdict_case *c, void *ctx)
{
	(void)ctx;
	struct verdict verdict = verdict_of(c);
	bool anywhere = is_page(c->parent.entry) || is_page(c->child.entry);
	if (anywhere)
		assert_int_not_equal(verdict.verdict, VERDICT_NONE);
	else if (!c->base_time || !is_page(c->base.entry))
		assert_int_equal(verdict.verdict, VERDICT_NONE);
}

static void only_pages_that_are_nowhere_have_no_verdict(void **state)
{
	(void)state;
	for_all_cases(check_absent, NULL);
}

/* Few frames, so that some are the same; and all flags, whatever they mean together. */
static uint64_t random_page(uint64_t *random)
{
	static const uint32_t kinds[] = { VMSNAP_PAGE_PRESENT, VMSNAP_PAGE_PRESENT, VMSNAP_PAGE_PRESENT,
		                          VMSNAP_PAGE_SWAPPED, 0 };
	uint32_t others = (uint32_t)random_below(random, 1 << (64 - ENTRY_FLAGS_SHIFT));
	uint32_t flags =
	        kinds[random_below(random, 5)] | (others & ~(uint32_t)(VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_SWAPPED));
	return ENTRY_FLAG(flags) | random_below(random, 4) << (random_below(random, 2) ? 0 : SWAP_TYPE_BITS);
}

static struct verdict_case random_case(uint64_t *random)
{
	struct row row = { .mapping = (enum mapping)random_below(random, MAPPINGS),
		           .unknown = (unsigned)random_below(random, 32) };
	struct verdict_case c = make_case(&row);
	c.base_time = (enum base_time)random_below(random, BASE_OF_ANOTHER + 1);
	c.at_once = random_below(random, 2);
	c.base_after = random_below(random, 2);
	c.parent_idle = random_below(random, 2);
	c.child_idle = random_below(random, 2);
	c.base_other_same = random_below(random, 2);
	c.parent.zero.pfn = c.child.zero.pfn = c.base.zero.pfn = random_below(random, 4);
	c.parent.zero.exclusive = c.child.zero.exclusive = random_below(random, 2);
	c.parent.plain = c.child.plain = c.base.plain = random_below(random, 2);
	c.other = c.base;
	c.other.entry = random_page(random);
	return c;
}

/* Whatever a rule looks at must be in the key by which verdicts are remembered. */
static void a_remembered_verdict_is_that_of_the_rules(void **state)
{
	(void)state;
	uint64_t random = 88172645463325252;
	struct verdict_memo memo = { 0 };
	size_t remembered = 0;
	for (size_t i = 0; i < 3000; i++) {
		struct verdict_case c = random_case(&random);
		verdict_memo_next(&memo);
		for (size_t k = 0; k < 300; k++) {
			c.parent.entry = random_page(&random);
			c.child.entry = random_below(&random, 3) ? random_page(&random) : c.parent.entry;
			c.base.entry = random_below(&random, 3) ? random_page(&random) : c.parent.entry;
			c.went_on = random_below(&random, 2);
			uint64_t key = verdict_key(&memo, &c);
			const struct verdict *again = verdict_again(&memo, &c, key);
			struct verdict told = verdict_of(&c);
			assert_int_equal(again->verdict, told.verdict);
			assert_int_equal(again->inferred, told.inferred);
			assert_int_equal(again->went_on, told.went_on);
			remembered += key != 0;
		}
	}
	assert_true(remembered > 100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_case_has_a_row_and_every_row_a_case),
		cmocka_unit_test(parent_and_child_are_treated_alike),
		cmocka_unit_test(only_pages_that_are_nowhere_have_no_verdict),
		cmocka_unit_test(a_remembered_verdict_is_that_of_the_rules),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
