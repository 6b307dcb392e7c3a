/* moves - moves memory, or makes it look so, as it is told, one command a line.  What each
 * command works on is mapped and written before the first; "share" makes a child that has it all
 * too, and only stands. */
#define _GNU_SOURCE
#include "target.h"

#include <linux/userfaultfd.h>
#include <sys/ioctl.h>

enum { COUNT = 32, FAKES = 128 };

static char *part, *whole, *lead, *fake, *shared, *over, *cached, *split, *onto, *guarded;
static int cache_file;

static void put(const char *name, char *memory, size_t pages)
{
	say_range(name, memory, pages * PAGE);
}

/* Backwards, so that frames do not count up along the addresses: then they may be one folio. */
static char *written(size_t pages)
{
	char *memory = map_apart(pages);
	madvise(memory, pages * PAGE, MADV_NOHUGEPAGE);
	for (size_t page = pages; page--;)
		memory[page * PAGE] = 1;
	return memory;
}

static char *moved(char *from, size_t pages)
{
	char *place = map_apart(pages);
	char *now = mremap(from, pages * PAGE, pages * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place);
	if (now == MAP_FAILED)
		cannot("mremap");
	return now;
}

static void do_share(void)
{
	pid_t child = fork();
	if (!child) {
		die_with_parent();
		for (;;)
			pause();
	}
	say("child %d\n", (int)child);
}

static void do_part(void)
{
	char *now = moved(part + 8 * PAGE, 12);
	write_pages(now, 0, 4, 1);
	put("part_from", part + 8 * PAGE, 12);
	put("part_to", now, 12);
}

static void do_whole(void)
{
	put("whole_from", whole, COUNT);
	whole = moved(whole, COUNT);
	put("whole_to", whole, COUNT);
}

static void do_lead(void)
{
	put("lead_from", lead, COUNT);
	lead = moved(lead, COUNT);
	write_pages(lead, 0, 4, 1);
	put("lead_to", lead, COUNT);
}

/* Over memory of the same kind, which is written too. */
static void do_onto(void)
{
	char *now = mremap(onto + COUNT * PAGE, 8 * PAGE, 8 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, onto);
	if (now != onto)
		cannot("mremap");
	put("onto_from", onto + COUNT * PAGE, 8);
	put("onto_to", onto, 8);
}

/* Nothing moves: the frames that are set free are given out again. */
static void do_fake(void)
{
	char *place = map_apart(FAKES);
	munmap(fake, FAKES * PAGE);
	put("fake_from", fake, FAKES);
	for (size_t page = FAKES; page--;)
		place[page * PAGE] = 1;
	put("fake_to", place, FAKES);
	fake = place;
}

static void map_over(char *memory, size_t pages, int prot)
{
	if (mmap(memory, pages * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		cannot("map over");
}

static void do_private(void)
{
	map_over(shared, COUNT, PROT_READ | PROT_WRITE);
	write_pages(shared, 0, 5, 1);
	put("private", shared, COUNT);
}

static void do_over(void)
{
	map_over(over + 8 * PAGE, 12, PROT_READ | PROT_WRITE | PROT_EXEC);
	write_pages(over, 8, 13, 1);
	put("over", over + 8 * PAGE, 12);
}

/* The cache forgets the pages of a file, and reads them anew. */
static void do_cache(void)
{
	madvise(cached, COUNT * PAGE, MADV_DONTNEED);
	fsync(cache_file);
	posix_fadvise(cache_file, 0, 0, POSIX_FADV_DONTNEED);
	for (size_t page = COUNT; page--;)
		read_pages(cached, page, page + 1, 1);
	put("cached", cached, COUNT);
}

static void do_huge(void)
{
	if (madvise(split + 7 * PAGE, PAGE, MADV_DONTNEED))
		cannot("drop a page");
	say_range("huge", split, HUGE_PAGE);
}

/* Write-protects half of the pages, then lifts that from some. */
static void do_protect(void)
{
	static int uffd = -1;
	bool first = uffd < 0;
	if (first) {
		uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
		struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_PAGEFAULT_FLAG_WP };
		struct uffdio_register area = { .range = { (uintptr_t)guarded, COUNT * PAGE },
			                        .mode = UFFDIO_REGISTER_MODE_WP };
		if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api) || ioctl(uffd, UFFDIO_REGISTER, &area))
			cannot("use userfaultfd");
	}
	struct uffdio_writeprotect part = { .range = { (uintptr_t)guarded, (first ? 16 : 6) * PAGE },
		                            .mode = first ? UFFDIO_WRITEPROTECT_MODE_WP : 0 };
	if (ioctl(uffd, UFFDIO_WRITEPROTECT, &part))
		cannot("write-protect");
	put("guarded", guarded, COUNT);
}

static void make_all(void)
{
	part = written(COUNT);
	whole = written(COUNT);
	lead = written(COUNT);
	fake = written(FAKES);
	over = written(COUNT);
	onto = written(COUNT + 8);
	guarded = written(COUNT);
	shared = map_memory(COUNT * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, -1);
	write_pages(shared, 0, COUNT, 1);
	cache_file = make_file(COUNT * PAGE);
	cached = map_memory(COUNT * PAGE, PROT_READ, MAP_PRIVATE, cache_file);
	read_pages(cached, 0, COUNT, 1);
	split = map_aligned(HUGE_PAGE, MAP_PRIVATE);
	madvise(split, HUGE_PAGE, MADV_HUGEPAGE);
	write_pages(split, 0, 1, 1);
}

static const struct {
	const char *name;
	void (*act)(void);
} commands[] = {
	{ "share", do_share }, { "part", do_part }, { "whole", do_whole },     { "lead", do_lead },
	{ "onto", do_onto },   { "fake", do_fake }, { "private", do_private }, { "over", do_over },
	{ "cache", do_cache }, { "huge", do_huge }, { "protect", do_protect },
};

int main(void)
{
	die_with_parent();
	make_all();
	for (;;) {
		const char *line = next_command();
		for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
			if (!strcmp(line, commands[i].name))
				commands[i].act();
	}
}
