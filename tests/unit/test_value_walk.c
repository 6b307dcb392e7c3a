/* Which parts of a variable differ, by types that are made here: no DWARF, no process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "value_walk.h"

#define COUNT(array)   (sizeof(array) / sizeof((array)[0]))
#define MEMBERS(array) .members = (array), .member_count = COUNT(array)

static const struct value_type int_type = { .kind = TYPE_SIGNED, .size = 4, .name = "int" };
static const struct value_type short_type = { .kind = TYPE_SIGNED, .size = 2, .name = "short" };
static const struct value_type double_type = { .kind = TYPE_FLOAT, .size = 8, .name = "double" };
static const struct value_type char_type = { .kind = TYPE_CHAR, .size = 1, .name = "char" };
static const struct value_type unsigned_type = { .kind = TYPE_UNSIGNED, .size = 4, .name = "unsigned" };

/* Bytes of a variable from `first` on; those below `known_from` are not known. */
struct memory {
	uint8_t bytes[VALUE_SIDES][512];
	uint64_t first, size, known_from;
	char told[1024]; /* "[3].qty+4:2 " for each leaf: path, offset, size */
	size_t told_len;
};

static bool read_bytes(void *ctx, int side, uint64_t offset, void *to, size_t len)
{
	const struct memory *m = ctx;
	if (offset < m->first || offset < m->known_from || offset - m->first + len > m->size)
		return false;
	memcpy(to, m->bytes[side] + (offset - m->first), len);
	return true;
}

static void tell(void *ctx, const struct value_leaf *leaf)
{
	struct memory *m = ctx;
	const char *kind = leaf->is_text ? "t" : leaf->is_bytes ? "b" : "";
	int len =
	        snprintf(m->told + m->told_len, sizeof(m->told) - m->told_len, "%s%s@%llu:%llu", m->told_len ? " " : "",
	                 leaf->path, (unsigned long long)leaf->offset, (unsigned long long)leaf->size);
	m->told_len += (size_t)len;
	len = snprintf(m->told + m->told_len, sizeof(m->told) - m->told_len, "%s", kind);
	m->told_len += (size_t)len;
}

/* All that is told, in windows of this size. */
static const char *told_in(struct memory *m, const struct value_type *type, uint64_t size, uint64_t window)
{
	struct value_walk walk = { .type = type, .size = size, .read = read_bytes, .emit = tell, .ctx = m };
	walk.steps = 1 << 20;
	m->told[m->told_len = 0] = '\0';
	for (uint64_t at = 0; at < m->size; at += window) {
		uint64_t end = at + window < m->size ? at + window : m->size;
		if (!memcmp(m->bytes[0] + at, m->bytes[1] + at, (size_t)(end - at)) || m->first + at < m->known_from)
			continue;
		walk.start = m->first + at;
		walk.end = m->first + end;
		walk.bytes[0] = m->bytes[0] + at;
		walk.bytes[1] = m->bytes[1] + at;
		value_walk_window(&walk);
	}
	return m->told;
}

static const char *told(struct memory *m, const struct value_type *type)
{
	m->size = m->size ? m->size : type->size;
	return told_in(m, type, type->size, 4096);
}

static void scalars_and_members_are_told_by_path(void **state)
{
	(void)state;
	static const struct value_member members[] = {
		{ .name = "id", .type = &int_type },
		{ .name = "qty", .type = &short_type, .offset = 4 },
		{ .name = "price", .type = &double_type, .offset = 8 },
	};
	static const struct value_type order = { .kind = TYPE_STRUCT, .size = 16, .name = "order", MEMBERS(members) };
	static const struct value_type orders = { .kind = TYPE_ARRAY, .size = 64, .element = &order, .count = 4 };
	struct memory m = { .first = 0 };
	m.bytes[1][3 * 16 + 4] = 7;
	m.bytes[1][16 + 15] = 1;
	m.bytes[1][6] = 1; /* padding */
	assert_string_equal(told(&m, &orders), "[1].price@24:8 [3].qty@52:2");
	struct memory one = { .first = 0 };
	one.bytes[0][1] = 1;
	assert_string_equal(told(&one, &int_type), "@0:4");
}

static void what_lies_across_windows_is_told_once(void **state)
{
	(void)state;
	static const struct value_type doubles = {
		.kind = TYPE_ARRAY, .size = 64, .element = &double_type, .count = 8
	};
	struct memory m = { .first = 0 };
	for (int i = 0; i < 64; i++)
		m.bytes[1][i] = i >= 24 && i < 32 ? 1 : 0;
	for (uint64_t window = 1; window < 70; window++) {
		m.size = 64;
		assert_string_equal(told_in(&m, &doubles, 64, window), "[3]@24:8");
	}
}

static void an_array_without_end_costs_what_differs(void **state)
{
	(void)state;
	static const struct value_type row = {
		.kind = TYPE_ARRAY, .size = 1 << 12, .element = &int_type, .count = 1 << 10
	};
	static const struct value_type huge = {
		.kind = TYPE_ARRAY, .size = UINT64_MAX, .element = &row, .count = UINT64_C(1) << 60
	};
	struct memory m = { .first = UINT64_C(1) << 50, .size = 512 };
	m.bytes[1][4] = 1;
	assert_string_equal(told(&m, &huge), "[274877906944][1]@1125899906842628:4");
	static const struct value_type nothing = { .kind = TYPE_STRUCT, .size = 0, .name = "nothing" };
	static const struct value_type none = {
		.kind = TYPE_ARRAY, .size = 0, .element = &nothing, .count = UINT64_C(1) << 60
	};
	struct memory other = { .size = 8 };
	other.bytes[1][4] = 1;
	assert_string_equal(told_in(&other, &none, 8, 4096), "");
}

static void bits_are_counted_as_the_byte_order_does(void **state)
{
	(void)state;
	const uint8_t little[] = { 0xf5, 0x03, 0x00 }, big[] = { 0xaf, 0xc0, 0x00 };
	assert_int_equal(value_bits(little, 0, 3, false), 5);
	assert_int_equal(value_bits(little, 3, 5, false), 0x1e);
	assert_int_equal(value_bits(little, 4, 6, false), 0x3f);
	assert_int_equal(value_bits(big, 0, 3, true), 5);
	assert_int_equal(value_bits(big, 3, 5, true), 0xf);
	assert_int_equal(value_bits(big, 4, 6, true), 0x3f);
	assert_true(value_number(big, 3, true) == 0xafc000 && value_number(big, 3, false) == 0xc0af);
}

static void only_the_bit_fields_that_differ_are_told(void **state)
{
	(void)state;
	static const struct value_member members[] = {
		{ .name = "a", .type = &unsigned_type, .bit_offset = 0, .bit_size = 3 },
		{ .name = "b", .type = &unsigned_type, .bit_offset = 3, .bit_size = 5 },
		{ .name = "c", .type = &unsigned_type, .bit_offset = 8, .bit_size = 24 },
	};
	static const struct value_type bits = { .kind = TYPE_STRUCT, .size = 4, .name = "bits", MEMBERS(members) };
	struct memory m = { .first = 0 };
	m.bytes[1][0] = 0x08;
	assert_string_equal(told(&m, &bits), ".b@0:1");
	m.bytes[1][0] = 0x04;
	m.bytes[1][3] = 1;
	for (uint64_t window = 1; window < 5; window++)
		assert_string_equal(told_in(&m, &bits, 4, window), ".a@0:1 .c@1:3");
	m.bytes[1][1] = 1;
	assert_string_equal(told_in(&m, &bits, 4, 1), ".a@0:1 .c@1:3");
}

static void all_members_of_a_union_changed(void **state)
{
	(void)state;
	static const struct value_member members[] = { { .name = "i", .type = &int_type },
		                                       { .name = "d", .type = &double_type } };
	static const struct value_type either = { .kind = TYPE_UNION, .size = 8, .name = "u", MEMBERS(members) };
	struct memory m = { .first = 0 };
	m.bytes[1][0] = 1;
	assert_string_equal(told(&m, &either), ".i@0:4 .d@0:8");
	m.bytes[1][0] = 0;
	m.bytes[1][7] = 1;
	assert_string_equal(told(&m, &either), ".d@0:8");
}

static void members_without_a_name_and_bases_are_passed_through(void **state)
{
	(void)state;
	static const struct value_member inner[] = { { .name = "y", .type = &int_type } };
	static const struct value_type inner_type = { .kind = TYPE_STRUCT, .size = 4, .name = "Base", MEMBERS(inner) };
	static const struct value_member outer[] = {
		{ .name = "", .type = &inner_type },
		{ .name = "Base", .type = &inner_type, .offset = 4, .is_base = true }
	};
	static const struct value_type type = { .kind = TYPE_STRUCT, .size = 8, .name = "D", MEMBERS(outer) };
	struct memory m = { .first = 0 };
	m.bytes[1][0] = m.bytes[1][4] = 1;
	assert_string_equal(told(&m, &type), ".y@0:4 .Base::y@4:4");
}

static void a_flexible_array_reaches_to_the_end_of_the_variable(void **state)
{
	(void)state;
	static const struct value_type items = { .kind = TYPE_ARRAY, .size = 0, .element = &int_type };
	static const struct value_member members[] = { { .name = "n", .type = &int_type },
		                                       { .name = "items", .type = &items, .offset = 4 } };
	static const struct value_type type = { .kind = TYPE_STRUCT, .size = 4, .name = "flex", MEMBERS(members) };
	struct memory m = { .size = 20 };
	m.bytes[1][16] = 1;
	assert_string_equal(told_in(&m, &type, 20, 4096), ".items[3]@16:4");
	/* In between it has none. */
	static const struct value_member middle[] = { { .name = "items", .type = &items },
		                                      { .name = "n", .type = &int_type } };
	static const struct value_type other = { .kind = TYPE_STRUCT, .size = 4, .name = "odd", MEMBERS(middle) };
	struct memory n = { .size = 4 };
	n.bytes[1][0] = 1;
	assert_string_equal(told_in(&n, &other, 4, 4096), ".items[0]@0:4 .n@0:4");
}

static void text_is_told_whole_or_by_its_changed_part(void **state)
{
	(void)state;
	static const struct value_type text = { .kind = TYPE_ARRAY, .size = 200, .element = &char_type, .count = 200 };
	struct memory m = { .first = 0 };
	strcpy((char *)m.bytes[0], "hello");
	strcpy((char *)m.bytes[1], "hallo");
	assert_string_equal(told(&m, &text), "@0:200t");
	memset(m.bytes[0], 'a', 100);
	memset(m.bytes[1], 'a', 100);
	m.bytes[1][50] = 'b';
	assert_string_equal(told(&m, &text), "[42..58]@42:17t");
	m.bytes[1][50] = 'a';
	m.bytes[1][150] = 7; /* behind the end of the text */
	assert_string_equal(told(&m, &text), "[150]@150:1");
	memset(m.bytes, 0, sizeof(m.bytes));
	m.bytes[1][3] = 1; /* no text */
	m.bytes[1][4] = 0xff;
	m.bytes[1][100] = 2;
	m.bytes[1][0] = 'a';
	assert_string_equal(told(&m, &text), "@0:200t [3..4]@3:2b [100]@100:1");
}

static void bytes_that_no_type_knows_are_told_in_runs(void **state)
{
	(void)state;
	static const struct value_type raw = { .kind = TYPE_BYTES, .size = 100, .name = "?" };
	struct memory m = { .first = 0 };
	m.bytes[1][10] = m.bytes[1][13] = m.bytes[1][50] = 1;
	assert_string_equal(told(&m, &raw), "+10@10:4b +50@50:1b");
	static const struct value_type eight = { .kind = TYPE_BYTES, .size = 8, .name = "?" };
	struct memory n = { .first = 0 };
	n.bytes[1][7] = 1;
	assert_string_equal(told(&n, &eight), "@0:8");
	/* Of a class with a virtual base: what none of its members is. */
	static const struct value_member members[] = { { .name = "a", .type = &int_type } };
	static const struct value_type odd = {
		.kind = TYPE_STRUCT, .size = 8, .name = "odd", .incomplete = true, MEMBERS(members)
	};
	n.bytes[1][0] = 1;
	assert_string_equal(told(&n, &odd), ".a@0:4 +7@7:1b");
}

static void a_variant_is_told_by_what_it_is(void **state)
{
	(void)state;
	static const struct value_member busy[] = { { .name = "__0", .type = &int_type, .offset = 4 } };
	static const struct value_type busy_type = { .kind = TYPE_STRUCT, .size = 8, .name = "Busy", MEMBERS(busy) };
	static const struct value_member members[] = { { .name = "", .type = &int_type },
		                                       { .name = "Busy", .type = &busy_type, .value = 1 },
		                                       { .name = "Idle", .type = &busy_type, .is_default = true } };
	static const struct value_type type = { .kind = TYPE_VARIANT, .size = 8, .name = "", MEMBERS(members) };
	struct memory m = { .first = 0 };
	m.bytes[0][0] = m.bytes[1][0] = 1;
	m.bytes[1][4] = 5;
	assert_string_equal(told(&m, &type), ".Busy.__0@4:4");
	m.bytes[1][0] = 2;
	assert_string_equal(told(&m, &type), "@0:4");
}

static void a_part_that_is_not_known_as_a_whole_is_told_all_the_same(void **state)
{
	(void)state;
	struct memory m = { .size = 8, .known_from = 4 };
	m.bytes[1][6] = 1;
	assert_string_equal(told_in(&m, &double_type, 8, 4), "@0:8");
}

static void crafted_types_come_to_an_end(void **state)
{
	(void)state;
	/* Each member is as large as all, and there are as many at each depth. */
	static struct value_member members[8][8];
	static struct value_type types[9];
	types[0] = int_type;
	for (int depth = 1; depth < 9; depth++) {
		for (int i = 0; i < 8; i++)
			members[depth - 1][i] = (struct value_member){ .name = "m", .type = &types[depth - 1] };
		types[depth] = (struct value_type){
			.kind = TYPE_STRUCT, .size = 4, .name = "s", .members = members[depth - 1], .member_count = 8
		};
	}
	struct memory m = { .size = 4 };
	struct value_walk walk = { .type = &types[8], .size = 4, .read = read_bytes, .emit = tell, .ctx = &m };
	m.bytes[1][0] = 1;
	m.told_len = 0;
	walk.end = 4;
	walk.bytes[0] = m.bytes[0];
	walk.bytes[1] = m.bytes[1];
	walk.steps = 100;
	value_walk_window(&walk);
	assert_int_equal(walk.steps, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scalars_and_members_are_told_by_path),
		cmocka_unit_test(what_lies_across_windows_is_told_once),
		cmocka_unit_test(an_array_without_end_costs_what_differs),
		cmocka_unit_test(bits_are_counted_as_the_byte_order_does),
		cmocka_unit_test(only_the_bit_fields_that_differ_are_told),
		cmocka_unit_test(all_members_of_a_union_changed),
		cmocka_unit_test(members_without_a_name_and_bases_are_passed_through),
		cmocka_unit_test(a_flexible_array_reaches_to_the_end_of_the_variable),
		cmocka_unit_test(text_is_told_whole_or_by_its_changed_part),
		cmocka_unit_test(bytes_that_no_type_knows_are_told_in_runs),
		cmocka_unit_test(a_variant_is_told_by_what_it_is),
		cmocka_unit_test(a_part_that_is_not_known_as_a_whole_is_told_all_the_same),
		cmocka_unit_test(crafted_types_come_to_an_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
