/* What a debugger adds to a snapshot: names in order, and back from a file. */
#include "test_file_sample.h"

#include "annotate.h"
#include "section.h"

static void add(struct vmsnap *snap, const struct vmsnap_annotation *names, size_t count)
{
	struct vmsnap_error err = { 0 };
	if (test_annotate(snap, names, count, &err))
		fail_msg("%s", err.message);
}

/* ---- adding --------------------------------------------------------------------- */

static void names_stand_in_order_of_address_kind_thread_and_frame(void **state)
{
	(void)state;
	struct vmsnap *snap = sample_empty(4096, "");
	/* The symbol says where each belongs. */
	const struct vmsnap_annotation first[] = {
		{ .address = 32, .kind = 1, .tid = 2, .frame = 1, .symbol = "7" },
		{ .address = 32, .kind = 0, .tid = 9, .frame = 9, .symbol = "3" },
		{ .address = 16, .kind = 4, .tid = 9, .frame = 9, .symbol = "1" },
		{ .address = 32, .kind = 1, .tid = 2, .frame = 0, .symbol = "6" },
	};
	const struct vmsnap_annotation second[] = {
		{ .address = 32, .kind = 1, .tid = 1, .frame = 7, .symbol = "5" },
		{ .address = 31, .kind = 2, .symbol = "2" },
		{ .address = 32, .kind = 1, .tid = 1, .frame = 3, .symbol = "4" },
		{ .address = UINT64_MAX, .symbol = "8" },
	};
	add(snap, first, 4);
	add(snap, NULL, 0);
	add(snap, second, 4);
	assert_int_equal(vmsnap_annotation_count(snap), 8);
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(vmsnap_annotation(snap, i)->symbol[0], '1' + (char)i);
	assert_null(vmsnap_annotation(snap, 8));
	assert_null(vmsnap_annotation(snap, SIZE_MAX));
	vmsnap_unref(snap);
}

static void strings_are_copied_once_and_null_is_empty(void **state)
{
	(void)state;
	struct vmsnap *snap = sample_empty(4096, "");
	char function[] = "copy", again[] = "copy", symbol[] = "i";
	const struct vmsnap_annotation names[] = {
		{ .address = 1, .size = 1, .function = function, .symbol = symbol },
		{ .address = 2, .size = 1, .function = again, .symbol = NULL, .type = "" },
	};
	add(snap, names, 2);
	memset(function, 'x', 4);
	memset(again, 'x', 4);
	symbol[0] = 'x';
	const struct vmsnap_annotation *one = vmsnap_annotation(snap, 0), *two = vmsnap_annotation(snap, 1);
	assert_string_equal(one->function, "copy");
	assert_ptr_equal(one->function, two->function);
	assert_string_equal(one->symbol, "i");
	assert_string_equal(one->type, "");
	assert_string_equal(two->symbol, "");
	assert_string_equal(two->type, "");
	vmsnap_unref(snap);
}

static void assert_refused(struct vmsnap *snap, struct vmsnap_annotation bad, const char *what)
{
	const struct vmsnap_annotation names[] = { { .address = 1, .symbol = "good" }, bad };
	struct vmsnap_error err = { 0 };
	assert_int_equal(test_annotate(snap, names, 2, &err), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(err.code, VMSNAP_ERR_ARGUMENT);
	if (!strstr(err.message, what) || !strstr(err.message, "name 2 of 2"))
		fail_msg("%s", err.message);
	assert_int_equal(test_annotate(snap, names, 2, NULL), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_annotation_count(snap), 1);
}

static void names_that_cannot_be_are_refused_and_change_nothing(void **state)
{
	(void)state;
	struct vmsnap *snap = sample_empty(4096, "");
	/* As far as a name may reach. */
	add(snap, &(struct vmsnap_annotation){ .address = 1, .size = UINT64_MAX - 1 }, 1);
	assert_refused(snap, (struct vmsnap_annotation){ .address = 1, .size = UINT64_MAX }, "highest address");
	assert_refused(snap, (struct vmsnap_annotation){ .address = UINT64_MAX, .size = 1 }, "highest address");
	assert_refused(snap, (struct vmsnap_annotation){ .kind = VMSNAP_ANNOTATION_KIND_COUNT }, "kind 5");
	assert_refused(snap, (struct vmsnap_annotation){ .kind = UINT32_MAX }, "kind 4294967295");
	vmsnap_unref(snap);
}

static const char *const words[] = {
	"", "a", "main", "int", "struct node *", "\x1b[2J", "\xff\xfe", "f<T>::g(\"\\\")"
};
static const char *any_word(void)
{
	return words[sample_random(sizeof(words) / sizeof(words[0]))];
}

static void add_random(struct vmsnap *snap, size_t count)
{
	struct vmsnap_annotation *names = calloc(count, sizeof(*names));
	char(*symbols)[32] = calloc(count, sizeof(*symbols));
	assert_true(names && symbols);
	for (size_t i = 0; i < count; i++) {
		uint64_t address = sample_random(3) ? sample_random(64) : sample_random(UINT64_MAX - 1);
		snprintf(symbols[i], sizeof(symbols[i]), "%s_%d", any_word(), (int)sample_random(5000));
		names[i] =
		        (struct vmsnap_annotation){ .address = address,
			                            .size = sample_random(UINT64_MAX - address),
			                            .kind = (uint32_t)sample_random(VMSNAP_ANNOTATION_KIND_COUNT),
			                            .tid = (uint32_t)sample_random(UINT64_C(1) << sample_random(33)),
			                            .frame = (uint32_t)sample_random(UINT64_C(1) << sample_random(33)),
			                            .function = any_word(),
			                            .symbol = symbols[i],
			                            .type = any_word() };
	}
	add(snap, names, count);
	free(names);
	free(symbols);
}

/* ---- in a file ------------------------------------------------------------------ */

static void names_come_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < 40; i++) {
		struct vmsnap *snap = i ? sample_empty(4096, "names") : sample_small("names");
		size_t len;
		if (i)
			add_random(snap, 1 + sample_random(400));
		else
			sample_add_names(snap);
		uint8_t *bytes = sample_bytes(&snap, 1, &len);
		struct vmsnap *back = sample_load(bytes, len, 0);
		assert_same(snap, back);
		vmsnap_unref(back);
		vmsnap_unref(snap);
		free(bytes);
	}
}

/* The flags of each NAME section, found by walking over the headers; -1 for none. */
static int flags_of_names(const uint8_t *bytes, size_t len)
{
	int flags = -1;
	struct section section;
	for (size_t at = STREAM_HEADER_BYTES; at < len; at += SECTION_HEADER_BYTES + section.stored) {
		assert_true(section_read(bytes + at, &section));
		if (section.type == SECTION_TYPE('N', 'A', 'M', 'E'))
			flags = section.flags;
	}
	return flags;
}

static void names_are_no_required_section_and_none_is_written_without_them(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct vmsnap *snap = sample_small("");
		size_t len;
		if (i)
			sample_add_names(snap);
		uint8_t *bytes = sample_bytes(&snap, 1, &len);
		int flags = flags_of_names(bytes, len);
		if (i)
			assert_int_equal(flags & SECTION_REQUIRED, 0);
		else
			assert_int_equal(flags, -1);
		vmsnap_unref(snap);
		free(bytes);
	}
}

static void names_are_appended_and_peeking_needs_none(void **state)
{
	(void)state;
	char folder[] = "/tmp/vmsnap-names-XXXXXX", path[64];
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/a.vms", folder);
	struct vmsnap *snaps[] = { sample_small("one"), sample_small("two") };
	struct vmsnap_error err = { 0 };
	struct vmsnap_file *file;
	sample_add_names(snaps[0]);
	add_random(snaps[1], 50);
	for (int i = 0; i < 2; i++)
		assert_int_equal(
		        vmsnap_save(path, (const struct vmsnap *const *)&snaps[i], 1, VMSNAP_SAVE_APPEND, &err),
		        VMSNAP_OK);
	assert_int_equal(vmsnap_file_open(path, NULL, &file, &err), VMSNAP_OK);
	assert_int_equal(vmsnap_file_count(file), 2);
	for (size_t i = 0; i < 2; i++) {
		struct vmsnap *back;
		assert_int_equal(vmsnap_file_load(file, i, &back, &err), VMSNAP_OK);
		assert_same(snaps[i], back);
		vmsnap_unref(back);
		assert_int_equal(vmsnap_file_peek(file, i, &back, &err), VMSNAP_OK);
		assert_string_equal(vmsnap_info(back)->reason, "breakpoint 2, copy () at cat.c:17");
		vmsnap_unref(back);
		vmsnap_unref(snaps[i]);
	}
	vmsnap_file_close(file);
	unlink(path);
	assert_int_equal(rmdir(folder), 0);
}

static void names_count_against_the_memory_limit(void **state)
{
	(void)state;
	struct vmsnap *snap = sample_empty(4096, ""), *back;
	struct vmsnap_error err = { 0 };
	struct vmsnap_file *file;
	size_t len;
	add_random(snap, 20000);
	uint8_t *bytes = sample_bytes(&snap, 1, &len);
	uint64_t needed = 20000 * sizeof(struct vmsnap_annotation);
	for (int i = 0; i < 2; i++) {
		/* Strings and the inflated section come on top. */
		struct vmsnap_limits limits = { .size = sizeof(limits), .memory = needed * (i ? 3 : 1) };
		assert_int_equal(vmsnap_file_open_memory(bytes, len, &limits, &file, &err), VMSNAP_OK);
		int rc = vmsnap_file_load(file, 0, &back, &err);
		assert_int_equal(rc, i ? VMSNAP_OK : VMSNAP_ERR_TOO_LARGE);
		if (!rc)
			vmsnap_unref(back);
		vmsnap_file_close(file);
	}
	vmsnap_unref(snap);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_stand_in_order_of_address_kind_thread_and_frame),
		cmocka_unit_test(strings_are_copied_once_and_null_is_empty),
		cmocka_unit_test(names_that_cannot_be_are_refused_and_change_nothing),
		cmocka_unit_test(names_come_back),
		cmocka_unit_test(names_are_no_required_section_and_none_is_written_without_them),
		cmocka_unit_test(names_are_appended_and_peeking_needs_none),
		cmocka_unit_test(names_count_against_the_memory_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
