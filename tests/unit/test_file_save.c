/* Saving to paths: new, replaced, streamed to, and what is left when it fails. */
#include "test_file_folder.h"
#include "test_skip.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* ---- new and replaced ---- */

static void new_file_is_private_and_alone(void **state)
{
	(void)state;
	struct stat st;
	mode_t mask = umask(0);
	assert_int_equal(save_as(path, 0, NULL), VMSNAP_OK);
	umask(mask);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(count_names(folder), 1);
	assert_saved(path, 1);
}

static void vmsnap_file_is_replaced_as_a_whole(void **state)
{
	(void)state;
	struct stat before, after;
	assert_int_equal(save_as(path, 0, NULL), VMSNAP_OK);
	int reader = open(path, O_RDONLY); /* goes on reading the old one */
	assert_int_equal(fstat(reader, &before), 0);
	assert_int_equal(save_as(path, 0, NULL), VMSNAP_OK);
	assert_int_equal(stat(path, &after), 0);
	assert_true(before.st_ino != after.st_ino);
	struct vmsnap_file *file;
	assert_int_equal(vmsnap_file_open_fd(reader, NULL, &file, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_file_count(file), 1);
	vmsnap_file_close(file);
	close(reader);
	assert_int_equal(count_names(folder), 1);
	assert_saved(path, 1);
}

static void another_file_is_left_alone(void **state)
{
	(void)state;
	static const char *const texts[] = { "p", "precious", "\x89VMS",
		                             "#!/bin/sh\necho this is longer than a header\n" };
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		for (unsigned flags = 0; flags <= VMSNAP_SAVE_APPEND; flags++) {
			struct vmsnap_error err = { 0 };
			write_file(path, texts[i], strlen(texts[i]));
			int rc = save_as(path, flags, &err);
			if (i == 2 && flags) /* one that was cut off within its header */
				assert_int_equal(rc, VMSNAP_ERR_TRUNCATED);
			else
				assert_int_equal(rc, VMSNAP_ERR_NOT_SNAPSHOT);
			assert_non_null(strstr(err.message, path));
			assert_holds(path, texts[i]);
			assert_int_equal(count_names(folder), 1);
		}
	}
}

static void dropped_end_is_told(void **state)
{
	(void)state;
	struct vmsnap_error err = { .code = VMSNAP_ERR_CORRUPT };
	struct stat one, two;
	assert_int_equal(save_as(path, 0, &err), VMSNAP_OK);
	assert_int_equal(stat(path, &one), 0);
	assert_int_equal(save_as(path, VMSNAP_SAVE_APPEND, &err), VMSNAP_OK);
	assert_int_equal(err.code, VMSNAP_OK);
	assert_int_equal(stat(path, &two), 0);
	assert_int_equal(truncate(path, two.st_size - 1), 0);
	assert_int_equal(save_as(path, VMSNAP_SAVE_APPEND, &err), VMSNAP_OK);
	assert_int_equal(err.code, VMSNAP_ERR_TRUNCATED);
	assert_int_equal(err.position, one.st_size);
	char dropped[64];
	snprintf(dropped, sizeof(dropped), " %jd bytes ", (intmax_t)(two.st_size - 1 - one.st_size));
	assert_non_null(strstr(err.message, dropped));
	assert_saved(path, 2);
}

static void folder_is_refused(void **state)
{
	(void)state;
	struct vmsnap_error err = { 0 };
	assert_int_equal(save_as(folder, 0, &err), VMSNAP_ERR_SYSTEM);
	assert_int_equal(err.sys_errno, EISDIR);
	snprintf(path, sizeof(path), "%s/", folder);
	assert_int_equal(save_as(path, 0, &err), VMSNAP_ERR_SYSTEM);
	snprintf(path, sizeof(path), "%s/no/a.vms", folder);
	assert_int_equal(save_as(path, 0, &err), VMSNAP_ERR_SYSTEM);
	assert_int_equal(err.sys_errno, ENOENT);
	assert_int_equal(count_names(folder), 0);
}

static void longest_name_can_be_saved_and_replaced(void **state)
{
	(void)state;
	char longest[512];
	snprintf(longest, sizeof(longest), "%s/%0255d", folder, 7);
	assert_int_equal(save_as(longest, 0, NULL), VMSNAP_OK);
	assert_int_equal(save_as(longest, 0, NULL), VMSNAP_OK);
	assert_saved(longest, 1);
	assert_int_equal(count_names(folder), 1);
	strcat(longest, "x");
	struct vmsnap_error err = { 0 };
	assert_int_equal(save_as(longest, 0, &err), VMSNAP_ERR_SYSTEM);
	assert_int_equal(err.sys_errno, ENAMETOOLONG);
}

static void relative_name_is_saved_here(void **state)
{
	(void)state;
	char before[4096];
	assert_non_null(getcwd(before, sizeof(before)));
	assert_int_equal(chdir(folder), 0);
	assert_int_equal(save_as("here.vms", 0, NULL), VMSNAP_OK);
	assert_saved("here.vms", 1);
	assert_int_equal(chdir(before), 0);
}

/* ---- links ---- */

static void link_is_followed_and_stays(void **state)
{
	(void)state;
	char link[128], real[96];
	struct stat st;
	snprintf(link, sizeof(link), "%s/link.vms", folder);
	snprintf(real, sizeof(real), "%s/sub", folder);
	assert_int_equal(mkdir(real, 0700), 0);
	strcat(real, "/real.vms");
	assert_int_equal(save_as(real, 0, NULL), VMSNAP_OK);
	assert_int_equal(symlink("sub/real.vms", link), 0);
	assert_int_equal(save_as(link, 0, NULL), VMSNAP_OK);
	assert_int_equal(save_as(link, VMSNAP_SAVE_APPEND, NULL), VMSNAP_OK);
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_saved(real, 2);
	assert_int_equal(count_names(folder), 2);
}

static void link_to_nothing_is_refused(void **state)
{
	(void)state;
	assert_int_equal(symlink("nowhere", path), 0);
	for (unsigned flags = 0; flags <= VMSNAP_SAVE_APPEND; flags++) {
		struct vmsnap_error err = { 0 };
		assert_int_equal(save_as(path, flags, &err), VMSNAP_ERR_SYSTEM);
		assert_int_equal(err.sys_errno, ENOENT);
		assert_int_equal(count_names(folder), 1);
	}
}

static void strangers_link_is_refused(void **state)
{
	(void)state;
	if (geteuid())
		skip_because("not root: cannot make another user's link");
	char real[96];
	snprintf(real, sizeof(real), "%s/real.vms", folder);
	assert_int_equal(save_as(real, 0, NULL), VMSNAP_OK);
	assert_int_equal(symlink("real.vms", path), 0);
	assert_int_equal(lchown(path, 65534, 65534), 0);
	for (int open_to_all = 0; open_to_all < 2; open_to_all++) {
		assert_int_equal(chmod(folder, open_to_all ? 01777 : 0700), 0);
		assert_int_equal(save_as(path, 0, NULL), VMSNAP_ERR_PERMISSION);
		assert_int_equal(save_as(path, VMSNAP_SAVE_APPEND, NULL), VMSNAP_ERR_PERMISSION);
	}
	assert_saved(real, 1);
}

/* ---- streams ---- */

static void *read_fifo(void *context)
{
	struct vmsnap_file *file = NULL;
	vmsnap_file_open(context, NULL, &file, NULL);
	return file;
}

static void pipes_and_devices_are_streamed_to(void **state)
{
	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, read_fifo, path), 0);
	assert_int_equal(save_as(path, 0, NULL), VMSNAP_OK);
	void *file;
	pthread_join(thread, &file);
	assert_non_null(file);
	assert_int_equal(vmsnap_file_count(file), 1);
	vmsnap_file_close(file);
	struct stat st;
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	assert_int_equal(save_as("/dev/null", 0, NULL), VMSNAP_OK);
	assert_int_equal(stat("/dev/null", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
	struct vmsnap_error err = { 0 };
	assert_int_equal(save_as("/dev/full", 0, &err), VMSNAP_ERR_SYSTEM);
	assert_int_equal(err.sys_errno, ENOSPC);
	assert_non_null(strstr(err.message, "/dev/full"));
}

static void descriptor_by_name_is_written_to(void **state)
{
	(void)state;
	char name[64];
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	snprintf(name, sizeof(name), "/dev/fd/%d", fd);
	assert_int_equal(save_as(name, 0, NULL), VMSNAP_OK);
	close(fd);
	assert_saved(path, 1);
}

static void closed_pipe_is_an_error_and_no_signal(void **state)
{
	(void)state;
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	close(ends[0]);
	assert_true(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
	struct vmsnap_error err = { 0 };
	const struct vmsnap *const list[] = { snap };
	assert_int_equal(vmsnap_write_fd(ends[1], list, 1, &err), VMSNAP_ERR_SYSTEM);
	assert_int_equal(err.sys_errno, EPIPE);
	close(ends[1]);
	sigset_t pending;
	assert_int_equal(sigpending(&pending), 0);
	assert_int_equal(sigismember(&pending, SIGPIPE), 0);
}

/* ---- failures leave nothing ---- */

static void full_disk_leaves_everything_as_it_was(void **state)
{
	(void)state;
	if (mount("tmpfs", folder, "tmpfs", 0, "size=64k"))
		skip_because("no file system can be mounted here: %s", strerror(errno));
	struct vmsnap_error err = { 0 };
	assert_int_equal(save_as(path, 0, NULL), VMSNAP_OK);
	off_t before = size_of(path);
	struct vmsnap *small = snap;
	snap = sample_empty(4096, "large");
	for (uint64_t i = 0; i < 100000; i++)
		sample_add_run(snap, 0x1000 * (2 * i + 1), 1, PRESENT | sample_random(1 << 30));
	for (unsigned flags = 0; flags <= VMSNAP_SAVE_APPEND; flags++) {
		assert_int_equal(save_as(path, flags, &err), VMSNAP_ERR_SYSTEM);
		assert_int_equal(err.sys_errno, ENOSPC);
		assert_non_null(strstr(err.message, path));
		assert_int_equal(size_of(path), before);
		assert_int_equal(count_names(folder), 1);
	}
	char other[96];
	snprintf(other, sizeof(other), "%s/b.vms", folder);
	assert_int_equal(save_as(other, 0, &err), VMSNAP_ERR_SYSTEM);
	assert_int_equal(save_as(other, VMSNAP_SAVE_APPEND, &err), VMSNAP_ERR_SYSTEM);
	assert_int_equal(count_names(folder), 1);
	vmsnap_unref(snap);
	snap = small;
	assert_saved(path, 1);
	assert_int_equal(umount(folder), 0);
}

static int run_child(void (*act)(void))
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		act();
		_exit(0);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void exceed_file_size(void)
{
	struct rlimit limit = { .rlim_cur = 1500, .rlim_max = 1500 };
	struct vmsnap_error err = { 0 };
	setrlimit(RLIMIT_FSIZE, &limit);
	if (save_as(path, VMSNAP_SAVE_APPEND, &err) != VMSNAP_ERR_SYSTEM || err.sys_errno != EFBIG)
		_exit(1);
}

static void file_size_limit_is_an_error_and_no_signal(void **state)
{
	(void)state;
	assert_int_equal(save_as(path, 0, NULL), VMSNAP_OK);
	off_t before = size_of(path);
	while (size_of(path) * 2 < 2500)
		assert_int_equal(save_as(path, VMSNAP_SAVE_APPEND, NULL), VMSNAP_OK), before = size_of(path);
	assert_int_equal(run_child(exceed_file_size), 0);
	assert_int_equal(size_of(path), before);
}

static void draft_of_the_dead_is_swept_away(void **state)
{
	(void)state;
	char dead[128], alive[128], unlike[128];
	pid_t pid = fork();
	if (!pid)
		_exit(0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	snprintf(dead, sizeof(dead), "%s/.a.vms.vmsnap-%d-0123abcd", folder, (int)pid);
	snprintf(alive, sizeof(alive), "%s/.a.vms.vmsnap-%d-0123abcd", folder, (int)getpid());
	snprintf(unlike, sizeof(unlike), "%s/.b.vms.vmsnap-%d-0123abcd", folder, (int)pid);
	write_file(dead, "", 0);
	write_file(alive, "", 0);
	write_file(unlike, "", 0);
	assert_int_equal(save_as(path, 0, NULL), VMSNAP_OK);
	assert_int_equal(access(dead, F_OK), -1);
	assert_int_equal(access(alive, F_OK), 0);
	assert_int_equal(access(unlike, F_OK), 0);
}

/* A file system without O_TMPFILE, as NFS and FAT are. */
static void forbid_tmpfile(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, O_TMPFILE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, O_TMPFILE, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EOPNOTSUPP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof(filter) / sizeof(*filter), .filter = filter };
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) ||
	    openat(AT_FDCWD, folder, O_TMPFILE | O_RDWR, 0600) >= 0)
		_exit(77);
}

static void save_without_tmpfile(void)
{
	forbid_tmpfile();
	if (save_as(path, 0, NULL) || save_as(path, 0, NULL) || save_as(path, VMSNAP_SAVE_APPEND, NULL))
		_exit(1);
	snap->info.page_size = 0; /* fails half way */
	strcat(path, "2");
	if (save_as(path, 0, NULL) != VMSNAP_ERR_ARGUMENT)
		_exit(2);
}

static void file_system_without_tmpfile_works_too(void **state)
{
	(void)state;
	int status = run_child(save_without_tmpfile);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip_because("O_TMPFILE cannot be forbidden here by seccomp");
	assert_int_equal(status, 0);
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_saved(path, 2);
	assert_int_equal(count_names(folder), 1);
}

static void save_for_ever(void)
{
	forbid_tmpfile();
	for (;;)
		save_as(path, 0, NULL);
}

/* Killed at any moment: the old or the new file is there, whole, and the next
 * save clears away the rest. */
static void killed_save_leaves_a_whole_file(void **state)
{
	(void)state;
	assert_int_equal(save_as(path, 0, NULL), VMSNAP_OK);
	for (int i = 0; i < 20; i++) {
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (!pid)
			save_for_ever();
		usleep((useconds_t)(3000 + sample_random(4000)));
		kill(pid, SIGKILL);
		int status;
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status))
			skip_because("O_TMPFILE cannot be forbidden here by seccomp");
		assert_saved(path, 1);
	}
	assert_int_equal(save_as(path, 0, NULL), VMSNAP_OK);
	assert_int_equal(count_names(folder), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_folder(new_file_is_private_and_alone),
		in_folder(vmsnap_file_is_replaced_as_a_whole),
		in_folder(another_file_is_left_alone),
		in_folder(dropped_end_is_told),
		in_folder(folder_is_refused),
		in_folder(longest_name_can_be_saved_and_replaced),
		in_folder(relative_name_is_saved_here),
		in_folder(link_is_followed_and_stays),
		in_folder(link_to_nothing_is_refused),
		in_folder(strangers_link_is_refused),
		in_folder(pipes_and_devices_are_streamed_to),
		in_folder(descriptor_by_name_is_written_to),
		in_folder(closed_pipe_is_an_error_and_no_signal),
		in_folder(full_disk_leaves_everything_as_it_was),
		in_folder(file_size_limit_is_an_error_and_no_signal),
		in_folder(draft_of_the_dead_is_swept_away),
		in_folder(file_system_without_tmpfile_works_too),
		in_folder(killed_save_leaves_a_whole_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
