/* kept_files.h - files of one process that stay open from one capture to the next, as opening them takes most of a
 * brief one.
 *
 * They are of the process itself, whatever becomes of its number; those of its memory (maps, pagemap) are of the
 * memory that it had when they were opened, which an exec leaves behind: then they are empty, and to be opened again.
 */
#ifndef VMSNAP_KEPT_FILES_H
#define VMSNAP_KEPT_FILES_H

#include "procdir.h"

enum kept_file {
	KEPT_STAT,
	KEPT_STATUS,
	KEPT_CGROUP,
	KEPT_CMDLINE,
	KEPT_MAPS,
	KEPT_PAGEMAP,
	KEPT_VMSTAT,
	KEPT_KSM_SHARED,
	KEPT_KSM_ZERO,
	KEPT_FILES
};

/* Four of each thread; who has more threads than that is looked at in full each time. */
enum { KEPT_THREADS_MAX = 16, KEPT_NAME_MAX = 80 };
struct kept_thread {
	pid_t tid;
	int stat, schedstat, syscall, children;
	char name[KEPT_NAME_MAX];
};

struct kept_files {
	int procdir; /* borrowed */
	int fds[KEPT_FILES];
	struct kept_thread threads[KEPT_THREADS_MAX];
	size_t thread_count;
};

void kept_files_init(struct kept_files *files, int procdir);
void kept_files_close(struct kept_files *files);
/* Opens what is not open, and what is of its memory anew.  0 or errno. */
int kept_files_open(struct kept_files *files);
/* These threads in the place of those that there were.  0 or errno. */
int kept_files_threads(struct kept_files *files, const struct vmsnap_thread *threads, size_t count);

/* What is written as one record in one read, which the file ends with.  0 or errno. */
int kept_read_record(int fd, struct proc_text *out);
/* The same of a file of many short records, which comes in pieces of a page: the last one is known by its room for
 * another. */
int kept_read_records(int fd, struct proc_text *out);
/* Copies the name in stat; false if it is too long. */
bool kept_name_of(const struct proc_text *stat, char name[KEPT_NAME_MAX]);

#endif
