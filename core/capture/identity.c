#define _GNU_SOURCE
#include "identity.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "build_id.h"
#include "cgroup.h"
#include "error.h"
#include "load_proof.h"
#include "machine_id.h"
#include "open_below.h"
#include "program_start.h"
#include "scan.h"

/* From linux/fs.h of Linux 6.11; older headers lack it. */
struct procmap_query {
	uint64_t size, query_flags, query_addr;
	uint64_t vma_start, vma_end, vma_flags, vma_page_size, vma_offset;
	uint64_t inode;
	uint32_t dev_major, dev_minor;
	uint32_t vma_name_size, build_id_size;
	uint64_t vma_name_addr, build_id_addr;
};
#define PROCMAP_QUERY_IOCTL _IOWR('f', 17, struct procmap_query)

/* Empty where the machine has none. */
static const char *machine_hash(struct vmsnap *snap)
{
	char hash[MACHINE_HASH_BYTES];
	return machine_id_hash(hash) ? arena_string(&snap->strings, hash) : "";
}

int identity_machine(struct vmsnap *snap, struct vmsnap_error *err)
{
	struct utsname name;
	char boot_id[64] = "";
	if (uname(&name))
		return fail_sys(err, errno, "uname");
	CLEANUP_CLOSE int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? 0 : read(fd, boot_id, sizeof(boot_id) - 1);
	/* Half of it would tell one boot from itself. */
	boot_id[len > 0 && boot_id[len - 1] == '\n' ? len - 1 : 0] = '\0';
	struct vmsnap_info *info = &snap->info;
	info->host = arena_string(&snap->strings, name.nodename);
	info->kernel = arena_string(&snap->strings, name.release);
	info->arch = arena_string(&snap->strings, name.machine);
	info->boot_id = arena_string(&snap->strings, boot_id);
	info->machine_hash = machine_hash(snap);
	if (!info->host || !info->kernel || !info->arch || !info->boot_id || !info->machine_hash)
		return fail_no_memory(err);
	return VMSNAP_OK;
}

/* The number at `index` among those in a status line; 0 if there is none.  -1: the last. */
static uint32_t status_number(const struct vmsnap *snap, const char *key, int index)
{
	struct vmsnap_status_field field;
	if (vmsnap_status_find(snap, key, &field))
		return 0;
	struct cursor c = { field.text, field.text + field.text_len };
	uint64_t value = 0;
	for (int i = 0; i <= index || index < 0; i++) {
		uint64_t next;
		take_spaces(&c);
		if (!take_decimal(&c, &next))
			return index < 0 ? (uint32_t)value : 0;
		value = next;
	}
	return (uint32_t)value;
}

void identity_from_status(struct vmsnap *snap, bool live)
{
	struct vmsnap_info *info = &snap->info;
	info->pid = status_number(snap, "Pid", 0);
	info->tgid = status_number(snap, "Tgid", 0);
	info->ppid = status_number(snap, "PPid", 0);
	info->uid = status_number(snap, "Uid", 1);
	info->ns_pid = status_number(snap, "NSpid", -1);
	if (live && info->tgid != info->pid) {
		info->pid = info->tgid;
		info->ns_pid = status_number(snap, "NStgid", -1);
	}
	struct vmsnap_status_field name;
	/* A recorded tree may lack comm; status has it, with \n and \\ escaped. */
	if (!*info->comm && !vmsnap_status_find(snap, "Name", &name)) {
		const char *comm = arena_copy(&snap->strings, name.text, name.text_len);
		info->comm = comm ? comm : "";
	}
}

int identity_cgroup(struct vmsnap *snap, int procdir)
{
	struct proc_text text = { 0 };
	if (procdir_read(procdir, "cgroup", &text) == 0) {
		struct cursor path = cgroup_path(&text);
		snap->info.cgroup = arena_copy(&snap->strings, path.at, (size_t)(path.end - path.at));
	}
	proc_text_free(&text);
	return snap->info.cgroup ? VMSNAP_OK : VMSNAP_ERR_NO_MEMORY;
}

/* ---- build IDs ------------------------------------------------------------------------ */

enum answer { ANSWER_UNKNOWN, ANSWER_NONE, ANSWER_FOUND };

static enum answer ask_kernel(int maps, const struct vmsnap_vma *vma, uint8_t *id, size_t *len)
{
	struct procmap_query query = { .size = sizeof(query),
		                       .query_addr = vma->start,
		                       .build_id_size = BUILD_ID_MAX,
		                       .build_id_addr = (uintptr_t)id };
	if (maps < 0 || ioctl(maps, PROCMAP_QUERY_IOCTL, &query))
		return ANSWER_UNKNOWN;
	/* The target runs again: it may have mapped something else there. */
	if (query.inode != vma->inode || query.dev_major != vma->dev_major || query.dev_minor != vma->dev_minor ||
	    query.build_id_size > BUILD_ID_MAX)
		return ANSWER_UNKNOWN;
	*len = query.build_id_size;
	return *len ? ANSWER_FOUND : ANSWER_NONE;
}

static bool same_device(const struct stat *st, const struct vmsnap_vma *vma)
{
	return major(st->st_dev) == vma->dev_major && minor(st->st_dev) == vma->dev_minor;
}

/* The path is the target's: below its root, whatever links it holds, and never
 * opened for reading before it is known to be the very file that is mapped. */
static enum answer ask_file_below(int root, const struct vmsnap_vma *vma, uint8_t *id, size_t *len)
{
	if (root < 0 || vma->name[0] != '/')
		return ANSWER_UNKNOWN;
	CLEANUP_CLOSE int found = open_below(root, vma->name);
	struct stat st;
	if (found < 0 || fstat(found, &st) || st.st_ino != vma->inode || !same_device(&st, vma))
		return ANSWER_UNKNOWN;
	CLEANUP_CLOSE int fd = open_found(found);
	if (fd < 0)
		return ANSWER_UNKNOWN;
	return build_id_of_file(fd, id, BUILD_ID_MAX, len) == VMSNAP_OK ? ANSWER_FOUND : ANSWER_NONE;
}

/* The kernel writes names as they are below our root, if the file can be reached from
 * there (a target in a chroot); otherwise as they are in the target's mounts. */
static bool ask_file(int root, const struct vmsnap_vma *vma, uint8_t *id, size_t *len)
{
	CLEANUP_CLOSE int ours = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	enum answer answer = ask_file_below(ours, vma, id, len);
	if (answer == ANSWER_UNKNOWN)
		answer = ask_file_below(root, vma, id, len);
	return answer == ANSWER_FOUND;
}

static int by_file(const void *left, const void *right)
{
	const struct vmsnap_vma *a = *(struct vmsnap_vma *const *)left, *b = *(struct vmsnap_vma *const *)right;
	int order = vma_file_order(a, b);
	if (order)
		return order;
	return a->offset < b->offset ? -1 : a->offset > b->offset;
}

/* Whether the file that is mapped is on a tmpfs, or may be: what an overlayfs lies on is
 * not told, and a file is not found if it was deleted, has no path, as a memfd, or another
 * has its path by now.  Of btrfs maps and stat() tell different devices. */
static bool may_be_shared_memory(int root, const struct vmsnap_vma *vma)
{
	CLEANUP_CLOSE int ours = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int roots[] = { ours, root };
	for (size_t i = 0; i < sizeof(roots) / sizeof(*roots); i++) {
		CLEANUP_CLOSE int fd = roots[i] >= 0 && vma->name[0] == '/' ? open_below(roots[i], vma->name) : -1;
		struct stat st;
		struct statfs fs;
		if (fd < 0 || fstat(fd, &st) || st.st_ino != vma->inode || fstatfs(fd, &fs))
			continue;
		uint32_t type = (uint32_t)fs.f_type;
		if (same_device(&st, vma) || type == (uint32_t)BTRFS_SUPER_MAGIC)
			return type == (uint32_t)TMPFS_MAGIC || type == (uint32_t)OVERLAYFS_SUPER_MAGIC;
	}
	return true;
}

/* Of anybody, on this machine (sysinfo(2)). */
static bool swap_is_used(void)
{
	struct sysinfo info;
	return sysinfo(&info) || info.freeswap < info.totalswap;
}

/* Reading the beginning of shared memory would fetch its first page back from swap, for
 * the target as well, unless it is there.  Shared memory has a device of major 0, as
 * have overlayfs and others. */
static bool may_be_in_swap(const struct vmsnap *snap, const struct vmsnap_vma *vma, int root)
{
	struct vmsnap_run page;
	/* Where nothing is in swap, as on most machines with containers, programs on an
	 * overlayfs keep their build IDs whatever of them is mapped. */
	if (vma->dev_major || !swap_is_used())
		return false;
	/* A private copy says nothing of the page that it was made from. */
	bool is_there = !vma->offset && !vmsnap_page_at(snap, vma->start, &page) &&
	                (page.flags & VMSNAP_PAGE_PRESENT) && (page.flags & VMSNAP_PAGE_FILE);
	return !is_there && may_be_shared_memory(root, vma);
}

/* Of what has a device of major 0 only that which is executed can be an ELF file that
 * matters. */
static bool find_build_id(const struct vmsnap *snap, struct vmsnap_vma *const *mappings, size_t count, int root,
                          int maps, uint8_t *id, size_t *len)
{
	bool executable = false;
	for (size_t i = 0; i < count; i++)
		executable |= (mappings[i]->perms & VMSNAP_PERM_EXEC) != 0;
	if ((!executable && !mappings[0]->dev_major) || may_be_in_swap(snap, mappings[0], root))
		return false;
	enum answer answer = ask_kernel(maps, mappings[0], id, len);
	if (answer == ANSWER_FOUND)
		return true;
	/* The kernel overlooks IDs of more than 20 bytes and, before Linux 6.12, those that
	 * are not in the first page.  To open each locale file for that would double the
	 * time that a capture of a small process takes. */
	if (answer == ANSWER_NONE && !executable)
		return false;
	return ask_file(root, mappings[0], id, len);
}

/* ---- files that changed since ------------------------------------------------------------ */

struct start {
	int procdir, root;
	uint64_t ticks;
	int64_t boot, program; /* program 0: not asked for yet */
};

/* All mappings of one file. */
struct file_mapped {
	const struct vmsnap *snap;
	struct vmsnap_vma *const *mappings;
	size_t count;
	struct start *start;
};

static bool stat_below(int root, const char *name, struct stat *st)
{
	CLEANUP_CLOSE int found = root >= 0 ? open_below(root, name) : -1;
	return found >= 0 && !fstat(found, st);
}

/* Of the file that is mapped, by its name as we see it or as the target does; else, as the
 * administrator may, from the mapping itself. */
static bool stat_mapped(const struct start *start, const struct vmsnap_vma *vma, struct stat *st)
{
	char mapping[64];
	if (vma->name[0] != '/')
		return false;
	if (!fstatat(AT_FDCWD, vma->name, st, AT_NO_AUTOMOUNT) && st->st_ino == vma->inode)
		return true;
	if (stat_below(start->root, vma->name, st) && st->st_ino == vma->inode)
		return true;
	snprintf(mapping, sizeof(mapping), "map_files/%" PRIx64 "-%" PRIx64, vma->start, vma->end);
	return start->procdir >= 0 && !fstatat(start->procdir, mapping, st, 0) && st->st_ino == vma->inode;
}

/* By the names that stat_mapped() looks at; -1 if it is not that file, or not for us. */
static int open_mapped(const struct start *start, const struct vmsnap_vma *vma, const struct stat *is)
{
	CLEANUP_CLOSE int ours = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int roots[] = { ours, start->root };
	for (size_t i = 0; i < sizeof(roots) / sizeof(*roots); i++) {
		CLEANUP_CLOSE int found = roots[i] >= 0 ? open_below(roots[i], vma->name) : -1;
		struct stat st;
		if (found >= 0 && !fstat(found, &st) && st.st_ino == is->st_ino && st.st_dev == is->st_dev)
			return open_found(found);
	}
	return -1;
}

/* Nothing but its name, owner or mode changed: it was not written to since, and the process has proof of what it
 * loaded. */
static bool is_as_loaded(const struct file_mapped *files, const struct stat *st)
{
	const struct start *start = files->start;
	if (program_start_before_write(start->program, st))
		return false;
	CLEANUP_CLOSE int file = open_mapped(start, files->mappings[0], st);
	return file >= 0 && load_proof(files->snap, files->mappings, files->count, start->procdir, file);
}

/* Nearly all files are older than the machine's boot: then nobody asks when the program began. */
static bool changed_since(const struct file_mapped *files)
{
	struct start *start = files->start;
	struct stat st;
	if (!stat_mapped(start, files->mappings[0], &st) || !program_start_before(start->boot, &st))
		return false;
	if (!start->program)
		start->program = program_start(start->procdir, start->ticks);
	return program_start_before(start->program, &st) && !is_as_loaded(files, &st);
}

static bool guarded(const struct vmsnap *snap, const struct vmsnap_vma *vma)
{
	return strcmp(vma->name, snap->info.exe) == 0 && program_start_guards_exe(snap->info.kernel);
}

void identity_set_build_id(struct vmsnap *snap, struct vmsnap_vma *const *mappings, size_t count, const uint8_t *id,
                           size_t len)
{
	for (size_t i = 0; i < count; i++) {
		mappings[i]->build_id = id;
		mappings[i]->build_id_len = len;
		if (id && *snap->info.exe && strcmp(mappings[i]->name, snap->info.exe) == 0) {
			snap->info.exe_build_id = id;
			snap->info.exe_build_id_len = len;
		}
	}
}

struct vmsnap_vma **identity_by_file(struct vmsnap *snap, size_t *count)
{
	struct vmsnap_vma **files = calloc(snap->vma_count + 1, sizeof(*files));
	*count = 0;
	for (size_t i = 0; files && i < snap->vma_count; i++)
		if (snap->vmas[i].inode)
			files[(*count)++] = &snap->vmas[i];
	if (*count)
		qsort(files, *count, sizeof(*files), by_file);
	return files;
}

/* Each file is asked once, at the mapping with the lowest offset. */
static int ask_files(struct vmsnap *snap, struct vmsnap_vma **files, size_t count, struct start *start, int maps)
{
	for (size_t i = 0, end; i < count; i = end) {
		uint8_t id[BUILD_ID_MAX], *copy = NULL;
		size_t len = 0;
		for (end = i; end < count && !vma_file_order(files[i], files[end]);)
			end++;
		struct file_mapped file = { snap, &files[i], end - i, start };
		if (find_build_id(snap, &files[i], end - i, start->root, maps, id, &len) &&
		    (guarded(snap, files[i]) || !changed_since(&file))) {
			copy = (uint8_t *)arena_copy(&snap->strings, id, len);
			if (!copy)
				return VMSNAP_ERR_NO_MEMORY;
		}
		identity_set_build_id(snap, &files[i], end - i, copy, copy ? len : 0);
	}
	return VMSNAP_OK;
}

int identity_build_ids(struct vmsnap *snap, int procdir, int root, int maps, struct vmsnap_error *err)
{
	struct start start = {
		.procdir = procdir, .root = root, .ticks = snap->info.start_time, .boot = program_start_of_boot()
	};
	size_t count;
	CLEANUP_FREE struct vmsnap_vma **files = identity_by_file(snap, &count);
	if (!files)
		return fail_no_memory(err);
	snap->info.build_ids_proved = true;
	return ask_files(snap, files, count, &start, maps) ? fail_no_memory(err) : VMSNAP_OK;
}
