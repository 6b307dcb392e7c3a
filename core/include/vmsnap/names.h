/* names.h - what lies at an address, by the ELF files of this machine and by a debugger's word.
 * Included by vmsnap.h, which tells what holds for all of it. */
#ifndef VMSNAP_NAMES_API_H
#define VMSNAP_NAMES_API_H

#include <vmsnap/snapshot.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Names the addresses of one snapshot from the ELF files on this machine, or, while the process
 * lives, from those that it has itself.  A file is believed only if it is the one that was mapped
 * (build ID; without one, device, inode and a change time before the snapshot), and did not change
 * after the program began: it may have been overwritten in place. */
struct vmsnap_names;
/* sysroot: folder below which the files are looked up, or NULL for "/". */
int vmsnap_names_new(const struct vmsnap *snap, const char *sysroot, struct vmsnap_names **out,
                     struct vmsnap_error *err);
void vmsnap_names_free(struct vmsnap_names *names);
/* From now on the names of another snapshot, as if new (there are no fallbacks any more),
 * but what was read of files that it maps too is kept: a second look at a process costs
 * little.  If it fails, nothing changes. */
int vmsnap_names_rebind(struct vmsnap_names *names, const struct vmsnap *snap, struct vmsnap_error *err);
/* From now on asked now and then while files are read, which may be long: what asks for
 * names fails with VMSNAP_ERR_CANCELLED then, and may ask again.  NULL: never cancelled. */
void vmsnap_names_set_cancelled(struct vmsnap_names *names, bool (*cancelled)(void *ctx), void *ctx);
/* Uses the captured names of another snapshot too (of the parent, or from before):
 * for a snapshot that was taken where no debugger could look; and of its parent the
 * stacks of the threads that a fork leaves behind.  A variable
 * that both have is told once, as the snapshot itself, or the fallback added first,
 * has it.  If that is known to be of another program, nothing is used and a warning says
 * so. */
int vmsnap_names_add_fallback(struct vmsnap_names *names, const struct vmsnap *from, struct vmsnap_error *err);

enum vmsnap_name_kind {
	VMSNAP_NAME_OBJECT, /* a variable, static ones included */
	VMSNAP_NAME_FUNCTION,
	VMSNAP_NAME_OTHER_SYMBOL, /* an untyped symbol */
	VMSNAP_NAME_THREAD_STACK, /* symbol: "stack of thread TID (comm)" */
	VMSNAP_NAME_MAPPING,      /* symbol is NULL; object: [heap], [stack], [vdso], … */
	VMSNAP_NAME_LOCAL,        /* this and the next two: captured names */
	VMSNAP_NAME_ARGUMENT,
	VMSNAP_NAME_THREAD_LOCAL,
	VMSNAP_NAME_STACK_GUARD, /* symbol: "guard of the stack of thread TID (comm)" */
	VMSNAP_NAME_MALLOC_HEAP, /* symbol: "malloc heap of arena 0x7f1234000030", "reserved for malloc heap …" */
};
const char *vmsnap_name_kind_name(int kind); /* "thread_stack" */

struct vmsnap_name {
	int kind;
	const char *symbol;   /* raw bytes; owned by the names */
	const char *object;   /* path or [name] of the mapping */
	uint64_t address;     /* where the symbol begins */
	uint64_t size;        /* 0: unknown */
	const char *function; /* of a local or an argument, else NULL */
	uint32_t frame, tid;  /* of a captured name */
};

/* The symbol that covers address, else the thread's stack, else the mapping.  Of
 * captured names the narrowest, unless a file knows a narrower one.
 * VMSNAP_ERR_NOT_FOUND in a gap or in nameless anonymous memory. */
int vmsnap_name_at_sized(struct vmsnap_names *names, uint64_t address, struct vmsnap_name *out, size_t size);
static inline int vmsnap_name_at(struct vmsnap_names *names, uint64_t address, struct vmsnap_name *out)
{
	return vmsnap_name_at_sized(names, address, out, sizeof(*out));
}
/* What a mapping of anonymous memory is that has no name of its own (index: as vmsnap_vma() counts):
 * a thread's stack, or those of several; the memory without access right below one, its guard; a heap
 * of malloc's, or what is reserved for it to grow; or, as kind VMSNAP_NAME_MAPPING with the path in
 * object, where a file's segment goes on beyond the file (.bss).  address and size: what of the mapping
 * is that.  VMSNAP_ERR_NOT_FOUND: none of these, as far as is known. */
int vmsnap_name_of_mapping_sized(struct vmsnap_names *names, size_t index, struct vmsnap_name *out, size_t size);
static inline int vmsnap_name_of_mapping(struct vmsnap_names *names, size_t index, struct vmsnap_name *out)
{
	return vmsnap_name_of_mapping_sized(names, index, out, sizeof(*out));
}
/* What people call a mapping. */
enum vmsnap_mapping_kind {
	VMSNAP_MAPPING_PROGRAM,      /* of the executable file, with its .bss */
	VMSNAP_MAPPING_LIBRARY,      /* of a file that is mapped executable, too, with its .bss */
	VMSNAP_MAPPING_HEAP,         /* what brk(2) gave: [heap] */
	VMSNAP_MAPPING_STACK,        /* of the first thread: [stack] */
	VMSNAP_MAPPING_THREAD_STACK, /* of the others, with their guards */
	VMSNAP_MAPPING_ARENA,        /* a heap of malloc's beside [heap], and what is reserved for it */
	VMSNAP_MAPPING_ANONYMOUS,    /* other private memory of no file */
	VMSNAP_MAPPING_SHARED,       /* shared memory: anonymous, memfd, System V, /dev/shm */
	VMSNAP_MAPPING_FILE,         /* of any other file */
	VMSNAP_MAPPING_VDSO,         /* what the kernel put there: [vdso], [vvar] */
	VMSNAP_MAPPING_KIND_COUNT
};
const char *vmsnap_mapping_kind_name(int kind); /* "thread_stack" */
/* Of each mapping of a snapshot, in the order of vmsnap_vma(), what most of it is: kinds has room for
 * vmsnap_vma_count().  names: of that snapshot; NULL: no file is read, and .bss is anonymous. */
int vmsnap_mapping_kinds(const struct vmsnap *snap, struct vmsnap_names *names, uint8_t *kinds,
                         struct vmsnap_error *err);
/* All symbols that overlap [start, end), in address order, variables and
 * functions alike, each once; calls fn for each until it returns false.  At one address
 * what a file says comes first, then captured names, the larger first. */
int vmsnap_names_in(struct vmsnap_names *names, uint64_t start, uint64_t end,
                    bool (*fn)(void *ctx, const struct vmsnap_name *name), void *ctx, struct vmsnap_error *err);

/* Where an address lies in its ELF file. */
struct vmsnap_segment {
	uint32_t index;       /* of the program header */
	uint32_t perms;       /* enum vmsnap_perm, of the program header */
	const char *section;  /* ".data"; "" if unknown; owned by the names */
	uint64_t elf_address; /* the address as the file's symbol table counts */
};
int vmsnap_segment_at_sized(struct vmsnap_names *names, uint64_t address, struct vmsnap_segment *out, size_t size);
static inline int vmsnap_segment_at(struct vmsnap_names *names, uint64_t address, struct vmsnap_segment *out)
{
	return vmsnap_segment_at_sized(names, address, out, sizeof(*out));
}
/* What a symbol of C++ or Rust is called in its language: "shop::orders" for
 * "_ZN4shop6ordersE".  NULL if it is no such symbol, or none that can be told: it is damaged, or
 * more than a thousand bytes long, or stands for more than 8 KB; or it is of C++, whose runtime
 * (libstdc++) is not installed.  Valid until the next call, or until names is freed. */
const char *vmsnap_names_demangle(struct vmsnap_names *names, const char *symbol);
/* Whether that, and what is printed with these names, is so: it is unless told otherwise. */
void vmsnap_names_set_demangled(struct vmsnap_names *names, bool demangled);
/* One line for each file that was not believed or not readable; "" if none. */
const char *vmsnap_names_warning(const struct vmsnap_names *names);

/* Of one ELF file, what its own symbol table says: .symtab or, without one, .dynsym.  path is
 * absolute.  VMSNAP_ERR_NOT_FOUND if it is no such file, or has none of what is asked for. */
struct vmsnap_elf_tls {
	size_t size;   /* sizeof(struct vmsnap_elf_tls): no more of it is written */
	bool complete; /* the table was .symtab: static variables are in it too */
	/* Of a program: its block begins so many bytes below the thread pointer, by the ABI of
	 * x86-64; 0: unknown. */
	uint64_t below_pointer;
};
struct vmsnap_elf_symbol {
	const char *name; /* raw bytes, cut at 200; until fn returns */
	uint64_t value;   /* from the beginning of the file's block of each thread */
	uint64_t size;
	bool local; /* not seen outside of its file */
};
/* Calls fn for each thread-local variable, a thousand at most, until it returns false. */
int vmsnap_elf_thread_locals(const char *path, struct vmsnap_elf_tls *tls,
                             bool (*fn)(void *ctx, const struct vmsnap_elf_symbol *symbol), void *ctx,
                             struct vmsnap_error *err);
/* Where in the file a symbol's bytes lie. */
int vmsnap_elf_symbol_offset(const char *path, const char *symbol, uint64_t *offset, struct vmsnap_error *err);

/* One page of a private mapping of a file right now: as it is in the memory of the snapshot's
 * process, and as the file has it (zeros beyond its end).  Each is a page long; what is NULL is not
 * read.  Nothing is brought into the process's memory: VMSNAP_ERR_NOT_FOUND if the page is not
 * there, is of no file, or the file cannot be found any more. */
int vmsnap_file_page_now(const struct vmsnap *snap, uint64_t address, void *memory, void *file,
                         struct vmsnap_error *err);

#ifdef __cplusplus
}
#endif
#endif
