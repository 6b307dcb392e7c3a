/* How much is kept of files that a process may have made for that: over all of them, and
 * of one in which a hundred thousand symbols share a long name. */
#define _GNU_SOURCE
#include "names_make.h"

#include "names_object.h"
#include "test_time.h"

enum { SHARED_LEN = 17000, SHARED_COUNT = 100000, TABLE_AT = LIB_BYTES };

/* Each symbol's name is an end of the same len letters.  They lie in the first 4 KiB of
 * .text, all at different addresses or of different sizes, or all in one place. */
static void place_bomb(struct place *place, const char *name, uint8_t id, size_t count, size_t len, bool one_place)
{
	size_t table = (count + 1) * sizeof(Elf64_Sym), total = TABLE_AT + table + len + 2;
	uint8_t *bytes = calloc(1, total);
	struct lib lib = { .id = id };
	assert_non_null(bytes);
	lib_make(bytes, &lib);
	lib_section_at(bytes, SEC_SYMTAB)->sh_offset = TABLE_AT;
	lib_section_at(bytes, SEC_SYMTAB)->sh_size = table;
	lib_section_at(bytes, SEC_STRTAB)->sh_offset = TABLE_AT + table;
	lib_section_at(bytes, SEC_STRTAB)->sh_size = len + 2;
	memset(bytes + TABLE_AT + table + 1, 'a', len);
	for (size_t i = 0; i < count; i++) {
		Elf64_Sym sym = { .st_name = (Elf64_Word)(1 + i % len),
			          .st_value = 0x400 + (one_place ? 0 : i % 4096),
			          .st_size = 1 + (one_place ? 0 : i / 4096),
			          .st_info = STB_GLOBAL << 4 | STT_OBJECT,
			          .st_shndx = SEC_TEXT };
		memcpy(bytes + TABLE_AT + (i + 1) * sizeof(sym), &sym, sizeof(sym));
	}
	place_write(place, name, bytes, total);
	free(bytes);
}

static void bombs(struct place *place, struct vmsnap *snap, struct objects *objects)
{
	place_bomb(place, "/lib/a.so", 0x11, SHARED_COUNT, SHARED_LEN, false);
	place_bomb(place, "/lib/b.so", 0x22, SHARED_COUNT, SHARED_LEN, false);
	made_mapping(snap, BASE, "/lib/a.so", 0x11);
	made_mapping(snap, BASE + 0x100000, "/lib/b.so", 0x22);
	snap->vmas[3].inode = snap->vmas[4].inode = 8;
	assert_int_equal(objects_init(objects, snap, place->root, NULL), VMSNAP_OK);
}

static const struct symbols *symbols_of(struct objects *objects, size_t vma)
{
	struct segment_range ranges[ELF_LOADS_MAX];
	return objects_segment_ranges(objects, vma, ranges) ? objects_symbols(objects, ranges[0].object) : NULL;
}

static void long_name_that_many_share_is_kept_once(void **state)
{
	struct vmsnap *snap = made_snapshot();
	struct objects objects;
	bombs(*state, snap, &objects);
	const struct symbols *symbols = symbols_of(&objects, 0);
	assert_non_null(symbols);
	assert_int_equal(symbols->count, SHARED_COUNT);
	assert_in_range(symbols->names.total, SHARED_LEN, 2 * SHARED_LEN);
	for (size_t i = 0; i < symbols->count; i += 997) {
		const struct symbol *item = &symbols->items[i];
		size_t index = item->start - 0x400 + (item->size - 1) * 4096;
		assert_int_equal(strlen(item->name), SHARED_LEN - index % SHARED_LEN);
	}
	assert_string_equal(objects.warnings ? objects.warnings : "", "");
	objects_free(&objects);
	vmsnap_unref(snap);
}

static void all_files_together_have_a_limit(void **state)
{
	static const char told[] = "/lib/b.so: with those of other files, its symbols would take too much memory; "
	                           "its names are left out";
	struct vmsnap *snap = made_snapshot();
	struct objects objects;
	bombs(*state, snap, &objects);
	assert_int_equal(objects.room, OBJECTS_BYTES_MAX);
	assert_non_null(symbols_of(&objects, 0));
	uint64_t one = OBJECTS_BYTES_MAX - objects.room;
	assert_in_range(one, SHARED_COUNT * sizeof(struct symbol), 20 * 1024 * 1024);
	objects.room = one - 100;
	assert_null(symbols_of(&objects, 3));
	assert_null(symbols_of(&objects, 3));
	assert_false(objects.no_memory);
	assert_string_equal(objects.warnings, told);
	assert_in_range(objects.room, one - 1000000, one - 100); /* the headers */
	/* What the next snapshot maps too is counted again; what failed is tried again. */
	assert_int_equal(objects_rebind(&objects, snap, NULL), VMSNAP_OK);
	assert_int_equal(objects.room, OBJECTS_BYTES_MAX - one);
	assert_non_null(symbols_of(&objects, 3));
	assert_int_equal(objects.room, OBJECTS_BYTES_MAX - 2 * one);
	assert_non_null(symbols_of(&objects, 0));
	assert_int_equal(objects.room, OBJECTS_BYTES_MAX - 2 * one);
	objects_free(&objects);
	vmsnap_unref(snap);
}

static void headers_count_too(void **state)
{
	struct vmsnap *snap = made_snapshot();
	struct objects objects;
	bombs(*state, snap, &objects);
	objects.room = 100;
	assert_null(symbols_of(&objects, 0));
	assert_int_equal(objects.room, 100);
	assert_string_equal(objects.warnings, "/lib/a.so: what is known of all files would take too much memory; "
	                                      "its names are left out");
	objects_free(&objects);
	vmsnap_unref(snap);
}

/* Sorting them would otherwise read a terabyte. */
static void megabytes_of_names_in_one_place_take_no_time(void **state)
{
	struct place *place = *state;
	struct vmsnap *snap = made_snapshot();
	place_bomb(place, "/lib/a.so", 0x11, SHARED_COUNT, 4 * 1024 * 1024, true);
	made_mapping(snap, BASE, "/lib/a.so", 0x11);
	struct vmsnap_names *names = made_names(snap, place->root);
	end_after(60);
	assert_in_range(strlen(symbol_at(names, BASE + 0x400)), 1024, 4 * 1024 * 1024);
	end_after(0);
	vmsnap_names_free(names);
	vmsnap_unref(snap);
}

#define T(name) cmocka_unit_test_setup_teardown(name, place_setup, place_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(long_name_that_many_share_is_kept_once),
		T(all_files_together_have_a_limit),
		T(headers_count_too),
		T(megabytes_of_names_in_one_place_take_no_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
