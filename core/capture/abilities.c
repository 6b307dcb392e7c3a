/* abilities.c - what may be known here: each is tried, as kernels accept questions that they do not answer. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "error.h"
#include "fault_bpf.h"
#include "fault_events.h"
#include "options.h"
#include "pagemap.h"
#include "soft_dirty.h"
#include "uffd_tracking.h"
#include "vmsnap/abilities.h"

struct answer {
	enum vmsnap_able able;
	const char *help;
	char reason[256];
};
struct looked {
	struct pagemap_probe pagemap;
	bool pagemap_read;
	struct fault_events events;
	bool events_tried;
	struct vmsnap_error events_error;
};

static void say_no(struct answer *answer, const char *help, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
static void say_no(struct answer *answer, const char *help, const char *format, ...)
{
	va_list list;
	va_start(list, format);
	vsnprintf(answer->reason, sizeof(answer->reason), format, list);
	va_end(list);
	answer->able = VMSNAP_ABLE_NO;
	answer->help = help;
}

static void say_partly(struct answer *answer, const char *help, const char *reason)
{
	say_no(answer, help, "%s", reason);
	answer->able = VMSNAP_ABLE_PARTLY;
}

static const char as_root[] = "root may: sudo vmsnap ...";

static bool has_capability(unsigned number)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };
	return !syscall(SYS_capget, &header, data) && (data[number / 32].effective >> number % 32 & 1);
}

static bool can_read(const char *path)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0;
}

static long read_number(const char *path, long otherwise)
{
	char text[24] = "";
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 ? strtol(text, NULL, 10) : otherwise;
}

/* ---- the kernel ---------------------------------------------------------------------- */

static void look_at_pages(struct looked *looked, struct answer *answer)
{
	if (!looked->pagemap_read)
		say_no(answer, "",
		       "/proc/self/pagemap cannot be read: no kernel with CONFIG_PROC_PAGE_MONITOR, or "
		       "/proc is not mounted");
}

static void look_at_pfn(struct looked *looked, struct answer *answer)
{
	if (!looked->pagemap.known.pfn)
		say_no(answer, as_root, "the kernel tells them to who has CAP_SYS_ADMIN (of the first user namespace)");
}

static void look_at_scan(struct looked *looked, struct answer *answer)
{
	if (!looked->pagemap.scan)
		say_no(answer, "Linux 6.7 and later have it", "this kernel has no ioctl PAGEMAP_SCAN");
}

static void look_at_counts(struct looked *looked, struct answer *answer)
{
	(void)looked;
	if (!can_read("/proc/kpagecount") || !can_read("/proc/kpageflags"))
		say_no(answer, as_root, "/proc/kpagecount and /proc/kpageflags are for root");
}

static void look_at_soft_dirty(struct looked *looked, struct answer *answer)
{
	(void)looked;
	if (!soft_dirty_exists())
		say_no(answer, "--track=uffd, or --contents on both snapshots, tells the same",
		       "this kernel was built without CONFIG_MEM_SOFT_DIRTY");
}

static void look_at_uffd(struct looked *looked, struct answer *answer)
{
	struct vmsnap_error err = { 0 };
	(void)looked;
	if (uffd_tracking_exists(&err))
		say_no(answer, "--contents on both snapshots tells what was written", "%.200s", err.message);
	else if (!looked->pagemap.scan)
		say_no(answer, "--contents on both snapshots tells what was written", "it needs PAGEMAP_SCAN");
}

static void look_at_faults(struct looked *looked, struct answer *answer)
{
	looked->events_tried = !fault_events_choose(&looked->events, 0, false, &looked->events_error);
	if (!looked->events_tried)
		say_no(answer, "", "%.250s", looked->events_error.message);
	else if (!looked->events.kernel)
		say_partly(answer, "root sees them, and everybody after sudo sysctl kernel.perf_event_paranoid=1",
		           "pages that system calls write are not seen");
}

static void look_at_tracepoints(struct looked *looked, struct answer *answer)
{
	if (!looked->events_tried)
		say_no(answer, "", "page faults cannot be watched at all");
	else if (!looked->events.tracepoints)
		say_no(answer, "root may, where it is mounted: mount -t tracefs tracefs /sys/kernel/tracing",
		       "tracefs cannot be read, so the instructions are looked at instead");
}

static void look_at_bpf(struct looked *looked, struct answer *answer)
{
	struct fault_bpf bpf;
	if (!looked->events_tried || !looked->events.tracepoints) {
		say_no(answer, "", "it goes with the tracepoints, which are not to be had");
		return;
	}
	int error = fault_bpf_open(&bpf, (size_t)sysconf(_SC_PAGESIZE), true, true);
	if (!error && bpf.memory_error)
		say_partly(answer, "",
		           "what is given back and moved is not told: the kernel has no events of system calls "
		           "(CONFIG_FTRACE_SYSCALLS)");
	if (!error)
		fault_bpf_close(&bpf);
	else if (geteuid())
		say_no(answer, as_root, "no program in the kernel is run for others than root");
	else
		say_no(answer, "",
		       "the kernel refuses programs (bpf: %s): in a container, by seccomp or lockdown, or "
		       "it is older than 5.11",
		       strerror(error));
}

/* ---- the user ------------------------------------------------------------------------ */

static void look_at_processes(struct looked *looked, struct answer *answer)
{
	long scope = read_number("/proc/sys/kernel/yama/ptrace_scope", 0);
	(void)looked;
	if (scope >= 3)
		say_no(answer, "nothing but a reboot lowers that",
		       "kernel.yama.ptrace_scope is %ld: nobody may stop a process", scope);
	else if (has_capability(CAP_SYS_PTRACE))
		return;
	else if (scope == 2)
		say_no(answer, "sudo vmsnap ..., or sudo sysctl kernel.yama.ptrace_scope=0",
		       "kernel.yama.ptrace_scope is 2: root alone may stop a process");
	else if (scope == 1)
		say_partly(answer, "sudo vmsnap ..., or sudo sysctl kernel.yama.ptrace_scope=0",
		           "kernel.yama.ptrace_scope is 1: only processes that vmsnap starts itself (vmsnap record -- "
		           "COMMAND), and others without stopping them (--no-freeze)");
	else
		say_partly(answer, "sudo vmsnap ... looks at all", "only your own");
}

static void look_at_realtime(struct looked *looked, struct answer *answer)
{
	struct rlimit limit = { 0 };
	(void)looked;
	(void)getrlimit(RLIMIT_RTPRIO, &limit);
	if (!limit.rlim_cur && !has_capability(CAP_SYS_NICE))
		say_no(answer, "root may, and who has a limit of rtprio (man limits.conf)",
		       "neither CAP_SYS_NICE nor RLIMIT_RTPRIO permits it");
}

/* ---- libraries ----------------------------------------------------------------------- */

static void look_at_library(const char *library, const char *package, struct answer *answer)
{
	void *found = dlopen(library, RTLD_LAZY | RTLD_LOCAL);
	if (!found)
		say_no(answer, package, "%s is not installed", library);
	else
		dlclose(found);
}

static void look_at_dw(struct looked *looked, struct answer *answer)
{
	(void)looked;
	look_at_library("libdw.so.1", "apt install libdw1", answer);
}

static void look_at_cxx(struct looked *looked, struct answer *answer)
{
	(void)looked;
	look_at_library("libstdc++.so.6", "apt install libstdc++6", answer);
}

static void look_at_deflate(struct looked *looked, struct answer *answer)
{
	(void)looked;
	look_at_library("libdeflate.so.0", "apt install libdeflate0", answer);
}

static void look_at_lzma(struct looked *looked, struct answer *answer)
{
	(void)looked;
	look_at_library("liblzma.so.5", "apt install liblzma5", answer);
}

static void look_at_zstd(struct looked *looked, struct answer *answer)
{
	(void)looked;
	look_at_library("libzstd.so.1", "apt install libzstd1", answer);
}

static void look_at_lz4(struct looked *looked, struct answer *answer)
{
	(void)looked;
	look_at_library("liblz4.so.1", "apt install liblz4-1", answer);
}

static void look_at_sqlite(struct looked *looked, struct answer *answer)
{
	(void)looked;
	look_at_library("libsqlite3.so.0", "apt install libsqlite3-0", answer);
}

/* ---- all of them --------------------------------------------------------------------- */

static const struct ability {
	const char *name, *gives;
	void (*look)(struct looked *looked, struct answer *answer);
} abilities[] = {
	{ "pages", "page states at all", look_at_pages },
	{ "processes", "whose memory may be looked at, stopped meanwhile", look_at_processes },
	{ "pfn", "frames: who copied a page, who else has it, physical addresses", look_at_pfn },
	{ "pagemap_scan", "zero and huge pages; sparse memory quickly", look_at_scan },
	{ "kpagecount", "how many map a frame, and its kernel flags: --kpage, who, group", look_at_counts },
	{ "soft_dirty", "what was written: --track", look_at_soft_dirty },
	{ "userfaultfd", "what was written: --track=uffd", look_at_uffd },
	{ "page_faults", "which code copied and wrote pages: blame", look_at_faults },
	{ "tracepoints", "of each fault, whether it read or wrote", look_at_tracepoints },
	{ "bpf", "blame that takes a fault 15 to 25 % longer instead of 35 to 65", look_at_bpf },
	{ "realtime", "pauses that do not wait for a busy machine", look_at_realtime },
	{ "libdw", "names, types and lines of programs", look_at_dw },
	{ "libstdc++", "C++ names as they are written", look_at_cxx },
	{ "libdeflate", "contents and files faster", look_at_deflate },
	{ "liblzma", "packed debug information (.gnu_debugdata)", look_at_lzma },
	{ "libzstd", "packed debug information and core files", look_at_zstd },
	{ "liblz4", "core files packed with LZ4", look_at_lz4 },
	{ "libsqlite3", "export into an SQLite database", look_at_sqlite },
};
enum { ABILITIES = sizeof(abilities) / sizeof(*abilities) };

struct vmsnap_abilities {
	struct answer answers[ABILITIES];
};

VMSNAP_API const char *vmsnap_able_name(int able)
{
	static const char *const names[] = { "no", "partly", "yes" };
	return able >= 0 && able < (int)(sizeof(names) / sizeof(*names)) ? names[able] : NULL;
}

VMSNAP_API int vmsnap_abilities_new(struct vmsnap_abilities **out, struct vmsnap_error *err)
{
	struct looked looked = { 0 };
	struct vmsnap_abilities *made = calloc(1, sizeof(*made));
	if (!made)
		return fail_no_memory(err);
	looked.pagemap_read = !pagemap_probe(&looked.pagemap, NULL);
	for (size_t i = 0; i < ABILITIES; i++) {
		made->answers[i] = (struct answer){ .able = VMSNAP_ABLE_YES, .help = "" };
		abilities[i].look(&looked, &made->answers[i]);
	}
	fault_events_close(&looked.events);
	*out = made;
	return VMSNAP_OK;
}

VMSNAP_API void vmsnap_abilities_free(struct vmsnap_abilities *made)
{
	free(made);
}

VMSNAP_API size_t vmsnap_abilities_count(const struct vmsnap_abilities *made)
{
	(void)made;
	return ABILITIES;
}

VMSNAP_API int vmsnap_ability_sized(const struct vmsnap_abilities *made, size_t index, struct vmsnap_ability *out,
                                    size_t size)
{
	if (index >= ABILITIES)
		return VMSNAP_END;
	const struct answer *answer = &made->answers[index];
	const struct vmsnap_ability ability = {
		.name = abilities[index].name,
		.gives = abilities[index].gives,
		.reason = answer->reason,
		.help = answer->help,
		.able = answer->able,
	};
	struct_give(out, size, &ability, sizeof(ability));
	return VMSNAP_OK;
}
