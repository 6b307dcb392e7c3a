/* What is written comes back. */
#include "test_file_sample.h"

#include <fcntl.h>
#include <pthread.h>

static void assert_comes_back(struct vmsnap *snap)
{
	size_t len;
	uint8_t *bytes = sample_bytes(&snap, 1, &len);
	struct vmsnap *back = sample_load(bytes, len, 0);
	assert_same(snap, back);
	vmsnap_unref(back);
	free(bytes);
	vmsnap_unref(snap);
}

static void small_snapshot_comes_back(void **state)
{
	(void)state;
	assert_comes_back(sample_small("after fork"));
}

static void empty_snapshot_comes_back(void **state)
{
	(void)state;
	struct vmsnap *snap = snapshot_new();
	assert_non_null(snap);
	snap->info.page_size = 4096;
	assert_comes_back(snap);
}

static void empty_and_unknown_command_line_stay_apart(void **state)
{
	(void)state;
	struct vmsnap *snap = sample_empty(4096, "");
	snap->info.cmdline_len = 0;
	assert_comes_back(snap);
	snap = sample_empty(4096, "");
	snap->info.cmdline = NULL;
	snap->info.cmdline_len = 0;
	assert_comes_back(snap);
}

static void smaps_comes_back(void **state)
{
	(void)state;
	struct vmsnap *snap = sample_small("");
	sample_add_smaps(snap);
	assert_comes_back(snap);
	snap = sample_empty(4096, "no mappings");
	sample_add_smaps(snap);
	assert_comes_back(snap);
}

static uint64_t random_entry(bool known)
{
	uint64_t flags = 0;
	if (sample_random(2))
		flags |= FLAG(EXCLUSIVE);
	if (sample_random(3) == 0)
		flags |= FLAG(FILE);
	if (sample_random(8) == 0)
		flags |= FLAG(UFFD_WP);
	switch (sample_random(8)) {
	case 0:
		return FLAG(GUARD);
	case 1:
		return FLAG(UFFD_WP);
	case 2:
		return SWAPPED | flags | (known ? sample_random(32) | sample_random(1 << 20) << SWAP_TYPE_BITS : 0);
	case 3:
		return PRESENT | FLAG(HUGE) | flags | (known ? sample_random(1 << 20) << 9 : 0);
	case 4:
		return PRESENT | (known ? 0x1000 + sample_random(200) : 0) | flags;
	default:
		return PRESENT | flags | (known ? sample_random(UINT64_C(1) << sample_random(40)) : 0);
	}
}

/* Runs and mappings all over the address space, up to its last page but one. */
static struct vmsnap *sample_anywhere(uint64_t page_size, bool known, size_t runs)
{
	struct vmsnap *snap = sample_empty(page_size, "anywhere");
	snap->info.known.pfn = known;
	uint64_t page = sample_random(100), top = TOP(page_size) / page_size;
	uint64_t gap_bits = 36 - (uint64_t)__builtin_ctzll(page_size / 4096);
	for (size_t i = 0; i < runs; i++) {
		uint64_t gap = sample_random(4) ? 0 : sample_random(UINT64_C(1) << sample_random(gap_bits));
		uint64_t pages = 1 + (sample_random(3) ? 0 : sample_random(UINT64_C(1) << sample_random(14)));
		page += gap;
		if (i + 1 == runs)
			page = top - pages;
		uint64_t start = page * page_size, end = start + pages * page_size;
		sample_add_run(snap, start, pages, random_entry(known));
		if (sample_random(4) == 0) {
			struct vmsnap_vma *vma =
			        sample_add_vma(snap, start, end, sample_random(2) ? "[heap]" : "/bin/sh");
			vma->inode = vma->name[0] == '/' ? 17 : 0;
			vma->offset = sample_random(1 << 20) * page_size;
			vma->perms = (uint32_t)sample_random(16);
		}
		page += pages;
	}
	return snap;
}

static void random_snapshots_come_back(void **state)
{
	(void)state;
	static const uint64_t page_sizes[] = { 4096, 16384, 65536, 2 << 20, 1 << 30 };
	for (size_t i = 0; i < 200; i++)
		assert_comes_back(sample_anywhere(page_sizes[i % 5], i % 3 != 0, 1 + sample_random(400)));
}

static void highest_mapping_comes_back(void **state)
{
	(void)state;
	struct vmsnap *snap = sample_empty(4096, "");
	sample_add_vma(snap, TOP(4096) - 4096, TOP(4096), "[top]")->offset = TOP(4096);
	sample_add_run(snap, TOP(4096) - 4096, 1, PRESENT | ENTRY_FRAME_MASK);
	assert_comes_back(snap);
	snap = sample_empty(4096, "whole space");
	sample_add_vma(snap, 0, TOP(4096), "");
	assert_comes_back(snap);
}

static void largest_frames_come_back(void **state)
{
	(void)state;
	struct vmsnap *snap = sample_empty(4096, "");
	uint64_t slot = (UINT64_C(1) << 50) - 8;
	sample_add_run(snap, 0x1000, 8, SWAPPED | 30 | slot << SWAP_TYPE_BITS);
	sample_add_run(snap, 0x9000, 8, PRESENT | (ENTRY_FRAME_MASK - 7));
	sample_add_run(snap, 0x20000, 3, PRESENT);                  /* hidden: does not count up */
	sample_add_run(snap, 0x30000, 3, SWAPPED);                  /* the same */
	sample_add_run(snap, 0x40000, 3, SWAPPED | 3);              /* slot 0 of type 3 does */
	sample_add_run(snap, 0x50000, 3, PRESENT | FLAG(ZERO) | 9); /* whatever it means */
	assert_comes_back(snap);
}

static void every_state_comes_back(void **state)
{
	(void)state;
	struct vmsnap *snap = sample_empty(4096, "more than 256 states");
	uint64_t page = 1;
	for (int round = 0; round < 3; round++) {
		for (uint64_t flags = 1; flags < 512; flags++) {
			bool present = flags & VMSNAP_PAGE_PRESENT, swapped = flags & VMSNAP_PAGE_SWAPPED;
			bool guard = flags & VMSNAP_PAGE_GUARD;
			if (present + swapped + guard > 1)
				continue;
			uint64_t frame = present || swapped ? 1000 + sample_random(1 << 20) : 0;
			sample_add_run(snap, page++ * 4096, 1, flags << ENTRY_FLAGS_SHIFT | frame);
		}
	}
	assert_comes_back(snap);
}

static void long_runs_are_one_in_the_file(void **state)
{
	(void)state;
	struct vmsnap *snap = sample_empty(4096, "");
	sample_add_run(snap, 0x100000000, UINT64_C(1) << 22, PRESENT | 0x100000);
	assert_true(snap->runs.count > 1000);
	size_t len;
	uint8_t *bytes = sample_bytes(&snap, 1, &len);
	assert_true(len < 1000);
	free(bytes);
	assert_comes_back(snap);
}

/* More than one section, and so several threads. */
static void many_runs_come_back(void **state)
{
	(void)state;
	struct vmsnap *snap = sample_anywhere(4096, true, 300000);
	assert_true(snap->runs.count > 200000);
	assert_comes_back(snap);
}

/* Neighbours, each in a frame of its own: far from the one before, but for a few. */
static void scattered_frames_come_back(void **state)
{
	(void)state;
	struct vmsnap *snap = sample_empty(4096, "scattered");
	uint64_t at = 1 << 20, frame = 0;
	for (size_t i = 0; i < 150000; i++) {
		bool near = sample_random(500) == 0;
		frame = near ? frame + 2 : 1 + sample_random(i % 1000 ? 1 << 22 : UINT64_C(1) << 54);
		uint64_t pages = sample_random(3000) ? 1 : 1 + sample_random(5000);
		uint64_t flags = i > 100000 && sample_random(900) == 0 ? FLAG(SOFT_DIRTY) : FLAG(EXCLUSIVE);
		at += sample_random(2000) ? 0 : 4096 * sample_random(70);
		sample_add_run(snap, at, pages, PRESENT | flags | frame);
		at += pages * 4096;
	}
	assert_comes_back(snap);
}

static void many_mappings_come_back(void **state)
{
	(void)state;
	struct vmsnap *snap = sample_empty(4096, "");
	enum { VMAS = 64000 };
	snap->vmas = calloc(VMAS, sizeof(*snap->vmas));
	snap->vma_count = VMAS;
	assert_non_null(snap->vmas);
	for (size_t i = 0; i < VMAS; i++)
		snap->vmas[i] = (struct vmsnap_vma){ .start = 0x10000 + i * 0x3000,
			                             .end = 0x12000 + i * 0x3000,
			                             .inode = i % 1000,
			                             .offset = i * 4096,
			                             .name = i % 2 ? "/tmp/many" : "" };
	assert_comes_back(snap);
}

static void build_id_tells_objects_apart(void **state)
{
	(void)state;
	struct vmsnap *snap = sample_empty(4096, "");
	for (uint64_t i = 0; i < 3; i++) {
		struct vmsnap_vma *vma = sample_add_vma(snap, 0x1000 * (2 * i + 1), 0x1000 * (2 * i + 2), "/bin/sh");
		vma->inode = 5;
		vma->build_id = i ? (const uint8_t *)(i == 1 ? "aaaa" : "bbbb") : NULL;
		vma->build_id_len = i ? 4 : 0;
	}
	assert_comes_back(snap);
}

static void several_snapshots_keep_their_order(void **state)
{
	(void)state;
	struct vmsnap *snaps[] = { sample_small("one"), sample_small("two"), sample_anywhere(16384, false, 100) };
	size_t len;
	uint8_t *bytes = sample_bytes(snaps, 3, &len);
	struct vmsnap_file *file;
	assert_int_equal(vmsnap_file_open_memory(bytes, len, NULL, &file, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_file_count(file), 3);
	assert_int_equal(vmsnap_file_damage(file, NULL), VMSNAP_OK);
	uint64_t end = 16;
	for (size_t i = 0; i < 3; i++) {
		struct vmsnap_file_entry entry;
		assert_int_equal(vmsnap_file_entry(file, i, &entry, NULL), VMSNAP_OK);
		assert_int_equal(entry.offset, end);
		end += entry.bytes;
		struct vmsnap *back = sample_load(bytes, len, i);
		assert_same(snaps[i], back);
		vmsnap_unref(back);
		assert_int_equal(vmsnap_file_peek(file, i, &back, NULL), VMSNAP_OK);
		assert_same_info(&snaps[i]->info, &back->info);
		assert_string_equal(back->status, snaps[i]->status);
		assert_int_equal(back->vma_count + back->runs.count, 0);
		vmsnap_unref(back);
		vmsnap_unref(snaps[i]);
	}
	assert_int_equal(end, len);
	vmsnap_file_close(file);
	free(bytes);
}

/* Small ones, which are loaded in turn, and large ones; one that is not there. */
static void two_are_loaded_as_one_each(void **state)
{
	(void)state;
	struct vmsnap *snaps[] = { sample_small("one"), sample_anywhere(4096, true, 60000),
		                   sample_anywhere(4096, true, 60000) };
	size_t len;
	uint8_t *bytes = sample_bytes(snaps, 3, &len);
	struct vmsnap_file *file;
	assert_int_equal(vmsnap_file_open_memory(bytes, len, NULL, &file, NULL), VMSNAP_OK);
	const struct vmsnap_file *files[] = { file, file };
	struct vmsnap *back[2];
	struct vmsnap_error errs[2];
	for (size_t i = 0; i < 9; i++) {
		const size_t indices[] = { i / 3, i % 3 };
		assert_int_equal(vmsnap_file_load_two(files, indices, back, i % 2 ? errs : NULL), VMSNAP_OK);
		for (size_t k = 0; k < 2; k++) {
			assert_same(snaps[indices[k]], back[k]);
			vmsnap_unref(back[k]);
		}
	}
	assert_int_equal(vmsnap_file_load_two(files, (const size_t[]){ 1, 3 }, back, errs), VMSNAP_ERR_NOT_FOUND);
	assert_int_equal(errs[1].code, VMSNAP_ERR_NOT_FOUND);
	assert_null(back[1]);
	vmsnap_unref(back[0]);
	assert_int_equal(vmsnap_file_load_two(files, (const size_t[]){ 3, 4 }, back, errs), VMSNAP_ERR_NOT_FOUND);
	assert_true(!back[0] && !back[1]);
	assert_int_equal(vmsnap_file_load_two(files, NULL, back, NULL), VMSNAP_ERR_ARGUMENT);
	vmsnap_file_close(file);
	free(bytes);
	for (size_t i = 0; i < 3; i++)
		vmsnap_unref(snaps[i]);
}

static void assert_found(const struct vmsnap_file *file, const char *which, size_t expected)
{
	size_t index = 99;
	struct vmsnap_error err;
	if (vmsnap_file_find(file, which, &index, &err))
		fail_msg("%s", err.message);
	assert_int_equal(index, expected);
}

static void find_knows_numbers_and_labels(void **state)
{
	(void)state;
	static const char *const labels[] = { "fork", "2", "again", "fork", "-x" };
	struct vmsnap *snaps[5];
	for (size_t i = 0; i < 5; i++)
		snaps[i] = sample_small(labels[i]);
	size_t len;
	uint8_t *bytes = sample_bytes(snaps, 5, &len);
	struct vmsnap_file *file;
	assert_int_equal(vmsnap_file_open_memory(bytes, len, NULL, &file, NULL), VMSNAP_OK);
	assert_found(file, "1", 0);
	assert_found(file, "2", 1);
	assert_found(file, "5", 4);
	assert_found(file, "-1", 4);
	assert_found(file, "-5", 0);
	assert_found(file, "fork", 3);
	assert_found(file, "again", 2);
	assert_found(file, "-x", 4);
	assert_found(file, "label:2", 1);
	assert_found(file, "label:fork", 3);
	static const char *const missing[] = { "0",      "6",       "-6", "-0", "99999999999999999999999",
		                               "nobody", "label:1", "",   "-",  "label:" };
	for (size_t i = 0; i < sizeof(missing) / sizeof(*missing); i++) {
		size_t index;
		assert_int_equal(vmsnap_file_find(file, missing[i], &index, NULL), VMSNAP_ERR_NOT_FOUND);
	}
	vmsnap_file_close(file);
	free(bytes);
	for (size_t i = 0; i < 5; i++)
		vmsnap_unref(snaps[i]);
}

static void header_alone_is_a_file_without_snapshots(void **state)
{
	(void)state;
	size_t len;
	uint8_t *bytes = sample_bytes(NULL, 0, &len);
	assert_int_equal(len, 16);
	struct vmsnap_file *file;
	struct vmsnap *snap;
	assert_int_equal(vmsnap_file_open_memory(bytes, len, NULL, &file, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_file_count(file), 0);
	assert_int_equal(vmsnap_file_damage(file, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_file_load(file, 0, &snap, NULL), VMSNAP_ERR_NOT_FOUND);
	vmsnap_file_close(file);
	free(bytes);
}

static void joined_files_are_a_file(void **state)
{
	(void)state;
	struct vmsnap *snap = sample_small("joined");
	size_t len;
	uint8_t *bytes = sample_bytes(&snap, 1, &len);
	uint8_t *joined = malloc(2 * len + 32);
	assert_non_null(joined);
	memcpy(joined, bytes, 16); /* an empty one first */
	memcpy(joined + 16, bytes, len);
	memcpy(joined + 16 + len, bytes, len);
	memcpy(joined + 16 + 2 * len, bytes, 16); /* and one last */
	struct vmsnap_file *file;
	assert_int_equal(vmsnap_file_open_memory(joined, 2 * len + 32, NULL, &file, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_file_count(file), 2);
	assert_int_equal(vmsnap_file_damage(file, NULL), VMSNAP_OK);
	for (size_t i = 0; i < 2; i++) {
		struct vmsnap *back = sample_load(joined, 2 * len + 32, i);
		assert_same(snap, back);
		vmsnap_unref(back);
	}
	vmsnap_file_close(file);
	free(joined);
	free(bytes);
	vmsnap_unref(snap);
}

static void *feed_pipe(void *context)
{
	struct vmsnap **snaps = context;
	struct vmsnap_error err = { 0 };
	const struct vmsnap *const *list = (const struct vmsnap *const *)(snaps + 1);
	int fd = *(int *)(void *)snaps[0];
	int rc = vmsnap_write_fd(fd, list, 2, &err);
	close(fd);
	return (void *)(intptr_t)rc;
}

static void pipe_is_read_to_its_end(void **state)
{
	(void)state;
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	void *context[3] = { &ends[1], sample_anywhere(4096, true, 100000), sample_small("piped") };
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, feed_pipe, context), 0);
	struct vmsnap_file *file;
	assert_int_equal(vmsnap_file_open_fd(ends[0], NULL, &file, NULL), VMSNAP_OK);
	void *rc;
	pthread_join(thread, &rc);
	assert_null(rc);
	assert_int_equal(vmsnap_file_count(file), 2);
	for (size_t i = 0; i < 2; i++) {
		struct vmsnap *back;
		assert_int_equal(vmsnap_file_load(file, i, &back, NULL), VMSNAP_OK);
		assert_same(context[i + 1], back);
		vmsnap_unref(back);
		vmsnap_unref(context[i + 1]);
	}
	vmsnap_file_close(file);
	close(ends[0]);
}

static void descriptor_is_read_from_where_it_stands(void **state)
{
	(void)state;
	struct vmsnap *snap = sample_small("");
	FILE *temporary = tmpfile();
	assert_non_null(temporary);
	int fd = fileno(temporary);
	assert_int_equal(write(fd, "garbage", 7), 7);
	assert_int_equal(vmsnap_write_fd(fd, (const struct vmsnap *const[]){ snap }, 1, NULL), VMSNAP_OK);
	assert_int_equal(lseek(fd, 7, SEEK_SET), 7);
	struct vmsnap_file *file;
	struct vmsnap *back;
	assert_int_equal(vmsnap_file_open_fd(fd, NULL, &file, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_file_load(file, 0, &back, NULL), VMSNAP_OK);
	assert_same(snap, back);
	vmsnap_unref(back);
	vmsnap_unref(snap);
	vmsnap_file_close(file);
	fclose(temporary);
}

static void snapshot_that_no_file_can_hold_is_refused(void **state)
{
	(void)state;
	struct vmsnap *snap = sample_small("");
	const struct vmsnap *const list[] = { snap };
	int fd = open("/dev/null", O_WRONLY);
	snap->vmas[0].offset = 1;
	assert_int_equal(vmsnap_write_fd(fd, list, 1, NULL), VMSNAP_ERR_ARGUMENT);
	snap->vmas[0].offset = 0;
	snap->vmas[1].start -= 4096; /* overlaps */
	assert_int_equal(vmsnap_write_fd(fd, list, 1, NULL), VMSNAP_ERR_ARGUMENT);
	snap->vmas[1].start += 4096;
	snap->runs.items[0].entry |= SWAPPED;
	assert_int_equal(vmsnap_write_fd(fd, list, 1, NULL), VMSNAP_ERR_ARGUMENT);
	snap->runs.items[0].entry = 5; /* neither present nor swapped, but a frame */
	assert_int_equal(vmsnap_write_fd(fd, list, 1, NULL), VMSNAP_ERR_ARGUMENT);
	snap->runs.items[0].entry = PRESENT | 5;
	assert_int_equal(vmsnap_write_fd(fd, list, 1, NULL), VMSNAP_OK);
	snap->info.page_size = 0;
	assert_int_equal(vmsnap_write_fd(fd, list, 1, NULL), VMSNAP_ERR_ARGUMENT);
	close(fd);
	vmsnap_unref(snap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_snapshot_comes_back),
		cmocka_unit_test(empty_snapshot_comes_back),
		cmocka_unit_test(empty_and_unknown_command_line_stay_apart),
		cmocka_unit_test(smaps_comes_back),
		cmocka_unit_test(random_snapshots_come_back),
		cmocka_unit_test(highest_mapping_comes_back),
		cmocka_unit_test(largest_frames_come_back),
		cmocka_unit_test(every_state_comes_back),
		cmocka_unit_test(long_runs_are_one_in_the_file),
		cmocka_unit_test(many_runs_come_back),
		cmocka_unit_test(scattered_frames_come_back),
		cmocka_unit_test(many_mappings_come_back),
		cmocka_unit_test(build_id_tells_objects_apart),
		cmocka_unit_test(several_snapshots_keep_their_order),
		cmocka_unit_test(two_are_loaded_as_one_each),
		cmocka_unit_test(find_knows_numbers_and_labels),
		cmocka_unit_test(header_alone_is_a_file_without_snapshots),
		cmocka_unit_test(joined_files_are_a_file),
		cmocka_unit_test(pipe_is_read_to_its_end),
		cmocka_unit_test(descriptor_is_read_from_where_it_stands),
		cmocka_unit_test(snapshot_that_no_file_can_hold_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
