/* test_verdict.c - a test for each row of the table in docs/verdicts.md, and
 * that the page and the table say the same. */
#include "test_verdict_case.h"

#include <stdio.h>

#define ROW(number, title, ...)                                                                                        \
	{                                                                                                              \
		.row = number, .name = "row_" #number "_" title, __VA_ARGS__                                           \
	}
#define HUGE_BIT ENTRY_FLAG(VMSNAP_PAGE_HUGE)
static const struct row rows[] = {
	ROW(1, "shared_mapping_populated_in_parent", SHARED, NOTHING, CACHED(50), NOTHING, 0,
	    VMSNAP_VERDICT_SHARED_MAPPING, 0),
	ROW(2, "shared_mapping_populated_in_child", SHARED, BASELESS, NOTHING, CACHED(50), 0,
	    VMSNAP_VERDICT_SHARED_MAPPING, 0),
	ROW(3, "one_frame_is_shared", ANONYMOUS, ANON(9), ANON(9), ANON(9), 0, VMSNAP_VERDICT_SHARED, 0),
	ROW(3, "one_frame_is_shared_though_migrated_since", ANONYMOUS, ANON(9), ANON(8), ANON(8), 0,
	    VMSNAP_VERDICT_SHARED, 0),
	ROW(3, "one_frame_is_shared_without_base", PRIVATE_FILE, BASELESS, ANON(8), ANON(8), 0, VMSNAP_VERDICT_SHARED,
	    0),
	ROW(4, "one_slot_is_swapped", ANONYMOUS, ANON(9), SLOT(3), SLOT(3), 0, VMSNAP_VERDICT_SWAPPED, 0),
	ROW(5, "parent_kept_the_frame_so_child_copied", ANONYMOUS, ANON(9), OWNED(9), OWNED(20), 0,
	    VMSNAP_VERDICT_COPIED_BY_CHILD, 0),
	ROW(5, "parent_kept_the_slot_so_child_copied", ANONYMOUS, SLOT(3), SLOT(3), SLOT(4), 0,
	    VMSNAP_VERDICT_COPIED_BY_CHILD, 0),
	ROW(6, "child_kept_the_frame_so_parent_copied", ANONYMOUS, ANON(9), OWNED(20), OWNED(9), 0,
	    VMSNAP_VERDICT_COPIED_BY_PARENT, 0),
	ROW(6, "child_kept_the_frame_of_a_file_copy", PRIVATE_FILE, ANON(9), OWNED(20), OWNED(9), 0,
	    VMSNAP_VERDICT_COPIED_BY_PARENT, 0),
	ROW(7, "neither_kept_the_frame", ANONYMOUS, ANON(9), OWNED(20), OWNED(21), 0, VMSNAP_VERDICT_COPIED_BY_BOTH, 0),
	ROW(8, "two_frames_where_none_was", ANONYMOUS, NOTHING, OWNED(20), OWNED(21), 0, VMSNAP_VERDICT_NEW_IN_BOTH, 0),
	ROW(8, "two_frames_where_a_guard_was", ANONYMOUS, GUARD_ENTRY, OWNED(20), OWNED(21), 0,
	    VMSNAP_VERDICT_NEW_IN_BOTH, 0),
	ROW(8, "two_slots_where_nothing_was", ANONYMOUS, NOTHING, SLOT(1), SLOT(2), 0, VMSNAP_VERDICT_NEW_IN_BOTH, 0),
	ROW(8, "two_frames_in_a_new_mapping", BOTH_NEW, ANON(20), ANON(20), ANON(21), 0, VMSNAP_VERDICT_NEW_IN_BOTH, 0),
	ROW(9, "two_frames_where_zero_was", ANONYMOUS, ZEROPAGE, OWNED(20), OWNED(21), 0,
	    VMSNAP_VERDICT_ZERO_WRITTEN_BY_BOTH, 0),
	ROW(10, "two_frames_where_a_file_page_was", PRIVATE_FILE, CACHED(9), OWNED(20), OWNED(21), 0,
	    VMSNAP_VERDICT_COPIED_BY_BOTH, 0),
	ROW(10, "two_frames_where_a_file_was_not_faulted", PRIVATE_FILE, NOTHING, OWNED(20), OWNED(21), 0,
	    VMSNAP_VERDICT_COPIED_BY_BOTH, 0),
	ROW(10, "two_frames_in_a_new_file_mapping", BOTH_NEW_FILE, ANON(9), OWNED(20), OWNED(21), 0,
	    VMSNAP_VERDICT_COPIED_BY_BOTH, 0),
	ROW(11, "two_frames_without_base", ANONYMOUS, BASELESS, OWNED(20), OWNED(21), 0, VMSNAP_VERDICT_COPIED, 1),
	ROW(12, "two_frames_and_a_base_of_another_boot", ANONYMOUS, ANON(20), OWNED(20), OWNED(21), BASE_OF_OTHER_BOOT,
	    VMSNAP_VERDICT_COPIED, 0),
	ROW(12, "two_slots_unlike_that_of_the_base", ANONYMOUS, SLOT(3), SLOT(1), SLOT(2), 0, VMSNAP_VERDICT_COPIED, 0),
	ROW(12, "two_slots_for_a_frame", ANONYMOUS, ANON(3), SLOT(1), SLOT(2), 0, VMSNAP_VERDICT_COPIED, 0),
	ROW(12, "neither_kept_the_frame_and_the_kernel_moved_some", ANONYMOUS, ANON(9), OWNED(20), OWNED(21),
	    MOVED_BY_KERNEL, VMSNAP_VERDICT_COPIED, 0),
	ROW(13, "parent_kept_the_frame_and_the_child_may_have_been_merged", ANONYMOUS, ANON(9), ANON(9), ANON(21),
	    MOVED_BY_KERNEL, VMSNAP_VERDICT_COPIED, 1),
	ROW(13, "both_have_one_page_that_was_moved_between_two_looks", ANONYMOUS, ANON(9), ANON(20), ANON(21),
	    MOVED_BY_KERNEL, VMSNAP_VERDICT_COPIED, 1),
	ROW(13, "parent_has_the_frame_and_the_kernel_moved_pages_of_these", ANONYMOUS, ANON(9), OWNED(9), OWNED(21),
	    MOVED_HERE, VMSNAP_VERDICT_COPIED, 1),
	ROW(12, "neither_has_the_frame_and_the_kernel_moved_pages_of_these", ANONYMOUS, ANON(9), OWNED(20), OWNED(21),
	    MOVED_HERE, VMSNAP_VERDICT_COPIED, 0),
	ROW(13, "child_may_have_been_merged_and_parted_again", ANONYMOUS, ANON(9), OWNED(9), OWNED(21), MERGED,
	    VMSNAP_VERDICT_COPIED, 1),
	ROW(13, "both_may_have_been_merged_and_parted_again", ANONYMOUS, ANON(9), OWNED(20), OWNED(21), MERGED,
	    VMSNAP_VERDICT_COPIED, 1),
	ROW(3, "one_frame_is_shared_by_merging_too", ANONYMOUS, ANON(9), ANON(20), ANON(20), MERGED,
	    VMSNAP_VERDICT_SHARED, 0),
	ROW(14, "parent_swapped_child_present", ANONYMOUS, ANON(3), SLOT(1), ANON(3), 0, VMSNAP_VERDICT_SWAPPED, 0),
	ROW(14, "slots_unknown", ANONYMOUS, BASELESS, HIDDEN(SLOT(1)), HIDDEN(SLOT(1)), NO_PFNS, VMSNAP_VERDICT_SWAPPED,
	    0),
	ROW(15, "child_swapped_parent_present", ANONYMOUS, BASELESS, ANON(3), SLOT(1), 0, VMSNAP_VERDICT_SWAPPED, 0),
	ROW(16, "frames_unknown_where_none_was", ANONYMOUS, NOTHING, OWNED(0), OWNED(0), NO_PFNS,
	    VMSNAP_VERDICT_NEW_IN_BOTH, 1),
	ROW(16, "frames_unknown_where_none_was_both_shared_with_others", ANONYMOUS, NOTHING, ANON(0), ANON(0), NO_PFNS,
	    VMSNAP_VERDICT_NEW_IN_BOTH, 1),
	ROW(16, "nothing_known_where_none_was", ANONYMOUS, NOTHING, OWNED(0), OWNED(0), NO_PFNS | NO_EXCLUSIVE,
	    VMSNAP_VERDICT_NEW_IN_BOTH, 1),
	ROW(17, "frames_unknown_where_zero_was", ANONYMOUS, HIDDEN(ZEROPAGE), OWNED(0), OWNED(0), NO_PFNS,
	    VMSNAP_VERDICT_ZERO_WRITTEN_BY_BOTH, 1),
	ROW(18, "frames_unknown_where_a_file_page_was", PRIVATE_FILE, CACHED(0), OWNED(0), ANON(0), NO_PFNS,
	    VMSNAP_VERDICT_COPIED_BY_BOTH, 1),
	ROW(19, "exclusive_in_neither", ANONYMOUS, ANON(0), ANON(0), ANON(0), NO_PFNS, VMSNAP_VERDICT_SHARED, 1),
	ROW(19, "exclusive_in_neither_may_be_zero_if_that_is_unknown", ANONYMOUS, BASELESS, HIDDEN(ZEROPAGE),
	    HIDDEN(ZEROPAGE), NO_PFNS | NO_ZERO, VMSNAP_VERDICT_SHARED, 1),
	ROW(19, "huge_in_both_exclusive_in_neither", ANONYMOUS, BASELESS, ANON(0) | HUGE_BIT, ANON(0) | HUGE_BIT,
	    NO_PFNS, VMSNAP_VERDICT_SHARED, 1),
	ROW(20, "exclusive_in_child_or_the_parent_forked_again", ANONYMOUS, BASELESS, ANON(0), OWNED(0), NO_PFNS,
	    VMSNAP_VERDICT_COPIED, 1),
	ROW(20, "exclusive_in_child_with_base", ANONYMOUS, ANON(0), ANON(0), OWNED(0), NO_PFNS, VMSNAP_VERDICT_COPIED,
	    1),
	ROW(20, "exclusive_in_parent_or_the_child_forked_again", ANONYMOUS, BASELESS, OWNED(0), ANON(0), NO_PFNS,
	    VMSNAP_VERDICT_COPIED, 1),
	ROW(20, "exclusive_in_both", ANONYMOUS, ANON(0), OWNED(0), OWNED(0), NO_PFNS, VMSNAP_VERDICT_COPIED, 1),
	ROW(20, "exclusive_in_both_frames_hidden_by_the_kernel", ANONYMOUS, ANON(9), OWNED(0), OWNED(9), 0,
	    VMSNAP_VERDICT_COPIED, 1),
	ROW(21, "nothing_known", ANONYMOUS, ANON(0), ANON(0), ANON(0), NO_PFNS | NO_EXCLUSIVE, VMSNAP_VERDICT_UNKNOWN,
	    0),
	ROW(21, "exclusive_of_a_huge_page_says_nothing_beside_a_small_one", ANONYMOUS, ANON(0), OWNED(0) | HUGE_BIT,
	    ANON(0), NO_PFNS, VMSNAP_VERDICT_UNKNOWN, 0),
	ROW(22, "parent_dropped_the_page", ANONYMOUS, ANON(9), NOTHING, OWNED(9), 0, VMSNAP_VERDICT_DROPPED_BY_PARENT,
	    0),
	ROW(22, "parent_dropped_its_copy_of_a_file_page", PRIVATE_FILE, ANON(9), CACHED(4), OWNED(9), 0,
	    VMSNAP_VERDICT_DROPPED_BY_PARENT, 0),
	ROW(22, "parent_put_a_guard_there", ANONYMOUS, ANON(9), GUARD_ENTRY, OWNED(9), 0,
	    VMSNAP_VERDICT_DROPPED_BY_PARENT, 0),
	ROW(23, "child_dropped_the_page_and_read_zero", ANONYMOUS, ANON(9), OWNED(9), ZEROPAGE, 0,
	    VMSNAP_VERDICT_DROPPED_BY_CHILD, 0),
	ROW(23, "child_dropped_a_swapped_page", ANONYMOUS, SLOT(9), SLOT(9), NOTHING, 0,
	    VMSNAP_VERDICT_DROPPED_BY_CHILD, 0),
	ROW(24, "child_touched_an_absent_page", ANONYMOUS, NOTHING, NOTHING, OWNED(9), 0, VMSNAP_VERDICT_NEW_IN_CHILD,
	    0),
	ROW(24, "child_wrote_parent_read_an_absent_page", ANONYMOUS, NOTHING, ZEROPAGE, OWNED(9), 0,
	    VMSNAP_VERDICT_NEW_IN_CHILD, 0),
	ROW(24, "child_touched_a_page_and_it_was_swapped", ANONYMOUS, NOTHING, NOTHING, SLOT(9), 0,
	    VMSNAP_VERDICT_NEW_IN_CHILD, 0),
	ROW(25, "parent_touched_an_absent_page", ANONYMOUS, NOTHING, OWNED(9), NOTHING, 0, VMSNAP_VERDICT_NEW_IN_PARENT,
	    0),
	ROW(26, "child_wrote_the_zero_page", ANONYMOUS, ZEROPAGE, ZEROPAGE, OWNED(9), 0,
	    VMSNAP_VERDICT_ZERO_WRITTEN_BY_CHILD, 0),
	ROW(27, "parent_wrote_the_zero_page_child_never_had_it", ANONYMOUS, ZEROPAGE, OWNED(9), NOTHING, 0,
	    VMSNAP_VERDICT_ZERO_WRITTEN_BY_PARENT, 0),
	ROW(28, "child_copied_a_file_page", PRIVATE_FILE, CACHED(5), CACHED(5), OWNED(9), 0,
	    VMSNAP_VERDICT_COPIED_BY_CHILD, 0),
	ROW(28, "child_copied_a_file_page_nobody_had", PRIVATE_FILE, NOTHING, NOTHING, OWNED(9), 0,
	    VMSNAP_VERDICT_COPIED_BY_CHILD, 0),
	ROW(29, "parent_copied_a_file_page", PRIVATE_FILE, CACHED(5), OWNED(9), NOTHING, 0,
	    VMSNAP_VERDICT_COPIED_BY_PARENT, 0),
	ROW(30, "child_has_a_page_parent_none", ANONYMOUS, BASELESS, NOTHING, OWNED(9), 0, VMSNAP_VERDICT_ONLY_IN_CHILD,
	    0),
	ROW(30, "child_has_a_page_parent_zero_which_may_have_dropped_its_own", ANONYMOUS, BASELESS, ZEROPAGE, OWNED(9),
	    0, VMSNAP_VERDICT_ONLY_IN_CHILD, 0),
	ROW(30, "child_has_a_page_parent_the_file", PRIVATE_FILE, BASELESS, CACHED(5), OWNED(9), 0,
	    VMSNAP_VERDICT_ONLY_IN_CHILD, 0),
	ROW(30, "child_has_a_page_parent_has_not_faulted_the_file", PRIVATE_FILE, BASELESS, NOTHING, OWNED(9), 0,
	    VMSNAP_VERDICT_ONLY_IN_CHILD, 0),
	ROW(31, "parent_has_a_page_child_none", ANONYMOUS, BASELESS, OWNED(9), GUARD_ENTRY, 0,
	    VMSNAP_VERDICT_ONLY_IN_PARENT, 0),
	ROW(31, "parent_has_a_page_child_zero", ANONYMOUS, BASELESS, OWNED(9), ZEROPAGE, 0,
	    VMSNAP_VERDICT_ONLY_IN_PARENT, 0),
	ROW(30, "child_has_a_page_where_the_zero_page_or_one_of_both_was", ANONYMOUS, HIDDEN(ANON(9)), NOTHING,
	    OWNED(0), NO_PFNS | NO_ZERO, VMSNAP_VERDICT_ONLY_IN_CHILD, 0),
	ROW(31, "parent_has_a_page_where_the_zero_page_or_one_of_both_was", ANONYMOUS, HIDDEN(ANON(9)), OWNED(0),
	    NOTHING, NO_PFNS | NO_ZERO, VMSNAP_VERDICT_ONLY_IN_PARENT, 0),
	ROW(32, "both_dropped_the_page", ANONYMOUS, ANON(9), NOTHING, NOTHING, 0, VMSNAP_VERDICT_DROPPED_BY_BOTH, 0),
	ROW(32, "both_dropped_their_copy_of_a_file_page", PRIVATE_FILE, ANON(9), CACHED(4), NOTHING, 0,
	    VMSNAP_VERDICT_DROPPED_BY_BOTH, 0),
	ROW(33, "nothing_anywhere", ANONYMOUS, NOTHING, NOTHING, GUARD_ENTRY, 0, VERDICT_NONE, 0),
	ROW(33, "file_page_of_the_base_let_go", PRIVATE_FILE, CACHED(5), NOTHING, NOTHING, 0, VERDICT_NONE, 0),
	ROW(34, "file_page_in_both", PRIVATE_FILE, CACHED(5), CACHED(5), CACHED(5), 0, VMSNAP_VERDICT_FILE, 0),
	ROW(34, "file_page_not_faulted_by_child", PRIVATE_FILE, BASELESS, CACHED(5), NOTHING, 0, VMSNAP_VERDICT_FILE,
	    0),
	ROW(34, "vdso_page_in_both", ANONYMOUS, CACHED(5), CACHED(5), CACHED(5), 0, VMSNAP_VERDICT_FILE, 0),
	ROW(35, "vdso_page_not_faulted_by_parent", ANONYMOUS, NOTHING, NOTHING, CACHED(5), 0, VMSNAP_VERDICT_FILE, 0),
	ROW(36, "zero_in_both", ANONYMOUS, ZEROPAGE, ZEROPAGE, ZEROPAGE, 0, VMSNAP_VERDICT_ZERO_SHARED, 0),
	ROW(36, "zero_not_faulted_by_child", ANONYMOUS, ZEROPAGE, ZEROPAGE, NOTHING, 0, VMSNAP_VERDICT_ZERO_SHARED, 0),
	ROW(37, "zero_in_both_without_base", ANONYMOUS, BASELESS, ZEROPAGE, ZEROPAGE, 0, VMSNAP_VERDICT_ZERO_SHARED, 1),
	ROW(38, "zero_in_child_without_base", ANONYMOUS, BASELESS, NOTHING, ZEROPAGE, 0, VMSNAP_VERDICT_ZERO, 0),
	ROW(39, "zero_in_parent_without_base", ANONYMOUS, BASELESS, ZEROPAGE, NOTHING, 0, VMSNAP_VERDICT_ZERO, 0),
	ROW(40, "both_read_what_neither_had", ANONYMOUS, NOTHING, ZEROPAGE, ZEROPAGE, 0, VMSNAP_VERDICT_ZERO_IN_BOTH,
	    0),
	ROW(41, "child_read_what_neither_had", ANONYMOUS, NOTHING, NOTHING, ZEROPAGE, 0, VMSNAP_VERDICT_ZERO_IN_CHILD,
	    0),
	ROW(42, "parent_read_what_neither_had", ANONYMOUS, NOTHING, ZEROPAGE, GUARD_ENTRY, 0,
	    VMSNAP_VERDICT_ZERO_IN_PARENT, 0),
	ROW(43, "child_mapped_anew_parent_touched", CHILD_OTHER, NOTHING, OWNED(9), OWNED(8), 0,
	    VMSNAP_VERDICT_NEW_IN_BOTH, 0),
	ROW(44, "child_mapped_over_it", CHILD_OTHER, ANON(9), OWNED(9), OWNED(8), 0, VMSNAP_VERDICT_NEW_IN_CHILD, 0),
	ROW(44, "child_wrote_to_memory_of_its_own_where_a_file_was", CHILD_OTHER, CACHED(9), CACHED(9), OWNED(8), 0,
	    VMSNAP_VERDICT_NEW_IN_CHILD, 0),
	ROW(48, "child_unmapped_parent_dropped", CHILD_GONE, ANON(9), NOTHING, NOTHING, 0,
	    VMSNAP_VERDICT_DROPPED_BY_BOTH, 0),
	ROW(49, "child_unmapped", CHILD_GONE, ANON(9), OWNED(9), NOTHING, 0, VMSNAP_VERDICT_DROPPED_BY_CHILD, 0),
	ROW(49, "child_mapped_over_it_and_did_not_touch", CHILD_OTHER, ANON(9), OWNED(9), NOTHING, 0,
	    VMSNAP_VERDICT_DROPPED_BY_CHILD, 0),
	ROW(46, "child_mapped_a_file_over_it_and_read", CHILD_OTHER, ANON(9), OWNED(9), CACHED(3), 0,
	    VMSNAP_VERDICT_FILE, 0),
	ROW(50, "child_unmapped_parent_wrote_the_zero_page", CHILD_GONE, ZEROPAGE, OWNED(9), NOTHING, 0,
	    VMSNAP_VERDICT_ZERO_WRITTEN_BY_PARENT, 0),
	ROW(51, "child_unmapped_parent_copied_a_file_page", CHILD_GONE, CACHED(4), OWNED(9), NOTHING, 0,
	    VMSNAP_VERDICT_COPIED_BY_PARENT, 0),
	ROW(52, "child_unmapped_parent_touched", CHILD_GONE, NOTHING, OWNED(9), NOTHING, 0,
	    VMSNAP_VERDICT_NEW_IN_PARENT, 0),
	ROW(53, "parent_mapped_anew_child_touched", PARENT_OTHER, NOTHING, OWNED(9), OWNED(8), 0,
	    VMSNAP_VERDICT_NEW_IN_BOTH, 0),
	ROW(54, "parent_mapped_over_it", PARENT_OTHER, ANON(9), OWNED(8), OWNED(9), 0, VMSNAP_VERDICT_NEW_IN_PARENT, 0),
	ROW(58, "parent_unmapped_child_dropped", PARENT_GONE, ANON(9), NOTHING, ZEROPAGE, 0,
	    VMSNAP_VERDICT_DROPPED_BY_BOTH, 0),
	ROW(59, "parent_unmapped", PARENT_GONE, ANON(9), NOTHING, OWNED(9), 0, VMSNAP_VERDICT_DROPPED_BY_PARENT, 0),
	ROW(60, "parent_unmapped_child_wrote_the_zero_page", PARENT_GONE, ZEROPAGE, NOTHING, OWNED(9), 0,
	    VMSNAP_VERDICT_ZERO_WRITTEN_BY_CHILD, 0),
	ROW(61, "parent_unmapped_child_copied_a_file_page", PARENT_GONE, CACHED(4), NOTHING, OWNED(9), 0,
	    VMSNAP_VERDICT_COPIED_BY_CHILD, 0),
	ROW(62, "parent_unmapped_child_touched", PARENT_GONE, NOTHING, NOTHING, OWNED(9), 0,
	    VMSNAP_VERDICT_NEW_IN_CHILD, 0),
	ROW(63, "both_mapped_something_else", ALL_DIFFERENT, ANON(9), OWNED(8), OWNED(7), 0, VMSNAP_VERDICT_NEW_IN_BOTH,
	    0),
	ROW(64, "both_unmapped_child_touched_another", ALL_DIFFERENT, ANON(9), NOTHING, OWNED(7), 0,
	    VMSNAP_VERDICT_NEW_IN_CHILD, 0),
	ROW(65, "both_unmapped_parent_touched_another", ALL_DIFFERENT, ANON(9), OWNED(7), CACHED(5), 0,
	    VMSNAP_VERDICT_NEW_IN_PARENT, 0),
	ROW(66, "both_unmapped", BOTH_GONE, ANON(9), NOTHING, NOTHING, 0, VMSNAP_VERDICT_DROPPED_BY_BOTH, 0),
	ROW(67, "different_mappings_both_touched", CHILD_OTHER, BASELESS, OWNED(7), OWNED(8), 0, VMSNAP_VERDICT_UNKNOWN,
	    0),
	ROW(68, "mapping_of_the_child_alone", PARENT_GONE, BASELESS, NOTHING, OWNED(8), 0, VMSNAP_VERDICT_ONLY_IN_CHILD,
	    0),
	ROW(69, "mapping_of_the_parent_alone", CHILD_GONE, BASELESS, OWNED(8), NOTHING, 0,
	    VMSNAP_VERDICT_ONLY_IN_PARENT, 0),
	ROW(69, "child_unmapped_the_zero_page_or_one_of_both", CHILD_GONE, HIDDEN(ANON(9)), OWNED(0), NOTHING,
	    NO_PFNS | NO_ZERO, VMSNAP_VERDICT_ONLY_IN_PARENT, 0),
	ROW(70, "child_unmapped_parent_touched_a_shared_mapping", CHILD_GONE_SHARED, NOTHING, CACHED(9), NOTHING, 0,
	    VMSNAP_VERDICT_SHARED_MAPPING, 0),
	ROW(71, "parent_unmapped_child_touched_a_shared_mapping", PARENT_GONE_SHARED, NOTHING, NOTHING, CACHED(9), 0,
	    VMSNAP_VERDICT_SHARED_MAPPING, 0),
	ROW(72, "child_unmapped_what_the_parent_has_of_a_file", CHILD_GONE, CACHED(9), CACHED(9), NOTHING, 0,
	    VMSNAP_VERDICT_FILE, 0),
	ROW(46, "child_loaded_a_library", CHILD_OTHER, NOTHING, NOTHING, CACHED(9), 0, VMSNAP_VERDICT_FILE, 0),
	ROW(73, "child_loaded_a_library_without_base", PARENT_GONE, BASELESS, NOTHING, CACHED(8), 0,
	    VMSNAP_VERDICT_FILE, 0),
	ROW(74, "child_unmapped_parent_read_it_before", CHILD_GONE, ZEROPAGE, ZEROPAGE, NOTHING, 0,
	    VMSNAP_VERDICT_ZERO_SHARED, 0),
	ROW(47, "child_read_memory_of_its_own_over_what_was_read_before", CHILD_OTHER, ZEROPAGE, ZEROPAGE, ZEROPAGE, 0,
	    VMSNAP_VERDICT_ZERO_IN_CHILD, 0),
	ROW(75, "parent_unmapped_child_read_it_before", PARENT_GONE, ZEROPAGE, NOTHING, ZEROPAGE, 0,
	    VMSNAP_VERDICT_ZERO_SHARED, 0),
	ROW(57, "parent_read_memory_of_its_own_over_what_was_read_before", PARENT_OTHER, ZEROPAGE, ZEROPAGE, ZEROPAGE,
	    0, VMSNAP_VERDICT_ZERO_IN_PARENT, 0),
	ROW(76, "both_read_different_memory_without_base", CHILD_OTHER, BASELESS, ZEROPAGE, ZEROPAGE, 0,
	    VMSNAP_VERDICT_ZERO, 0),
	ROW(77, "child_read_other_memory_without_base", CHILD_OTHER, BASELESS, NOTHING, ZEROPAGE, 0,
	    VMSNAP_VERDICT_ZERO, 0),
	ROW(79, "both_read_other_memory", ALL_DIFFERENT, NOTHING, ZEROPAGE, ZEROPAGE, 0, VMSNAP_VERDICT_ZERO_IN_BOTH,
	    0),
	ROW(47, "child_read_memory_of_its_own", CHILD_OTHER, NOTHING, NOTHING, ZEROPAGE, 0,
	    VMSNAP_VERDICT_ZERO_IN_CHILD, 0),
	ROW(81, "parent_read_memory_of_its_own", ALL_DIFFERENT, NOTHING, ZEROPAGE, NOTHING, 0,
	    VMSNAP_VERDICT_ZERO_IN_PARENT, 0),
	ROW(78, "parent_read_memory_of_its_own_without_base", CHILD_GONE, BASELESS, ZEROPAGE, NOTHING, 0,
	    VMSNAP_VERDICT_ZERO, 0),
	ROW(80, "child_read_one_of_two_new_mappings", ALL_DIFFERENT, NOTHING, NOTHING, ZEROPAGE, 0,
	    VMSNAP_VERDICT_ZERO_IN_CHILD, 0),
	ROW(45, "child_mapped_shared_memory_over_it", CHILD_OTHER_SHARED, ANON(9), OWNED(9), CACHED(3), 0,
	    VMSNAP_VERDICT_SHARED_MAPPING, 0),
	ROW(55, "parent_mapped_shared_memory_over_it", PARENT_OTHER_SHARED, ANON(9), CACHED(3), OWNED(9), 0,
	    VMSNAP_VERDICT_SHARED_MAPPING, 0),
	ROW(56, "parent_mapped_a_file_over_it", PARENT_OTHER, ANON(9), CACHED(3), OWNED(9), 0, VMSNAP_VERDICT_FILE, 0),
	ROW(82, "different_mappings_nothing_touched", CHILD_OTHER, BASELESS, NOTHING, GUARD_ENTRY, 0, VERDICT_NONE, 0),
	ROW(82, "child_unmapped_nothing", CHILD_GONE, NOTHING, NOTHING, NOTHING, 0, VERDICT_NONE, 0),
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static void row_holds(void **state)
{
	const struct row *row = *state;
	struct verdict_case c = make_case(row);
	struct verdict verdict = verdict_of(&c);
	assert_int_equal(verdict.row, row->row);
	assert_int_equal(verdict.verdict, row->verdict);
	assert_int_equal(verdict.inferred, row->inferred);
}

static void every_row_has_a_test(void **state)
{
	(void)state;
	bool tested[TABLE_ROWS + 1] = { false };
	for (size_t i = 0; i < ROWS; i++)
		tested[rows[i].row] = true;
	for (size_t row = 1; row <= TABLE_ROWS; row++)
		if (!tested[row])
			fail_msg("row %zu has no test", row);
}

/* A row of docs/verdicts.md ends in "| verdict | inferred or nothing |". */
static void check_line(char *line, bool *seen)
{
	unsigned number;
	int begin = 0;
	if (sscanf(line, "| %u | %n", &number, &begin) != 1 || !begin)
		return;
	assert_in_range(number, 1, TABLE_ROWS);
	assert_false(seen[number]);
	seen[number] = true;
	for (size_t i = 0; i < ROWS; i++) {
		if (rows[i].row != number)
			continue;
		const char *name = rows[i].verdict == VERDICT_NONE ? "nothing" : vmsnap_verdict_name(rows[i].verdict);
		char expected[64];
		snprintf(expected, sizeof(expected), "| %s |%s |\n", name, rows[i].inferred ? " inferred" : "");
		size_t len = strlen(line), want = strlen(expected);
		assert_true(len >= want);
		assert_string_equal(line + len - want, expected);
	}
}

static void the_page_says_what_the_rules_do(void **state)
{
	(void)state;
	FILE *file = fopen(SOURCE_DIR "/docs/verdicts.md", "r");
	assert_non_null(file);
	char line[1024];
	bool seen[TABLE_ROWS + 1] = { false }, inside = false;
	while (fgets(line, sizeof(line), file)) {
		if (line[0] == '#')
			inside = !strcmp(line, "## The rules\n");
		if (inside)
			check_line(line, seen);
	}
	fclose(file);
	for (size_t row = 1; row <= TABLE_ROWS; row++)
		if (!seen[row])
			fail_msg("docs/verdicts.md has no row %zu", row);
}

/* Frames are unknown; all pages of a huge one show the exclusive bit of its first. */
static void huge_pages_show_the_bit_of_the_first(void **state)
{
	(void)state;
	const uint64_t small = ENTRY_PRESENT, huge = small | ENTRY_FLAG(VMSNAP_PAGE_HUGE);
	const uint64_t exclusive = ENTRY_FLAG(VMSNAP_PAGE_EXCLUSIVE);
	const struct {
		uint64_t parent, child;
		int verdict;
	} cases[] = {
		/* The child copied the first page: its others are the parent's. */
		{ huge | exclusive, small | exclusive, VMSNAP_VERDICT_COPIED },
		{ huge | exclusive, small, VMSNAP_VERDICT_UNKNOWN },
		/* It copied another one. */
		{ huge, small | exclusive, VMSNAP_VERDICT_COPIED },
		{ huge, small, VMSNAP_VERDICT_SHARED },
		/* Both map one, or two, as a whole. */
		{ huge, huge, VMSNAP_VERDICT_SHARED },
		{ huge | exclusive, huge | exclusive, VMSNAP_VERDICT_COPIED },
	};
	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(*cases); i++) {
		struct row row = { .mapping = ANONYMOUS, .unknown = NO_PFNS, .base = BASELESS };
		row.parent = i % 2 ? cases[i / 2].child : cases[i / 2].parent;
		row.child = i % 2 ? cases[i / 2].parent : cases[i / 2].child;
		struct verdict_case c = make_case(&row);
		struct verdict verdict = verdict_of(&c);
		assert_int_equal(verdict.verdict, cases[i / 2].verdict);
		assert_int_equal(verdict.inferred, verdict.verdict != VMSNAP_VERDICT_UNKNOWN);
	}
}

/* On the move, so that its frame is not known; or looking swapped, and nobody knows whether it is. */
static void expect_verdict(const struct row *row, int verdict, bool inferred)
{
	struct verdict_case c = make_case(row);
	struct verdict found = verdict_of(&c);
	assert_int_equal(found.verdict, verdict);
	assert_int_equal(found.inferred, inferred);
}

/* The frame may have been let go and given out again, but nothing shows that it was. */
static void who_copied_is_inferred_where_the_kernel_moved_pages_of_others(void **state)
{
	(void)state;
	struct row row = { .mapping = ANONYMOUS, .base = ANON(9), .parent = ANON(9), .child = OWNED(21) };
	expect_verdict(&row, VMSNAP_VERDICT_COPIED_BY_CHILD, false);
	row.unknown = MOVED_BY_KERNEL;
	expect_verdict(&row, VMSNAP_VERDICT_COPIED_BY_CHILD, true);
	row.parent = OWNED(21);
	row.child = OWNED(9);
	expect_verdict(&row, VMSNAP_VERDICT_COPIED_BY_PARENT, true);
}

/* Put together by the kernel and taken apart again, pages lie side by side as a huge one does. */
static void pages_that_lie_as_a_huge_one_does_may_be_of_the_kernels_making(void **state)
{
	(void)state;
	struct row row = { .mapping = ANONYMOUS, .base = ANON(9), .parent = OWNED(9), .child = OWNED(20) };
	struct verdict_case c = make_case(&row);
	c.child.aligned = true;
	assert_int_equal(verdict_of(&c).verdict, VMSNAP_VERDICT_COPIED_BY_CHILD);
	c.moves = MOVES_ELSEWHERE;
	assert_int_equal(verdict_of(&c).row, 13);
	c.child.aligned = false;
	c.parent.aligned = true;
	assert_int_equal(verdict_of(&c).row, 5);
	c.parent.entry = OWNED(21);
	assert_int_equal(verdict_of(&c).row, 13);
}

/* Both may have moved it there since the base: without frames that is not seen. */
static void what_neither_had_in_its_place_after_the_fork_need_not_be_new(void **state)
{
	(void)state;
	struct row row = { .mapping = BOTH_NEW, .parent = OWNED(20), .child = OWNED(21) };
	struct verdict_case c = make_case(&row);
	c.base_time = BASE_BOTH;
	c.base_other_same = true;
	c.other = c.base;
	assert_int_equal(verdict_of(&c).verdict, VMSNAP_VERDICT_NEW_IN_BOTH);
	c.parent.frames_known = c.child.frames_known = false;
	assert_int_equal(verdict_of(&c).verdict, VMSNAP_VERDICT_COPIED);
}

/* KSM may put the zero page in the place of one that holds zeros. */
static void zero_pages_may_be_pages_that_were_merged(void **state)
{
	(void)state;
	struct row row = { .mapping = ANONYMOUS, .base = ANON(9), .parent = OWNED(9), .child = ZEROPAGE };
	struct verdict_case c = make_case(&row);
	assert_int_equal(verdict_of(&c).verdict, VMSNAP_VERDICT_DROPPED_BY_CHILD);
	row.unknown = MERGED;
	c = make_case(&row);
	assert_int_equal(verdict_of(&c).verdict, VMSNAP_VERDICT_UNKNOWN);
	c.child.entry = NOTHING;
	assert_int_equal(verdict_of(&c).verdict, VMSNAP_VERDICT_DROPPED_BY_CHILD);
}

/* One side has the base's frame still, and a fault since can have made the page anew in it. */
static void a_frame_kept_since_the_base_is_no_proof_where_pages_were_made_since(void **state)
{
	(void)state;
	static const struct {
		enum base_time time;
		uint64_t parent, child;
		enum mapping mapping;
		bool parent_idle, child_idle;
		int verdict;
		bool inferred;
	} cases[] = {
		{ BASE_BEFORE, OWNED(9), OWNED(21), ANONYMOUS, true, false, VMSNAP_VERDICT_COPIED_BY_CHILD, false },
		{ BASE_BEFORE, OWNED(9), OWNED(21), ANONYMOUS, false, true, VMSNAP_VERDICT_COPIED_BY_CHILD, true },
		{ BASE_BEFORE, OWNED(21), OWNED(9), ANONYMOUS, false, true, VMSNAP_VERDICT_COPIED_BY_PARENT, false },
		{ BASE_BEFORE, OWNED(21), OWNED(9), ANONYMOUS, true, false, VMSNAP_VERDICT_COPIED_BY_PARENT, true },
		{ BASE_BEFORE, OWNED(9), NOTHING, ANONYMOUS, true, true, VMSNAP_VERDICT_DROPPED_BY_CHILD, false },
		{ BASE_BEFORE, OWNED(9), NOTHING, ANONYMOUS, false, true, VMSNAP_VERDICT_ONLY_IN_PARENT, false },
		{ BASE_BEFORE, ZEROPAGE, OWNED(9), ANONYMOUS, true, true, VMSNAP_VERDICT_DROPPED_BY_PARENT, false },
		{ BASE_BEFORE, ZEROPAGE, OWNED(9), ANONYMOUS, true, false, VMSNAP_VERDICT_ONLY_IN_CHILD, false },
		{ BASE_BEFORE, OWNED(9), NOTHING, CHILD_GONE, true, true, VMSNAP_VERDICT_DROPPED_BY_CHILD, false },
		{ BASE_BEFORE, OWNED(9), NOTHING, CHILD_GONE, false, true, VMSNAP_VERDICT_ONLY_IN_PARENT, false },
		{ BASE_BEFORE, NOTHING, OWNED(9), PARENT_GONE, true, false, VMSNAP_VERDICT_ONLY_IN_CHILD, false },
		{ BASE_BEFORE, ANON(9), ANON(9), ANONYMOUS, false, false, VMSNAP_VERDICT_SHARED, false },
		{ BASE_PARENT_LATE, OWNED(21), OWNED(9), ANONYMOUS, false, true, VMSNAP_VERDICT_COPIED_BY_PARENT,
		  false },
		{ BASE_PARENT_LATE, OWNED(21), OWNED(9), ANONYMOUS, true, false, VMSNAP_VERDICT_COPIED_BY_PARENT,
		  true },
		{ BASE_PARENT_LATE, NOTHING, OWNED(9), ANONYMOUS, true, false, VMSNAP_VERDICT_ONLY_IN_CHILD, false },
		{ BASE_CHILD_LATE, OWNED(9), OWNED(21), ANONYMOUS, true, true, VMSNAP_VERDICT_COPIED_BY_CHILD, true },
		{ BASE_CHILD_LATE, OWNED(9), NOTHING, ANONYMOUS, true, true, VMSNAP_VERDICT_ONLY_IN_PARENT, false },
		/* What was there at the fork itself needs no such proof. */
		{ BASE_AT, OWNED(9), NOTHING, ANONYMOUS, false, false, VMSNAP_VERDICT_DROPPED_BY_CHILD, false },
		{ BASE_AT_CHILD, OWNED(9), OWNED(21), ANONYMOUS, false, false, VMSNAP_VERDICT_COPIED_BY_CHILD, false },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct row row = {
			.mapping = cases[i].mapping, .base = ANON(9), .parent = cases[i].parent, .child = cases[i].child
		};
		struct verdict_case c = make_case(&row);
		c.base_time = cases[i].time;
		c.parent_idle = cases[i].parent_idle;
		c.child_idle = cases[i].child_idle;
		struct verdict found = verdict_of(&c);
		if (found.verdict != cases[i].verdict || found.inferred != cases[i].inferred)
			fail_msg("case %zu: %s, inferred %d", i, vmsnap_verdict_name(found.verdict), found.inferred);
	}
}

/* The parent had the page alone after the fork, and gave it back: what the child has in its frame is another. */
static void what_one_had_alone_after_the_fork_the_other_was_given_later(void **state)
{
	(void)state;
	struct row row = { .mapping = ANONYMOUS, .base = OWNED(9), .parent = OWNED(21), .child = OWNED(9) };
	struct verdict_case c = make_case(&row);
	c.base_time = BASE_PARENT_LATE;
	assert_int_equal(verdict_of(&c).verdict, VMSNAP_VERDICT_COPIED_BY_PARENT);
	c.base_after = true;
	assert_int_equal(verdict_of(&c).verdict, VMSNAP_VERDICT_COPIED);
	assert_true(verdict_of(&c).inferred);
	c.base.entry = ANON(9);
	assert_int_equal(verdict_of(&c).verdict, VMSNAP_VERDICT_COPIED_BY_PARENT);
	c = mirror(c);
	c.base_time = BASE_CHILD_LATE;
	assert_int_equal(verdict_of(&c).verdict, VMSNAP_VERDICT_COPIED_BY_CHILD);
	c.base.entry = OWNED(9);
	assert_int_equal(verdict_of(&c).verdict, VMSNAP_VERDICT_COPIED);
}

/* It was somewhere else in the base, and nothing proves that it moved: the child dropped it then. */
static void what_the_parent_has_where_the_base_had_nothing_need_not_be_new(void **state)
{
	(void)state;
	struct row row = { .mapping = BOTH_NEW, .parent = OWNED(20), .child = NOTHING };
	struct verdict_case c = make_case(&row);
	c.base_time = BASE_BEFORE;
	assert_int_equal(verdict_of(&c).verdict, VMSNAP_VERDICT_ONLY_IN_PARENT);
	assert_false(verdict_of(&c).inferred);
	row.mapping = BOTH_NEW_FILE;
	c = make_case(&row);
	c.base_time = BASE_BEFORE;
	assert_int_equal(verdict_of(&c).verdict, VMSNAP_VERDICT_COPIED_BY_PARENT);
	assert_true(verdict_of(&c).inferred);
}

/* Who had the zero page at the fork a base from before it does not show, nor what the child was given then. */
static void since_when_there_is_a_zero_page_is_known_of_both_sides_at_the_fork_alone(void **state)
{
	(void)state;
	static const struct {
		enum base_time time;
		uint64_t base, parent, child;
		int verdict;
		bool inferred;
	} cases[] = {
		{ BASE_BEFORE, NOTHING, NOTHING, ZEROPAGE, VMSNAP_VERDICT_ZERO, false },
		{ BASE_BEFORE, NOTHING, ZEROPAGE, ZEROPAGE, VMSNAP_VERDICT_ZERO_SHARED, true },
		{ BASE_BEFORE, NOTHING, ZEROPAGE, NOTHING, VMSNAP_VERDICT_ZERO_IN_PARENT, true },
		{ BASE_BEFORE, ZEROPAGE, NOTHING, ZEROPAGE, VMSNAP_VERDICT_ZERO_SHARED, true },
		{ BASE_AT_CHILD, NOTHING, ZEROPAGE, NOTHING, VMSNAP_VERDICT_ZERO, false },
		{ BASE_AT_CHILD, NOTHING, NOTHING, ZEROPAGE, VMSNAP_VERDICT_ZERO_IN_CHILD, true },
		{ BASE_AT_CHILD, ZEROPAGE, ZEROPAGE, NOTHING, VMSNAP_VERDICT_ZERO_SHARED, true },
		{ BASE_PARENT_LATE, ZEROPAGE, ZEROPAGE, NOTHING, VMSNAP_VERDICT_ZERO, false },
		{ BASE_CHILD_LATE, NOTHING, NOTHING, ZEROPAGE, VMSNAP_VERDICT_ZERO, false },
		{ BASE_AT, NOTHING, ZEROPAGE, NOTHING, VMSNAP_VERDICT_ZERO_IN_PARENT, false },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct row row = { .mapping = ANONYMOUS,
			           .base = cases[i].base,
			           .parent = cases[i].parent,
			           .child = cases[i].child };
		struct verdict_case c = make_case(&row);
		c.base_time = cases[i].time;
		struct verdict found = verdict_of(&c);
		if (found.verdict != cases[i].verdict || found.inferred != cases[i].inferred)
			fail_msg("case %zu: %s, inferred %d", i, vmsnap_verdict_name(found.verdict), found.inferred);
	}
}

static void what_is_not_known_has_no_verdict(void **state)
{
	(void)state;
	const uint64_t unknown[] = { ENTRY_PRESENT, SLOT(1) | ENTRY_FLAG(VMSNAP_PAGE_HUGE),
		                     ENTRY_SWAPPED | 30 | 9 << 5 };
	for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++) {
		struct row row = { .mapping = ANONYMOUS, .base = ANON(9), .parent = unknown[i], .child = ANON(9) };
		struct verdict_case c = make_case(&row), turned = mirror(c);
		assert_int_equal(verdict_of(&c).verdict, VMSNAP_VERDICT_UNKNOWN);
		assert_int_equal(verdict_of(&turned).verdict, VMSNAP_VERDICT_UNKNOWN);
	}
}

static void every_verdict_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (int i = 0; i < VMSNAP_VERDICT_COUNT; i++)
		for (int j = 0; j < i; j++)
			assert_string_not_equal(vmsnap_verdict_name(i), vmsnap_verdict_name(j));
	assert_string_equal(vmsnap_verdict_name(VMSNAP_VERDICT_COPIED_BY_CHILD), "copied_by_child");
	assert_string_equal(vmsnap_verdict_name(VMSNAP_VERDICT_COUNT), "?");
	assert_string_equal(vmsnap_verdict_name(-1), "?");
}

int main(void)
{
	const struct CMUnitTest others[] = {
		cmocka_unit_test(every_row_has_a_test),
		cmocka_unit_test(the_page_says_what_the_rules_do),
		cmocka_unit_test(huge_pages_show_the_bit_of_the_first),
		cmocka_unit_test(who_copied_is_inferred_where_the_kernel_moved_pages_of_others),
		cmocka_unit_test(pages_that_lie_as_a_huge_one_does_may_be_of_the_kernels_making),
		cmocka_unit_test(what_neither_had_in_its_place_after_the_fork_need_not_be_new),
		cmocka_unit_test(zero_pages_may_be_pages_that_were_merged),
		cmocka_unit_test(a_frame_kept_since_the_base_is_no_proof_where_pages_were_made_since),
		cmocka_unit_test(what_one_had_alone_after_the_fork_the_other_was_given_later),
		cmocka_unit_test(what_the_parent_has_where_the_base_had_nothing_need_not_be_new),
		cmocka_unit_test(since_when_there_is_a_zero_page_is_known_of_both_sides_at_the_fork_alone),
		cmocka_unit_test(what_is_not_known_has_no_verdict),
		cmocka_unit_test(every_verdict_has_a_name_of_its_own),
	};
	struct row copies[ROWS];
	struct CMUnitTest row_tests[ROWS];
	memcpy(copies, rows, sizeof(copies));
	for (size_t i = 0; i < ROWS; i++)
		row_tests[i] = (struct CMUnitTest){ rows[i].name, row_holds, NULL, NULL, &copies[i] };
	int failed = cmocka_run_group_tests_name("rows", row_tests, NULL, NULL);
	return failed + cmocka_run_group_tests_name("table", others, NULL, NULL);
}
