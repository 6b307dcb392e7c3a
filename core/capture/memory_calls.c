#define _GNU_SOURCE
#include "memory_calls.h"

#include <errno.h>
#include <linux/sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/utsname.h>

#include "array.h"
#include "bpf_program.h"
#include "error.h"
#include "fault_programs.h"
#include "tracepoint.h"

#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

enum { RING_MADVISE = 25 }; /* IORING_OP_MADVISE */

enum call {
	CALL_MUNMAP,
	CALL_MREMAP,
	CALL_MADVISE,
	CALL_MMAP,
	CALL_BRK,
	CALL_MUNMAP_ENDS, /* in the order of those */
	CALL_MREMAP_ENDS,
	CALL_MADVISE_ENDS,
	CALL_MMAP_ENDS,
	CALL_BRK_ENDS,
	CALL_PROCESS_MADVISE,
	CALL_SHMDT,
	CALL_SHMAT,
	CALL_REMAP_FILE_PAGES,
	CALL_RING,
	CALL_BIRTH
};
enum { ARGUMENTS = 5, MOST_ARGUMENTS_AT = 16, WANTED = 4 };
struct told {
	uint64_t time, ids, call, arguments[ARGUMENTS]; /* ids: pid << 32 | tid; time: CLOCK_MONOTONIC */
};
struct memory_call {
	pid_t tid;
	struct told told;
};

/* ---- programs ----------------------------------------------------------------------------- */

#define TOLD(NAME)    ((int)offsetof(struct told, NAME))
#define ARGUMENT(N)   (MOST_ARGUMENTS_AT + 8 * (N)) /* as all events of system calls have it on 64 bits */
#define KEEP(N, LOAD) LOAD, STORE(BPF_DW, 8, TOLD(arguments) + 8 * (N), 1)

/* Where it finds what is told; .wanted: has a bit of MAP_FIXED if it is to be told at all. */
struct finding {
	enum call call;
	struct bpf_insn wanted[WANTED], arguments[ARGUMENTS];
};

/* 6: what it is called with; 7: whose; 8: the record. */
static int load(const struct memory_calls *calls, int watched, const struct finding *finding)
{
	enum { LAST_NUMBER = PROCESS_NUMBERS - 1 };
	const struct bpf_insn *arguments = finding->arguments;
	const struct bpf_insn instructions[] = {
		COPY(6, 1),
		CALL(BPF_FUNC_get_current_pid_tgid),
		COPY(7, 0),
		SHIFT_RIGHT(0, 32),
		IF_ABOVE(0, LAST_NUMBER, 41), /* to the end */
		MAP_VALUE(1, watched),
		ADD(1, 0),
		LOAD(BPF_B, 1, 1, 0),
		IF_NULL(1, 36), /* to the end */
		finding->wanted[0],
		finding->wanted[1],
		finding->wanted[2],
		finding->wanted[3],
		IF_BIT(1, MAP_FIXED, 1),
		JUMP(30), /* to the end */
		MAP(1, calls->ring.items[0].fd),
		SET(2, (int)sizeof(struct told)),
		SET(3, 0),
		CALL(BPF_FUNC_ringbuf_reserve),
		IF_NULL(0, 20), /* to what was lost */
		COPY(8, 0),
		KEEP(0, arguments[0]),
		KEEP(1, arguments[1]),
		KEEP(2, arguments[2]),
		KEEP(3, arguments[3]),
		KEEP(4, arguments[4]),
		STORE(BPF_DW, 8, TOLD(ids), 7),
		SET(1, (int)finding->call),
		STORE(BPF_DW, 8, TOLD(call), 1),
		CALL(BPF_FUNC_ktime_get_ns),
		STORE(BPF_DW, 8, TOLD(time), 0),
		COPY(1, 8),
		SET(2, BPF_RB_NO_WAKEUP), /* whoever reads does so now and then */
		CALL(BPF_FUNC_ringbuf_submit),
		JUMP(4), /* to the end */
		MAP_VALUE(1, calls->lost_map),
		SET(2, 1),
		COUNT_UP(1, 2),
		SET(0, 0),
		EXIT,
	};
	return bpf_program_load(BPF_PROG_TYPE_TRACEPOINT, instructions, sizeof(instructions) / sizeof(*instructions));
}

static int start(struct memory_calls *calls, int watched, const struct finding *finding, uint64_t tracepoint)
{
	int program = load(calls, watched, finding);
	if (program < 0)
		return errno;
	calls->programs[calls->count] = program;
	calls->at[calls->count++] = bpf_program_at(program, tracepoint);
	return calls->at[calls->count - 1] < 0 ? errno : 0;
}

static struct finding nothing(enum call call)
{
	const struct bpf_insn none = SET(1, 0), all = SET(1, MAP_FIXED), same = COPY(1, 1);
	return (struct finding){ .call = call,
		                 .wanted = { all, same, same, same },
		                 .arguments = { none, none, none, none, none } };
}

/* Of the many mmap(2) only those are of interest that take a place where something was; ends are told of all. */
static int start_call(struct memory_calls *calls, int watched, enum call call, const char *name, int arguments,
                      bool needed)
{
	struct finding finding = nothing(call);
	uint64_t id;
	for (int i = 0; i < arguments; i++)
		finding.arguments[i] = (struct bpf_insn)LOAD(BPF_DW, 1, 6, ARGUMENT(i));
	if (call == CALL_MMAP)
		finding.wanted[0] = (struct bpf_insn)LOAD(BPF_DW, 1, 6, ARGUMENT(3));
	if (!tracepoint_find(name, NULL, 0, &id))
		return needed ? ENOENT : 0;
	return start(calls, watched, &finding, id);
}

static int start_births(struct memory_calls *calls, int watched)
{
	size_t pid_at, flags_at;
	const struct tracepoint_field fields[] = { { "pid", 4, &pid_at }, { "clone_flags", 8, &flags_at } };
	struct finding finding = nothing(CALL_BIRTH);
	uint64_t id;
	if (!tracepoint_find("task/task_newtask", fields, sizeof(fields) / sizeof(*fields), &id))
		return ENOENT;
	finding.arguments[0] = (struct bpf_insn)LOAD(BPF_W, 1, 6, pid_at);
	finding.arguments[1] = (struct bpf_insn)LOAD(BPF_DW, 1, 6, flags_at);
	return start(calls, watched, &finding, id);
}

/* What a ring gives back (io_uring) it does later on, and where is not told.  Of the operation's number, which is below
 * 256, bits above 8 are left only if it is that one. */
static int start_rings(struct memory_calls *calls, int watched)
{
	size_t opcode_at;
	const struct tracepoint_field fields[] = { { "opcode", 1, &opcode_at } };
	struct finding finding = nothing(CALL_RING);
	uint64_t id;
	if (!tracepoint_find("io_uring/io_uring_submit_req", fields, 1, &id))
		return 0;
	finding.wanted[0] = (struct bpf_insn)LOAD(BPF_B, 1, 6, opcode_at);
	finding.wanted[1] = (struct bpf_insn)INSN(BPF_ALU64 | BPF_XOR | BPF_K, 1, 0, 0, RING_MADVISE);
	finding.wanted[2] = (struct bpf_insn)ADD_NUMBER(1, -1);
	finding.wanted[3] = (struct bpf_insn)SHIFT_RIGHT(1, 8);
	return start(calls, watched, &finding, id);
}

/* Not all kernels have those that are not needed. */
static int start_all(struct memory_calls *calls, int watched)
{
	static const struct {
		const char *name;
		enum call call;
		int arguments; /* that it has, and the kernel lets a program see */
		bool needed;
	} all[] = {
		{ "syscalls/sys_enter_munmap", CALL_MUNMAP, 2, true },
		{ "syscalls/sys_exit_munmap", CALL_MUNMAP_ENDS, 1, true },
		{ "syscalls/sys_enter_mmap", CALL_MMAP, 4, true },
		{ "syscalls/sys_exit_mmap", CALL_MMAP_ENDS, 1, true },
		{ "syscalls/sys_enter_mremap", CALL_MREMAP, 5, true },
		{ "syscalls/sys_exit_mremap", CALL_MREMAP_ENDS, 1, true },
		{ "syscalls/sys_enter_brk", CALL_BRK, 1, true },
		{ "syscalls/sys_exit_brk", CALL_BRK_ENDS, 1, true },
		{ "syscalls/sys_enter_madvise", CALL_MADVISE, 3, true },
		{ "syscalls/sys_exit_madvise", CALL_MADVISE_ENDS, 1, true },
		{ "syscalls/sys_enter_process_madvise", CALL_PROCESS_MADVISE, 4, false },
		{ "syscalls/sys_enter_shmdt", CALL_SHMDT, 1, false },
		{ "syscalls/sys_enter_shmat", CALL_SHMAT, 3, false },
		{ "syscalls/sys_enter_remap_file_pages", CALL_REMAP_FILE_PAGES, 2, false },
	};
	int error = start_births(calls, watched);
	error = error ? error : start_rings(calls, watched);
	for (size_t i = 0; !error && i < sizeof(all) / sizeof(*all); i++)
		error = start_call(calls, watched, all[i].call, all[i].name, all[i].arguments, all[i].needed);
	return error;
}

/* ---- opened ------------------------------------------------------------------------------- */

int memory_calls_open(struct memory_calls *calls, int watched)
{
	enum { RING_BYTES = 8 << 20 }; /* of most calls the end is told, too */
	*calls = (struct memory_calls){ .lost_map = -1, .ring = { .map = -1, .poll = -1 } };
	int error = bpf_value_open(&calls->lost_map, (void **)&calls->lost, sizeof(*calls->lost));
	error = error ? error : bpf_ring_open(&calls->ring, RING_BYTES);
	error = error ? error : start_all(calls, watched);
	if (error)
		memory_calls_close(calls);
	return error;
}

bool memory_calls_are_open(const struct memory_calls *calls)
{
	return calls->count;
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void memory_calls_close(struct memory_calls *calls)
{
	for (size_t i = 0; i < calls->count; i++) {
		close_one(&calls->at[i]);
		close_one(&calls->programs[i]);
	}
	bpf_rings_close(&calls->ring);
	if (calls->lost)
		munmap(calls->lost, sizeof(*calls->lost));
	close_one(&calls->lost_map);
	free(calls->begun);
	*calls = (struct memory_calls){ .count = 0 };
}

uint64_t memory_calls_lost(const struct memory_calls *calls)
{
	uint64_t lost = __atomic_load_n(calls->lost, __ATOMIC_RELAXED);
	for (size_t i = 0; i < calls->count; i++)
		lost += bpf_program_missed(calls->programs[i]);
	return lost;
}

/* ---- what they mean ----------------------------------------------------------------------- */

struct telling {
	struct memory_calls *calls;
	const struct memory_listener *listener;
	uint64_t page, until;
	uint64_t over; /* when the call ended that is told of; 0: not known */
};

static int tell(const struct telling *telling, const struct told *told, int kind, uint64_t start, uint64_t size,
                uint64_t to)
{
	uint64_t last = ~(telling->page - 1), most = last - start;
	const struct vmsnap_memory_event event = {
		.time = told->time,
		.start = start,
		.end = start > last || size > most ? UINT64_MAX : (start + size + telling->page - 1) & last,
		.to = to,
		.pid = (int32_t)(told->ids >> 32),
		.kind = kind,
	};
	return telling->listener->memory(telling->listener->ctx, &event);
}

static int give_back(const struct telling *telling, const struct told *told, uint64_t start, uint64_t size)
{
	return size ? tell(telling, told, VMSNAP_MEMORY_EVENT_GIVEN_BACK, start, size, telling->over) : VMSNAP_OK;
}

/* What others wrote while the call was at it, too. */
static int doubt(const struct telling *telling, const struct told *told, uint64_t start, uint64_t size)
{
	return tell(telling, told, VMSNAP_MEMORY_EVENT_FREED, start, size, telling->over);
}

static bool has_failed(uint64_t result)
{
	return result > (uint64_t)-4096;
}

/* Where it failed it may have got so far; where there are no mappings (ENOMEM) MADV_DONTNEED goes on behind. */
static int advise(const struct telling *telling, const struct told *told, uint64_t result)
{
	uint64_t start = told->arguments[0], size = told->arguments[1];
	int advice = (int)told->arguments[2];
	bool partly = has_failed(result) && !(advice == MADV_DONTNEED && result == (uint64_t)-ENOMEM);
	switch (advice) {
	case MADV_DONTNEED:
	case MADV_DONTNEED_LOCKED:
	case MADV_REMOVE:
	case MADV_GUARD_INSTALL:
		return partly ? doubt(telling, told, start, size) : give_back(telling, told, start, size);
	case MADV_FREE:
	case MADV_HWPOISON:
		return doubt(telling, told, start, size);
	case MADV_COLLAPSE:
		return tell(telling, told, VMSNAP_MEMORY_EVENT_COLLAPSED, start, size, 0);
	default:
		return VMSNAP_OK;
	}
}

/* Of its own memory, at places that it keeps in its memory. */
static int advise_many(const struct telling *telling, const struct told *told)
{
	int advice = (int)told->arguments[3];
	bool gives = advice == MADV_DONTNEED || advice == MADV_DONTNEED_LOCKED || advice == MADV_REMOVE ||
	             advice == MADV_GUARD_INSTALL || advice == MADV_FREE;
	return gives ? tell(telling, told, VMSNAP_MEMORY_EVENT_FREED, 0, UINT64_MAX, 0) : VMSNAP_OK;
}

static int begin_call(struct memory_calls *calls, const struct told *told)
{
	size_t at = 0;
	while (at < calls->begun_count && calls->begun[at].tid != (pid_t)told->ids)
		at++;
	if (at == calls->begun_count) {
		struct memory_call *begun =
		        array_room(calls->begun, calls->begun_count, &calls->begun_room, sizeof(*begun));
		if (!begun)
			return VMSNAP_ERR_NO_MEMORY;
		calls->begun = begun;
		calls->begun_count++;
	}
	calls->begun[at] = (struct memory_call){ (pid_t)told->ids, *told };
	return VMSNAP_OK;
}

/* As the kernel looks at it first.  What it refuses later may have cost what was at the new place. */
static bool moves_nowhere(const struct telling *telling, const struct told *told)
{
	uint64_t old = told->arguments[0], was = told->arguments[1], will = told->arguments[2],
	         place = told->arguments[4];
	return (old | place) & (telling->page - 1) || !will || (place < old + was && old < place + will);
}

/* What it cuts off, what was at the new place, and what goes there. */
static int move(const struct telling *telling, const struct told *told, uint64_t result)
{
	uint64_t old = told->arguments[0], was = told->arguments[1], will = told->arguments[2],
	         kept = was < will ? was : will;
	bool fixed = told->arguments[3] & MREMAP_FIXED;
	if (has_failed(result))
		return fixed && !moves_nowhere(telling, told) ? doubt(telling, told, told->arguments[4], will)
		                                              : VMSNAP_OK;
	/* When that was over is not told, or it would go for what comes there. */
	int rc = fixed && will ? tell(telling, told, VMSNAP_MEMORY_EVENT_GIVEN_BACK, told->arguments[4], will, 0)
	                       : VMSNAP_OK;
	rc = rc || was <= kept ? rc : give_back(telling, told, old + kept, was - kept);
	if (rc || result == old || !kept)
		return rc;
	struct told over = *told;
	over.time = telling->over; /* what others wrote meanwhile, and not what is moved */
	rc = tell(telling, told, VMSNAP_MEMORY_EVENT_MOVED, old, kept, result);
	return rc ? rc : tell(telling, &over, VMSNAP_MEMORY_EVENT_FREED, old, kept, 0);
}

/* Before Linux 6.12 what was there may be gone by the time that there is found no memory for what is to come. */
static bool fails_before_giving_back(void)
{
	struct utsname name;
	unsigned major, minor;
	return !uname(&name) && sscanf(name.release, "%u.%u", &major, &minor) == 2 &&
	       (major > 6 || (major == 6 && minor >= 12));
}

/* Before anything was given back.  What a file's driver refuses it does so afterwards, by any error. */
static bool failed_early(const struct telling *telling, const struct told *told, uint64_t result)
{
	bool anonymous = told->arguments[3] & MAP_ANONYMOUS, unaligned = told->arguments[0] & (telling->page - 1);
	return unaligned || result == (uint64_t)-EEXIST || result == (uint64_t)-EBADF ||
	       (anonymous && (result != (uint64_t)-ENOMEM || fails_before_giving_back()));
}

static int map(const struct telling *telling, const struct told *told, uint64_t result)
{
	if (told->arguments[3] & MAP_FIXED_NOREPLACE || (has_failed(result) && failed_early(telling, told, result)))
		return VMSNAP_OK;
	return has_failed(result) ? doubt(telling, told, told->arguments[0], told->arguments[1])
	                          : give_back(telling, told, told->arguments[0], told->arguments[1]);
}

/* munmap(2) does all of it, or nothing; brk(2) gives back where the heap ends, whether it did or not. */
static int end_as(const struct telling *telling, const struct told *began, uint64_t result)
{
	switch ((enum call)began->call) {
	case CALL_MREMAP:
		return move(telling, began, result);
	case CALL_MADVISE:
		return advise(telling, began, result);
	case CALL_MMAP:
		return map(telling, began, result);
	case CALL_BRK:
		return began->arguments[0]
		               ? tell(telling, began, VMSNAP_MEMORY_EVENT_HEAP_END, result, 0, telling->over)
		               : VMSNAP_OK;
	default:
		return has_failed(result) ? VMSNAP_OK
		                          : give_back(telling, began, began->arguments[0], began->arguments[1]);
	}
}

static int end_call(const struct telling *telling, const struct told *told)
{
	struct memory_calls *calls = telling->calls;
	for (size_t i = 0; i < calls->begun_count; i++)
		if (calls->begun[i].tid == (pid_t)told->ids) {
			const struct told began = calls->begun[i].told;
			const struct telling ending = { calls, telling->listener, telling->page, telling->until,
				                        told->time };
			calls->begun[i] = calls->begun[--calls->begun_count];
			return began.call + CALL_MUNMAP_ENDS == told->call ? end_as(&ending, &began, told->arguments[0])
			                                                   : VMSNAP_OK;
		}
	return VMSNAP_OK;
}

static int bear(const struct telling *telling, const struct told *told)
{
	uint64_t child = told->arguments[0], flags = told->arguments[1], parent = told->ids >> 32;
	struct told born = *told;
	if (flags & CLONE_THREAD)
		return VMSNAP_OK;
	int rc = telling->listener->born(telling->listener->ctx, told->time, (pid_t)parent, (pid_t)child);
	born.ids = child << 32;
	return rc || !(flags & CLONE_VM) ? rc : tell(telling, &born, VMSNAP_MEMORY_EVENT_SHARED, 0, 0, parent);
}

static int take(void *ctx, const void *record, size_t size)
{
	const struct telling *telling = ctx;
	const struct told *told = record;
	const uint64_t *arguments = told->arguments;
	if (size < sizeof(*told) || told->time > telling->until)
		return VMSNAP_OK;
	switch ((enum call)told->call) {
	case CALL_MUNMAP:
	case CALL_MREMAP:
	case CALL_MADVISE:
	case CALL_MMAP:
	case CALL_BRK:
		return begin_call(telling->calls, told);
	case CALL_MUNMAP_ENDS:
	case CALL_MREMAP_ENDS:
	case CALL_MADVISE_ENDS:
	case CALL_MMAP_ENDS:
	case CALL_BRK_ENDS:
		return end_call(telling, told);
	case CALL_REMAP_FILE_PAGES:
		return give_back(telling, told, arguments[0], arguments[1]);
	case CALL_PROCESS_MADVISE:
		return advise_many(telling, told);
	/* How much it is that is there is not told. */
	case CALL_SHMDT:
		return tell(telling, told, VMSNAP_MEMORY_EVENT_FREED, arguments[0], UINT64_MAX, 0);
	case CALL_SHMAT:
		return arguments[2] & SHM_REMAP
		               ? tell(telling, told, VMSNAP_MEMORY_EVENT_FREED, arguments[1], UINT64_MAX, 0)
		               : VMSNAP_OK;
	case CALL_RING:
		return tell(telling, told, VMSNAP_MEMORY_EVENT_FREED, 0, UINT64_MAX, UINT64_MAX);
	case CALL_BIRTH:
		return bear(telling, told);
	}
	return VMSNAP_OK;
}

int memory_calls_drain(struct memory_calls *calls, const struct memory_listener *listener, uint64_t until)
{
	struct telling telling = { calls, listener, (uint64_t)sysconf(_SC_PAGESIZE), until, 0 };
	return bpf_rings_drain(&calls->ring, take, &telling);
}
