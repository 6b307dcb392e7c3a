/* Which files are believed, and what hostile ones can do. */
#define _GNU_SOURCE
#include "names_make.h"

#include <zlib.h>

#define LIB "/lib/libmade.so"

static const struct lib_symbol SYMBOLS[] = {
	{ "work", 0x500, 0x100, STB_GLOBAL, STT_FUNC, SEC_TEXT },
	{ "answer", 0x3e10, 8, STB_GLOBAL, STT_OBJECT, SEC_DATA },
	{ "big", 0x4800, 0x3000, STB_LOCAL, STT_OBJECT, SEC_BSS },
};
static const struct lib_symbol DYNAMIC[] = { { "other", 0x3e10, 8, STB_GLOBAL, STT_OBJECT, SEC_DATA } };
enum { ANSWER = BASE + 0x3e10 };

static struct lib made(uint8_t id)
{
	return (struct lib){ SYMBOLS, sizeof(SYMBOLS) / sizeof(*SYMBOLS), .id = id };
}

/* What ANSWER is called if `name` with build ID `id` was mapped, and the warnings. */
static void expect_answer(struct place *place, const struct vmsnap *snap, const char *symbol, const char *warning)
{
	struct vmsnap_names *names = made_names(snap, place->root);
	assert_string_equal(symbol_at(names, ANSWER), symbol);
	assert_string_equal(symbol_at(names, ANSWER), symbol); /* and no second warning */
	assert_string_equal(vmsnap_names_warning(names), warning);
	vmsnap_names_free(names);
}

static void expect_mapped(struct place *place, const char *name, uint8_t id, const char *symbol, const char *warning)
{
	struct vmsnap *snap = made_snapshot();
	made_mapping(snap, BASE, name, id);
	expect_answer(place, snap, symbol, warning);
	vmsnap_unref(snap);
}

static void file_with_the_build_id_is_believed(void **state)
{
	struct lib lib = made(0x11);
	place_lib(*state, LIB, &lib);
	expect_mapped(*state, LIB, 0x11, "answer", "");
}

static void file_with_another_build_id_is_not_believed(void **state)
{
	struct lib lib = made(0x22);
	place_lib(*state, LIB, &lib);
	expect_mapped(*state, LIB, 0x11, "",
	              LIB ": not the file that was mapped (build ID differs); its names are left out");
}

static void file_that_lost_its_build_id_is_not_believed(void **state)
{
	struct lib lib = made(0);
	place_lib(*state, LIB, &lib);
	expect_mapped(*state, LIB, 0x11, "",
	              LIB ": not the file that was mapped (it has no build ID); its names are left out");
}

static void missing_file_is_told_once(void **state)
{
	expect_mapped(*state, LIB, 0x11, "", LIB ": the file is not there; its names are left out");
}

static void missing_data_file_is_not_worth_a_word(void **state)
{
	struct place *place = *state;
	struct vmsnap *snap = made_snapshot();
	made_file_vma(snap, BASE + 0x3000, BASE + 0x5000, VMSNAP_PERM_READ, "/data/table (deleted)", 0, 0);
	expect_answer(place, snap, "", "");
	vmsnap_unref(snap);
}

static void each_file_has_its_line_of_warning(void **state)
{
	struct place *place = *state;
	struct vmsnap *snap = made_snapshot();
	made_mapping(snap, BASE, "/a\nb: fine", 0x11);
	made_mapping(snap, BASE + 0x100000, LIB, 0x22);
	struct vmsnap_names *names = made_names(snap, place->root);
	assert_string_equal(symbol_at(names, ANSWER), "");
	assert_string_equal(symbol_at(names, ANSWER + 0x100000), "");
	assert_string_equal(vmsnap_names_warning(names),
	                    "/a?b: fine: the file is not there; its names are left out\n" LIB
	                    ": the file is not there; its names are left out");
	vmsnap_names_free(names);
	vmsnap_unref(snap);
}

static void deleted_file_is_looked_for_under_both_names(void **state)
{
	struct lib lib = made(0x11);
	place_lib(*state, LIB, &lib);
	expect_mapped(*state, LIB " (deleted)", 0x11, "answer", "");
	expect_mapped(*state, LIB " (deleted)", 0x22, "",
	              LIB " (deleted): not the file that was mapped (build ID differs); its names are left out");
	struct lib other = { DYNAMIC, 1, .id = 0x22 };
	place_lib(*state, LIB " (deleted)", &other); /* a file that is really named so */
	expect_mapped(*state, LIB " (deleted)", 0x22, "other", "");
	expect_mapped(*state, LIB " (deleted)", 0x11, "answer", "");
}

/* ---- without a build ID ------------------------------------------------------ */

static struct vmsnap *snapshot_by_inode(struct place *place, const char *name)
{
	struct stat st;
	struct vmsnap *snap = made_snapshot();
	static char host[256];
	assert_int_equal(gethostname(host, sizeof(host)), 0);
	assert_int_equal(stat(place_path(place, name), &st), 0);
	snap->info.host = host;
	made_mapping(snap, BASE, name, 0);
	for (size_t i = 0; i < 2; i++) {
		snap->vmas[i].inode = st.st_ino;
		snap->vmas[i].dev_major = major(st.st_dev);
		snap->vmas[i].dev_minor = minor(st.st_dev);
	}
	return snap;
}

static void file_without_build_id_is_believed_by_its_inode(void **state)
{
	struct place *place = *state;
	struct lib lib = made(0);
	place_lib(place, LIB, &lib);
	struct vmsnap *snap = snapshot_by_inode(place, LIB);
	expect_answer(place, snap, "answer", "");
	snap->vmas[0].inode++;
	snap->vmas[1].inode++;
	expect_answer(place, snap, "", LIB ": not the file that was mapped (another inode); its names are left out");
	snap->vmas[0].inode--;
	snap->vmas[1].inode--;
	snap->vmas[0].dev_minor++;
	snap->vmas[1].dev_minor++;
	expect_answer(place, snap, "", LIB ": not the file that was mapped (another inode); its names are left out");
	vmsnap_unref(snap);
}

static void file_changed_after_the_snapshot_is_not_believed(void **state)
{
	struct place *place = *state;
	struct lib lib = made(0);
	place_lib(place, LIB, &lib);
	struct vmsnap *snap = snapshot_by_inode(place, LIB);
	snap->info.taken -= INT64_C(3600000000000);
	expect_answer(place, snap, "", LIB ": not the file that was mapped (changed since); its names are left out");
	vmsnap_unref(snap);
}

static void inode_of_another_machine_proves_nothing(void **state)
{
	struct place *place = *state;
	struct lib lib = made(0);
	place_lib(place, LIB, &lib);
	struct vmsnap *snap = snapshot_by_inode(place, LIB);
	snap->info.host = "elsewhere";
	struct vmsnap_names *names = made_names(snap, place->root);
	assert_string_equal(symbol_at(names, ANSWER), "");
	assert_non_null(strstr(vmsnap_names_warning(names), "another machine"));
	vmsnap_names_free(names);
	vmsnap_unref(snap);
}

/* ---- separate debug files -------------------------------------------------------- */

static uint32_t crc_of(const struct lib *lib)
{
	static uint8_t bytes[LIB_BYTES];
	lib_make(bytes, lib);
	return (uint32_t)crc32(0, bytes, sizeof(bytes));
}

static void debug_file_is_found_by_build_id_below_the_sysroot(void **state)
{
	struct lib stripped = { .stripped = true, .id = 0x11 }, debug = made(0x11);
	place_lib(*state, LIB, &stripped);
	expect_mapped(*state, LIB, 0x11, "", "");
	place_lib(*state, "/usr/lib/debug/.build-id/11/11111111111111111111111111111111111111.debug", &debug);
	expect_mapped(*state, LIB, 0x11, "answer", "");
}

static void debug_file_with_another_build_id_is_passed_over(void **state)
{
	struct lib stripped = { .stripped = true, .id = 0x11, .link = "made.debug" }, debug = made(0x22);
	stripped.link_crc = crc_of(&debug);
	place_lib(*state, LIB, &stripped);
	place_lib(*state, "/usr/lib/debug/.build-id/11/11111111111111111111111111111111111111.debug", &debug);
	place_lib(*state, "/lib/made.debug", &debug);
	expect_mapped(*state, LIB, 0x11, "", "");
}

static void debug_link_is_followed_to_its_three_folders(void **state)
{
	static const char *const places[] = { "/lib/made.debug", "/lib/.debug/made.debug",
		                              "/usr/lib/debug/lib/made.debug" };
	struct place *place = *state;
	struct lib debug = made(0), stripped = { .stripped = true, .id = 0x11, .link = "made.debug" };
	stripped.link_crc = crc_of(&debug);
	place_lib(place, LIB, &stripped);
	for (size_t i = 0; i < 3; i++) {
		place_lib(place, places[i], &debug);
		expect_mapped(place, LIB, 0x11, "answer", "");
		assert_int_equal(unlink(place_path(place, places[i])), 0);
		expect_mapped(place, LIB, 0x11, "", "");
	}
}

static void debug_link_with_a_wrong_checksum_is_not_believed(void **state)
{
	struct lib debug = made(0), stripped = { .stripped = true, .id = 0x11, .link = "made.debug" };
	stripped.link_crc = crc_of(&debug) + 1;
	place_lib(*state, LIB, &stripped);
	place_lib(*state, "/lib/made.debug", &debug);
	expect_mapped(*state, LIB, 0x11, "", "");
}

static void debug_link_does_not_leave_its_folder(void **state)
{
	struct lib debug = made(0), stripped = { .stripped = true, .id = 0x11, .link = "../made.debug" };
	stripped.link_crc = crc_of(&debug);
	place_lib(*state, LIB, &stripped);
	place_lib(*state, "/made.debug", &debug);
	expect_mapped(*state, LIB, 0x11, "", "");
}

static void file_that_links_to_itself_is_harmless(void **state)
{
	struct lib stripped = { .stripped = true, .id = 0x11, .link = "libmade.so" };
	place_lib(*state, LIB, &stripped);
	expect_mapped(*state, LIB, 0x11, "", "");
}

/* ---- hostile names and files ------------------------------------------------------- */

static void fifo_device_and_folder_are_not_opened(void **state)
{
	struct place *place = *state;
	const char *why = ": not a regular file; its names are left out";
	char expected[128];
	assert_int_equal(mkfifo(place_path(place, "/fifo"), 0600), 0);
	assert_int_equal(mkdir(place_path(place, "/folder"), 0700), 0);
	assert_int_equal(symlink("fifo", place_path(place, "/link")), 0);
	static const char *const names[] = { "/fifo", "/folder", "/link" };
	for (size_t i = 0; i < 3; i++) {
		snprintf(expected, sizeof(expected), "%s%s", names[i], why);
		expect_mapped(place, names[i], 0x11, "", expected);
	}
	struct vmsnap *snap = made_snapshot();
	made_mapping(snap, BASE, "/dev/zero", 0x11);
	struct vmsnap_names *here = made_names(snap, NULL);
	assert_string_equal(symbol_at(here, ANSWER), "");
	assert_string_equal(vmsnap_names_warning(here), "/dev/zero: not a regular file; its names are left out");
	vmsnap_names_free(here);
	vmsnap_unref(snap);
}

static void names_do_not_lead_out_of_the_sysroot(void **state)
{
	struct place *place = *state, inner = *place;
	struct lib lib = made(0x11);
	place_lib(place, "/outside/lib.so", &lib);
	place_path(place, "/root/x");
	snprintf(inner.root, sizeof(inner.root), "%.50s/root", place->root);
	char target[600];
	snprintf(target, sizeof(target), "%s/outside/lib.so", place->root);
	assert_int_equal(symlink(target, place_path(&inner, "/link")), 0);
	assert_int_equal(symlink("../outside/lib.so", place_path(&inner, "/relative")), 0);
	expect_mapped(&inner, "/link", 0x11, "", "/link: the file is not there; its names are left out");
	expect_mapped(&inner, "/relative", 0x11, "", "/relative: the file is not there; its names are left out");
	expect_mapped(&inner, "/../outside/lib.so", 0x11, "",
	              "/../outside/lib.so: the file is not there; its names are left out");
	place_lib(&inner, "/lib/real.so", &lib);
	assert_int_equal(symlink("/lib/real.so", place_path(&inner, "/inside")), 0);
	expect_mapped(&inner, "/inside", 0x11, "answer", "");
}

static void missing_sysroot_is_an_error(void **state)
{
	(void)state;
	struct vmsnap *snap = made_snapshot();
	struct vmsnap_names *names = NULL;
	struct vmsnap_error err;
	assert_int_equal(vmsnap_names_new(snap, "/no/such/folder", &names, &err), VMSNAP_ERR_SYSTEM);
	assert_non_null(strstr(err.message, "/no/such/folder"));
	assert_null(names);
	vmsnap_unref(snap);
}

static bool count_names(void *ctx, const struct vmsnap_name *name)
{
	*(size_t *)ctx += strlen(name->symbol);
	return true;
}

/* Reads all there is; what comes out does not matter, only that we come back. */
static void read_all(struct place *place, const struct vmsnap *snap)
{
	struct vmsnap_names *names = made_names(snap, place->root);
	struct vmsnap_segment segment;
	size_t total = 0;
	assert_int_equal(vmsnap_names_in(names, 0, UINT64_MAX, count_names, &total, NULL), VMSNAP_OK);
	for (uint64_t at = BASE; at < BASE + LIB_END; at += 0x123) {
		symbol_at(names, at);
		vmsnap_segment_at(names, at, &segment);
	}
	vmsnap_names_free(names);
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* A byte, or a word that often means trouble. */
static void damage(uint8_t *bytes, uint32_t *seed)
{
	static const uint64_t words[] = { 0, 1, 0x7fffffff, UINT32_MAX, INT64_MAX, UINT64_MAX, 0x1000, LIB_BYTES };
	static const struct {
		uint32_t start, len;
	} headers[] = { { 0, 232 }, { SECTIONS_AT, SEC_COUNT * 64 }, { SYMBOLS_AT, 120 }, { STRINGS_AT, 64 } };
	uint32_t where = next_random(seed) % 4;
	uint32_t at = headers[where].start + next_random(seed) % headers[where].len;
	if (next_random(seed) % 2)
		bytes[at] = (uint8_t)next_random(seed);
	else
		memcpy(bytes + at / 8 * 8, &words[next_random(seed) % 8], 8);
}

static void damaged_files_do_no_harm(void **state)
{
	struct place *place = *state;
	static uint8_t good[LIB_BYTES], bad[LIB_BYTES];
	struct lib lib = made(0x11);
	struct vmsnap *snap = made_snapshot();
	uint32_t seed = 1;
	lib_make(good, &lib);
	made_mapping(snap, BASE, LIB, 0x11);
	for (int i = 0; i < 3000; i++) {
		memcpy(bad, good, sizeof(bad));
		for (uint32_t hits = 1 + next_random(&seed) % 3; hits; hits--)
			damage(bad, &seed);
		memcpy(bad + NOTE_AT, good + NOTE_AT, 36);
		place_write(place, LIB, bad, sizeof(bad));
		read_all(place, snap);
	}
	vmsnap_unref(snap);
}

static void truncated_files_do_no_harm(void **state)
{
	struct place *place = *state;
	static uint8_t good[LIB_BYTES];
	struct lib lib = made(0x11);
	struct vmsnap *snap = made_snapshot();
	lib_make(good, &lib);
	made_mapping(snap, BASE, LIB, 0x11);
	for (size_t len = 0; len < LIB_BYTES; len += 97) {
		place_write(place, LIB, good, len);
		read_all(place, snap);
	}
	vmsnap_unref(snap);
}

static void damaged_symbol_table_is_told(void **state)
{
	struct place *place = *state;
	static uint8_t bytes[LIB_BYTES];
	struct lib lib = made(0x11);
	uint64_t huge = UINT64_C(1) << 40;
	lib_make(bytes, &lib);
	memcpy(bytes + SECTIONS_AT + SEC_SYMTAB * sizeof(Elf64_Shdr) + offsetof(Elf64_Shdr, sh_size), &huge, 8);
	place_write(place, LIB, bytes, sizeof(bytes));
	expect_mapped(place, LIB, 0x11, "", LIB ": its symbol table is too large; its names are left out");
}

static void symbol_cannot_claim_more_than_its_segment(void **state)
{
	static const struct lib_symbol greedy[] = {
		{ "greedy", 0x500, UINT64_MAX - 0x400, STB_GLOBAL, STT_OBJECT, SEC_TEXT },
		{ "answer", 0x3e10, 8, STB_GLOBAL, STT_OBJECT, SEC_DATA },
	};
	struct place *place = *state;
	struct lib lib = { greedy, 2, .id = 0x11 };
	struct vmsnap *snap = made_snapshot();
	place_lib(place, LIB, &lib);
	made_mapping(snap, BASE, LIB, 0x11);
	struct vmsnap_names *names = made_names(snap, place->root);
	assert_string_equal(symbol_at(names, BASE + TEXT_SIZE - 1), "greedy");
	assert_string_equal(symbol_at(names, BASE + TEXT_SIZE), "");
	assert_string_equal(symbol_at(names, BASE + 0x3e00), "");
	expect_names_in(names, BASE + 0x3000, UINT64_MAX, "answer");
	vmsnap_names_free(names);
	vmsnap_unref(snap);
}

#define T(name) cmocka_unit_test_setup_teardown(name, place_setup, place_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(file_with_the_build_id_is_believed),
		T(file_with_another_build_id_is_not_believed),
		T(file_that_lost_its_build_id_is_not_believed),
		T(missing_file_is_told_once),
		T(missing_data_file_is_not_worth_a_word),
		T(each_file_has_its_line_of_warning),
		T(deleted_file_is_looked_for_under_both_names),
		T(file_without_build_id_is_believed_by_its_inode),
		T(file_changed_after_the_snapshot_is_not_believed),
		T(inode_of_another_machine_proves_nothing),
		T(debug_file_is_found_by_build_id_below_the_sysroot),
		T(debug_file_with_another_build_id_is_passed_over),
		T(debug_link_is_followed_to_its_three_folders),
		T(debug_link_with_a_wrong_checksum_is_not_believed),
		T(debug_link_does_not_leave_its_folder),
		T(file_that_links_to_itself_is_harmless),
		T(fifo_device_and_folder_are_not_opened),
		T(names_do_not_lead_out_of_the_sysroot),
		T(missing_sysroot_is_an_error),
		T(damaged_files_do_no_harm),
		T(truncated_files_do_no_harm),
		T(damaged_symbol_table_is_told),
		T(symbol_cannot_claim_more_than_its_segment),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
