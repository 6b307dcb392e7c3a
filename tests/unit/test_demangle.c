#define _GNU_SOURCE
/* What symbols of C++ and Rust are called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "demangle.h"
#include "demangle_rust.h"

static struct demangler demangler;

static void expect(const char *symbol, const char *text)
{
	const char *found = demangle(&demangler, symbol);
	if (!text)
		assert_null(found);
	else if (!found)
		fail_msg("%s: expected %s", symbol, text);
	else
		assert_string_equal(found, text);
}

static void names_of_c_stay(void **state)
{
	(void)state;
	expect("", NULL);
	expect("counter", NULL);
	expect("_", NULL);
	expect("_start", NULL);
	expect("_Rest", NULL);
	expect("_Zero", NULL);
	expect("i", NULL); /* which stands for "int" where a type is expected */
}

static void names_of_cxx(void **state)
{
	(void)state;
	if (!demangle(&demangler, "_ZN4shop6ordersE"))
		skip(); /* no C++ runtime here */
	expect("_ZN4shop6ordersE", "shop::orders");
	expect("_ZN4shop3addEiPKc", "shop::add(int, char const*)");
	expect("_ZNSt6vectorIiSaIiEE9push_backERKi", "std::vector<int, std::allocator<int> >::push_back(int const&)");
	expect("_ZZ4mainE7counter", "main::counter");
	expect("_ZTV4Base", "vtable for Base");
	expect("_ZN12_GLOBAL__N_15countE", "(anonymous namespace)::count");
	expect("_ZN4shop6orders", NULL);
}

static void older_names_of_rust(void **state)
{
	(void)state;
	expect("_ZN4core3fmt9Formatter3pad17h0123456789abcdefE", "core::fmt::Formatter::pad");
	expect("_ZN71_$LT$Test$u20$$u2b$$u20$$u27$static$u20$as$u20$foo..Bar$LT$Test$GT$$GT$3bar17h930b740aa94f1d3aE",
	       "<Test + 'static as foo::Bar<Test>>::bar");
	expect("_ZN3foo17h05af221e174051e9E.llvm.12345", "foo");
	expect("_ZN4main11{{closure}}17h05af221e174051e9E", "main::{{closure}}");
}

/* From RFC 2603 and from rustc-demangle's own tests. */
static void new_names_of_rust(void **state)
{
	(void)state;
	expect("_RNvC6_123foo3bar", "123foo::bar");
	expect("_RNvNtC7mycrate3foo3bar", "mycrate::foo::bar");
	expect("_RNvNtNtCs1234_7mycrate3foo3bar3baz", "mycrate::foo::bar::baz");
	expect("_RNCNCNgCs6DXkGYLi8lr_2cc5spawn00B5_", "cc::spawn::{closure#0}::{closure#0}");
	expect("_RNCINkXs25_NgCsbmNqQUJIY6D_4core5sliceINyB9_4IterhENuNgNoBb_4iter8iterator8Iterator9rpositionNCNgNpB9_"
	       "6memchr7memrchrs_0E0Bb_",
	       "<core::slice::Iter<u8> as core::iter::iterator::Iterator>::rposition::<core::slice::memchr::memrchr::"
	       "{closure#1}>::{closure#0}");
	expect("_RINbNbCskIICzLVDPPb_5alloc5alloc8box_freeDINbNiB4_5boxed5FnBoxuEp6OutputuEL_ECs1iopQbuBiw2_3std",
	       "alloc::alloc::box_free::<dyn alloc::boxed::FnBox<(), Output = ()>>");
	expect("_RNqCs4fqI2P2rA04_11utf8_identsu30____7hkackfecea1cbdathfdh9hlq6y",
	       "utf8_idents::საჭმელად_გემრიელი_სადილი");
	expect("_RMC0INtC8arrayvec8ArrayVechKj7b_E", "<arrayvec::ArrayVec<u8, 123>>");
	expect("_RMCs4fqI2P2rA04_13const_genericINtB0_8UnsignedKhb_E", "<const_generic::Unsigned<11>>");
	expect("_RMCs4fqI2P2rA04_13const_genericINtB0_6SignedKs98_E", "<const_generic::Signed<152>>");
	expect("_RMCs4fqI2P2rA04_13const_genericINtB0_6SignedKanb_E", "<const_generic::Signed<-11>>");
	expect("_RMCs4fqI2P2rA04_13const_genericINtB0_4BoolKb0_E", "<const_generic::Bool<false>>");
	expect("_RMCs4fqI2P2rA04_13const_genericINtB0_4CharKc76_E", "<const_generic::Char<'v'>>");
	expect("_RNvMC0TTTTTTRReEE3foo", NULL); /* cut */
	expect("_RNvC9backtrace3foo.llvm.A5310EB9", "backtrace::foo");
	expect("_RNvYNtC7mycrate3FooNtC7mycrate3Bar3baz", "<mycrate::Foo as mycrate::Bar>::baz");
	expect("_RINvC3std4sizePNtB2_2TyE", "std::size::<*const std::Ty>");
	expect("_RINvC3std4sizeRShTmOxEAtj4_FEuFUKCE", NULL); /* cut */
	expect("_RINvC3std4sizeRShTmOxEAtj4_FEuFUKCEmE",
	       "std::size::<&[u8], (u32, *mut i64), [u16; 4], fn(), unsafe extern \"C\" fn() -> u32>");
	expect("_RINvC1f1gFG_RL0_hEuE", "f::g::<for<'a> fn(&'a u8)>");
	expect("_RINvC1f1gKo10000000000000000_E", "f::g::<0x10000000000000000>");
	expect("_RINvC1f1gKnn10000000000000000_E", "f::g::<-0x10000000000000000>");
}

/* ---- bombs ------------------------------------------------------------------------- */

static double seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Each template has the one before as both of its arguments: 2^levels of them. */
static void cxx_bomb(char *symbol, size_t room, int levels)
{
	size_t len = (size_t)snprintf(symbol, room, "_Z1fI1aS_");
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	for (int i = 0; i < levels; i++) {
		/* What came last has the highest number. */
		int number = 2 * i;
		char last[8] = "S_";
		if (number >= 36 + 1)
			snprintf(last, sizeof(last), "S%c%c_", digits[(number - 1) / 36], digits[(number - 1) % 36]);
		else if (number)
			snprintf(last, sizeof(last), "S%c_", digits[number - 1]);
		len += (size_t)snprintf(symbol + len, room - len, "1bI%s%sE", last, last);
	}
	snprintf(symbol + len, room - len, "Evv");
}

static void names_that_would_not_end_are_left(void **state)
{
	char symbol[1024];
	(void)state;
	double before = seconds();
	for (int levels = 1; levels < 70; levels++) {
		cxx_bomb(symbol, sizeof(symbol), levels);
		const char *text = demangle(&demangler, symbol);
		assert_true(!text || strlen(text) < DEMANGLED_MAX);
	}
	assert_true(demangled_bound(symbol) > UINT64_C(1) << 40);
	/* It would be years. */
	assert_true(seconds() - before < 60);
}

static void bound_holds(void **state)
{
	char symbol[1024];
	(void)state;
	for (int levels = 1; levels < 14; levels++) {
		struct demangler raw = { .spent = 0 };
		cxx_bomb(symbol, sizeof(symbol), levels);
		const char *text = demangle(&raw, symbol);
		assert_true(raw.spent <= demangled_bound(symbol));
		assert_true(!text || strlen(text) <= demangled_bound(symbol));
	}
}

static void rust_that_leads_back_and_forth(void **state)
{
	char out[DEMANGLED_MAX], symbol[2048];
	(void)state;
	/* Tuples of two that are the tuple before. */
	size_t len = (size_t)snprintf(symbol, sizeof(symbol), "_RINvC1a1b");
	size_t last = len - 2;
	len += (size_t)snprintf(symbol + len, sizeof(symbol) - len, "Thh");
	symbol[len++] = 'E';
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	for (int i = 0; i < 60; i++) {
		size_t here = len - 2;
		size_t back = last - 1;
		char number[8];
		snprintf(number, sizeof(number), "%c%c", digits[back / 62], digits[back % 62]);
		len += (size_t)snprintf(symbol + len, sizeof(symbol) - len, "TB%s_B%s_E", number, number);
		last = here;
	}
	snprintf(symbol + len, sizeof(symbol) - len, "E");
	double before = seconds();
	assert_false(demangle_rust(symbol, out, sizeof(out)));
	/* A type that is its own element. */
	assert_false(demangle_rust("_RINvC1a1bSB7_E", out, sizeof(out)));
	assert_false(demangle_rust("_RINvC1a1bB7_E", out, sizeof(out)));
	assert_false(demangle_rust("_RINvC1a1bFGzzzzzzzz_EuE", out, sizeof(out)));
	memset(symbol, 'S', sizeof(symbol));
	memcpy(symbol, "_RINvC1a1b", 10);
	symbol[sizeof(symbol) - 1] = '\0';
	assert_false(demangle_rust(symbol, out, sizeof(out)));
	assert_true(seconds() - before < 10);
}

/* Good names, with bytes that are not: whatever comes out, it ends and stays where it belongs. */
static void damaged_names(void **state)
{
	static const char *const names[] = {
		"_RINbNbCskIICzLVDPPb_5alloc5alloc8box_freeDINbNiB4_5boxed5FnBoxuEp6OutputuEL_ECs1iopQbuBiw2_3std",
		"_RNqCs4fqI2P2rA04_11utf8_identsu30____7hkackfecea1cbdathfdh9hlq6y",
		"_RINvC3std4sizeRShTmOxEAtj4_FEuFUKCEmE",
		"_ZN71_$LT$Test$u20$$u2b$$u20$$u27$static$u20$as$u20$foo..Bar$LT$Test$GT$$GT$3bar17h930b740aa94f1d3aE",
		"_ZNSt6vectorIiSaIiEE9push_backERKi",
	};
	static const char letters[] = "_BCDEFGIKLMNOPQRSTUXYZabcdefghijklmnopstuvxyz0123456789$.";
	char symbol[256], out[512];
	uint32_t random = 1;
	(void)state;
	for (int i = 0; i < 200000; i++) {
		snprintf(symbol, sizeof(symbol), "%s", names[i % 5]);
		for (int k = 0; k < 1 + i % 3; k++) {
			random = random * 1664525 + 1013904223;
			size_t at = 2 + (random >> 8) % (strlen(symbol) - 2);
			symbol[at] = letters[(random >> 20) % (sizeof(letters) - 1)];
		}
		if (demangle_rust(symbol, out, sizeof(out)))
			assert_true(strlen(out) < sizeof(out));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_c_stay),
		cmocka_unit_test(names_of_cxx),
		cmocka_unit_test(older_names_of_rust),
		cmocka_unit_test(new_names_of_rust),
		cmocka_unit_test(names_that_would_not_end_are_left),
		cmocka_unit_test(bound_holds),
		cmocka_unit_test(rust_that_leads_back_and_forth),
		cmocka_unit_test(damaged_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
