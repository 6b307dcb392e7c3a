/* series_file - writes a file with many snapshots of one large process, or reads one and does nothing with it.
 *
 * series_file FILE read
 * series_file FILE SNAPSHOTS PAGES dense|scattered [delta]
 *
 * dense: frames count up in ranges of 512; scattered: no two in order.  From one snapshot to the next 200 pages get
 * other frames, and the heap, a tenth of all, grows by 50. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vmsnap.h>

enum { PAGE = 4096, CHANGED = 200, GROWTH = 50, RANGE = 512 };
#define HEAP   UINT64_C(0x560000000000)
#define MMAPS  UINT64_C(0x7f0000000000)
#define SECOND UINT64_C(1000000000)

static struct vmsnap_error err;

static void check(int rc)
{
	if (!rc)
		return;
	fprintf(stderr, "series_file: %s\n", err.message);
	exit(1);
}

static uint64_t random_next(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(2685821657736338717) >> 11;
}

struct process {
	uint64_t *frames; /* of the mappings' pages, and behind them, as many as there may be, of the heap's */
	size_t pages, heap;
	uint64_t random;
};

static void add_pages(struct vmsnap_builder *builder, uint64_t start, const uint64_t *frames, size_t count)
{
	for (size_t i = 0, end; i < count; i = end) {
		for (end = i + 1; end < count && frames[end] == frames[i] + (end - i); end++)
			;
		const struct vmsnap_run run = { .start = start + i * PAGE,
			                        .end = start + end * PAGE,
			                        .pfn = frames[i],
			                        .flags = VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_EXCLUSIVE };
		check(vmsnap_builder_add_run(builder, &run, &err));
	}
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
		                          .faults = number * (CHANGED + GROWTH),
		                          .page_moves = 1,
		                          .consistent = true,
		                          .freeze = VMSNAP_FREEZE_FULL,
		                          .known = { .pfn = true, .exclusive = true, .zero = true, .huge = true } };
	const struct vmsnap_vma heap = { .start = HEAP,
		                         .end = HEAP + process->heap * PAGE,
		                         .perms = VMSNAP_PERM_READ | VMSNAP_PERM_WRITE,
		                         .name = "[heap]" };
	check(vmsnap_builder_new(&info, &builder, &err));
	check(vmsnap_builder_add_vma(builder, &heap, &err));
	size_t rest = process->pages, each = rest / 200 + 1;
	for (size_t at = 0; at < rest; at += each) {
		size_t count = each < rest - at ? each : rest - at;
		const struct vmsnap_vma vma = { .start = MMAPS + 2 * at * PAGE,
			                        .end = MMAPS + (2 * at + count) * PAGE,
			                        .perms = VMSNAP_PERM_READ | VMSNAP_PERM_WRITE };
		check(vmsnap_builder_add_vma(builder, &vma, &err));
	}
	check(vmsnap_builder_set_status(builder, "Name:\tlarge\n", strlen("Name:\tlarge\n"), &err));
	add_pages(builder, HEAP, process->frames + process->pages, process->heap);
	for (size_t at = 0; at < rest; at += each)
		add_pages(builder, MMAPS + 2 * at * PAGE, process->frames + at, each < rest - at ? each : rest - at);
	check(vmsnap_builder_finish(builder, &snap, &err));
	vmsnap_builder_free(builder);
	return snap;
}

static void go_on(struct process *process)
{
	for (int i = 0; i < CHANGED; i++)
		process->frames[random_next(&process->random) % process->pages] =
		        random_next(&process->random) % (UINT64_C(1) << 26);
	process->heap += GROWTH;
}

static int read_all(const char *path)
{
	struct vmsnap_file *file;
	struct vmsnap_walk *walk;
	struct vmsnap *snap;
	check(vmsnap_file_open(path, NULL, &file, &err));
	check(vmsnap_walk_new(file, 0, vmsnap_file_count(file), &walk, &err));
	int rc;
	while ((rc = vmsnap_walk_next(walk, &snap, NULL, &err)) == VMSNAP_OK)
		vmsnap_unref(snap);
	vmsnap_walk_free(walk);
	vmsnap_file_close(file);
	return rc == VMSNAP_END ? 0 : 1;
}

int main(int argc, char **argv)
{
	if (argc == 3)
		return read_all(argv[1]);
	if (argc < 5)
		return 2;
	size_t snapshots = strtoul(argv[2], NULL, 10), pages = strtoul(argv[3], NULL, 10);
	bool scattered = !strcmp(argv[4], "scattered");
	struct process process = { .pages = pages - pages / 10, .heap = pages / 10, .random = 88172645463325252 };
	size_t most = pages + GROWTH * snapshots;
	process.frames = calloc(most, sizeof(*process.frames));
	if (!process.frames)
		return 1;
	for (size_t i = 0; i < most; i++) {
		bool begins = scattered || i % RANGE == 0;
		process.frames[i] =
		        begins ? random_next(&process.random) % (UINT64_C(1) << 26) : process.frames[i - 1] + 1;
	}
	const struct vmsnap_writer_options options = { .size = sizeof(options),
		                                       .flags = argc > 5 ? VMSNAP_SAVE_DELTA : 0 };
	struct vmsnap_writer *writer;
	check(vmsnap_writer_open(argv[1], &options, &writer, &err));
	for (size_t i = 0; i < snapshots; i++) {
		const struct vmsnap *snap = make(&process, i);
		check(vmsnap_writer_add(writer, &snap, 1, &err));
		vmsnap_unref(snap);
		go_on(&process);
	}
	check(vmsnap_writer_close(writer, &err));
	free(process.frames);
	return 0;
}
