/* cow, as it is printed, as a table and as a picture: a parent at the fork and a child that wrote. */
#include "test_print_fork.h"

#include "annotate.h"
#include "vmsnap.h"

/* What the child wrote to: a page of the heap, or of the program's data. */
static void says_of_variables(uint64_t written, const char *words)
{
	struct vmsnap *parent = bare_snapshot(), *child = bare_snapshot(), *both[] = { parent, child };
	struct vmsnap_names *names;
	struct catch *caught = catch_new();
	child->info.pid = 43;
	child->info.ppid = parent->info.pid;
	for (int i = 0; i < 2; i++) {
		both[i]->info.exe = "/no/such/demo";
		put_vma(both[i], 0x10000, 0x12000, rw, 7, "/no/such/demo");
		put_vma(both[i], 0x20000, 0x22000, rw, 0, "[heap]");
		for (uint64_t page = 0x10000; page < 0x30000; page += 0x10000) {
			bool copied = both[i] == child && page == written;
			put_pages(both[i], page, 1, copied ? ENTRY(own, 0x900) : ENTRY(shared, page / PAGE));
			put_pages(both[i], page + PAGE, 1, ENTRY(shared, page / PAGE + 1));
		}
	}
	assert_int_equal(vmsnap_names_new(child, NULL, &names, NULL), VMSNAP_OK);
	struct vmsnap_cow *cow = cow_since(parent, child, parent);
	assert_int_equal(vmsnap_print_cow(cow, names, 0, &caught->out, NULL), VMSNAP_OK);
	if (words)
		assert_has(caught, words);
	else
		assert_lacks(caught, "ariable");
	vmsnap_cow_free(cow);
	vmsnap_names_free(names);
	vmsnap_unref(parent);
	vmsnap_unref(child);
}

/* Which variables lie there is answered, also if none does. */
static void cow_says_that_no_variable_lies_on_what_was_copied(void **state)
{
	(void)state;
	says_of_variables(0x20000, "\n\nNo variable of demo itself lies on a page that is not shared any more\n"
	                           "what was copied: 4.00K heap (no names)\n");
	says_of_variables(0x10000, "\n\nNo variable of demo is known to lie on a page that is not shared any more\n");
	says_of_variables(0, NULL);
}

/* Pages 20 to 24 of a stack, which both have copied; the child may have them elsewhere.  At the fork it was read from
 * the stack pointer, in page 21, to a variable in page 22; and a thread-local in page 24. */
static void cow_says_which_pages_of_both_a_debugger_had_read(void **state)
{
	(void)state;
	static const struct vmsnap_annotation names[] = {
		{ .address = 20 * PAGE, .size = 8, .kind = VMSNAP_ANNOTATION_OTHER, .symbol = "global" },
		{ .address = 22 * PAGE + 8, .size = 4, .kind = VMSNAP_ANNOTATION_LOCAL, .tid = 41, .symbol = "local" },
		{ .address = 24 * PAGE, .size = 4, .kind = VMSNAP_ANNOTATION_THREAD_LOCAL, .tid = 41, .symbol = "own" },
	};
	for (int read = 0; read < 2; read++) {
		struct vmsnap *parent = bare_snapshot(), *child = bare_snapshot(), *base = bare_snapshot();
		struct vmsnap *const all[] = { base, parent, child };
		for (uint64_t i = 0; i < 3; i++) {
			all[i]->info.pid = all[i]->info.tgid = i < 2 ? 41 : 42;
			all[i]->info.ppid = i < 2 ? 40 : 41;
			put_vma(all[i], 20 * PAGE, 25 * PAGE, rw, 0, "[stack]");
			put_pages(all[i], 20 * PAGE, 5, ENTRY(i ? own : shared, 0x100 * (i + 1)));
		}
		struct vmsnap_thread thread = { .tid = 41, .stack_pointer = 21 * PAGE + 64, .comm = "" };
		base->threads = read ? &thread : NULL;
		base->thread_count = base->threads ? 1 : 0;
		assert_int_equal(test_annotate(base, names, read ? 3 : 1, NULL), VMSNAP_OK);
		struct vmsnap_cow *cow = cow_since(parent, child, base);
		assert_int_equal(vmsnap_cow_pages(cow, VMSNAP_VERDICT_COPIED_BY_BOTH), 5);
		struct catch *caught = catch_new();
		assert_int_equal(vmsnap_print_cow(cow, NULL, 0, &caught->out, NULL), VMSNAP_OK);
		if (read)
			assert_has(caught, "\ngdb had read 3 of the pages that both copied, for names of variables "
			                   "(15000, 16000, 18000): this may be why the second one copied, too\n");
		else
			assert_lacks(caught, "gdb had read");
		caught = catch_new();
		caught->out.style.json = true;
		assert_int_equal(vmsnap_print_cow(cow, NULL, 0, &caught->out, NULL), VMSNAP_OK);
		assert_has(caught, read ? "\"read_by_debugger\": 3" : "\"read_by_debugger\": 0");
		vmsnap_cow_free(cow);
		base->threads = NULL;
		base->thread_count = 0;
		for (int i = 0; i < 3; i++)
			vmsnap_unref(all[i]);
	}
}

static void cow_groups_by_mapping(void **state)
{
	const struct fixture *f = *state;
	struct catch *caught = catch_new();
	assert_int_equal(vmsnap_print_cow(f->cow, NULL, VMSNAP_PRINT_LONG, &caught->out, NULL), VMSNAP_OK);
	assert_harmless(caught);
	assert_has(caught, "        44 pages   176K  shared\n");
	assert_has(caught, "00100000-00180000 rw-p [heap]: 44 shared, 16 copied_by_child, 8 new_in_child, "
	                   "4 dropped_by_child\n");
	assert_has(caught, "\n  0012c000         16 pages copied_by_child\n");
	assert_has(caught, "00010000-00012000 r-xp /bin/demo: 1 copied_by_child, 1 file\n");
	caught = catch_new();
	assert_int_equal(vmsnap_print_cow(f->cow, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "27.9% of the sharing is lost: 68.0K by the child (%)\n");
	assert_has(caught, "START     SIZE PAGES                CHILD SHARED LOST% MAPPING\n");
	assert_has(caught, "         64.0K   176K 26.7% [heap]\n");
	assert_has(caught, "                4.00K         100% /bin/demo\n"
	                   "PAGES: height is what changed\n"
	                   "not counted: 4.00K files, 32.0K new, 16.0K dropped by "
	                   "the child\n");
	assert_lacks(caught, "copied_by_child");
}

/* A stack of the parent's that has grown since, and a heap of the child's. */
/* Nobody knows who copied: no room is kept for the parent's and the child's sums, and the mapping's name has some. */
static void cow_without_copiers_leaves_their_columns_out(void **state)
{
	const struct fixture *f = *state;
	struct vmsnap_cow *cow = NULL;
	assert_int_equal(vmsnap_cow_new(f->a, f->b, NULL, &cow, NULL), VMSNAP_OK);
	struct catch *caught = catch_new();
	caught->out.style.width = 40;
	assert_int_equal(vmsnap_print_cow(cow, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, " EITHER ");
	assert_has(caught, " MAPPING\n");
	assert_has(caught, " [heap]\n");
	assert_lacks(caught, "CHILD");
	assert_lacks(caught, "PARENT");
	assert_has(caught, "(~?)");
	vmsnap_cow_free(cow);
}

static void cow_of_what_has_grown_is_one_mapping(void **state)
{
	struct vmsnap *parent = bare_snapshot(), *child = bare_snapshot();
	struct catch *caught = catch_new();
	struct vmsnap_cow *cow = NULL;
	(void)state;
	child->info.pid = 43;
	child->info.ppid = parent->info.pid;
	put_vma(parent, 0x20000, 0x22000, rw, 0, "[heap]");
	put_vma(child, 0x20000, 0x24000, rw, 0, "[heap]");
	put_vma(parent, 0x70000, 0x80000, rw, 0, "[stack]");
	put_vma(child, 0x7c000, 0x80000, rw, 0, "[stack]");
	put_pages(parent, 0x20000, 2, ENTRY(shared, 0x100));
	put_pages(child, 0x20000, 2, ENTRY(shared, 0x100));
	put_pages(child, 0x22000, 2, ENTRY(own, 0x200));
	put_pages(parent, 0x70000, 12, ENTRY(own, 0x300));
	put_pages(parent, 0x7c000, 4, ENTRY(shared, 0x400));
	put_pages(child, 0x7c000, 4, ENTRY(shared, 0x400));
	assert_int_equal(vmsnap_cow_new(parent, child, NULL, &cow, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_print_cow(cow, NULL, VMSNAP_PRINT_LONG, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "00020000-00024000 rw-p [heap]: ");
	assert_has(caught, "00070000-00080000 rw-p [stack]: ");
	assert_lacks(caught, "0007c000-");
	vmsnap_cow_free(cow);
	vmsnap_unref(parent);
	vmsnap_unref(child);
}

/* Of mappings in which nothing happened one line tells; -l has them all. */
static void cow_sums_up_what_is_only_shared(void **state)
{
	(void)state;
	struct vmsnap *parent = bare_snapshot(), *child = bare_snapshot(), *both[] = { parent, child };
	struct vmsnap_cow *cow;
	child->info.ppid = parent->info.pid;
	child->info.pid = 43;
	for (int i = 0; i < 2; i++) {
		put_vma(both[i], 0x10000, 0x12000, rx, 7, "/bin/demo");
		put_vma(both[i], 0x20000, 0x24000, rw, 0, "[anon:kept]");
		put_vma(both[i], 0x30000, 0x34000, rw, 0, "[anon:written]");
		put_pages(both[i], 0x10000, 2, ENTRY(cache, 0x100));
		put_pages(both[i], 0x20000, 4, ENTRY(shared, 0x200));
	}
	put_pages(parent, 0x30000, 4, ENTRY(shared, 0x300));
	put_pages(child, 0x30000, 2, ENTRY(shared, 0x300));
	put_pages(child, 0x32000, 2, ENTRY(own, 0x400));
	assert_int_equal(vmsnap_cow_new(parent, child, NULL, &cow, NULL), VMSNAP_OK);
	struct catch *caught = catch_new();
	assert_int_equal(vmsnap_print_cow(cow, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "\n1 more mapping lost nothing; not counted: 8.00K files\n");
	assert_has(caught, "[anon:written]");
	assert_lacks(caught, "[anon:kept]");
	assert_lacks(caught, "/bin/demo");
	caught = catch_new();
	assert_int_equal(vmsnap_print_cow(cow, NULL, VMSNAP_PRINT_LONG, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "[anon:kept]: 4 shared\n");
	assert_lacks(caught, "not listed");
	vmsnap_cow_free(cow);
	/* Zero pages are in the sums as well. */
	for (int i = 0; i < 2; i++) {
		put_vma(both[i], 0x40000, 0x42000, rw, 0, "[anon:read]");
		put_pages(both[i], 0x40000, 2, ENTRY(VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_ZERO, 7));
	}
	assert_int_equal(vmsnap_cow_new(parent, child, NULL, &cow, NULL), VMSNAP_OK);
	caught = catch_new();
	assert_int_equal(vmsnap_print_cow(cow, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "\n1 more mapping lost nothing; not counted: 8.00K files, 8.00K zero page\n");
	vmsnap_cow_free(cow);
	vmsnap_unref(parent);
	vmsnap_unref(child);
}

static void cow_says_that_memory_lies_elsewhere(void **state)
{
	(void)state;
	struct vmsnap *parent = bare_snapshot(), *child = bare_snapshot();
	struct vmsnap_cow *cow;
	child->info.ppid = parent->info.pid;
	child->info.pid = 43;
	put_vma(parent, 0x20000, 0x24000, rw, 0, "");
	put_vma(child, 0x50000, 0x54000, rw, 0, "");
	put_pages(parent, 0x20000, 4, ENTRY(shared, 0x200));
	put_pages(child, 0x50000, 4, ENTRY(shared, 0x200));
	assert_int_equal(vmsnap_cow_new(parent, child, parent, &cow, NULL), VMSNAP_OK);
	struct catch *caught = catch_new();
	assert_int_equal(vmsnap_print_cow(cow, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught,
	           "\n16.0K lie at another address than in the parent or the base (column PARENT: -o +PARENT)\n");
	vmsnap_cow_free(cow);
	assert_int_equal(vmsnap_cow_new(parent, parent, parent, &cow, NULL), VMSNAP_OK);
	caught = catch_new();
	assert_int_equal(vmsnap_print_cow(cow, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_lacks(caught, "another address");
	vmsnap_cow_free(cow);
	vmsnap_unref(parent);
	vmsnap_unref(child);
}

static void picture_of_cow(const struct vmsnap *parent, const struct vmsnap *child, struct catch *caught)
{
	struct vmsnap_cow *cow;
	assert_int_equal(vmsnap_cow_new(parent, child, NULL, &cow, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_print_cow(cow, NULL, VMSNAP_PRINT_PICTURE, &caught->out, NULL), VMSNAP_OK);
	vmsnap_cow_free(cow);
}

/* Without verdicts the child's pages are not "not resident": what they are is known. */
static void picture_of_what_is_not_compared(void **state)
{
	(void)state;
	struct vmsnap *parent = at_fork(42), *child = child_later();
	parent->info.start_code = 0x10000;
	child->info.start_code = 0x11000;
	struct catch *caught = catch_new();
	picture_of_cow(parent, child, caught);
	assert_has(caught, "\n! process 43 or process 42 has executed another program since");
	assert_has(caught, "\n= shared 176K  f file 4.00K  p private 100K\n");
	assert_lacks(caught, "copied");
	caught = catch_new();
	caught->out.style.json = true;
	picture_of_cow(parent, child, caught);
	assert_has(caught, "\"not_compared\": \"another_program\"");
	assert_has(caught, "\"totals\": {\"private\": 102400, \"file\": 4096, \"shared\": 180224,");
	vmsnap_unref(parent);
	vmsnap_unref(child);
}

static void picture_of_cow_says_what_is_inferred(void **state)
{
	const struct fixture *f = *state;
	static const char inferred[] = "\n! without PFNs, who shares and who copied is inferred";
	struct vmsnap *parent = at_fork(42), *child = child_later();
	struct catch *caught = catch_new();
	picture_of_cow(f->a, f->b, caught);
	assert_lacks(caught, inferred);
	parent->info.known.pfn = child->info.known.pfn = false;
	caught = catch_new();
	picture_of_cow(parent, child, caught);
	assert_has(caught, inferred);
	vmsnap_unref(parent);
	vmsnap_unref(child);
}

static void cow_json_counts_every_verdict(void **state)
{
	const struct fixture *f = *state;
	struct catch *caught = catch_new();
	caught->out.style.json = true;
	assert_int_equal(vmsnap_print_cow(f->cow, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_harmless(caught);
	assert_has(caught, "\"schema\": \"vmsnap.cow/1\"");
	for (int i = 0; i < VMSNAP_VERDICT_COUNT; i++) {
		char key[64];
		snprintf(key, sizeof(key), "\"%s\": ", vmsnap_verdict_name(i));
		assert_has(caught, key);
	}
	assert_has(caught, "\"copied_by_child\": 17,");
	assert_has(caught, "\"copied_by_parent\": 0,");
	assert_has(caught, "{\"start\": \"0x12c000\", \"pages\": 16, \"verdict\": \"copied_by_child\", "
	                   "\"inferred\": false, \"mapping\": \"[heap]\", \"touched_by_debugger\": false, "
	                   "\"touched_by\": [], \"names\": [], \"names_total\": null, \"parent_start\": null}");
}

static void cow_raw_is_a_plain_table(void **state)
{
	const struct fixture *f = *state;
	struct catch *caught = catch_new();
	caught->out.style.raw = true;
	assert_int_equal(vmsnap_print_cow(f->cow, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "START PAGES VERDICT INFERRED TOUCHED NAMES MAPPING\n");
	assert_has(caught, "\n0012c000 16 copied_by_child - - - [heap]\n");
}

/* ---- of a tree, which is one fork here: it says what cow says of the two ------------------------ */

static struct vmsnap_set *set_of(struct vmsnap *parent, struct vmsnap *child)
{
	const struct vmsnap *const both[] = { parent, child };
	struct vmsnap_set *set = NULL;
	assert_int_equal(vmsnap_set_new(both, child ? 2 : 1, &set, NULL), VMSNAP_OK);
	return set;
}

/* The first line with its bar, of both. */
static const char *answer_of(struct catch *caught)
{
	char *end = strchr(caught->text, '\n');
	assert_non_null(end);
	end = strchr(end + 1, '\n');
	assert_non_null(end);
	*end = '\0';
	return caught->text;
}

static void tree_says(struct vmsnap *parent, struct vmsnap *child, struct vmsnap *base, const char *says)
{
	struct vmsnap_set *now = set_of(parent, child), *before = base ? set_of(base, NULL) : NULL;
	struct vmsnap_set_cow *tree = NULL;
	struct vmsnap_cow *pair = NULL;
	char told[1000];
	struct catch *caught = catch_new();
	caught->out.style.width = 200;
	caught->out.style.unicode = false;
	assert_int_equal(vmsnap_cow_new(parent, child, base, &pair, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_print_cow(pair, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	snprintf(told, sizeof(told), "%s", answer_of(caught));
	caught = catch_new();
	caught->out.style.width = 200;
	caught->out.style.unicode = false;
	assert_int_equal(vmsnap_set_cow_new(now, before, NULL, &tree, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_print_set_cow(tree, 0, &caught->out, NULL), VMSNAP_OK);
	assert_string_equal(answer_of(caught), told);
	assert_has(caught, says);
	vmsnap_set_cow_free(tree);
	vmsnap_cow_free(pair);
	vmsnap_set_free(before);
	vmsnap_set_free(now);
}

/* With frames, too: what was there before the fork may have been copied before it. */
static void tree_says_what_is_inferred(void **state)
{
	struct vmsnap *base = at_fork(42), *parent = at_fork(42), *child = child_later();
	(void)state;
	tree_says(parent, child, NULL, "26.7% of the sharing is lost: 64.0K by whom is not known, inferred (~?)\n");
	base->info.taken -= 1000000000;
	base->info.boottime = 1000000000;
	parent->info.faults = 9; /* it ran meanwhile, and a frame may be another's that was given back */
	child->info.start_time = 200;
	tree_says(parent, child, base, "26.7% of the sharing is lost: 64.0K by the child (%); 64.0K of that inferred");
	parent->info.known.pfn = child->info.known.pfn = false;
	tree_says(parent, child, NULL, "How much of the sharing is lost is not known; inferred: ");
	vmsnap_unref(base);
	vmsnap_unref(parent);
	vmsnap_unref(child);
}

static void tree_leaves_out_what_gdb_touched(void **state)
{
	const struct vmsnap_annotation touched = {
		.address = 0x12c000, .size = 8 * PAGE, .kind = VMSNAP_ANNOTATION_DEBUGGER_WRITE, .symbol = "call"
	};
	struct vmsnap *parent = at_fork(42), *child = child_later();
	struct vmsnap_set_cow *tree = NULL;
	(void)state;
	assert_int_equal(test_annotate(child, &touched, 1, NULL), VMSNAP_OK);
	tree_says(parent, child, NULL, "15.4% of the sharing is lost: 32.0K by whom");
	struct vmsnap_set *now = set_of(parent, child);
	assert_int_equal(vmsnap_set_cow_new(now, NULL, NULL, &tree, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_set_cow_pages(tree, 1, VMSNAP_VERDICT_COPIED), 16);
	assert_int_equal(vmsnap_set_cow_touched_pages(tree, 1, VMSNAP_VERDICT_COPIED), 8);
	assert_int_equal(vmsnap_set_cow_inferred_pages(tree, 1, VMSNAP_VERDICT_COPIED), 8);
	assert_int_equal(vmsnap_set_cow_touched_pages(tree, 2, VMSNAP_VERDICT_COPIED), 0);
	assert_int_equal(vmsnap_set_cow_inferred_pages(tree, 1, VMSNAP_VERDICT_COUNT), 0);
	/* Its columns are the program's, too. */
	struct catch *caught = catch_new();
	caught->out.style.raw = caught->out.style.no_headings = caught->out.style.bytes = true;
	caught->out.style.columns = "PID,SHARED,COPIED,LOST%,TOUCHED";
	assert_int_equal(vmsnap_print_set_cow(tree, 0, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "\n43 180224 32768 15.4% 32768\n");
	caught = catch_new();
	caught->out.style.json = true;
	assert_int_equal(vmsnap_print_set_cow(tree, 0, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "\"touched_by_debugger\": {\"pages\": 8, \"totals\": {\"shared\": 0, ");
	assert_has(caught, "\"inferred_totals\": {\"shared\": 0, \"copied_by_child\": 0, \"copied_by_parent\": 0, "
	                   "\"copied_by_both\": 0, \"copied\": 8, ");
	vmsnap_set_cow_free(tree);
	vmsnap_set_free(now);
	vmsnap_unref(parent);
	vmsnap_unref(child);
}

/* Without frames and without bits that tell who has a page alone. */
static void tree_says_of_how_much_nothing_is_known(void **state)
{
	struct vmsnap *snaps[] = { bare_snapshot(), bare_snapshot() };
	(void)state;
	snaps[1]->info.pid = 43;
	snaps[1]->info.ppid = 42;
	for (int i = 0; i < 2; i++) {
		snaps[i]->info.known = (struct vmsnap_known){ .zero = true };
		put_vma(snaps[i], 0x100000, 0x180000, rw, 0, "[heap]");
		put_pages(snaps[i], 0x100000, 64, ENTRY(shared, 0));
	}
	tree_says(snaps[0], snaps[1], NULL, "How much of the sharing is lost is not known; of 256K nothing is known\n");
	vmsnap_unref(snaps[0]);
	vmsnap_unref(snaps[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cow_without_copiers_leaves_their_columns_out),
		cmocka_unit_test(cow_of_what_has_grown_is_one_mapping),
		cmocka_unit_test(cow_sums_up_what_is_only_shared),
		cmocka_unit_test(cow_says_that_memory_lies_elsewhere),
		cmocka_unit_test(cow_says_that_no_variable_lies_on_what_was_copied),
		cmocka_unit_test(cow_says_which_pages_of_both_a_debugger_had_read),
		cmocka_unit_test(cow_groups_by_mapping),
		cmocka_unit_test(picture_of_what_is_not_compared),
		cmocka_unit_test(picture_of_cow_says_what_is_inferred),
		cmocka_unit_test(cow_json_counts_every_verdict),
		cmocka_unit_test(cow_raw_is_a_plain_table),
		cmocka_unit_test(tree_says_what_is_inferred),
		cmocka_unit_test(tree_leaves_out_what_gdb_touched),
		cmocka_unit_test(tree_says_of_how_much_nothing_is_known),
	};
	return cmocka_run_group_tests(tests, make_fork, unmake_fork);
}
