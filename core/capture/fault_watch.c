/* fault_watch.c - the page faults of processes, as the kernel tells them (vmsnap/blame.h). */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "array.h"
#include "call_frames.h"
#include "clock.h"
#include "error.h"
#include "fault_access.h"
#include "fault_bpf.h"
#include "fault_events.h"
#include "kernel_calls.h"
#include "memory_sharers.h"
#include "options.h"
#include "procdir.h"

struct vmsnap_fault_watch {
	struct perf_rings rings;
	struct fault_events events;
	struct fault_bpf bpf; /* if it is open, it tells the faults outside of the kernel */
	struct kernel_calls calls;
	struct fault_access access;
	struct call_frames call_frames;
	struct memory_sharers sharers;
	struct vmsnap_faults_builder *builder;
	struct vmsnap_error *err; /* while records are read */
	pid_t *known;             /* threads that have events: opened by us, or inherited; as they came */
	size_t known_count, known_room;
	pid_t *ended; /* processes whose main thread has, of which something is kept; ended_before: at the reads before
	               */
	size_t ended_count, ended_room, ended_before;
	struct vmsnap_fault_event *happened;
	size_t happened_count, happened_room;
	uint64_t began, count, dropped, lost_before;
	bool (*cancelled)(void *ctx);
	void *cancel_ctx;
	const char *remark;
	bool memory_dropped; /* there was no room for what became of memory */
	uint64_t memory_lost_before;
	bool lost_records; /* the kernel said that something was lost */
};

/* ---- what comes ------------------------------------------------------------------------- */

static bool is_known(const struct vmsnap_fault_watch *watch, pid_t tid)
{
	for (size_t i = watch->known_count; i-- > 0;)
		if (watch->known[i] == tid)
			return true;
	return false;
}

static int note_known(struct vmsnap_fault_watch *watch, pid_t tid)
{
	pid_t *known = array_room(watch->known, watch->known_count, &watch->known_room, sizeof(*known));
	if (!known)
		return fail_no_memory(watch->err);
	watch->known = known;
	watch->known[watch->known_count++] = tid;
	return VMSNAP_OK;
}

/* What there is no room for counts as lost, like a record that found none in the ring.  All since the begin are kept
 * for vmsnap_fault_watch_event() besides, up to as many: a recording of days does without these. */
static int note_event(struct vmsnap_fault_watch *watch, int kind, uint64_t time, int32_t pid, int32_t child)
{
	enum { MOST = 1 << 20 };
	const struct vmsnap_fault_event event = { .time = time, .pid = pid, .child = child, .kind = kind };
	int rc = vmsnap_faults_builder_add_event(watch->builder, &event, watch->err);
	if (rc == VMSNAP_ERR_TOO_LARGE)
		watch->dropped++;
	if (rc == VMSNAP_ERR_TOO_LARGE || (!rc && watch->happened_count == MOST))
		return VMSNAP_OK;
	if (rc)
		return rc;
	struct vmsnap_fault_event *happened =
	        array_room(watch->happened, watch->happened_count, &watch->happened_room, sizeof(*happened));
	if (!happened)
		return fail_no_memory(watch->err);
	watch->happened = happened;
	watch->happened[watch->happened_count++] = event;
	return VMSNAP_OK;
}

static int kind_of(struct vmsnap_fault_watch *watch, const struct fault_sample *sample)
{
	return !sample->error_known             ? fault_access_kind(&watch->access, sample)
	       : sample->error & FAULT_FETCH    ? VMSNAP_FAULT_FETCH
	       : !(sample->error & FAULT_WRITE) ? VMSNAP_FAULT_READ
	       : sample->error & FAULT_PRESENT  ? VMSNAP_FAULT_WRITE_PROTECTED
	                                        : VMSNAP_FAULT_WRITE_NEW;
}

/* The processor's `syscall`, `svc` instruction: behind it the thread would go on. */
static uint64_t calling_instruction(uint64_t behind)
{
#if defined(__x86_64__)
	return behind - 2;
#else
	return behind - 4;
#endif
}

/* Of the function that called the kernel, by unwind tables. */
struct callers {
	uint64_t frames[CALL_FRAMES_MAX];
	size_t count, outside; /* of these, the first outside of the C library; .count: none */
};

static void find_callers(struct vmsnap_fault_watch *watch, const struct fault_sample *sample, struct callers *out)
{
	*out = (struct callers){ .count = 0 };
	if (!sample->stack || !sample->user_count)
		return;
	const struct call_state state = {
		.pid = sample->pid,
		.at = calling_instruction(sample->user_chain[0]),
		.sp = sample->rsp,
		.bp = sample->rbp,
		.words = sample->stack,
		.count = sample->stack_count,
	};
	out->count = call_frames_find(&watch->call_frames, &state, out->frames, &out->outside);
}

/* Of the frame pointers' chain, where those begin that unwind tables have not told. */
static size_t skip_told(const struct fault_sample *sample, const struct callers *callers)
{
	size_t begin = 1;
	for (size_t i = 1; i < sample->user_count; i++)
		for (size_t k = 0; k < callers->count; k++)
			if (sample->user_chain[i] - 1 == callers->frames[k])
				begin = i + 1;
	return begin;
}

/* Innermost first; return addresses as addresses of the instruction that called. */
static size_t frames_of(const struct fault_sample *sample, bool in_call, const struct callers *callers,
                        uint64_t frames[VMSNAP_FAULT_FRAMES_MAX])
{
	size_t count = 0;
	if (!sample->user_count)
		return 0;
	frames[count++] = in_call ? calling_instruction(sample->user_chain[0]) : sample->user_chain[0];
	for (size_t i = 0; i < callers->count; i++)
		frames[count++] = callers->frames[i];
	for (size_t i = skip_told(sample, callers); i < sample->user_count && count < VMSNAP_FAULT_FRAMES_MAX; i++) {
		if (!sample->user_chain[i])
			break;
		frames[count++] = sample->user_chain[i] - 1;
	}
	return count;
}

static int add_fault(void *ctx, const struct fault_sample *sample)
{
	struct vmsnap_fault_watch *watch = ctx;
	uint64_t frames[VMSNAP_FAULT_FRAMES_MAX];
	int32_t call =
	        sample->in_kernel ? kernel_calls_find(&watch->calls, sample->kernel_chain, sample->kernel_count) : -1;
	struct callers callers = { .count = 0 };
	if (call >= 0)
		find_callers(watch, sample, &callers);
	size_t count = frames_of(sample, call >= 0, &callers, frames);
	struct vmsnap_fault fault = {
		.time = sample->time,
		.address = sample->address,
		.ip = callers.outside < callers.count ? callers.frames[callers.outside]
		      : count                         ? frames[0]
		                                      : 0,
		.pid = (int32_t)sample->pid,
		.tid = (int32_t)sample->tid,
		.syscall = sample->in_kernel && call < 0 ? -2 : call,
		.kind = (uint8_t)kind_of(watch, sample),
	};
	if (watch->count == VMSNAP_FAULTS_MAX) {
		watch->dropped++;
		return VMSNAP_OK;
	}
	watch->count++;
	return vmsnap_faults_builder_add(watch->builder, &fault, frames, count, watch->err);
}

static int take_sample(struct vmsnap_fault_watch *watch, const struct perf_event_header *record)
{
	struct fault_sample sample;
	if (fault_sample_read(&watch->events, record, &sample))
		return add_fault(watch, &sample);
	watch->dropped++;
	return VMSNAP_OK;
}

static bool tells_memory(const struct vmsnap_fault_watch *watch)
{
	return fault_bpf_is_open(&watch->bpf) && memory_calls_are_open(&watch->bpf.memory);
}

static void forget_known(struct vmsnap_fault_watch *watch, pid_t tid)
{
	for (size_t i = watch->known_count; i-- > 0;)
		if (watch->known[i] == tid) {
			watch->known[i] = watch->known[--watch->known_count];
			return;
		}
}

struct task_record {
	struct perf_event_header header;
	uint32_t pid, ppid, tid, ptid;
	uint64_t time;
};

static int add_fork(struct vmsnap_fault_watch *watch, const struct perf_event_header *record)
{
	struct task_record task;
	if (record->size < sizeof(task))
		return VMSNAP_OK;
	memcpy(&task, record, sizeof(task));
	bool watched = watch->events.children || task.pid == task.ppid;
	int rc = watched ? note_known(watch, (pid_t)task.tid) : VMSNAP_OK;
	/* Programs in the kernel tell births, too, and have more room. */
	if (!rc && task.pid == task.tid && !tells_memory(watch))
		rc = note_event(watch, VMSNAP_FAULT_EVENT_FORK, task.time, (int32_t)task.ppid, (int32_t)task.pid);
	return rc;
}

static int note_end(struct vmsnap_fault_watch *watch, const struct perf_event_header *record)
{
	struct task_record task;
	if (record->size < sizeof(task))
		return VMSNAP_OK;
	memcpy(&task, record, sizeof(task));
	forget_known(watch, (pid_t)task.tid);
	if (task.tid != task.pid)
		return VMSNAP_OK;
	pid_t *ended = array_room(watch->ended, watch->ended_count, &watch->ended_room, sizeof(*ended));
	if (!ended)
		return fail_no_memory(watch->err);
	watch->ended = ended;
	watch->ended[watch->ended_count++] = (pid_t)task.pid;
	return VMSNAP_OK;
}

/* What is kept of their programs. */
static void forget(struct vmsnap_fault_watch *watch, pid_t *pids, size_t count)
{
	struct pid_list list = { .pids = pids, .count = count };
	pid_list_sort(&list);
	fault_access_forget(&watch->access, &list);
	call_frames_forget(&watch->call_frames, &list);
}

/* Its main thread ends before others: from then on the kernel shows no memory of the process by its number, so that
 * instructions could not be read anew. */
static bool has_other_threads(pid_t pid)
{
	struct proc_stat stat;
	int fd;
	if (procdir_open_any(pid, &fd, NULL))
		return false;
	CLEANUP_CLOSE int procdir = fd;
	return !procdir_stat(procdir, &stat, NULL) && stat.threads > 1;
}

/* Files of its program are open.  What it had done on another processor is in another ring, which may have been read
 * right before it came: so not before that was read once more. */
static void forget_ended(struct vmsnap_fault_watch *watch)
{
	size_t lives = 0;
	for (size_t i = 0; i < watch->ended_before; i++)
		if (has_other_threads(watch->ended[i])) {
			pid_t pid = watch->ended[i];
			watch->ended[i] = watch->ended[lives];
			watch->ended[lives++] = pid;
		}
	size_t gone = watch->ended_before - lives;
	if (gone)
		forget(watch, watch->ended + lives, gone);
	watch->ended_count -= gone;
	if (gone && watch->ended_count > lives)
		memmove(watch->ended + lives, watch->ended + watch->ended_before,
		        (watch->ended_count - lives) * sizeof(*watch->ended));
	watch->ended_before = watch->ended_count;
}

/* COMM says that a thread has another name; at an exec it is marked.  Its time stands at the end: sample_id_all. */
static int add_exec(struct vmsnap_fault_watch *watch, const struct perf_event_header *record)
{
	uint32_t pid;
	if (!(record->misc & PERF_RECORD_MISC_COMM_EXEC) || record->size < sizeof(*record) + 8)
		return VMSNAP_OK;
	memcpy(&pid, record + 1, sizeof(pid));
	forget(watch, &(pid_t){ (pid_t)pid }, 1);
	uint64_t time;
	memcpy(&time, (const char *)record + record->size - sizeof(time), sizeof(time));
	return note_event(watch, VMSNAP_FAULT_EVENT_EXEC, time, (int32_t)pid, 0);
}

static int take_record(void *ctx, const struct perf_event_header *record)
{
	struct vmsnap_fault_watch *watch = ctx;
	switch (record->type) {
	case PERF_RECORD_SAMPLE:
		return take_sample(watch, record);
	case PERF_RECORD_FORK:
		return add_fork(watch, record);
	case PERF_RECORD_EXIT:
		return note_end(watch, record);
	case PERF_RECORD_COMM:
		return add_exec(watch, record);
	case PERF_RECORD_LOST:
		watch->lost_records = true;
		return VMSNAP_OK;
	default:
		return VMSNAP_OK;
	}
}

static int add_memory_event(void *ctx, const struct vmsnap_memory_event *event)
{
	struct vmsnap_fault_watch *watch = ctx;
	int rc = vmsnap_faults_builder_add_memory_event(watch->builder, event, watch->err);
	if (rc == VMSNAP_ERR_TOO_LARGE) {
		watch->memory_dropped = true;
		watch->dropped++;
	}
	if (!rc && event->kind == VMSNAP_MEMORY_EVENT_SHARED)
		rc = memory_sharers_add(&watch->sharers, (pid_t)event->pid, (pid_t)event->to)
		             ? fail_no_memory(watch->err)
		             : VMSNAP_OK;
	return rc == VMSNAP_ERR_TOO_LARGE ? VMSNAP_OK : rc;
}

static int add_birth(void *ctx, uint64_t time, pid_t parent, pid_t child)
{
	struct vmsnap_fault_watch *watch = ctx;
	return note_event(watch, VMSNAP_FAULT_EVENT_FORK, time, parent, child);
}

static int drain(struct vmsnap_fault_watch *watch, struct vmsnap_error *err)
{
	const struct memory_listener listener = { add_memory_event, add_birth, watch };
	watch->err = err;
	int rc = perf_rings_drain(&watch->rings, take_record, watch);
	if (!rc && fault_bpf_is_open(&watch->bpf))
		rc = fault_bpf_drain(&watch->bpf, add_fault, watch, &listener);
	if (!rc)
		forget_ended(watch);
	watch->err = NULL;
	return rc;
}

/* Rings of BPF wake at their first record, others when there are many: to be woken is paid for by who has the faults,
 * so that these are let come for a while, too. */
static void wait_for_some(const struct vmsnap_fault_watch *watch, int timeout_ms)
{
	enum { MEANWHILE_MS = 10 };
	bool bpf = fault_bpf_is_open(&watch->bpf) && watch->bpf.programs.own;
	uint64_t begun = monotonic_now();
	perf_rings_wait(&watch->rings, bpf ? watch->bpf.rings.poll : -1, timeout_ms);
	int64_t left = timeout_ms < 0 ? MEANWHILE_MS : timeout_ms - (int64_t)((monotonic_now() - begun) / 1000000);
	if (bpf && left > 0)
		poll(NULL, 0, left < MEANWHILE_MS ? (int)left : MEANWHILE_MS);
}

VMSNAP_API int vmsnap_fault_watch_read(struct vmsnap_fault_watch *watch, int timeout_ms, struct vmsnap_error *err)
{
	if (timeout_ms)
		wait_for_some(watch, timeout_ms);
	return drain(watch, err);
}

/* ---- whose ------------------------------------------------------------------------------ */

struct adding {
	struct vmsnap_fault_watch *watch;
	struct vmsnap_error *err;
	size_t added;
	int rc;
};

static int add_task(void *ctx, pid_t tid)
{
	struct adding *adding = ctx;
	struct vmsnap_fault_watch *watch = adding->watch;
	if (is_known(watch, tid))
		return 0;
	adding->added++;
	if (watch->cancelled && watch->cancelled(watch->cancel_ctx))
		return adding->rc = fail(adding->err, VMSNAP_ERR_CANCELLED, "cancelled");
	watch->err = adding->err;
	adding->rc = note_known(watch, tid);
	if (!adding->rc)
		adding->rc = fault_events_add(&watch->events, tid, &watch->rings, adding->err);
	return adding->rc;
}

/* Each part of what is watched tells by itself who has another's memory at its begin; first: of the sharers. */
static int tell_sharers(struct vmsnap_fault_watch *watch, size_t first, struct vmsnap_error *err)
{
	int rc = VMSNAP_OK;
	for (size_t i = first; !rc && i < watch->sharers.count; i++) {
		const struct memory_sharer *sharer = &watch->sharers.items[i];
		const struct vmsnap_memory_event event = { .time = watch->began,
			                                   .pid = (int32_t)sharer->pid,
			                                   .to = (uint64_t)sharer->parent,
			                                   .kind = VMSNAP_MEMORY_EVENT_SHARED };
		rc = vmsnap_faults_builder_add_memory_event(watch->builder, &event, err);
	}
	return rc;
}

/* One that is watched from now on may have another's since before. */
static int look_for_sharers(struct vmsnap_fault_watch *watch, int procdir, pid_t process, struct vmsnap_error *err)
{
	size_t first = watch->sharers.count;
	if (memory_sharers_look(&watch->sharers, procdir, process))
		return fail_no_memory(err);
	return watch->began ? tell_sharers(watch, first, err) : VMSNAP_OK;
}

/* Threads that are made meanwhile by one that has its events already inherit them, and the kernel tells of their birth;
 * others are found by looking once more. */
static int add_process(struct vmsnap_fault_watch *watch, pid_t pid, struct vmsnap_error *err)
{
	enum { ROUNDS = 16 };
	struct adding adding = { .watch = watch, .err = err, .added = 1 };
	int fd, rc = procdir_open(pid, &fd, err);
	if (rc)
		return rc;
	CLEANUP_CLOSE int procdir = fd;
	pid_t thread_of = procdir_process_of_thread(procdir, pid), process = thread_of ? thread_of : pid;
	if (fault_bpf_is_open(&watch->bpf))
		fault_bpf_add(&watch->bpf, process);
	if (!is_known(watch, pid))
		adding.rc = look_for_sharers(watch, procdir, process, err);
	for (int round = 0; !adding.rc && adding.added && round < ROUNDS; round++) {
		adding.added = 0;
		int failed = procdir_each_task(procdir, add_task, &adding);
		if (failed < 0 && !adding.rc)
			return procdir_fail(-failed, pid, "task", err);
		if (!adding.rc)
			adding.rc = drain(watch, err);
	}
	if (!adding.rc && adding.added)
		watch->remark = "threads are made faster than they are found: some may not be watched";
	return adding.rc;
}

/* ---- all of it -------------------------------------------------------------------------- */

VMSNAP_API int vmsnap_fault_watch_add(struct vmsnap_fault_watch *watch, pid_t pid, struct vmsnap_error *err)
{
	return add_process(watch, pid, err);
}

static bool is_gone(int rc)
{
	return rc == VMSNAP_ERR_EXITED || rc == VMSNAP_ERR_NO_PROCESS || rc == VMSNAP_ERR_ZOMBIE;
}

/* Of several, some may have ended meanwhile. */
static int add_processes(struct vmsnap_fault_watch *watch, const pid_t *pids, size_t count, struct vmsnap_error *err)
{
	size_t gone = 0;
	int rc = VMSNAP_OK;
	for (size_t i = 0; i < count && (!rc || is_gone(rc)); i++) {
		rc = add_process(watch, pids[i], err);
		gone += is_gone(rc);
	}
	return is_gone(rc) && gone < count ? VMSNAP_OK : rc;
}

static bool no_descriptors(int error)
{
	return error == EMFILE || error == ENFILE;
}

/* faults: programs would tell these, too. */
static void remark_descriptors(struct vmsnap_fault_watch *watch, bool faults)
{
	watch->remark =
	        faults ? "descriptors are not enough for programs in the kernel (ulimit -n): page faults are told by "
	                 "events of perf_event_open(2), which take longer"
	               : "descriptors are not enough for programs in the kernel (ulimit -n): what is given back and "
	                 "moved is not told";
}

/* Where the kernel takes programs of ours, these tell the faults outside of it, and what else becomes of memory.  Call
 * chains are perf's. */
static void open_programs(struct vmsnap_fault_watch *watch, size_t bytes, bool own)
{
	int error = fault_bpf_open(&watch->bpf, bytes, watch->events.children, own);
	if (!error && own)
		fault_events_leave_own(&watch->events);
	if (no_descriptors(error) || no_descriptors(watch->bpf.memory_error))
		remark_descriptors(watch, error && own);
}

static int open_way(struct vmsnap_fault_watch *watch, const pid_t *pids, size_t count,
                    const struct vmsnap_fault_watch_options *options, bool programs, struct vmsnap_error *err)
{
	enum { RING_BYTES = 4 << 20, FRAMES = 32 };
	bool children = !(options->flags & VMSNAP_FAULT_WATCH_CHILDLESS);
	unsigned frames = options->frames ? options->frames : FRAMES;
	int rc = fault_events_choose(&watch->events, frames, children, err);
	if (!rc && programs && watch->events.tracepoints)
		open_programs(watch, RING_BYTES, frames == 1);
	if (!rc)
		rc = perf_rings_open(&watch->rings, RING_BYTES, err);
	if (!rc)
		rc = vmsnap_faults_builder_new(NULL, &watch->builder, err);
	if (!rc && watch->events.kernel)
		kernel_calls_read(&watch->calls);
	rc = rc ? rc : add_processes(watch, pids, count, err);
	watch->began = monotonic_now();
	return rc ? rc : tell_sharers(watch, 0, err);
}

static void release(struct vmsnap_fault_watch *watch)
{
	fault_events_close(&watch->events);
	fault_bpf_close(&watch->bpf);
	perf_rings_close(&watch->rings);
	kernel_calls_free(&watch->calls);
	fault_access_free(&watch->access);
	call_frames_free(&watch->call_frames);
	memory_sharers_free(&watch->sharers);
	vmsnap_faults_builder_free(watch->builder);
	free(watch->known);
	free(watch->ended);
	free(watch->happened);
}

/* Who watches takes snapshots, too. */
static bool leaves_descriptors(const struct vmsnap_fault_watch *watch)
{
	enum { SPARE = 32 };
	struct rlimit limit;
	int next = watch->rings.count ? dup(watch->rings.items[0].fd) : -1;
	if (next < 0)
		return false;
	close(next);
	return getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == RLIM_INFINITY ||
	       (rlim_t)next + SPARE <= limit.rlim_cur;
}

/* Programs take a descriptor more for each processor, and some. */
static int open_watch(struct vmsnap_fault_watch *watch, const pid_t *pids, size_t count,
                      const struct vmsnap_fault_watch_options *options, struct vmsnap_error *err)
{
	struct vmsnap_error why = { .code = VMSNAP_OK };
	int rc = open_way(watch, pids, count, options, true, &why);
	bool too_few =
	        rc ? why.code == VMSNAP_ERR_TOO_LARGE || no_descriptors(why.sys_errno) : !leaves_descriptors(watch);
	if (too_few && fault_bpf_is_open(&watch->bpf)) {
		release(watch);
		*watch = (struct vmsnap_fault_watch){ .cancelled = options->cancelled,
			                              .cancel_ctx = options->cancel_ctx };
		remark_descriptors(watch, options->frames == 1);
		rc = open_way(watch, pids, count, options, false, &why);
	}
	if (rc && err)
		*err = why;
	return rc;
}

VMSNAP_API int vmsnap_fault_watch_open(const pid_t *pids, size_t count,
                                       const struct vmsnap_fault_watch_options *options,
                                       struct vmsnap_fault_watch **out, struct vmsnap_error *err)
{
	enum { FRAMES_MOST = 127 };
	struct vmsnap_fault_watch_options how = { .size = sizeof(how) };
	int rc = options_take(&how, sizeof(how), options, "struct vmsnap_fault_watch_options", err);
	if (rc)
		return rc;
	if (how.frames > FRAMES_MOST)
		return fail(err, VMSNAP_ERR_ARGUMENT, "a call chain has %d frames at most", FRAMES_MOST);
	if (how.flags & ~(unsigned)VMSNAP_FAULT_WATCH_CHILDLESS)
		return fail(err, VMSNAP_ERR_ARGUMENT, "struct vmsnap_fault_watch_options: a flag that there is not");
	struct vmsnap_fault_watch *watch = calloc(1, sizeof(*watch));
	if (!watch)
		return fail_no_memory(err);
	watch->cancelled = how.cancelled;
	watch->cancel_ctx = how.cancel_ctx;
	rc = open_watch(watch, pids, count, &how, err);
	if (rc) {
		vmsnap_fault_watch_close(watch);
		return rc;
	}
	*out = watch;
	return VMSNAP_OK;
}

VMSNAP_API void vmsnap_fault_watch_stop(struct vmsnap_fault_watch *watch)
{
	fault_events_stop(&watch->events);
	if (fault_bpf_is_open(&watch->bpf))
		fault_bpf_stop(&watch->bpf);
}

/* The number of each system call that may be in there, with its name. */
static int add_names(struct vmsnap_fault_watch *watch, struct vmsnap_error *err)
{
	enum { MOST = 1024 };
	int rc = VMSNAP_OK;
	for (int32_t number = 0; !rc && watch->events.kernel && number < MOST; number++) {
		const char *name = syscall_name(number);
		if (name)
			rc = vmsnap_faults_builder_add_syscall(watch->builder, number, name, err);
	}
	return rc;
}

static uint64_t memory_lost(const struct vmsnap_fault_watch *watch)
{
	return tells_memory(watch) ? memory_calls_lost(&watch->bpf.memory) : 0;
}

/* By the kernel, since it was opened. */
static uint64_t lost_ever(const struct vmsnap_fault_watch *watch)
{
	return fault_events_lost(&watch->events) + (fault_bpf_is_open(&watch->bpf) ? fault_bpf_lost(&watch->bpf) : 0) +
	       memory_lost(watch);
}

static uint64_t lost_since(const struct vmsnap_fault_watch *watch, uint64_t all)
{
	bool unknown = !watch->events.lost_told && watch->lost_records;
	return unknown ? UINT64_MAX : all - watch->lost_before + watch->dropped;
}

VMSNAP_API uint64_t vmsnap_fault_watch_lost(const struct vmsnap_fault_watch *watch)
{
	return lost_since(watch, lost_ever(watch));
}

static uint64_t take_lost(struct vmsnap_fault_watch *watch)
{
	uint64_t all = lost_ever(watch), lost = lost_since(watch, all);
	watch->lost_before = all;
	watch->dropped = 0;
	watch->lost_records = false;
	return lost;
}

/* Whether all was told since the last time. */
static bool take_memory_told(struct vmsnap_fault_watch *watch)
{
	uint64_t lost = memory_lost(watch);
	bool all = tells_memory(watch) && lost == watch->memory_lost_before && !watch->memory_dropped;
	watch->memory_lost_before = lost;
	watch->memory_dropped = false;
	return all;
}

VMSNAP_API int vmsnap_fault_watch_take(struct vmsnap_fault_watch *watch, struct vmsnap_faults **out,
                                       struct vmsnap_error *err)
{
	struct vmsnap_faults_builder *next;
	int rc = drain(watch, err);
	if (!rc)
		rc = add_names(watch, err);
	if (rc)
		return rc;
	struct vmsnap_faults_info info = {
		.begin = watch->began,
		.end = monotonic_now(),
		.lost = take_lost(watch),
		.flags = (watch->events.children ? VMSNAP_FAULTS_CHILDREN : 0u) |
		         (watch->events.tracepoints ? VMSNAP_FAULTS_KINDS : 0u) |
		         (watch->events.kernel ? VMSNAP_FAULTS_KERNEL : 0u) |
		         (take_memory_told(watch) ? VMSNAP_FAULTS_MEMORY : 0u),
	};
	rc = vmsnap_faults_builder_set(watch->builder, &info, err);
	if (!rc)
		rc = vmsnap_faults_builder_new(NULL, &next, err);
	if (rc)
		return rc;
	rc = vmsnap_faults_builder_finish(watch->builder, out, err);
	vmsnap_faults_builder_free(watch->builder);
	watch->builder = next;
	watch->began = info.end;
	watch->count = 0;
	memory_sharers_forget(&watch->sharers);
	return rc ? rc : tell_sharers(watch, 0, err);
}

VMSNAP_API const struct vmsnap_fault_event *vmsnap_fault_watch_event(const struct vmsnap_fault_watch *watch,
                                                                     size_t index)
{
	return index < watch->happened_count ? &watch->happened[index] : NULL;
}

VMSNAP_API const char *vmsnap_fault_watch_remark(const struct vmsnap_fault_watch *watch)
{
	return watch->remark;
}

VMSNAP_API void vmsnap_fault_watch_close(struct vmsnap_fault_watch *watch)
{
	if (!watch)
		return;
	release(watch);
	free(watch);
}
