#define _GNU_SOURCE
#include "elf_verify.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <time.h>

#include "build_id.h"
#include "error.h"
#include "names_path.h"
#include "procdir.h"
#include "program_start.h"

#define NS_PER_SECOND INT64_C(1000000000)

/* Change times are those of the last timer tick, 1 to 10 ms old. */
static int64_t tick(void)
{
	struct timespec ts;
	return clock_getres(CLOCK_REALTIME_COARSE, &ts) ? NS_PER_SECOND / 100 : ts.tv_nsec;
}

/* Of another boot only what was counted then is left: a machine that slept before the
 * process began makes it seem to have begun later. */
static int64_t start_of(const struct vmsnap_info *info, struct here here)
{
	CLEANUP_CLOSE int procdir = -1;
	long ticks = sysconf(_SC_CLK_TCK);
	if (!here.same_machine || !info->start_time || !info->taken)
		return PROGRAM_START_UNKNOWN;
	if (here.same_boot) {
		if (info->source != VMSNAP_SOURCE_PROCESS || procdir_open((pid_t)info->tgid, &procdir, NULL))
			procdir = -1;
		return program_start(procdir, info->start_time);
	}
	if (ticks <= 0 || info->start_time > (uint64_t)(INT64_MAX / NS_PER_SECOND) || !info->monotonic)
		return PROGRAM_START_UNKNOWN;
	return info->taken - info->monotonic + (int64_t)info->start_time * (NS_PER_SECOND / ticks);
}

struct here elf_verify_here(const struct vmsnap_info *info)
{
	char boot[64];
	struct utsname name;
	CLEANUP_CLOSE int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd >= 0 ? read(fd, boot, sizeof(boot) - 1) : -1;
	boot[len > 0 ? len : 0] = '\0';
	boot[strcspn(boot, "\n")] = '\0';
	struct here here = { .same_boot = *boot && strcmp(boot, info->boot_id) == 0 };
	here.same_machine =
	        here.same_boot || (uname(&name) == 0 && *name.nodename && strcmp(name.nodename, info->host) == 0);
	here.start = start_of(info, here);
	return here;
}

/* Whether the file was written to in place while the program had it mapped, as far as can be
 * told.  Captures keep no build ID of such a file (.build_ids_proved); older ones did, and one that changed
 * after the snapshot, too, tells by its ID what it is.  Numbers of devices are not compared: a file
 * system may show another one to stat() than in maps. */
static bool changed_while_mapped(const struct stat *st, const struct vmsnap_vma *vma, const struct vmsnap_info *info,
                                 struct here here)
{
	if (!here.same_machine || st->st_ino != vma->inode || !program_start_before(here.start, st))
		return false;
	if (strcmp(vma->name, info->exe) == 0 && program_start_guards_exe(info->kernel))
		return false;
	return !vma->build_id_len || (!info->build_ids_proved && file_changed(st) < info->taken);
}

static const char changed_while_running[] =
        "changed after the process began, so that its bytes may be others than those "
        "that the process has";

/* Without a build ID: the same inode, not changed since.  The change time cannot be
 * set by a program, unlike the modification time.  Where a file system shows
 * another device number to stat() than in maps (btrfs does), the answer is no. */
static const char *doubt_by_inode(int fd, const struct vmsnap_vma *vma, const struct vmsnap_info *info,
                                  struct here here, bool of_process)
{
	struct stat st;
	if (!here.same_machine)
		return "without a build ID, on another machine, there is no telling whether this is the file that was "
		       "mapped";
	if (fstat(fd, &st) < 0 || st.st_ino != vma->inode ||
	    (!of_process && (major(st.st_dev) != vma->dev_major || minor(st.st_dev) != vma->dev_minor)))
		return "not the file that was mapped (another inode)";
	if (changed_while_mapped(&st, vma, info, here))
		return changed_while_running;
	if (file_changed(&st) >= info->taken - tick())
		return "not the file that was mapped (changed since)";
	return NULL;
}

/* of_process: it was not found by its name, but is what the process has. */
static const char *doubt(int fd, const struct vmsnap_vma *vma, const struct vmsnap_info *info, struct here here,
                         bool of_process)
{
	uint8_t id[BUILD_ID_MAX];
	size_t len = 0;
	struct stat st;
	if (!vma->build_id || !vma->build_id_len)
		return doubt_by_inode(fd, vma, info, here, of_process);
	if (!fstat(fd, &st) && changed_while_mapped(&st, vma, info, here))
		return changed_while_running;
	int rc = build_id_of_file(fd, id, sizeof(id), &len);
	if (rc == VMSNAP_ERR_SYSTEM)
		return "the file cannot be read";
	if (rc)
		return "not the file that was mapped (it has no build ID)";
	if (len != vma->build_id_len || memcmp(id, vma->build_id, len) != 0)
		return "not the file that was mapped (build ID differs)";
	return NULL;
}

static const char *why_not_opened(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return "the file is not there";
	case EINVAL:
		return "not a regular file";
	case EACCES:
	case EPERM:
		return "no permission to read the file";
	default:
		return "the file cannot be opened";
	}
}

/* Closes what is not believed. */
static int believed(int fd, const char *reason)
{
	if (fd >= 0 && reason) {
		close(fd);
		fd = -1;
	}
	return fd;
}

int elf_verify_open(int root, const char *path, const struct vmsnap_vma *vma, const struct vmsnap_info *info,
                    struct here here, const char **reason)
{
	int fd = here.gently ? names_open_gently(root, path) : names_open_regular(root, path);
	*reason = fd < 0 ? why_not_opened(errno) : doubt(fd, vma, info, here, false);
	return believed(fd, *reason);
}

int elf_verify_open_of_process(int procdir, const struct vmsnap_vma *vma, const struct vmsnap_info *info,
                               struct here here, const char **reason, bool *for_root)
{
	int fd = names_open_mapped(procdir, vma, strcmp(vma->name, info->exe) == 0, here.gently);
	int error = fd < 0 ? errno : 0;
	*for_root = error == EPERM || error == EACCES;
	*reason = fd < 0 ? NULL : doubt(fd, vma, info, here, true);
	if (error == EBUSY)
		*reason = "it is memory that may be in swap, and reading it would fetch it back";
	return believed(fd, *reason);
}
