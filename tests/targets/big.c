/* big KIND … - address spaces of unusual size.
 *
 *   touched MIB          memory written page by page
 *   different MIB        the same, no two pages of which hold the same
 *   scattered MIB SEED   the same in an order that leaves no two neighbours with neighbouring frames
 *   thp MIB              the same as touched in transparent huge pages
 *   sparse GIB PAGES SEED  reserved, and some pages of it written
 *   vmas COUNT           mappings of one page each
 *   mapped MIB TIMES     one memfd, wholly resident, mapped many times
 *   names FILE...        files mapped under their names
 */
#define _GNU_SOURCE
#include "target.h"

static void make_touched(size_t mib)
{
	char *memory = map_private(mib << 20);
	madvise(memory, mib << 20, MADV_NOHUGEPAGE);
	write_pages(memory, 0, (mib << 20) / PAGE, 1);
	say_range("touched", memory, mib << 20);
}

static void make_different(size_t mib)
{
	char *memory = map_private(mib << 20);
	for (size_t at = 0; at < mib << 20; at += PAGE) {
		uint64_t seed = at + 1;
		for (size_t i = 0; i < PAGE; i += sizeof(seed)) {
			uint64_t word = random_next(&seed);
			memcpy(memory + at + i, &word, sizeof(word));
		}
	}
	say_range("different", memory, mib << 20);
}

/* Frames are given out in order, so pages are met out of it: each once, for the step and the number of
 * pages, a power of two, have no divisor in common. */
static void make_scattered(size_t mib, uint64_t seed)
{
	char *memory = map_private(mib << 20);
	size_t pages = (mib << 20) / PAGE, step = (size_t)(random_next(&seed) | 1);
	madvise(memory, mib << 20, MADV_NOHUGEPAGE);
	for (size_t i = 0, at = 0; i < pages; i++, at += step)
		memory[at % pages * PAGE] = 1;
	say_range("scattered", memory, mib << 20);
}

static void make_thp(size_t mib)
{
	char *memory = map_aligned(mib << 20, MAP_PRIVATE);
	madvise(memory, mib << 20, MADV_HUGEPAGE);
	write_pages(memory, 0, (mib << 20) / PAGE, HUGE_PAGE / PAGE);
	say_range("thp", memory, mib << 20);
}

static void make_sparse(size_t gib, size_t pages, uint64_t seed)
{
	size_t bytes = gib << 30;
	char *memory = map_memory(bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, -1);
	for (size_t i = 0; i < pages; i++)
		memory[random_next(&seed) % (bytes / PAGE) * PAGE] = 1;
	say_range("sparse", memory, bytes);
}

/* Neighbours differ in their protection, so the kernel cannot join them. */
static void make_vmas(size_t count)
{
	char *memory = map_memory(count * PAGE, PROT_READ, MAP_PRIVATE, -1);
	for (size_t i = 0; i < count; i += 2) {
		if (mprotect(memory + i * PAGE, PAGE, PROT_READ | PROT_WRITE))
			cannot("make so many mappings");
		memory[i * PAGE] = 1;
	}
	say_range("vmas", memory, count * PAGE);
}

static void make_mapped(size_t mib, size_t times)
{
	int fd = memfd_create("big", 0);
	if (fd < 0 || ftruncate(fd, (off_t)(mib << 20)))
		cannot("memfd_create");
	for (size_t i = 0; i < times; i++) {
		char *memory = map_memory(mib << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
		write_pages(memory, 0, (mib << 20) / PAGE, 1);
	}
}

static void make_names(char **names)
{
	for (; *names; names++) {
		int fd = open(*names, O_RDWR | O_CREAT, 0600);
		if (fd < 0 || ftruncate(fd, 2 * PAGE))
			cannot("make a file");
		char *memory = map_memory(2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
		write_pages(memory, 0, 1, 1);
		close(fd);
	}
}

int main(int argc, char **argv)
{
	die_with_parent();
	const char *kind = argc > 2 ? argv[1] : "";
	size_t number[3] = { 0 };
	for (int i = 2; i < argc && i < 5; i++)
		number[i - 2] = strtoull(argv[i], NULL, 10);
	if (!strcmp(kind, "different"))
		make_different(number[0]);
	else if (!strcmp(kind, "touched"))
		make_touched(number[0]);
	else if (!strcmp(kind, "scattered"))
		make_scattered(number[0], number[1]);
	else if (!strcmp(kind, "thp"))
		make_thp(number[0]);
	else if (!strcmp(kind, "sparse"))
		make_sparse(number[0], number[1], number[2]);
	else if (!strcmp(kind, "vmas"))
		make_vmas(number[0]);
	else if (!strcmp(kind, "mapped"))
		make_mapped(number[0], number[1]);
	else if (!strcmp(kind, "names"))
		make_names(argv + 2);
	else
		return 2;
	stand_still();
}
