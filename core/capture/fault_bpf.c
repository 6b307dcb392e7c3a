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

/* A map of one value that we see as memory of ours, zero now. */
static int open_value(int *map, void *out, size_t bytes)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY,
		.key_size = sizeof(unsigned),
		.value_size = (unsigned)bytes,
		.max_entries = 1,
		.map_flags = BPF_F_MMAPABLE,
	};
	*map = bpf_call(BPF_MAP_CREATE, &attr);
	void *at = *map < 0 ? MAP_FAILED : mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, *map, 0);
	if (at == MAP_FAILED)
		return errno;
	*(void **)out = at;
	return 0;
}

static int open_all(struct fault_bpf *bpf, size_t bytes, bool children)
{
	if (geteuid() || !numbers_are_the_kernels())
		return EPERM;
	int error = open_value(&bpf->programs.watched, &bpf->watched, PROCESS_NUMBERS);
	error = error ? error : open_value(&bpf->programs.lost, &bpf->lost, sizeof(*bpf->lost));
	error = error ? error : bpf_rings_open(&bpf->rings, bytes);
	bpf->programs.rings = bpf->rings.map;
	bpf->programs.children = children;
	return error ? error : fault_programs_start(&bpf->programs);
}

int fault_bpf_open(struct fault_bpf *bpf, size_t bytes, bool children)
{
	*bpf = (struct fault_bpf){
		.programs = { .watched = -1, .lost = -1, .faults = -1, .faults_at = -1, .births = -1, .births_at = -1 },
		.rings = { .map = -1, .poll = -1 },
		.until = UINT64_MAX,
	};
	int error = open_all(bpf, bytes, children);
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

/* The kernel may let go of the programs somewhat later. */
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

int fault_bpf_drain(struct fault_bpf *bpf, int (*fn)(void *ctx, const struct fault_sample *sample), void *ctx)
{
	struct draining draining = { bpf, fn, ctx };
	return bpf_rings_drain(&bpf->rings, take, &draining);
}
