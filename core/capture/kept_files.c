#define _GNU_SOURCE
#include "kept_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const names[KEPT_FILES] = {
	[KEPT_STAT] = "stat",
	[KEPT_STATUS] = "status",
	[KEPT_CGROUP] = "cgroup",
	[KEPT_CMDLINE] = "cmdline",
	[KEPT_MAPS] = "maps",
	[KEPT_PAGEMAP] = "pagemap",
	[KEPT_VMSTAT] = "/proc/vmstat",
	[KEPT_KSM_SHARED] = "/sys/kernel/mm/ksm/pages_shared",
	[KEPT_KSM_ZERO] = "/sys/kernel/mm/ksm/ksm_zero_pages",
};

/* Kernels without KSM, or before Linux 6.6, have nothing there. */
static bool may_be_missing(int file)
{
	return file == KEPT_KSM_SHARED || file == KEPT_KSM_ZERO;
}

void kept_files_init(struct kept_files *files, int procdir)
{
	*files = (struct kept_files){ .procdir = procdir };
	for (int i = 0; i < KEPT_FILES; i++)
		files->fds[i] = -1;
}

static void shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void close_threads(struct kept_files *files)
{
	for (size_t i = 0; i < files->thread_count; i++) {
		shut(&files->threads[i].status);
		shut(&files->threads[i].syscall);
		shut(&files->threads[i].children);
	}
	files->thread_count = 0;
}

void kept_files_close(struct kept_files *files)
{
	for (int i = 0; i < KEPT_FILES; i++)
		shut(&files->fds[i]);
	close_threads(files);
}

int kept_files_open(struct kept_files *files)
{
	/* These are of the memory that it had when they were opened, which after an exec may be another process's
	 * still. */
	shut(&files->fds[KEPT_MAPS]);
	shut(&files->fds[KEPT_PAGEMAP]);
	for (int i = 0; i < KEPT_FILES; i++) {
		if (files->fds[i] < 0)
			files->fds[i] = openat(files->procdir, names[i], O_RDONLY | O_CLOEXEC);
		if (files->fds[i] < 0 && !(may_be_missing(i) && errno == ENOENT))
			return errno;
	}
	return 0;
}

static int open_of_thread(const struct kept_files *files, pid_t tid, const char *name)
{
	char path[48];
	snprintf(path, sizeof(path), "task/%d/%s", (int)tid, name);
	return openat(files->procdir, path, O_RDONLY | O_CLOEXEC);
}

static int keep_thread(struct kept_files *files, pid_t tid)
{
	struct kept_thread *thread = &files->threads[files->thread_count++];
	*thread = (struct kept_thread){ .tid = tid,
		                        .status = open_of_thread(files, tid, "status"),
		                        .syscall = open_of_thread(files, tid, "syscall"),
		                        .children = open_of_thread(files, tid, "children") };
	if (thread->status < 0 || thread->syscall < 0 || thread->children < 0)
		return errno;
	struct proc_text text = { 0 };
	int error = kept_read_record(thread->status, &text);
	if (!error && !kept_name_of(&text, thread->name))
		error = EFBIG;
	proc_text_free(&text);
	return error;
}

static bool are_kept(const struct kept_files *files, const struct vmsnap_thread *threads, size_t count)
{
	bool same = files->thread_count == count;
	for (size_t i = 0; same && i < count; i++)
		same = files->threads[i].tid == (pid_t)threads[i].tid;
	return same;
}

int kept_files_threads(struct kept_files *files, const struct vmsnap_thread *threads, size_t count)
{
	if (count > KEPT_THREADS_MAX)
		return EFBIG;
	int error = 0;
	/* A thread's number may be another's by now, and it may be called otherwise. */
	if (are_kept(files, threads, count)) {
		struct proc_text text = { 0 };
		for (size_t i = 0; !error && i < count; i++) {
			error = kept_read_record(files->threads[i].status, &text);
			if (!error && !kept_name_of(&text, files->threads[i].name))
				error = EFBIG;
		}
		proc_text_free(&text);
		if (!error)
			return 0;
	}
	close_threads(files);
	error = 0;
	for (size_t i = 0; !error && i < count; i++)
		error = keep_thread(files, (pid_t)threads[i].tid);
	return error;
}

int kept_read_record(int fd, struct proc_text *out)
{
	enum { ROOM = 16384 };
	out->len = 0;
	if (!out->text) {
		*out = (struct proc_text){ .text = malloc(ROOM), .room = ROOM };
		if (!out->text) {
			out->room = 0;
			return ENOMEM;
		}
	}
	ssize_t got;
	do
		got = pread(fd, out->text, out->room - 1, 0);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno;
	if ((size_t)got == out->room - 1) /* there may be more */
		return EFBIG;
	out->len = (size_t)got;
	out->text[out->len] = '\0';
	return 0;
}

bool kept_name_of(const struct proc_text *status, char name[KEPT_NAME_MAX])
{
	const char *end = memchr(status->text, '\n', status->len);
	size_t len = end ? (size_t)(end - status->text) : KEPT_NAME_MAX;
	if (len >= KEPT_NAME_MAX)
		return false;
	memcpy(name, status->text, len);
	name[len] = '\0';
	return true;
}
