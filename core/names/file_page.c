/* file_page.c - one page of a process beside what its file has there, for debuggers: who wrote to
 * code is told by what differs. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "names_path.h"
#include "open_gently.h"
#include "pread_all.h"
#include "procdir.h"

enum { PRESENT_BIT = 63 }; /* of an entry of pagemap */

static bool is_present(int procdir, uint64_t page)
{
	CLEANUP_CLOSE int fd = openat(procdir, "pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;
	if (fd < 0 || pread_all(fd, &entry, sizeof(entry), page * sizeof(entry)) != sizeof(entry))
		return false;
	return entry >> PRESENT_BIT;
}

/* A page that is there.  Between the look and the reading it may go, but not while a debugger
 * holds the process. */
static int read_memory(int procdir, uint64_t start, size_t page_size, uint8_t *bytes, struct vmsnap_error *err)
{
	if (!is_present(procdir, start / page_size))
		return fail(err, VMSNAP_ERR_NOT_FOUND, "the page of 0x%" PRIx64 " is not in memory", start);
	CLEANUP_CLOSE int fd = openat(procdir, "mem", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail_sys(err, errno, "cannot read the memory of the process");
	if (pread_all(fd, bytes, page_size, start) != (ssize_t)page_size)
		return fail(err, VMSNAP_ERR_NOT_FOUND, "the page of 0x%" PRIx64 " cannot be read", start);
	return VMSNAP_OK;
}

/* The mapped file itself, even if it was deleted; only with privilege. */
static int open_mapped(int procdir, const struct vmsnap_vma *vma)
{
	char name[64];
	snprintf(name, sizeof(name), "map_files/%" PRIx64 "-%" PRIx64, vma->start, vma->end);
	CLEANUP_CLOSE int found = openat(procdir, name, O_PATH | O_CLOEXEC);
	return found < 0 ? -1 : open_found_gently(found, true);
}

static int open_by_name(int procdir, const struct vmsnap_vma *vma)
{
	CLEANUP_CLOSE int root = openat(procdir, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return names_open_gently(root, vma->name);
}

static int read_file(int procdir, const struct vmsnap_vma *vma, uint64_t start, size_t page_size, uint8_t *bytes,
                     struct vmsnap_error *err)
{
	CLEANUP_CLOSE int fd = open_mapped(procdir, vma);
	struct stat stat;
	if (fd < 0)
		fd = open_by_name(procdir, vma);
	if (fd < 0 || fstat(fd, &stat) || stat.st_ino != vma->inode)
		return fail(err, VMSNAP_ERR_NOT_FOUND, "the file that is mapped at 0x%" PRIx64 " cannot be found",
		            start);
	ssize_t got = pread_all(fd, bytes, page_size, vma->offset + (start - vma->start));
	if (got < 0)
		return fail_sys(err, errno, "cannot read the file that is mapped at 0x%" PRIx64, start);
	memset(bytes + got, 0, page_size - (size_t)got);
	return VMSNAP_OK;
}

/* *living: of a thread, if the first one has exited and shows no memory. */
static int open_process(const struct vmsnap_info *info, int *procdir, int *living, struct vmsnap_error *err)
{
	struct proc_stat stat;
	/* Of another machine's process the number is a stranger's here. */
	if (info->source != VMSNAP_SOURCE_PROCESS || !procdir_boot_is_ours(info->boot_id))
		return fail(err, VMSNAP_ERR_NO_PROCESS, "process %" PRIu32 " is, or was, of another machine or boot",
		            info->pid);
	int rc = procdir_open_stat((pid_t)info->pid, procdir, &stat, err);
	if (rc)
		return rc;
	if (stat.start_time != info->start_time)
		return fail(err, VMSNAP_ERR_NO_PROCESS, "process %" PRIu32 " is gone, and its number is another's now",
		            info->pid);
	if (stat.state == 'Z')
		*living = procdir_living_thread(*procdir);
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_file_page_now(const struct vmsnap *snap, uint64_t address, void *memory, void *file,
                                    struct vmsnap_error *err)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	const struct vmsnap_vma *vma = vmsnap_vma_at(snap, address);
	size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
	uint64_t start = address - address % page_size;
	CLEANUP_CLOSE int procdir = -1, living = -1;
	if (info->page_size != page_size)
		return fail(err, VMSNAP_ERR_ARGUMENT, "the snapshot is of a machine with other pages");
	if (!vma || !vma->inode || (vma->perms & VMSNAP_PERM_SHARED))
		return fail(err, VMSNAP_ERR_NOT_FOUND, "0x%" PRIx64 " is in no private mapping of a file", address);
	int rc = open_process(info, &procdir, &living, err);
	if (!rc && memory)
		rc = read_memory(living >= 0 ? living : procdir, start, page_size, memory, err);
	if (!rc && file)
		rc = read_file(living >= 0 ? living : procdir, vma, start, page_size, file, err);
	return rc;
}
