/* When a fork's sharing was lost, of looks at it: by halves, as a look at each would tell it. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fork_when.h"

enum { SECOND = 1000000000, PAGE = 4096 };

static void nothing_lost_is_no_time(void **state)
{
	const struct fork_look looks[] = { { 0, 0 }, { SECOND, 0 } };
	struct fork_when when = { .known = true };
	(void)state;
	fork_when_of(looks, 2, &when);
	assert_false(when.known);
	fork_when_of(looks, 0, &when);
	assert_false(when.known);
	fork_when_of(looks, 1, &when);
	assert_false(when.known);
}

static void of_two_looks_all_is_between_them(void **state)
{
	const struct fork_look looks[] = { { 0, 0 }, { SECOND, 7 * PAGE } };
	struct fork_when when = { .since_fork = true };
	(void)state;
	fork_when_of(looks, 2, &when);
	assert_true(when.known && when.since_fork && when.none_known);
	assert_int_equal(when.from, 0);
	assert_int_equal(when.to, SECOND);
	assert_int_equal(when.first, SECOND);
	assert_int_equal(when.most, 7 * PAGE);
}

static void a_trickle_before_and_after_is_not_the_most_of_it(void **state)
{
	const struct fork_look looks[] = { { 0, 0 },
		                           { SECOND, 0 },
		                           { 2ull * SECOND, PAGE },
		                           { 3ull * SECOND, 3 * PAGE },
		                           { 4ull * SECOND, 60 * PAGE },
		                           { 5ull * SECOND, 97 * PAGE },
		                           { 6ull * SECOND, 98 * PAGE },
		                           { 9ull * SECOND, 100 * PAGE } };
	struct fork_when when = { .known = false };
	(void)state;
	fork_when_of(looks, sizeof(looks) / sizeof(looks[0]), &when);
	assert_true(when.known);
	assert_int_equal(when.none, SECOND);
	assert_int_equal(when.first, 2ull * SECOND);
	assert_int_equal(when.first_lost, PAGE);
	assert_int_equal(when.from, 3ull * SECOND);
	assert_int_equal(when.to, 5ull * SECOND);
	assert_int_equal(when.most, 94 * PAGE);
	assert_int_equal(when.lost, 100 * PAGE);
}

/* The base, when it is not known when it was forked. */
static void what_was_lost_by_the_first_look_is_said(void **state)
{
	const struct fork_look looks[] = { { 0, 60 * PAGE }, { SECOND, 70 * PAGE }, { 2ull * SECOND, 100 * PAGE } };
	struct fork_when when = { .known = false };
	(void)state;
	fork_when_of(looks, 3, &when);
	assert_true(when.known && !when.none_known);
	assert_int_equal(when.first_lost, 60 * PAGE);
	assert_int_equal(when.from, 0);
	assert_int_equal(when.to, 2ull * SECOND);
	assert_int_equal(when.most, 40 * PAGE);
}

/* ---- of many, few are looked at ---- */

enum { MANY = 1000 };
struct many {
	struct fork_look looks[MANY];
	unsigned asked, most;
};

static bool look(void *ctx, size_t index, struct fork_look *out)
{
	struct many *many = ctx;
	if (many->asked++ >= many->most)
		return false;
	*out = many->looks[index];
	return true;
}

static struct many many_looks(unsigned seed)
{
	struct many many = { .most = MANY };
	srandom(seed);
	for (size_t i = 1; i < MANY; i++) {
		uint64_t pages = random() % 8 ? 0 : (uint64_t)random() % 1000;
		many.looks[i] = (struct fork_look){ i * SECOND, many.looks[i - 1].lost + pages * PAGE };
	}
	return many;
}

static const struct fork_look *after(const struct many *many, uint64_t bytes)
{
	size_t i = 0;
	while (many->looks[i].lost <= bytes)
		i++;
	return &many->looks[i];
}

static void halves_tell_what_a_look_at_each_tells(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed < 50; seed++) {
		struct many many = many_looks(seed);
		struct fork_when when;
		uint64_t all = many.looks[MANY - 1].lost, little = all / 20;
		fork_when(MANY, look, &many, &when);
		assert_true(when.known && many.asked < 40);
		assert_int_equal(when.first, after(&many, 0)->at);
		assert_int_equal(when.none, after(&many, 0)[-1].at);
		assert_int_equal(when.from, after(&many, little)[-1].at);
		assert_int_equal(when.to, after(&many, all - little - 1)->at);
		assert_true(when.most * 10 >= all * 9);
	}
}

/* Whoever has no time for more says less, and nothing false. */
static void what_a_few_looks_tell_is_true(void **state)
{
	(void)state;
	for (unsigned most = 2; most < 40; most++) {
		struct many many = many_looks(most);
		struct fork_when when;
		uint64_t all = many.looks[MANY - 1].lost;
		many.most = most;
		fork_when(MANY, look, &many, &when);
		assert_true(when.known);
		assert_true(when.none < after(&many, 0)->at && when.first >= after(&many, 0)->at);
		assert_int_equal(many.looks[when.to / SECOND].lost - many.looks[when.from / SECOND].lost, when.most);
		assert_true(when.most * 10 >= all * 9);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_lost_is_no_time),
		cmocka_unit_test(of_two_looks_all_is_between_them),
		cmocka_unit_test(a_trickle_before_and_after_is_not_the_most_of_it),
		cmocka_unit_test(what_was_lost_by_the_first_look_is_said),
		cmocka_unit_test(halves_tell_what_a_look_at_each_tells),
		cmocka_unit_test(what_a_few_looks_tell_is_true),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
