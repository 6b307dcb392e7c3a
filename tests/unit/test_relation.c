/* test_relation.c - which snapshots have pages that can be compared. */
#include "test_diff_fixture.h"

#include "relation.h"

enum { STACK_A = 0x7fff1000, STACK_B = 0x7fff2000 };

/* A program, its memory and its stack. */
static struct vmsnap *process(uint32_t pid, uint64_t start_time)
{
	struct vmsnap *snap = make_snap();
	snap->info.pid = snap->info.tgid = pid;
	snap->info.start_time = start_time;
	snap->info.freeze = VMSNAP_FREEZE_FULL;
	snap->info.known.huge = true;
	snap->info.start_stack = STACK_A;
	snap->info.start_code = PAGE_AT(16);
	snap->info.arg_start = STACK_A + 64;
	snap->info.monotonic = 1000 + pid + (int64_t)start_time;
	add_file(snap, 16, 20, "r-xp", "/bin/server", 11, 0);
	add_anon(snap, 30, 40, "rw-p", "[heap]");
	add_anon(snap, 50, 51, "r-xp", "[vdso]");
	add_pages(snap, 16, 2, CACHED(100));
	add_pages(snap, 30, 4, OWNED(200));
	return snap;
}

static void expect(const struct vmsnap *a, const struct vmsnap *b, int relation)
{
	assert_string_equal(vmsnap_relation_name(vmsnap_relation(a, b)), vmsnap_relation_name(relation));
	assert_int_equal(vmsnap_relation(b, a), relation);
}

static void one_process_at_two_times_is_comparable(void **state)
{
	(void)state;
	struct vmsnap *a = process(7, 5), *b = process(7, 5);
	b->info.monotonic++;
	expect(a, b, VMSNAP_RELATION_COMPARABLE);
	b->info.arg_start += 4096; /* setproctitle() may move it */
	expect(a, b, VMSNAP_RELATION_COMPARABLE);
	b->info.start_stack = b->info.start_code = 0; /* of a file that does not tell */
	expect(a, b, VMSNAP_RELATION_COMPARABLE);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static void another_stack_is_another_program(void **state)
{
	(void)state;
	struct vmsnap *a = process(7, 5), *b = process(7, 5), *child = process(8, 6);
	b->info.start_stack = STACK_B;
	expect(a, b, VMSNAP_RELATION_ANOTHER_PROGRAM);
	expect(a, child, VMSNAP_RELATION_COMPARABLE);
	expect(b, child, VMSNAP_RELATION_ANOTHER_PROGRAM);
	vmsnap_unref(a);
	vmsnap_unref(b);
	vmsnap_unref(child);
}

static void another_file_at_the_same_place_is_another_program(void **state)
{
	(void)state;
	struct vmsnap *a = process(7, 5), *b = process(7, 5);
	b->vmas[0].name = "/bin/renamed";
	expect(a, b, VMSNAP_RELATION_COMPARABLE);
	b->vmas[0].inode++;
	expect(a, b, VMSNAP_RELATION_ANOTHER_PROGRAM);
	b->vmas[0].inode--;
	a->info.exe_build_id = (const uint8_t *)"one build";
	b->info.exe_build_id = (const uint8_t *)"two build";
	a->info.exe_build_id_len = b->info.exe_build_id_len = 9;
	expect(a, b, VMSNAP_RELATION_ANOTHER_PROGRAM);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static void where_the_stack_is_not_known_vdso_and_arguments_tell(void **state)
{
	(void)state;
	struct vmsnap *a = process(7, 5), *b = process(7, 5);
	a->info.start_stack = 0;
	b->info.start_code = 0;
	b->vmas[2].start += PAGE;
	b->vmas[2].end += PAGE;
	expect(a, b, VMSNAP_RELATION_COMPARABLE); /* it may have moved its vDSO */
	b->info.arg_start += PAGE;
	expect(a, b, VMSNAP_RELATION_ANOTHER_PROGRAM);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

/* Without randomised addresses all places of a program are the same again. */
static void of_two_processes_that_have_executed_something_neither_is_the_others_child(void **state)
{
	(void)state;
	struct vmsnap *a = process(7, 5), *b = process(8, 6);
	expect(a, b, VMSNAP_RELATION_COMPARABLE);
	a->info.executed = VMSNAP_EXECUTED_PROGRAM;
	expect(a, b, VMSNAP_RELATION_COMPARABLE); /* not told */
	b->info.executed = VMSNAP_EXECUTED_NOTHING;
	expect(a, b, VMSNAP_RELATION_COMPARABLE); /* a worker and its master */
	b->info.executed = VMSNAP_EXECUTED_PROGRAM;
	expect(a, b, VMSNAP_RELATION_ANOTHER_PROGRAM);
	a->info.executed = b->info.executed = VMSNAP_EXECUTED_NOTHING;
	expect(a, b, VMSNAP_RELATION_COMPARABLE); /* two workers */
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static void one_process_seen_from_two_namespaces_is_comparable(void **state)
{
	(void)state;
	struct vmsnap *a = process(7, 5), *b = process(4007, 5);
	a->info.executed = b->info.executed = VMSNAP_EXECUTED_PROGRAM;
	a->info.ns_pid = b->info.ns_pid = 7;
	a->info.pid_namespace = b->info.pid_namespace = 4026531836;
	expect(a, b, VMSNAP_RELATION_COMPARABLE);
	b->info.ns_pid = 9;
	expect(a, b, VMSNAP_RELATION_ANOTHER_PROGRAM);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static void a_process_that_had_executed_nothing_and_now_has_is_another_program(void **state)
{
	(void)state;
	struct vmsnap *a = process(7, 5), *b = process(7, 5);
	a->info.executed = VMSNAP_EXECUTED_NOTHING;
	expect(a, b, VMSNAP_RELATION_COMPARABLE);
	b->info.executed = VMSNAP_EXECUTED_PROGRAM;
	expect(a, b, VMSNAP_RELATION_ANOTHER_PROGRAM);
	a->info.executed = VMSNAP_EXECUTED_PROGRAM;
	expect(a, b, VMSNAP_RELATION_COMPARABLE);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static void give_peak(struct vmsnap *snap, const char *status)
{
	snap->status = status;
	snap->status_len = strlen(status);
}

static void the_most_that_a_memory_mapped_does_not_become_less(void **state)
{
	(void)state;
	struct vmsnap *a = process(7, 5), *b = process(7, 5);
	give_peak(a, "VmPeak:\t  100 kB\n");
	give_peak(b, "VmPeak:\t   96 kB\n");
	b->info.monotonic = a->info.monotonic;
	expect(a, b, VMSNAP_RELATION_COMPARABLE); /* which is the later? */
	b->info.monotonic++;
	expect(a, b, VMSNAP_RELATION_ANOTHER_PROGRAM);
	b->info.freeze = VMSNAP_FREEZE_NONE;
	expect(a, b, VMSNAP_RELATION_COMPARABLE);
	b->info.freeze = VMSNAP_FREEZE_FULL;
	b->info.monotonic -= 2;
	expect(a, b, VMSNAP_RELATION_COMPARABLE); /* it grew */
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static void a_number_that_was_given_anew_is_another_process(void **state)
{
	(void)state;
	struct vmsnap *a = process(7, 5), *b = process(7, 900);
	expect(a, b, VMSNAP_RELATION_ANOTHER_PROCESS);
	b->info.start_time = 0;
	expect(a, b, VMSNAP_RELATION_COMPARABLE);
	b->info.start_time = 900;
	b->info.boot_id = "another-boot"; /* there it is not the number that tells */
	expect(a, b, VMSNAP_RELATION_COMPARABLE);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static void share(struct vmsnap *snap, const uint32_t *with, size_t count)
{
	snap->info.memory_known = true;
	snap->info.memory_with = count ? with : NULL;
	snap->info.memory_with_count = count;
}

static void who_has_one_memory_is_what_both_say(void **state)
{
	(void)state;
	static const uint32_t seven[] = { 7 }, eight[] = { 6, 8 };
	struct vmsnap *a = process(7, 5), *b = process(8, 6);
	share(a, eight, 2);
	share(b, seven, 1);
	assert_true(relation_one_memory(a, b));
	expect(a, b, VMSNAP_RELATION_COMPARABLE); /* one memory at two times */
	b->info.monotonic = a->info.monotonic;
	expect(a, b, VMSNAP_RELATION_ONE_ADDRESS_SPACE);
	share(b, NULL, 0);
	assert_false(relation_one_memory(a, b)); /* the kernel's word, whatever the pages look like */
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static void where_nobody_says_a_page_that_is_mapped_once_tells(void **state)
{
	(void)state;
	struct vmsnap *a = process(7, 5), *b = process(8, 6);
	assert_false(relation_one_memory(a, b)); /* at two times, a frame may be anybody's */
	b->info.monotonic = a->info.monotonic;
	assert_true(relation_one_memory(a, b));
	b->vmas[1].end += PAGE;
	assert_false(relation_one_memory(a, b));
	b->vmas[1].end -= PAGE;
	b->info.freeze = VMSNAP_FREEZE_NONE;
	assert_false(relation_one_memory(a, b));
	b->info.freeze = VMSNAP_FREEZE_FULL;
	b->info.known.pfn = false;
	assert_false(relation_one_memory(a, b));
	assert_true(relation_may_be_one_memory(a, b));
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static void shared_and_huge_pages_prove_no_memory(void **state)
{
	(void)state;
	struct vmsnap *a = process(7, 5), *b = process(8, 6);
	b->info.monotonic = a->info.monotonic;
	for (size_t i = 0; i < a->runs.count; i++)
		a->runs.items[i].entry = b->runs.items[i].entry &= ~ENTRY_FLAG(VMSNAP_PAGE_EXCLUSIVE);
	assert_false(relation_one_memory(a, b));
	for (size_t i = 0; i < a->runs.count; i++)
		a->runs.items[i].entry = b->runs.items[i].entry |=
		        ENTRY_FLAG(VMSNAP_PAGE_EXCLUSIVE) | ENTRY_FLAG(VMSNAP_PAGE_HUGE);
	assert_false(relation_one_memory(a, b));
	vmsnap_unref(a);
	vmsnap_unref(b);
}

/* ---- what comparisons make of it ------------------------------------------------------- */

static void a_diff_across_an_exec_has_mappings_only(void **state)
{
	(void)state;
	struct vmsnap *a = process(7, 5), *b = make_snap();
	struct vmsnap_diff *diff = NULL;
	uint64_t from;
	b->info.pid = b->info.tgid = 7;
	b->info.start_time = 5;
	b->info.start_stack = STACK_B;
	add_anon(b, 60, 70, "rw-p", "[heap]"); /* all of A's pages, elsewhere: they did not move */
	add_pages(b, 60, 4, OWNED(200));
	assert_int_equal(vmsnap_diff_new(a, b, &diff, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_diff_relation(diff), VMSNAP_RELATION_ANOTHER_PROGRAM);
	assert_int_equal(vmsnap_diff_range_count(diff), 0);
	assert_int_equal(vmsnap_diff_vma_count(diff), 4);
	assert_int_equal(vmsnap_diff_vma_rows(diff, VMSNAP_VMA_CHANGE_REMOVED), 3);
	assert_int_equal(vmsnap_diff_vma_rows(diff, VMSNAP_VMA_CHANGE_ADDED), 1);
	assert_false(vmsnap_diff_from(diff, PAGE_AT(60), &from));
	assert_int_equal(vmsnap_diff_shared(diff, 0, UINT64_MAX), 0);
	assert_true(vmsnap_diff_any(diff));
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static void a_page_of_another_process_is_not_compared(void **state)
{
	(void)state;
	struct vmsnap *a = process(7, 5), *b = process(7, 900);
	struct vmsnap_page_diff page;
	b->runs.items[1].entry = OWNED(900);
	assert_int_equal(vmsnap_page_compare(a, b, PAGE_AT(30), NULL, &page, NULL), VMSNAP_OK);
	assert_int_equal(page.relation, VMSNAP_RELATION_ANOTHER_PROCESS);
	assert_int_equal(page.changes | page.kinds, 0);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static void what_the_caller_has_seen_counts(void **state)
{
	(void)state;
	struct vmsnap *a = process(7, 5), *b = process(7, 5);
	const struct vmsnap_compare_options options = { .size = sizeof(options), .flags = VMSNAP_COMPARE_EXECUTED };
	struct vmsnap_page_diff page;
	assert_int_equal(vmsnap_page_compare(a, b, PAGE_AT(30), &options, &page, NULL), VMSNAP_OK);
	assert_int_equal(page.relation, VMSNAP_RELATION_ANOTHER_PROGRAM);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static void verdicts_need_one_program_and_two_memories(void **state)
{
	(void)state;
	static const uint32_t seven[] = { 7 }, eight[] = { 8 };
	struct vmsnap *parent = process(7, 5), *child = process(8, 6);
	struct vmsnap_cow *cow = NULL;
	child->info.ppid = 7;
	share(parent, eight, 1);
	share(child, seven, 1);
	assert_int_equal(vmsnap_cow_new(parent, child, NULL, &cow, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_cow_relation(cow), VMSNAP_RELATION_ONE_ADDRESS_SPACE); /* at two times, too */
	assert_int_equal(vmsnap_cow_range_count(cow), 0);
	assert_non_null(strstr(vmsnap_cow_warning(cow), "one address space"));
	vmsnap_cow_free(cow);
	share(child, NULL, 0);
	child->info.start_stack = STACK_B;
	assert_int_equal(vmsnap_cow_new(parent, child, NULL, &cow, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_cow_relation(cow), VMSNAP_RELATION_ANOTHER_PROGRAM);
	assert_int_equal(vmsnap_cow_range_count(cow), 0);
	assert_non_null(strstr(vmsnap_cow_warning(cow), "another program since: not comparable page by page"));
	vmsnap_cow_free(cow);
	vmsnap_unref(parent);
	vmsnap_unref(child);
}

static void a_base_of_another_program_is_not_used(void **state)
{
	(void)state;
	struct vmsnap *parent = process(7, 5), *child = process(8, 6), *base = process(7, 5);
	struct vmsnap_cow *cow = NULL;
	child->info.ppid = 7;
	base->info.start_stack = STACK_B;
	assert_int_equal(vmsnap_cow_new(parent, child, base, &cow, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_cow_relation(cow), VMSNAP_RELATION_COMPARABLE);
	assert_null(vmsnap_cow_base(cow));
	assert_non_null(strstr(vmsnap_cow_warning(cow), "it is not used"));
	assert_int_equal(vmsnap_cow_pages(cow, VMSNAP_VERDICT_SHARED), 4);
	vmsnap_cow_free(cow);
	vmsnap_unref(parent);
	vmsnap_unref(child);
	vmsnap_unref(base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_process_at_two_times_is_comparable),
		cmocka_unit_test(another_stack_is_another_program),
		cmocka_unit_test(another_file_at_the_same_place_is_another_program),
		cmocka_unit_test(where_the_stack_is_not_known_vdso_and_arguments_tell),
		cmocka_unit_test(of_two_processes_that_have_executed_something_neither_is_the_others_child),
		cmocka_unit_test(one_process_seen_from_two_namespaces_is_comparable),
		cmocka_unit_test(a_process_that_had_executed_nothing_and_now_has_is_another_program),
		cmocka_unit_test(the_most_that_a_memory_mapped_does_not_become_less),
		cmocka_unit_test(a_number_that_was_given_anew_is_another_process),
		cmocka_unit_test(who_has_one_memory_is_what_both_say),
		cmocka_unit_test(where_nobody_says_a_page_that_is_mapped_once_tells),
		cmocka_unit_test(shared_and_huge_pages_prove_no_memory),
		cmocka_unit_test(a_diff_across_an_exec_has_mappings_only),
		cmocka_unit_test(a_page_of_another_process_is_not_compared),
		cmocka_unit_test(what_the_caller_has_seen_counts),
		cmocka_unit_test(verdicts_need_one_program_and_two_memories),
		cmocka_unit_test(a_base_of_another_program_is_not_used),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
