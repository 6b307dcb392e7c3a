/* Where something is mapped in the calling process, and where nothing is: against /proc/self/maps. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "own_maps.h"
#include "test_skip.h"
#include "vmsnap.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102 /* Linux 6.13 */
#endif
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

/* ---- what the kernel says --------------------------------------------------------------- */

static const struct line *line_at(uint64_t address)
{
	for (size_t i = 0; i < line_count; i++)
		if (address >= lines[i].start && address < lines[i].end)
			return &lines[i];
	return NULL;
}

static const struct line *line_named(const char *name)
{
	for (size_t i = 0; i < line_count; i++)
		if (!strcmp(lines[i].name, name))
			return &lines[i];
	return NULL;
}

/* Where what holds at `address` ends, `limit` at the latest. */
static uint64_t until_of(uint64_t address, uint64_t limit)
{
	bool mapped = line_at(address) != NULL;
	uint64_t end = address;
	for (size_t i = 0; i < line_count && end < limit; i++) {
		if (mapped && lines[i].start <= end && lines[i].end > end)
			end = lines[i].end;
		if (!mapped && lines[i].start >= address)
			return lines[i].start < limit ? lines[i].start : limit;
	}
	return mapped && end < limit ? end : limit;
}

static uint64_t mapped_in(uint64_t start, uint64_t end)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < line_count; i++) {
		uint64_t from = lines[i].start > start ? lines[i].start : start;
		uint64_t to = lines[i].end < end ? lines[i].end : end;
		sum += to > from ? to - from : 0;
	}
	return sum;
}

/* One that is the same each time. */
static uint64_t random_below(uint64_t limit)
{
	static uint64_t state = UINT64_C(0x9e3779b97f4a7c15);
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return limit ? (state >> 8) % limit : 0;
}

/* ---- is something mapped here ------------------------------------------------------------ */

static bool can_ask(void)
{
	uint64_t address;
	return vmsnap_find_gap(0, 1, &address) != VMSNAP_ERR_SYSTEM;
}

static void check_mapped(uint64_t start, uint64_t len)
{
	uint64_t until, size = page_size(), first = start & ~(size - 1), end = (start + len + size - 1) & ~(size - 1);
	uint64_t sum = mapped_in(first, end);
	int wanted = !sum ? VMSNAP_MAPPED_NOTHING : sum == end - first ? VMSNAP_MAPPED_ALL : VMSNAP_MAPPED_PARTLY;
	errno = 4711;
	int got = vmsnap_is_mapped(start, len, &until);
	if (got != wanted || until != until_of(first, end))
		fail_msg("%" PRIx64 " + %" PRIx64 ": %d instead of %d, until %" PRIx64 " instead of %" PRIx64, start,
		         len, got, wanted, until, until_of(first, end));
	assert_int_equal(errno, 4711);
	assert_int_equal(vmsnap_is_mapped(start, len, NULL), wanted);
}

enum { ARENA_PAGES = 512, LAYOUTS = 3000 };

static void change_layout(char *arena)
{
	static const int protections[] = { PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE };
	uint64_t size = page_size(), at = random_below(ARENA_PAGES), count = 1 + random_below(ARENA_PAGES - at);
	count = random_below(3) ? 1 + count % 8 : count;
	count = count < ARENA_PAGES - at ? count : ARENA_PAGES - at;
	char *start = arena + at * size;
	if (random_below(2)) {
		assert_int_equal(munmap(start, count * size), 0);
		return;
	}
	int prot = protections[random_below(3)];
	int flags = MAP_FIXED | MAP_NORESERVE | (random_below(4) ? MAP_PRIVATE : MAP_SHARED);
	assert_true(own(start, count * size, prot, flags) == start);
	if (prot & PROT_WRITE && random_below(2))
		(void)madvise(start, size, random_below(2) ? MADV_GUARD_INSTALL : MADV_WILLNEED);
}

static void answers_agree_with_maps_over_random_layouts(void **state)
{
	(void)state;
	uint64_t size = page_size();
	if (!can_ask())
		skip_because("before Linux 4.17");
	char *arena = own(NULL, (ARENA_PAGES + 2) * size, PROT_NONE, MAP_PRIVATE | MAP_NORESERVE);
	assert_true(arena != MAP_FAILED);
	arena += size; /* what is beside it stays mapped */
	for (int i = 0; i < LAYOUTS; i++) {
		change_layout(arena);
		read_maps();
		for (int k = 0; k < 8; k++) {
			uint64_t start = (uintptr_t)arena + random_below(ARENA_PAGES * size);
			check_mapped(start, 1 + random_below(random_below(2) ? 4 * size : ARENA_PAGES * size));
		}
		check_mapped((uintptr_t)arena - random_below(64) * size,
		             UINT64_C(1) << (12 + random_below(15))); /* below the stack */
	}
	munmap(arena - size, (ARENA_PAGES + 2) * size);
}

static void special_addresses_have_answers(void **state)
{
	(void)state;
	uint64_t size = page_size(), until;
	if (!can_ask())
		skip_because("before Linux 4.17");
	read_maps();
	for (size_t i = 0; i < line_count; i++)
		if (!(lines[i].start >> 63)) {
			check_mapped(lines[i].start, lines[i].end - lines[i].start);
			check_mapped(lines[i].end - 1, 2);
			check_mapped(lines[i].start + 1, size);
		}
	check_mapped(0, 1);
	check_mapped(size, 15 * size);
	check_mapped(1, UINT64_C(1) << 46); /* from below vm.mmap_min_addr */
	assert_int_equal(vmsnap_is_mapped(UINT64_C(0xffffffffff600000), 1, &until), VMSNAP_MAPPED_BEYOND);
	assert_true(until == UINT64_C(0xffffffffff600000) + size);
	assert_int_equal(vmsnap_is_mapped(UINT64_MAX, 1, NULL), VMSNAP_MAPPED_BEYOND);
	assert_int_equal(vmsnap_is_mapped(0, UINT64_MAX, NULL), VMSNAP_MAPPED_BEYOND);
	assert_int_equal(vmsnap_is_mapped((uintptr_t)&until, UINT64_C(1) << 63, &until), VMSNAP_MAPPED_BEYOND);
	assert_true(until == until_of((uintptr_t)&until & ~(size - 1), UINT64_MAX));
	assert_int_equal(vmsnap_is_mapped((uintptr_t)&until, 0, NULL), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_is_mapped(UINT64_MAX - 1, 3, NULL), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_is_mapped(UINT64_MAX - 1, 2, NULL), VMSNAP_MAPPED_BEYOND);
	assert_string_equal(vmsnap_mapped_name(VMSNAP_MAPPED_BEYOND), "beyond");
	assert_null(vmsnap_mapped_name(4));
}

/* ---- where nothing is --------------------------------------------------------------------- */

struct bounds {
	uint64_t floor, top, stack_start, stack_end;
};

static struct bounds find_bounds(void)
{
	struct bounds bounds = { .floor = 64 << 10 };
	uint64_t size = page_size(), low = 0, high = UINT64_C(1) << 57;
	while (high - low > size) {
		uint64_t middle = low + (high - low) / size / 2 * size;
		void *at = own((void *)middle, size, PROT_NONE, MAP_PRIVATE | MAP_FIXED_NOREPLACE);
		bool can = at == (void *)middle || errno == EEXIST;
		if (at == (void *)middle)
			munmap(at, size);
		*(can ? &low : &high) = middle;
	}
	bounds.top = low + size;
#ifdef __x86_64__
	bounds.top = bounds.top < UINT64_C(1) << 47 ? bounds.top : UINT64_C(1) << 47;
#endif
	struct rlimit limit;
	const struct line *stack = line_named("[stack]");
	assert_non_null(stack);
	assert_int_equal(getrlimit(RLIMIT_STACK, &limit), 0);
	uint64_t room = (limit.rlim_cur & ~(size - 1)) + 256 * size, free_below = bounds.floor;
	for (size_t i = 0; &lines[i] != stack; i++)
		free_below = lines[i].end;
	bounds.stack_end = stack->end;
	bounds.stack_start = limit.rlim_cur > stack->end ? free_below
	                     : room > stack->end         ? bounds.floor
	                                                 : stack->end - room;
	bounds.stack_start = bounds.stack_start < stack->start ? bounds.stack_start : stack->start;
	return bounds;
}

static uint64_t apart(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* Between two things that are in the way. */
static void try_hole(uint64_t start, uint64_t end, uint64_t near, uint64_t len, uint64_t *best)
{
	uint64_t size = page_size(), down = near & ~(size - 1), up = (near + size - 1) & ~(size - 1);
	if (near > UINT64_MAX - size)
		up = down;
	if (end < start || end - start < len)
		return;
	uint64_t candidates[] = { start, end - len, down, up };
	for (int i = 0; i < 4; i++) {
		uint64_t at = candidates[i];
		if (at < start || at > end - len)
			continue;
		uint64_t now = apart(at, near), before = *best == UINT64_MAX ? UINT64_MAX : apart(*best, near);
		if (*best == UINT64_MAX || now < before || (now == before && at > *best))
			*best = at;
	}
}

static uint64_t nearest_by_maps(const struct bounds *bounds, uint64_t near, uint64_t len)
{
	uint64_t best = UINT64_MAX, from = bounds->floor;
	for (size_t i = 0; i <= line_count; i++) {
		uint64_t to = i < line_count && lines[i].start < bounds->top ? lines[i].start : bounds->top;
		to = to < bounds->top ? to : bounds->top;
		try_hole(from, to < bounds->stack_start ? to : bounds->stack_start, near, len, &best);
		try_hole(from > bounds->stack_end ? from : bounds->stack_end, to, near, len, &best);
		if (i < line_count && lines[i].end > from)
			from = lines[i].end;
	}
	return best;
}

static void check_gap(const struct bounds *bounds, uint64_t near, uint64_t len)
{
	uint64_t size = page_size(), found = 0, wanted = nearest_by_maps(bounds, near, (len + size - 1) & ~(size - 1));
	int rc = vmsnap_find_gap(near, len, &found);
	if (rc != (wanted == UINT64_MAX ? VMSNAP_ERR_NOT_FOUND : VMSNAP_OK) || (!rc && found != wanted))
		fail_msg("near %" PRIx64 ", %" PRIx64 " bytes: %d, %" PRIx64 " instead of %" PRIx64, near, len, rc,
		         found, wanted);
}

static void gaps_are_the_nearest_ones_by_maps(void **state)
{
	(void)state;
	uint64_t size = page_size();
	if (!can_ask())
		skip_because("before Linux 4.17");
	char *arena = own(NULL, ARENA_PAGES * size, PROT_NONE, MAP_PRIVATE | MAP_NORESERVE);
	assert_true(arena != MAP_FAILED);
	read_maps();
	struct bounds bounds = find_bounds();
	for (int i = 0; i < LAYOUTS; i++) {
		change_layout(arena);
		read_maps();
		for (int k = 0; k < 4; k++)
			check_gap(&bounds, (uintptr_t)arena + random_below(ARENA_PAGES * size),
			          1 + random_below(random_below(2) ? 16 * size : 2 * ARENA_PAGES * size));
		if (i % 16)
			continue;
		const struct line *line = &lines[random_below(line_count)];
		check_gap(&bounds, line->start + random_below(line->end - line->start),
		          UINT64_C(1) << random_below(47));
		check_gap(&bounds, random_below(UINT64_C(1) << 47), UINT64_C(1) << (12 + random_below(30)));
		check_gap(&bounds, 0, UINT64_C(1) << (12 + random_below(34)));
		check_gap(&bounds, bounds.stack_end - random_below(bounds.stack_end - bounds.stack_start), size);
	}
	munmap(arena, ARENA_PAGES * size);
}

static void too_much_is_not_found(void **state)
{
	(void)state;
	uint64_t address = 1;
	if (!can_ask())
		skip_because("before Linux 4.17");
	assert_int_equal(vmsnap_find_gap(0, UINT64_MAX, &address), VMSNAP_ERR_NOT_FOUND);
	assert_int_equal(vmsnap_find_gap(UINT64_MAX, UINT64_C(1) << 60, &address), VMSNAP_ERR_NOT_FOUND);
	assert_int_equal(vmsnap_find_gap(0, UINT64_C(1) << 47, &address), VMSNAP_ERR_NOT_FOUND);
	assert_int_equal(vmsnap_find_gap(0, 0, &address), VMSNAP_ERR_ARGUMENT);
	assert_true(address == 1);
}

static atomic_bool enough;

static void *maps_and_unmaps(void *arena)
{
	uint64_t size = page_size();
	while (vmsnap_is_mapped((uintptr_t)arena, 64 * size, NULL) == VMSNAP_MAPPED_ALL)
		sched_yield();
	for (unsigned i = 0; !atomic_load(&enough); i++) {
		char *at = (char *)arena + i % 16 * 4 * size;
		if (own(at, 2 * size, PROT_NONE, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE) == at)
			munmap(at, 2 * size);
	}
	return NULL;
}

/* What stays has one answer, what changes one of the two; nothing loops for ever. */
static void answers_hold_while_another_thread_maps(void **state)
{
	(void)state;
	uint64_t size = page_size(), gap;
	if (!can_ask())
		skip_because("before Linux 4.17");
	char *arena = own(NULL, 129 * size, PROT_NONE, MAP_PRIVATE | MAP_NORESERVE);
	assert_true(arena != MAP_FAILED);
	arena += size; /* the hole has something below it, too: no thread's stack comes there */
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, maps_and_unmaps, arena), 0);
	munmap(arena, 64 * size);
	unsigned mapped = 0;
	for (int i = 0; i < 3000; i++) {
		uint64_t until, at = (uintptr_t)arena;
		assert_int_equal(vmsnap_is_mapped(at + 64 * size, 64 * size, &until), VMSNAP_MAPPED_ALL);
		assert_true(until == at + 128 * size);
		assert_int_equal(vmsnap_is_mapped(at + 2 * size, 2 * size, NULL), VMSNAP_MAPPED_NOTHING);
		assert_true(vmsnap_is_mapped(at, 64 * size, &until) >= 0 && until > at);
		if (vmsnap_find_gap(at + random_below(64) * size, 2 * size, &gap))
			continue;
		void *got = own((void *)gap, 2 * size, PROT_NONE, MAP_PRIVATE | MAP_FIXED_NOREPLACE);
		assert_true(got == (void *)gap || errno == EEXIST);
		mapped += got == (void *)gap;
		if (got == (void *)gap)
			munmap(got, 2 * size);
	}
	atomic_store(&enough, true);
	pthread_join(thread, NULL);
	assert_true(mapped > 0);
	munmap(arena - size, 129 * size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_agree_with_maps_over_random_layouts),
		cmocka_unit_test(special_addresses_have_answers),
		cmocka_unit_test(gaps_are_the_nearest_ones_by_maps),
		cmocka_unit_test(too_much_is_not_found),
		cmocka_unit_test(answers_hold_while_another_thread_maps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
