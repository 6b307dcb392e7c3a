/* pagemap_limit - the least work the kernel can be asked for to tell the state of
 * every page of a process.  What a capture takes is held against it.
 *
 *   plain      reads the pagemap entries of all mappings, near mappings at once
 *   scan       one PAGEMAP_SCAN over the whole address space (Linux 6.7)
 *   scan+read  the scan, then the entries of what it found, near regions at once
 *   maps       one read of the text of maps
 *
 * Nothing is done with what is read, but that present pages are counted, so that
 * one can see that all ways meet the same pages.
 *
 * pagemap_limit PID WAY [REPEAT [GIVE_UP]]: GIVE_UP is in seconds.
 * Prints WAY SECONDS PRESENT, the least of REPEAT times; "inf" if it gave up. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

/* linux/fs.h of Linux 6.7; older headers lack it. */
struct region {
	uint64_t start, end, categories;
};
struct scan_arg {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t inverted, mask, any_of, returned;
};
#define SCAN _IOWR('f', 16, struct scan_arg)
enum { FILE_PAGE = 1 << 2, PRESENT = 1 << 3, SWAPPED = 1 << 4, ZERO = 1 << 5, HUGE = 1 << 6 };

enum { PAGE_SHIFT = 12, NEAR_PAGES = 256, CHUNK = 8192, REGIONS = 8192 };

struct page_range { /* pages, half-open */
	uint64_t first, end;
};
static struct page_range *ranges;
static size_t range_count;
static uint64_t present;
static double deadline;
static int pagemap, maps;

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* The mappings, joined where they are so near that one read is cheaper than two. */
static void find_ranges(const char *pid)
{
	char path[64], line[8192];
	snprintf(path, sizeof(path), "/proc/%s/maps", pid);
	FILE *file = fopen(path, "r");
	if (!file) {
		perror(path);
		exit(1);
	}
	size_t room = 0;
	uint64_t start, end;
	while (fgets(line, sizeof(line), file)) {
		/* [vsyscall] lies above the user's half and has no entries. */
		if (sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) != 2 || start >> 63)
			continue;
		start >>= PAGE_SHIFT;
		end >>= PAGE_SHIFT;
		if (range_count && start - ranges[range_count - 1].end <= NEAR_PAGES) {
			ranges[range_count - 1].end = end;
			continue;
		}
		if (range_count == room) {
			room = room ? 2 * room : 1024;
			ranges = realloc(ranges, room * sizeof(*ranges));
			if (!ranges)
				exit(1);
		}
		ranges[range_count++] = (struct page_range){ start, end };
	}
	fclose(file);
}

/* False once it takes too long. */
static int read_range(struct page_range range)
{
	static uint64_t chunk[CHUNK];
	while (range.first < range.end) {
		uint64_t count = range.end - range.first < CHUNK ? range.end - range.first : CHUNK;
		ssize_t got = pread(pagemap, chunk, count * 8, (off_t)(range.first * 8));
		if (got <= 0)
			return 1;
		count = (uint64_t)got / 8;
		for (uint64_t i = 0; i < count; i++)
			present += chunk[i] >> 63;
		range.first += count;
		if (now() > deadline)
			return 0;
	}
	return 1;
}

static int go_plain(void)
{
	for (size_t i = 0; i < range_count; i++)
		if (!read_range(ranges[i]))
			return 0;
	return 1;
}

static int go_scan(int then_read)
{
	static struct region regions[REGIONS];
	struct page_range pending = { 0, 0 };
	struct scan_arg arg = { .size = sizeof(arg),
		                .start = ranges[0].first << PAGE_SHIFT,
		                .end = ranges[range_count - 1].end << PAGE_SHIFT,
		                .vec = (uintptr_t)regions,
		                .vec_len = REGIONS,
		                .any_of = PRESENT | SWAPPED,
		                .returned = PRESENT | SWAPPED | FILE_PAGE | ZERO | HUGE };
	for (int found = REGIONS; found == REGIONS; arg.start = arg.walk_end) {
		found = ioctl(pagemap, SCAN, &arg);
		if (found < 0) {
			perror("PAGEMAP_SCAN");
			exit(1);
		}
		for (int i = 0; i < found; i++) {
			struct page_range range = { regions[i].start >> PAGE_SHIFT, regions[i].end >> PAGE_SHIFT };
			if (!then_read) {
				present += regions[i].categories & PRESENT ? range.end - range.first : 0;
			} else if (pending.end && range.first - pending.end <= NEAR_PAGES) {
				pending.end = range.end;
			} else {
				if (!read_range(pending))
					return 0;
				pending = range;
			}
		}
	}
	return read_range(pending);
}

static int go_maps(void)
{
	static char text[1 << 18];
	ssize_t got;
	off_t at = 0;
	while ((got = pread(maps, text, sizeof(text), at)) > 0)
		at += got;
	return 1;
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: pagemap_limit PID plain|scan|scan+read|maps [REPEAT [GIVE_UP]]\n");
		return 2;
	}
	const char *way = argv[2];
	int repeat = argc > 3 ? atoi(argv[3]) : 5;
	double give_up = argc > 4 ? atof(argv[4]) : 3600, best = -1;
	char path[64];
	find_ranges(argv[1]);
	snprintf(path, sizeof(path), "/proc/%s/pagemap", argv[1]);
	pagemap = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%s/maps", argv[1]);
	maps = open(path, O_RDONLY | O_CLOEXEC);
	if (pagemap < 0 || maps < 0 || !range_count) {
		perror(path);
		return 1;
	}
	for (int i = 0; i < repeat; i++) {
		present = 0;
		double begun = now();
		deadline = begun + give_up;
		int done = !strcmp(way, "plain")  ? go_plain()
		           : !strcmp(way, "maps") ? go_maps()
		                                  : go_scan(!strcmp(way, "scan+read"));
		double took = now() - begun;
		if (done && (best < 0 || took < best))
			best = took;
	}
	if (best < 0)
		printf("%s inf 0\n", way);
	else
		printf("%s %.7f %" PRIu64 "\n", way, best, present);
	return 0;
}
