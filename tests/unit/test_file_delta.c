/* Snapshots that are stored as what differs from the one before of their process. */
#include "test_file_folder.h"

#include "builder.h"
#include "test_sanitized.h"

/* ---- what changes from one to the next -------------------------------------------------- */

enum { PAGES = 400 };
static uint64_t entries[PAGES]; /* 0: not there */

static void change_pages(size_t count)
{
	static const uint64_t states[] = { 0,
		                           PRESENT | FLAG(EXCLUSIVE),
		                           PRESENT | FLAG(FILE),
		                           SWAPPED,
		                           FLAG(GUARD),
		                           FLAG(UFFD_WP),
		                           PRESENT | FLAG(EXCLUSIVE) | FLAG(SOFT_DIRTY) };
	for (size_t i = 0; i < count; i++) {
		size_t at = sample_random(PAGES), pages = 1 + sample_random(sample_random(8) ? 3 : 60);
		uint64_t state = states[sample_random(7)], frame = sample_random(1 << 20);
		for (size_t k = at; k < at + pages && k < PAGES; k++) {
			entries[k] = state;
			if (state & PRESENT)
				entries[k] |= frame + (k - at);
			if (state & SWAPPED)
				entries[k] |= 3 | (frame + (k - at)) << SWAP_TYPE_BITS;
		}
	}
}

static struct vmsnap *make(size_t number)
{
	char label[32];
	snprintf(label, sizeof(label), "s%zu", number);
	struct vmsnap *made = sample_empty(4096, label);
	made->info.taken += (int64_t)number * 1000000007;
	made->info.monotonic += (int64_t)number * 1000000009;
	made->info.pause = 300000 + sample_random(100000);
	made->info.faults += number * 17;
	char *status = arena_alloc(&made->strings, 256);
	made->status_len = (size_t)snprintf(status, 256, "Name:\tsleep\nVmRSS:\t    %zu kB\nThreads:\t%zu\n",
	                                    1020 + number * 4, 1 + number / 90);
	made->status = status;
	sample_add_vma(made, 0x10000, 0x20000, "/usr/bin/sleep");
	sample_add_vma(made, 0x100000, 0x100000 + (PAGES + number / 3) * 4096, "[heap]");
	if (number % 5 > 2)
		sample_add_vma(made, 0x7f0000000000, 0x7f0000010000, "/usr/lib/libnew.so")->inode = number;
	for (size_t i = 0; i < PAGES; i++)
		if (entries[i])
			sample_add_run(made, 0x100000 + i * 4096, 1, entries[i]);
	if (number % 7 == 3) {
		made->threads = calloc(1, sizeof(*made->threads));
		made->thread_count = 1;
		made->threads[0] = (struct vmsnap_thread){ .tid = 4711, .stack_pointer = number, .comm = "sleep" };
	}
	if (number % 11 < 6)
		sample_add_smaps(made);
	if (number % 13 == 1)
		sample_add_names(made);
	return made;
}

static void make_many(struct vmsnap **snaps, size_t count, size_t changes)
{
	memset(entries, 0, sizeof(entries));
	change_pages(200);
	for (size_t i = 0; i < count; i++) {
		change_pages(sample_random(changes + 1));
		snaps[i] = make(i);
	}
}

static void drop(struct vmsnap **snaps, size_t count)
{
	for (size_t i = 0; i < count; i++)
		vmsnap_unref(snaps[i]);
}

static void write_them(struct vmsnap *const *snaps, size_t count, unsigned flags)
{
	struct vmsnap_error err = { 0 };
	const struct vmsnap_writer_options options = { .size = sizeof(options), .flags = flags };
	struct vmsnap_writer *writer;
	assert_int_equal(vmsnap_writer_open(path, &options, &writer, &err), VMSNAP_OK);
	for (size_t i = 0; i < count; i++)
		if (vmsnap_writer_add(writer, (const struct vmsnap *const *)&snaps[i], 1, &err))
			fail_msg("%s", err.message);
	assert_int_equal(vmsnap_writer_close(writer, NULL), VMSNAP_OK);
}

static struct vmsnap_file *open_file(void)
{
	struct vmsnap_file *file;
	struct vmsnap_error err = { 0 };
	if (vmsnap_file_open(path, NULL, &file, &err))
		fail_msg("%s", err.message);
	return file;
}

static void assert_loads(const struct vmsnap_file *file, size_t index, const struct vmsnap *expected)
{
	struct vmsnap *got;
	struct vmsnap_error err = { 0 };
	if (vmsnap_file_load(file, index, &got, &err))
		fail_msg("%s", err.message);
	assert_same(expected, got);
	vmsnap_unref(got);
	assert_int_equal(vmsnap_file_peek(file, index, &got, &err), VMSNAP_OK);
	assert_same_info(&expected->info, &got->info);
	assert_string_equal(expected->status, got->status);
	vmsnap_unref(got);
}

/* ---- what is read is what was written ------------------------------------------------------- */

enum { MANY = 300 };

static void assert_all_load(struct vmsnap *const *snaps, size_t count)
{
	struct vmsnap_file *file = open_file();
	for (size_t i = 0; i < count; i++)
		assert_loads(file, i, snaps[i]);
	vmsnap_file_close(file);
}

static void append_one_by_one(struct vmsnap *const *snaps, size_t count)
{
	unlink(path);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(vmsnap_save(path, (const struct vmsnap *const *)&snaps[i], 1,
		                             VMSNAP_SAVE_DELTA | VMSNAP_SAVE_APPEND, NULL),
		                 VMSNAP_OK);
}

static void each_is_read_as_it_was(void **state)
{
	(void)state;
	struct vmsnap *snaps[MANY];
	for (size_t changes = 0; changes <= 40; changes += 8) {
		make_many(snaps, MANY, changes);
		write_them(snaps, MANY, VMSNAP_SAVE_DELTA);
		struct vmsnap_file *file = open_file();
		assert_int_equal(vmsnap_file_count(file), MANY);
		/* In any order: what was made last must not matter. */
		for (size_t i = 0; i < MANY; i++)
			assert_loads(file, i * 7 % MANY, snaps[i * 7 % MANY]);
		for (size_t i = 0; i < MANY; i++)
			assert_loads(file, i, snaps[i]);
		vmsnap_file_close(file);
		drop(snaps, MANY);
	}
}

static void walk_reads_them_too(void **state)
{
	(void)state;
	struct vmsnap *snaps[MANY], *got;
	make_many(snaps, MANY, 5);
	write_them(snaps, MANY, VMSNAP_SAVE_DELTA);
	struct vmsnap_file *file = open_file();
	for (size_t first = 0; first < MANY; first += 77) {
		struct vmsnap_walk *walk;
		size_t index;
		assert_int_equal(vmsnap_walk_new(file, first, MANY - first, &walk, NULL), VMSNAP_OK);
		for (size_t i = first; i < MANY; i++) {
			struct vmsnap_error err = { 0 };
			if (vmsnap_walk_next(walk, &got, &index, &err))
				fail_msg("%s", err.message);
			assert_int_equal(index, i);
			assert_same(snaps[i], got);
			vmsnap_unref(got);
		}
		assert_int_equal(vmsnap_walk_next(walk, &got, &index, NULL), VMSNAP_END);
		vmsnap_walk_free(walk);
	}
	vmsnap_file_close(file);
	drop(snaps, MANY);
}

/* What this process has read until now; 0: the kernel does not count it. */
static unsigned long long bytes_read(void)
{
	unsigned long long bytes = 0;
	FILE *io = fopen("/proc/self/io", "re");
	if (io && fscanf(io, "rchar: %llu", &bytes) != 1)
		bytes = 0;
	if (io)
		fclose(io);
	return bytes;
}

static int write_nowhere(void *ctx, const char *text, size_t len)
{
	(void)ctx;
	(void)text;
	(void)len;
	return 0;
}

/* Frames in no order, one of which is another each time: a whole one is large, and chains are long. */
static struct vmsnap *make_large(size_t number)
{
	enum { LARGE = 40000 };
	struct vmsnap *made = sample_empty(4096, "large");
	made->info.taken += (int64_t)number * 1000000007;
	made->info.monotonic += (int64_t)number * 1000000009;
	sample_add_vma(made, 0x100000, 0x100000 + LARGE * 4096, "[heap]");
	for (size_t i = 0; i < LARGE; i++) {
		uint64_t frame = (i + 1) * UINT64_C(0x9e3779b97f4a7c15) + (i == number * 100);
		frame = (frame ^ frame >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
		frame = (frame >> 20) % 1000003 + 1;
		sample_add_run(made, 0x100000 + i * 4096, 1, PRESENT | FLAG(EXCLUSIVE) | frame);
	}
	return made;
}

/* A long chain does not cost another whole one: it begins anew from the one that there is. */
static void what_changes_little_is_whole_once(void **state)
{
	enum { COUNT = 400 };
	static struct vmsnap *snaps[COUNT];
	size_t whole = 0, on_whole = 0;
	(void)state;
	for (size_t i = 0; i < COUNT; i++)
		snaps[i] = make_large(i / 2);
	write_them(snaps, COUNT, VMSNAP_SAVE_DELTA);
	struct vmsnap_file *file = open_file();
	for (size_t i = 0; i < COUNT; i++) {
		struct vmsnap_file_entry entry;
		assert_int_equal(vmsnap_file_entry(file, i, &entry, NULL), VMSNAP_OK);
		whole += !entry.deltas;
		on_whole += entry.deltas == 1;
		if (i % 7 == 0 || entry.deltas < 2)
			assert_loads(file, i, snaps[i]);
	}
	assert_int_equal(whole, 1);
	assert_int_equal(on_whole, 4);
	vmsnap_file_close(file);
	drop(snaps, COUNT);
}

/* Each snapshot is read beside the one that it differs from, and no chain for each of its links. */
static void check_reads_the_file_a_few_times(void **state)
{
	struct vmsnap *snaps[128];
	struct vmsnap_output out = { .size = sizeof(out), .write = write_nowhere };
	struct vmsnap_file_entry last;
	(void)state;
	out.style.size = sizeof(out.style);
	for (size_t i = 0; i < 128; i++)
		snaps[i] = make_large(i);
	write_them(snaps, 128, VMSNAP_SAVE_DELTA);
	struct vmsnap_file *file = open_file();
	assert_int_equal(vmsnap_file_entry(file, 127, &last, NULL), VMSNAP_OK);
	unsigned long long before = bytes_read();
	assert_int_equal(vmsnap_print_check(file, &out, NULL), VMSNAP_OK);
	unsigned long long read = bytes_read() - before;
	if (before && read > 6 * (last.offset + last.bytes))
		fail_msg("%llu bytes were read of a file of %llu", read,
		         (unsigned long long)(last.offset + last.bytes));
	vmsnap_file_close(file);
	drop(snaps, 128);
}

static void appending_one_by_one_makes_the_same_file(void **state)
{
	(void)state;
	enum { FEW = 140 };
	struct vmsnap *snaps[FEW];
	make_many(snaps, FEW, 3);
	write_them(snaps, FEW, VMSNAP_SAVE_DELTA);
	off_t size = size_of(path);
	append_one_by_one(snaps, FEW);
	assert_int_equal(size_of(path), size);
	assert_all_load(snaps, FEW);
	drop(snaps, FEW);
}

/* Two processes, of which the second has the number of the first with another start time. */
static void each_process_has_its_own(void **state)
{
	(void)state;
	enum { FEW = 60 };
	struct vmsnap *snaps[FEW];
	make_many(snaps, FEW, 3);
	for (size_t i = 0; i < FEW; i++)
		snaps[i]->info.start_time += i % 3;
	write_them(snaps, FEW, VMSNAP_SAVE_DELTA);
	assert_all_load(snaps, FEW);
	drop(snaps, FEW);
}

static unsigned deltas_of(const struct vmsnap_file *file, size_t index)
{
	struct vmsnap_file_entry entry;
	assert_int_equal(vmsnap_file_entry(file, index, &entry, NULL), VMSNAP_OK);
	return entry.deltas;
}

/* A parent, its child, another child of its, a stranger; then each once more.  Nothing is alike but their memory. */
static void a_child_differs_from_its_parent(void **state)
{
	(void)state;
	static const struct {
		uint32_t pid, ppid;
		const char *comm;
		unsigned deltas;
	} who[] = { { 100, 1, "server", 0 },   { 101, 100, "worker", 1 }, { 102, 100, "worker", 1 },
		    { 900, 7, "other", 0 },    { 100, 1, "server", 1 },   { 101, 100, "worker", 2 },
		    { 102, 100, "worker", 2 }, { 900, 7, "other", 1 },    { 950, 7, "other", 2 },
		    { 960, 7, "another", 0 } };
	enum { FEW = sizeof(who) / sizeof(who[0]) };
	struct vmsnap *snaps[FEW];
	make_many(snaps, FEW, 2);
	for (size_t i = 0; i < FEW; i++) {
		struct vmsnap_info *info = &snaps[i]->info;
		info->pid = who[i].pid;
		info->ppid = who[i].ppid;
		info->start_time = who[i].pid;
		info->comm = arena_string(&snaps[i]->strings, who[i].comm);
	}
	for (int appended = 0; appended < 2; appended++) {
		if (appended)
			append_one_by_one(snaps, FEW);
		else
			write_them(snaps, FEW, VMSNAP_SAVE_DELTA);
		struct vmsnap_file *file = open_file();
		for (size_t i = 0; i < FEW; i++) {
			/* One that is added alone does not find its relatives in the file. */
			if (!appended)
				assert_int_equal(deltas_of(file, i), who[i].deltas);
			assert_loads(file, i, snaps[i]);
		}
		vmsnap_file_close(file);
	}
	drop(snaps, FEW);
}

static void frames_that_become_known_begin_anew(void **state)
{
	(void)state;
	struct vmsnap *snaps[4];
	make_many(snaps, 4, 0);
	for (size_t i = 0; i < 4; i++) {
		snaps[i]->info.known.pfn = i > 1;
		for (size_t k = 0; i < 2 && k < snaps[i]->runs.count; k++)
			snaps[i]->runs.items[k].entry &= ~ENTRY_FRAME_MASK;
	}
	write_them(snaps, 4, VMSNAP_SAVE_DELTA);
	assert_all_load(snaps, 4);
	drop(snaps, 4);
}

/* In memory a run is cut after 4,096 pages; in each snapshot one or two other pages cut it, too, and it ends
 * elsewhere. */
static void long_runs_differ_where_they_do(void **state)
{
	(void)state;
	enum { FEW = 24, LONG = 3 * 4096 + 10 };
	struct vmsnap *snaps[FEW];
	for (size_t i = 0; i < FEW; i++) {
		size_t from = i % 6 * 2048 + i % 3, pages = i % 2 + 1;
		snaps[i] = sample_empty(4096, "long");
		snaps[i]->info.taken += (int64_t)i;
		sample_add_vma(snaps[i], 0x100000, 0x100000 + 2 * LONG * 4096, "[heap]");
		if (from)
			sample_add_run(snaps[i], 0x100000, from, PRESENT | 0x100000);
		sample_add_run(snaps[i], 0x100000 + from * 4096, pages, i % 5 ? PRESENT | (0x900000 + i) : SWAPPED | 3);
		from += pages;
		sample_add_run(snaps[i], 0x100000 + from * 4096, LONG + i - from, PRESENT | (0x100000 + from));
	}
	write_them(snaps, FEW, VMSNAP_SAVE_DELTA);
	assert_all_load(snaps, FEW);
	drop(snaps, FEW);
}

static void little_that_differs_takes_little(void **state)
{
	(void)state;
	enum { FEW = 129 };
	struct vmsnap *snaps[FEW];
	make_many(snaps, FEW, 2);
	write_them(snaps, FEW, 0);
	off_t whole = size_of(path);
	write_them(snaps, FEW, VMSNAP_SAVE_DELTA);
	assert_true(size_of(path) * 2 < whole);
	drop(snaps, FEW);
}

/* With a status that takes so many bytes more, which are easily packed. */
static struct vmsnap *make_with_status(size_t number, size_t bytes)
{
	struct vmsnap *made = make(number);
	char *status = arena_alloc(&made->strings, made->status_len + bytes + 1);
	memcpy(status, made->status, made->status_len);
	memset(status + made->status_len - 1, ' ', bytes);
	made->status_len += bytes;
	status[made->status_len - 1] = '\n';
	status[made->status_len] = 0;
	made->status = status;
	return made;
}

static size_t memory_now(void)
{
	unsigned long size, resident = 0;
	FILE *file = fopen("/proc/self/statm", "re");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%lu %lu", &size, &resident), 2);
	fclose(file);
	return (size_t)resident * (size_t)sysconf(_SC_PAGESIZE);
}

/* It is no part of what a snapshot may take.  So large that malloc gives each back to the kernel when it is free. */
static void what_is_too_large_is_not_kept_for_others(void **state)
{
	enum { COUNT = 3, STATUS = 48 << 20, ELSE = 8 << 20 };
	struct vmsnap *snaps[COUNT], *got;
	(void)state;
	if (SANITIZED)
		skip(); /* what is free is not given back */
	for (size_t i = 0; i < COUNT; i++)
		snaps[i] = make_with_status(i, STATUS);
	write_them(snaps, COUNT, VMSNAP_SAVE_DELTA);
	struct vmsnap_file *file = open_file();
	assert_int_equal(deltas_of(file, COUNT - 1), COUNT - 1);
	size_t before = memory_now();
	assert_int_equal(vmsnap_file_load(file, COUNT - 1, &got, NULL), VMSNAP_OK);
	assert_same(snaps[COUNT - 1], got);
	vmsnap_unref(got);
	assert_in_range(memory_now(), 0, before + ELSE);
	vmsnap_file_close(file);
	drop(snaps, COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_folder(each_is_read_as_it_was),
		in_folder(walk_reads_them_too),
		in_folder(check_reads_the_file_a_few_times),
		in_folder(what_changes_little_is_whole_once),
		in_folder(appending_one_by_one_makes_the_same_file),
		in_folder(each_process_has_its_own),
		in_folder(a_child_differs_from_its_parent),
		in_folder(frames_that_become_known_begin_anew),
		in_folder(long_runs_differ_where_they_do),
		in_folder(little_that_differs_takes_little),
		in_folder(what_is_too_large_is_not_kept_for_others),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
