/* What elfutils is given of a file that its target may have made, and which files are
 * opened at all. */
#define _GNU_SOURCE
#include "names_make.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "elf_copy.h"
#include "names_path.h"

static const struct lib_symbol SYMBOLS[] = { { "answer", 0x3e10, 8, STB_GLOBAL, STT_OBJECT, SEC_DATA } };

static int file_of(const uint8_t *bytes, size_t len)
{
	int fd = memfd_create("lib", 0);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	return fd;
}

static void make(uint8_t bytes[LIB_BYTES])
{
	struct lib lib = { .symbols = SYMBOLS, .symbol_count = 1, .id = 0x11, .link = "debug" };
	lib_make(bytes, &lib);
}

/* The copy of what is in bytes, in `out`; its descriptor. */
static int copy_of(const uint8_t *bytes, size_t len, uint8_t *out, const char **reason)
{
	struct arena arena = { 0 };
	struct elf_file elf;
	int fd = file_of(bytes, len), copy = elf_copy(fd, &arena, &elf, reason);
	arena_free(&arena);
	close(fd);
	assert_true((copy < 0) == (*reason != NULL));
	if (copy >= 0 && out)
		assert_int_equal(pread(copy, out, len, 0), (ssize_t)len);
	return copy;
}

static void tables_are_copied_and_all_else_is_empty(void **state)
{
	(void)state;
	static _Alignas(8) uint8_t bytes[LIB_BYTES], copy[LIB_BYTES];
	const char *reason;
	make(bytes);
	memset(bytes + 0x400, 0xcc, 0x800);       /* .text */
	memset(bytes + DATA_OFFSET, 0xdd, 0x300); /* .data */
	int fd = copy_of(bytes, LIB_BYTES, copy, &reason);
	assert_true(fd >= 0);
	assert_memory_equal(copy, bytes, sizeof(Elf64_Ehdr) + 3 * sizeof(Elf64_Phdr));
	assert_memory_equal(copy + STRINGS_AT, bytes + STRINGS_AT, 0x800);
	assert_memory_equal(copy + SYMBOLS_AT, bytes + SYMBOLS_AT, 2 * sizeof(Elf64_Sym));
	assert_memory_equal(copy + LINK_AT, bytes + LINK_AT, 12);
	for (size_t i = 0x400; i < 0xc00; i++)
		assert_int_equal(copy[i], 0);
	for (size_t i = 0; i < SEC_COUNT; i++) {
		bool emptied = i == SEC_TEXT || i == SEC_DATA || i == SEC_BSS;
		assert_int_equal(lib_section_at(copy, i)->sh_type,
		                 emptied ? SHT_NOBITS : lib_section_at(bytes, i)->sh_type);
	}
	close(fd);
}

static void section_that_claims_terabytes_is_emptied_or_refused(void **state)
{
	(void)state;
	static _Alignas(8) uint8_t bytes[LIB_BYTES], copy[LIB_BYTES];
	static const size_t harmless[] = { SEC_NOTE, SEC_TEXT, SEC_LINK }, tables[] = { SEC_SYMTAB, SEC_STRTAB };
	const char *reason;
	for (size_t i = 0; i < 3; i++) {
		make(bytes);
		lib_section_at(bytes, harmless[i])->sh_size = UINT64_C(1) << 40;
		int fd = copy_of(bytes, LIB_BYTES, copy, &reason);
		assert_true(fd >= 0);
		assert_int_equal(lib_section_at(copy, harmless[i])->sh_type, SHT_NOBITS);
		close(fd);
	}
	for (size_t i = 0; i < 2; i++) {
		make(bytes);
		lib_section_at(bytes, tables[i])->sh_size = UINT64_C(1) << 40;
		assert_int_equal(copy_of(bytes, LIB_BYTES, NULL, &reason), -1);
		assert_string_equal(reason, "its symbol table is too large");
	}
}

static void table_over_the_headers_does_not_undo_them(void **state)
{
	(void)state;
	static _Alignas(8) uint8_t bytes[LIB_BYTES], copy[LIB_BYTES];
	const char *reason;
	make(bytes);
	lib_section_at(bytes, SEC_TEXT)->sh_size = UINT64_C(1) << 40;
	lib_section_at(bytes, SEC_STRTAB)->sh_offset = 0;
	lib_section_at(bytes, SEC_STRTAB)->sh_size = LIB_BYTES;
	int fd = copy_of(bytes, LIB_BYTES, copy, &reason);
	assert_true(fd >= 0);
	assert_int_equal(lib_section_at(copy, SEC_TEXT)->sh_type, SHT_NOBITS);
	close(fd);
}

static void compressed_table_is_refused(void **state)
{
	(void)state;
	static _Alignas(8) uint8_t bytes[LIB_BYTES];
	const char *reason;
	make(bytes);
	lib_section_at(bytes, SEC_SYMTAB)->sh_flags |= SHF_COMPRESSED;
	assert_int_equal(copy_of(bytes, LIB_BYTES, NULL, &reason), -1);
	assert_string_equal(reason, "its symbol table is compressed");
}

static void truncated_and_other_files_are_survived(void **state)
{
	(void)state;
	static _Alignas(8) uint8_t bytes[LIB_BYTES];
	const char *reason;
	make(bytes);
	for (size_t len = 0; len < LIB_BYTES; len += 61) {
		int fd = copy_of(bytes, len, NULL, &reason);
		if (fd >= 0)
			close(fd);
	}
	assert_int_equal(copy_of((const uint8_t *)"#!/bin/sh\n", 10, NULL, &reason), -1);
	assert_string_equal(reason, "its headers cannot be read");
}

static Elf64_Ehdr *header(uint8_t *bytes)
{
	union {
		uint8_t *bytes;
		Elf64_Ehdr *header;
	} at = { bytes };
	return at.header;
}

static Elf64_Phdr *segment(uint8_t *bytes, size_t index)
{
	union {
		uint8_t *bytes;
		Elf64_Phdr *header;
	} at = { bytes + sizeof(Elf64_Ehdr) + index * sizeof(Elf64_Phdr) };
	return at.header;
}

/* The program headers are all there is of it.  e_shnum without e_shoff, and entries of
 * another size, are what libelf does not mind. */
static void file_without_sections_brings_only_headers(void **state)
{
	(void)state;
	static _Alignas(8) uint8_t bytes[LIB_BYTES], copy[LIB_BYTES];
	const char *reason;
	make(bytes);
	header(bytes)->e_shoff = 0;
	header(bytes)->e_shnum = 7;
	header(bytes)->e_shentsize = 1;
	int fd = copy_of(bytes, LIB_BYTES, copy, &reason);
	assert_true(fd >= 0);
	assert_int_equal(header(copy)->e_shnum, 0);
	assert_memory_equal(segment(copy, 0), segment(bytes, 0), 3 * sizeof(Elf64_Phdr));
	for (size_t i = NOTE_AT; i < LIB_BYTES; i++)
		assert_int_equal(copy[i], 0);
	close(fd);
}

/* libdw would take a step for each word behind what it takes for a table of hashes. */
static void dynamic_segment_is_marked_as_unused(void **state)
{
	(void)state;
	static _Alignas(8) uint8_t bytes[LIB_BYTES], copy[LIB_BYTES];
	const char *reason;
	make(bytes);
	segment(bytes, 2)->p_type = PT_DYNAMIC;
	int fd = copy_of(bytes, LIB_BYTES, copy, &reason);
	assert_true(fd >= 0);
	assert_int_equal(segment(copy, 0)->p_type, PT_LOAD);
	assert_int_equal(segment(copy, 2)->p_type, PT_NULL);
	close(fd);
}

/* In a sparse file libelf would find room for 4 billion of them. */
static void program_headers_beyond_the_limit_are_not_counted(void **state)
{
	(void)state;
	static _Alignas(8) uint8_t bytes[LIB_BYTES], copy[LIB_BYTES];
	const char *reason;
	make(bytes);
	header(bytes)->e_phnum = PN_XNUM;
	int fd = copy_of(bytes, LIB_BYTES, copy, &reason);
	assert_true(fd >= 0);
	assert_int_equal(header(copy)->e_phnum, 2048);
	close(fd);
}

/* Whatever its type: libdw only goes by the name. */
static void mini_debug_info_is_emptied(void **state)
{
	(void)state;
	static const uint32_t types[] = { SHT_PROGBITS, SHT_NOTE, SHT_STRTAB, SHT_NULL };
	static _Alignas(8) uint8_t bytes[LIB_BYTES], copy[LIB_BYTES];
	const char *reason;
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		make(bytes);
		strcpy((char *)bytes + SECTION_STRINGS_AT + lib_section_at(bytes, SEC_LINK)->sh_name, ".gnu_debugdata");
		lib_section_at(bytes, SEC_LINK)->sh_type = types[i];
		int fd = copy_of(bytes, LIB_BYTES, copy, &reason);
		assert_true(fd >= 0);
		assert_int_equal(lib_section_at(copy, SEC_LINK)->sh_type, SHT_NOBITS);
		close(fd);
	}
}

/* libdw takes the first, or the last, or whatever a later version may. */
static void each_mini_debug_info_is_emptied(void **state)
{
	(void)state;
	static const size_t both[] = { SEC_TEXT, SEC_DATA, SEC_LINK };
	static _Alignas(8) uint8_t bytes[LIB_BYTES], copy[LIB_BYTES];
	const char *reason;
	make(bytes);
	for (size_t i = 0; i < sizeof(both) / sizeof(*both); i++) {
		lib_section_at(bytes, both[i])->sh_name = lib_section_at(bytes, SEC_LINK)->sh_name;
		lib_section_at(bytes, both[i])->sh_type = SHT_NOTE;
	}
	strcpy((char *)bytes + SECTION_STRINGS_AT + lib_section_at(bytes, SEC_LINK)->sh_name, ".gnu_debugdata");
	int fd = copy_of(bytes, LIB_BYTES, copy, &reason);
	assert_true(fd >= 0);
	for (size_t i = 0; i < sizeof(both) / sizeof(*both); i++)
		assert_int_equal(lib_section_at(copy, both[i])->sh_type, SHT_NOBITS);
	close(fd);
}

/* A name in it would go on behind the file, in memory of ours. */
static void strings_without_an_end_are_refused(void **state)
{
	(void)state;
	static const size_t tables[] = { SEC_STRTAB, SEC_SHSTRTAB };
	static _Alignas(8) uint8_t bytes[LIB_BYTES];
	const char *reason;
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		make(bytes);
		Elf64_Shdr *table = lib_section_at(bytes, tables[i]);
		bytes[table->sh_offset + table->sh_size - 1] = 'x';
		assert_int_equal(copy_of(bytes, LIB_BYTES, NULL, &reason), -1);
		assert_string_equal(reason, "its section headers are damaged");
	}
}

static void tables_in_disguise_are_refused(void **state)
{
	(void)state;
	static _Alignas(8) uint8_t bytes[LIB_BYTES];
	const char *reason;
	make(bytes);
	strcpy((char *)bytes + SECTION_STRINGS_AT + lib_section_at(bytes, SEC_STRTAB)->sh_name, ".zdebug_str");
	assert_int_equal(copy_of(bytes, LIB_BYTES, NULL, &reason), -1);
	assert_string_equal(reason, "its symbol table is compressed");
	/* Nobody knows what is named so. */
	make(bytes);
	lib_section_at(bytes, SEC_STRTAB)->sh_flags |= SHF_COMPRESSED;
	lib_section_at(bytes, SEC_SHSTRTAB)->sh_type = SHT_PROGBITS;
	assert_int_equal(copy_of(bytes, LIB_BYTES, NULL, &reason), -1);
	assert_string_equal(reason, "its section headers are damaged");
	/* As many symbols as it has bytes. */
	make(bytes);
	lib_section_at(bytes, SEC_SYMTAB)->sh_entsize = 1;
	assert_int_equal(copy_of(bytes, LIB_BYTES, NULL, &reason), -1);
	assert_string_equal(reason, "its symbol table is damaged");
}

static void limit_on_file_sizes_is_told_and_no_signal(void **state)
{
	(void)state;
	static _Alignas(8) uint8_t bytes[LIB_BYTES];
	make(bytes);
	int fd = file_of(bytes, LIB_BYTES), status;
	pid_t child = fork();
	if (!child) {
		struct rlimit limit = { .rlim_cur = 4096, .rlim_max = 4096 };
		struct arena arena = { 0 };
		struct elf_file elf;
		const char *reason = NULL;
		bool told = !setrlimit(RLIMIT_FSIZE, &limit) && elf_copy(fd, &arena, &elf, &reason) < 0 && reason &&
		            strstr(reason, "ulimit -f");
		arena_free(&arena);
		_exit(told ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	close(fd);
}

static int open_error(int root, const char *path)
{
	int fd = names_open_regular(root, path);
	if (fd >= 0) {
		close(fd);
		return 0;
	}
	return errno;
}

static void only_files_on_a_disk_are_opened(void **state)
{
	struct place *place = *state;
	/* Opening, or reading, some of these has effects. */
	static const char *const made_up[] = { "/proc/version", "/proc/kmsg", "/proc/self/mem",
		                               "/proc/self/exe/../maps", "/sys/kernel/notes" };
	for (size_t i = 0; i < sizeof(made_up) / sizeof(*made_up); i++)
		assert_int_not_equal(open_error(-1, made_up[i]), 0);
	assert_int_equal(open_error(-1, "/proc/version"), EINVAL);
	assert_int_equal(open_error(-1, "/dev/null"), EINVAL);
	assert_int_equal(open_error(-1, "/etc"), EINVAL);
	assert_int_equal(open_error(-1, "etc/passwd"), ENOENT);
	assert_int_equal(mkfifo(place_path(place, "/pipe"), 0600), 0);
	assert_int_equal(open_error(-1, place_path(place, "/pipe")), EINVAL);
	place_write(place, "/file", "x", 1);
	assert_int_equal(open_error(-1, place_path(place, "/file")), 0);
}

static void nothing_outside_of_the_root_is_opened(void **state)
{
	struct place *place = *state;
	place_write(place, "/inside", "x", 1);
	int root = names_root_open(place->root);
	assert_true(root >= 0);
	assert_int_equal(symlink("/etc/passwd", place_path(place, "/absolute")), 0);
	assert_int_equal(symlink("../../../../../../etc/passwd", place_path(place, "/relative")), 0);
	assert_int_equal(symlink("/inside", place_path(place, "/good")), 0);
	assert_int_equal(open_error(root, "/good"), 0);
	assert_int_equal(open_error(root, "/absolute"), ENOENT);
	assert_int_equal(open_error(root, "/relative"), ENOENT);
	assert_int_equal(open_error(root, "/../../../etc/passwd"), ENOENT);
	close(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_are_copied_and_all_else_is_empty),
		cmocka_unit_test(section_that_claims_terabytes_is_emptied_or_refused),
		cmocka_unit_test(table_over_the_headers_does_not_undo_them),
		cmocka_unit_test(compressed_table_is_refused),
		cmocka_unit_test(truncated_and_other_files_are_survived),
		cmocka_unit_test(file_without_sections_brings_only_headers),
		cmocka_unit_test(dynamic_segment_is_marked_as_unused),
		cmocka_unit_test(program_headers_beyond_the_limit_are_not_counted),
		cmocka_unit_test(mini_debug_info_is_emptied),
		cmocka_unit_test(each_mini_debug_info_is_emptied),
		cmocka_unit_test(strings_without_an_end_are_refused),
		cmocka_unit_test(tables_in_disguise_are_refused),
		cmocka_unit_test(limit_on_file_sizes_is_told_and_no_signal),
		cmocka_unit_test_setup_teardown(only_files_on_a_disk_are_opened, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(nothing_outside_of_the_root_is_opened, place_setup, place_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
