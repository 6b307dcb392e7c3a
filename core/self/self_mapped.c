/* self_mapped.c - where something is mapped, and where nothing is, without /proc.
 *
 * Two questions to the kernel, that change nothing, and take no longer for terabytes than for a page:
 *
 *   is all of it mapped?    msync(MS_ASYNC) does nothing since Linux 2.6.19, but fails with ENOMEM at the first hole.
 *   is any of it mapped?    mmap(MAP_FIXED_NOREPLACE) of neither MAP_PRIVATE nor MAP_SHARED: that is EINVAL, but EEXIST
 *                           comes first, if something is in the way, and so do the limits of the address space. */
#define _GNU_SOURCE
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "error.h"
#include "raw_syscall.h"
#include "vmsnap/self.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

enum {
	PAGES_ONE_BY_ONE = 1 << 16,
	GUARD_GAP_PAGES = 256, /* stack_guard_gap: what the kernel keeps free below a stack */
};
/* Above it only who asks for it is given memory (five-level page tables, 52-bit addresses). */
#ifdef __aarch64__
#define USUAL_TOP (UINT64_C(1) << 48)
#else
#define USUAL_TOP (UINT64_C(1) << 47)
#endif

enum taken { TAKEN_NOT, TAKEN_SOME, TAKEN_BEYOND, TAKEN_FORBIDDEN, TAKEN_UNKNOWN };

struct space {
	uint64_t page_size;
	bool asks; /* the kernel knows MAP_FIXED_NOREPLACE */
};

static bool all_mapped(uint64_t start, uint64_t end)
{
	return raw_syscall4(SYS_msync, (long)start, (long)(end - start), MS_ASYNC, 0) == 0;
}

static enum taken ask_kernel(uint64_t start, uint64_t end)
{
	long rc = raw_syscall6(SYS_mmap, (long)start, (long)(end - start), PROT_NONE,
	                       MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	switch (rc) {
	case -EEXIST:
		return TAKEN_SOME;
	case -EINVAL:
		return TAKEN_NOT;
	case -ENOMEM:
		return TAKEN_BEYOND;
	case -EPERM: /* below vm.mmap_min_addr; before it is asked what is there */
	case -EACCES:
		return TAKEN_FORBIDDEN;
	default:
		return TAKEN_UNKNOWN;
	}
}

/* A page that is there, for sure, must be in the way. */
static struct space space_ask(void)
{
	static const char here;
	struct space space = { .page_size = getauxval(AT_PAGESZ) };
	uint64_t page = (uintptr_t)&here & ~(space.page_size - 1);
	space.asks = ask_kernel(page, page + space.page_size) == TAKEN_SOME;
	return space;
}

/* Where the kernel is not to be asked about a range, each page is. */
static enum taken ask_pages(const struct space *space, uint64_t start, uint64_t end)
{
	if ((end - start) / space->page_size > PAGES_ONE_BY_ONE)
		return TAKEN_UNKNOWN;
	for (; start < end; start += space->page_size)
		if (all_mapped(start, start + space->page_size))
			return TAKEN_SOME;
	return TAKEN_NOT;
}

static enum taken taken(const struct space *space, uint64_t start, uint64_t end)
{
	enum taken answer = space->asks ? ask_kernel(start, end) : TAKEN_UNKNOWN;
	/* Something may have been mapped below vm.mmap_min_addr all the same. */
	for (int pages = 0; answer == TAKEN_FORBIDDEN; pages++) {
		if (all_mapped(start, start + space->page_size))
			return TAKEN_SOME;
		start += space->page_size;
		answer = start == end ? TAKEN_NOT : pages == PAGES_ONE_BY_ONE ? TAKEN_UNKNOWN : ask_kernel(start, end);
	}
	return answer == TAKEN_UNKNOWN ? ask_pages(space, start, end) : answer;
}

/* ---- how far ------------------------------------------------------------------------- */

typedef bool holds_in(const struct space *space, uint64_t start, uint64_t end);

static bool is_mapped_in(const struct space *space, uint64_t start, uint64_t end)
{
	(void)space;
	return all_mapped(start, end);
}
static bool is_free_in(const struct space *space, uint64_t start, uint64_t end)
{
	return taken(space, start, end) == TAKEN_NOT;
}

/* The highest end, up to `limit`, to which it holds from start on, as it does for the first page: in steps that
 * double, and then halve. */
static uint64_t end_of(const struct space *space, uint64_t start, uint64_t limit, holds_in *holds)
{
	uint64_t size = space->page_size, good = start + size, bad = limit;
	for (uint64_t step = size; good < limit; step *= 2) {
		bad = limit - good < step ? limit : good + step;
		if (!holds(space, start, bad))
			break;
		good = bad;
	}
	while (bad - good > size) {
		uint64_t middle = good + (bad - good) / size / 2 * size;
		if (holds(space, start, middle))
			good = middle;
		else
			bad = middle;
	}
	return good;
}

/* The same downwards: the lowest start. */
static uint64_t start_of(const struct space *space, uint64_t end, uint64_t limit, holds_in *holds)
{
	uint64_t size = space->page_size, good = end - size, bad = limit;
	for (uint64_t step = size; good > limit; step *= 2) {
		bad = good - limit < step ? limit : good - step;
		if (!holds(space, bad, end))
			break;
		good = bad;
	}
	while (good - bad > size) {
		uint64_t middle = bad + (good - bad) / size / 2 * size;
		if (holds(space, middle, end))
			good = middle;
		else
			bad = middle;
	}
	return good;
}

/* ---- is something mapped here --------------------------------------------------------- */

VMSNAP_API const char *vmsnap_mapped_name(int mapped)
{
	static const char *const names[] = { "nothing", "all", "partly", "beyond" };
	return mapped >= 0 && mapped < (int)(sizeof(names) / sizeof(*names)) ? names[mapped] : NULL;
}

static int mapped_of(enum taken answer)
{
	switch (answer) {
	case TAKEN_NOT:
		return VMSNAP_MAPPED_NOTHING;
	case TAKEN_SOME:
		return VMSNAP_MAPPED_PARTLY;
	case TAKEN_BEYOND:
		return VMSNAP_MAPPED_BEYOND;
	default:
		return VMSNAP_ERR_SYSTEM;
	}
}

VMSNAP_API int vmsnap_is_mapped(uint64_t address, uint64_t len, uint64_t *until)
{
	struct space space = space_ask();
	uint64_t mask = space.page_size - 1, start = address & ~mask, last = address + (len - 1);
	if (!len || last < address)
		return VMSNAP_ERR_ARGUMENT;
	/* The last page of all, whose end would be 0, is the kernel's. */
	uint64_t end = last > ~mask - 1 ? ~mask : (last & ~mask) + space.page_size;
	bool beyond = start == ~mask || (space.asks && ask_kernel(start, start + space.page_size) == TAKEN_BEYOND);
	if (until)
		*until = beyond ? end : start + space.page_size;
	if (beyond)
		return VMSNAP_MAPPED_BEYOND;
	bool first = all_mapped(start, start + space.page_size);
	if (until)
		*until = end_of(&space, start, end, first ? is_mapped_in : is_free_in);
	if (first && all_mapped(start, end))
		return VMSNAP_MAPPED_ALL;
	enum taken answer = taken(&space, start, end);
	/* It is known of the first page already. */
	return mapped_of(first && answer == TAKEN_UNKNOWN ? TAKEN_SOME : answer);
}

/* ---- where nothing is ------------------------------------------------------------------ */

struct search {
	struct space space;
	uint64_t len, floor, top;        /* [floor, top) is looked at */
	uint64_t stack_start, stack_end; /* the main thread's, as far as it may grow */
};

/* Above it nothing can be mapped. */
static uint64_t top_of_space(const struct space *space, uint64_t near)
{
	uint64_t size = space->page_size, low = 1, high = UINT64_MAX / size;
	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;
		if (ask_kernel((middle - 1) * size, middle * size) == TAKEN_BEYOND)
			high = middle;
		else
			low = middle;
	}
	return low * size > USUAL_TOP && near < USUAL_TOP ? USUAL_TOP : low * size;
}

/* Where the kernel put the name of the program: on the main thread's stack.  Without a limit, all that is free below
 * it is the stack's, to grow into. */
static void find_stack(struct search *search)
{
	const struct space *space = &search->space;
	uint64_t size = space->page_size, page = getauxval(AT_EXECFN) & ~(size - 1), limit[2] = { 0, 0 };
	if (!page || !all_mapped(page, page + size))
		return;
	search->stack_end = end_of(space, page, search->top > page ? search->top : page + size, is_mapped_in);
	uint64_t bottom = start_of(space, page + size, search->floor, is_mapped_in);
	(void)raw_syscall4(SYS_prlimit64, 0, RLIMIT_STACK, 0, (long)limit);
	uint64_t room = (limit[0] & ~(size - 1)) + GUARD_GAP_PAGES * size;
	search->stack_start = bottom;
	if (limit[0] > search->stack_end)
		search->stack_start = bottom > search->floor && is_free_in(space, bottom - size, bottom)
		                              ? start_of(space, bottom, search->floor, is_free_in)
		                              : bottom;
	else if (room > search->stack_end)
		search->stack_start = search->floor;
	else if (search->stack_end - room < bottom)
		search->stack_start = search->stack_end - room;
}

static bool in_stack(const struct search *search, uint64_t at)
{
	return at < search->stack_end && at + search->len > search->stack_start;
}

/* The lowest address from `at` on; 0: there is none up to `most`. */
static int find_above(const struct search *search, uint64_t at, uint64_t *found)
{
	const struct space *space = &search->space;
	uint64_t size = space->page_size;
	while (at <= search->top - search->len) {
		uint64_t end = at + search->len;
		if (in_stack(search, at)) {
			at = search->stack_end;
			continue;
		}
		enum taken answer = ask_kernel(at, end);
		if (answer == TAKEN_NOT) {
			*found = at;
			return VMSNAP_OK;
		}
		if (answer == TAKEN_UNKNOWN)
			return VMSNAP_ERR_SYSTEM;
		if (answer == TAKEN_BEYOND)
			break;
		if (answer == TAKEN_FORBIDDEN)
			at += size;
		else if (all_mapped(end - size, end))
			at = end_of(space, end - size, search->top, is_mapped_in);
		else /* what is last in the way ends there */
			at = start_of(space, end, at, is_free_in);
	}
	return VMSNAP_ERR_NOT_FOUND;
}

/* The highest address from `at` down to `least`. */
static int find_below(const struct search *search, uint64_t at, uint64_t least, uint64_t *found)
{
	const struct space *space = &search->space;
	uint64_t size = space->page_size, next;
	for (;; at = next - search->len) {
		uint64_t end = at + search->len;
		enum taken answer = in_stack(search, at) ? TAKEN_UNKNOWN : ask_kernel(at, end);
		if (answer == TAKEN_NOT) {
			*found = at;
			return VMSNAP_OK;
		}
		if (in_stack(search, at))
			next = search->stack_start;
		else if (answer == TAKEN_UNKNOWN)
			return VMSNAP_ERR_SYSTEM;
		else if (answer != TAKEN_SOME) /* forbidden is what lies low */
			return VMSNAP_ERR_NOT_FOUND;
		else if (all_mapped(at, at + size))
			next = start_of(space, at + size, search->floor, is_mapped_in);
		else
			next = end_of(space, at, end, is_free_in);
		if (next < least || next - least < search->len)
			return VMSNAP_ERR_NOT_FOUND;
	}
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

VMSNAP_API int vmsnap_find_gap(uint64_t near, uint64_t len, uint64_t *address)
{
	enum { LOWEST = 64 << 10 };
	struct search search = { .space = space_ask(), .floor = LOWEST };
	uint64_t mask = search.space.page_size - 1, above = 0, below = 0;
	if (!len || !address)
		return VMSNAP_ERR_ARGUMENT;
	if (!search.space.asks)
		return VMSNAP_ERR_SYSTEM;
	search.top = top_of_space(&search.space, near);
	if (len > search.top - search.floor)
		return VMSNAP_ERR_NOT_FOUND;
	search.len = (len + mask) & ~mask;
	find_stack(&search);
	uint64_t first = near & ~mask, highest = search.top - search.len;
	first = first < search.floor ? search.floor : first > highest ? highest : first;
	int up = find_above(&search, first < near && first < highest ? first + search.space.page_size : first, &above);
	if (up && up != VMSNAP_ERR_NOT_FOUND)
		return up;
	/* Nearer than that, or none. */
	uint64_t reach = up ? UINT64_MAX : distance(above, near);
	uint64_t least = near > reach && near - reach > search.floor ? near - reach : search.floor;
	int down = find_below(&search, first, least & ~mask, &below);
	if (!down && (up || distance(below, near) < reach)) {
		*address = below;
		return VMSNAP_OK;
	}
	if (!up)
		*address = above;
	return up ? down : VMSNAP_OK;
}
