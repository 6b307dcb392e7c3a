/* diff, cow and map of two snapshots: a parent at the fork and a child that wrote. */
#include "test_print_fork.h"

static int make(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	f->a = at_fork(42);
	f->b = child_later();
	assert_int_equal(vmsnap_diff_new(f->a, f->b, &f->diff, NULL), VMSNAP_OK);
	f->cow = cow_since(f->a, f->b, f->a);
	*state = f;
	return 0;
}

static int unmake(void **state)
{
	struct fixture *f = *state;
	vmsnap_cow_free(f->cow);
	vmsnap_diff_free(f->diff);
	vmsnap_unref(f->a);
	vmsnap_unref(f->b);
	free(f);
	return 0;
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

static void diff_closes_with_one_sentence(void **state)
{
	const struct fixture *f = *state;
	struct catch *caught = catch_new();
	assert_int_equal(vmsnap_print_diff(f->diff, NULL, VMSNAP_PRINT_TOTALS_ONLY, &caught->out, NULL), VMSNAP_OK);
	/* 64 pages of heap and the one of text that was copied. */
	assert_has(caught, "\n4 of 4 mappings changed: 68.0K copied of 260K shared at A (26.2%), +32.0K new, "
	                   "-16.0K gone\n");
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
	           "\"privatised_executable\": 1, \"resident_a\": 66, \"resident_b\": 70, \"written_unknown\": 44},\n"
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
	assert_has(caught,
	           "\n\nNo page states differ.\nOf 64 pages (256K) that belong to the process alone it is not known "
	           "whether they were written: capture with --contents or --track.\n");
	assert_lacks(caught, "No differences");
	assert_false(vmsnap_diff_any(diff));
	vmsnap_diff_free(diff);
	b->info.known.pfn = false;
	b->info.taken++;
	assert_int_equal(vmsnap_diff_new(a, b, &diff, NULL), VMSNAP_OK);
	caught = catch_new();
	assert_int_equal(vmsnap_print_diff(diff, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "\n\nNo page states differ that show without PFNs (root would know).\nOf 64 pages (256K) ");
	vmsnap_diff_free(diff);
	vmsnap_unref(b);
	/* But of one look: it was read twice from a file. */
	b = at_fork(42);
	a->info.monotonic = b->info.monotonic = 5;
	assert_int_equal(vmsnap_diff_new(a, b, &diff, NULL), VMSNAP_OK);
	caught = catch_new();
	assert_int_equal(vmsnap_print_diff(diff, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "\n\nNo differences.\n");
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
	assert_has(caught, "2 of 2 mappings changed: +4.00K new, 8.00K written\npages     1 appeared, 2 written\n");
	assert_has(caught, "\n00002000     1 written  [heap]\n00004000     1 written  [heap]\n");
	assert_lacks(caught, "not known");
	vmsnap_diff_free(diff);
	const struct vmsnap_compare_options only = { .size = sizeof(only), .flags = VMSNAP_COMPARE_WRITTEN_ONLY };
	assert_int_equal(vmsnap_diff_new_with(snaps[0], snaps[1], &only, &diff, NULL), VMSNAP_OK);
	caught = catch_new();
	assert_int_equal(vmsnap_print_diff(diff, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "1 of 2 mappings changed: 8.00K written\npages     2 written\n");
	assert_lacks(caught, "Threads");
	vmsnap_diff_free(diff);
	assert_int_equal(vmsnap_diff_new_with(snaps[1], snaps[1], &only, &diff, NULL), VMSNAP_OK);
	caught = catch_new();
	assert_int_equal(vmsnap_print_diff(diff, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "\nNo page was written.\n");
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
	assert_has(caught, "1 of 1 mapping changed: 8.00K changed otherwise\n");
	assert_lacks(caught, "COPIED");
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
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
	assert_has(caught,
	           "\n\nNone of 3 mappings changed.\n"
	           "Of 64 pages (256K) that belong to the process alone it is not known whether they were written: "
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
	assert_has(caught, "                4.00K         100% /bin/demo\n4.00K of files, 32.0K new, 16.0K dropped by "
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
	assert_has(caught, "\n1 shares all, 8.00K of files\n");
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
	assert_has(caught, "\n1 shares all, 8.00K of files, 8.00K of the zero page\n");
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

static void map_of_two_says_what_a_process_is_called_now(void **state)
{
	(void)state;
	struct vmsnap *before = at_fork(42), *now = at_fork(42);
	struct catch *caught = catch_new();
	assert_int_equal(vmsnap_print_map(before, now, &caught->out, NULL), VMSNAP_OK);
	assert_lacks(caught, "\xe2\x86\x92 demo");
	now->info.comm = "sleep";
	caught = catch_new();
	assert_int_equal(vmsnap_print_map(before, now, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "demo 42, 2023-11-14 22:13:20.123 +0000 \xe2\x86\x92 sleep 42, ");
	vmsnap_unref(before);
	vmsnap_unref(now);
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

static void map_of_two_shows_events(void **state)
{
	const struct fixture *f = *state;
	struct catch *caught = catch_new();
	caught->out.style.unicode = false;
	assert_int_equal(vmsnap_print_map(f->a, f->b, &caught->out, NULL), VMSNAP_OK);
	assert_has(
	        caught,
	        "00100000      ========================================================================================"
	        "################################--------\n"
	        "00140000      ++++++++++++++++"
	        "......................................................................................................"
	        "..........\n");
	/* Copied and new pages are not counted again as private. */
	assert_has(caught, "\n# copied 68.0K  + new 32.0K  - gone 16.0K  = shared 176K  f file 4.00K\n");
	assert_has(caught, ": 68.0K copied of 260K shared at A (26.2%)\n");
	caught = catch_new();
	caught->out.style.json = true;
	assert_int_equal(vmsnap_print_map(f->a, f->b, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "\"schema\": \"vmsnap.map/1\"");
	assert_has(caught, "{\"start\": \"0x140000\", \"cells\": \"++++++++....");
	assert_has(caught, "\"copied\": 69632,");
	assert_harmless(caught);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(diff_has_a_row_for_each_changed_mapping),
		cmocka_unit_test(diff_shows_what_went_of_a_mapping_where_it_was),
		cmocka_unit_test(diff_closes_with_one_sentence),
		cmocka_unit_test(diff_strip_shows_where),
		cmocka_unit_test(diff_long_lists_every_range),
		cmocka_unit_test(diff_json_has_an_item_for_each_fact),
		cmocka_unit_test(diff_says_that_copies_are_unknown_without_frames),
		cmocka_unit_test(diff_of_equals_says_so),
		cmocka_unit_test(pages_that_hold_something_else_are_written),
		cmocka_unit_test(diff_does_not_call_a_migrated_page_copied),
		cmocka_unit_test(sizes_that_look_the_same_are_told_exactly),
		cmocka_unit_test(cow_without_copiers_leaves_their_columns_out),
		cmocka_unit_test(cow_of_what_has_grown_is_one_mapping),
		cmocka_unit_test(cow_sums_up_what_is_only_shared),
		cmocka_unit_test(cow_says_that_memory_lies_elsewhere),
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
		cmocka_unit_test(cow_groups_by_mapping),
		cmocka_unit_test(picture_of_what_is_not_compared),
		cmocka_unit_test(picture_of_cow_says_what_is_inferred),
		cmocka_unit_test(cow_json_counts_every_verdict),
		cmocka_unit_test(cow_raw_is_a_plain_table),
		cmocka_unit_test(map_of_two_shows_events),
		cmocka_unit_test(map_of_two_says_what_a_process_is_called_now),
	};
	return cmocka_run_group_tests(tests, make, unmake);
}
