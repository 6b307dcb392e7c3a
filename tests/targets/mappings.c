/* mappings - changes its address space as it is told, one command a line:
 *
 *   grow_heap, split, unsplit, protect, unmap, punch, replace, move, grow, shrink,
 *   library, touch, write_text, delete, page_out, page_in, guard, unguard, drop
 *
 * Everything that the commands work on is mapped and written before the first. */
#define _GNU_SOURCE
#include "target.h"

#include <dlfcn.h>
#include <link.h>

static char *area[8]; /* private memory of 64 pages each, apart from each other */
static char *heap;
static char *text;
static char file_name[] = "mapped-XXXXXX";

static void make_areas(void)
{
	for (int i = 0; i < 8; i++) {
		area[i] = map_apart(64);
		write_pages(area[i], 0, 64, 1);
	}
	/* A hole to grow into, too small for anything else. */
	munmap(area[6] + 64 * PAGE, 40 * PAGE);
}

static void do_grow_heap(void)
{
	char *more = sbrk(100 * PAGE);
	if (more == (char *)-1)
		cannot("sbrk");
	write_pages((char *)(((uintptr_t)more + PAGE - 1) & ~((uintptr_t)PAGE - 1)), 0, 50, 1);
	say_range("heap_more", more, 100 * PAGE);
}

static void do_split(void)
{
	mprotect(area[0] + 20 * PAGE, 10 * PAGE, PROT_READ);
	say_range("split", area[0], 64 * PAGE);
}

static void do_unsplit(void)
{
	mprotect(area[0] + 20 * PAGE, 10 * PAGE, PROT_READ | PROT_WRITE);
}

static void do_protect(void)
{
	mprotect(area[1], 64 * PAGE, PROT_READ);
	say_range("protect", area[1], 64 * PAGE);
}

static void do_unmap(void)
{
	say_range("unmap", area[2], 64 * PAGE);
	munmap(area[2], 64 * PAGE);
}

static void do_punch(void)
{
	munmap(area[3] + 10 * PAGE, 5 * PAGE);
	say_range("punch", area[3], 64 * PAGE);
}

/* A file is mapped over the middle of private memory. */
static void do_replace(void)
{
	int fd = make_file(16 * PAGE);
	char *over = mmap(area[4] + 16 * PAGE, 16 * PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0);
	if (over == MAP_FAILED)
		cannot("map over");
	read_pages(over, 0, 16, 1);
	say_range("replace", over, 16 * PAGE);
}

static void do_move(void)
{
	char *place = map_apart(64);
	say_range("moved_from", area[5], 64 * PAGE);
	char *now = mremap(area[5], 64 * PAGE, 64 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place);
	if (now == MAP_FAILED)
		cannot("mremap");
	area[5] = now;
	say_range("moved_to", now, 64 * PAGE);
}

static void do_grow(void)
{
	if (mremap(area[6], 64 * PAGE, 96 * PAGE, 0) == MAP_FAILED)
		cannot("grow in place");
	write_pages(area[6], 64, 80, 1);
	say_range("grown", area[6], 96 * PAGE);
}

static void do_shrink(void)
{
	if (mremap(area[7], 64 * PAGE, 24 * PAGE, 0) == MAP_FAILED)
		cannot("shrink");
	say_range("shrunk", area[7], 64 * PAGE);
}

static int find_library(struct dl_phdr_info *info, size_t size, void *found)
{
	(void)size;
	if (!strstr(info->dlpi_name, "libm.so") && !strstr(info->dlpi_name, "libm-"))
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_LOAD && info->dlpi_phdr[i].p_flags & PF_X)
			*(char **)found = (char *)(info->dlpi_addr + (info->dlpi_phdr[i].p_vaddr & ~(uintptr_t)(PAGE - 1)));
	return 1;
}

/* Private memory over the code of a library that nobody calls. */
static void do_library(void)
{
	char *code = NULL;
	if (!dlopen("libm.so.6", RTLD_NOW) || (dl_iterate_phdr(find_library, &code), !code)) {
		errno = ENOENT;
		cannot("load a library");
	}
	char *over = mmap(code + 4 * PAGE, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
	                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (over == MAP_FAILED)
		cannot("map over");
	write_pages(over, 0, 1, 1);
	say_range("library", over, 2 * PAGE);
}

/* Some pages are written that were read before, others that were never touched. */
static void do_touch(void)
{
	static char *fresh;
	if (!fresh) {
		fresh = map_apart(64);
		read_pages(fresh, 0, 32, 1);
		say_range("fresh", fresh, 64 * PAGE);
		return;
	}
	write_pages(fresh, 16, 48, 1);
	say_range("touched", fresh + 16 * PAGE, 32 * PAGE);
}

/* One page of a program's code is written to, as a debugger does. */
static void do_write_text(void)
{
	if (!text) {
		int fd = make_file(8 * PAGE);
		text = map_memory(8 * PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd);
		read_pages(text, 0, 8, 1);
		say_range("text", text, 8 * PAGE);
		return;
	}
	mprotect(text, 8 * PAGE, PROT_READ | PROT_WRITE);
	write_pages(text, 3, 4, 1);
	mprotect(text, 8 * PAGE, PROT_READ | PROT_EXEC);
	say_range("text_written", text + 3 * PAGE, PAGE);
}

/* A mapped file loses its name, and its mapping is said to be renamed. */
static void do_delete(void)
{
	static char *memory;
	if (!memory) {
		int fd = mkstemp(file_name);
		if (fd < 0 || ftruncate(fd, 8 * PAGE))
			cannot("make a file");
		memory = map_memory(8 * PAGE, PROT_READ, MAP_PRIVATE, fd);
		close(fd);
	} else {
		unlink(file_name);
	}
	say_range("file", memory, 8 * PAGE);
}

static char *aside; /* 64 pages for what happens to pages alone */

static void make_aside(void)
{
	aside = map_apart(64);
	write_pages(aside, 0, 64, 1);
	say_range("aside", aside, 64 * PAGE);
}

static void advise_aside(size_t first, size_t count, int advice, const char *what)
{
	if (madvise(aside + first * PAGE, count * PAGE, advice))
		cannot(what);
}

static void do_page_out(void)
{
	advise_aside(0, 32, 21 /* MADV_PAGEOUT */, "page out");
}

static void do_page_in(void)
{
	write_pages(aside, 0, 32, 1);
}

static void do_guard(void)
{
	advise_aside(40, 8, 102 /* MADV_GUARD_INSTALL, Linux 6.13 */, "install guards");
}

static void do_unguard(void)
{
	advise_aside(40, 8, 103 /* MADV_GUARD_REMOVE */, "remove guards");
}

static void do_drop(void)
{
	advise_aside(50, 4, MADV_DONTNEED, "drop pages");
}

static const struct {
	const char *name;
	void (*act)(void);
} commands[] = {
	{ "grow_heap", do_grow_heap }, { "split", do_split },     { "unsplit", do_unsplit },
	{ "protect", do_protect },     { "unmap", do_unmap },     { "punch", do_punch },
	{ "replace", do_replace },     { "move", do_move },       { "grow", do_grow },
	{ "shrink", do_shrink },       { "library", do_library }, { "touch", do_touch },
	{ "write_text", do_write_text }, { "delete", do_delete }, { "page_out", do_page_out },
	{ "page_in", do_page_in },     { "guard", do_guard },     { "unguard", do_unguard },
	{ "drop", do_drop },
};

int main(void)
{
	die_with_parent();
	heap = sbrk(64 * PAGE);
	write_pages(heap, 0, 32, 1);
	make_areas();
	make_aside();
	for (;;) {
		const char *line = next_command();
		for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
			if (!strcmp(line, commands[i].name))
				commands[i].act();
	}
}
