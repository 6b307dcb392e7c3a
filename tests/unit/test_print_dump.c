/* test_print_dump.c - what memory held, as it is printed. */
#include "test_print_support.h"

enum { HEAP = 0x20000, RW = VMSNAP_PERM_READ | VMSNAP_PERM_WRITE };
static const uint32_t own = VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_EXCLUSIVE;

/* A heap: a page of bytes, one that is not known, one that was never touched. */
static struct vmsnap *snapshot_of(const char *text)
{
	struct vmsnap *snap = bare_snapshot();
	char page[PAGE] = { 0 };
	memcpy(page, text, strlen(text));
	put_vma(snap, HEAP, HEAP + 3 * PAGE, RW, 0, "[heap]");
	put_pages(snap, HEAP, 2, ENTRY(own, 0x100));
	put_page(snap, HEAP, page);
	return snap;
}

static struct catch *dump(const struct vmsnap *a, const struct vmsnap *b, uint64_t start, uint64_t end, bool raw)
{
	struct catch *caught = catch_new();
	caught->out.style.raw = raw;
	assert_int_equal(vmsnap_print_dump(a, b, start, end, &caught->out, &caught->err), VMSNAP_OK);
	assert_harmless(caught);
	return caught;
}

static void lines_are_those_of_hexdump(void **state)
{
	(void)state;
	struct vmsnap *snap = snapshot_of("Hello, \033[2J\xff~\x7f");
	assert_string_equal(dump(snap, NULL, HEAP, HEAP + 32, false)->text,
	                    "00020000  48 65 6c 6c 6f 2c 20 1b  5b 32 4a ff 7e 7f 00 00  |Hello, .[2J.~...|\n"
	                    "00020010  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n");
	assert_string_equal(dump(snap, NULL, HEAP + 3, HEAP + 9, false)->text,
	                    "00020000           6c 6f 2c 20 1b  5b                       |   lo, .[|\n");
	vmsnap_unref(snap);
}

static void equal_lines_are_folded_and_unknown_ones_are_marked(void **state)
{
	(void)state;
	struct vmsnap *snap = snapshot_of("x");
	assert_string_equal(dump(snap, NULL, HEAP, HEAP + 4 * PAGE, false)->text,
	                    "00020000  78 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |x...............|\n"
	                    "00020010  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n"
	                    "*\n"
	                    "00021000  ?? ?? ?? ?? ?? ?? ?? ??  ?? ?? ?? ?? ?? ?? ?? ??  |????????????????|\n"
	                    "*\n"
	                    "00022000  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n"
	                    "*\n"
	                    "00023000  ?? ?? ?? ?? ?? ?? ?? ??  ?? ?? ?? ?? ?? ?? ?? ??  |????????????????|\n"
	                    "*\n"
	                    "00024000\n");
	struct catch *caught = dump(snap, NULL, HEAP, HEAP + 3 * PAGE, true);
	assert_lacks(caught, "*");
	assert_int_equal(caught->len, (size_t)3 * PAGE / 16 *
	                                      strlen("00020000  78 00 00 00 00 00 00 00  00 00 00 00 00 "
	                                             "00 00 00  |x...............|\n"));
	vmsnap_unref(snap);
}

/* Nobody waits for 2^60 lines. */
static void range_of_all_addresses_is_told_at_once(void **state)
{
	(void)state;
	struct vmsnap *snap = snapshot_of("x");
	put_vma(snap, 0x100000, UINT64_C(1) << 46, RW, 0, "");
	struct catch *caught = dump(snap, NULL, 0, UINT64_MAX, false);
	assert_has(caught, "\n        00023000  ?? ?? ");
	assert_has(caught, "\n        00100000  00 00 ");
	assert_has(caught, "\n    400000000000  ?? ?? ");
	assert_has(caught, "\n*\nfffffffffffffff0  ?? ?? ");
	caught = catch_new();
	caught->out.style.json = true;
	assert_int_equal(vmsnap_print_dump(snap, NULL, 0, UINT64_MAX, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "{\"start\": \"0x100000\", \"size\": 70368743129088, \"held\": \"zeros\", \"hex\": null");
	vmsnap_unref(snap);
}

static void what_differs_stands_below(void **state)
{
	(void)state;
	struct vmsnap *a = snapshot_of("Hello"), *b = snapshot_of("Help!");
	assert_string_equal(dump(a, b, HEAP, HEAP + 64, false)->text,
	                    "00020000  48 65 6c 6c 6f 00 00 00  00 00 00 00 00 00 00 00  |Hello...........|\n"
	                    "                   70 21                                    |   p!           |\n"
	                    "00020010  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n"
	                    "*\n"
	                    "00020040\n");
	struct catch *caught = catch_new();
	caught->out.style.color = VMSNAP_COLOR_16;
	assert_int_equal(vmsnap_print_dump(a, b, HEAP, HEAP + 16, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "48 65 6c \033[96m6c\033[0m \033[96m6f\033[0m 00");
	caught = catch_new();
	caught->out.style.json = true;
	assert_int_equal(vmsnap_print_dump(a, b, HEAP, HEAP + 5, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught,
	           "\"held\": \"bytes\", \"hex\": \"48656c6c6f\", \"held_b\": \"bytes\", \"hex_b\": \"48656c7021\"}");
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static void snapshot_without_bytes_is_refused(void **state)
{
	(void)state;
	struct vmsnap *bare = bare_snapshot(), *snap = snapshot_of("x");
	struct catch *caught = catch_new();
	assert_int_equal(vmsnap_print_dump(bare, NULL, HEAP, HEAP + 1, &caught->out, &caught->err),
	                 VMSNAP_ERR_NOT_FOUND);
	assert_string_equal(caught->err.message,
	                    "the snapshot has no contents: what its pages held was not kept (capture with --contents)");
	assert_int_equal(vmsnap_print_dump(snap, bare, HEAP, HEAP + 1, &caught->out, &caught->err),
	                 VMSNAP_ERR_NOT_FOUND);
	assert_non_null(strstr(caught->err.message, "the second snapshot has no contents"));
	assert_int_equal(vmsnap_print_dump(snap, NULL, HEAP, HEAP, &caught->out, NULL), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(caught->len, 0);
	vmsnap_unref(bare);
	vmsnap_unref(snap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_those_of_hexdump),
		cmocka_unit_test(equal_lines_are_folded_and_unknown_ones_are_marked),
		cmocka_unit_test(range_of_all_addresses_is_told_at_once),
		cmocka_unit_test(what_differs_stands_below),
		cmocka_unit_test(snapshot_without_bytes_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
