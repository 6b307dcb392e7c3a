/* faults.h - page faults of a process as the kernel told them, one by one, with the calls that led to each: which code
 * copied, made and wrote pages.
 * Included by vmsnap.h, which tells what holds for all of it. */
#ifndef VMSNAP_FAULTS_API_H
#define VMSNAP_FAULTS_API_H

#include <vmsnap/snapshot.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What was watched from one instant to another; never changes once made, and lives until its last holder lets go of
 * it.  A snapshot that was taken at the end may have it (vmsnap_builder_set_faults()), and a file keeps it then. */
struct vmsnap_faults;

/* What the access was, where the kernel told it (VMSNAP_FAULTS_KINDS). */
enum vmsnap_fault_kind {
	VMSNAP_FAULT_UNKNOWN,
	VMSNAP_FAULT_READ,            /* of a page that was not there */
	VMSNAP_FAULT_WRITE_NEW,       /* a write to a page that was not there */
	VMSNAP_FAULT_WRITE_PROTECTED, /* a write to a page that was: it is copied, or was armed */
	VMSNAP_FAULT_FETCH,           /* an instruction of a page that was not there */
	VMSNAP_FAULT_WRITE, /* a write, by what the instruction does; whether the page was there is not known */
	VMSNAP_FAULT_KIND_COUNT
};
const char *vmsnap_fault_kind_name(int kind); /* "write_protected" */
/* Whose doing it is, if not the program's. */
enum vmsnap_fault_flag {
	/* A debugger's breakpoint.  On Linux nothing sets it: a write by ptrace is no page fault of the program's. */
	VMSNAP_FAULT_BREAKPOINT = 1,
	VMSNAP_FAULT_CALL = 2 /* a function that a debugger called */
};
const char *vmsnap_fault_flag_name(unsigned flag); /* of one bit: "breakpoint" */

/* One fault. */
struct vmsnap_fault {
	uint64_t time;    /* CLOCK_MONOTONIC, as struct vmsnap_info, .monotonic */
	uint64_t address; /* that was accessed */
	/* Of the instruction; in a system call, of the one that called the C library, if unwind tables say which (then
	 * it is one of the stack), or of the one that called the kernel; 0: unknown. */
	uint64_t ip;
	int32_t pid, tid;
	uint32_t stack;  /* a number: vmsnap_faults_stack() */
	int32_t syscall; /* the number of the system call it was in; -1: in none, -2: in one that is not known */
	uint8_t kind;    /* enum vmsnap_fault_kind */
	uint8_t flags;   /* enum vmsnap_fault_flag */
	uint16_t unused1;
	uint32_t unused2;
};

/* How it was watched. */
enum vmsnap_faults_flag {
	VMSNAP_FAULTS_KINDS = 1,    /* what each access was is known */
	VMSNAP_FAULTS_ARMED = 2,    /* pages were armed at the begin: each first write of a page is a fault */
	VMSNAP_FAULTS_CHILDREN = 4, /* of processes that were forked meanwhile, too */
	VMSNAP_FAULTS_KERNEL = 8,   /* also those inside system calls */
	VMSNAP_FAULTS_MEMORY = 16   /* and what was given back and moved: vmsnap_faults_memory_event() */
};
const char *vmsnap_faults_flag_name(unsigned flag); /* of one bit: "kinds" */

struct vmsnap_faults_info {
	uint64_t begin, end; /* it was watched from then to then: CLOCK_MONOTONIC */
	uint64_t count;      /* of faults */
	uint64_t lost;       /* faults, forks and execs that happened and are not here; UINT64_MAX: some, nobody knows
	                        how many */
	uint64_t stacks;     /* of different ones */
	uint64_t memory;     /* bytes that all of it takes */
	uint32_t flags;      /* enum vmsnap_faults_flag */
	uint32_t pid;        /* whose snapshots it belongs to; 0: of no one process */
};

/* A program or library that code is of, as it was mapped. */
struct vmsnap_fault_object {
	const char *path; /* as in maps; never NULL */
	const uint8_t *build_id;
	size_t build_id_len;         /* 0: unknown */
	uint64_t start, end, offset; /* of its executable mapping */
};
/* What an address of code is, as far as it was found out. */
struct vmsnap_fault_code {
	uint64_t address;     /* as it is in a stack */
	uint32_t pid;         /* in this process; 0: in all of which no other row tells */
	uint32_t line;        /* 0: unknown */
	uint64_t begin;       /* of the function; 0: unknown */
	const char *function; /* never NULL; "" if unknown, as are the others */
	const char *file;     /* of the source */
	uint32_t object;      /* vmsnap_faults_object(); UINT32_MAX: of none, or unknown */
	uint32_t unused;
};
enum vmsnap_fault_event_kind { VMSNAP_FAULT_EVENT_FORK, VMSNAP_FAULT_EVENT_EXEC };
/* What happened meanwhile: a process made another one, or executed another program.  This struct does not grow. */
struct vmsnap_fault_event {
	uint64_t time; /* CLOCK_MONOTONIC */
	int32_t pid;
	int32_t child; /* of a fork */
	int kind;      /* enum vmsnap_fault_event_kind */
};
/* What became of memory without a fault, by a call of the process.  When it began: it may have failed. */
enum vmsnap_memory_event_kind {
	VMSNAP_MEMORY_EVENT_GIVEN_BACK, /* munmap(2), mmap(2) in its place, madvise(2): its pages are gone */
	VMSNAP_MEMORY_EVENT_FREED,     /* its pages may be gone: the kernel takes them when it needs some (MADV_FREE) */
	VMSNAP_MEMORY_EVENT_MOVED,     /* its pages are at .to now: mremap(2) */
	VMSNAP_MEMORY_EVENT_HEAP_END,  /* above .start there is no heap any more: brk(2) */
	VMSNAP_MEMORY_EVENT_COLLAPSED, /* made huge pages of small ones, and zeros where there were none */
	/* .pid has the memory of the process .to: vfork(2), CLONE_VM.  It was made then; or before, and who was watched
	 * from then on tells it. */
	VMSNAP_MEMORY_EVENT_SHARED
};
/* This struct does not grow. */
struct vmsnap_memory_event {
	uint64_t time;       /* CLOCK_MONOTONIC */
	uint64_t start, end; /* addresses; end is start where there is but one */
	uint64_t to;         /* as above; of what is, or may be, given back, and of a heap: when that was over, 0: not known */
	int32_t pid;
	int kind; /* enum vmsnap_memory_event_kind */
};
struct vmsnap_fault_thread {
	int32_t pid, tid;
	const char *comm; /* "" if unknown */
};

/* NULL is fine for both. */
struct vmsnap_faults *vmsnap_faults_ref(const struct vmsnap_faults *faults);
void vmsnap_faults_unref(const struct vmsnap_faults *faults);
/* What a snapshot has; NULL: none.  It lives as long as the snapshot does, or its other holders. */
const struct vmsnap_faults *vmsnap_faults_of(const struct vmsnap *snap);

const struct vmsnap_faults_info *vmsnap_faults_info(const struct vmsnap_faults *faults);
size_t vmsnap_faults_count(const struct vmsnap_faults *faults);
/* In the order of time; NULL past the end. */
const struct vmsnap_fault *vmsnap_faults_at(const struct vmsnap_faults *faults, size_t index);
/* The calls that led to a fault, innermost first: [0] is the fault's instruction, those after it lie within the
 * instruction that called (its return address minus 1).  *count 0, NULL: not known. */
const uint64_t *vmsnap_faults_stack(const struct vmsnap_faults *faults, uint32_t stack, size_t *count);

/* The first fault of a process in [start, end) after that time that was a write, or is not known to be none; NULL: none
 * was seen. */
const struct vmsnap_fault *vmsnap_faults_first_write(const struct vmsnap_faults *faults, int32_t pid, uint64_t start,
                                                     uint64_t end, uint64_t after);

/* In the order of time; NULL past the end. */
const struct vmsnap_fault_event *vmsnap_faults_event(const struct vmsnap_faults *faults, size_t index);
/* In the order of time; NULL past the end. */
const struct vmsnap_memory_event *vmsnap_faults_memory_event(const struct vmsnap_faults *faults, size_t index);

/* Names, kept beside the faults so that they are there wherever a file is read. */
/* NULL: nobody told. */
const struct vmsnap_fault_code *vmsnap_faults_code_at(const struct vmsnap_faults *faults, uint32_t pid,
                                                      uint64_t address);
/* All of them in the order of addresses, then of processes; NULL past the end, as in the next four. */
const struct vmsnap_fault_code *vmsnap_faults_code(const struct vmsnap_faults *faults, size_t index);
const struct vmsnap_fault_object *vmsnap_faults_object(const struct vmsnap_faults *faults, size_t index);
/* All that have faults, maybe others too, in the order of pid, then tid. */
const struct vmsnap_fault_thread *vmsnap_faults_thread(const struct vmsnap_faults *faults, size_t index);
/* In the order of numbers: the name of a system call, and its number. */
const char *vmsnap_faults_syscall(const struct vmsnap_faults *faults, size_t index, int32_t *number);
/* "" if nobody told. */
const char *vmsnap_faults_comm(const struct vmsnap_faults *faults, int32_t pid, int32_t tid);
/* What system call a number is on the machine of these faults: "read"; "" if nobody told. */
const char *vmsnap_faults_syscall_name(const struct vmsnap_faults *faults, int32_t number);

/* ---- made of what is given ------------------------------------------------ */

/* What is more than that is refused: VMSNAP_ERR_TOO_LARGE, and nothing is added. */
enum {
	VMSNAP_FAULTS_MAX = 1 << 24,
	VMSNAP_FAULT_FRAMES_MAX = 512, /* of one stack */
	VMSNAP_FAULT_NAME_MAX = 4096   /* bytes of one string */
};

/* Faults in the making; of one thread.  Everything given is copied. */
struct vmsnap_faults_builder;
/* from: begins with all that these have; NULL: with nothing. */
int vmsnap_faults_builder_new(const struct vmsnap_faults *from, struct vmsnap_faults_builder **out,
                              struct vmsnap_error *err);
void vmsnap_faults_builder_free(struct vmsnap_faults_builder *builder); /* NULL is fine */
/* begin, end, lost, flags and pid; the rest is counted. */
int vmsnap_faults_builder_set_sized(struct vmsnap_faults_builder *builder, const struct vmsnap_faults_info *info,
                                    size_t size, struct vmsnap_error *err);
static inline int vmsnap_faults_builder_set(struct vmsnap_faults_builder *builder,
                                            const struct vmsnap_faults_info *info, struct vmsnap_error *err)
{
	return vmsnap_faults_builder_set_sized(builder, info, sizeof(*info), err);
}
/* In any order.  fault->stack is not looked at: it is made of the frames, each different stack kept once. */
int vmsnap_faults_builder_add_sized(struct vmsnap_faults_builder *builder, const struct vmsnap_fault *fault,
                                    size_t size, const uint64_t *frames, size_t count, struct vmsnap_error *err);
static inline int vmsnap_faults_builder_add(struct vmsnap_faults_builder *builder, const struct vmsnap_fault *fault,
                                            const uint64_t *frames, size_t count, struct vmsnap_error *err)
{
	return vmsnap_faults_builder_add_sized(builder, fault, sizeof(*fault), frames, count, err);
}
/* *index: what vmsnap_fault_code, .object says. */
int vmsnap_faults_builder_add_object_sized(struct vmsnap_faults_builder *builder,
                                           const struct vmsnap_fault_object *object, size_t size, uint32_t *index,
                                           struct vmsnap_error *err);
static inline int vmsnap_faults_builder_add_object(struct vmsnap_faults_builder *builder,
                                                   const struct vmsnap_fault_object *object, uint32_t *index,
                                                   struct vmsnap_error *err)
{
	return vmsnap_faults_builder_add_object_sized(builder, object, sizeof(*object), index, err);
}
/* In any order; of two of one address and process, threads and calls likewise, the later one is taken. */
int vmsnap_faults_builder_add_code_sized(struct vmsnap_faults_builder *builder, const struct vmsnap_fault_code *code,
                                         size_t size, struct vmsnap_error *err);
static inline int vmsnap_faults_builder_add_code(struct vmsnap_faults_builder *builder,
                                                 const struct vmsnap_fault_code *code, struct vmsnap_error *err)
{
	return vmsnap_faults_builder_add_code_sized(builder, code, sizeof(*code), err);
}
int vmsnap_faults_builder_add_thread(struct vmsnap_faults_builder *builder, int32_t pid, int32_t tid, const char *comm,
                                     struct vmsnap_error *err);
int vmsnap_faults_builder_add_syscall(struct vmsnap_faults_builder *builder, int32_t number, const char *name,
                                      struct vmsnap_error *err);
/* In any order. */
int vmsnap_faults_builder_add_event(struct vmsnap_faults_builder *builder, const struct vmsnap_fault_event *event,
                                    struct vmsnap_error *err);
/* In any order. */
int vmsnap_faults_builder_add_memory_event(struct vmsnap_faults_builder *builder,
                                           const struct vmsnap_memory_event *event, struct vmsnap_error *err);
/* With one holder.  The builder is empty then, and only to be freed. */
int vmsnap_faults_builder_finish(struct vmsnap_faults_builder *builder, struct vmsnap_faults **out,
                                 struct vmsnap_error *err);

/* Faults of a thread at some time are somebody else's doing.  This struct does not grow. */
struct vmsnap_fault_mark {
	uint64_t begin, end; /* CLOCK_MONOTONIC */
	int32_t tid;         /* 0: any */
	uint32_t flags;      /* enum vmsnap_fault_flag */
};
/* Those of several times as one, marked; what their code is called is left out: vmsnap_faults_name(). */
int vmsnap_faults_join(const struct vmsnap_faults *const *parts, size_t count, const struct vmsnap_fault_mark *marks,
                       size_t mark_count, struct vmsnap_faults **out, struct vmsnap_error *err);
/* Those of one process, with the names of their code: for the snapshot of that process. */
int vmsnap_faults_of_process(const struct vmsnap_faults *faults, int32_t pid, struct vmsnap_faults **out,
                             struct vmsnap_error *err);

/* ---- given to snapshots --------------------------------------------------- */

/* Page faults on their way to the snapshots of their processes: of faults that are taken now and then, and snapshots
 * that are taken meanwhile, each snapshot gets those that its process had since the one before. Of one thread at a
 * time. */
struct vmsnap_fault_shares;
int vmsnap_fault_shares_new(struct vmsnap_fault_shares **out, struct vmsnap_error *err);
void vmsnap_fault_shares_free(struct vmsnap_fault_shares *shares); /* NULL is fine */
/* What a watch gave, with what is known of its code.  In the order of time; held as long as some of it waits. */
int vmsnap_fault_shares_add(struct vmsnap_fault_shares *shares, const struct vmsnap_faults *faults,
                            struct vmsnap_error *err);
enum vmsnap_fault_shares_flag {
	/* The snapshots are of all processes that are there: faults of those that have none, as they have ended, go to
	 * that of their parent, or the parent's parent, or to the first. Else they wait. */
	VMSNAP_FAULT_SHARES_ALL = 1
};
/* Of the snapshots of one instant, of different processes, as many that have the faults until then in out; to be
 * unref'ed.  One that is the first of its process, of which no begin was seen, is the same as before: nobody can say
 * what became of its pages.  What was lost may have been anybody's: each has all of it since the one before. */
int vmsnap_fault_shares_give(struct vmsnap_fault_shares *shares, const struct vmsnap *const *snaps, size_t count,
                             unsigned flags, struct vmsnap **out, struct vmsnap_error *err);
/* So many faults are there of which there is no later snapshot yet. */
uint64_t vmsnap_fault_shares_left(const struct vmsnap_fault_shares *shares);

#ifdef __cplusplus
}
#endif
#endif
