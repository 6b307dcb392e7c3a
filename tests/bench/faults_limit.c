/* faults_limit [ROUNDS [copies]] - what the kernel can be asked for to tell of each page fault, and what a first touch
 * of a page takes with it, or a copy: a child touches pages on one processor, and on another its parent reads what
 * comes.  What vmsnap blame asks for is held against the least: an address and an instruction.
 *
 * Prints for each way the least and the median of all looks, in microseconds, how much longer than without that is,
 * and the bytes of a record.  BPF and the tracepoint need root, that tracefs at its place; registers are those of
 * x86-64.
 *
 *     cc -O2 -std=c17 -Icore/{include,base,capture} -o faults_limit tests/bench/faults_limit.c
 * core/base/{clock,error}.c
 * \ core/capture/{fault_bpf,fault_programs,memory_calls,bpf_program,bpf_ring,perf_ring,tracepoint}.c && sudo
 * ./faults_limit
 *
 * With -fno-omit-frame-pointer call chains are as long as its calls are deep. */
#define _GNU_SOURCE
#include <asm/perf_regs.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fault_bpf.h"

enum { PAGES = 2000, DEEP = 4, RING = 4 << 20, READER_CPU = 0, TOUCHER_CPU = 1, LOOKS = 20, ROUNDS_MOST = 1000 };
#define BIT(NAME) (UINT64_C(1) << PERF_REG_X86_##NAME)
#define PLACE     (BIT(BP) | BIT(SP) | BIT(IP))
#define WHOM      (PERF_SAMPLE_TID | PERF_SAMPLE_TIME)
#define WHERE     (PERF_SAMPLE_IP | PERF_SAMPLE_ADDR)
#define STACK     (PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER)

struct way {
	const char *name;
	int tracepoint; /* else the software event, if anything is asked for */
	int bpf;        /* by programs of vmsnap's in the kernel, else by perf_event_open(2) */
	uint64_t asked, registers;
	uint32_t stack;
	uint16_t frames;
};
static const struct way ways[] = {
	{ .name = "not watched" },
	{ .name = "programs in the kernel (vmsnap blame, root)", .bpf = 1 },
	{ .name = "software event: address, instruction", .asked = WHERE },
	{ .name = "and thread, time", .asked = WHERE | WHOM },
	{ .name = "and two registers (vmsnap blame, a user)",
	  .asked = WHERE | WHOM | PERF_SAMPLE_REGS_USER,
	  .registers = BIT(SI) | BIT(DI) },
	{ .name = "five, and an empty chain (as it was)",
	  .asked = WHERE | WHOM | PERF_SAMPLE_REGS_USER | PERF_SAMPLE_CALLCHAIN,
	  .registers = PLACE | BIT(SI) | BIT(DI) },
	{ .name = "tracepoint (without bpf(2))", .tracepoint = 1, .asked = WHOM | PERF_SAMPLE_RAW },
	{ .name = "and an empty chain (as it was)",
	  .tracepoint = 1,
	  .asked = WHERE | WHOM | PERF_SAMPLE_RAW | PERF_SAMPLE_CALLCHAIN },
	{ .name = "a chain of 32 (--by stack)",
	  .tracepoint = 1,
	  .asked = WHOM | PERF_SAMPLE_RAW | PERF_SAMPLE_CALLCHAIN,
	  .frames = 32 },
	{ .name = "256 bytes of the stack",
	  .tracepoint = 1,
	  .asked = WHOM | PERF_SAMPLE_RAW | STACK,
	  .registers = PLACE,
	  .stack = 256 },
	{ .name = "1,024 bytes",
	  .tracepoint = 1,
	  .asked = WHOM | PERF_SAMPLE_RAW | STACK,
	  .registers = PLACE,
	  .stack = 1024 },
	{ .name = "8,192 bytes",
	  .tracepoint = 1,
	  .asked = WHOM | PERF_SAMPLE_RAW | STACK,
	  .registers = PLACE,
	  .stack = 8192 },
};
enum { WAYS = sizeof(ways) / sizeof(ways[0]) };

static uint64_t tracepoint;
static volatile char *memory;

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e6 + (double)time.tv_nsec * 1e-3;
}

static void must(int well, const char *what)
{
	if (well)
		return;
	perror(what);
	exit(1);
}

static void run_on(int cpu)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	must(!sched_setaffinity(0, sizeof(set), &set), "sched_setaffinity");
}

/* ---- who touches ---- */

__attribute__((noinline)) static void touch(int deeper)
{
	if (deeper)
		touch(deeper - 1);
	else
		for (size_t i = 0; i < PAGES; i++)
			memory[i * 4096] = 1;
	__asm__ volatile(""); /* it is a call, and comes back */
}

/* Pages that are new, or that a child has, too, so that each is copied. */
static pid_t make_ready(int copies)
{
	if (!copies) {
		madvise((void *)memory, (size_t)PAGES * 4096, MADV_DONTNEED);
		return 0;
	}
	pid_t other = fork();
	if (!other)
		for (;;)
			pause();
	return other;
}

static void toucher(int asked, int answers, int copies)
{
	char any;
	run_on(TOUCHER_CPU);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	memory = mmap(NULL, (size_t)PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	madvise((void *)memory, (size_t)PAGES * 4096, MADV_NOHUGEPAGE);
	touch(0);
	while (read(asked, &any, 1) == 1) {
		pid_t other = make_ready(copies);
		double begun = now();
		touch(DEEP);
		double each = (now() - begun) / PAGES;
		if (other > 0) {
			kill(other, SIGKILL);
			waitpid(other, NULL, 0);
		}
		if (write(answers, &each, sizeof(each)) != sizeof(each))
			break;
	}
	_exit(0);
}

/* ---- who watches ---- */

static int open_event(struct perf_event_attr attr, pid_t pid)
{
	attr.size = sizeof(attr);
	attr.use_clockid = 1;
	attr.clockid = CLOCK_MONOTONIC;
	attr.watermark = 1;
	int fd = (int)syscall(SYS_perf_event_open, &attr, pid, TOUCHER_CPU, -1, PERF_FLAG_FD_CLOEXEC);
	must(fd >= 0, "perf_event_open");
	return fd;
}

static int open_way(const struct way *way, pid_t pid, int ring)
{
	int fd = open_event(
	        (struct perf_event_attr){
	                .type = way->tracepoint ? PERF_TYPE_TRACEPOINT : PERF_TYPE_SOFTWARE,
	                .config = way->tracepoint ? tracepoint : PERF_COUNT_SW_PAGE_FAULTS,
	                .sample_period = 1,
	                .sample_type = way->asked,
	                .sample_regs_user = way->registers,
	                .sample_stack_user = way->stack,
	                .sample_max_stack = way->frames,
	                .exclude_callchain_kernel = 1,
	                .exclude_callchain_user = !way->frames,
	                .exclude_kernel = !way->tracepoint,
	                .inherit = 1,
	        },
	        pid);
	must(!ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, ring), "PERF_EVENT_IOC_SET_OUTPUT");
	return fd;
}

/* Returns the size of a record. */
static unsigned take_in(struct perf_event_mmap_page *ring)
{
	uint64_t head = __atomic_load_n(&ring->data_head, __ATOMIC_ACQUIRE), tail = ring->data_tail;
	unsigned size = 0;
	while (tail < head) {
		const struct perf_event_header *record = (const void *)((char *)ring + 4096 + (tail & (RING - 1)));
		size = record->type == PERF_RECORD_SAMPLE ? record->size : size;
		tail += record->size;
	}
	__atomic_store_n(&ring->data_tail, tail, __ATOMIC_RELEASE);
	return size;
}

static int count_one(void *size, const struct fault_sample *sample)
{
	(void)sample;
	*(unsigned *)size = BPF_RINGBUF_HDR_SZ + sizeof(struct fault_told);
	return 0;
}

static int ignore(void *ctx, const struct vmsnap_memory_event *event)
{
	(void)ctx;
	(void)event;
	return 0;
}

static int ignore_birth(void *ctx, uint64_t time, pid_t parent, pid_t child)
{
	(void)ctx;
	(void)time;
	(void)parent;
	(void)child;
	return 0;
}

static double one_look(int asks, int answers, int ring, struct perf_event_mmap_page *at, struct fault_bpf *bpf,
                       unsigned *size)
{
	const struct memory_listener ignored = { ignore, ignore_birth, NULL };
	struct pollfd comes[2] = { { .fd = answers, .events = POLLIN }, { .fd = ring, .events = POLLIN } };
	double each = 0;
	must(write(asks, "t", 1) == 1, "write");
	while (!(comes[0].revents & POLLIN)) {
		poll(comes, 2, 20);
		unsigned got = 0;
		if (bpf)
			fault_bpf_drain(bpf, count_one, &got, &ignored);
		else
			got = take_in(at);
		*size = got ? got : *size;
	}
	must(read(answers, &each, sizeof(each)) == sizeof(each), "read");
	return each;
}

/* Events are opened anew, for while there are any, the kernel looks for them at the faults of all. */
static void one_round(const struct way *way, pid_t pid, int asks, int answers, double took[LOOKS], unsigned *size)
{
	int ring = open_event((struct perf_event_attr){ .type = PERF_TYPE_SOFTWARE,
	                                                .config = PERF_COUNT_SW_DUMMY,
	                                                .exclude_kernel = 1,
	                                                .wakeup_watermark = RING / 4 },
	                      0);
	struct perf_event_mmap_page *at = mmap(NULL, 4096 + RING, PROT_READ | PROT_WRITE, MAP_SHARED, ring, 0);
	must(at != MAP_FAILED, "mmap");
	int event = way->asked ? open_way(way, pid, ring) : -1;
	struct fault_bpf bpf;
	if (way->bpf) {
		must(!(errno = fault_bpf_open(&bpf, RING, true, true)), "bpf");
		fault_bpf_add(&bpf, pid);
	}
	for (int i = 0; i < LOOKS; i++)
		took[i] = one_look(asks, answers, ring, at, way->bpf ? &bpf : NULL, size);
	if (way->bpf)
		fault_bpf_close(&bpf);
	if (event >= 0)
		close(event);
	munmap(at, 4096 + RING);
	close(ring);
}

/* ---- all of it ---- */

static int in_order(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;
	return (left > right) - (left < right);
}

static void find_tracepoint(void)
{
	FILE *file = fopen("/sys/kernel/tracing/events/exceptions/page_fault_user/id", "r");
	if (file && fscanf(file, "%lu", &tracepoint) != 1)
		tracepoint = 0;
	if (file)
		fclose(file);
}

int main(int argc, char **argv)
{
	static double took[WAYS][ROUNDS_MOST * LOOKS];
	unsigned sizes[WAYS] = { 0 };
	int rounds = argc > 1 ? atoi(argv[1]) : 20, asks[2], answers[2];
	must(rounds > 0 && rounds <= ROUNDS_MOST && !pipe(asks) && !pipe(answers), "faults_limit");
	find_tracepoint();
	pid_t pid = fork();
	if (!pid) {
		close(asks[1]);
		toucher(asks[0], answers[1], argc > 2 && !strcmp(argv[2], "copies"));
	}
	run_on(READER_CPU);
	/* In turn, for a machine's time is not all alike. */
	for (int round = 0; round < rounds; round++)
		for (int i = 0; i < WAYS; i++)
			if (!ways[i].tracepoint || tracepoint)
				one_round(&ways[i], pid, asks[1], answers[0], took[i] + round * LOOKS, &sizes[i]);
	close(asks[1]);
	waitpid(pid, NULL, 0);
	size_t count = (size_t)rounds * LOOKS;
	for (int i = 0; i < WAYS; i++) {
		qsort(took[i], count, sizeof(took[i][0]), in_order);
		double least = took[i][0], median = took[i][count / 2];
		printf("%-42s %5.2f %+4.0f %%  %5.2f %+4.0f %%  %5u bytes\n", ways[i].name, least,
		       (least / took[0][0] - 1) * 100, median, (median / took[0][count / 2] - 1) * 100, sizes[i]);
	}
	return 0;
}
