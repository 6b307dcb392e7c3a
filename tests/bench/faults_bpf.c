#define _GNU_SOURCE
#include "faults_bpf.h"

#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { RING_BYTES = 4 << 20, INSTRUCTION_AT = 128 /* .ip in struct pt_regs, of x86-64 */ };

static int bpf_call(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

#define INSN(CODE, DST, SRC, OFF, IMM)                                                                                 \
	{                                                                                                              \
		.code = (CODE), .dst_reg = (DST), .src_reg = (SRC), .off = (short)(OFF), .imm = (IMM)                  \
	}
#define COPY(DST, SRC)       INSN(BPF_ALU64 | BPF_MOV | BPF_X, DST, SRC, 0, 0)
#define SET(DST, NUMBER)     INSN(BPF_ALU64 | BPF_MOV | BPF_K, DST, 0, 0, NUMBER)
#define ADD(DST, NUMBER)     INSN(BPF_ALU64 | BPF_ADD | BPF_K, DST, 0, 0, NUMBER)
#define LOAD(DST, SRC, OFF)  INSN(BPF_LDX | BPF_MEM | BPF_DW, DST, SRC, OFF, 0)
#define STORE(DST, OFF, SRC) INSN(BPF_STX | BPF_MEM | BPF_DW, DST, SRC, OFF, 0)
#define CALL(FUNCTION)       INSN(BPF_JMP | BPF_CALL, 0, 0, 0, FUNCTION)
#define FIELD(NAME)          ((int)offsetof(struct fault_told, NAME))

/* The tracepoint has an address, registers, the error code.  6: of these; 7: whose; 8: the record. */
static int load(int map, pid_t pid)
{
	const struct bpf_insn program[] = {
		COPY(6, 1),
		CALL(BPF_FUNC_get_current_pid_tgid),
		COPY(7, 0),
		INSN(BPF_ALU64 | BPF_RSH | BPF_K, 0, 0, 0, 32),
		INSN(BPF_JMP | BPF_JNE | BPF_K, 0, 0, 23, pid), /* to the end */
		INSN(BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_FD, 0, map),
		INSN(0, 0, 0, 0, 0),
		SET(2, (int)sizeof(struct fault_told)),
		SET(3, 0),
		CALL(BPF_FUNC_ringbuf_reserve),
		INSN(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 17, 0), /* to the end */
		COPY(8, 0),
		LOAD(1, 6, 0),
		STORE(8, FIELD(address), 1),
		LOAD(1, 6, 16),
		STORE(8, FIELD(error), 1),
		STORE(8, FIELD(ids), 7),
		CALL(BPF_FUNC_ktime_get_ns),
		STORE(8, FIELD(time), 0),
		LOAD(3, 6, 8),
		ADD(3, INSTRUCTION_AT),
		COPY(1, 8),
		ADD(1, FIELD(instruction)),
		SET(2, 8),
		CALL(BPF_FUNC_probe_read_kernel),
		COPY(1, 8),
		SET(2, BPF_RB_NO_WAKEUP),
		CALL(BPF_FUNC_ringbuf_submit),
		SET(0, 0),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT,
		.insns = (uintptr_t)program,
		.insn_cnt = sizeof(program) / sizeof(program[0]),
		.license = (uintptr_t) "GPL",
	};
	return bpf_call(BPF_PROG_LOAD, &attr);
}

static int attach(int program)
{
	union bpf_attr attr = { .raw_tracepoint = { .name = (uintptr_t) "page_fault_user",
		                                    .prog_fd = (unsigned)program } };
	return bpf_call(BPF_RAW_TRACEPOINT_OPEN, &attr);
}

int faults_bpf_open(struct faults_bpf *bpf, pid_t pid)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_RINGBUF, .max_entries = RING_BYTES };
	bpf->map = bpf_call(BPF_MAP_CREATE, &attr);
	int program = bpf->map < 0 ? -1 : load(bpf->map, pid);
	bpf->link = program < 0 ? -1 : attach(program);
	if (bpf->link < 0)
		return -1;
	close(program);
	bpf->taken = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, bpf->map, 0);
	bpf->written = mmap(NULL, 4096 + 2 * RING_BYTES, PROT_READ, MAP_SHARED, bpf->map, 4096);
	return bpf->taken == MAP_FAILED || bpf->written == MAP_FAILED ? -1 : 0;
}

unsigned faults_bpf_take(struct faults_bpf *bpf)
{
	unsigned long head = __atomic_load_n(bpf->written, __ATOMIC_ACQUIRE), tail = *bpf->taken;
	const char *data = (const char *)bpf->written + 4096;
	unsigned bytes = 0;
	while (tail < head) {
		unsigned header =
		        __atomic_load_n((const unsigned *)(data + (tail & (RING_BYTES - 1))), __ATOMIC_ACQUIRE);
		if (header & BPF_RINGBUF_BUSY_BIT)
			break;
		bytes = ((header & ~BPF_RINGBUF_DISCARD_BIT) + BPF_RINGBUF_HDR_SZ + 7) & ~7U;
		tail += bytes;
	}
	__atomic_store_n(bpf->taken, tail, __ATOMIC_RELEASE);
	return bytes;
}

void faults_bpf_close(struct faults_bpf *bpf)
{
	close(bpf->link);
	munmap(bpf->taken, 4096);
	munmap((void *)bpf->written, 4096 + 2 * RING_BYTES);
	close(bpf->map);
}
