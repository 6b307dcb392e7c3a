/* groups PID... - what processes that stand still share, of the kernel's own files, frame by frame: shares no code with
 * vmsnap, and is linked statically, so that nothing that it maps is theirs.  Prints, in bytes,
 *
 *   process PID Rss Pss Private       smaps_rollup
 *   counted PID rss pss uss own       of pagemap, kpageflags and kpagecount
 *   pair PID PID bytes                frames that both map
 *   group frames by_all own           each frame once
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PROCESSES = 64, PAGE = 4096, HUGETLB = 17, ZERO = 24 };

/* One page of one process. */
struct mapped {
	uint64_t frame;
	unsigned process;
};
static struct mapped *pages;
static size_t count, room;
static int kpageflags, kpagecount;

static void fail(const char *what)
{
	perror(what);
	exit(2);
}

static uint64_t word_of(int fd, uint64_t frame)
{
	uint64_t word;
	if (pread(fd, &word, 8, (off_t)(frame * 8)) != 8)
		fail("kpage");
	return word;
}

static void add_page(uint64_t entry, unsigned process)
{
	uint64_t frame = entry & ((UINT64_C(1) << 55) - 1);
	if (!(entry >> 63) || word_of(kpageflags, frame) & (UINT64_C(1) << HUGETLB | UINT64_C(1) << ZERO))
		return;
	if (count == room) {
		room = room ? 2 * room : 1 << 16;
		pages = realloc(pages, room * sizeof(*pages));
		if (!pages)
			fail("memory");
	}
	pages[count++] = (struct mapped){ frame, process };
}

static void read_process(const char *pid, unsigned process)
{
	char path[64], line[8192], name[4096];
	uint64_t start, end, entries[512];
	snprintf(path, sizeof(path), "/proc/%s/maps", pid);
	FILE *maps = fopen(path, "re");
	snprintf(path, sizeof(path), "/proc/%s/pagemap", pid);
	int pagemap = open(path, O_RDONLY | O_CLOEXEC);
	if (!maps || pagemap < 0)
		fail(path);
	while (fgets(line, sizeof(line), maps)) {
		*name = '\0';
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %*s %*s %*s %4095s", &start, &end, name) < 2 ||
		    start >> 63 || !strncmp(name, "[vvar", 5))
			continue;
		while (start < end) {
			size_t most = (end - start) / PAGE < 512 ? (size_t)((end - start) / PAGE) : 512;
			ssize_t got = pread(pagemap, entries, most * 8, (off_t)(start / PAGE * 8));
			if (got != (ssize_t)(most * 8))
				fail("pagemap");
			for (size_t i = 0; i < most; i++)
				add_page(entries[i], process);
			start += most * PAGE;
		}
	}
	fclose(maps);
	close(pagemap);
}

static void tell_rollup(const char *pid)
{
	char path[64], line[256];
	uint64_t kilobytes, rss = 0, pss = 0, private = 0;
	snprintf(path, sizeof(path), "/proc/%s/smaps_rollup", pid);
	FILE *rollup = fopen(path, "re");
	if (!rollup)
		fail(path);
	while (fgets(line, sizeof(line), rollup)) {
		if (sscanf(line, "Rss: %" SCNu64, &kilobytes) == 1)
			rss = kilobytes;
		if (sscanf(line, "Pss: %" SCNu64, &kilobytes) == 1)
			pss = kilobytes;
		if (sscanf(line, "Private_Clean: %" SCNu64, &kilobytes) == 1 ||
		    sscanf(line, "Private_Dirty: %" SCNu64, &kilobytes) == 1)
		private += kilobytes;
	}
	fclose(rollup);
	printf("process %s %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", pid, rss * 1024, pss * 1024, private * 1024);
}

static int by_frame(const void *x, const void *y)
{
	const struct mapped *a = x, *b = y;
	if (a->frame != b->frame)
		return a->frame < b->frame ? -1 : 1;
	return (a->process > b->process) - (a->process < b->process);
}

static struct {
	uint64_t rss, uss, own;
	double pss;
} of[PROCESSES];
static uint64_t pairs[PROCESSES][PROCESSES], frames, by_all, own_frames;

/* All pages of one frame. */
static void count_frame(const struct mapped *first, size_t mapped, unsigned processes)
{
	uint64_t times = word_of(kpagecount, first->frame);
	unsigned holders[PROCESSES] = { 0 }, holding = 0;
	for (size_t i = 0; i < mapped; i++) {
		of[first[i].process].rss += PAGE;
		of[first[i].process].pss += (double)PAGE / (double)(times > mapped ? times : mapped);
		if (!i || first[i].process != first[i - 1].process)
			holders[holding++] = first[i].process;
	}
	of[holders[0]].uss += times == 1 ? PAGE : 0;
	of[holders[0]].own += holding == 1 && times == mapped ? PAGE : 0;
	for (unsigned i = 0; i < holding; i++)
		for (unsigned k = i + 1; k < holding; k++)
			pairs[holders[i]][holders[k]] += PAGE;
	frames += PAGE;
	by_all += holding == processes ? PAGE : 0;
	own_frames += holding == 1 ? PAGE : 0;
}

int main(int argc, char **argv)
{
	unsigned processes = (unsigned)argc - 1;
	kpageflags = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	kpagecount = open("/proc/kpagecount", O_RDONLY | O_CLOEXEC);
	if (argc < 2 || processes > PROCESSES || kpageflags < 0 || kpagecount < 0)
		fail("groups PID...");
	for (unsigned i = 0; i < processes; i++)
		tell_rollup(argv[i + 1]);
	for (unsigned i = 0; i < processes; i++)
		read_process(argv[i + 1], i);
	qsort(pages, count, sizeof(*pages), by_frame);
	for (size_t i = 0, end; i < count; i = end) {
		for (end = i + 1; end < count && pages[end].frame == pages[i].frame; end++)
			;
		count_frame(&pages[i], end - i, processes);
	}
	for (unsigned i = 0; i < processes; i++)
		printf("counted %s %" PRIu64 " %.0f %" PRIu64 " %" PRIu64 "\n", argv[i + 1], of[i].rss, of[i].pss,
		       of[i].uss, of[i].own);
	for (unsigned i = 0; i < processes; i++)
		for (unsigned k = i + 1; k < processes; k++)
			printf("pair %s %s %" PRIu64 "\n", argv[i + 1], argv[k + 1], pairs[i][k]);
	printf("group %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", frames, by_all, own_frames);
	return 0;
}
