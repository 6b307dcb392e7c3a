/* report_file - writes a file of one process, to make a page of with vmsnap report.
 *
 * report_file FILE SNAPSHOTS PAGES COPIED SCATTERED GROWTH
 *
 * All pages are shared at first, as after a fork, in frames that count up in ranges of some hundreds.  Until the last
 * snapshot COPIED of them are copied: in other frames, and the process's own.  SCATTERED of those lie anywhere, the
 * others in ranges.  With each snapshot the heap grows by GROWTH pages. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vmsnap.h>

enum { PAGE = 4096, RANGE = 512, MAPPING = 1 << 20 };
#define HEAP   UINT64_C(0x560000000000)
#define MMAPS  UINT64_C(0x7f0000000000)
#define SECOND UINT64_C(1000000000)
#define OWN    (UINT64_C(1) << 63) /* in what is kept of a page, beside its frame */

static struct vmsnap_error err;

static void check(int rc)
{
	if (!rc)
		return;
	fprintf(stderr, "report_file: %s\n", err.message);
	exit(1);
}

static uint64_t random_below(uint64_t *state, uint64_t end)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (*state * UINT64_C(2685821657736338717) >> 11) % end;
}

struct process {
	uint64_t *frames;
	size_t pages, heap;
	uint64_t random, next; /* next: a frame that nobody has */
};

static void add_pages(struct vmsnap_builder *builder, uint64_t start, const uint64_t *frames, size_t count)
{
	for (size_t i = 0, end; i < count; i = end) {
		for (end = i + 1; end < count && frames[end] == frames[i] + (end - i); end++)
			;
		uint32_t own = frames[i] & OWN ? VMSNAP_PAGE_EXCLUSIVE : 0;
		const struct vmsnap_run run = { .start = start + i * PAGE,
			                        .end = start + end * PAGE,
			                        .pfn = frames[i] & ~OWN,
			                        .flags = VMSNAP_PAGE_PRESENT | own };
		check(vmsnap_builder_add_run(builder, &run, &err));
	}
}

static void add_vma(struct vmsnap_builder *builder, uint64_t start, size_t pages, const char *name)
{
	const struct vmsnap_vma vma = {
		.start = start, .end = start + pages * PAGE, .perms = VMSNAP_PERM_READ | VMSNAP_PERM_WRITE, .name = name
	};
	check(vmsnap_builder_add_vma(builder, &vma, &err));
}

static struct vmsnap *make(const struct process *process, size_t number)
{
	struct vmsnap_builder *builder;
	struct vmsnap *snap;
	const struct vmsnap_info info = { .pid = 1000,
		                          .tgid = 1000,
		                          .start_time = 5,
		                          .page_size = PAGE,
		                          .taken = (int64_t)(UINT64_C(1700000000) * SECOND + number * SECOND),
		                          .monotonic = (int64_t)((100 + number) * SECOND),
		                          .boottime = (100 + number) * SECOND,
		                          .boot_id = "boot",
		                          .comm = "large",
		                          .faults = number << 24,
		                          .consistent = true,
		                          .freeze = VMSNAP_FREEZE_FULL,
		                          .known = { .pfn = true, .exclusive = true, .zero = true, .huge = true } };
	check(vmsnap_builder_new(&info, &builder, &err));
	if (process->heap)
		add_vma(builder, HEAP, process->heap, "[heap]");
	for (size_t at = 0; at < process->pages; at += MAPPING)
		add_vma(builder, MMAPS + 2 * at * PAGE, process->pages - at < MAPPING ? process->pages - at : MAPPING,
		        "");
	check(vmsnap_builder_set_status(builder, "Name:\tlarge\n", strlen("Name:\tlarge\n"), &err));
	add_pages(builder, HEAP, process->frames + process->pages, process->heap);
	for (size_t at = 0; at < process->pages; at += MAPPING)
		add_pages(builder, MMAPS + 2 * at * PAGE, process->frames + at,
		          process->pages - at < MAPPING ? process->pages - at : MAPPING);
	check(vmsnap_builder_finish(builder, &snap, &err));
	vmsnap_builder_free(builder);
	return snap;
}

static void begin(struct process *process, size_t most)
{
	process->frames = calloc(most, sizeof(*process->frames));
	if (!process->frames)
		exit(1);
	process->next = 1 << 16;
	for (size_t i = 0; i < most; i++) {
		if (!random_below(&process->random, RANGE))
			process->next += random_below(&process->random, 4 * RANGE);
		process->frames[i] = process->next++ | (i < process->pages ? 0 : OWN);
	}
}

static void copy_pages(struct process *process, size_t at, size_t count)
{
	process->next += 1 + random_below(&process->random, RANGE);
	for (size_t i = at; i < at + count && i < process->pages; i++)
		process->frames[i] = process->next++ | OWN;
}

static void go_on(struct process *process, size_t ranges, size_t scattered, size_t growth)
{
	for (size_t i = 0; i < scattered; i++)
		copy_pages(process, random_below(&process->random, process->pages), 1);
	while (ranges) {
		size_t count = 1 + random_below(&process->random, ranges < 2 * RANGE ? ranges : 2 * RANGE);
		copy_pages(process, random_below(&process->random, process->pages), count);
		ranges -= count;
	}
	process->heap += growth;
}

int main(int argc, char **argv)
{
	if (argc != 7)
		return 2;
	size_t snapshots = strtoul(argv[2], NULL, 10), copied = strtoul(argv[4], NULL, 10);
	size_t scattered = strtoul(argv[5], NULL, 10), growth = strtoul(argv[6], NULL, 10);
	size_t steps = snapshots > 1 ? snapshots - 1 : 1;
	struct process process = { .pages = strtoul(argv[3], NULL, 10), .random = 88172645463325252 };
	begin(&process, process.pages + growth * snapshots);
	const struct vmsnap_writer_options options = { .size = sizeof(options), .flags = VMSNAP_SAVE_DELTA };
	struct vmsnap_writer *writer;
	check(vmsnap_writer_open(argv[1], &options, &writer, &err));
	for (size_t i = 0; i < snapshots; i++) {
		const struct vmsnap *snap = make(&process, i);
		check(vmsnap_writer_add(writer, &snap, 1, &err));
		vmsnap_unref(snap);
		go_on(&process, (copied - scattered) / steps, scattered / steps, growth);
	}
	check(vmsnap_writer_close(writer, &err));
	free(process.frames);
	return 0;
}
