/* A file that grows, and the walk over it. */
#include "test_file_folder.h"

static struct vmsnap_writer *open_writer(unsigned flags)
{
	const struct vmsnap_writer_options options = { .size = sizeof(options), .flags = flags };
	struct vmsnap_writer *writer;
	struct vmsnap_error err = { 0 };
	if (vmsnap_writer_open(path, &options, &writer, &err))
		fail_msg("%s", err.message);
	return writer;
}

static int add(struct vmsnap_writer *writer, struct vmsnap_error *err)
{
	return vmsnap_writer_add(writer, (const struct vmsnap *const[]){ snap }, 1, err);
}

static void file_is_whole_after_each(void **state)
{
	(void)state;
	for (unsigned flags = 0; flags <= VMSNAP_SAVE_APPEND; flags++) {
		struct vmsnap_writer *writer = open_writer(flags);
		for (size_t i = 1; i <= 5; i++) {
			assert_int_equal(add(writer, NULL), VMSNAP_OK);
			assert_saved(path, flags ? 5 + i : i);
			assert_int_equal(vmsnap_writer_bytes(writer), size_of(path));
		}
		assert_int_equal(vmsnap_writer_close(writer, NULL), VMSNAP_OK);
	}
	assert_saved(path, 10);
	assert_int_equal(count_names(folder), 1);
}

static void nothing_is_touched_before_the_first(void **state)
{
	(void)state;
	write_file(path, "precious", 8);
	struct vmsnap_writer *writer = open_writer(0);
	assert_holds(path, "precious");
	assert_int_equal(add(writer, NULL), VMSNAP_ERR_NOT_SNAPSHOT);
	assert_holds(path, "precious");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(add(writer, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_writer_close(writer, NULL), VMSNAP_OK);
	assert_saved(path, 1);
}

static void others_may_add_meanwhile(void **state)
{
	(void)state;
	struct vmsnap_writer *writer = open_writer(0);
	for (size_t i = 1; i <= 5; i++) {
		assert_int_equal(add(writer, NULL), VMSNAP_OK);
		assert_int_equal(save_as(path, VMSNAP_SAVE_APPEND, NULL), VMSNAP_OK);
		assert_saved(path, 2 * i);
	}
	assert_int_equal(vmsnap_writer_close(writer, NULL), VMSNAP_OK);
}

static void file_that_was_taken_away_begins_anew(void **state)
{
	(void)state;
	char moved[96];
	snprintf(moved, sizeof(moved), "%s/moved.vms", folder);
	struct vmsnap_writer *writer = open_writer(0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(add(writer, NULL), VMSNAP_OK);
	assert_int_equal(rename(path, moved), 0);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(add(writer, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_writer_close(writer, NULL), VMSNAP_OK);
	assert_saved(moved, 3);
	assert_saved(path, 2);
}

static void failure_leaves_the_file_as_it_was(void **state)
{
	(void)state;
	struct vmsnap_writer *writer = open_writer(0);
	struct vmsnap_error err = { 0 };
	assert_int_equal(add(writer, NULL), VMSNAP_OK);
	struct vmsnap *bad = sample_small("bad");
	bad->info.page_size = 12345;
	const struct vmsnap *both[] = { snap, bad };
	assert_int_equal(vmsnap_writer_add(writer, both, 2, &err), VMSNAP_ERR_ARGUMENT);
	vmsnap_unref(bad);
	assert_saved(path, 1);
	assert_int_equal(add(writer, NULL), VMSNAP_OK);
	assert_saved(path, 2);
	assert_int_equal(vmsnap_writer_close(writer, NULL), VMSNAP_OK);
}

static void what_an_append_left_is_dropped_and_told(void **state)
{
	(void)state;
	struct vmsnap_error err = { 0 };
	assert_int_equal(save_as(path, 0, NULL), VMSNAP_OK);
	assert_int_equal(save_as(path, VMSNAP_SAVE_APPEND, NULL), VMSNAP_OK);
	assert_int_equal(truncate(path, size_of(path) - 1), 0);
	struct vmsnap_writer *writer = open_writer(VMSNAP_SAVE_APPEND);
	assert_int_equal(add(writer, &err), VMSNAP_OK);
	assert_int_equal(err.code, VMSNAP_ERR_TRUNCATED);
	assert_int_equal(add(writer, &err), VMSNAP_OK);
	assert_int_equal(err.code, VMSNAP_OK);
	assert_saved(path, 3);
	assert_int_equal(vmsnap_writer_close(writer, NULL), VMSNAP_OK);
}

static void pipe_gets_one_stream(void **state)
{
	(void)state;
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	snprintf(path, sizeof(path), "/dev/fd/%d", ends[1]);
	struct vmsnap_writer *writer = open_writer(0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(add(writer, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_writer_close(writer, NULL), VMSNAP_OK);
	close(ends[1]);
	struct vmsnap_file *file;
	assert_int_equal(vmsnap_file_open_fd(ends[0], NULL, &file, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_file_count(file), 3);
	vmsnap_file_close(file);
	close(ends[0]);
}

static void walk_gives_each_in_order(void **state)
{
	(void)state;
	struct vmsnap_writer *writer = open_writer(0);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(add(writer, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_writer_close(writer, NULL), VMSNAP_OK);
	struct vmsnap_file *file;
	struct vmsnap_walk *walk;
	struct vmsnap *got;
	size_t index, expected = 1;
	assert_int_equal(vmsnap_file_open(path, NULL, &file, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_walk_new(file, 3, 3, &walk, NULL), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_walk_new(file, 1, 3, &walk, NULL), VMSNAP_OK);
	while (vmsnap_walk_next(walk, &got, &index, NULL) != VMSNAP_END) {
		assert_int_equal(index, expected++);
		assert_same(snap, got);
		vmsnap_unref(got);
	}
	assert_int_equal(expected, 4);
	vmsnap_walk_free(walk);
	vmsnap_file_close(file);
}

static void walk_goes_on_behind_what_is_damaged(void **state)
{
	(void)state;
	struct vmsnap_writer *writer = open_writer(0);
	off_t ends[3];
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(add(writer, NULL), VMSNAP_OK);
		ends[i] = size_of(path);
	}
	assert_int_equal(vmsnap_writer_close(writer, NULL), VMSNAP_OK);
	int fd = open(path, O_RDWR);
	assert_int_equal(pwrite(fd, "xx", 2, ends[0] + 40), 2); /* the second SNAP */
	close(fd);
	struct vmsnap_file *file;
	struct vmsnap_walk *walk;
	struct vmsnap *got;
	size_t index;
	static const int expected[] = { VMSNAP_OK, VMSNAP_ERR_CORRUPT, VMSNAP_OK };
	assert_int_equal(vmsnap_file_open(path, NULL, &file, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_walk_new(file, 0, 3, &walk, NULL), VMSNAP_OK);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(vmsnap_walk_next(walk, &got, &index, NULL), expected[i]);
		assert_int_equal(index, i);
		assert_int_equal(!got, expected[i] != VMSNAP_OK);
		vmsnap_unref(got);
	}
	assert_int_equal(vmsnap_walk_next(walk, &got, &index, NULL), VMSNAP_END);
	vmsnap_walk_free(walk);
	vmsnap_file_close(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_folder(file_is_whole_after_each),
		in_folder(nothing_is_touched_before_the_first),
		in_folder(others_may_add_meanwhile),
		in_folder(file_that_was_taken_away_begins_anew),
		in_folder(failure_leaves_the_file_as_it_was),
		in_folder(what_an_append_left_is_dropped_and_told),
		in_folder(pipe_gets_one_stream),
		in_folder(walk_gives_each_in_order),
		in_folder(walk_goes_on_behind_what_is_damaged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
