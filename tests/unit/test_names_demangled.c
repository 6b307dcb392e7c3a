/* Symbols of other languages, from the file to what is printed. */
#define _GNU_SOURCE
#include "names_make.h"

#define LIB "/lib/libmade.so"
#define NEW "_RINvNtC4shop5stock5countTjjjjjjjjjjjjjjjjjjjjjjjjEE"

/* Of Rust, for which nothing need be installed. */
static const struct lib_symbol SYMBOLS[] = {
	{ "_ZN4shop6orders17h0123456789abcdefE", 0x3e10, 8, STB_GLOBAL, STT_OBJECT, SEC_DATA },
	{ NEW, 0x3e18, 8, STB_LOCAL, STT_OBJECT, SEC_DATA },
	{ "counter", 0x3e20, 8, STB_GLOBAL, STT_OBJECT, SEC_DATA },
};
enum { ORDERS = BASE + 0x3e10 };

struct world {
	struct vmsnap *snap;
	struct vmsnap_names *names;
	char text[65536];
	size_t len;
};

static int keep(void *ctx, const char *text, size_t len)
{
	struct world *world = ctx;
	assert_true(world->len + len < sizeof(world->text));
	memcpy(world->text + world->len, text, len);
	world->len += len;
	world->text[world->len] = '\0';
	return 0;
}

static void look(struct place *place, struct world *world)
{
	struct lib lib = { SYMBOLS, sizeof(SYMBOLS) / sizeof(*SYMBOLS), .id = 0x11 };
	place_lib(place, LIB, &lib);
	memset(world, 0, sizeof(*world));
	world->snap = made_snapshot();
	made_mapping(world->snap, BASE, LIB, 0x11);
	world->names = made_names(world->snap, place->root);
}

static void look_away(struct world *world)
{
	vmsnap_names_free(world->names);
	vmsnap_unref(world->snap);
}

static const char *printed(struct world *world, bool json)
{
	struct vmsnap_output out = { .size = sizeof(out), .write = keep, .ctx = world };
	out.style.size = sizeof(out.style);
	out.style.json = json;
	world->len = 0;
	assert_int_equal(vmsnap_print_page(world->snap, world->names, ORDERS, &out, NULL), VMSNAP_OK);
	return world->text;
}

static void expect_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("%s is not in %s", part, text);
}

static void people_are_told_names_of_the_language(void **state)
{
	struct world *world = malloc(sizeof(*world));
	look(*state, world);
	const char *text = printed(world, false);
	expect_has(text, "name        shop::orders (8 bytes) in " LIB "\n");
	expect_has(text, "  shop::stock::count::<...> (8 bytes)\n");
	expect_has(text, "  counter (8 bytes)\n");
	assert_null(strstr(text, "_ZN"));
	look_away(world);
	free(world);
}

static void json_has_both(void **state)
{
	struct world *world = malloc(sizeof(*world));
	look(*state, world);
	const char *text = printed(world, true);
	expect_has(text, "{\"symbol\": \"_ZN4shop6orders17h0123456789abcdefE\", \"offset\": 0, ");
	expect_has(text, "\"tid\": null, \"demangled\": \"shop::orders\"}");
	expect_has(text, "\"demangled\": \"shop::stock::count::<(usize, usize, ");
	expect_has(text, "\"tid\": null, \"demangled\": null}");
	look_away(world);
	free(world);
}

static void who_wants_it_is_told_what_files_have(void **state)
{
	struct world *world = malloc(sizeof(*world));
	look(*state, world);
	assert_string_equal(vmsnap_names_demangle(world->names, "_RNvC4shop4sold"), "shop::sold");
	vmsnap_names_set_demangled(world->names, false);
	assert_null(vmsnap_names_demangle(world->names, "_RNvC4shop4sold"));
	expect_has(printed(world, false), "name        _ZN4shop6orders17h0123456789abcdefE (8 bytes) in " LIB "\n");
	expect_has(printed(world, true), "\"demangled\": null}");
	assert_null(strstr(world->text, "shop::"));
	/* And so it stays for the next snapshot. */
	struct vmsnap *second = made_snapshot();
	made_mapping(second, BASE, LIB, 0x11);
	assert_int_equal(vmsnap_names_rebind(world->names, second, NULL), VMSNAP_OK);
	assert_null(vmsnap_names_demangle(world->names, "_RNvC4shop4sold"));
	vmsnap_names_set_demangled(world->names, true);
	assert_string_equal(vmsnap_names_demangle(world->names, "_RNvC4shop4sold"), "shop::sold");
	vmsnap_unref(second);
	look_away(world);
	free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(people_are_told_names_of_the_language, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(json_has_both, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(who_wants_it_is_told_what_files_have, place_setup, place_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
