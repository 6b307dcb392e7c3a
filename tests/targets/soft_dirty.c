/* soft_dirty KIND - memory that was written; told to go on, it writes to some of it, in the way of its kind, and
 * says which pages that makes soft-dirty ("range dirty_..."), of what memory ("range all_...").
 * Between the two the test clears the bits. */
#define _GNU_SOURCE
#include "target.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

static void say_dirty(const char *name, const volatile char *memory, size_t page, size_t count)
{
	char text[64];
	snprintf(text, sizeof(text), "dirty_%s_%zu", name, page);
	say_range(text, memory + page * PAGE, count * PAGE);
}

static char *written(size_t pages)
{
	char *memory = map_apart(pages);
	write_pages(memory, 0, pages, 1);
	return memory;
}

static void write_some(void)
{
	char *memory = written(16);
	next_command();
	write_pages(memory, 3, 4, 1);
	write_pages(memory, 7, 8, 1);
	read_pages(memory, 9, 12, 1);
	say_range("all_written", memory, 16 * PAGE);
	say_dirty("written", memory, 3, 1);
	say_dirty("written", memory, 7, 1);
}

static void write_files(void)
{
	int fd = make_file(32 * PAGE);
	char *shared = map_memory(16 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	char *private = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 16 * PAGE);
	char *nameless = map_memory(16 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, -1);
	if (private == MAP_FAILED)
		cannot("mmap");
	write_pages(shared, 0, 16, 1);
	read_pages(private, 0, 16, 1);
	write_pages(private, 0, 4, 1);
	write_pages(nameless, 0, 16, 1);
	next_command();
	write_pages(shared, 2, 4, 1);
	write_pages(private, 3, 6, 1); /* the first of these is its own already */
	write_pages(nameless, 15, 16, 1);
	say_range("all_shared", shared, 16 * PAGE);
	say_range("all_private", private, 16 * PAGE);
	say_range("all_nameless", nameless, 16 * PAGE);
	say_dirty("shared", shared, 2, 2);
	say_dirty("private", private, 3, 3);
	say_dirty("nameless", nameless, 15, 1);
}

/* A child has the bits of its parent, and from there on each has its own.  "child" or "parent": who tells. */
static void fork_and_write(const char *who)
{
	char *memory = written(16);
	bool is_child = !strcmp(who, "fork_child");
	int up[2];
	char byte;
	next_command();
	write_pages(memory, 1, 3, 1);
	if (pipe(up))
		cannot("pipe");
	pid_t child = fork();
	if (!child) {
		die_with_parent();
		write_pages(memory, 2, 3, 1);
		write_pages(memory, 8, 12, 1);
		if (write(up[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	if (child < 0 || read(up[0], &byte, 1) != 1)
		cannot("fork");
	write_pages(memory, 5, 6, 1);
	say("pid %d\n", is_child ? (int)child : (int)getpid());
	say_range("all_forked", memory, 16 * PAGE);
	say_dirty("forked", memory, 1, 2);
	say_dirty("forked", memory, is_child ? 8 : 5, is_child ? 4 : 1);
}

/* Of a huge page there is one bit. */
static void write_huge(void)
{
	char *memory = map_aligned(3 * HUGE_PAGE, MAP_PRIVATE);
	madvise(memory, 3 * HUGE_PAGE, MADV_HUGEPAGE);
	write_pages(memory, 0, 3 * HUGE_PAGE / PAGE, 1);
	say_range("huge", memory, 3 * HUGE_PAGE);
	next_command();
	write_pages(memory, HUGE_PAGE / PAGE + 7, HUGE_PAGE / PAGE + 8, 1);
	say_range("all_huge", memory, 3 * HUGE_PAGE);
	say_dirty("huge", memory, HUGE_PAGE / PAGE, HUGE_PAGE / PAGE);
}

/* All of a new mapping is soft-dirty, also what was only read; and what the kernel joins it with. */
static void map_anew(void)
{
	char *old = written(16), *replaced = written(16);
	next_command();
	char *new = map_apart(16);
	write_pages(new, 0, 4, 1);
	read_pages(new, 4, 8, 1);
	if (mmap(replaced, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) !=
	    replaced)
		cannot("mmap");
	write_pages(replaced, 0, 16, 5);
	say_range("all_old", old, 16 * PAGE);
	say_range("all_new", new, 16 * PAGE);
	say_range("all_replaced", replaced, 16 * PAGE);
	say_dirty("new", new, 0, 8);
	for (size_t page = 0; page < 16; page += 5)
		say_dirty("replaced", replaced, page, 1);
}

/* What is moved page by page is soft-dirty: its address has another content. */
static void move(void)
{
	char *memory = written(16), *place = map_apart(16);
	next_command();
	place = mremap(memory, 12 * PAGE, 12 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place + PAGE);
	if (place == MAP_FAILED)
		cannot("mremap");
	say_range("all_stayed", memory + 12 * PAGE, 4 * PAGE);
	say_range("all_moved", place, 12 * PAGE);
	say_dirty("moved", place, 0, 12);
}

/* Whole page tables may be moved as such. */
static void move_tables(void)
{
	char *memory = map_aligned(2 * HUGE_PAGE, MAP_PRIVATE), *place = map_aligned(2 * HUGE_PAGE, MAP_PRIVATE);
	madvise(memory, 2 * HUGE_PAGE, MADV_NOHUGEPAGE);
	write_pages(memory, 0, 2 * HUGE_PAGE / PAGE, 1);
	next_command();
	write_pages(memory, 9, 12, 1);
	place = mremap(memory, 2 * HUGE_PAGE, 2 * HUGE_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place);
	if (place == MAP_FAILED)
		cannot("mremap");
	say_range("all_moved", place, 2 * HUGE_PAGE);
	say_dirty("moved", place, 9, 3);
}

/* Pages that go to swap keep their bit there, and bring it back. */
static void swap_out(void)
{
	char *memory = written(64);
	madvise(memory + 48 * PAGE, 16 * PAGE, MADV_PAGEOUT); /* these are there when the bits are cleared */
	next_command();
	write_pages(memory, 4, 8, 1);
	write_pages(memory, 50, 52, 1);
	for (int tries = 0; tries < 20; tries++)
		if (madvise(memory, 64 * PAGE, MADV_PAGEOUT))
			cannot("page out");
	read_pages(memory, 0, 6, 1);
	write_pages(memory, 30, 31, 1);
	say_range("all_swap", memory, 64 * PAGE);
	say_dirty("swap", memory, 4, 4);
	say_dirty("swap", memory, 30, 1);
	say_dirty("swap", memory, 50, 2);
}

/* What is given back leaves no bit, though what it held is gone. */
static void give_back(void)
{
	char *memory = written(16);
	next_command();
	write_pages(memory, 0, 4, 1);
	madvise(memory + 2 * PAGE, 6 * PAGE, MADV_DONTNEED);
	read_pages(memory, 3, 5, 1);
	write_pages(memory, 6, 7, 1);
	say_range("all_given_back", memory, 16 * PAGE);
	say_dirty("given_back", memory, 0, 2);
	say_dirty("given_back", memory, 6, 1);
}

int main(int argc, char **argv)
{
	const char *kind = argc > 1 ? argv[1] : "";
	die_with_parent();
	if (!strcmp(kind, "written"))
		write_some();
	else if (!strcmp(kind, "files"))
		write_files();
	else if (!strncmp(kind, "fork_", 5))
		fork_and_write(kind);
	else if (!strcmp(kind, "huge"))
		write_huge();
	else if (!strcmp(kind, "new"))
		map_anew();
	else if (!strcmp(kind, "moved"))
		move();
	else if (!strcmp(kind, "moved_tables"))
		move_tables();
	else if (!strcmp(kind, "swap"))
		swap_out();
	else if (!strcmp(kind, "given_back"))
		give_back();
	else
		return 2;
	stand_still();
}
