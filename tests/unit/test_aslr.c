/* test_aslr.c - two runs of one program: which mapping is which, wherever it lies. */
#include "test_diff_fixture.h"

#include <stdio.h>

struct pair {
	struct vmsnap *a, *b;
};

static int set_up(void **state)
{
	struct pair *pair = calloc(1, sizeof(*pair));
	if (!pair)
		return -1;
	pair->a = make_snap();
	pair->b = make_snap();
	*state = pair;
	return 0;
}

static int tear_down(void **state)
{
	struct pair *pair = *state;
	vmsnap_unref(pair->a);
	vmsnap_unref(pair->b);
	free(pair);
	return 0;
}

static void print_range(char *out, size_t size, const struct vmsnap_vma *vma, uint64_t start, uint64_t end)
{
	if (vma)
		snprintf(out, size, "%d-%d", (int)(start / PAGE), (int)(end / PAGE));
	else
		snprintf(out, size, "none");
}

static char text_of[8192];

static int catch_text(void *ctx, const char *text, size_t len)
{
	size_t *have = ctx;
	assert_true(*have + len < sizeof(text_of));
	memcpy(text_of + *have, text, len);
	*have += len;
	text_of[*have] = '\0';
	return 0;
}

static const char *printed(const struct vmsnap *a, const struct vmsnap *b)
{
	size_t len = 0;
	const struct vmsnap_output out = {
		.size = sizeof(out), .style = { .size = sizeof(out.style) }, .write = catch_text, .ctx = &len
	};
	struct vmsnap_aslr *aslr = NULL;
	assert_int_equal(vmsnap_aslr_new(a, b, NULL, &aslr, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_print_aslr(aslr, 0, &out, NULL), VMSNAP_OK);
	vmsnap_aslr_free(aslr);
	return text_of;
}

/* Rows as text, one a line: "file 1-5 101-105 size". */
static void expect(const struct vmsnap *a, const struct vmsnap *b, const char *expected)
{
	struct vmsnap_aslr *aslr = NULL;
	struct vmsnap_aslr_row row;
	char text[8192] = "";
	size_t len = 0;
	bool any = false;
	assert_int_equal(vmsnap_aslr_new(a, b, NULL, &aslr, NULL), VMSNAP_OK);
	for (size_t i = 0; !vmsnap_aslr_row(aslr, i, &row); i++) {
		char in_a[48], in_b[48];
		print_range(in_a, sizeof(in_a), row.a, row.start_a, row.end_a);
		print_range(in_b, sizeof(in_b), row.b, row.start_b, row.end_b);
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s %s %s", vmsnap_aslr_kind_name(row.kind),
		                        in_a, in_b);
		for (int bit = 0; bit < VMSNAP_ASLR_DIFFERENCE_COUNT; bit++)
			if (row.differs & 1u << bit)
				len += (size_t)snprintf(text + len, sizeof(text) - len, " %s",
				                        vmsnap_aslr_difference_name(bit));
		len += (size_t)snprintf(text + len, sizeof(text) - len, "\n");
		any |= row.differs != 0;
	}
	assert_string_equal(text, expected);
	assert_int_equal(vmsnap_aslr_any(aslr), any);
	vmsnap_aslr_free(aslr);
}

/* A library with its .bss, at some place. */
static void add_library(struct vmsnap *snap, uint64_t at, const char *name, uint64_t code, uint64_t behind)
{
	add_file(snap, at, at + 1, "r--p", name, 70, 0);
	add_file(snap, at + 1, at + 1 + code, "r-xp", name, 70, 1);
	add_file(snap, at + 1 + code, at + 2 + code, "rw-p", name, 70, 1 + code);
	if (behind)
		add_anon(snap, at + 2 + code, at + 2 + code + behind, "rw-p", "");
}

static void what_lies_elsewhere_does_not_differ(void **state)
{
	struct pair *pair = *state;
	add_library(pair->a, 10, "/l/libfoo.so", 5, 2);
	add_anon(pair->a, 50, 60, "rw-p", "[heap]");
	add_library(pair->a, 80, "/l/libbar.so", 9, 0);
	add_anon(pair->a, 200, 230, "rw-p", "[stack]");
	add_anon(pair->b, 7, 17, "rw-p", "[heap]");
	add_library(pair->b, 300, "/l/libbar.so", 9, 0);
	add_library(pair->b, 400, "/l/libfoo.so", 5, 2);
	add_anon(pair->b, 500, 530, "rw-p", "[stack]");
	expect(pair->a, pair->b,
	       "heap 50-60 7-17\n"
	       "file 80-81 300-301\n"
	       "file 81-90 301-310\n"
	       "file 90-91 310-311\n"
	       "file 10-11 400-401\n"
	       "file 11-16 401-406\n"
	       "file 16-17 406-407\n"
	       "behind 17-19 407-409\n"
	       "stack 200-230 500-530\n");
}

/* A core file of one run, with neither names nor states, and the process of another. */
static void make_core_and_process(struct vmsnap *core, struct vmsnap *live)
{
	core->info.source = VMSNAP_SOURCE_CORE;
	core->info.known.states_unknown = true;
	add_library(core, 10, "/b/prog", 5, 1);
	add_anon(core, 50, 60, "rw-p", "");
	add_anon(core, 80, 84, "rw-p", "");
	add_library(core, 90, "/l/libfoo.so", 5, 0);
	add_library(live, 110, "/b/prog", 5, 1);
	add_anon(live, 140, 152, "rw-p", "[heap]");
	add_anon(live, 170, 173, "rw-p", "[anon:pool]");
	add_anon(live, 180, 184, "rw-p", "");
	add_library(live, 190, "/l/libfoo.so", 5, 0);
	add_anon(live, 200, 201, "r--p", "[vvar]");
}

static void what_a_core_has_without_a_name_is_known_by_where_it_lies(void **state)
{
	struct pair *pair = *state;
	make_core_and_process(pair->a, pair->b);
	pair->a->info.tool = "";
	add_anon(pair->a, 200, 201, "r--p", "");
	expect(pair->a, pair->b,
	       "file 10-11 110-111\n"
	       "file 11-16 111-116\n"
	       "file 16-17 116-117\n"
	       "behind 17-18 117-118\n"
	       "heap 50-60 140-152 size\n"
	       "anonymous none 170-173 only_b\n"
	       "anonymous 80-84 180-184\n"
	       "file 90-91 190-191\n"
	       "file 91-96 191-196\n"
	       "file 96-97 196-197\n"
	       "kernel 200-201 200-201\n");
}

/* gdb leaves out what the kernel maps for itself. */
static void what_a_core_would_not_have_is_no_difference(void **state)
{
	struct pair *pair = *state;
	make_core_and_process(pair->a, pair->b);
	pair->a->info.tool = "gdb";
	expect(pair->b, pair->a,
	       "file 110-111 10-11\n"
	       "file 111-116 11-16\n"
	       "file 116-117 16-17\n"
	       "behind 117-118 17-18\n"
	       "heap 140-152 50-60 size\n"
	       "anonymous 170-173 none only_a\n"
	       "anonymous 180-184 80-84\n"
	       "file 190-191 90-91\n"
	       "file 191-196 91-96\n"
	       "file 196-197 96-97\n");
}

/* One has 3 pages more behind the library and one mapping more; pages of its code were written. */
static void a_release_that_maps_more(void **state)
{
	struct pair *pair = *state;
	add_library(pair->a, 10, "/l/libfoo.so", 5, 2);
	add_pages(pair->a, 11, 5, CACHED(100));
	add_library(pair->b, 20, "/l/libfoo.so", 5, 5);
	add_anon(pair->b, 40, 44, "rw-p", "");
	add_pages(pair->b, 21, 2, CACHED(100));
	add_pages(pair->b, 23, 3, OWNED(500));
	expect(pair->a, pair->b,
	       "file 10-11 20-21\n"
	       "file 11-16 21-26 private\n"
	       "file 16-17 26-27\n"
	       "behind 17-19 27-32 size\n"
	       "anonymous none 40-44 only_b\n");
	/* What is behind it need not be its own. */
	const char *text = printed(pair->a, pair->b);
	assert_non_null(strstr(text, "Mapped: +16.0K anonymous memory, +12.0K behind libfoo.so\n"));
	assert_non_null(strstr(text, "Private: +12.0K libfoo.so (3 pages)\n"));
}

static void another_version_of_a_library_is_the_same(void **state)
{
	struct pair *pair = *state;
	add_library(pair->a, 10, "/usr/lib/libfoo.so.1.2", 5, 0);
	add_library(pair->a, 30, "/usr/lib/libbar-2.31.so", 5, 0);
	add_library(pair->a, 50, "/old/bin/prog", 3, 0);
	pair->a->info.exe = "/old/bin/prog";
	add_library(pair->b, 10, "/new/bin/prog-beta", 3, 0);
	pair->b->info.exe = "/new/bin/prog-beta";
	add_library(pair->b, 40, "/usr/lib/libfoo.so.1.10", 7, 0);
	add_library(pair->b, 80, "/usr/lib/libbar-2.4.so", 5, 0);
	expect(pair->a, pair->b,
	       "file 50-51 10-11 name\n"
	       "file 51-54 11-14 name\n"
	       "file 54-55 14-15 name\n"
	       "file 10-11 40-41 name\n"
	       "file 11-16 41-48 size name\n"
	       "file 16-17 48-49 name\n"
	       "file 30-31 80-81 name\n"
	       "file 31-36 81-86 name\n"
	       "file 36-37 86-87 name\n");
}

/* What is called much the same is not the same if there are several. */
static void names_that_are_not_alone_are_not_guessed(void **state)
{
	struct pair *pair = *state;
	add_file(pair->a, 1, 2, "r--p", "/l/libfoo.so.1", 70, 0);
	add_file(pair->a, 3, 4, "r--p", "/l/libfoo.so.2", 71, 0);
	add_file(pair->b, 1, 2, "r--p", "/l/libfoo.so.3", 72, 0);
	add_file(pair->b, 5, 6, "r--p", "/l/libx265.so", 73, 0);
	expect(pair->a, pair->b,
	       "file 1-2 none only_a\n"
	       "file 3-4 none only_a\n"
	       "file none 1-2 only_b\n"
	       "file none 5-6 only_b\n");
}

/* A library of which a page of code was made writable: three mappings where the other has one. */
static void parts_of_one_mapping_belong_to_it(void **state)
{
	struct pair *pair = *state;
	add_library(pair->a, 10, "/l/libfoo.so", 8, 0);
	add_file(pair->b, 100, 101, "r--p", "/l/libfoo.so", 70, 0);
	add_file(pair->b, 101, 103, "r-xp", "/l/libfoo.so", 70, 1);
	add_file(pair->b, 103, 104, "rwxp", "/l/libfoo.so", 70, 3);
	add_file(pair->b, 104, 109, "r-xp", "/l/libfoo.so", 70, 4);
	add_file(pair->b, 109, 110, "rw-p", "/l/libfoo.so", 70, 9);
	add_pages(pair->b, 103, 1, OWNED(9));
	expect(pair->a, pair->b,
	       "file 10-11 100-101\n"
	       "file 11-13 101-103\n"
	       "file 13-14 103-104 permissions resident private\n"
	       "file 14-19 104-109\n"
	       "file 19-20 109-110\n");
	expect(pair->b, pair->a,
	       "file 100-101 10-11\n"
	       "file 101-103 11-13\n"
	       "file 103-104 13-14 permissions resident private\n"
	       "file 104-109 14-19\n"
	       "file 109-110 19-20\n");
}

static void several_mappings_of_a_file_keep_their_order(void **state)
{
	struct pair *pair = *state;
	add_file(pair->a, 10, 14, "r--p", "/data", 70, 0);
	add_file(pair->a, 20, 24, "r--p", "/data", 70, 0);
	add_file(pair->a, 30, 32, "r--p", "/data", 70, 8);
	add_pages(pair->a, 10, 1, CACHED(1));
	add_pages(pair->a, 20, 2, CACHED(1));
	add_file(pair->b, 110, 114, "r--p", "/data", 71, 0);
	add_file(pair->b, 115, 119, "r--p", "/data", 71, 0);
	add_file(pair->b, 120, 122, "r--p", "/data", 71, 8);
	add_file(pair->b, 130, 134, "r--p", "/data", 71, 0);
	add_pages(pair->b, 110, 1, CACHED(1));
	add_pages(pair->b, 115, 2, CACHED(1));
	expect(pair->a, pair->b,
	       "file 10-14 110-114\n"
	       "file 20-24 115-119\n"
	       "file 30-32 120-122\n"
	       "file none 130-134 only_b\n");
}

/* From the top down, and by size: what is new lies below. */
static void memory_without_a_name_is_matched_by_order_and_size(void **state)
{
	struct pair *pair = *state;
	add_anon(pair->a, 10, 20, "rw-p", "");
	add_anon(pair->a, 30, 34, "rw-p", "");
	add_library(pair->a, 60, "/l/libc.so", 5, 0);
	add_anon(pair->b, 100, 102, "rw-p", "");
	add_anon(pair->b, 110, 120, "rw-p", "");
	add_anon(pair->b, 130, 134, "rw-p", "");
	add_library(pair->b, 160, "/l/libc.so", 5, 0);
	expect(pair->a, pair->b,
	       "anonymous none 100-102 only_b\n"
	       "anonymous 10-20 110-120\n"
	       "anonymous 30-34 130-134\n"
	       "file 60-61 160-161\n"
	       "file 61-66 161-166\n"
	       "file 66-67 166-167\n");
}

/* What came to lie behind a library on one side only is no less the other's memory. */
static void memory_that_is_behind_a_file_by_chance(void **state)
{
	struct pair *pair = *state;
	add_library(pair->a, 10, "/l/libfoo.so", 5, 30);
	add_library(pair->b, 10, "/l/libfoo.so", 5, 0);
	add_anon(pair->b, 50, 80, "rw-p", "");
	expect(pair->a, pair->b,
	       "file 10-11 10-11\n"
	       "file 11-16 11-16\n"
	       "file 16-17 16-17\n"
	       "anonymous 17-47 50-80\n");
}

/* Behind a file of data lies what lay there before. */
static void behind_data_is_nothing_of_the_file(void **state)
{
	struct pair *pair = *state;
	add_file(pair->a, 10, 14, "rw-p", "/data", 70, 0);
	add_anon(pair->a, 14, 20, "rw-p", "");
	expect(pair->a, pair->a,
	       "file 10-14 10-14\n"
	       "anonymous 14-20 14-20\n");
}

static void threads_and_arenas(void **state)
{
	static struct vmsnap_thread threads_a[] = { { .tid = 5, .stack_pointer = PAGE_AT(99), .comm = "" },
		                                    { .tid = 6, .stack_pointer = PAGE_AT(25), .comm = "" } };
	static struct vmsnap_thread threads_b[] = { { .tid = 8, .stack_pointer = PAGE_AT(48), .comm = "" },
		                                    { .tid = 7, .stack_pointer = PAGE_AT(98), .comm = "" } };
	const struct vmsnap_annotation heap = { .address = PAGE_AT(0x8000),
		                                .size = PAGE_AT(3),
		                                .kind = VMSNAP_ANNOTATION_OTHER,
		                                .type = VMSNAP_MALLOC_HEAP };
	struct pair *pair = *state;
	pair->a->info.tgid = 5;
	pair->b->info.tgid = 7;
	add_anon(pair->a, 10, 15, "rw-p", "");
	add_anon(pair->a, 19, 20, "---p", "");
	add_anon(pair->a, 20, 26, "rw-p", "");
	add_anon(pair->a, 90, 100, "rw-p", "[stack]");
	add_anon(pair->b, 39, 40, "---p", "");
	add_anon(pair->b, 40, 50, "rw-p", "");
	add_anon(pair->b, 52, 57, "rw-p", "");
	add_anon(pair->b, 90, 100, "rw-p", "[stack]");
	add_anon(pair->b, 0x8000, 0x8003, "rw-p", "");
	add_anon(pair->b, 0x8003, 0xc000, "---p", "");
	pair->a->threads = threads_a;
	pair->b->threads = threads_b;
	pair->a->thread_count = pair->b->thread_count = 2;
	assert_int_equal(test_annotate(pair->b, &heap, 1, NULL), VMSNAP_OK);
	expect(pair->a, pair->b,
	       "thread_stack 19-20 39-40\n"
	       "thread_stack 20-26 40-50 size\n"
	       "anonymous 10-15 52-57\n"
	       "stack 90-100 90-100\n"
	       "arena none 32768-32771 only_b\n"
	       "arena none 32771-49152 only_b\n");
	pair->a->threads = pair->b->threads = NULL;
	pair->a->thread_count = pair->b->thread_count = 0;
}

/* Two workers of one master have one layout: there the address tells. */
static void workers_are_matched_by_address(void **state)
{
	struct pair *pair = *state;
	pair->a->info.start_code = pair->b->info.start_code = PAGE_AT(1);
	pair->a->info.start_stack = pair->b->info.start_stack = PAGE_AT(900);
	add_anon(pair->a, 10, 14, "rw-p", "");
	add_anon(pair->a, 20, 24, "rw-p", "");
	add_anon(pair->b, 10, 17, "rw-p", "");
	add_anon(pair->b, 20, 24, "rw-p", "");
	add_anon(pair->b, 30, 34, "rw-p", "");
	expect(pair->a, pair->b,
	       "anonymous 10-14 10-17 size\n"
	       "anonymous 20-24 20-24\n"
	       "anonymous none 30-34 only_b\n");
}

/* Frames are of no interest, nor who else maps a page. */
static void frames_are_not_compared(void **state)
{
	struct pair *pair = *state;
	add_anon(pair->a, 10, 20, "rw-p", "[heap]");
	add_pages(pair->a, 10, 4, ANON(1));
	pair->b->info.boot_id = "another";
	pair->b->info.host = "another";
	add_anon(pair->b, 50, 60, "rw-p", "[heap]");
	add_pages(pair->b, 52, 4, OWNED(1));
	expect(pair->a, pair->b, "heap 10-20 50-60\n");
}

static void builds_are_told_apart(void **state)
{
	static const uint8_t one[] = { 1, 2, 3 }, other[] = { 1, 2, 4 };
	struct pair *pair = *state;
	add_file(pair->a, 1, 5, "r-xp", "/l/libfoo.so (deleted)", 70, 0);
	add_file(pair->b, 1, 5, "r-xp", "/l/libfoo.so", 71, 0);
	pair->a->vmas[0].deleted = true;
	pair->a->vmas[0].build_id = one;
	pair->b->vmas[0].build_id = other;
	pair->a->vmas[0].build_id_len = pair->b->vmas[0].build_id_len = sizeof(one);
	expect(pair->a, pair->b, "file 1-5 1-5 build_id\n");
}

/* ---- contents ------------------------------------------------------------------------------ */

/* A page of words. */
static void add_words(struct vmsnap *snap, uint64_t page, uint64_t word, uint64_t at)
{
	uint64_t words[PAGE / 8] = { 0 };
	uint32_t number;
	words[at] = word;
	words[at + 1] = 77;
	struct page_hash hash = page_hash_of(words, sizeof(words));
	if (!snap->contents.store)
		assert_int_equal(vmsnap_store_new(&snap->contents.store, NULL), VMSNAP_OK);
	snap->contents.bytes = true;
	assert_int_equal(store_put(snap->contents.store, &hash, words, sizeof(words), &number), VMSNAP_OK);
	assert_int_equal(contents_add(&snap->contents, PAGE, PAGE_AT(page), number), VMSNAP_OK);
}

static struct vmsnap_aslr_contents contents_of(const struct vmsnap *a, const struct vmsnap *b)
{
	struct vmsnap_aslr *aslr = NULL;
	struct vmsnap_aslr_sums all;
	assert_int_equal(vmsnap_aslr_new(a, b, NULL, &aslr, NULL), VMSNAP_OK);
	assert_true(vmsnap_aslr_contents_known(aslr));
	assert_int_equal(vmsnap_aslr_group(aslr, VMSNAP_ASLR_ALL, &all), VMSNAP_OK);
	vmsnap_aslr_free(aslr);
	return all.contents;
}

static void expect_contents(const struct vmsnap *a, const struct vmsnap *b, uint64_t compared, uint64_t same,
                            uint64_t same_but_addresses)
{
	struct vmsnap_aslr_contents contents = contents_of(a, b);
	assert_int_equal(contents.compared, compared);
	assert_int_equal(contents.same, same);
	assert_int_equal(contents.same_but_addresses, same_but_addresses);
}

/* The heap has one page that is the same, one that points to its own third page, one that holds something
 * else; of one only A keeps contents.  The stack is larger in B: its pages are told from the end. */
static void pages_that_hold_the_same_but_for_addresses(void **state)
{
	struct pair *pair = *state;
	add_anon(pair->a, 10, 20, "rw-p", "[heap]");
	add_anon(pair->a, 90, 94, "rw-p", "[stack]");
	add_anon(pair->b, 50, 60, "rw-p", "[heap]");
	add_anon(pair->b, 190, 196, "rw-p", "[stack]");
	add_words(pair->a, 10, 5, 3);
	add_words(pair->a, 11, PAGE_AT(12) + 40, 3);
	add_words(pair->a, 12, 1, 3);
	add_words(pair->a, 13, 1, 3);
	add_words(pair->a, 93, PAGE_AT(93) + 8, 100);
	add_words(pair->b, 50, 5, 3);
	add_words(pair->b, 51, PAGE_AT(52) + 40, 3);
	add_words(pair->b, 52, 2, 3);
	add_words(pair->b, 195, PAGE_AT(195) + 8, 100);
	expect_contents(pair->a, pair->b, 4, 1, 2);
	expect(pair->a, pair->b, "heap 10-20 50-60 contents\nstack 90-94 190-196 size\n");
}

/* An address of another place is another value. */
static void an_address_of_another_place_is_something_else(void **state)
{
	struct pair *pair = *state;
	add_anon(pair->a, 10, 20, "rw-p", "[heap]");
	add_anon(pair->b, 50, 60, "rw-p", "[heap]");
	add_words(pair->a, 10, PAGE_AT(12), 3);
	add_words(pair->b, 50, PAGE_AT(53), 3);
	expect_contents(pair->a, pair->b, 1, 0, 0);
}

/* With hashes alone all that differs is something else, as far as is known. */
static void hashes_do_not_tell_addresses(void **state)
{
	struct pair *pair = *state;
	add_anon(pair->a, 10, 20, "rw-p", "[heap]");
	add_anon(pair->b, 50, 60, "rw-p", "[heap]");
	add_words(pair->a, 10, PAGE_AT(12), 3);
	add_words(pair->b, 50, PAGE_AT(52), 3);
	add_words(pair->a, 11, 5, 3);
	add_words(pair->b, 51, 5, 3);
	pair->a->contents.bytes = false;
	expect_contents(pair->a, pair->b, 2, 1, 0);
}

/* ---- much of it ------------------------------------------------------------------------------ */

/* Many mappings of one file on both sides, cut in all places, take as many rows and no more. */
static void many_mappings_take_no_more_than_they_are(void **state)
{
	enum { MANY = 20000 };
	struct pair *pair = *state;
	struct vmsnap_aslr *aslr = NULL;
	for (uint64_t i = 0; i < MANY; i++)
		add_file(pair->a, 10 + i, 11 + i, i % 2 ? "r--p" : "rw-p", "/f", 7, i);
	add_file(pair->b, 10, 10 + MANY, "r--p", "/f", 7, 0);
	assert_int_equal(vmsnap_aslr_new(pair->a, pair->b, NULL, &aslr, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_aslr_count(aslr), MANY);
	vmsnap_aslr_free(aslr);
	/* Over and over the same offsets: nothing is cut. */
	struct vmsnap *often = make_snap();
	for (uint64_t i = 0; i < MANY; i++)
		add_file(often, 2 * i, 2 * i + 2, i % 2 ? "r--p" : "rw-p", "/f", 7, i % 7);
	assert_int_equal(vmsnap_aslr_new(pair->a, often, NULL, &aslr, NULL), VMSNAP_OK);
	assert_true(vmsnap_aslr_count(aslr) <= 2 * (size_t)MANY);
	vmsnap_aslr_free(aslr);
	vmsnap_unref(often);
}

static bool at_once(void *ctx)
{
	(void)ctx;
	return true;
}

static void is_cancelled(void **state)
{
	struct pair *pair = *state;
	const struct vmsnap_compare_options options = { .size = sizeof(options), .cancelled = at_once };
	struct vmsnap_aslr *aslr = NULL;
	struct vmsnap_error err = { 0 };
	for (uint64_t i = 0; i < 10000; i++)
		add_anon(pair->a, 2 * i + 1, 2 * i + 2, "rw-p", "");
	assert_int_equal(vmsnap_aslr_new(pair->a, pair->b, &options, &aslr, &err), VMSNAP_ERR_CANCELLED);
	assert_int_equal(err.code, VMSNAP_ERR_CANCELLED);
}

static void little_memory_is_too_little(void **state)
{
	struct pair *pair = *state;
	struct vmsnap_aslr *aslr = NULL;
	struct vmsnap_error err = { 0 };
	for (uint64_t i = 0; i < 10000; i++)
		add_anon(pair->a, 2 * i + 1, 2 * i + 2, "rw-p", "");
	pair->a->memory_limit = pair->b->memory_limit = 1 << 20;
	assert_int_equal(vmsnap_aslr_new(pair->a, pair->b, NULL, &aslr, &err), VMSNAP_ERR_TOO_LARGE);
	assert_int_equal(err.code, VMSNAP_ERR_TOO_LARGE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_lies_elsewhere_does_not_differ),
		TEST(what_a_core_has_without_a_name_is_known_by_where_it_lies),
		TEST(what_a_core_would_not_have_is_no_difference),
		TEST(a_release_that_maps_more),
		TEST(another_version_of_a_library_is_the_same),
		TEST(names_that_are_not_alone_are_not_guessed),
		TEST(parts_of_one_mapping_belong_to_it),
		TEST(several_mappings_of_a_file_keep_their_order),
		TEST(memory_without_a_name_is_matched_by_order_and_size),
		TEST(memory_that_is_behind_a_file_by_chance),
		TEST(behind_data_is_nothing_of_the_file),
		TEST(threads_and_arenas),
		TEST(workers_are_matched_by_address),
		TEST(frames_are_not_compared),
		TEST(builds_are_told_apart),
		TEST(pages_that_hold_the_same_but_for_addresses),
		TEST(an_address_of_another_place_is_something_else),
		TEST(hashes_do_not_tell_addresses),
		TEST(many_mappings_take_no_more_than_they_are),
		TEST(is_cancelled),
		TEST(little_memory_is_too_little),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
