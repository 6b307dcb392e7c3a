#define _GNU_SOURCE
#include "process_find.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "privilege.h"
#include "say.h"

/* No control group lies deeper, unless somebody wants to see what happens. */
enum { DEPTH_MAX = 128 };

/* ---- what is a process with memory ---- */

static size_t read_file(const char *path, char *text, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, room - 1);
	if (fd >= 0)
		close(fd);
	text[len > 0 ? len : 0] = '\0';
	return len > 0 ? (size_t)len : 0;
}

/* Kernel threads, zombies and what is exiting have none: statm tells by its first number. */
static bool has_memory(pid_t pid)
{
	char path[48], text[128];
	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	return read_file(path, text, sizeof(text)) && strtoull(text, NULL, 10) > 0;
}

static int add_found(struct processes *out, pid_t pid)
{
	if (pid == getpid() || !has_memory(pid))
		return STATUS_OK;
	out->found++;
	return processes_add_pid(out, pid);
}

/* ---- control groups ---- */

/* Those in the group itself.  *error: errno if that cannot be read; a threaded group's processes are its domain's
 * (EOPNOTSUPP). */
static int add_members(int folder, struct processes *out, int *error)
{
	char *line = NULL;
	size_t room = 0;
	int status = STATUS_OK, fd = openat(folder, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "re");
	*error = file ? 0 : errno;
	if (!file && fd >= 0)
		close(fd);
	errno = 0;
	while (file && !status && getline(&line, &room, file) > 0) {
		long pid = strtol(line, NULL, 10);
		/* 0: of another PID namespace. */
		if (pid > 0 && pid <= INT_MAX)
			status = add_found(out, (pid_t)pid);
		errno = 0;
	}
	if (file && !status && ferror(file))
		*error = errno;
	free(line);
	if (file)
		fclose(file);
	return status;
}

/* Takes the descriptor over.  Groups below may go meanwhile. */
static int add_group(int folder, unsigned depth, struct processes *out, int *error)
{
	int below = 0, status = add_members(folder, out, error);
	DIR *dir = status || (*error && *error != EOPNOTSUPP) || depth > DEPTH_MAX ? NULL : fdopendir(folder);
	if (!dir) {
		close(folder);
		return status;
	}
	const struct dirent *entry;
	while (!status && (entry = readdir(dir))) {
		int next = entry->d_name[0] == '.'
		                   ? -1
		                   : openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next >= 0)
			status = add_group(next, depth + 1, out, &below);
	}
	closedir(dir);
	return status;
}

static bool is_cgroup(int folder)
{
	struct statfs fs;
	if (fstatfs(folder, &fs))
		return false;
	uint32_t type = (uint32_t)fs.f_type;
	return type == CGROUP2_SUPER_MAGIC || type == CGROUP_SUPER_MAGIC;
}

static int open_group_at(const char *root, const char *path)
{
	char full[PATH_MAX];
	if (snprintf(full, sizeof(full), "%s%s%s", root, *root && *path != '/' ? "/" : "", path) >= (int)sizeof(full))
		return -1;
	int folder = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder >= 0 && is_cgroup(folder))
		return folder;
	if (folder >= 0)
		close(folder);
	return -1;
}

/* As a folder; else below v2, as it is mounted by itself or beside v1, and below the hierarchy of v1 in which systemd
 * keeps its units; else below whichever of v1 has it. */
static int open_group(const char *path)
{
	static const char *const roots[] = { "", "/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd" };
	int folder = -1;
	for (size_t i = *path == '/' ? 0 : 1; folder < 0 && i < sizeof(roots) / sizeof(roots[0]); i++)
		folder = open_group_at(roots[i], path);
	DIR *dir = folder < 0 ? opendir("/sys/fs/cgroup") : NULL;
	const struct dirent *entry;
	while (dir && folder < 0 && (entry = readdir(dir))) {
		char root[PATH_MAX];
		snprintf(root, sizeof(root), "/sys/fs/cgroup/%s", entry->d_name);
		if (entry->d_name[0] != '.')
			folder = open_group_at(root, path);
	}
	if (dir)
		closedir(dir);
	return folder;
}

int processes_of_cgroup(const char *path, struct processes *out)
{
	size_t before = out->found;
	int error = 0;
	privilege_pause();
	int folder = *path ? open_group(path) : -1;
	int status = folder < 0 ? STATUS_OK : add_group(folder, 0, out, &error);
	privilege_resume();
	if (folder < 0 && !out->again)
		return trouble("--cgroup: there is no control group '%s'; /proc/PID/cgroup tells that of a process, as "
		               "in --cgroup /system.slice/redis.service, and a folder below /sys/fs/cgroup will do",
		               path);
	if (status || out->found > before || out->again)
		return status;
	if (error == EOPNOTSUPP)
		return trouble("--cgroup: %s is a threaded control group, which has no processes of its own; name the "
		               "one above it",
		               path);
	if (error)
		return trouble("--cgroup: cannot read the processes of %s: %s", path, strerror(error));
	return trouble("--cgroup: no process is in %s, nor in those below it", path);
}

/* ---- names ---- */

static bool is_comm(pid_t pid, const char *name)
{
	char path[48], text[64];
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	size_t len = read_file(path, text, sizeof(text));
	if (len && text[len - 1] == '\n')
		text[len - 1] = '\0';
	return len && !strcmp(text, name);
}

static bool is_executable(pid_t pid, const char *name)
{
	static const char deleted[] = " (deleted)";
	char path[48], link[PATH_MAX];
	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	ssize_t len = readlink(path, link, sizeof(link) - 1);
	if (len <= 0)
		return false;
	link[len] = '\0';
	size_t tail = sizeof(deleted) - 1;
	if ((size_t)len > tail && !strcmp(link + len - tail, deleted))
		link[(size_t)len - tail] = '\0';
	const char *slash = strrchr(link, '/');
	return slash && !strcmp(slash + 1, name);
}

/* The next number in /proc that is another's; 0 if there is none. */
static pid_t next_pid(DIR *dir)
{
	const struct dirent *entry;
	while (dir && (entry = readdir(dir))) {
		pid_t pid = isdigit((unsigned char)entry->d_name[0]) ? (pid_t)strtol(entry->d_name, NULL, 10) : 0;
		if (pid > 0 && pid != getpid())
			return pid;
	}
	return 0;
}

bool process_is_called(const char *name)
{
	DIR *dir = opendir("/proc");
	bool found = false;
	for (pid_t pid; !found && (pid = next_pid(dir));)
		found = is_comm(pid, name);
	if (dir)
		closedir(dir);
	return found;
}

int processes_that_match(const char *name, struct processes *out)
{
	size_t before = out->found;
	int status = STATUS_OK;
	bool any = false;
	if (!*name)
		return trouble("--match needs the name of a program, as in --match redis-server");
	DIR *dir = opendir("/proc");
	for (pid_t pid; !status && (pid = next_pid(dir));) {
		if (!is_comm(pid, name) && !is_executable(pid, name))
			continue;
		any = true;
		status = add_found(out, pid);
	}
	if (dir)
		closedir(dir);
	if (status || out->found > before || out->again)
		return status;
	if (any)
		return trouble("--match: what is called '%s' has no memory: it is the kernel's, or has ended", name);
	return trouble("--match: no process is called '%s': neither its name (/proc/PID/comm, which is cut to 15 "
	               "bytes) nor that of its executable's file is exactly that",
	               name);
}
