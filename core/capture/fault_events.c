#define _GNU_SOURCE
#include "fault_events.h"

#if defined(__x86_64__) || defined(__aarch64__)
#include <asm/perf_regs.h>
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "array.h"
#include "error.h"
#include "tracepoint.h"

#ifndef PERF_FORMAT_LOST
#define PERF_FORMAT_LOST (1U << 4)
#endif
#define COUNTED_LOST (1U << 4)

/* ---- which ------------------------------------------------------------------------------ */

static bool read_text(const char *path, char *text, size_t room)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, room - 1);
	text[got > 0 ? got : 0] = '\0';
	return got > 0;
}

static bool find_tracepoint(const char *name, uint64_t *id, struct fault_events *events)
{
	const struct tracepoint_field fields[] = {
		{ "address", 8, &events->address_at },
		{ "error_code", 8, &events->error_at },
		{ "ip", 8, &events->ip_at },
	};
	return tracepoint_find(name, fields, sizeof(fields) / sizeof(*fields), id);
}

/* Registers of the program, by their bits: they come in that order.  Of its own faults, what an instruction that copies
 * reads from and writes to; of those inside system calls, where it called. */
#if defined(__x86_64__)
enum { REGISTER_IP = PERF_REG_X86_IP, REGISTERS_KNOWN = 1 };
#define POINTERS (UINT64_C(1) << PERF_REG_X86_SI | UINT64_C(1) << PERF_REG_X86_DI)
#define PLACE    (UINT64_C(1) << PERF_REG_X86_BP | UINT64_C(1) << PERF_REG_X86_SP | UINT64_C(1) << PERF_REG_X86_IP)
#elif defined(__aarch64__)
enum { REGISTER_IP = PERF_REG_ARM64_PC, REGISTERS_KNOWN = 1 };
#define POINTERS UINT64_C(0)
#define PLACE    (UINT64_C(1) << PERF_REG_ARM64_PC)
#else
enum { REGISTER_IP = 0, REGISTERS_KNOWN = 0 };
#define POINTERS UINT64_C(0)
#define PLACE    UINT64_C(0)
#endif

/* Each word that is asked for is paid for by each fault, and once more by what is read of the ring on another
 * processor: with what is asked for here, a record of the program's own faults has 64 bytes, a line of the cache. */
static struct perf_event_attr any_event(void)
{
	return (struct perf_event_attr){
		.size = sizeof(struct perf_event_attr),
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME,
		.read_format = COUNTED_LOST,
		.inherit = 1,
		.sample_id_all = 1,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
		.watermark = 1,
		.wakeup_watermark = 1 << 16,
	};
}

static void with_registers(struct perf_event_attr *attr, uint64_t which)
{
	if (!which)
		return;
	attr->sample_type |= PERF_SAMPLE_REGS_USER;
	attr->sample_regs_user = which;
}

/* To follow frame pointers takes as long as half a fault, for there is mostly one in the end that leads nowhere, and
 * the kernel faults by that.  So no chain if only the instruction is wanted: that is told without. */
static void only_user(struct perf_event_attr *attr, unsigned frames)
{
	attr->exclude_callchain_kernel = 1;
	if (frames == 1)
		return;
	attr->sample_type |= PERF_SAMPLE_CALLCHAIN;
	attr->sample_max_stack = (uint16_t)frames;
}

/* The kernel's own functions tell in which system call it is.  With words of the program's stack, to find out who
 * called the function that called the kernel. */
static void only_kernel(struct perf_event_attr *attr, unsigned frames)
{
	enum { KERNEL_FRAMES = 64, STACK_BYTES = 256 };
	attr->exclude_user = 1;
	attr->sample_type |= PERF_SAMPLE_CALLCHAIN;
	attr->sample_max_stack = (uint16_t)(frames == 1 ? KERNEL_FRAMES : frames);
	attr->exclude_callchain_user = frames == 1 && REGISTERS_KNOWN;
	with_registers(attr, PLACE);
#if defined(__x86_64__)
	attr->sample_type |= PERF_SAMPLE_STACK_USER;
	attr->sample_stack_user = STACK_BYTES;
#endif
}

/* Forks, ends and execs are told once: by the first. */
static void tell_of_tasks(struct fault_events *events)
{
	events->attrs[0].task = events->attrs[0].comm = events->attrs[0].comm_exec = 1;
}

static void software(struct fault_events *events, unsigned frames, bool kernel)
{
	for (size_t i = 0; i < 2; i++) {
		events->attrs[i] = any_event();
		events->attrs[i].type = PERF_TYPE_SOFTWARE;
		events->attrs[i].config = PERF_COUNT_SW_PAGE_FAULTS;
		events->attrs[i].sample_type |= PERF_SAMPLE_IP | PERF_SAMPLE_ADDR;
	}
	events->attrs[0].exclude_kernel = 1;
	only_user(&events->attrs[0], frames);
	with_registers(&events->attrs[0], POINTERS);
	only_kernel(&events->attrs[1], frames);
	tell_of_tasks(events);
	events->attr_count = kernel ? 2 : 1;
	events->tracepoints = false;
	events->kernel = kernel;
}

/* What PERF_SAMPLE_IP and _ADDR would tell of these is in the kernel, and nothing. */
static bool tracepoints(struct fault_events *events, unsigned frames)
{
	uint64_t user, kernel;
	if (!find_tracepoint("exceptions/page_fault_user", &user, events) ||
	    !find_tracepoint("exceptions/page_fault_kernel", &kernel, events))
		return false;
	for (size_t i = 0; i < 2; i++) {
		events->attrs[i] = any_event();
		events->attrs[i].type = PERF_TYPE_TRACEPOINT;
		events->attrs[i].config = i ? kernel : user;
		events->attrs[i].sample_type |= PERF_SAMPLE_RAW;
	}
	only_user(&events->attrs[0], frames);
	only_kernel(&events->attrs[1], frames);
	tell_of_tasks(events);
	events->attr_count = 2;
	events->tracepoints = events->kernel = true;
	return true;
}

/* Whether the events can be opened, of ourselves; Linux before 6.0 does not count what was lost.  Returns 0 or errno.
 */
static int try_events(struct fault_events *events)
{
	for (size_t i = 0; i < events->attr_count; i++) {
		int fd = perf_event_open_fd(&events->attrs[i], 0, -1);
		if (fd < 0 && errno == EINVAL && events->attrs[i].read_format) {
			events->lost_told = false;
			for (size_t k = 0; k < events->attr_count; k++)
				events->attrs[k].read_format = 0;
			fd = perf_event_open_fd(&events->attrs[i], 0, -1);
		}
		if (fd < 0)
			return errno;
		close(fd);
	}
	return 0;
}

static int fail_refused(int error, struct vmsnap_error *err)
{
	char level[16] = "?";
	read_text("/proc/sys/kernel/perf_event_paranoid", level, sizeof(level));
	level[strcspn(level, "\n")] = '\0';
	if (error == EACCES || error == EPERM)
		return fail(err, VMSNAP_ERR_PERMISSION,
		            "the kernel does not let page faults be watched (kernel.perf_event_paranoid is %s; in a "
		            "container, seccomp may forbid perf_event_open): as root, or with CAP_PERFMON, or after "
		            "sysctl kernel.perf_event_paranoid=2, it does",
		            level);
	if (error == ENOSYS || error == ENOENT || error == ENODEV)
		return fail(
		        err, VMSNAP_ERR_NOT_FOUND,
		        "this kernel cannot tell of page faults: it has no perf_event_open(2) (CONFIG_PERF_EVENTS)");
	return fail_sys(err, error, "cannot watch page faults (perf_event_open)");
}

static int choose(struct fault_events *events, unsigned frames, struct vmsnap_error *err)
{
	int error;
	events->lost_told = true;
	if (tracepoints(events, frames) && !try_events(events))
		return VMSNAP_OK;
	events->lost_told = true;
	software(events, frames, true);
	error = try_events(events);
	if (error != EACCES && error != EPERM)
		return error ? fail_refused(error, err) : VMSNAP_OK;
	events->lost_told = true;
	software(events, frames, false);
	error = try_events(events);
	return error ? fail_refused(error, err) : VMSNAP_OK;
}

#ifdef PERF_ATTR_SIZE_VER7
/* Since Linux 5.13. */
static bool leave_out_children(struct fault_events *events)
{
	for (size_t i = 0; i < events->attr_count; i++)
		events->attrs[i].inherit_thread = 1;
	if (!try_events(events))
		return true;
	for (size_t i = 0; i < events->attr_count; i++)
		events->attrs[i].inherit_thread = 0;
	return false;
}
#else
static bool leave_out_children(struct fault_events *events)
{
	(void)events;
	return false;
}
#endif

int fault_events_choose(struct fault_events *events, unsigned frames, bool children, struct vmsnap_error *err)
{
	*events = (struct fault_events){ .children = true };
	int rc = choose(events, frames, err);
	if (!rc && !children)
		events->children = !leave_out_children(events);
	return rc;
}

/* Threads that are made, and programs executed, are told by an event that never happens just as well. */
void fault_events_leave_own(struct fault_events *events)
{
	events->attrs[0].type = PERF_TYPE_SOFTWARE;
	events->attrs[0].config = PERF_COUNT_SW_DUMMY;
	events->attrs[0].sample_type &= ~(uint64_t)PERF_SAMPLE_RAW;
}

/* ---- of whom ---------------------------------------------------------------------------- */

static bool keep(struct fault_events *events, int fd)
{
	int *fds = array_room(events->fds, events->count, &events->room, sizeof(*fds));
	if (!fds)
		return false;
	events->fds = fds;
	events->fds[events->count++] = fd;
	return true;
}

static int fail_open(int error, pid_t tid, const struct fault_events *events, struct vmsnap_error *err)
{
	if (error == EMFILE || error == ENFILE)
		return fail(
		        err, VMSNAP_ERR_TOO_LARGE,
		        "%zu descriptors are not enough to watch page faults, of which each thread takes %zu for each "
		        "processor: a higher limit (ulimit -n) would help",
		        events->count, events->attr_count);
	if (error == EACCES || error == EPERM)
		return fail(err, VMSNAP_ERR_PERMISSION,
		            "thread %d is somebody else's, or may not be looked at: root can watch its page faults",
		            (int)tid);
	return fail_sys(err, error, "cannot watch page faults of thread %d (perf_event_open)", (int)tid);
}

static int open_one(struct fault_events *events, size_t which, pid_t tid, const struct perf_ring *ring,
                    struct vmsnap_error *err)
{
	int fd = perf_event_open_fd(&events->attrs[which], tid, (int)ring->cpu);
	if (fd < 0 && (errno == ESRCH || errno == ENODEV))
		return VMSNAP_END;
	if (fd < 0)
		return fail_open(errno, tid, events, err);
	if (ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, ring->fd)) {
		int error = errno;
		close(fd);
		return fail_sys(err, error, "cannot watch page faults (PERF_EVENT_IOC_SET_OUTPUT)");
	}
	if (!keep(events, fd)) {
		close(fd);
		return fail_no_memory(err);
	}
	return VMSNAP_OK;
}

int fault_events_add(struct fault_events *events, pid_t tid, const struct perf_rings *rings, struct vmsnap_error *err)
{
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < rings->count; i++)
		for (size_t which = 0; !rc && which < events->attr_count; which++)
			rc = open_one(events, which, tid, &rings->items[i], err);
	return rc == VMSNAP_END ? VMSNAP_OK : rc;
}

void fault_events_stop(const struct fault_events *events)
{
	for (size_t i = 0; i < events->count; i++)
		ioctl(events->fds[i], PERF_EVENT_IOC_DISABLE, 0);
}

uint64_t fault_events_lost(const struct fault_events *events)
{
	uint64_t lost = 0, values[2];
	for (size_t i = 0; events->lost_told && i < events->count; i++)
		if (read(events->fds[i], values, sizeof(values)) == sizeof(values))
			lost += values[1];
	return lost;
}

void fault_events_close(struct fault_events *events)
{
	for (size_t i = 0; i < events->count; i++)
		close(events->fds[i]);
	free(events->fds);
	events->fds = NULL;
	events->count = events->room = 0;
}

/* ---- a record --------------------------------------------------------------------------- */

struct words {
	const uint64_t *next, *end;
};

static bool take(struct words *words, uint64_t *out)
{
	if (words->next == words->end)
		return false;
	*out = *words->next++;
	return true;
}

static bool take_ids(struct words *words, struct fault_sample *out)
{
	uint64_t ids;
	if (!take(words, &ids) || !take(words, &out->time))
		return false;
	memcpy(&out->pid, &ids, sizeof(out->pid));
	memcpy(&out->tid, (const char *)&ids + 4, sizeof(out->tid));
	return true;
}

/* Numbers at and above PERF_CONTEXT_MAX are no addresses, but say of what those are that follow. */
static void split_chain(const uint64_t *chain, size_t count, struct fault_sample *out)
{
	const uint64_t **into = NULL;
	size_t *counted = NULL;
	for (size_t i = 0; i < count; i++) {
		if (chain[i] >= (uint64_t)PERF_CONTEXT_MAX) {
			bool user = chain[i] == (uint64_t)PERF_CONTEXT_USER,
			     kernel = chain[i] == (uint64_t)PERF_CONTEXT_KERNEL;
			into = user ? &out->user_chain : kernel ? &out->kernel_chain : NULL;
			counted = user ? &out->user_count : &out->kernel_count;
			continue;
		}
		if (!into)
			continue;
		if (!*counted)
			*into = chain + i;
		*counted += 1;
	}
}

static bool take_chain(struct words *words, struct fault_sample *out)
{
	uint64_t count;
	if (!take(words, &count) || count > (uint64_t)(words->end - words->next))
		return false;
	split_chain(words->next, (size_t)count, out);
	words->next += count;
	return true;
}

/* .ip is the program's only where that had the fault. */
static bool take_raw(const struct fault_events *events, struct words *words, struct fault_sample *out)
{
	const char *at = (const char *)words->next, *end = (const char *)words->end;
	uint32_t size;
	if (end - at < (ptrdiff_t)sizeof(size))
		return false;
	memcpy(&size, at, sizeof(size));
	at += sizeof(size);
	if ((size_t)(end - at) < size || size < events->address_at + 8 || size < events->error_at + 8 ||
	    size < events->ip_at + 8)
		return false;
	memcpy(&out->address, at + events->address_at, sizeof(out->address));
	memcpy(&out->error, at + events->error_at, sizeof(out->error));
	memcpy(&out->ip, at + events->ip_at, sizeof(out->ip));
	out->error_known = true;
	words->next += (sizeof(size) + size + 7) / 8;
	return true;
}

/* A chain begins with how many there are, in 64 bits.  A tracepoint begins with its bytes in 32 bits, and then, in 16,
 * its own number: neither is 0. */
static bool chain_is_next(const struct words *words)
{
	return words->next < words->end && !(*words->next >> 32);
}

/* The mode of a tracepoint is always the kernel's; its instruction is so by its address. */
static bool take_tracepoint(const struct fault_events *events, struct words *words, struct fault_sample *out)
{
	if (!take_ids(words, out) || (chain_is_next(words) && !take_chain(words, out)) || !take_raw(events, words, out))
		return false;
	out->in_kernel = out->ip >> 63;
	return true;
}

static bool take_software(const struct fault_events *events, struct words *words, bool in_kernel,
                          struct fault_sample *out)
{
	out->in_kernel = in_kernel;
	return take(words, &out->ip) && take_ids(words, out) && take(words, &out->address) &&
	       (!(events->attrs[in_kernel].sample_type & PERF_SAMPLE_CALLCHAIN) || take_chain(words, out));
}

static bool register_of(const uint64_t *values, uint64_t all, unsigned which, uint64_t *out)
{
	uint64_t bit = UINT64_C(1) << which;
	if (!(all & bit))
		return false;
	*out = values[__builtin_popcountll(all & (bit - 1))];
	return true;
}

#if defined(__x86_64__)
/* Behind the registers: how many bytes, the words, and how many bytes of these are the stack's. */
static void take_stack(const struct words *words, struct fault_sample *out)
{
	size_t left = (size_t)(words->end - words->next),
	       count = left > 2 ? (size_t)*words->next / sizeof(*words->next) : 0;
	if (!count || count > left - 2)
		return;
	uint64_t filled = words->next[1 + count] / sizeof(*words->next);
	out->stack = words->next + 1;
	out->stack_count = filled < count ? (size_t)filled : count;
}
#endif

static void only_instruction(struct fault_sample *out)
{
	out->user_chain = &out->ip;
	out->user_count = 1;
}

static void take_registers(struct words *words, uint64_t all, struct fault_sample *out)
{
	size_t count = (size_t)__builtin_popcountll(all);
	uint64_t abi;
	if (!take(words, &abi) || abi == PERF_SAMPLE_REGS_ABI_NONE || (size_t)(words->end - words->next) < count)
		return;
	const uint64_t *values = words->next;
	words->next += count;
#if defined(__x86_64__)
	out->pointers_known = abi == PERF_SAMPLE_REGS_ABI_64 && register_of(values, all, PERF_REG_X86_SI, &out->rsi) &&
	                      register_of(values, all, PERF_REG_X86_DI, &out->rdi);
	if (abi == PERF_SAMPLE_REGS_ABI_64 && register_of(values, all, PERF_REG_X86_SP, &out->rsp) &&
	    register_of(values, all, PERF_REG_X86_BP, &out->rbp))
		take_stack(words, out);
#endif
	if (out->in_kernel && !out->user_count && register_of(values, all, REGISTER_IP, &out->ip))
		only_instruction(out);
}

bool fault_sample_read(const struct fault_events *events, const struct perf_event_header *record,
                       struct fault_sample *out)
{
	if (record->size < sizeof(*record))
		return false;
	const uint64_t *first = (const void *)(record + 1);
	struct words words = { .next = first, .end = first + (record->size - sizeof(*record)) / sizeof(*first) };
	bool kernels = (record->misc & PERF_RECORD_MISC_CPUMODE_MASK) == PERF_RECORD_MISC_KERNEL;
	*out = (struct fault_sample){ .in_kernel = false };
	if (!(events->tracepoints ? take_tracepoint(events, &words, out) : take_software(events, &words, kernels, out)))
		return false;
	if (!out->in_kernel && !out->user_count)
		only_instruction(out);
	const struct perf_event_attr *attr = &events->attrs[out->in_kernel];
	if (attr->sample_type & PERF_SAMPLE_REGS_USER)
		take_registers(&words, attr->sample_regs_user, out);
	return true;
}
