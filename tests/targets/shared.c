/* shared - memory that is kept elsewhere when it is not mapped, and leaves the page table as it is
 * told, one command a line:
 *
 *   drop       the first 16 pages of each area
 *   page_out   all of the shared memory, to swap
 *   fetch      its first 8 pages, by reading them
 *
 * shared: shared memory; file: a file, mapped privately, of which pages 8 to 15 were written. */
#define _GNU_SOURCE
#include "target.h"

enum { PAGES = 64 };

static char *make_file_area(void)
{
	char name[] = "shared-XXXXXX";
	int fd = mkstemp(name);
	if (fd < 0 || unlink(name) || ftruncate(fd, PAGES * PAGE))
		cannot("make a file");
	char *memory = map_memory(PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
	read_pages(memory, 0, PAGES, 1);
	write_pages(memory, 8, 16, 1);
	close(fd);
	return memory;
}

static void page_out(char *memory)
{
	/* Pages that are on their way to the lists are left: it is asked again. */
	for (int i = 0; i < 16; i++) {
		if (madvise(memory, PAGES * PAGE, 21 /* MADV_PAGEOUT */))
			cannot("page out");
		usleep(20000);
	}
}

int main(void)
{
	die_with_parent();
	char *shared = map_memory(PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, -1);
	char *file = make_file_area();
	write_pages(shared, 0, PAGES, 1);
	say_range("shared", shared, PAGES * PAGE);
	say_range("file", file, PAGES * PAGE);
	for (;;) {
		const char *line = next_command();
		if (!strcmp(line, "drop") &&
		    (madvise(shared, 16 * PAGE, MADV_DONTNEED) || madvise(file, 16 * PAGE, MADV_DONTNEED)))
			cannot("drop pages");
		else if (!strcmp(line, "page_out"))
			page_out(shared);
		else if (!strcmp(line, "fetch"))
			read_pages(shared, 0, 8, 1);
	}
}
