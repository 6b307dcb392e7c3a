/* list and check: what is in a file, and whether it is whole. */
#define _GNU_SOURCE
#include "test_print_support.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The bytes of a file with two snapshots; free() them. */
static char *two_snapshots(size_t *len)
{
	struct vmsnap *one = sample_snapshot(), *two = sample_snapshot();
	two->info.pid = 43;
	two->info.label = "after \033[2J fork";
	const struct vmsnap *const both[] = { one, two };
	int fd = memfd_create("file", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(vmsnap_write_fd(fd, both, 2, NULL), VMSNAP_OK);
	struct stat stat;
	assert_int_equal(fstat(fd, &stat), 0);
	*len = (size_t)stat.st_size;
	char *bytes = malloc(*len);
	assert_non_null(bytes);
	assert_int_equal(pread(fd, bytes, *len, 0), (ssize_t)*len);
	close(fd);
	vmsnap_unref(one);
	vmsnap_unref(two);
	return bytes;
}

static struct vmsnap_file *open_bytes(const char *bytes, size_t len)
{
	struct vmsnap_file *file;
	struct vmsnap_error err = { 0 };
	if (vmsnap_file_open_memory(bytes, len, NULL, &file, &err))
		fail_msg("%s", err.message);
	return file;
}

static void list_has_a_row_for_each_snapshot(void **state)
{
	(void)state;
	size_t len;
	char *bytes = two_snapshots(&len);
	struct vmsnap_file *file = open_bytes(bytes, len);
	struct catch *caught = catch_new();
	caught->out.style.columns = "N,PID,RSS,COMM,LABEL";
	assert_int_equal(vmsnap_print_list(file, &caught->out, NULL), VMSNAP_OK);
	assert_string_equal(caught->text, "N PID   RSS COMM LABEL\n"
	                                  "1  42 56.0K demo\n"
	                                  "2  43 56.0K demo after \\x1b[2J fork\n");
	caught = catch_new();
	caught->out.style.json = true;
	assert_int_equal(vmsnap_print_list(file, &caught->out, NULL), VMSNAP_OK);
	assert_harmless(caught);
	assert_has(caught, "\"schema\": \"vmsnap.list/1\",\n \"snapshots\": [\n  {\"index\": 1, \"offset\": 16, ");
	assert_has(caught, "\"error\": null, \"rss\": 57344, \"pid\": 43,");
	assert_has(caught, "\"damage\": null\n}\n");
	vmsnap_file_close(file);
	free(bytes);
}

static void check_of_a_whole_file_is_ok(void **state)
{
	(void)state;
	size_t len;
	char *bytes = two_snapshots(&len);
	struct vmsnap_file *file = open_bytes(bytes, len);
	struct catch *caught = catch_new();
	assert_int_equal(vmsnap_print_check(file, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "snapshot 1 at offset 16, ");
	assert_has(caught, "\n2 snapshots whole\n");
	caught = catch_new();
	caught->out.style.json = true;
	assert_int_equal(vmsnap_print_check(file, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "\"damage\": null,\n \"ok\": true\n}\n");
	vmsnap_file_close(file);
	free(bytes);
}

static void check_says_what_a_cut_off_append_lost(void **state)
{
	(void)state;
	size_t len;
	char *bytes = two_snapshots(&len);
	struct vmsnap_file *file = open_bytes(bytes, len - 20);
	struct catch *caught = catch_new();
	int rc = vmsnap_print_check(file, &caught->out, &caught->err);
	assert_int_equal(rc, VMSNAP_ERR_TRUNCATED);
	assert_int_equal(caught->err.code, rc);
	assert_has(caught, "lost from offset ");
	assert_has(caught, "1 snapshot whole, the end of the file is damaged\n");
	caught = catch_new();
	caught->out.style.json = true;
	assert_int_equal(vmsnap_print_check(file, &caught->out, NULL), rc);
	assert_has(caught, "\"damage\": {\"kind\": \"truncated\", \"offset\": ");
	assert_has(caught, "\"ok\": false\n}\n");
	caught = catch_new();
	assert_int_equal(vmsnap_print_list(file, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "Damaged from offset ");
	vmsnap_file_close(file);
	free(bytes);
}

static void check_finds_a_flipped_byte(void **state)
{
	(void)state;
	size_t len;
	char *bytes = two_snapshots(&len);
	struct vmsnap_file *whole = open_bytes(bytes, len);
	struct vmsnap_file_entry entry;
	assert_int_equal(vmsnap_file_entry(whole, 1, &entry, NULL), VMSNAP_OK);
	vmsnap_file_close(whole);
	bytes[entry.offset + 40] ^= 1; /* in the payload of its first section */
	struct vmsnap_file *file = open_bytes(bytes, len);
	struct catch *caught = catch_new();
	caught->out.style.json = true;
	assert_int_equal(vmsnap_print_check(file, &caught->out, NULL), VMSNAP_ERR_CORRUPT);
	assert_has(caught, "{\"index\": 1, \"ok\": true,");
	assert_has(caught, "{\"index\": 2, \"ok\": false,");
	assert_has(caught, "\"error\": {\"kind\": \"corrupt\", ");
	vmsnap_file_close(file);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(list_has_a_row_for_each_snapshot),
		cmocka_unit_test(check_of_a_whole_file_is_ok),
		cmocka_unit_test(check_says_what_a_cut_off_append_lost),
		cmocka_unit_test(check_finds_a_flipped_byte),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
