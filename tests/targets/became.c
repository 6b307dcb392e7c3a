/* Pages of which a function each makes something else, after "go": what it makes of them is what the range is called.
 *
 * became: new, filled (it was the zero page), privatised (a file's), copied (a child has it, too), replaced (given back
 * first), mapped (a file's, read).  became swap: those of them that were in swap before, swapped_in by reading, and
 * swapped_in_written by writing. */
#define _GNU_SOURCE
#include "blame_target.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

enum { PAGES = 32, BYTES = PAGES * PAGE };

FUNCTION makes_new(volatile char *at);
FUNCTION fills(volatile char *at);
FUNCTION privatises(volatile char *at);
FUNCTION copies(volatile char *at);
FUNCTION replaces(volatile char *at);
FUNCTION maps(const volatile char *at);
FUNCTION swaps_in(const volatile char *at);
FUNCTION writes_swapped(volatile char *at);

FUNCTION makes_new(volatile char *at)
{
	write_pages(at, 0, PAGES, 1);
}

FUNCTION fills(volatile char *at)
{
	write_pages(at, 0, PAGES, 1);
}

FUNCTION privatises(volatile char *at)
{
	write_pages(at, 0, PAGES, 1);
}

FUNCTION copies(volatile char *at)
{
	write_pages(at, 0, PAGES, 1);
}

FUNCTION replaces(volatile char *at)
{
	write_pages(at, 0, PAGES, 1);
}

/* The kernel maps pages around it, too. */
FUNCTION maps(const volatile char *at)
{
	read_pages(at, 0, 1, 1);
}

FUNCTION swaps_in(const volatile char *at)
{
	read_pages(at, 0, PAGES, 1);
}

FUNCTION writes_swapped(volatile char *at)
{
	write_pages(at, 0, PAGES, 1);
}

static char *apart(const char *name, int fd)
{
	char *at = map_small(NULL, BYTES, 0, fd);
	say_range(name, at, BYTES);
	return at;
}

static char *written(const char *name)
{
	char *at = apart(name, -1);
	write_pages(at, 0, PAGES, 1);
	return at;
}

static _Noreturn void swap(void)
{
	char *read = written("swapped_in"), *write = written("swapped_in_written");
	must(madvise(read, BYTES, MADV_PAGEOUT), "page out");
	must(madvise(write, BYTES, MADV_PAGEOUT), "page out");
	next_command();
	swaps_in(read);
	writes_swapped(write);
	stand_still();
	_exit(0);
}

int main(int argc, char **argv)
{
	die_with_parent();
	if (argc > 1 && !strcmp(argv[1], "swap"))
		swap();
	char *fresh = apart("new", -1), *zero = apart("filled", -1), *own = apart("privatised", make_file(BYTES)),
	     *old = written("replaced"), *seen = apart("mapped", make_file(BYTES)), *common = written("copied");
	read_pages(zero, 0, PAGES, 1);
	read_pages(own, 0, PAGES, 1);
	madvise(old, BYTES, MADV_DONTFORK);
	have_child();
	next_command();
	makes_new(fresh);
	fills(zero);
	privatises(own);
	copies(common);
	must(madvise(old, BYTES, MADV_DONTNEED), "give back");
	replaces(old);
	maps(seen);
	stand_still();
}
