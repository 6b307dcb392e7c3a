/* Structures of older and newer programs: one rule for all that have a size. */
#include "test_file_sample.h"

#include "options.h"

struct known {
	size_t size;
	uint64_t first;
	const char *last;
};

struct newer {
	struct known known;
	uint64_t unknown[4];
};

static int take(struct known *to, const void *from)
{
	struct vmsnap_error err = { 0 };
	memset(to, 0xff, sizeof(*to));
	int rc = options_take(to, sizeof(*to), from, "struct known", &err);
	assert_int_equal(rc, err.code);
	if (rc && !strstr(err.message, "struct known"))
		fail_msg("%s", err.message);
	return rc;
}

static void none_are_all_zero(void **state)
{
	struct known to;
	(void)state;
	assert_int_equal(take(&to, NULL), VMSNAP_OK);
	assert_int_equal(to.size, sizeof(to));
	assert_int_equal(to.first, 0);
	assert_null(to.last);
}

static void shorter_ones_end_in_zeros(void **state)
{
	struct known to, from = { .first = 7, .last = "7" };
	(void)state;
	from.size = sizeof(from);
	assert_int_equal(take(&to, &from), VMSNAP_OK);
	assert_string_equal(to.last, "7");
	from.size = offsetof(struct known, last);
	assert_int_equal(take(&to, &from), VMSNAP_OK);
	assert_int_equal(to.size, sizeof(to));
	assert_int_equal(to.first, 7);
	assert_null(to.last);
	from.size = sizeof(from.size);
	assert_int_equal(take(&to, &from), VMSNAP_OK);
	assert_int_equal(to.first, 0);
}

static void longer_ones_are_zero_beyond(void **state)
{
	struct newer from = { .known = { .size = sizeof(from), .first = 7 } };
	struct known to;
	(void)state;
	assert_int_equal(take(&to, &from), VMSNAP_OK);
	assert_int_equal(to.size, sizeof(to));
	assert_int_equal(to.first, 7);
	from.unknown[3] = 1;
	assert_int_equal(take(&to, &from), VMSNAP_ERR_ARGUMENT);
	from.known.size -= sizeof(*from.unknown);
	assert_int_equal(take(&to, &from), VMSNAP_OK);
}

static void what_is_no_size_is_refused(void **state)
{
	static const size_t sizes[] = { 0, 1, sizeof(size_t) - 1, sizeof(struct known) - 1, 1 << 20, SIZE_MAX };
	struct known to, from = { 0 };
	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		from.size = sizes[i];
		assert_int_equal(take(&to, &from), VMSNAP_ERR_ARGUMENT);
	}
}

/* ---- those of the library ---- */

static int save_to_nothing(const void *options, struct vmsnap_error *err)
{
	return vmsnap_save_with("/dev/null", NULL, 0, options, err);
}

static int open_nothing(const void *limits, struct vmsnap_error *err)
{
	struct vmsnap_file *file;
	int rc = vmsnap_file_open_memory("", 0, limits, &file, err);
	if (rc == VMSNAP_OK)
		vmsnap_file_close(file);
	return rc == VMSNAP_ERR_ARGUMENT ? rc : VMSNAP_OK;
}

static int compare_nothing(const void *options, struct vmsnap_error *err)
{
	struct vmsnap *snap = sample_small("");
	struct vmsnap_diff *diff;
	int rc = vmsnap_diff_new_with(snap, snap, options, &diff, err);
	if (!rc)
		vmsnap_diff_free(diff);
	vmsnap_unref(snap);
	return rc;
}

static int capture_self(const void *options, struct vmsnap_error *err)
{
	struct vmsnap *snap;
	int rc = vmsnap_capture(getpid(), options, &snap, err);
	if (!rc)
		vmsnap_unref(snap);
	return rc;
}

static int write_nothing(void *ctx, const char *text, size_t len)
{
	(void)ctx, (void)text, (void)len;
	return 0;
}

static int print_nothing(const void *out, struct vmsnap_error *err)
{
	return vmsnap_print_escaped("", 0, out, err);
}

static void all_of_the_library_s_are_read_so(void **state)
{
	static const struct {
		int (*fn)(const void *options, struct vmsnap_error *err);
		size_t size, shorter;
	} cases[] = {
		{ save_to_nothing, sizeof(struct vmsnap_save_options),
		  offsetof(struct vmsnap_save_options, cancelled) },
		{ open_nothing, sizeof(struct vmsnap_limits), offsetof(struct vmsnap_limits, cancelled) },
		{ compare_nothing, sizeof(struct vmsnap_compare_options), sizeof(size_t) },
		{ capture_self, sizeof(struct vmsnap_capture_options), offsetof(struct vmsnap_capture_options, label) },
		{ print_nothing, sizeof(struct vmsnap_output), offsetof(struct vmsnap_output, cancelled) },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		union {
			size_t size;
			struct vmsnap_output out;
			unsigned char bytes[sizeof(struct vmsnap_output) + 64];
		} given = { 0 };
		struct vmsnap_error err = { 0 };
		if (cases[i].fn == print_nothing) {
			given.out.write = write_nothing;
			given.out.style.size = sizeof(given.out.style);
		}
		const size_t good[] = { cases[i].size, cases[i].shorter, cases[i].size + 16 };
		const size_t bad[] = { 0, cases[i].size - 1, SIZE_MAX };
		for (size_t j = 0; j < 3; j++) {
			given.size = good[j];
			if (cases[i].fn(&given, &err))
				fail_msg("%zu, %zu bytes: %s", i, good[j], err.message);
			given.size = bad[j];
			assert_int_equal(cases[i].fn(&given, &err), VMSNAP_ERR_ARGUMENT);
		}
		given.size = cases[i].size + 16;
		given.bytes[cases[i].size + 15] = 1;
		assert_int_equal(cases[i].fn(&given, &err), VMSNAP_ERR_ARGUMENT);
	}
}

static void a_style_of_another_version_lies_within_an_output(void **state)
{
	struct newer {
		size_t size;
		struct vmsnap_style style;
		uint64_t unknown; /* of the style */
		vmsnap_write_fn write;
		void *ctx;
	} newer = { .size = sizeof(newer), .style.size = sizeof(newer.style) + 8, .write = write_nothing };
	struct older {
		size_t size;
		size_t style_size;
		int color;
		unsigned width;
		vmsnap_write_fn write;
		void *ctx;
	} older = { .size = sizeof(older), .style_size = 16, .write = write_nothing };
	struct vmsnap_error err;
	(void)state;
	assert_int_equal(print_nothing(&newer, &err), VMSNAP_OK);
	newer.unknown = 1;
	assert_int_equal(print_nothing(&newer, &err), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(print_nothing(&older, &err), VMSNAP_OK);
	older.style_size = 0;
	assert_int_equal(print_nothing(&older, &err), VMSNAP_ERR_ARGUMENT);
	older.style_size = sizeof(older);
	assert_int_equal(print_nothing(&older, &err), VMSNAP_ERR_ARGUMENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(none_are_all_zero),
		cmocka_unit_test(shorter_ones_end_in_zeros),
		cmocka_unit_test(longer_ones_are_zero_beyond),
		cmocka_unit_test(what_is_no_size_is_refused),
		cmocka_unit_test(all_of_the_library_s_are_read_so),
		cmocka_unit_test(a_style_of_another_version_lies_within_an_output),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
