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
		shut(&files->threads[i].stat);
		shut(&files->threads[i].schedstat);
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
		                        .stat = open_of_thread(files, tid, "stat"),
		                        .schedstat = open_of_thread(files, tid, "schedstat"), /* may be missing */
		                        .syscall = open_of_thread(files, tid, "syscall"),
		                        .children = open_of_thread(files, tid, "children") };
	if (thread->stat < 0 || thread->syscall < 0 || thread->children < 0)
		return errno;
	struct proc_text text = { 0 };
	int error = kept_read_record(thread->stat, &text);
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
			error = kept_read_record(files->threads[i].stat, &text);
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

static int make_room(struct proc_text *out)
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
	return 0;
}

/* Behind what there is; *got: how much. */
static int read_more(int fd, struct proc_text *out, size_t *got)
{
	ssize_t more;
	do
		more = pread(fd, out->text + out->len, out->room - 1 - out->len, (off_t)out->len);
	while (more < 0 && errno == EINTR);
	if (more < 0)
		return errno;
	*got = (size_t)more;
	out->len += *got;
	out->text[out->len] = '\0';
	return out->len == out->room - 1 ? EFBIG : 0; /* there may be more */
}

int kept_read_record(int fd, struct proc_text *out)
{
	size_t got;
	int error = make_room(out);
	return error ? error : read_more(fd, out, &got);
}

int kept_read_records(int fd, struct proc_text *out)
{
	enum { LEAST_PAGE = 4096, LONGEST = 256 };
	size_t got = LEAST_PAGE;
	int error = make_room(out);
	while (!error && got > LEAST_PAGE - LONGEST)
		error = read_more(fd, out, &got);
	return error;
}

bool kept_name_of(const struct proc_text *stat, char name[KEPT_NAME_MAX])
{
	const char *start = memchr(stat->text, '(', stat->len), *end = memrchr(stat->text, ')', stat->len);
	if (!start || !end || end < start || end - start > KEPT_NAME_MAX)
		return false;
	size_t len = (size_t)(end - start - 1);
	memcpy(name, start + 1, len);
	name[len] = '\0';
	return true;
}
