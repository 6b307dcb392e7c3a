/* sequence - writes its pages one after the other, each with the number of the step: what every page holds at any
 * instant follows from how many steps were done, which one page tells.  Step by step a page is written, by itself or by
 * the kernel, or pages go, are mapped anew, moved, protected, read, or shared with a child.
 *
 *   go             begins, and never stops; go exec: executes itself anew now and then
 *
 * Where things lie is fixed.  tests/live/test_precopy.py has the same steps. */
#define _GNU_SOURCE
#include <time.h>

#include "target.h"

enum { PAGES = 4096, HOT = 64, WORDS = PAGE / 8, STEPS_A_NAP = 32 };

struct progress {
	volatile uint64_t begun, done; /* steps */
};
static struct progress *const progress = (void *)UINT64_C(0x100000000000); /* NOLINT: where it lies is fixed */
static uint64_t *const area = (void *)UINT64_C(0x100040000000);            /* NOLINT */

static uint64_t mixed(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static void *page_at(uint64_t page)
{
	return area + page * WORDS;
}

static void map_anew(uint64_t page, size_t pages)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
	if (mmap(page_at(page), pages * PAGE, PROT_READ | PROT_WRITE, flags, -1, 0) == MAP_FAILED)
		_exit(1);
}

static void write_page(uint64_t page, uint64_t step)
{
	volatile uint64_t *words = page_at(page);
	words[0] = step;
	words[WORDS - 1] = step;
}

static void kernel_writes_page(uint64_t page, uint64_t step)
{
	static int ends[2] = { -1, -1 };
	uint64_t *words = page_at(page);
	if (ends[0] < 0 && pipe(ends))
		_exit(1);
	for (int i = 0; i < 2; i++)
		if (write(ends[1], &step, sizeof(step)) != sizeof(step) ||
		    read(ends[0], &words[i * (WORDS - 1)], sizeof(step)) != sizeof(step))
			_exit(1);
}

/* A child that shares all of it writes, and ends. */
static void let_child_write(uint64_t page, uint64_t step)
{
	pid_t child = fork();
	if (!child) {
		for (uint64_t i = 0; i < HOT; i++)
			write_page((page + i) % PAGES, ~step);
		_exit(0);
	}
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
}

static bool moved(uint64_t from, uint64_t to, size_t count)
{
	size_t size = count * PAGE;
	return mremap(page_at(from), size, size, MREMAP_MAYMOVE | MREMAP_FIXED, page_at(to)) != MAP_FAILED;
}

/* A page table as a whole where count is 512; page by page where it is of several mappings. */
static void move(uint64_t from, uint64_t to, size_t count)
{
	/* What had been moved before it failed is not there any more. */
	if (!moved(from, to, count))
		for (size_t i = 0; i < count; i++)
			if (!moved(from + i, to + i, 1) && errno != EFAULT)
				_exit(3);
	map_anew(from, count);
}

static void protect_and_back(uint64_t page, size_t count)
{
	if (mprotect(page_at(page), count * PAGE, PROT_READ) ||
	    mprotect(page_at(page), count * PAGE, PROT_READ | PROT_WRITE))
		_exit(1);
}

static void do_step(uint64_t step)
{
	uint64_t x = mixed(step), kind = x % 1024, page = (x >> 10) % (PAGES - 16), half = PAGES / 2;
	switch (kind) {
	case 0:
	case 1:
		if (madvise(page_at(page), 16UL * PAGE, MADV_DONTNEED))
			_exit(1);
		break;
	case 2:
	case 3:
		map_anew(page, 16);
		break;
	case 4:
		move(page % (half - 16), half + page % (half - 16), 16);
		break;
	case 5:
		if (!(x >> 60))
			move(page / 512 % 4 * 512, half + page / 512 % 4 * 512, 512);
		break;
	case 6:
		if (!(x >> 62))
			let_child_write(page, step);
		break;
	case 7:
		protect_and_back(page, 16);
		break;
	case 8:
		(void)*(volatile uint64_t *)page_at(page);
		break;
	case 9:
	case 10:
	case 11:
		kernel_writes_page(page, step);
		break;
	default:
		write_page(kind % 8 ? page % HOT * (PAGES / HOT) : page, step);
	}
}

static void map_fixed(void *at, size_t size)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
	if (mmap(at, size, PROT_READ | PROT_WRITE, flags, -1, 0) != at)
		cannot("map memory at a fixed address");
}

static _Noreturn void run(uint64_t from, bool execs)
{
	const struct timespec nap = { .tv_nsec = 200000 };
	progress->done = progress->begun = from;
	for (uint64_t step = from + 1;; step++) {
		progress->begun = step;
		do_step(step);
		progress->done = step;
		if (step % STEPS_A_NAP == 0)
			nanosleep(&nap, NULL);
		char number[32];
		snprintf(number, sizeof(number), "%llu", (unsigned long long)step);
		if (execs && step % 4096 == 0)
			execl("/proc/self/exe", "sequence", number, (char *)NULL);
	}
}

int main(int argc, char **argv)
{
	die_with_parent();
	map_fixed(progress, PAGE);
	map_fixed(area, (size_t)PAGES * PAGE);
	madvise(area, (size_t)PAGES * PAGE, MADV_NOHUGEPAGE);
	if (argc > 1)
		run(strtoull(argv[1], NULL, 10), true);
	say_range("progress", progress, PAGE);
	say_range("area", area, (size_t)PAGES * PAGE);
	const char *command = next_command();
	if (!command || !*command)
		stand_still();
	bool execs = !strcmp(command, "go exec");
	say("ready\n");
	run(0, execs);
}
