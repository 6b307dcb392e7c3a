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

#define NS_PER_SECOND INT64_C(1000000000)

/* Change times are those of the last timer tick, 1 to 10 ms old. */
static int64_t tick(void)
{
	struct timespec ts;
	return clock_getres(CLOCK_REALTIME_COARSE, &ts) ? NS_PER_SECOND / 100 : ts.tv_nsec;
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
	return here;
}

/* Without a build ID: the same inode, not changed since.  The change time cannot be
 * set by a program, unlike the modification time.  Where a file system shows
 * another device number to stat() than in maps (btrfs does), the answer is no. */
static const char *doubt_by_inode(int fd, const struct vmsnap_vma *vma, const struct vmsnap_info *info,
                                  struct here here)
{
	struct stat st;
	if (!here.same_machine)
		return "without a build ID, on another machine, there is no telling whether this is the file that was "
		       "mapped";
	if (fstat(fd, &st) < 0 || st.st_ino != vma->inode || major(st.st_dev) != vma->dev_major ||
	    minor(st.st_dev) != vma->dev_minor)
		return "not the file that was mapped (another inode)";
	if (st.st_ctim.tv_sec >= INT64_MAX / NS_PER_SECOND - 1 ||
	    st.st_ctim.tv_sec * NS_PER_SECOND + st.st_ctim.tv_nsec >= info->taken - tick())
		return "not the file that was mapped (changed since)";
	return NULL;
}

static const char *doubt(int fd, const struct vmsnap_vma *vma, const struct vmsnap_info *info, struct here here)
{
	uint8_t id[BUILD_ID_MAX];
	size_t len = 0;
	if (!vma->build_id || !vma->build_id_len)
		return doubt_by_inode(fd, vma, info, here);
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

int elf_verify_open(int root, const char *path, const struct vmsnap_vma *vma, const struct vmsnap_info *info,
                    struct here here, const char **reason)
{
	int fd = names_open_regular(root, path);
	*reason = fd < 0 ? why_not_opened(errno) : doubt(fd, vma, info, here);
	if (fd >= 0 && *reason) {
		close(fd);
		fd = -1;
	}
	return fd;
}
