/* self.h - the calling process's own memory: a snapshot of it without a page fault, where something is
 * mapped, and where nothing is.  docs/self.md tells more.
 * Included by vmsnap.h, which tells what holds for all of it. */
#ifndef VMSNAP_SELF_API_H
#define VMSNAP_SELF_API_H

#include <vmsnap/snapshot.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- a snapshot of oneself ---------------------------------------------- */

/* What vmsnap_capture_self() needs, in memory that is there before: between its begin and its end nothing of the
 * process's map or of the states of its pages changes.  This is not so of vmsnap_capture(getpid()). */
struct vmsnap_self;

struct vmsnap_self_options {
	size_t size; /* sizeof(struct vmsnap_self_options) */
	/* Where all of it is kept, 64 KiB at the least, any alignment: static memory, say.  It is written to, so that
	 * its pages are there.  NULL: memory of its own is mapped, which a child made by fork() finds empty
	 * (MADV_WIPEONFORK, so that the parent's pages stay its own). */
	void *memory;
	size_t bytes; /* of it; 0, with memory NULL: for twice the mappings and pages that there are now, and 1 MiB */
	const char *label;  /* of the snapshots, up to 127 bytes; NULL: none */
	const char *reason; /* the same */
};

/* Everything that may take memory, a lock or a page fault: asks what can be known here, writes to the memory, and
 * takes a first snapshot, so that the code is there that the next ones will run.  After a fork() the child prepares
 * anew; in a parent whose memory is not its own (.memory), too, or its pages are copied as they are written.
 * Whoever gave the memory may call it in a signal handler, where malloc() may not be called. */
int vmsnap_self_prepare(const struct vmsnap_self_options *options, struct vmsnap_self **out, struct vmsnap_error *err);
/* Gives back memory of its own; NULL is fine. */
void vmsnap_self_free(struct vmsnap_self *self);

/* Takes one, in place of the one before.  Async-signal-safe, also before main(): system calls (openat, read, pread,
 * ioctl, close, clock_gettime, getrusage, getpid) and nothing else, 1 KiB of stack; errno stays as it is.
 *   VMSNAP_OK             also if it did not fit: vmsnap_self_told(), .known_until
 *   VMSNAP_ERR_ARGUMENT   not prepared, or in the child of who did
 *   VMSNAP_ERR_CANCELLED  it is in use: this is a signal handler that interrupted another call, or another thread's
 *   VMSNAP_ERR_SYSTEM     a file of /proc could not be read: .system_error
 * Other threads may run meanwhile: the snapshot says whether the map stayed as it was (info.consistent). */
int vmsnap_capture_self(struct vmsnap_self *self);

/* About the one that was taken last.  This struct grows at its end. */
struct vmsnap_self_told {
	/* From here on nothing is known, as it did not fit: of mappings neither, if maps did not fit.
	 * 0: all is known. */
	uint64_t known_until;
	uint64_t page_faults; /* of this thread while it was taken: 0, if memory and code were there */
	uint64_t used, bytes; /* of the memory */
	uint64_t nanoseconds; /* that it took */
	int32_t system_error; /* errno of what failed; 0 */
	bool taken;           /* there is one */
};
/* Async-signal-safe. */
void vmsnap_self_told_sized(const struct vmsnap_self *self, struct vmsnap_self_told *out, size_t size);
static inline void vmsnap_self_told(const struct vmsnap_self *self, struct vmsnap_self_told *out)
{
	vmsnap_self_told_sized(self, out, sizeof(*out));
}

/* Writes it as a file of its own (docs/format.md), not compressed, which may also be appended to a whole one.
 * Async-signal-safe; a broken pipe sends SIGPIPE.  VMSNAP_ERR_NOT_FOUND: none was taken; VMSNAP_ERR_SYSTEM: it could
 * not be written, .system_error, and perhaps a part of it was. */
int vmsnap_self_write(struct vmsnap_self *self, int fd);

/* The snapshot, later, where memory can be had: not in a signal handler.  Build IDs are looked up now. */
int vmsnap_self_finish(struct vmsnap_self *self, struct vmsnap **out, struct vmsnap_error *err);

/* ---- is something mapped here -------------------------------------------- */

/* All of these ask the kernel with system calls that change nothing, and no file of /proc.  Async-signal-safe.  Other
 * threads may map and unmap meanwhile: each answer is one of a moment that has gone. */
enum vmsnap_mapped {
	VMSNAP_MAPPED_NOTHING = 0,
	VMSNAP_MAPPED_ALL = 1,
	VMSNAP_MAPPED_PARTLY = 2,
	/* Some of it is above what the process can map.  What the kernel shows there, as [vsyscall] on x86-64, cannot
	 * be asked without being killed. */
	VMSNAP_MAPPED_BEYOND = 3,
};
const char *vmsnap_mapped_name(int mapped); /* "partly" */

/* Whether something is mapped in [address, address + len), of whole pages that it touches, accessible or not.
 * *until, if not NULL: the page of `address` is mapped, or not, and so is all from it to there.
 * VMSNAP_ERR_ARGUMENT: len is 0, or it wraps around; VMSNAP_ERR_SYSTEM: this kernel cannot tell (before Linux 4.17,
 * of ranges that are long and not mapped as a whole). */
int vmsnap_is_mapped(uint64_t address, uint64_t len, uint64_t *until);

/* Where `len` bytes could be mapped without overlap: the address nearest to `near` at which nothing is, nor will be as
 * the main thread's stack grows to what RLIMIT_STACK allows, and not below vm.mmap_min_addr.  Of two that are equally
 * far the higher one.  Above 2^47 only if `near` is.  Map it with MAP_FIXED_NOREPLACE: another thread may have been
 * quicker.
 * VMSNAP_ERR_NOT_FOUND: there is none; VMSNAP_ERR_ARGUMENT: len is 0; VMSNAP_ERR_SYSTEM: before Linux 4.17, or the
 * process has as many mappings as it may (vm.max_map_count). */
int vmsnap_find_gap(uint64_t near, uint64_t len, uint64_t *address);

#ifdef __cplusplus
}
#endif
#endif
