/* core_notes.h - what the notes of a core file tell of a process. */
#ifndef VMSNAP_CORE_NOTES_H
#define VMSNAP_CORE_NOTES_H

#include "core_elf.h"

struct core_thread {
	uint32_t tid;
	uint64_t stack_pointer; /* 0: not known */
};

/* A range of addresses that shows a file, from NT_FILE. */
struct core_mapped {
	uint64_t start, end, offset;
	const char *name; /* in core_notes.names */
};

struct core_notes {
	/* NT_PRPSINFO */
	bool has_process;
	char state, comm[17];
	uint32_t pid, ppid, uid, gid;
	/* NT_PRSTATUS, NT_SIGINFO: the first thread is the one that was ended. */
	struct core_thread *threads;
	size_t thread_count, thread_room;
	uint32_t signal; /* that it had last; 0: none */
	bool has_fault;
	uint64_t fault, pending, held;
	/* NT_AUXV; 0: not told */
	uint64_t page_size, vdso, random, headers, entry;
	/* NT_FILE, in the order of addresses */
	struct core_mapped *mapped;
	size_t mapped_count;
	char *names;
	size_t names_len;
};

/* work: is charged for what it takes. */
int core_notes_read(const struct core_elf *elf, struct work *work, struct core_notes *out, struct vmsnap_error *err);
void core_notes_free(struct core_notes *notes, struct work *work);
/* What is mapped at an address; NULL: no file, or nothing. */
const struct core_mapped *core_mapped_at(const struct core_notes *notes, uint64_t address);

#endif
