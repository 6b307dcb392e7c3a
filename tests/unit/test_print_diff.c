/* diff of two snapshots, as it is printed: a parent at the fork and a child that wrote. */
#include "test_print_fork.h"

static void assert_begins(const struct catch *caught, const char *what)
{
	if (strncmp(caught->text, what, strlen(what)) != 0)
		fail_msg("does not begin with %s:\n%s", what, caught->text);
}

/* Who it is of follows in one line, unless everything is wanted. */
static void diff_tells_its_sides_in_brief(void **state)
{
	(void)state;
	struct vmsnap *a = at_fork(42), *b = at_fork(42);
	struct vmsnap_diff *diff;
	struct catch *caught = catch_new();
	a->info.taken = INT64_C(1700000000000000000);
	b->info.taken = a->info.taken + 2050000000;
	a->info.label = "fork";
	put_pages(b, 0x110000, 4, ENTRY(own, 0x7000));
	assert_int_equal(vmsnap_diff_new(a, b, &diff, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_print_diff(diff, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "\nA 42 demo \"fork\" 20");
	assert_has(caught, ", B 2.05 s later, 1 of 3 mappings changed\n\nSTART ");
	vmsnap_diff_free(diff);
	/* The later one first: that is said, and nothing is "later". */
	assert_int_equal(vmsnap_diff_new(b, a, &diff, NULL), VMSNAP_OK);
	caught = catch_new();
	assert_int_equal(vmsnap_print_diff(diff, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, ", B \"fork\" 2.05 s before, 1 of 3 mappings changed\nA is the later one: ");
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static void diff_has_a_row_for_each_changed_mapping(void **state)
{
	const struct fixture *f = *state;
	struct catch *caught = catch_new();
	assert_int_equal(vmsnap_print_diff(f->diff, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_harmless(caught);
	assert_has(caught, "START     SIZE PERM PAGES");
	assert_has(caught, "64.0K 25.0% +32.0K -16.0K         [heap]\n");
	assert_has(caught, "00300000 4.00K rw-p ");
	assert_has(caught, "added   [anon:\\x1b fresh]\n");
	assert_has(caught, "removed /tmp/\\x1b[2J\\x0a7f00");
}

/* A hole that became of a mapping's middle is no second row of the whole mapping. */
static void diff_shows_what_went_of_a_mapping_where_it_was(void **state)
{
	(void)state;
	struct vmsnap *a = bare_snapshot(), *b = bare_snapshot();
	struct vmsnap_diff *diff;
	put_vma(a, 0x100000, 0x200000, rw, 0, "");
	put_vma(b, 0x100000, 0x140000, rw, 0, "");
	put_vma(b, 0x160000, 0x180000, rw, 0, "");
	put_pages(a, 0x100000, 256, ENTRY(own, 0x1000));
	put_pages(b, 0x100000, 64, ENTRY(own, 0x1000));
	put_pages(b, 0x160000, 32, ENTRY(own, 0x1060));
	assert_int_equal(vmsnap_diff_new(a, b, &diff, NULL), VMSNAP_OK);
	struct catch *caught = catch_new();
	caught->out.style.columns = "START,END,GONE";
	assert_int_equal(vmsnap_print_diff(diff, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "\n00140000 00160000 -128K\n");
	assert_has(caught, "\n00180000 00200000 -512K\n");
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

/* They take no memory of its own, and are not drawn as if something had happened to them. */
static void pages_of_files_that_appeared_are_mapped_not_new(void **state)
{
	struct vmsnap *a = bare_snapshot(), *b = bare_snapshot();
	struct vmsnap_diff *diff;
	(void)state;
	for (int i = 0; i < 2; i++) {
		put_vma(i ? b : a, 0x10000, 0x30000, VMSNAP_PERM_READ, 7, "/lib/one.so");
		put_vma(i ? b : a, 0x100000, 0x110000, rw, 0, "");
	}
	put_pages(b, 0x10000, 32, ENTRY(VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_FILE, 0x1000));
	put_pages(b, 0x100000, 2, ENTRY(own, 0x2000));
	assert_int_equal(vmsnap_diff_new(a, b, &diff, NULL), VMSNAP_OK);
	struct catch *caught = catch_new();
	assert_int_equal(vmsnap_print_diff(diff, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "+8.00K new, +128K mapped");
	caught = catch_new();
	caught->out.style.columns = "START,NEW,MAPPED";
	assert_int_equal(vmsnap_print_diff(diff, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	/* What happened to it comes first, though it is less. */
	assert_has(caught, "\n00100000 +8.00K\n00010000         +128K\n");
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

/* Memory that was mapped right below it since is one mapping with it. */
static void what_was_copied_of_a_mapping_that_has_grown_counts_once(void **state)
{
	struct vmsnap *a = bare_snapshot(), *b = bare_snapshot();
	struct vmsnap_diff *diff;
	(void)state;
	put_vma(a, 0x110000, 0x120000, rw, 0, "");
	put_vma(b, 0x100000, 0x120000, rw, 0, "");
	put_pages(a, 0x110000, 16, ENTRY(shared, 0x1000));
	put_pages(b, 0x100000, 2, ENTRY(own, 0x3000));
	put_pages(b, 0x110000, 4, ENTRY(own, 0x2000));
	put_pages(b, 0x114000, 12, ENTRY(shared, 0x1004));
	assert_int_equal(vmsnap_diff_new(a, b, &diff, NULL), VMSNAP_OK);
	struct catch *caught = catch_new();
	assert_int_equal(vmsnap_print_diff(diff, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_begins(caught, "16.0K copied of 64.0K writable and shared at A (25.0%), +8.00K new");
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static void diff_begins_with_one_sentence(void **state)
{
	const struct fixture *f = *state;
	struct catch *caught = catch_new();
	assert_int_equal(vmsnap_print_diff(f->diff, NULL, VMSNAP_PRINT_TOTALS_ONLY, &caught->out, NULL), VMSNAP_OK);
	/* 64 pages of heap and the one of text that was copied. */
	assert_begins(caught, "68.0K copied of 260K writable and shared at A (26.2%), +32.0K new, -16.0K gone; "
	                      "4 of 4 mappings changed\nA  42 demo");
	assert_has(caught, "pages     8 appeared, 4 vanished, 17 pfn_changed, 17 became_exclusive, 1 privatised\n");
	assert_has(caught, "mappings  1 added, 1 removed\n");
	assert_has(caught, "!! 1 page of executable code was written: 00011000 of /bin/demo\n");
	assert_has(caught, "  VmRSS 264K \xe2\x86\x92 280K\n");
	assert_lacks(caught, "START");
}

static void diff_strip_shows_where(void **state)
{
	const struct fixture *f = *state;
	struct catch *caught = catch_new();
	caught->out.style.raw = true;
	caught->out.style.columns = "START,PAGES,COPIED";
	/* 128 pages in 20 cells. */
	caught->out.style.width = 80;
	assert_int_equal(vmsnap_print_diff(f->diff, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "\n00100000 ......###-++........ 64.0K\n");
	assert_has(caught, "\n00010000 .# 4.00K\n");
	caught = catch_new();
	caught->out.style.columns = "START,PAGES";
	caught->out.style.width = 80;
	assert_int_equal(vmsnap_print_diff(f->diff, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_has(
	        caught,
	        "\n00100000       \xe2\x96\x82\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x82        \n");
	/* 10 cells: what rises, and how many tenths it has. */
	caught = catch_new();
	caught->out.style.columns = "START,PAGES";
	caught->out.style.width = 80;
	caught->out.style.unicode = false;
	assert_int_equal(vmsnap_print_diff(f->diff, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "\n00100000 ======#6#7+6........\n");
}

static void diff_long_lists_every_range(void **state)
{
	const struct fixture *f = *state;
	struct catch *caught = catch_new();
	assert_int_equal(vmsnap_print_diff(f->diff, NULL, VMSNAP_PRINT_LONG, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "00011000     1 pfn_changed,became_exclusive,privatised /bin/demo\n");
	assert_has(caught, "0013c000     4 vanished                                [heap]\n");
}

static void diff_json_has_an_item_for_each_fact(void **state)
{
	const struct fixture *f = *state;
	struct catch *caught = catch_new();
	caught->out.style.json = true;
	assert_int_equal(vmsnap_print_diff(f->diff, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_harmless(caught);
	assert_has(caught, "\"schema\": \"vmsnap.diff/1\"");
	assert_has(caught, "{\"start\": \"0x12c000\", \"pages\": 16, \"change\": \"pfn_changed\", "
	                   "\"touched_by_debugger\": false, \"touched_by\": [], "
	                   "\"names\": [], \"names_total\": null, \"from\": null},\n"
	                   "  {\"start\": \"0x12c000\", \"pages\": 16, \"change\": \"became_exclusive\", ");
	assert_has(caught, "{\"change\": \"added\", \"a\": null, \"b\": {\"start\": \"0x300000\"");
	assert_has(caught, "\"swapped_out\": 0,");
	assert_has(caught, "\"soft_dirtied\": null,"); /* neither side knows */
	assert_has(caught,
	           "\"privatised_executable\": 1, \"resident_a\": 66, \"resident_b\": 70, \"written_unknown\": 44, "
	           "\"code_written\": 1},\n"
	           " \"touched_by_debugger\": {\"pages\": 0, \"totals\": {\"appeared\": 0, ");
	assert_has(caught,
	           "\"status\": [\n  {\"key\": \"VmRSS\", \"a\": 270336, \"b\": 286720}\n ],\n \"new_code\": []\n}\n");
	caught = catch_new();
	caught->out.style.json = true;
	assert_int_equal(vmsnap_print_diff(f->diff, NULL, VMSNAP_PRINT_TOTALS_ONLY, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "\"pages\": [],\n \"totals\": {\"appeared\": 8,");
}

static void diff_says_that_copies_are_unknown_without_frames(void **state)
{
	(void)state;
	struct vmsnap *a = at_fork(42), *b = child_later();
	struct vmsnap_diff *diff;
	a->info.known.pfn = false;
	assert_int_equal(vmsnap_diff_new(a, b, &diff, NULL), VMSNAP_OK);
	struct catch *caught = catch_new();
	caught->out.style.json = true;
	assert_int_equal(vmsnap_print_diff(diff, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "\"pfn_changed\": null");
	caught = catch_new();
	caught->out.style.columns = "START,COPIED";
	assert_int_equal(vmsnap_print_diff(diff, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "\n00100000      ?\n");
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static void diff_of_equals_says_so(void **state)
{
	(void)state;
	struct vmsnap *a = at_fork(42), *b = at_fork(42);
	struct vmsnap_diff *diff;
	assert_int_equal(vmsnap_diff_new(a, b, &diff, NULL), VMSNAP_OK);
	struct catch *caught = catch_new();
	assert_int_equal(vmsnap_print_diff(diff, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	/* Nobody knows: a process's writes to pages of its own change no state. */
	assert_begins(caught, "No page states differ.\nA 42 demo 20");
	assert_has(caught, ", B at the same time\nOf 64 pages (256K) of writable "
	                   "memory it is not known "
	                   "whether they were written: capture with --contents or --track.\n");
	assert_lacks(caught, "No differences");
	assert_false(vmsnap_diff_any(diff));
	vmsnap_diff_free(diff);
	b->info.known.pfn = false;
	b->info.taken++;
	assert_int_equal(vmsnap_diff_new(a, b, &diff, NULL), VMSNAP_OK);
	caught = catch_new();
	assert_int_equal(vmsnap_print_diff(diff, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_begins(caught, "No page states differ that show without PFNs (root would know).\nA 42 demo");
	assert_has(caught, "\nOf 64 pages (256K) ");
	vmsnap_diff_free(diff);
	vmsnap_unref(b);
	/* But of one look: it was read twice from a file. */
	b = at_fork(42);
	a->info.monotonic = b->info.monotonic = 5;
	assert_int_equal(vmsnap_diff_new(a, b, &diff, NULL), VMSNAP_OK);
	caught = catch_new();
	assert_int_equal(vmsnap_print_diff(diff, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_begins(caught, "No differences.\nA ");
	assert_lacks(caught, "written");
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

/* Four pages of which two hold something else. */
static void pages_that_hold_something_else_are_written(void **state)
{
	(void)state;
	struct vmsnap *snaps[] = { bare_snapshot(), bare_snapshot() };
	struct vmsnap_diff *diff;
	for (int i = 0; i < 2; i++) {
		put_vma(snaps[i], 0x1000, 0x9000, rw, 0, "[heap]");
		put_pages(snaps[i], 0x1000, 4, ENTRY(own, 0x50));
		for (unsigned char page = 0; page < 4; page++)
			put_contents(snaps[i], 0x1000 + page * 0x1000u, i && page % 2 ? 9 : page);
		put_vma(snaps[i], 0xa000, 0xb000, rw, 0, "");
		put_status(snaps[i], i ? "Threads:\t2\n" : "Threads:\t1\n");
	}
	put_pages(snaps[1], 0xa000, 1, ENTRY(own, 0x99)); /* only appeared */
	assert_int_equal(vmsnap_diff_new(snaps[0], snaps[1], &diff, NULL), VMSNAP_OK);
	struct catch *caught = catch_new();
	caught->out.style.width = 100;
	assert_int_equal(vmsnap_print_diff(diff, NULL, VMSNAP_PRINT_LONG, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, " NEW GONE WRITTEN MAPPING\n");
	assert_begins(caught, "+4.00K new, 8.00K written; 2 of 2 mappings changed\nA  ");
	assert_has(caught, "\n\npages     1 appeared, 2 written\n");
	assert_has(caught, "\n00002000     1 written  [heap]\n00004000     1 written  [heap]\n");
	assert_lacks(caught, "not known");
	vmsnap_diff_free(diff);
	const struct vmsnap_compare_options only = { .size = sizeof(only), .flags = VMSNAP_COMPARE_WRITTEN_ONLY };
	assert_int_equal(vmsnap_diff_new_with(snaps[0], snaps[1], &only, &diff, NULL), VMSNAP_OK);
	caught = catch_new();
	assert_int_equal(vmsnap_print_diff(diff, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_begins(caught, "8.00K written\nA ");
	assert_has(caught, ", 1 of 2 mappings changed\n\n");
	assert_lacks(caught, "Threads");
	vmsnap_diff_free(diff);
	assert_int_equal(vmsnap_diff_new_with(snaps[1], snaps[1], &only, &diff, NULL), VMSNAP_OK);
	caught = catch_new();
	assert_int_equal(vmsnap_print_diff(diff, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_begins(caught, "No page was written.\n");
	vmsnap_diff_free(diff);
	vmsnap_unref(snaps[0]);
	vmsnap_unref(snaps[1]);
}

/* A page that nobody shared and that has another frame was moved, not copied. */
static void diff_does_not_call_a_migrated_page_copied(void **state)
{
	(void)state;
	struct vmsnap *a = bare_snapshot(), *b = bare_snapshot();
	struct vmsnap_diff *diff;
	put_vma(a, 0x1000, 0x3000, rw, 0, "");
	put_vma(b, 0x1000, 0x3000, rw, 0, "");
	put_pages(a, 0x1000, 2, ENTRY(own, 0x50));
	put_pages(b, 0x1000, 2, ENTRY(own, 0x60));
	assert_int_equal(vmsnap_diff_new(a, b, &diff, NULL), VMSNAP_OK);
	struct catch *caught = catch_new();
	assert_int_equal(vmsnap_print_diff(diff, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_begins(caught, "8.00K changed otherwise\n");
	assert_has(caught, ", 1 of 1 mapping changed\n");
	assert_lacks(caught, "COPIED");
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

/* Without frames a copy, by whoever made it, is only a page that others have no more. */
static void diff_without_frames_says_what_may_be_a_copy(void **state)
{
	(void)state;
	struct vmsnap *snaps[] = { bare_snapshot(), bare_snapshot() };
	struct vmsnap_diff *diff;
	for (int i = 0; i < 2; i++) {
		snaps[i]->info.known.pfn = false;
		put_vma(snaps[i], 0x1000, 0x3000, rw, 0, "");
		put_pages(snaps[i], 0x1000, 2, i ? ENTRY(own, 0) : ENTRY(shared, 0));
	}
	assert_int_equal(vmsnap_diff_new(snaps[0], snaps[1], &diff, NULL), VMSNAP_OK);
	struct catch *caught = catch_new();
	assert_int_equal(vmsnap_print_diff(diff, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_begins(caught, "None of 1 mapping is known to have changed.\n");
	assert_has(caught, "\npages     2 became_exclusive\n");
	assert_has(caught, "\nOf 2 pages (8.00K) that others had, too, it is not known whether they were copied or "
	                   "the others let go of them: that takes frames, which root is told.\n");
	vmsnap_diff_free(diff);
	vmsnap_unref(snaps[0]);
	vmsnap_unref(snaps[1]);
}

static void diff_without_changed_pages_tells_the_status(void **state)
{
	(void)state;
	struct vmsnap *a = at_fork(42), *b = at_fork(42);
	struct vmsnap_diff *diff;
	put_status(b, "Name:\tdemo\nVmRSS:\t 264 kB\nThreads:\t2\n");
	assert_int_equal(vmsnap_diff_new(a, b, &diff, NULL), VMSNAP_OK);
	struct catch *caught = catch_new();
	assert_int_equal(vmsnap_print_diff(diff, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_begins(caught, "None of 3 mappings changed.\nA ");
	assert_has(caught, "\n\nOf 64 pages (256K) of writable memory it is not known whether they were written: "
	                   "capture with --contents or --track.\n\nstatus fields\n  Threads 1 \xe2\x86\x92 2\n");
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static void diff_shows_one_page_in_a_large_mapping(void **state)
{
	(void)state;
	struct vmsnap *a = bare_snapshot(), *b = bare_snapshot();
	struct vmsnap_diff *diff;
	put_vma(a, 0x1000000, 0x9000000, rw, 0, "");
	put_vma(b, 0x1000000, 0x9000000, rw, 0, "");
	put_pages(b, 0x8fff000, 1, ENTRY(own, 0x60));
	assert_int_equal(vmsnap_diff_new(a, b, &diff, NULL), VMSNAP_OK);
	struct catch *caught = catch_new();
	caught->out.style.columns = "PAGES";
	caught->out.style.width = 80;
	caught->out.style.no_headings = true;
	assert_int_equal(vmsnap_print_diff(diff, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_string_equal(caught->text, "                   \xe2\x96\x81\n");
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static void diff_puts_growth_and_its_pages_into_one_row(void **state)
{
	(void)state;
	struct vmsnap *a = bare_snapshot(), *b = bare_snapshot();
	struct vmsnap_diff *diff;
	put_vma(a, 0x1000, 0x3000, rw, 0, "[heap]");
	put_vma(b, 0x1000, 0x5000, rw, 0, "[heap]");
	put_pages(a, 0x1000, 2, ENTRY(own, 0x50));
	put_pages(b, 0x1000, 2, ENTRY(own, 0x50));
	put_pages(b, 0x3000, 2, ENTRY(own, 0x60));
	assert_int_equal(vmsnap_diff_new(a, b, &diff, NULL), VMSNAP_OK);
	struct catch *caught = catch_new();
	caught->out.style.raw = caught->out.style.no_headings = true;
	caught->out.style.columns = "START,NEW,CHANGE,MAPPING";
	assert_int_equal(vmsnap_print_diff(diff, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_string_equal(caught->text, "00001000 +8.00K grown\\x20+8.00K [heap]\n");
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static void diff_of_a_moved_mapping_looks_where_it_came_from(void **state)
{
	(void)state;
	struct vmsnap *a = bare_snapshot(), *b = bare_snapshot();
	struct vmsnap_diff *diff;
	put_vma(a, 0x100000, 0x110000, rw, 0, "");
	put_vma(b, 0x500000, 0x510000, rw, 0, "");
	put_pages(a, 0x100000, 16, ENTRY(shared, 0x50));
	put_pages(b, 0x500000, 12, ENTRY(shared, 0x50));
	put_pages(b, 0x50c000, 4, ENTRY(own, 0x90));
	assert_int_equal(vmsnap_diff_new(a, b, &diff, NULL), VMSNAP_OK);
	struct catch *caught = catch_new();
	caught->out.style.raw = caught->out.style.no_headings = true;
	caught->out.style.columns = "START,COPIED,%,NEW,GONE,CHANGE";
	assert_int_equal(vmsnap_print_diff(diff, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_string_equal(caught->text, "00500000 16.0K 25.0% - - moved\\x20from\\x2000100000\n");
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

/* Above a mapping that it was put over, of another name. */
static void diff_of_a_part_that_moved_tells_first_where_that_was(void **state)
{
	(void)state;
	struct vmsnap *a = bare_snapshot(), *b = bare_snapshot();
	struct vmsnap_diff *diff;
	put_vma(a, 0x100000, 0x110000, rw, 0, "");
	put_vma(a, 0x500000, 0x508000, rw, 7, "/f");
	put_vma(b, 0x100000, 0x104000, rw, 0, "");
	put_vma(b, 0x10c000, 0x110000, rw, 0, "");
	put_vma(b, 0x500000, 0x508000, rw, 0, "");
	put_pages(a, 0x100000, 16, ENTRY(shared, 0x50));
	put_pages(b, 0x100000, 4, ENTRY(shared, 0x50));
	put_pages(b, 0x10c000, 4, ENTRY(shared, 0x5c));
	put_pages(b, 0x500000, 8, ENTRY(shared, 0x54));
	assert_int_equal(vmsnap_diff_new(a, b, &diff, NULL), VMSNAP_OK);
	struct catch *caught = catch_new();
	caught->out.style.raw = caught->out.style.no_headings = true;
	caught->out.style.columns = "START,CHANGE";
	assert_int_equal(vmsnap_print_diff(diff, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "00500000 moved\\x20from\\x2000104000,\\x20replaced\\x20f\n");
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static void diff_says_what_a_mapping_was_before(void **state)
{
	(void)state;
	struct vmsnap *a = bare_snapshot(), *b = bare_snapshot();
	struct vmsnap_diff *diff;
	put_vma(a, 0x1000, 0x3000, VMSNAP_PERM_READ, 0, "");
	put_vma(a, 0x5000, 0x7000, rw, 7, "/tmp/\033[2Jold");
	put_vma(a, 0x9000, 0xb000, rw, 8, "/old/place");
	put_vma(b, 0x1000, 0x3000, rw, 0, "");
	put_vma(b, 0x5000, 0x7000, rw, 0, "");
	put_vma(b, 0x9000, 0xb000, rw, 8, "/new/home");
	assert_int_equal(vmsnap_diff_new(a, b, &diff, NULL), VMSNAP_OK);
	struct catch *caught = catch_new();
	caught->out.style.raw = caught->out.style.no_headings = true;
	caught->out.style.columns = "START,CHANGE";
	assert_int_equal(vmsnap_print_diff(diff, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_string_equal(caught->text, "00001000 was\\x20r--p\n"
	                                  "00005000 replaced\\x20\\x1b[2Jold\n"
	                                  "00009000 was\\x20named\\x20place\n");
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

/* What a diff says of executable memory; A has code at 0x10000 to 0x14000. */
static struct catch *of_code(struct vmsnap *a, struct vmsnap *b)
{
	struct vmsnap_diff *diff;
	struct catch *caught = catch_new();
	assert_int_equal(vmsnap_diff_new(a, b, &diff, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_print_diff(diff, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
	return caught;
}

static struct vmsnap *with_code(void)
{
	struct vmsnap *snap = bare_snapshot();
	put_vma(snap, 0x10000, 0x14000, rx, 7, "/lib/a.so");
	return snap;
}

static void diff_tells_of_memory_that_was_laid_over_code(void **state)
{
	(void)state;
	struct vmsnap *b = bare_snapshot();
	put_vma(b, 0x10000, 0x11000, rx, 7, "/lib/a.so");
	put_vma(b, 0x11000, 0x13000, rx, 0, "");
	put_vma(b, 0x13000, 0x14000, rx, 7, "/lib/a.so");
	b->vmas[2].offset = 0x3000;
	assert_has(of_code(with_code(), b),
	           "!! 2 pages of executable memory were laid over code: 00011000 over /lib/a.so\n");
	/* Another file's code, up to the end of the first. */
	b = bare_snapshot();
	put_vma(b, 0x10000, 0x13000, rx, 7, "/lib/a.so");
	put_vma(b, 0x13000, 0x15000, rx, 8, "/tmp/hook.so");
	assert_has(of_code(with_code(), b), "!! 1 page of executable memory was laid over code: 00013000 over ");
	/* All of it, but the file is mapped beside it, as it was. */
	struct vmsnap *a = with_code();
	b = bare_snapshot();
	put_vma(b, 0x10000, 0x14000, rx, 0, "");
	for (int i = 0; i < 2; i++) {
		put_vma(i ? b : a, 0x14000, 0x15000, rw, 7, "/lib/a.so");
		(i ? b : a)->vmas[1].offset = 0x8000;
	}
	assert_has(of_code(a, b), "!! 4 pages of executable memory were laid over code: 00010000 over /lib/a.so\n");
}

static void diff_says_nothing_of_code_in_the_place_of_a_library_that_was_unloaded(void **state)
{
	(void)state;
	struct vmsnap *b = bare_snapshot();
	put_vma(b, 0x11000, 0x13000, rx, 0, "");
	assert_lacks(of_code(with_code(), b), "!!");
	b = bare_snapshot();
	put_vma(b, 0x11000, 0x15000, rx, 7, "/lib/a.so"); /* loaded again, elsewhere */
	assert_lacks(of_code(with_code(), b), "!!");
	/* What can only be read, or lies beside it. */
	b = with_code();
	put_vma(b, 0x20000, 0x21000, rx, 0, "");
	assert_lacks(of_code(with_code(), b), "!!");
}

static void diff_tells_of_memory_that_can_be_written_and_executed(void **state)
{
	(void)state;
	struct vmsnap *b = with_code();
	put_vma(b, 0x20000, 0x21000, rw | rx, 0, "");
	put_vma(b, 0x30000, 0x31000, rw | rx, 9, "/tmp/both");
	assert_has(of_code(with_code(), b),
	           "!! 2 mappings can be written to and executed now: 00020000 of anonymous memory, "
	           "00030000 of /tmp/both\n");
	b = bare_snapshot();
	put_vma(b, 0x10000, 0x14000, rw | rx, 7, "/lib/a.so");
	assert_has(of_code(with_code(), b), "!! 1 mapping can be written to and executed now: 00010000 of /lib/a.so\n");
	/* It was so, and has grown. */
	struct vmsnap *a = bare_snapshot();
	b = bare_snapshot();
	put_vma(a, 0x20000, 0x21000, rw | rx, 0, "");
	put_vma(b, 0x20000, 0x24000, rw | rx, 0, "");
	assert_lacks(of_code(a, b), "!!");
}

static void diff_rejects_an_unknown_column(void **state)
{
	const struct fixture *f = *state;
	struct catch *caught = catch_new();
	caught->out.style.columns = "WRONG";
	assert_int_equal(vmsnap_print_diff(f->diff, NULL, 0, &caught->out, &caught->err), VMSNAP_ERR_ARGUMENT);
	assert_non_null(strstr(caught->err.message, "COPIED"));
}

/* "VmRSS 78.9M → 78.9M" says nothing. */
static void sizes_that_look_the_same_are_told_exactly(void **state)
{
	(void)state;
	struct vmsnap *a = bare_snapshot(), *b = bare_snapshot();
	struct vmsnap_diff *diff;
	put_status(a, "VmRSS:\t   80788 kB\nVmHWM:\t 8 kB\nSigQ:\t3/100\nvoluntary_ctxt_switches:\t3\n");
	put_status(b, "VmRSS:\t   80792 kB\nVmHWM:\t 12 kB\nSigQ:\t4/100\nvoluntary_ctxt_switches:\t4\n");
	assert_int_equal(vmsnap_diff_new(a, b, &diff, NULL), VMSNAP_OK);
	struct catch *caught = catch_new();
	assert_int_equal(vmsnap_print_diff(diff, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "  VmRSS 80788 kB \xe2\x86\x92 80792 kB\n  VmHWM 8.00K \xe2\x86\x92 12.0K\n");
	assert_lacks(caught, "78.9M");
	assert_lacks(caught, "SigQ");
	assert_lacks(caught, "ctxt");
	caught = catch_new();
	caught->out.style.bytes = true;
	assert_int_equal(vmsnap_print_diff(diff, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "  VmRSS 82726912 \xe2\x86\x92 82731008\n");
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(diff_has_a_row_for_each_changed_mapping),
		cmocka_unit_test(diff_shows_what_went_of_a_mapping_where_it_was),
		cmocka_unit_test(pages_of_files_that_appeared_are_mapped_not_new),
		cmocka_unit_test(what_was_copied_of_a_mapping_that_has_grown_counts_once),
		cmocka_unit_test(diff_begins_with_one_sentence),
		cmocka_unit_test(diff_tells_its_sides_in_brief),
		cmocka_unit_test(diff_strip_shows_where),
		cmocka_unit_test(diff_long_lists_every_range),
		cmocka_unit_test(diff_json_has_an_item_for_each_fact),
		cmocka_unit_test(diff_says_that_copies_are_unknown_without_frames),
		cmocka_unit_test(diff_of_equals_says_so),
		cmocka_unit_test(pages_that_hold_something_else_are_written),
		cmocka_unit_test(diff_does_not_call_a_migrated_page_copied),
		cmocka_unit_test(sizes_that_look_the_same_are_told_exactly),
		cmocka_unit_test(diff_without_frames_says_what_may_be_a_copy),
		cmocka_unit_test(diff_without_changed_pages_tells_the_status),
		cmocka_unit_test(diff_shows_one_page_in_a_large_mapping),
		cmocka_unit_test(diff_puts_growth_and_its_pages_into_one_row),
		cmocka_unit_test(diff_of_a_moved_mapping_looks_where_it_came_from),
		cmocka_unit_test(diff_of_a_part_that_moved_tells_first_where_that_was),
		cmocka_unit_test(diff_says_what_a_mapping_was_before),
		cmocka_unit_test(diff_tells_of_memory_that_was_laid_over_code),
		cmocka_unit_test(diff_says_nothing_of_code_in_the_place_of_a_library_that_was_unloaded),
		cmocka_unit_test(diff_tells_of_memory_that_can_be_written_and_executed),
		cmocka_unit_test(diff_rejects_an_unknown_column),
	};
	return cmocka_run_group_tests(tests, make_fork, unmake_fork);
}
