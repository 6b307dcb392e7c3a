/* test_own_mappings.c - of our own mappings of files those that a process with a given map may have, too. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "own_mappings.h"

static const struct vmsnap_vma library = { .inode = 4711, .name = "/usr/lib/libz.so.1" };
static const struct vmsnap_vma nameless = { .inode = 42, .name = "" };

/* How many of the two a process with this line in its map may have. */
static size_t shared(const char *line)
{
	struct own_mapping items[] = { { { 0x1000, 0x2000 }, &library }, { { 0x5000, 0x6000 }, &library } };
	struct own_mappings own = { .items = items, .count = 2 }, out;
	char text[256] = "1000-2000 r--p 00000000 fd:00 7                 /bin/sleep\n";
	strcat(text, line);
	own_mappings_shared(&own, &(struct proc_text){ .text = text, .len = strlen(text) }, &out);
	size_t count = out.count;
	for (size_t i = 0; i < count; i++)
		assert_memory_equal(&out.items[i], &items[i], sizeof(items[i]));
	own_mappings_free(&out);
	return count;
}

static void a_file_is_known_by_its_number_or_its_name(void **state)
{
	(void)state;
	assert_int_equal(shared("3000-4000 r--p 00000000 fd:00 4711            /usr/lib/libz.so.1\n"), 2);
	/* Another link to it. */
	assert_int_equal(shared("3000-4000 r--p 00000000 fd:00 4711            /opt/other\n"), 2);
	/* On another file system of those that one lies below. */
	assert_int_equal(shared("3000-4000 r--p 00000000 00:2f 99              /usr/lib/libz.so.1\n"), 2);
	assert_int_equal(shared("3000-4000 r--p 00000000 00:2f 99              /lib/libz.so.1 (deleted)\n"), 2);
}

static void others_are_left_alone(void **state)
{
	(void)state;
	assert_int_equal(shared(""), 0);
	assert_int_equal(shared("3000-4000 r--p 00000000 fd:00 47110           /usr/lib/libc.so.6\n"), 0);
	assert_int_equal(shared("3000-4000 r--p 00000000 fd:00 14711           /usr/lib/mylibz.so.1\n"), 0);
}

static void what_has_no_name_may_be_any(void **state)
{
	(void)state;
	struct own_mapping item = { { 0x1000, 0x2000 }, &nameless };
	struct own_mappings own = { .items = &item, .count = 1 }, out;
	own_mappings_shared(&own, &(struct proc_text){ .text = (char[]){ "x" }, .len = 1 }, &out);
	assert_int_equal(out.count, 1);
	own_mappings_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_known_by_its_number_or_its_name),
		cmocka_unit_test(others_are_left_alone),
		cmocka_unit_test(what_has_no_name_may_be_any),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
