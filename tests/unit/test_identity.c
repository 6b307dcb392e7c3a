/* Which mapped files are opened for their build ID. */
#define _GNU_SOURCE
#include "names_make.h"

#include <poll.h>
#include <sys/inotify.h>

#include "identity.h"

/* Whether a file of that name, which is said to be mapped, is opened for reading.  That
 * is told by inotify, to which looking (O_PATH) is no opening. */
static bool is_opened(const char *path)
{
	struct vmsnap *snap = made_snapshot();
	struct stat st;
	snap->info.exe = "";
	assert_int_equal(stat(path, &st), 0);
	struct vmsnap_vma *vma = made_vma(snap, BASE, BASE + 0x1000, VMSNAP_READ | VMSNAP_EXEC, path);
	vma->inode = st.st_ino;
	vma->dev_major = major(st.st_dev);
	vma->dev_minor = minor(st.st_dev);
	int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	assert_true(inotify_add_watch(watch, path, IN_OPEN) >= 0);
	assert_int_equal(identity_build_ids(snap, -1, -1, NULL), VMSNAP_OK);
	struct pollfd poll_watch = { .fd = watch, .events = POLLIN };
	bool opened = poll(&poll_watch, 1, 0) == 1;
	close(watch);
	vmsnap_free(snap);
	return opened;
}

static void only_files_on_a_disk_are_opened(void **state)
{
	struct place *place = *state;
	place_write(place, "/file", "x", 1);
	assert_true(is_opened(place_path(place, "/file")));
	assert_false(is_opened("/proc/version"));
	assert_false(is_opened("/sys/kernel/notes"));
	assert_false(is_opened("/dev/null"));
	assert_int_equal(mkfifo(place_path(place, "/pipe"), 0600), 0);
	assert_false(is_opened(place_path(place, "/pipe")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_files_on_a_disk_are_opened, place_setup, place_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
