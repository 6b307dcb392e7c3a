/* Split DWARF that somebody made to cost much: units by the hundred that name a file which is not theirs. */
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <dwarf.h>

#include "dwarf_tables.h"
#include "dwarf_types.h"

/* ---- files ------------------------------------------------------------------------------- */

struct bytes {
	uint8_t *at;
	size_t len;
};

static void put(struct bytes *out, const void *bytes, size_t len)
{
	out->at = realloc(out->at, out->len + len + 1);
	assert_non_null(out->at);
	memcpy(out->at + out->len, bytes, len);
	out->len += len;
}

static void put_number(struct bytes *out, uint64_t number, size_t len)
{
	for (size_t i = 0; i < len; i++, number >>= 8)
		put(out, &(uint8_t){ (uint8_t)number }, 1);
}

/* Code 1: the unit, with where its .dwo file is; code 2: a variable; code 3: a unit of a .dwo file. */
// clang-format off
static const uint8_t abbreviations[] = {
	1, DW_TAG_compile_unit, 1, DW_AT_comp_dir, DW_FORM_strp, DW_AT_dwo_name, DW_FORM_strp, 0, 0,
	2, DW_TAG_variable, 0, DW_AT_location, DW_FORM_exprloc, 0, 0,
	3, DW_TAG_compile_unit, 0, 0, 0,
	0,
};
// clang-format on

static void put_unit(struct bytes *out, unsigned type, uint64_t id, const struct bytes *entries)
{
	put_number(out, 2 + 1 + 1 + 4 + 8 + entries->len, 4);
	put_number(out, 5, 2);
	put_number(out, type, 1);
	put_number(out, 8, 1);
	put_number(out, 0, 4);
	put_number(out, id, 8);
	put(out, entries->at, entries->len);
}

enum { VARIABLE_AT = 0x1000 };
/* folder, name: places in .debug_str. */
static void put_skeleton(struct bytes *out, uint64_t id, size_t folder, size_t name)
{
	struct bytes entries = { 0 };
	put_number(&entries, 1, 1);
	put_number(&entries, folder, 4);
	put_number(&entries, name, 4);
	put_number(&entries, 2, 1);
	put_number(&entries, 9, 1);
	put_number(&entries, DW_OP_addr, 1);
	put_number(&entries, VARIABLE_AT, 8);
	put_number(&entries, 0, 1);
	put_unit(out, DW_UT_skeleton, id, &entries);
	free(entries.at);
}

/* The sections .debug_info, _abbrev and _str, whose names end with the suffix. */
static void write_elf(const char *path, const char *suffix, const struct bytes *info, const struct bytes *str)
{
	const struct bytes sections[] = {
		{ 0 }, *info, { (uint8_t *)(uintptr_t)abbreviations, sizeof(abbreviations) }, *str, { 0 }
	};
	const char *const names[] = { "", ".debug_info", ".debug_abbrev", ".debug_str", ".shstrtab" };
	enum { COUNT = 5 };
	Elf64_Shdr headers[COUNT] = { { 0 } };
	Elf64_Ehdr ehdr = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_shoff = sizeof(Elf64_Ehdr),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = COUNT,
		.e_shstrndx = COUNT - 1,
	};
	struct bytes text = { 0 };
	uint64_t offset = sizeof(ehdr) + sizeof(headers);
	for (size_t i = 0; i < COUNT; i++) {
		bool ours = i && i < COUNT - 1;
		headers[i] = (Elf64_Shdr){ .sh_name = (Elf64_Word)text.len,
			                   .sh_type = !i     ? SHT_NULL
			                              : ours ? SHT_PROGBITS
			                                     : SHT_STRTAB,
			                   .sh_offset = offset,
			                   .sh_size = sections[i].len };
		offset += sections[i].len;
		put(&text, names[i], strlen(names[i]));
		put(&text, suffix, ours ? strlen(suffix) : 0);
		put_number(&text, 0, 1);
	}
	headers[COUNT - 1].sh_size = text.len;
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	fwrite(&ehdr, sizeof(ehdr), 1, file);
	fwrite(headers, sizeof(headers), 1, file);
	for (size_t i = 1; i < COUNT - 1; i++)
		fwrite(sections[i].at, sections[i].len, 1, file);
	fwrite(text.at, text.len, 1, file);
	assert_int_equal(fclose(file), 0);
	free(text.at);
}

/* ---- a folder with a program and two .dwo files -------------------------------------------- */

enum { ID_A = 11, ID_B = 12, ID_OTHER = 13, STRINGS = 100 * 1000 };
struct made {
	char folder[32], program[64], a[64], b[64];
	struct bytes info, str;
	size_t folder_at, a_at, b_at;
};

static size_t put_text(struct bytes *str, const char *text)
{
	size_t at = str->len;
	put(str, text, strlen(text) + 1);
	return at;
}

static void write_split(const char *path, uint64_t id)
{
	struct bytes info = { 0 }, str = { calloc(1, STRINGS), STRINGS };
	put_unit(&info, DW_UT_split_compile, id, &(struct bytes){ (uint8_t[]){ 3 }, 1 });
	write_elf(path, ".dwo", &info, &str);
	free(info.at);
	free(str.at);
}

static void begin(struct made *made)
{
	*made = (struct made){ .folder = "/tmp/vmsnap-test-XXXXXX" };
	assert_non_null(mkdtemp(made->folder));
	snprintf(made->program, sizeof(made->program), "%s/program", made->folder);
	snprintf(made->a, sizeof(made->a), "%s/a.dwo", made->folder);
	snprintf(made->b, sizeof(made->b), "%s/b.dwo", made->folder);
	write_split(made->a, ID_A);
	write_split(made->b, ID_B);
	made->folder_at = put_text(&made->str, made->folder);
	made->a_at = put_text(&made->str, "a.dwo");
	made->b_at = put_text(&made->str, "b.dwo");
}

static void end(struct made *made)
{
	unlink(made->program);
	unlink(made->a);
	unlink(made->b);
	assert_int_equal(rmdir(made->folder), 0);
	free(made->info.at);
	free(made->str.at);
}

/* How often it was asked whether the work is still wanted: for each unit, and for each part of a file that is read. */
static bool count_asking(void *ctx)
{
	++*(size_t *)ctx;
	return false;
}

struct outcome {
	int rc;
	size_t asked;
	uint64_t bytes;
	char reason[400]; /* "": none */
};

static struct outcome load(const struct made *made, uint64_t room)
{
	struct outcome out = { 0 };
	struct work work = { .limit = WORK_UNLIMITED, .cancelled = count_asking, .cancel_ctx = &out.asked };
	struct elf_file elf = { .loads = { { .address = VARIABLE_AT, .memory_size = 8 } }, .load_count = 1 };
	int fd = open(made->program, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	struct dwarf_source source = {
		.fd = fd, .root = -1, .path = made->program, .elf = &elf, .room = room, .work = &work
	};
	struct dwarf_types *types = NULL;
	const char *reason = NULL;
	out.rc = dwarf_types_read(&source, &types, &reason);
	snprintf(out.reason, sizeof(out.reason), "%s", reason ? reason : "");
	out.bytes = dwarf_types_bytes(types);
	dwarf_types_free(types);
	close(fd);
	return out;
}

/* ---- tests ------------------------------------------------------------------------------- */

enum { UNITS = 500, MUCH = 1 << 30 };

static void test_a_file_that_is_not_the_one_is_not_read_for_each_unit(void **state)
{
	struct made made;
	(void)state;
	begin(&made);
	for (size_t i = 0; i < UNITS; i++)
		put_skeleton(&made.info, ID_OTHER, made.folder_at, made.a_at);
	write_elf(made.program, "", &made.info, &made.str);
	struct outcome out = load(&made, MUCH);
	end(&made);
	assert_int_equal(out.rc, VMSNAP_OK);
	assert_string_equal(out.reason,
	                    "types are missing: 500 files of split debug information are not there (a.dwo)");
	assert_in_range(out.asked, UNITS, UNITS + 20);
}

static void test_what_is_read_for_nothing_has_an_end(void **state)
{
	struct made made;
	(void)state;
	begin(&made);
	for (size_t i = 0; i < UNITS; i++)
		put_skeleton(&made.info, ID_OTHER, made.folder_at, i % 2 ? made.a_at : made.b_at);
	write_elf(made.program, "", &made.info, &made.str);
	struct outcome out = load(&made, 10 * STRINGS);
	end(&made);
	assert_int_equal(out.rc, VMSNAP_OK);
	assert_string_equal(out.reason, "types are missing: 500 files of split debug information are not there, or not "
	                                "looked for after so many others (b.dwo)");
	assert_in_range(out.asked, UNITS, UNITS + 60);
}

static void test_a_file_that_was_not_the_one_may_be_the_next_ones(void **state)
{
	struct made made;
	(void)state;
	begin(&made);
	put_skeleton(&made.info, ID_OTHER, made.folder_at, made.a_at);
	put_skeleton(&made.info, ID_A, made.folder_at, made.a_at);
	put_skeleton(&made.info, ID_B, made.folder_at, made.b_at);
	write_elf(made.program, "", &made.info, &made.str);
	struct outcome out = load(&made, MUCH);
	end(&made);
	assert_int_equal(out.rc, VMSNAP_OK);
	assert_string_equal(out.reason, "types are missing: 1 file of split debug information is not there (a.dwo)");
}

/* The text that says what is missing is gone with the types: valgrind and AddressSanitizer see who reads it. */
static void test_no_room_is_why_even_where_files_are_missing(void **state)
{
	enum { STEP = 100, LEAST_FAILURES = 30, MOST = 1000 };
	struct made made;
	struct outcome out = { .rc = VMSNAP_ERR_TOO_LARGE };
	size_t failures = 0;
	(void)state;
	begin(&made);
	unlink(made.a);
	put_skeleton(&made.info, ID_A, made.folder_at, made.a_at);
	write_elf(made.program, "", &made.info, &made.str);
	for (uint64_t room = STEP; out.rc && failures < MOST; room += STEP) {
		out = load(&made, room);
		failures += out.rc != VMSNAP_OK;
		assert_true(!out.rc || out.rc == VMSNAP_ERR_TOO_LARGE);
		if (out.rc)
			assert_non_null(strstr(out.reason, "its debug information would take too much memory"));
	}
	assert_in_range(failures, LEAST_FAILURES, MOST - 1);
	assert_string_equal(out.reason, "types are missing: 1 file of split debug information is not there (a.dwo)");
	write_split(made.a, ID_A);
	end(&made);
}

static void test_what_no_file_can_be_called_is_not_looked_for(void **state)
{
	struct made made;
	char *text = malloc(PATH_MAX + 8);
	(void)state;
	begin(&made);
	assert_non_null(text);
	memset(text, 'x', PATH_MAX);
	memcpy(text + PATH_MAX, ".dwo", sizeof(".dwo"));
	size_t long_at = put_text(&made.str, text);
	put_skeleton(&made.info, ID_OTHER, made.folder_at, long_at);
	write_elf(made.program, "", &made.info, &made.str);
	assert_string_equal(load(&made, MUCH).reason, "");
	put_skeleton(&made.info, ID_A, long_at, made.a_at); /* it is beside the program, too */
	put_skeleton(&made.info, ID_OTHER, long_at, made.b_at);
	write_elf(made.program, "", &made.info, &made.str);
	assert_string_equal(load(&made, MUCH).reason,
	                    "types are missing: 1 file of split debug information is not there (b.dwo)");
	free(text);
	end(&made);
}

static void test_each_file_counts_with_all_that_it_takes(void **state)
{
	struct made made;
	(void)state;
	begin(&made);
	for (size_t i = 0; i < 8; i++)
		put_skeleton(&made.info, ID_A, made.folder_at, made.a_at);
	write_elf(made.program, "", &made.info, &made.str);
	uint64_t of_eight = load(&made, MUCH).bytes;
	put_skeleton(&made.info, ID_A, made.folder_at, made.a_at);
	write_elf(made.program, "", &made.info, &made.str);
	struct outcome out = load(&made, MUCH);
	end(&made);
	assert_int_equal(out.rc, VMSNAP_OK);
	assert_string_equal(out.reason, "");
	/* Room for 16 units was made, and is not shared. */
	assert_in_range(out.bytes - of_eight, STRINGS + sizeof(struct dwarf_file) + 16 * sizeof(struct dwarf_unit),
	                STRINGS + 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_file_that_is_not_the_one_is_not_read_for_each_unit),
		cmocka_unit_test(test_what_is_read_for_nothing_has_an_end),
		cmocka_unit_test(test_a_file_that_was_not_the_one_may_be_the_next_ones),
		cmocka_unit_test(test_no_room_is_why_even_where_files_are_missing),
		cmocka_unit_test(test_what_no_file_can_be_called_is_not_looked_for),
		cmocka_unit_test(test_each_file_counts_with_all_that_it_takes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
