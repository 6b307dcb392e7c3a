/* Appending: to whole files, to torn ones, and several at once. */
#include "test_file_folder.h"

#include <pthread.h>
#include <sys/file.h>
#include <sys/wait.h>

static void append_adds_and_makes(void **state)
{
	(void)state;
	for (size_t i = 1; i <= 5; i++) {
		assert_int_equal(save_as(path, VMSNAP_SAVE_APPEND, NULL), VMSNAP_OK);
		assert_saved(path, i);
	}
	assert_int_equal(count_names(folder), 1);
}

static void append_cuts_off_what_an_earlier_one_left(void **state)
{
	(void)state;
	assert_int_equal(save_as(path, 0, NULL), VMSNAP_OK);
	off_t one = size_of(path);
	assert_int_equal(save_as(path, VMSNAP_SAVE_APPEND, NULL), VMSNAP_OK);
	off_t two = size_of(path);
	for (off_t torn = two - 1; torn > one; torn -= 97) {
		assert_int_equal(truncate(path, torn), 0);
		assert_int_equal(save_as(path, VMSNAP_SAVE_APPEND, NULL), VMSNAP_OK);
		assert_int_equal(size_of(path), two);
		assert_saved(path, 2);
	}
	assert_int_equal(truncate(path, 20), 0); /* nothing whole but the header */
	assert_int_equal(save_as(path, VMSNAP_SAVE_APPEND, NULL), VMSNAP_OK);
	assert_int_equal(size_of(path), one);
	assert_saved(path, 1);
}

static void append_keeps_what_lies_behind_damage(void **state)
{
	(void)state;
	assert_int_equal(save_as(path, 0, NULL), VMSNAP_OK);
	off_t one = size_of(path);
	assert_int_equal(save_as(path, VMSNAP_SAVE_APPEND, NULL), VMSNAP_OK);
	assert_int_equal(save_as(path, VMSNAP_SAVE_APPEND, NULL), VMSNAP_OK);
	off_t three = size_of(path);
	int fd = open(path, O_RDWR);
	assert_int_equal(pwrite(fd, "xx", 2, 2 * one - 16 - 2), 2); /* the second END */
	close(fd);
	assert_int_equal(save_as(path, VMSNAP_SAVE_APPEND, NULL), VMSNAP_OK);
	assert_true(size_of(path) > three);
	struct vmsnap_file *file;
	assert_int_equal(vmsnap_file_open(path, NULL, &file, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_file_count(file), 3);
	assert_int_equal(vmsnap_file_damage(file, NULL), VMSNAP_ERR_CORRUPT);
	vmsnap_file_close(file);
}

static void append_refuses_what_is_damaged_and_torn(void **state)
{
	(void)state;
	assert_int_equal(save_as(path, 0, NULL), VMSNAP_OK);
	off_t one = size_of(path);
	for (int i = 0; i < 3; i++)
		assert_int_equal(save_as(path, VMSNAP_SAVE_APPEND, NULL), VMSNAP_OK);
	int fd = open(path, O_RDWR);
	assert_int_equal(pwrite(fd, "xx", 2, 2 * one - 16 - 2), 2); /* the second END */
	close(fd);
	off_t torn = size_of(path) - 5; /* and the fourth is not whole: the third would be lost */
	assert_int_equal(truncate(path, torn), 0);
	assert_int_equal(save_as(path, VMSNAP_SAVE_APPEND, NULL), VMSNAP_ERR_CORRUPT);
	assert_int_equal(size_of(path), torn);
}

static void append_refuses_a_newer_file(void **state)
{
	(void)state;
	/* A good header of version 2: its CRC was computed by another program. */
	static const char newer[] = "\x89VMS\r\n\x1a\n\x02\x00\x00\x00\x92\xce\xaa\x4b";
	write_file(path, newer, 16);
	struct vmsnap_error err = { 0 };
	assert_int_equal(save_as(path, VMSNAP_SAVE_APPEND, &err), VMSNAP_ERR_NEWER);
	assert_int_equal(size_of(path), 16);
	assert_int_equal(save_as(path, 0, NULL), VMSNAP_OK); /* to replace it is another matter */
}

static void append_ten(void)
{
	for (int i = 0; i < 10; i++)
		if (save_as(path, VMSNAP_SAVE_APPEND, NULL))
			_exit(1);
}

static void appenders_do_not_disturb_each_other(void **state)
{
	(void)state;
	pid_t pids[4];
	for (size_t i = 0; i < 4; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (!pids[i]) {
			append_ten();
			_exit(0);
		}
	}
	for (size_t i = 0; i < 4; i++) {
		int status;
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_saved(path, 40);
	assert_int_equal(count_names(folder), 1);
}

/* Whoever waited for the lock of a file that was replaced meanwhile must add to
 * the new one. */
static void *append_once(void *context)
{
	(void)context;
	return (void *)(intptr_t)save_as(path, VMSNAP_SAVE_APPEND, NULL);
}

static void append_that_waited_goes_to_the_new_file(void **state)
{
	(void)state;
	char other[96];
	snprintf(other, sizeof(other), "%s/other.vms", folder);
	assert_int_equal(save_as(path, 0, NULL), VMSNAP_OK);
	assert_int_equal(save_as(other, 0, NULL), VMSNAP_OK);
	int fd = open(path, O_RDONLY);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, append_once, NULL), 0);
	usleep(100 * 1000);
	assert_int_equal(rename(other, path), 0);
	close(fd);
	void *rc;
	pthread_join(thread, &rc);
	assert_null(rc);
	assert_saved(path, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_folder(append_adds_and_makes),
		in_folder(append_cuts_off_what_an_earlier_one_left),
		in_folder(append_keeps_what_lies_behind_damage),
		in_folder(append_refuses_what_is_damaged_and_torn),
		in_folder(append_refuses_a_newer_file),
		in_folder(appenders_do_not_disturb_each_other),
		in_folder(append_that_waited_goes_to_the_new_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
