/* bpf_program.h - instructions of programs for the kernel (bpf(2)), and how they get there. */
#ifndef VMSNAP_BPF_PROGRAM_H
#define VMSNAP_BPF_PROGRAM_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INSN(CODE, DST, SRC, OFF, IMM)                                                                                 \
	{                                                                                                              \
		.code = (CODE), .dst_reg = (DST), .src_reg = (SRC), .off = (short)(OFF), .imm = (IMM)                  \
	}
#define COPY(DST, SRC)             INSN(BPF_ALU64 | BPF_MOV | BPF_X, DST, SRC, 0, 0)
#define SET(DST, NUMBER)           INSN(BPF_ALU64 | BPF_MOV | BPF_K, DST, 0, 0, NUMBER)
#define ADD(DST, SRC)              INSN(BPF_ALU64 | BPF_ADD | BPF_X, DST, SRC, 0, 0)
#define ADD_NUMBER(DST, NUMBER)    INSN(BPF_ALU64 | BPF_ADD | BPF_K, DST, 0, 0, NUMBER)
#define SHIFT_RIGHT(DST, NUMBER)   INSN(BPF_ALU64 | BPF_RSH | BPF_K, DST, 0, 0, NUMBER)
#define LOAD(SIZE, DST, SRC, OFF)  INSN(BPF_LDX | BPF_MEM | (SIZE), DST, SRC, OFF, 0)
#define STORE(SIZE, DST, OFF, SRC) INSN(BPF_STX | BPF_MEM | (SIZE), DST, SRC, OFF, 0)
#define COUNT_UP(DST, SRC)         INSN(BPF_STX | BPF_XADD | BPF_DW, DST, SRC, 0, 0)
#define CALL(FUNCTION)             INSN(BPF_JMP | BPF_CALL, 0, 0, 0, FUNCTION)
#define EXIT                       INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
/* These jump over so many instructions; the two that are of a map count twice. */
#define JUMP(OVER)                  INSN(BPF_JMP | BPF_JA, 0, 0, OVER, 0)
#define IF_NULL(DST, OVER)          INSN(BPF_JMP | BPF_JEQ | BPF_K, DST, 0, OVER, 0)
#define IF_ABOVE(DST, NUMBER, OVER) INSN(BPF_JMP | BPF_JGT | BPF_K, DST, 0, OVER, NUMBER)
#define IF_BIT(DST, BITS, OVER)     INSN(BPF_JMP | BPF_JSET | BPF_K, DST, 0, OVER, BITS)
#define MAP(DST, FD)                INSN(BPF_LD | BPF_DW | BPF_IMM, DST, BPF_PSEUDO_MAP_FD, 0, FD), INSN(0, 0, 0, 0, 0)
#define MAP_VALUE(DST, FD)          INSN(BPF_LD | BPF_DW | BPF_IMM, DST, BPF_PSEUDO_MAP_VALUE, 0, FD), INSN(0, 0, 0, 0, 0)

/* -1 with errno, or the program's descriptor. */
int bpf_program_load(unsigned type, const struct bpf_insn *instructions, size_t count);
/* Has it called at a tracepoint, on all processors: -1 with errno, or the descriptor that it ends with. */
int bpf_program_at(int program, uint64_t tracepoint);
/* How often the kernel did not call it, as one was running on that processor: it tells since Linux 5.12. */
uint64_t bpf_program_missed(int program);

#endif
