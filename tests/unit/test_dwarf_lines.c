/* Source lines of addresses: of this program itself, as the compiler knows them, and of what is damaged. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <link.h>
#include <unistd.h>

#include <cmocka.h>

#include "dwarf_lines.h"

/* One line each, so that there is no doubt which it is. */
#ifdef __clang__
#define NEVER_COPIED __attribute__((noinline))
#else
#define NEVER_COPIED __attribute__((noinline, noclone))
#endif
NEVER_COPIED static uint64_t here(void)
{
	__asm__ volatile("" ::: "memory"); /* each call is one */
	return (uint64_t)(uintptr_t)__builtin_return_address(0);
}

struct known {
	uint64_t address;
	uint32_t line;
};

/* Where this program lies: its first segment's address is its own, but for that. */
static int take_bias(struct dl_phdr_info *info, size_t size, void *out)
{
	(void)size;
	*(uint64_t *)out = info->dlpi_addr;
	return 1;
}

static bool open_own(struct dwarf_sections *sections)
{
	struct work work = { .limit = WORK_UNLIMITED };
	const char *reason;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int rc = dwarf_sections_read_lines(fd, 1 << 30, &work, sections, &reason);
	close(fd);
	return !rc;
}

static void test_own_lines(void **state)
{
	struct dwarf_sections sections;
	struct work work = { .limit = WORK_UNLIMITED };
	struct arena strings = { 0 };
	uint64_t bias = 0;
	struct known known[3];
	(void)state;
	if (!open_own(&sections)) {
		print_message("SKIP: this build has no debug information\n");
		skip();
	}
	dl_iterate_phdr(take_bias, &bias);
	known[0] = (struct known){ here(), __LINE__ };
	known[1] = (struct known){ here(), __LINE__ };
	known[2] = (struct known){ here(), __LINE__ };
	struct dwarf_line lines[3];
	for (size_t i = 0; i < 3; i++)
		lines[i] = (struct dwarf_line){ .address = known[i].address - 1 - bias };
	assert_true(lines[0].address < lines[1].address && lines[1].address < lines[2].address);
	assert_int_equal(dwarf_lines_find(&sections, lines, 3, &strings, &work), VMSNAP_OK);
	for (size_t i = 0; i < 3; i++) {
		assert_non_null(lines[i].file);
		assert_non_null(strstr(lines[i].file, "test_dwarf_lines.c"));
		assert_int_equal(lines[i].line, known[i].line);
	}
	arena_free(&strings);
	dwarf_sections_free(&sections);
}

static void test_no_line_of_what_is_no_code(void **state)
{
	struct dwarf_sections sections;
	struct work work = { .limit = WORK_UNLIMITED };
	struct arena strings = { 0 };
	struct dwarf_line line = { .address = UINT64_MAX - 5 };
	(void)state;
	if (!open_own(&sections))
		skip();
	assert_int_equal(dwarf_lines_find(&sections, &line, 1, &strings, &work), VMSNAP_OK);
	assert_null(line.file);
	assert_int_equal(line.line, 0);
	arena_free(&strings);
	dwarf_sections_free(&sections);
}

/* Bytes that are changed one by one, and sections that end early: no more is to be had than that it ends. */
static void test_what_is_damaged_ends(void **state)
{
	struct dwarf_sections sections;
	struct work work = { .limit = WORK_UNLIMITED };
	(void)state;
	if (!open_own(&sections))
		skip();
	struct dwarf_section *program = &sections.at[DWARF_LINE];
	size_t whole = program->len;
	uint32_t seed = 1;
	for (size_t round = 0; round < 400; round++) {
		struct arena strings = { 0 };
		struct dwarf_line lines[2] = { { .address = 0x1000 }, { .address = 0x2000 } };
		seed = seed * 1664525 + 1013904223;
		size_t at = seed % (whole < 600 ? whole : 600);
		uint8_t was = program->bytes[at];
		program->bytes[at] ^= (uint8_t)(1u << (seed >> 29));
		program->len = round % 4 ? whole : at;
		(void)dwarf_lines_find(&sections, lines, 2, &strings, &work);
		program->len = whole;
		program->bytes[at] = was;
		arena_free(&strings);
	}
	dwarf_sections_free(&sections);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_lines),
		cmocka_unit_test(test_no_line_of_what_is_no_code),
		cmocka_unit_test(test_what_is_damaged_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
