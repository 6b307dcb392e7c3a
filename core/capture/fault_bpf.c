#define _GNU_SOURCE
#include "fault_bpf.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "clock.h"

/* ---- opened ------------------------------------------------------------------------------ */

/* The programs see the numbers of the first namespaces, and their clock; ours are to be the same. */
static bool numbers_are_the_kernels(void)
{
	static const ino_t first_pid = 0xeffffffc, first_time = 0xeffffffa; /* PROC_PID_INIT_INO, PROC_TIME_INIT_INO */
	struct stat pid, time;
	return !stat("/proc/self/ns/pid", &pid) && pid.st_ino == first_pid &&
	       (stat("/proc/self/ns/time", &time) ? errno == ENOENT : time.st_ino == first_time);
}

static int open_all(struct fault_bpf *bpf, size_t bytes)
{
	if (geteuid() || !numbers_are_the_kernels())
		return EPERM;
	int error = bpf_value_open(&bpf->programs.watched, (void **)&bpf->watched, PROCESS_NUMBERS);
	error = error ? error : bpf_value_open(&bpf->programs.lost, (void **)&bpf->lost, sizeof(*bpf->lost));
	if (!error && bpf->programs.own)
		error = bpf_rings_open(&bpf->rings, bytes);
	bpf->programs.rings = bpf->rings.map;
	return error ? error : fault_programs_start(&bpf->programs);
}

/* A kernel that has no events of system calls (CONFIG_FTRACE_SYSCALLS) tells the faults all the same. */
int fault_bpf_open(struct fault_bpf *bpf, size_t bytes, bool children, bool own)
{
	*bpf = (struct fault_bpf){
		.programs = { .watched = -1,
		              .lost = -1,
		              .faults = -1,
		              .faults_at = -1,
		              .births = -1,
		              .births_at = -1,
		              .children = children,
		              .own = own },
		.rings = { .map = -1, .poll = -1 },
		.until = UINT64_MAX,
	};
	int error = open_all(bpf, bytes);
	bpf->memory_error = error ? error : memory_calls_open(&bpf->memory, bpf->programs.watched);
	if (!error && !own)
		error = bpf->memory_error; /* there is nothing else that it would tell */
	if (error)
		fault_bpf_close(bpf);
	return error;
}

bool fault_bpf_is_open(const struct fault_bpf *bpf)
{
	return bpf->until;
}

void fault_bpf_close(struct fault_bpf *bpf)
{
	if (!fault_bpf_is_open(bpf))
		return;
	if (memory_calls_are_open(&bpf->memory))
		memory_calls_close(&bpf->memory);
	fault_programs_close(&bpf->programs);
	bpf_rings_close(&bpf->rings);
	if (bpf->watched)
		munmap(bpf->watched, PROCESS_NUMBERS);
	if (bpf->lost)
		munmap(bpf->lost, sizeof(*bpf->lost));
	if (bpf->programs.watched >= 0)
		close(bpf->programs.watched);
	if (bpf->programs.lost >= 0)
		close(bpf->programs.lost);
	*bpf = (struct fault_bpf){ .until = 0 };
}

/* ---- used -------------------------------------------------------------------------------- */

void fault_bpf_add(struct fault_bpf *bpf, pid_t pid)
{
	if (pid > 0 && pid < PROCESS_NUMBERS)
		__atomic_store_n(&bpf->watched[pid], 1, __ATOMIC_RELAXED);
}

/* The kernel may let go of the programs somewhat later.  What memory_calls tell goes on, and is let pass: to close
 * these takes longer than who is stopped should wait. */
void fault_bpf_stop(struct fault_bpf *bpf)
{
	bpf->until = monotonic_now();
	fault_programs_stop(&bpf->programs);
}

uint64_t fault_bpf_lost(const struct fault_bpf *bpf)
{
	return __atomic_load_n(bpf->lost, __ATOMIC_RELAXED) + fault_programs_missed(&bpf->programs);
}

struct draining {
	const struct fault_bpf *bpf;
	int (*fn)(void *ctx, const struct fault_sample *sample);
	void *ctx;
};

static int take(void *ctx, const void *record, size_t size)
{
	const struct draining *draining = ctx;
	const struct fault_told *told = record;
	if (size < sizeof(*told) || told->time > draining->bpf->until)
		return VMSNAP_OK;
	struct fault_sample sample = {
		.address = told->address,
		.time = told->time,
		.pid = (uint32_t)(told->ids >> 32),
		.tid = (uint32_t)told->ids,
		.error_known = true,
		.error = told->error,
		.ip = told->ip,
		.user_chain = &sample.ip,
		.user_count = 1,
	};
	return draining->fn(draining->ctx, &sample);
}

int fault_bpf_drain(struct fault_bpf *bpf, int (*fn)(void *ctx, const struct fault_sample *sample), void *ctx,
                    const struct memory_listener *listener)
{
	struct draining draining = { bpf, fn, ctx };
	int rc = bpf_rings_drain(&bpf->rings, take, &draining);
	return rc || !memory_calls_are_open(&bpf->memory) ? rc : memory_calls_drain(&bpf->memory, listener, bpf->until);
}
