/* test_facts.c - what is a fact about a page, one row of docs/verdicts.md each. */
#include "test_diff_fixture.h"

#include "facts.h"

#define F(change) (1u << VMSNAP_CHANGE_##change)

#define FLAGGED .zero_a.flagged = true, .zero_b.flagged = true

/* ---- facts, one row of docs/verdicts.md each ------------------------------ */

static const struct facts_context all_known = { .frames = true, .exclusive = true, FLAGGED, .soft_dirty = true };
static const struct facts_context in_file = { .frames = true, .exclusive = true, FLAGGED, .same_file = true };
static const struct facts_context in_text = {
	.frames = true, .exclusive = true, FLAGGED, .same_file = true, .private_text = true
};
static const struct facts_context nothing_known = { .frames = false };

/* A recording has no flag for it: its frame tells, if it is known. */
static void zero_page_of_a_recording_is_known_by_its_frame(void **state)
{
	const uint32_t other = 1u << VMSNAP_KIND_OTHER, copied = 1u << VMSNAP_KIND_COPIED;
	struct facts_context known = all_known, unknown = all_known;
	known.zero_a = (struct zero_known){ .exclusive = true, .pfn = 9 };
	unknown.zero_a = (struct zero_known){ .exclusive = true };
	(void)state;
	assert_int_equal(page_facts(ANON(9), OWNED(6), &known),
	                 F(PFN_CHANGED) | F(BECAME_EXCLUSIVE) | F(ZERO_FILLED_IN));
	assert_int_equal(page_facts(ANON(8), OWNED(6), &known), F(PFN_CHANGED) | F(BECAME_EXCLUSIVE));
	assert_int_equal(page_kinds(F(PFN_CHANGED), ANON(8), OWNED(6), &known), copied);
	/* It may be the zero page that was written to, and then nothing was copied. */
	assert_int_equal(page_facts(ANON(9), OWNED(6), &unknown), F(PFN_CHANGED) | F(BECAME_EXCLUSIVE));
	assert_int_equal(page_kinds(F(PFN_CHANGED), ANON(9), OWNED(6), &unknown), other);
	known = all_known;
	known.zero_b = (struct zero_known){ .exclusive = true, .pfn = 9 };
	assert_int_equal(page_facts(ZEROPAGE, ANON(9), &known) & F(ZERO_FILLED_IN), 0);
	assert_int_equal(page_facts(ZEROPAGE, ANON(8), &known) & F(ZERO_FILLED_IN), F(ZERO_FILLED_IN));
}

static void page_there_only_in_b_appeared(void **state)
{
	(void)state;
	assert_int_equal(page_facts(0, ANON(5), &all_known), F(APPEARED));
	assert_int_equal(page_facts(0, SLOT(5), &all_known), F(APPEARED));
}

static void page_there_only_in_a_vanished(void **state)
{
	(void)state;
	assert_int_equal(page_facts(ANON(5), 0, &all_known), F(VANISHED));
	assert_int_equal(page_facts(SLOT(5), 0, &all_known), F(VANISHED));
}

static void another_frame_is_pfn_changed(void **state)
{
	(void)state;
	assert_int_equal(page_facts(ANON(5), ANON(6), &all_known), F(PFN_CHANGED));
	assert_int_equal(page_facts(ANON(5), ANON(5), &all_known), 0);
	assert_int_equal(page_facts(ANON(5), ANON(6), &nothing_known), 0);
	assert_int_equal(page_facts(ANON(5), ANON(0), &all_known), 0); /* hidden by the kernel */
}

static void exclusive_bit_that_changed_is_a_fact_if_known(void **state)
{
	(void)state;
	assert_int_equal(page_facts(ANON(5), OWNED(5), &all_known), F(BECAME_EXCLUSIVE));
	assert_int_equal(page_facts(OWNED(5), ANON(5), &all_known), F(BECAME_SHARED));
	assert_int_equal(page_facts(OWNED(5), ANON(5), &nothing_known), 0);
	assert_int_equal(page_facts(OWNED(5), SLOT(5), &all_known), F(SWAPPED_OUT));
}

static void swap_facts(void **state)
{
	(void)state;
	assert_int_equal(page_facts(ANON(5), SLOT(6), &all_known), F(SWAPPED_OUT));
	assert_int_equal(page_facts(SLOT(5), ANON(6), &all_known), F(SWAPPED_IN));
	assert_int_equal(page_facts(SLOT(5), SLOT(6), &all_known), F(SWAP_MOVED));
	assert_int_equal(page_facts(SLOT(5), SLOT(5), &all_known), 0);
	assert_int_equal(page_facts(SLOT(5), SLOT(6), &nothing_known), 0);
}

static void written_zero_page_is_filled_in_and_has_another_pfn(void **state)
{
	(void)state;
	assert_int_equal(page_facts(ZEROPAGE, OWNED(6), &all_known),
	                 F(ZERO_FILLED_IN) | F(PFN_CHANGED) | F(BECAME_EXCLUSIVE));
	assert_int_equal(page_facts(ZEROPAGE, ZEROPAGE, &all_known), 0);
	assert_int_equal(page_facts(ZEROPAGE, ANON(6), &nothing_known), 0);
}

static void private_copy_of_a_file_page_is_privatised(void **state)
{
	(void)state;
	assert_int_equal(page_facts(CACHED(5), ANON(6), &in_file), F(PRIVATISED) | F(PFN_CHANGED));
	assert_int_equal(page_facts(CACHED(5), SLOT(6), &in_file), F(PRIVATISED) | F(SWAPPED_OUT));
	assert_int_equal(page_facts(CACHED(5), CACHED(6), &in_file), F(PFN_CHANGED)); /* file written over */
	assert_int_equal(page_facts(0, ANON(6), &in_file), F(APPEARED));
	assert_int_equal(page_facts(CACHED(5), ANON(6), &all_known), F(PFN_CHANGED)); /* no file mapping */
}

static void text_that_is_private_when_first_seen_is_privatised(void **state)
{
	(void)state;
	assert_int_equal(page_facts(0, ANON(6), &in_text), F(PRIVATISED) | F(APPEARED));
	assert_int_equal(page_facts(0, CACHED(6), &in_text), F(APPEARED));
	assert_int_equal(page_facts(ANON(6), ANON(6), &in_text), 0);
}

static void soft_dirty_bit_that_came_is_soft_dirtied_if_known(void **state)
{
	(void)state;
	uint64_t dirty = ENTRY_FLAG(VMSNAP_PAGE_SOFT_DIRTY);
	assert_int_equal(page_facts(ANON(5), ANON(5) | dirty, &all_known), F(SOFT_DIRTIED));
	assert_int_equal(page_facts(ANON(5) | dirty, ANON(5) | dirty, &all_known), 0);
	assert_int_equal(page_facts(ANON(5), dirty, &all_known), F(VANISHED));
	assert_int_equal(page_facts(ANON(5), ANON(5) | dirty, &nothing_known), 0);
}

static void guards_come_and_go(void **state)
{
	(void)state;
	assert_int_equal(page_facts(0, GUARD_ENTRY, &all_known), F(GUARDED));
	assert_int_equal(page_facts(ANON(5), GUARD_ENTRY, &all_known), F(GUARDED) | F(VANISHED));
	assert_int_equal(page_facts(GUARD_ENTRY, ANON(5), &all_known), F(UNGUARDED) | F(APPEARED));
	assert_int_equal(page_facts(GUARD_ENTRY, 0, &all_known), F(UNGUARDED));
}

static void write_protection_comes_and_is_lifted(void **state)
{
	(void)state;
	uint64_t wp = ENTRY_FLAG(VMSNAP_PAGE_UFFD_WP);
	assert_int_equal(page_facts(ANON(5), ANON(5) | wp, &all_known), F(WRITE_PROTECTED));
	assert_int_equal(page_facts(ANON(5) | wp, ANON(5), &all_known), F(WRITE_UNPROTECTED));
	assert_int_equal(page_facts(wp, 0, &all_known), F(WRITE_UNPROTECTED));
	assert_int_equal(page_facts(ANON(5) | wp, 0, &all_known), F(VANISHED));
	assert_int_equal(page_facts(ANON(5) | wp, wp, &all_known), F(VANISHED));
}

static void huge_pages_are_split_and_collapsed_if_known(void **state)
{
	(void)state;
	uint64_t huge = ENTRY_FLAG(VMSNAP_PAGE_HUGE);
	struct facts_context known = all_known;
	assert_int_equal(page_facts(ANON(5) | huge, ANON(5), &known), 0);
	known.huge = true;
	assert_int_equal(page_facts(ANON(5) | huge, ANON(5), &known), F(HUGE_SPLIT));
	assert_int_equal(page_facts(ANON(5), ANON(9) | huge, &known), F(HUGE_COLLAPSED) | F(PFN_CHANGED));
	assert_int_equal(page_facts(ANON(5) | huge, 0, &known), F(VANISHED));
}

#define K(kind) (1u << VMSNAP_KIND_##kind)

static void page_of_what_is_mapped_still_is_not_mapped_now(void **state)
{
	(void)state;
	struct facts_context c = { .backed = true };
	uint64_t page = ANON(5) | ENTRY_FLAG(VMSNAP_PAGE_FILE);
	assert_int_equal(page_facts(page, 0, &c), F(NOT_MAPPED_NOW));
	assert_int_equal(page_kinds(F(NOT_MAPPED_NOW), page, 0, &c), K(OTHER));
	/* A private copy is gone. */
	assert_int_equal(page_facts(ANON(5), 0, &c), F(VANISHED));
	assert_int_equal(page_facts(SLOT(5), 0, &c), F(VANISHED));
	c.backed = false;
	assert_int_equal(page_facts(page, 0, &c), F(VANISHED));
	assert_string_equal(vmsnap_page_change_name(VMSNAP_CHANGE_NOT_MAPPED_NOW), "not_mapped_now");
}

static void kinds_say_what_facts_come_to(void **state)
{
	(void)state;
	struct facts_context c = all_known;
	c.exclusive_a = true;
	assert_int_equal(page_kinds(F(APPEARED), 0, ANON(5), &c), K(NEW));
	/* What others have, and everybody's, takes no memory. */
	assert_int_equal(page_kinds(F(APPEARED), 0, CACHED(5), &c), K(MAPPED));
	assert_int_equal(page_kinds(F(APPEARED), 0, ZEROPAGE, &c), K(MAPPED));
	assert_int_equal(page_kinds(F(APPEARED), 0, SLOT(5), &c), K(NEW));
	c.shared_mapping = true; /* nobody knows whether that was there before */
	assert_int_equal(page_kinds(F(APPEARED), 0, CACHED(5), &c), K(NEW));
	c.shared_mapping = false;
	assert_int_equal(page_kinds(F(ZERO_FILLED_IN) | F(PFN_CHANGED), ZEROPAGE, OWNED(5), &c), K(NEW));
	assert_int_equal(page_kinds(F(VANISHED), ANON(5), 0, &c), K(GONE));
	assert_int_equal(page_kinds(F(PFN_CHANGED), ANON(5), OWNED(6), &c), K(COPIED));
	assert_int_equal(page_kinds(F(PFN_CHANGED), OWNED(5), OWNED(6), &c), K(OTHER)); /* no write does that */
	assert_int_equal(page_kinds(F(PFN_CHANGED) | F(PRIVATISED), CACHED(5), OWNED(6), &c), K(COPIED));
	assert_int_equal(page_kinds(F(PFN_CHANGED), CACHED(5), CACHED(6), &c), K(OTHER)); /* read anew */
	assert_int_equal(page_kinds(F(SWAPPED_OUT), ANON(5), SLOT(6), &c), K(SWAPPED));
	assert_int_equal(page_kinds(F(SWAPPED_IN), SLOT(5), ANON(6), &c), K(SWAPPED));
	assert_int_equal(page_kinds(F(SWAP_MOVED), SLOT(5), SLOT(6), &c), K(SWAPPED));
	assert_int_equal(page_kinds(F(SWAPPED_OUT) | F(WRITTEN), ANON(5), SLOT(6), &c), K(WRITTEN));
	c.doubtful = true;
	assert_int_equal(page_kinds(F(PFN_CHANGED), ANON(5), OWNED(6), &c), K(OTHER));
	c.doubtful = false;
	c.shared_mapping = true;
	assert_int_equal(page_kinds(F(PFN_CHANGED), ANON(5), OWNED(6), &c), K(OTHER));
}

/* Another process copied its page, or was forked. */
static void what_another_process_did_is_of_no_kind(void **state)
{
	(void)state;
	assert_int_equal(page_kinds(F(BECAME_EXCLUSIVE), ANON(5), OWNED(5), &all_known), 0);
	assert_int_equal(page_kinds(F(BECAME_SHARED), OWNED(5), ANON(5), &all_known), 0);
	assert_int_equal(page_kinds(F(BECAME_EXCLUSIVE) | F(SOFT_DIRTIED), ANON(5), OWNED(5), &all_known), K(OTHER));
	assert_int_equal(page_kinds(F(BECAME_EXCLUSIVE) | F(WRITTEN), ANON(5), OWNED(5), &all_known), K(WRITTEN));
}

/* Whether the bytes differ is no matter of states: who knows adds the fact, and then the kind is this. */
static void what_was_written_and_nothing_else_is_of_that_kind(void **state)
{
	(void)state;
	const uint32_t dirty = F(WRITTEN) | F(SOFT_DIRTIED);
	struct facts_context known = all_known;
	known.exclusive_a = true;
	assert_int_equal(page_kinds(F(WRITTEN), OWNED(5), OWNED(5), &known), 1u << VMSNAP_KIND_WRITTEN);
	assert_int_equal(page_kinds(dirty, OWNED(5), OWNED(5), &known), 1u << VMSNAP_KIND_WRITTEN);
	assert_int_equal(page_kinds(F(WRITTEN) | F(PFN_CHANGED), OWNED(5), OWNED(6), &known),
	                 1u << VMSNAP_KIND_WRITTEN);
	assert_int_equal(page_kinds(F(WRITTEN) | F(PFN_CHANGED), ANON(5), OWNED(6), &known), 1u << VMSNAP_KIND_COPIED);
	assert_int_equal(page_kinds(F(WRITTEN) | F(ZERO_FILLED_IN), ZEROPAGE, OWNED(6), &known), 1u << VMSNAP_KIND_NEW);
	assert_int_equal(page_facts(OWNED(5), OWNED(5), &known), 0);
}

static void every_change_has_a_name(void **state)
{
	(void)state;
	assert_string_equal(vmsnap_page_change_name(VMSNAP_CHANGE_PFN_CHANGED), "pfn_changed");
	assert_string_equal(vmsnap_page_change_name(VMSNAP_CHANGE_COUNT), "?");
	assert_string_equal(vmsnap_vma_change_name(VMSNAP_VMA_CHANGE_PROTECTION_CHANGED), "protection_changed");
	assert_string_equal(vmsnap_vma_change_name(-1), "?");
	for (int i = 0; i < VMSNAP_CHANGE_COUNT; i++)
		assert_string_not_equal(vmsnap_page_change_name(i), "?");
	for (int i = 0; i < VMSNAP_VMA_CHANGE_COUNT; i++)
		assert_string_not_equal(vmsnap_vma_change_name(i), "?");
	for (int i = 0; i < VMSNAP_KIND_COUNT; i++)
		assert_string_not_equal(vmsnap_page_kind_name(i), "?");
	assert_string_equal(vmsnap_page_kind_name(-1), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zero_page_of_a_recording_is_known_by_its_frame),
		cmocka_unit_test(page_there_only_in_b_appeared),
		cmocka_unit_test(page_there_only_in_a_vanished),
		cmocka_unit_test(page_of_what_is_mapped_still_is_not_mapped_now),
		cmocka_unit_test(another_frame_is_pfn_changed),
		cmocka_unit_test(what_was_written_and_nothing_else_is_of_that_kind),
		cmocka_unit_test(exclusive_bit_that_changed_is_a_fact_if_known),
		cmocka_unit_test(swap_facts),
		cmocka_unit_test(written_zero_page_is_filled_in_and_has_another_pfn),
		cmocka_unit_test(private_copy_of_a_file_page_is_privatised),
		cmocka_unit_test(text_that_is_private_when_first_seen_is_privatised),
		cmocka_unit_test(soft_dirty_bit_that_came_is_soft_dirtied_if_known),
		cmocka_unit_test(guards_come_and_go),
		cmocka_unit_test(write_protection_comes_and_is_lifted),
		cmocka_unit_test(huge_pages_are_split_and_collapsed_if_known),
		cmocka_unit_test(kinds_say_what_facts_come_to),
		cmocka_unit_test(what_another_process_did_is_of_no_kind),
		cmocka_unit_test(every_change_has_a_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
