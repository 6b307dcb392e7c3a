#define _GNU_SOURCE
#include "fault_programs.h"

#if defined(__x86_64__)
#include <asm/ptrace.h>
#endif
#include <errno.h>
#include <linux/sched.h>
#include <stddef.h>

#include "bpf_program.h"
#include "bpf_ring.h"
#include "tracepoint.h"

/* Of all else, Linux has the tracepoint of RISC-V. */
#if defined(__x86_64__)
enum { INSTRUCTION_AT = offsetof(struct pt_regs, rip) };
#else
enum { INSTRUCTION_AT = -1 };
#endif

/* ---- instructions ------------------------------------------------------------------------ */

#define TOLD(NAME)  ((int)offsetof(struct fault_told, NAME))
#define LAST_NUMBER (PROCESS_NUMBERS - 1)

#define COUNT(INSTRUCTIONS) (sizeof(INSTRUCTIONS) / sizeof(*(INSTRUCTIONS)))

/* ---- faults ------------------------------------------------------------------------------ */

/* It is called with an address, registers, an error code, at the faults of all processes: so it looks first whose it
 * is.  6: what it is called with; 7: whose; 8: the record. */
static int load_faults(const struct fault_programs *programs)
{
	const struct bpf_insn instructions[] = {
		COPY(6, 1),
		CALL(BPF_FUNC_get_current_pid_tgid),
		COPY(7, 0),
		SHIFT_RIGHT(0, 32),
		IF_ABOVE(0, LAST_NUMBER, 40), /* to the end */
		MAP_VALUE(1, programs->watched),
		ADD(1, 0),
		LOAD(BPF_B, 1, 1, 0),
		IF_NULL(1, 35), /* to the end */
		CALL(BPF_FUNC_get_smp_processor_id),
		STORE(BPF_W, 10, -4, 0),
		MAP(1, programs->rings),
		COPY(2, 10),
		ADD_NUMBER(2, -4),
		CALL(BPF_FUNC_map_lookup_elem),
		IF_NULL(0, 23), /* to what was lost */
		COPY(1, 0),
		SET(2, (int)sizeof(struct fault_told)),
		SET(3, 0),
		CALL(BPF_FUNC_ringbuf_reserve),
		IF_NULL(0, 18), /* to what was lost */
		COPY(8, 0),
		LOAD(BPF_DW, 1, 6, 0),
		STORE(BPF_DW, 8, TOLD(address), 1),
		LOAD(BPF_DW, 1, 6, 16),
		STORE(BPF_DW, 8, TOLD(error), 1),
		STORE(BPF_DW, 8, TOLD(ids), 7),
		CALL(BPF_FUNC_ktime_get_ns),
		STORE(BPF_DW, 8, TOLD(time), 0),
		LOAD(BPF_DW, 3, 6, 8),
		ADD_NUMBER(3, INSTRUCTION_AT),
		COPY(1, 8),
		ADD_NUMBER(1, TOLD(ip)),
		SET(2, (int)sizeof(uint64_t)),
		CALL(BPF_FUNC_probe_read_kernel),
		COPY(1, 8),
		SET(2, 0), /* it wakes the reader if that has taken all that was there */
		CALL(BPF_FUNC_ringbuf_submit),
		JUMP(4), /* to the end */
		MAP_VALUE(1, programs->lost),
		SET(2, 1),
		COUNT_UP(1, 2),
		SET(0, 0),
		EXIT,
	};
	return bpf_program_load(BPF_PROG_TYPE_RAW_TRACEPOINT, instructions, COUNT(instructions));
}

static int start_faults(struct fault_programs *programs)
{
	programs->faults = load_faults(programs);
	if (programs->faults < 0)
		return errno;
	union bpf_attr attr = { .raw_tracepoint = { .name = (uintptr_t) "page_fault_user",
		                                    .prog_fd = (unsigned)programs->faults } };
	programs->faults_at = bpf_call(BPF_RAW_TRACEPOINT_OPEN, &attr);
	return programs->faults_at < 0 ? errno : 0;
}

/* ---- births ------------------------------------------------------------------------------ */

/* It is called before the new one runs.  A number that is given out again was somebody else's until now: so this is
 * where those that ended cease to be watched, and nowhere else. */
static int load_births(const struct fault_programs *programs, size_t pid_at, size_t flags_at)
{
	const struct bpf_insn inherit = LOAD(BPF_B, 4, 3, 0), dont = SET(4, 0);
	const struct bpf_insn instructions[] = {
		COPY(6, 1),
		LOAD(BPF_DW, 1, 6, flags_at),
		IF_BIT(1, CLONE_THREAD, 12), /* to the end */
		CALL(BPF_FUNC_get_current_pid_tgid),
		SHIFT_RIGHT(0, 32),
		IF_ABOVE(0, LAST_NUMBER, 9), /* to the end */
		MAP_VALUE(2, programs->watched),
		COPY(3, 2),
		ADD(3, 0),
		programs->children ? inherit : dont,
		LOAD(BPF_W, 5, 6, pid_at),
		IF_ABOVE(5, LAST_NUMBER, 2), /* to the end */
		ADD(2, 5),
		STORE(BPF_B, 2, 0, 4),
		SET(0, 0),
		EXIT,
	};
	return bpf_program_load(BPF_PROG_TYPE_TRACEPOINT, instructions, COUNT(instructions));
}

static int start_births(struct fault_programs *programs)
{
	size_t pid_at, flags_at;
	const struct tracepoint_field fields[] = { { "pid", 4, &pid_at }, { "clone_flags", 8, &flags_at } };
	uint64_t id;
	if (!tracepoint_find("task/task_newtask", fields, sizeof(fields) / sizeof(*fields), &id))
		return ENOENT;
	programs->births = load_births(programs, pid_at, flags_at);
	programs->births_at = programs->births < 0 ? -1 : bpf_program_at(programs->births, id);
	return programs->births_at < 0 ? errno : 0;
}

/* ---- both -------------------------------------------------------------------------------- */

int fault_programs_start(struct fault_programs *programs)
{
	int error = INSTRUCTION_AT < 0 ? ENOSYS : start_births(programs);
	return error || !programs->own ? error : start_faults(programs);
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void fault_programs_stop(struct fault_programs *programs)
{
	close_one(&programs->faults_at);
	close_one(&programs->births_at);
}

uint64_t fault_programs_missed(const struct fault_programs *programs)
{
	return programs->faults < 0 ? 0 : bpf_program_missed(programs->faults);
}

void fault_programs_close(struct fault_programs *programs)
{
	fault_programs_stop(programs);
	close_one(&programs->faults);
	close_one(&programs->births);
}
