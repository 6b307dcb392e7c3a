#define _GNU_SOURCE
#include "bpf_program.h"

#include <errno.h>
#include <sys/ioctl.h>

#include "bpf_ring.h"
#include "perf_ring.h"

int bpf_program_load(unsigned type, const struct bpf_insn *instructions, size_t count)
{
	union bpf_attr attr = {
		.prog_type = type,
		.insns = (uintptr_t)instructions,
		.insn_cnt = (unsigned)count,
		.license = (uintptr_t) "GPL", /* the kernel's functions that they call are for such programs */
		.prog_name = "vmsnap",
	};
	return bpf_call(BPF_PROG_LOAD, &attr);
}

/* An event of one processor is enough: a program at it is called on all. */
int bpf_program_at(int program, uint64_t tracepoint)
{
	const struct perf_event_attr attr = { .size = sizeof(attr),
		                              .type = PERF_TYPE_TRACEPOINT,
		                              .config = tracepoint };
	int fd = perf_event_open_fd(&attr, -1, 0);
	if (fd < 0 || !ioctl(fd, PERF_EVENT_IOC_SET_BPF, program))
		return fd;
	int error = errno;
	close(fd);
	errno = error;
	return -1;
}

uint64_t bpf_program_missed(int program)
{
	enum { RECURSION_MISSES = 26, WORDS };
	uint64_t words[WORDS] = { 0 }; /* of struct bpf_prog_info */
	union bpf_attr attr = {
		.info = { .bpf_fd = (unsigned)program, .info_len = sizeof(words), .info = (uintptr_t)words }
	};
	return bpf_call(BPF_OBJ_GET_INFO_BY_FD, &attr) ? 0 : words[RECURSION_MISSES];
}
