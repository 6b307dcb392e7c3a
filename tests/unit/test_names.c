/* Addresses to names, in libraries and mappings made by hand. */
#define _GNU_SOURCE
#include "names_make.h"

#define LIB "/lib/libmade.so"

static const struct lib_symbol SYMBOLS[] = {
	{ "work", 0x500, 0x100, STB_GLOBAL, STT_FUNC, SEC_TEXT },
	{ "label", 0x700, 0, STB_LOCAL, STT_NOTYPE, SEC_TEXT },
	{ "inner_label", 0x510, 0, STB_LOCAL, STT_NOTYPE, SEC_TEXT },
	{ "after", 0x800, 0x10, STB_GLOBAL, STT_GNU_IFUNC, SEC_TEXT },
	{ "weak_alias", 0x3e10, 8, STB_WEAK, STT_OBJECT, SEC_DATA },
	{ "answer", 0x3e10, 8, STB_GLOBAL, STT_OBJECT, SEC_DATA },
	{ "local_alias", 0x3e10, 8, STB_LOCAL, STT_OBJECT, SEC_DATA },
	{ "data_start", 0x3e00, 0, STB_GLOBAL, STT_NOTYPE, SEC_DATA },
	{ "unsized_twin", 0x3e10, 0, STB_GLOBAL, STT_NOTYPE, SEC_DATA },
	{ "across", 0x3f00, 0x180, STB_LOCAL, STT_OBJECT, SEC_DATA },
	{ "bss_tail", 0x4200, 4, STB_LOCAL, STT_OBJECT, SEC_BSS },
	{ "big", 0x4800, 0x3000, STB_GLOBAL, STT_OBJECT, SEC_BSS },
	{ "big_field", 0x5800, 0x10, STB_LOCAL, STT_OBJECT, SEC_BSS },
	{ "last", 0x8000, 0x100, STB_GLOBAL, STT_OBJECT, SEC_BSS },
	{ "_end", 0x9000, 0, STB_GLOBAL, STT_NOTYPE, SEC_BSS },
	{ "thread_local", 0x3e10, 0x1000, STB_GLOBAL, STT_TLS, SEC_DATA },
	{ "file.c", 0x500, 0x1000, STB_LOCAL, STT_FILE, SHN_ABS },
	{ "imported", 0x8200, 0x100, STB_GLOBAL, STT_OBJECT, SHN_UNDEF },
	{ "absolute", 0x8200, 0x100, STB_GLOBAL, STT_OBJECT, SHN_ABS },
	{ "outside", 0x20000, 0x100, STB_GLOBAL, STT_OBJECT, SEC_BSS },
};
static const struct lib MADE = { SYMBOLS, sizeof(SYMBOLS) / sizeof(*SYMBOLS), .id = 0xaa };

static struct fixture fixture_new(struct place *place)
{
	struct fixture f = { .snap = made_snapshot() };
	place_lib(place, LIB, &MADE);
	made_mapping(f.snap, BASE, LIB, MADE.id);
	f.names = made_names(f.snap, place->root);
	return f;
}

static void name_at_tells_symbol_kind_place_and_object(void **state)
{
	struct fixture f = fixture_new(*state);
	struct vmsnap_name name;
	assert_int_equal(vmsnap_name_at(f.names, BASE + 0x580, &name), VMSNAP_OK);
	assert_int_equal(name.kind, VMSNAP_NAME_FUNCTION);
	assert_string_equal(name.symbol, "work");
	assert_string_equal(name.object, LIB);
	assert_true(name.address == BASE + 0x500 && name.size == 0x100);
	assert_int_equal(vmsnap_name_at(f.names, BASE + 0x3e17, &name), VMSNAP_OK);
	assert_int_equal(name.kind, VMSNAP_NAME_OBJECT);
	assert_string_equal(name.symbol, "answer");
	assert_int_equal(vmsnap_name_at(f.names, BASE + 0x800, &name), VMSNAP_OK);
	assert_int_equal(name.kind, VMSNAP_NAME_FUNCTION);
	assert_int_equal(vmsnap_name_at(f.names, BASE + 0x3e18, &name), VMSNAP_OK);
	assert_int_equal(name.kind, VMSNAP_NAME_MAPPING);
	assert_null(name.symbol);
	assert_string_equal(name.object, LIB);
	assert_int_equal(vmsnap_name_at(f.names, BASE + 0x2000, &name), VMSNAP_ERR_NOT_FOUND);
	fixture_free(f);
}

static void symbol_without_size_names_up_to_the_next(void **state)
{
	struct fixture f = fixture_new(*state);
	struct vmsnap_name name;
	assert_int_equal(vmsnap_name_at(f.names, BASE + 0x7ff, &name), VMSNAP_OK);
	assert_string_equal(name.symbol, "label");
	assert_int_equal(name.kind, VMSNAP_NAME_OTHER_SYMBOL);
	assert_true(name.size == 0);
	assert_string_equal(symbol_at(f.names, BASE + 0x810), "");
	assert_string_equal(symbol_at(f.names, BASE + 0x520), "work"); /* not inner_label */
	assert_string_equal(symbol_at(f.names, BASE + 0x3e00), "");    /* not data_start */
	fixture_free(f);
}

static void bss_is_named_in_the_file_page_and_behind_it(void **state)
{
	struct fixture f = fixture_new(*state);
	struct vmsnap_name name;
	assert_string_equal(symbol_at(f.names, BASE + 0x4203), "bss_tail");
	assert_string_equal(symbol_at(f.names, BASE + 0x4fff), "big");
	assert_string_equal(symbol_at(f.names, BASE + 0x5000), "big");
	assert_string_equal(symbol_at(f.names, BASE + 0x5808), "big_field");
	assert_string_equal(symbol_at(f.names, BASE + 0x5810), "big");
	assert_string_equal(symbol_at(f.names, BASE + 0x80ff), "last");
	assert_int_equal(vmsnap_name_at(f.names, BASE + 0x8200, &name), VMSNAP_OK);
	assert_int_equal(name.kind, VMSNAP_NAME_MAPPING);
	assert_string_equal(name.object, LIB);
	fixture_free(f);
}

static void names_in_finds_symbols_that_begin_pages_before(void **state)
{
	struct fixture f = fixture_new(*state);
	expect_names_in(f.names, BASE + 0x6000, BASE + 0x7000, "big");
	expect_names_in(f.names, BASE + 0x5000, BASE + 0x6000, "big big_field");
	expect_names_in(f.names, BASE + 0x7800, BASE + 0x8000, "");
	expect_names_in(f.names, BASE + 0x4000, BASE + 0x5000, "across bss_tail big");
	fixture_free(f);
}

static void names_in_tells_each_symbol_once_and_in_order(void **state)
{
	struct fixture f = fixture_new(*state);
	expect_names_in(f.names, 0, UINT64_MAX, "work label after answer across bss_tail big big_field last");
	expect_names_in(f.names, BASE + 0x4f00, BASE + 0x5100, "big");
	expect_names_in(f.names, BASE + 0x9000, UINT64_MAX, "");
	expect_names_in(f.names, BASE + 0x5000, BASE + 0x5000, "");
	fixture_free(f);
}

static bool stop_at_once(void *ctx, const struct vmsnap_name *name)
{
	(void)name;
	++*(int *)ctx;
	return false;
}

static void names_in_stops_when_told(void **state)
{
	struct fixture f = fixture_new(*state);
	int calls = 0;
	assert_int_equal(vmsnap_names_in(f.names, 0, UINT64_MAX, stop_at_once, &calls, NULL), VMSNAP_OK);
	assert_int_equal(calls, 1);
	fixture_free(f);
}

static void segment_at_tells_header_section_and_file_address(void **state)
{
	struct fixture f = fixture_new(*state);
	struct vmsnap_segment segment;
	assert_int_equal(vmsnap_segment_at(f.names, BASE + 0x500, &segment), VMSNAP_OK);
	assert_string_equal(segment.section, ".text");
	assert_true(segment.index == 0 && segment.perms == (VMSNAP_PERM_READ | VMSNAP_PERM_EXEC) &&
	            segment.elf_address == 0x500);
	assert_int_equal(vmsnap_segment_at(f.names, BASE + 0x3e20, &segment), VMSNAP_OK);
	assert_string_equal(segment.section, ".data");
	assert_true(segment.index == 1 && segment.perms == (VMSNAP_PERM_READ | VMSNAP_PERM_WRITE));
	assert_int_equal(vmsnap_segment_at(f.names, BASE + 0x7000, &segment), VMSNAP_OK);
	assert_string_equal(segment.section, ".bss");
	assert_true(segment.elf_address == 0x7000);
	assert_int_equal(vmsnap_segment_at(f.names, BASE + 0x10, &segment), VMSNAP_OK);
	assert_string_equal(segment.section, "");
	assert_int_equal(vmsnap_segment_at(f.names, BASE + 0x2800, &segment), VMSNAP_ERR_NOT_FOUND);
	fixture_free(f);
}

static void mapping_put_over_a_library_is_not_named_from_it(void **state)
{
	struct place *place = *state;
	struct vmsnap *snap = made_snapshot();
	place_lib(place, LIB, &MADE);
	made_file_vma(snap, BASE, BASE + 0x2000, VMSNAP_PERM_READ | VMSNAP_PERM_EXEC, LIB, 0, 0xaa);
	made_vma(snap, BASE + 0x3000, BASE + 0x4000, VMSNAP_PERM_READ, ""); /* over the first page of .data */
	made_file_vma(snap, BASE + 0x4000, BASE + 0x5000, VMSNAP_PERM_READ | VMSNAP_PERM_WRITE, LIB, 0x2000, 0xaa);
	made_vma(snap, BASE + 0x5000, BASE + 0x6000, VMSNAP_PERM_READ | VMSNAP_PERM_WRITE, "");
	made_file_vma(snap, BASE + 0x6000, BASE + 0x7000, VMSNAP_PERM_READ, "/data", 0, 0)->inode = 8;
	made_vma(snap, BASE + 0x7000, BASE + LIB_END, VMSNAP_PERM_READ | VMSNAP_PERM_WRITE, "");
	struct vmsnap_names *names = made_names(snap, place->root);
	assert_null(symbol_at(names, BASE + 0x3e10));
	assert_string_equal(symbol_at(names, BASE + 0x4000), "across");
	assert_string_equal(symbol_at(names, BASE + 0x5000), "big");
	assert_string_equal(symbol_at(names, BASE + 0x6000), "");
	assert_string_equal(symbol_at(names, BASE + 0x7000), "big");
	expect_names_in(names, BASE + 0x4000, BASE + LIB_END, "across bss_tail big big_field last");
	vmsnap_names_free(names);
	vmsnap_unref(snap);
}

static void library_mapped_twice_is_named_at_both_places(void **state)
{
	struct place *place = *state;
	struct vmsnap *snap = made_snapshot();
	place_lib(place, LIB, &MADE);
	made_mapping(snap, BASE, LIB, 0xaa);
	made_mapping(snap, BASE + 0x100000, LIB, 0xaa);
	struct vmsnap_names *names = made_names(snap, place->root);
	struct vmsnap_name name;
	assert_int_equal(vmsnap_name_at(names, BASE + 0x103e10, &name), VMSNAP_OK);
	assert_true(name.address == BASE + 0x103e10);
	assert_int_equal(vmsnap_name_at(names, BASE + 0x3e10, &name), VMSNAP_OK);
	assert_true(name.address == BASE + 0x3e10);
	assert_string_equal(symbol_at(names, BASE + 0x106000), "big");
	vmsnap_names_free(names);
	vmsnap_unref(snap);
}

static void library_known_by_its_data_alone_is_placed(void **state)
{
	struct place *place = *state;
	struct vmsnap *snap = made_snapshot();
	place_lib(place, LIB, &MADE);
	made_file_vma(snap, BASE + 0x3000, BASE + 0x5000, VMSNAP_PERM_READ | VMSNAP_PERM_WRITE, LIB, 0x1000, 0xaa);
	struct vmsnap_names *names = made_names(snap, place->root);
	assert_string_equal(symbol_at(names, BASE + 0x3e10), "answer");
	vmsnap_names_free(names);
	vmsnap_unref(snap);
}

static const struct lib_symbol ON_THE_SHARED_PAGE[] = {
	{ "code", 0x1100, 0x10, STB_GLOBAL, STT_FUNC, SEC_TEXT },
	{ "datum", 0x3e10, 8, STB_GLOBAL, STT_OBJECT, SEC_DATA },
};

/* One page of the file, mapped alone, may be of either segment. */
static void expect_shared_page(struct place *place, uint32_t perms, const char *code, const char *datum)
{
	struct lib lib = { ON_THE_SHARED_PAGE, 2, .id = 0xaa };
	struct vmsnap *snap = made_snapshot();
	place_lib(place, LIB, &lib);
	made_file_vma(snap, BASE, BASE + 0x1000, perms, LIB, 0x1000, 0xaa);
	struct vmsnap_names *names = made_names(snap, place->root);
	assert_string_equal(symbol_at(names, BASE + 0x100), code);
	assert_string_equal(symbol_at(names, BASE + 0xe10), datum);
	vmsnap_names_free(names);
	vmsnap_unref(snap);
}

static void page_of_two_segments_is_told_by_its_permissions(void **state)
{
	expect_shared_page(*state, VMSNAP_PERM_READ | VMSNAP_PERM_EXEC, "code", "");
	expect_shared_page(*state, VMSNAP_PERM_READ | VMSNAP_PERM_WRITE, "", "datum");
	expect_shared_page(*state, VMSNAP_PERM_READ, "", "datum");
}

static void page_of_two_segments_is_told_by_the_other_mappings(void **state)
{
	struct place *place = *state;
	struct lib lib = { ON_THE_SHARED_PAGE, 2, .id = 0xaa };
	struct vmsnap *snap = made_snapshot();
	place_lib(place, LIB, &lib);
	made_file_vma(snap, BASE, BASE + 0x2000, VMSNAP_PERM_READ | VMSNAP_PERM_EXEC, LIB, 0, 0xaa);
	/* Data that was made executable. */
	made_file_vma(snap, BASE + 0x3000, BASE + 0x4000, VMSNAP_PERM_READ | VMSNAP_PERM_EXEC, LIB, 0x1000, 0xaa);
	struct vmsnap_names *names = made_names(snap, place->root);
	assert_string_equal(symbol_at(names, BASE + 0x3e10), "datum");
	assert_string_equal(symbol_at(names, BASE + 0x3100), "");
	assert_string_equal(symbol_at(names, BASE + 0x1100), "code");
	vmsnap_names_free(names);
	vmsnap_unref(snap);
}

static void program_at_fixed_addresses_is_nowhere_else(void **state)
{
	struct place *place = *state;
	static uint8_t bytes[LIB_BYTES];
	struct vmsnap *snap = made_snapshot();
	lib_make(bytes, &MADE);
	memcpy(bytes + offsetof(Elf64_Ehdr, e_type), &(Elf64_Half){ ET_EXEC }, sizeof(Elf64_Half));
	place_write(place, LIB, bytes, sizeof(bytes));
	made_mapping(snap, 0, LIB, 0xaa);
	made_mapping(snap, BASE, LIB, 0xaa); /* somebody reads the file */
	struct vmsnap_names *names = made_names(snap, place->root);
	assert_string_equal(symbol_at(names, 0x3e10), "answer");
	assert_string_equal(symbol_at(names, BASE + 0x3e10), "");
	vmsnap_names_free(names);
	vmsnap_unref(snap);
}

static void file_read_as_data_has_no_symbols(void **state)
{
	struct place *place = *state;
	struct vmsnap *snap = made_snapshot();
	place_lib(place, LIB, &MADE);
	made_file_vma(snap, BASE, BASE + LIB_BYTES, VMSNAP_PERM_READ, LIB, 0, 0xaa);
	struct vmsnap_names *names = made_names(snap, place->root);
	assert_string_equal(symbol_at(names, BASE + 0x500), "");
	expect_names_in(names, 0, UINT64_MAX, "");
	vmsnap_names_free(names);
	vmsnap_unref(snap);
}

static void bss_that_joined_the_heap_is_named(void **state)
{
	struct place *place = *state;
	struct vmsnap *snap = made_snapshot();
	place_lib(place, LIB, &MADE);
	made_mapping(snap, BASE, LIB, 0xaa);
	snap->vmas[2].end = BASE + 0x30000;
	snap->vmas[2].name = "[heap]";
	struct vmsnap_names *names = made_names(snap, place->root);
	struct vmsnap_name name;
	assert_string_equal(symbol_at(names, BASE + 0x5000), "big");
	assert_int_equal(vmsnap_name_at(names, BASE + LIB_END, &name), VMSNAP_OK);
	assert_string_equal(name.object, "[heap]");
	assert_int_equal(name.kind, VMSNAP_NAME_MAPPING);
	vmsnap_names_free(names);
	vmsnap_unref(snap);
}

static void mappings_are_named_and_nameless_memory_is_not_found(void **state)
{
	(void)state;
	static const char *const named[] = { "[heap]", "[stack]",     "[vdso]",
		                             "[vvar]", "[anon:pool]", "/dev/zero (deleted)" };
	struct vmsnap *snap = made_snapshot();
	struct vmsnap_name name;
	uint64_t at = BASE;
	for (size_t i = 0; i < 6; i++, at += 0x2000)
		made_vma(snap, at, at + 0x1000, VMSNAP_PERM_READ, named[i]);
	made_vma(snap, at, at + 0x1000, VMSNAP_PERM_READ, "");
	struct vmsnap_names *names = made_names(snap, NULL);
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(vmsnap_name_at(names, BASE + i * 0x2000 + 5, &name), VMSNAP_OK);
		assert_int_equal(name.kind, VMSNAP_NAME_MAPPING);
		assert_null(name.symbol);
		assert_string_equal(name.object, named[i]);
		assert_true(name.address == BASE + i * 0x2000 && name.size == 0x1000);
		assert_int_equal(vmsnap_name_at(names, BASE + i * 0x2000 + 0x1000, &name), VMSNAP_ERR_NOT_FOUND);
	}
	assert_int_equal(vmsnap_name_at(names, at, &name), VMSNAP_ERR_NOT_FOUND);
	assert_string_equal(vmsnap_names_warning(names), "");
	vmsnap_names_free(names);
	vmsnap_unref(snap);
}

#define T(name) cmocka_unit_test_setup_teardown(name, place_setup, place_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(name_at_tells_symbol_kind_place_and_object),
		T(symbol_without_size_names_up_to_the_next),
		T(bss_is_named_in_the_file_page_and_behind_it),
		T(names_in_finds_symbols_that_begin_pages_before),
		T(names_in_tells_each_symbol_once_and_in_order),
		T(names_in_stops_when_told),
		T(segment_at_tells_header_section_and_file_address),
		T(mapping_put_over_a_library_is_not_named_from_it),
		T(library_mapped_twice_is_named_at_both_places),
		T(library_known_by_its_data_alone_is_placed),
		T(page_of_two_segments_is_told_by_its_permissions),
		T(page_of_two_segments_is_told_by_the_other_mappings),
		T(program_at_fixed_addresses_is_nowhere_else),
		T(file_read_as_data_has_no_symbols),
		T(bss_that_joined_the_heap_is_named),
		T(mappings_are_named_and_nameless_memory_is_not_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
