/* faults.h - page faults, with the calls that led to them: what struct vmsnap_faults holds.  Filled by its builder or
 * by the file reader, then never changed. */
#ifndef VMSNAP_FAULTS_H
#define VMSNAP_FAULTS_H

#include <stdatomic.h>
#include <stdbool.h>

#include "arena.h"
#include "vmsnap.h"
#include "work.h"

/* What a file may say, too (docs/format.md, EVNT). */
enum {
	FAULT_STACKS_MAX = 1 << 22,
	FAULT_ALL_FRAMES_MAX = 1 << 26,
	FAULT_OBJECTS_MAX = 1 << 16,
	FAULT_CODE_MAX = 1 << 22,
	FAULT_THREADS_MAX = 1 << 22,
	FAULT_SYSCALLS_MAX = 4096,
	FAULT_EVENTS_MAX = 1 << 20,
	FAULT_MEMORY_EVENTS_MAX = 1 << 22,
	FAULT_STRINGS_MAX = 1 << 28 /* bytes of all of them */
};
enum { FAULTS_FLAGS_ALL = (VMSNAP_FAULTS_MEMORY << 1) - 1, FAULT_FLAGS_ALL = (VMSNAP_FAULT_CALL << 1) - 1 };
enum { FAULT_SYSCALL_NONE = -1, FAULT_SYSCALL_UNKNOWN = -2 };
#define FAULT_NO_OBJECT UINT32_MAX

struct fault_stack {
	uint32_t first, count; /* in frames */
};
struct fault_syscall {
	int32_t number;
	const char *name;
};

struct vmsnap_faults {
	atomic_uint holders;
	struct vmsnap_faults *self; /* those that hold it have it const */
	struct vmsnap_faults_info info;
	struct vmsnap_fault *items; /* in the order of time */
	size_t count;
	struct fault_stack *stacks;
	size_t stack_count;
	uint64_t *frames;
	size_t frame_count;
	struct vmsnap_fault_object *objects;
	size_t object_count;
	struct vmsnap_fault_code *code; /* by address, then pid, each another one */
	size_t code_count;
	struct vmsnap_fault_thread *threads; /* by pid, then tid, each another one */
	size_t thread_count;
	struct fault_syscall *syscalls; /* by number, each another one */
	size_t syscall_count;
	struct vmsnap_fault_event *events; /* in the order of time */
	size_t event_count;
	struct vmsnap_memory_event *memory_events; /* in the order of time */
	size_t memory_event_count;
	struct arena strings; /* what the above points to */
};

/* Empty, with one holder.  NULL if there is no memory. */
struct vmsnap_faults *faults_new(void);
/* What is counted of it: info.count, .stacks, .memory. */
void faults_count(struct vmsnap_faults *faults);
/* <0, 0 or >0: the orders that they are kept in. */
int fault_code_order(const void *a, const void *b, const void *ctx);
int fault_thread_order(const void *a, const void *b, const void *ctx);
int fault_syscall_order(const void *a, const void *b, const void *ctx);
/* Whether that can be, in a file too. */
bool memory_event_is_valid(const struct vmsnap_memory_event *event);
/* The same faults; of code only which object it is of is left.  VMSNAP_ERR_NO_MEMORY. */
int faults_without_names(const struct vmsnap_faults *faults, struct vmsnap_faults **out);

/* Of several processes as one, with all that is known of each; what was lost is counted once, as of one watch. */
int faults_of_processes(const struct vmsnap_faults *const *parts, size_t count, struct vmsnap_faults **out,
                        struct vmsnap_error *err);

/* ---- in the making ---- */

/* What a builder has so far; NULL: it is finished. */
const struct vmsnap_faults *faults_in_making(const struct vmsnap_faults_builder *builder);
/* What there is no room for is let go of, and *dropped says so: then VMSNAP_FAULTS_MEMORY does not hold, and something
 * was lost. */
int faults_add_memory_event(struct vmsnap_faults_builder *builder, const struct vmsnap_memory_event *event,
                            bool *dropped, struct vmsnap_error *err);
/* What the addresses of a stack are in a process, as others know it. */
int faults_copy_code(struct vmsnap_faults_builder *builder, const struct vmsnap_faults *from, int32_t pid,
                     uint32_t stack, struct vmsnap_error *err);
/* All that is known of code. */
int faults_copy_all_code(struct vmsnap_faults_builder *builder, const struct vmsnap_faults *from,
                         struct vmsnap_error *err);

#endif
