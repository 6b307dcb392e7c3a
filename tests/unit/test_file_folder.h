/* test_file_folder.h - a folder of its own for each test that saves, and what the
 * tests ask about it. */
#ifndef TEST_FILE_FOLDER_H
#define TEST_FILE_FOLDER_H

#include "test_file_sample.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

static char folder[64], path[80];
static struct vmsnap *snap;

static inline int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/vmsnap-save-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/a.vms", folder);
	snap = sample_small("saved");
	return 0;
}

/* Names in the folder but . and .. */
static inline size_t count_names(const char *where)
{
	size_t count = 0;
	DIR *dir = opendir(where);
	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count - 2;
}

static inline int remove_folder(void **state)
{
	(void)state;
	char command[128];
	vmsnap_unref(snap);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

static inline int save_as(const char *where, unsigned flags, struct vmsnap_error *err)
{
	return vmsnap_save(where, (const struct vmsnap *const[]){ snap }, 1, flags, err);
}

static inline void assert_saved(const char *where, size_t count)
{
	struct vmsnap_file *file;
	struct vmsnap_error err = { 0 };
	if (vmsnap_file_open(where, NULL, &file, &err))
		fail_msg("%s", err.message);
	assert_int_equal(vmsnap_file_count(file), count);
	assert_int_equal(vmsnap_file_damage(file, NULL), VMSNAP_OK);
	for (size_t i = 0; i < count; i++) {
		struct vmsnap *back;
		assert_int_equal(vmsnap_file_load(file, i, &back, NULL), VMSNAP_OK);
		assert_same(snap, back);
		vmsnap_unref(back);
	}
	vmsnap_file_close(file);
}

static inline off_t size_of(const char *where)
{
	struct stat st;
	assert_int_equal(stat(where, &st), 0);
	return st.st_size;
}

static inline void write_file(const char *where, const char *text, size_t len)
{
	int fd = open(where, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	close(fd);
}

static inline void assert_holds(const char *where, const char *text)
{
	char bytes[64] = "";
	int fd = open(where, O_RDONLY);
	assert_true(fd >= 0);
	assert_true(read(fd, bytes, sizeof(bytes) - 1) >= 0);
	close(fd);
	assert_string_equal(bytes, text);
}

#define in_folder(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

#endif
