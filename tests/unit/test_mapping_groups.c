/* Which mappings are one row, and what a bar is made of. */
#include "test_print_support.h"

#include "bar_text.h"
#include "mapping_groups.h"
#include "page_class.h"

static const uint32_t r = VMSNAP_PERM_READ, rw = VMSNAP_PERM_READ | VMSNAP_PERM_WRITE, none = 0;
static const uint32_t rx = VMSNAP_PERM_READ | VMSNAP_PERM_EXEC,
                      rws = VMSNAP_PERM_READ | VMSNAP_PERM_WRITE | VMSNAP_PERM_SHARED;

struct mapping {
	uint64_t start, end;
	uint32_t perms;
	uint64_t inode;
	const char *name;
};

/* "3 1 2": how many mappings each group has. */
static const char *groups_of(const struct mapping *mappings, size_t count)
{
	static char words[128];
	struct vmsnap *snap = bare_snapshot();
	struct mapping_group group;
	size_t used = 0;
	for (size_t i = 0; i < count; i++)
		put_vma(snap, mappings[i].start, mappings[i].end, mappings[i].perms, mappings[i].inode,
		        mappings[i].name);
	words[0] = '\0';
	for (size_t i = 0; mapping_group_at(snap, NULL, i, &group); i += group.count) {
		assert_int_equal(group.start, mappings[i].start);
		assert_int_equal(group.end, mappings[i + group.count - 1].end);
		used += (size_t)snprintf(words + used, sizeof(words) - used, "%s%zu", used ? " " : "", group.count);
	}
	vmsnap_unref(snap);
	return words;
}
#define GROUPS(...)                                                                                                    \
	groups_of((const struct mapping[]){ __VA_ARGS__ },                                                             \
	          sizeof((const struct mapping[]){ __VA_ARGS__ }) / sizeof(struct mapping))

static void segments_of_a_file_and_what_lies_right_behind_are_one(void **state)
{
	(void)state;
	assert_string_equal(GROUPS({ 0x10000, 0x12000, rx, 7, "/a" }, { 0x12000, 0x13000, rw, 7, "/a" },
	                           { 0x13000, 0x15000, rw, 0, "" }, { 0x20000, 0x21000, r, 8, "/b" }),
	                    "3 1");
	/* Small holes are the linker's; large ones are not, and another file is another. */
	assert_string_equal(GROUPS({ 0x10000, 0x12000, r, 7, "/a" }, { 0x20000, 0x21000, rw, 7, "/a" },
	                           { 0x10000000, 0x10001000, r, 7, "/a" }, { 0x10001000, 0x10002000, r, 8, "/a" }),
	                    "2 1 1");
#define PROGRAM { 0x10000, 0x11000, rx, 7, "/a" }, { 0x11000, 0x12000, rw, 7, "/a" }
	/* Not what begins elsewhere, what is shared, nor the guard of a stack. */
	assert_string_equal(GROUPS(PROGRAM, { 0x13000, 0x15000, rw, 0, "" }), "2 1");
	assert_string_equal(GROUPS(PROGRAM, { 0x12000, 0x15000, rw, 0, "[heap]" }), "2 1");
	assert_string_equal(GROUPS(PROGRAM, { 0x12000, 0x15000, rws, 0, "" }), "2 1");
	assert_string_equal(GROUPS(PROGRAM, { 0x12000, 0x13000, none, 0, "" }, { 0x13000, 0x15000, rw, 0, "" }), "2 2");
	assert_string_equal(GROUPS(PROGRAM, { 0x12000, 0x15000, rw, 0, "" }), "3");
#undef PROGRAM
}

static void what_lies_behind_a_file_that_is_no_program_is_not_its_own(void **state)
{
	(void)state;
	/* A locale, an archive of classes, a memfd or any file that is mapped shared, a part of a library that is only
	 * read. */
	assert_string_equal(GROUPS({ 0x10000, 0x12000, r, 7, "/a" }, { 0x12000, 0x15000, rw, 0, "" }), "1 1");
	assert_string_equal(GROUPS({ 0x10000, 0x12000, rw, 7, "/a" }, { 0x12000, 0x15000, rw, 0, "" }), "1 1");
	assert_string_equal(GROUPS({ 0x10000, 0x12000, rw, 7, "/memfd:a (deleted)" }, { 0x12000, 0x15000, rw, 0, "" }),
	                    "1 1");
	assert_string_equal(GROUPS({ 0x10000, 0x11000, rx, 7, "/a" }, { 0x11000, 0x12000, rws, 7, "/a" },
	                           { 0x12000, 0x15000, rw, 0, "" }),
	                    "2 1");
	assert_string_equal(GROUPS({ 0x10000, 0x11000, rx, 7, "/a" }, { 0x11000, 0x12000, r, 7, "/a" },
	                           { 0x12000, 0x15000, rw, 0, "" }),
	                    "2 1");
	/* The code is another file's. */
	assert_string_equal(GROUPS({ 0x10000, 0x11000, rx, 8, "/b" }, { 0x11000, 0x12000, rw, 7, "/a" },
	                           { 0x12000, 0x15000, rw, 0, "" }),
	                    "1 1 1");
}

static void neighbours_of_one_name_or_of_none_are_one(void **state)
{
	(void)state;
	assert_string_equal(GROUPS({ 0x10000, 0x11000, none, 0, "" }, { 0x11000, 0x15000, rw, 0, "" },
	                           { 0x15000, 0x16000, rw, 0, "[anon:x]" }, { 0x16000, 0x17000, r, 0, "[anon:x]" },
	                           { 0x17000, 0x18000, r, 0, "[anon:y]" }, { 0x19000, 0x1a000, r, 0, "[anon:y]" }),
	                    "2 2 1 1");
}

static void a_stack_of_a_thread_that_has_no_name_here_is_apart_with_its_guard(void **state)
{
	(void)state;
	assert_string_equal(GROUPS({ 0x100000, 0x110000, rw, 0, "" }, { 0x110000, 0x111000, none, 0, "" },
	                           { 0x111000, 0x120000, rw, 0, "" }, { 0x120000, 0x121000, none, 0, "" },
	                           { 0x121000, 0x130000, rw, 0, "" }, { 0x130000, 0x140000, rw, 0, "" },
	                           { 0x140000, 0x150000, r, 0, "" }),
	                    "1 2 2 2");
	/* What is reserved for a heap is larger than a guard; before what is not written to there is none. */
	assert_string_equal(GROUPS({ 0x100000, 0x110000, rw, 0, "" }, { 0x110000, 0x130000, none, 0, "" },
	                           { 0x130000, 0x140000, rw, 0, "" }, { 0x140000, 0x141000, none, 0, "" },
	                           { 0x141000, 0x150000, r, 0, "" }),
	                    "5");
}

static int write_to(void *ctx, const char *bytes, size_t len)
{
	char *text = ctx;
	strncat(text, bytes, len);
	return 0;
}

static const char *bar(unsigned width, const struct bar_part *parts, size_t count)
{
	static char text[512];
	struct vmsnap_output out = { .size = sizeof(out), .write = write_to, .ctx = text, .style = { .width = width } };
	struct text to;
	out.style.size = sizeof(out.style);
	text[0] = '\0';
	assert_int_equal(text_open(&to, &out, NULL), VMSNAP_OK);
	put_bar(&to, parts, count);
	assert_int_equal(text_close(&to, NULL), VMSNAP_OK);
	return text;
}

static void a_bar_shows_each_share_and_what_is_not_known(void **state)
{
	(void)state;
	const struct bar_part parts[] = { { 30, CLASS_COPIED, false },
		                          { 0, CLASS_OTHER, false },
		                          { 50, CLASS_SHARED, false },
		                          { 20, CLASS_HOLE, false } };
	assert_string_equal(bar(10, parts, 4), "###=====??\n");
	assert_string_equal(bar(20, parts, 4), "######==========????\n");
	/* However little it is, it is seen; what is inferred is hatched. */
	const struct bar_part little[] = { { 1, CLASS_COPIED, false }, { UINT64_MAX / 2, CLASS_SHARED, true } };
	assert_string_equal(bar(10, little, 2), "#=?=?=?=?=\n");
	/* Wherever it lies its letter is seen and the sign behind it, where each part has room for both. */
	const struct bar_part between[] = { { 30, CLASS_COPIED, false },
		                            { 1, CLASS_OTHER, true },
		                            { 70, CLASS_SHARED, false } };
	assert_string_equal(bar(10, between, 3), "###~?=====\n");
	assert_string_equal(bar(14, between, 3), "####~?========\n");
	assert_string_equal(bar(5, between, 3), "##~==\n");
	const struct bar_part nothing[] = { { 0, CLASS_COPIED, false } };
	assert_string_equal(bar(10, nothing, 1), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segments_of_a_file_and_what_lies_right_behind_are_one),
		cmocka_unit_test(what_lies_behind_a_file_that_is_no_program_is_not_its_own),
		cmocka_unit_test(neighbours_of_one_name_or_of_none_are_one),
		cmocka_unit_test(a_stack_of_a_thread_that_has_no_name_here_is_apart_with_its_guard),
		cmocka_unit_test(a_bar_shows_each_share_and_what_is_not_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
