/* Names that go on to another snapshot: what is kept of the files, and what is not. */
#define _GNU_SOURCE
#include "names_make.h"

#define LIB   "/lib/libmade.so"
#define OTHER "/lib/libother.so"

static const struct lib_symbol FIRST[] = { { "first", 0x3e10, 8, STB_GLOBAL, STT_OBJECT, SEC_DATA } };
static const struct lib_symbol SECOND[] = { { "second", 0x3e10, 8, STB_GLOBAL, STT_OBJECT, SEC_DATA } };
static const struct lib A = { FIRST, 1, .id = 0xaa }, B = { SECOND, 1, .id = 0xaa }, C = { SECOND, 1, .id = 0xcc };

static struct vmsnap *mapped(uint64_t base, const char *name, uint8_t id)
{
	struct vmsnap *snap = made_snapshot();
	made_mapping(snap, base, name, id);
	return snap;
}

/* Names of `first`, then renewed for `second`; `first` is gone by then. */
static struct vmsnap_names *renewed(struct place *place, struct vmsnap *first, const struct vmsnap *second)
{
	struct vmsnap_names *names = made_names(first, place->root);
	assert_string_equal(symbol_at(names, BASE + 0x3e10), "first");
	vmsnap_unref(first);
	assert_int_equal(vmsnap_names_rebind(names, second, NULL), VMSNAP_OK);
	return names;
}

static void expect(struct vmsnap_names *names, struct vmsnap *snap, uint64_t address, const char *symbol,
                   const char *warning)
{
	if (symbol)
		assert_string_equal(symbol_at(names, address), symbol);
	else
		assert_null(symbol_at(names, address));
	assert_string_equal(vmsnap_names_warning(names), warning);
	vmsnap_names_free(names);
	vmsnap_unref(snap);
}

static void symbols_of_a_file_mapped_elsewhere_are_kept_and_moved(void **state)
{
	struct place *place = *state;
	struct vmsnap *second = mapped(BASE + 0x100000, LIB, 0xaa);
	place_lib(place, LIB, &A);
	struct vmsnap_names *names = renewed(place, mapped(BASE, LIB, 0xaa), second);
	assert_null(symbol_at(names, BASE + 0x3e10));
	expect(names, second, BASE + 0x103e10, "first", "");
}

static void deleted_file_is_known_by_its_build_id(void **state)
{
	struct place *place = *state;
	struct vmsnap *second = mapped(BASE, LIB " (deleted)", 0xaa);
	place_lib(place, LIB, &A);
	struct vmsnap *first = mapped(BASE, LIB, 0xaa);
	struct vmsnap_names *names = made_names(first, place->root);
	assert_string_equal(symbol_at(names, BASE + 0x3e10), "first");
	vmsnap_unref(first);
	unlink(place_path(place, LIB));
	assert_int_equal(vmsnap_names_rebind(names, second, NULL), VMSNAP_OK);
	expect(names, second, BASE + 0x3e10, "first", "");
}

static void file_written_anew_is_read_anew(void **state)
{
	struct place *place = *state;
	struct vmsnap *first = mapped(BASE, LIB, 0xaa), *second = mapped(BASE, LIB, 0xaa);
	place_lib(place, LIB, &A);
	struct vmsnap_names *names = made_names(first, place->root);
	assert_string_equal(symbol_at(names, BASE + 0x3e10), "first");
	place_lib(place, LIB, &B);
	assert_string_equal(symbol_at(names, BASE + 0x3e10), "first");
	vmsnap_unref(first);
	assert_int_equal(vmsnap_names_rebind(names, second, NULL), VMSNAP_OK);
	expect(names, second, BASE + 0x3e10, "second", "");
}

static bool no_more(void *ctx)
{
	size_t *left = ctx;
	return !*left || !--*left;
}

static bool count_names(void *ctx, const struct vmsnap_name *name)
{
	(void)name;
	++*(size_t *)ctx;
	return true;
}

/* At whichever question: what was left unread is read when it is asked for again. */
static void what_was_not_wanted_any_more_is_read_later(void **state)
{
	struct place *place = *state;
	place_lib(place, LIB, &A);
	size_t questions = 1;
	for (int rc = VMSNAP_ERR_CANCELLED; rc; questions++) {
		size_t left = questions, found = 0;
		struct vmsnap_error err = { 0 };
		struct vmsnap_name name;
		struct vmsnap *snap = mapped(BASE, LIB, 0xaa);
		struct vmsnap_names *names = made_names(snap, place->root);
		vmsnap_names_set_cancelled(names, no_more, &left);
		rc = vmsnap_names_in(names, BASE, BASE + 0x10000, count_names, &found, &err);
		if (rc) {
			assert_int_equal(rc, VMSNAP_ERR_CANCELLED);
			assert_string_equal(err.message, "cancelled");
			assert_int_equal(vmsnap_name_at(names, BASE + 0x3e10, &name), rc);
		}
		vmsnap_names_set_cancelled(names, NULL, NULL);
		expect(names, snap, BASE + 0x3e10, "first", "");
	}
	assert_true(questions > 3);
}

static void file_with_another_build_id_is_another_file(void **state)
{
	struct place *place = *state;
	struct vmsnap *second = mapped(BASE, LIB, 0xcc);
	place_lib(place, LIB, &A);
	struct vmsnap_names *names = renewed(place, mapped(BASE, LIB, 0xaa), second);
	place_lib(place, LIB, &C);
	expect(names, second, BASE + 0x3e10, "second", "");
}

/* Without a build ID a file must still be the one that was mapped. */
static void file_without_build_id_is_judged_for_each_snapshot(void **state)
{
	struct place *place = *state;
	struct lib lib = { FIRST, 1, .id = 0 };
	struct stat st;
	struct vmsnap *snaps[2];
	place_lib(place, LIB, &lib);
	assert_int_equal(stat(place_path(place, LIB), &st), 0);
	for (int i = 0; i < 2; i++) {
		static char boot[64];
		FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");
		assert_non_null(file);
		assert_non_null(fgets(boot, sizeof(boot), file));
		fclose(file);
		boot[strcspn(boot, "\n")] = '\0';
		snaps[i] = mapped(BASE, LIB, 0);
		snaps[i]->info.boot_id = boot;
		snaps[i]->info.tgid = 0;
		for (size_t k = 0; k < 2; k++) {
			snaps[i]->vmas[k].inode = st.st_ino;
			snaps[i]->vmas[k].dev_major = major(st.st_dev);
			snaps[i]->vmas[k].dev_minor = minor(st.st_dev);
		}
	}
	struct vmsnap_names *names = renewed(place, snaps[0], snaps[1]);
	assert_string_equal(symbol_at(names, BASE + 0x3e10), "first");
	snaps[1]->info.taken = INT64_C(1000000000) * (st.st_ctim.tv_sec - 10); /* now before the file was changed */
	assert_int_equal(vmsnap_names_rebind(names, snaps[1], NULL), VMSNAP_OK);
	expect(names, snaps[1], BASE + 0x3e10, "",
	       LIB ": not the file that was mapped (changed since); its names are left out");
}

static void file_that_was_missing_is_looked_for_again(void **state)
{
	struct place *place = *state;
	struct vmsnap *first = mapped(BASE, LIB, 0xaa), *second = mapped(BASE, LIB, 0xaa);
	struct vmsnap_names *names = made_names(first, place->root);
	assert_string_equal(symbol_at(names, BASE + 0x3e10), "");
	assert_string_not_equal(vmsnap_names_warning(names), "");
	place_lib(place, LIB, &A);
	assert_int_equal(vmsnap_names_rebind(names, second, NULL), VMSNAP_OK);
	vmsnap_unref(first);
	expect(names, second, BASE + 0x3e10, "first", "");
}

static void what_was_not_asked_for_in_between_is_kept(void **state)
{
	struct place *place = *state;
	struct vmsnap *second = mapped(BASE, LIB, 0xaa), *third = mapped(BASE, LIB " (deleted)", 0xaa);
	place_lib(place, LIB, &A);
	struct vmsnap_names *names = renewed(place, mapped(BASE, LIB, 0xaa), second);
	unlink(place_path(place, LIB));
	assert_int_equal(vmsnap_names_rebind(names, third, NULL), VMSNAP_OK);
	vmsnap_unref(second);
	expect(names, third, BASE + 0x3e10, "first", "");
}

static void refused_snapshot_leaves_the_names_as_they_were(void **state)
{
	struct place *place = *state;
	struct vmsnap *first = mapped(BASE, LIB, 0xaa), *bad = mapped(BASE, LIB, 0xaa);
	struct vmsnap_error err = { 0 };
	bad->info.page_size = 3;
	place_lib(place, LIB, &A);
	place_lib(place, OTHER, &C);
	struct vmsnap_names *names = made_names(first, place->root);
	assert_int_equal(vmsnap_names_rebind(names, bad, &err), VMSNAP_ERR_ARGUMENT);
	assert_string_not_equal(err.message, "");
	vmsnap_unref(bad);
	expect(names, first, BASE + 0x3e10, "first", "");
}

#define T(name) cmocka_unit_test_setup_teardown(name, place_setup, place_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(symbols_of_a_file_mapped_elsewhere_are_kept_and_moved),
		T(deleted_file_is_known_by_its_build_id),
		T(file_written_anew_is_read_anew),
		T(what_was_not_wanted_any_more_is_read_later),
		T(file_with_another_build_id_is_another_file),
		T(file_without_build_id_is_judged_for_each_snapshot),
		T(file_that_was_missing_is_looked_for_again),
		T(what_was_not_asked_for_in_between_is_kept),
		T(refused_snapshot_leaves_the_names_as_they_were),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
