/* Which mapped files are opened for their build ID. */
#define _GNU_SOURCE
#include "names_make.h"
#include "test_skip.h"

#include <linux/magic.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/sysinfo.h>
#include <sys/vfs.h>

#include "identity.h"

/* Whether `file`, which is said to be mapped as `name`, is opened for reading.  That is
 * told by inotify, to which looking (O_PATH) is no opening. */
static bool is_opened_below(int root, const char *name, const char *file, bool present)
{
	struct vmsnap *snap = made_snapshot();
	struct stat st;
	snap->info.exe = "";
	assert_int_equal(stat(file, &st), 0);
	struct vmsnap_vma *vma = made_vma(snap, BASE, BASE + 0x1000, VMSNAP_PERM_READ | VMSNAP_PERM_EXEC, name);
	vma->inode = st.st_ino;
	vma->dev_major = major(st.st_dev);
	vma->dev_minor = minor(st.st_dev);
	if (present)
		assert_int_equal(
		        run_list_append(&snap->runs, 4096, BASE, 1, ENTRY_PRESENT | ENTRY_FLAG(VMSNAP_PAGE_FILE)),
		        VMSNAP_OK);
	int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	assert_true(inotify_add_watch(watch, file, IN_OPEN) >= 0);
	assert_int_equal(identity_build_ids(snap, -1, root, -1, NULL), VMSNAP_OK);
	struct pollfd poll_watch = { .fd = watch, .events = POLLIN };
	bool opened = poll(&poll_watch, 1, 0) == 1;
	close(watch);
	vmsnap_unref(snap);
	return opened;
}

static bool is_opened(const char *path)
{
	return is_opened_below(-1, path, path, false);
}

/* What is on an overlay may be in memory as well as on a disk: that is not opened either. */
static bool is_on_a_disk(const char *path)
{
	struct statfs fs;
	return !statfs(path, &fs) && fs.f_type != TMPFS_MAGIC && fs.f_type != OVERLAYFS_SUPER_MAGIC;
}

static void only_files_on_a_disk_are_opened(void **state)
{
	struct place *place = *state;
	place_write(place, "/file", "x", 1);
	if (!is_on_a_disk(place_path(place, "/file"))) {
		skip_because("files for temporary use are on no disk here");
	}
	assert_true(is_opened(place_path(place, "/file")));
	assert_false(is_opened("/proc/version"));
	assert_false(is_opened("/sys/kernel/notes"));
	assert_false(is_opened("/dev/null"));
	assert_int_equal(mkfifo(place_path(place, "/pipe"), 0600), 0);
	assert_false(is_opened(place_path(place, "/pipe")));
}

static bool swap_is_empty;

/* In place of the C library's: what is in swap on this machine is not for the test to say. */
int sysinfo(struct sysinfo *info)
{
	*info = (struct sysinfo){ .totalswap = 2, .freeswap = swap_is_empty ? 2 : 1 };
	return 0;
}

/* A program on a tmpfs, which may be in swap, of a target with a root of its own. */
static void shared_memory_is_not_taken_for_a_file_of_its_name(void **state)
{
	struct place *place = *state, shared = { .root = "/dev/shm/vmsnap-identity-XXXXXX" };
	struct statfs fs;
	if (statfs("/dev/shm", &fs) || fs.f_type != TMPFS_MAGIC || !mkdtemp(shared.root)) {
		skip_because("no tmpfs at /dev/shm");
	}
	char name[512];
	place_write(place, "/file", "x", 1);
	strcpy(name, place_path(place, "/file"));
	place_write(&shared, name, "x", 1);
	int root = open(shared.root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(root >= 0);
	bool while_it_may_be_in_swap = is_opened_below(root, name, shared.path, false);
	bool while_it_is_there = is_opened_below(root, name, shared.path, true);
	swap_is_empty = true;
	bool while_nothing_is_in_swap = is_opened_below(root, name, shared.path, false);
	swap_is_empty = false;
	close(root);
	snprintf(name, sizeof(name), "rm -rf '%s'", shared.root);
	assert_int_equal(system(name), 0);
	assert_false(while_it_may_be_in_swap);
	assert_true(while_it_is_there);
	assert_true(while_nothing_is_in_swap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_files_on_a_disk_are_opened, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(shared_memory_is_not_taken_for_a_file_of_its_name, place_setup,
		                                place_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
