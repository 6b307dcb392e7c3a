#define _GNU_SOURCE
/* Template arguments that are left out for people. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shorten.h"

static void expect(const char *name, const char *shortened)
{
	char *copy = strdup(name);
	shorten_templates(copy);
	assert_string_equal(copy, shortened);
	free(copy);
}

static void short_lists_stay(void **state)
{
	(void)state;
	expect("", "");
	expect("counter", "counter");
	expect("std::vector<int>::size() const", "std::vector<int>::size() const");
	expect("f<std::less<int>, char*>(int)", "f<std::less<int>, char*>(int)");
}

static void long_lists_are_left_out(void **state)
{
	(void)state;
	expect("std::vector<int, std::allocator<int> >::push_back(int const&)",
	       "std::vector<...>::push_back(int const&)");
	expect("f(std::map<long long, std::pair<int, int>, std::less<long long> >)", "f(std::map<...>)");
	expect("a<b<c<12345678901234567890123456>>>", "a<b<c<...>>>");
	expect("alloc::vec::Vec::<some_crate::some_module::Kind>::push", "alloc::vec::Vec::<...>::push");
}

static void signs_of_operators_are_no_brackets(void **state)
{
	(void)state;
	expect("a::operator<(a const&, b const& and something)", "a::operator<(a const&, b const& and something)");
	expect("a::operator<<(int, int, int, int, int, int, int, int)",
	       "a::operator<<(int, int, int, int, int, int, int, int)");
	expect("p<int, std::allocator<int>, long>::operator->() const", "p<...>::operator->() const");
	expect("p<int, std::allocator<int>, long>::operator>>(int)", "p<...>::operator>>(int)");
	expect("f::<fn(u8) -> alloc::string::String, u8, u8>", "f::<...>");
	expect("operator<=><int, std::allocator<int>, long>", "operator<=><int, std::allocator<int>, long>");
}

static void what_a_name_of_rust_begins_with_stays(void **state)
{
	(void)state;
	expect("<alloc::string::String as core::fmt::Display>::fmt",
	       "<alloc::string::String as core::fmt::Display>::fmt");
	expect("<alloc::vec::Vec<some_crate::some_module::Kind> as core::fmt::Debug>::fmt",
	       "<alloc::vec::Vec<...> as core::fmt::Debug>::fmt");
}

static void brackets_that_do_not_match(void **state)
{
	char *deep = malloc(200001);
	(void)state;
	expect("a<b<c", "a<b<c");
	expect("a>>>b", "a>>>b");
	expect("<", "<");
	expect(">", ">");
	/* As many as a file may claim: each is looked at once. */
	memset(deep, 'a', 200000);
	for (size_t i = 1; i < 200000; i += 2)
		deep[i] = i < 100000 ? '<' : '>';
	deep[200000] = '\0';
	shorten_templates(deep);
	assert_true(strlen(deep) < 200000);
	free(deep);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(short_lists_stay),
		cmocka_unit_test(long_lists_are_left_out),
		cmocka_unit_test(signs_of_operators_are_no_brackets),
		cmocka_unit_test(what_a_name_of_rust_begins_with_stays),
		cmocka_unit_test(brackets_that_do_not_match),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
