/* self_prepare.c - what a capture of oneself needs to be there: memory, code, and what does not change.
 * Takes no memory of malloc's, so that who gave the memory may call it in a signal handler. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cgroup.h"
#include "error.h"
#include "machine_id.h"
#include "options.h"
#include "self_memory.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA           0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

/* ---- files ------------------------------------------------------------------------------- */

static size_t read_small(const char *path, char *to, size_t room)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t at = 0;
	ssize_t got;
	while (fd >= 0 && at < room && (got = read(fd, to + at, room - at)) > 0)
		at += (size_t)got;
	return at;
}

static void copy_word(char to[SELF_WORD], const char *from)
{
	size_t len = from ? strnlen(from, SELF_WORD - 1) : 0;
	if (len)
		memcpy(to, from, len);
	to[len] = '\0';
}

static void ask_cgroup(struct vmsnap_self *self)
{
	struct proc_text text = { .text = self->buffer };
	text.len = read_small("/proc/self/cgroup", text.text, SELF_BUFFER);
	struct cursor path = cgroup_path(&text);
	size_t len = (size_t)(path.end - path.at);
	if (len < SELF_PATH && text.len < SELF_BUFFER) {
		memcpy(self->identity.cgroup, path.at, len);
		self->identity.cgroup[len] = '\0';
	}
}

static void ask_identity(struct vmsnap_self *self, const struct vmsnap_self_options *options)
{
	struct self_identity *who = &self->identity;
	struct utsname name;
	struct stat st;
	if (!uname(&name)) {
		copy_word(who->host, name.nodename);
		copy_word(who->kernel, name.release);
		copy_word(who->arch, name.machine);
	}
	size_t len = read_small("/proc/sys/kernel/random/boot_id", who->boot_id, SELF_WORD - 1);
	who->boot_id[len && who->boot_id[len - 1] == '\n' ? len - 1 : 0] = '\0';
	if (!machine_id_hash(who->machine_hash))
		who->machine_hash[0] = '\0';
	ssize_t link = readlink("/proc/self/exe", who->exe, SELF_PATH - 1);
	who->exe[link > 0 && link < SELF_PATH - 1 ? link : 0] = '\0';
	who->cmdline_len = read_small("/proc/self/cmdline", who->cmdline, SELF_PATH);
	who->cmdline_len = who->cmdline_len < SELF_PATH ? who->cmdline_len : 0;
	who->pid_namespace = stat("/proc/self/ns/pid", &st) ? 0 : st.st_ino;
	copy_word(who->label, options->label);
	copy_word(who->reason, options->reason);
	ask_cgroup(self);
}

/* ---- memory ------------------------------------------------------------------------------ */

/* Room for twice the mappings and pages that there are: each page may be a run of its own.  0: it failed. */
static size_t room_wanted(struct vmsnap_error *err)
{
	enum { EXTRA = 1 << 20 };
	char buffer[1024];
	size_t maps = 0, page_size = (size_t)sysconf(_SC_PAGESIZE);
	CLEANUP_CLOSE int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	for (ssize_t got; fd >= 0 && (got = read(fd, buffer, sizeof(buffer))) > 0;)
		maps += (size_t)got;
	size_t len = read_small("/proc/self/statm", buffer, sizeof(buffer) - 1);
	uint64_t resident = self_number(buffer, len, "", 1);
	if (!maps || resident == UINT64_MAX) {
		fail_sys(err, errno, "cannot read /proc/self/maps and statm");
		return 0;
	}
	size_t bytes = sizeof(struct vmsnap_self) + 8 * maps + 2 * (size_t)resident * sizeof(struct run) + EXTRA;
	return (bytes + page_size - 1) & ~(page_size - 1);
}

/* A child finds it empty, and nothing of the parent's has to be copied. */
static void *map_memory(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return NULL;
	(void)madvise(memory, bytes, MADV_NOHUGEPAGE);
	(void)madvise(memory, bytes, MADV_WIPEONFORK);
	(void)prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, memory, bytes, "vmsnap self");
	return memory;
}

static int find_memory(const struct vmsnap_self_options *options, struct vmsnap_self **out, size_t *bytes,
                       void **mapped, struct vmsnap_error *err)
{
	enum { ALIGNMENT = 64 };
	*mapped = NULL;
	*bytes = options->bytes;
	if (!options->memory && !*bytes && !(*bytes = room_wanted(err)))
		return VMSNAP_ERR_SYSTEM;
	if (*bytes < SELF_LEAST)
		return fail(err, VMSNAP_ERR_ARGUMENT, "%zu bytes are too few for a snapshot of oneself: at least %d",
		            *bytes, SELF_LEAST);
	char *memory = options->memory;
	if (!memory && !(memory = *mapped = map_memory(*bytes)))
		return fail_sys(err, errno, "cannot map %zu bytes", *bytes);
	size_t skipped = -(uintptr_t)memory & (ALIGNMENT - 1);
	*out = (struct vmsnap_self *)(void *)(memory + skipped);
	*bytes -= skipped;
	return VMSNAP_OK;
}

static void touch(struct vmsnap_self *self, size_t bytes)
{
	size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
	memset(self, 0, sizeof(*self));
	for (size_t at = 0; at < bytes; at += page_size)
		*((volatile char *)self + at) = 0;
	*((volatile char *)self + bytes - 1) = 0;
}

/* ---- all of it --------------------------------------------------------------------------- */

static int make_ready(struct vmsnap_self *self, const struct vmsnap_self_options *options, struct vmsnap_error *err)
{
	int rc = pagemap_probe(&self->probe, err);
	if (rc)
		return rc;
	self->page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	self->pid = (uint32_t)getpid();
	ask_identity(self, options);
	self->magic = SELF_MAGIC;
	/* Its code, and the stack that it takes, are there from now on. */
	rc = vmsnap_capture_self(self);
	if (rc)
		rc = fail_sys(err, self->told.system_error, "cannot read the map of this process");
	self->told.taken = false;
	return rc;
}

VMSNAP_API int vmsnap_self_prepare(const struct vmsnap_self_options *given, struct vmsnap_self **out,
                                   struct vmsnap_error *err)
{
	struct vmsnap_self_options options;
	struct vmsnap_self *self = NULL;
	void *mapped;
	size_t bytes;
	int before = errno;
	int rc = options_take(&options, sizeof(options), given, "struct vmsnap_self_options", err);
	rc = rc ? rc : find_memory(&options, &self, &bytes, &mapped, err);
	if (rc)
		return rc;
	touch(self, bytes);
	self->bytes = bytes;
	self->mapped = mapped;
	rc = make_ready(self, &options, err);
	errno = before;
	if (rc)
		vmsnap_self_free(self);
	else
		*out = self;
	return rc;
}

VMSNAP_API void vmsnap_self_free(struct vmsnap_self *self)
{
	if (!self)
		return;
	self->magic = 0;
	if (self->mapped)
		munmap(self->mapped, self->bytes);
}
