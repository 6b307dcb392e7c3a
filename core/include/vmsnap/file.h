/* file.h - snapshots in files (docs/format.md).
 * Included by vmsnap.h, which tells what holds for all of it. */
#ifndef VMSNAP_FILE_API_H
#define VMSNAP_FILE_API_H

#include <vmsnap/snapshot.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Writes snapshots to `path`.  A new file is written beside its place and
 * renamed over it, mode 0600.  An existing file is replaced only if it is a
 * vmsnap file.  With VMSNAP_SAVE_APPEND the snapshots are added to an existing
 * file (made if there is none); if that fails, the file is as it was.  Another that
 * appends is waited for.  Where an append was cut off before, what it left is dropped:
 * VMSNAP_OK, with err->code VMSNAP_ERR_TRUNCATED and a message (otherwise 0). */
enum vmsnap_save_flag {
	VMSNAP_SAVE_APPEND = 1,
	VMSNAP_SAVE_INTERRUPTIBLE = 2, /* a signal ends the wait for another: VMSNAP_ERR_CANCELLED */
	VMSNAP_SAVE_REGULAR = 4,       /* refuse pipes and devices, and do not wait for them */
	VMSNAP_SAVE_NO_CONTENTS = 8,   /* leave out what pages hold */
	VMSNAP_SAVE_DELTA = 16,        /* store each as what differs from the one before of its process (the
	                                * first: of a relative) in the file, where that is smaller.  Versions that
	                                * know none say that it is newer */
};
int vmsnap_save(const char *path, const struct vmsnap *const *snaps, size_t count, unsigned flags,
                struct vmsnap_error *err);
const char *vmsnap_save_flag_name(unsigned flag); /* of one bit: "append" */

struct vmsnap_save_options {
	size_t size;                  /* sizeof(struct vmsnap_save_options) */
	unsigned flags;               /* enum vmsnap_save_flag */
	bool (*cancelled)(void *ctx); /* asked now and then, while another is waited for too; NULL:
	                                 never cancelled */
	void *cancel_ctx;
};
int vmsnap_save_with(const char *path, const struct vmsnap *const *snaps, size_t count,
                     const struct vmsnap_save_options *options, struct vmsnap_error *err);
/* Writes a whole stream to a descriptor, which need not be seekable. */
int vmsnap_write_fd(int fd, const struct vmsnap *const *snaps, size_t count, struct vmsnap_error *err);

/* A file that grows, snapshot by snapshot: for recordings.  What was there before is replaced with the first
 * ones (with VMSNAP_SAVE_APPEND they are added to it); from then on all go into that file, and if somebody
 * takes it away, into a new one.  After each vmsnap_writer_add() the file is whole and can be read by others;
 * after one that failed it is as it was before.  Others may add to it as well. */
struct vmsnap_writer;
struct vmsnap_writer_options {
	size_t size;    /* sizeof(struct vmsnap_writer_options) */
	unsigned flags; /* enum vmsnap_save_flag */
	bool sync;      /* each is on the disk before vmsnap_writer_add() returns; else when it is closed */
	bool (*cancelled)(void *ctx); /* as in struct vmsnap_save_options */
	void *cancel_ctx;
};
int vmsnap_writer_open(const char *path, const struct vmsnap_writer_options *options, struct vmsnap_writer **out,
                       struct vmsnap_error *err);
/* Of one instant. */
int vmsnap_writer_add(struct vmsnap_writer *writer, const struct vmsnap *const *snaps, size_t count,
                      struct vmsnap_error *err);
uint64_t vmsnap_writer_bytes(const struct vmsnap_writer *writer); /* of the file, when it was last written to */
int vmsnap_writer_close(struct vmsnap_writer *writer, struct vmsnap_error *err);

/* Limits on what a file may make the reader do.  0: the default. */
struct vmsnap_limits {
	size_t size;                  /* sizeof(struct vmsnap_limits) */
	uint64_t input_bytes;         /* read from a pipe; default 4 GiB.  What is more than a megabyte
	                               * goes through a temporary file (in $TMPDIR, /var/tmp or /tmp) */
	uint64_t memory;              /* for one loaded snapshot and what is made of it; default: 64 MiB
	                               * and 16 KiB for each of its bytes in the file, 4 GiB at the most.
	                               * A comparison has what its snapshots have together.  Which pages'
	                               * contents are in the file may take as much once more, for all of
	                               * its snapshots together. */
	bool (*cancelled)(void *ctx); /* asked now and then while the file is open; NULL: never
	                                 cancelled */
	void *cancel_ctx;
	bool regular_only; /* refuse pipes and devices, and do not wait for them */
};

/* An open file.  Opening finds its snapshots; loading reads one.  "-" is
 * standard input.  A file whose end is damaged opens if it holds a whole
 * snapshot before that: see vmsnap_file_damage(). */
struct vmsnap_file;
int vmsnap_file_open(const char *path, const struct vmsnap_limits *limits, struct vmsnap_file **out,
                     struct vmsnap_error *err);
int vmsnap_file_open_fd(int fd, const struct vmsnap_limits *limits, struct vmsnap_file **out,
                        struct vmsnap_error *err); /* fd stays the caller's */
int vmsnap_file_open_memory(const void *bytes, size_t len, const struct vmsnap_limits *limits, struct vmsnap_file **out,
                            struct vmsnap_error *err); /* bytes must outlive *out */
void vmsnap_file_close(struct vmsnap_file *file);
size_t vmsnap_file_count(const struct vmsnap_file *file);
/* VMSNAP_OK if the file ends well; otherwise the code of what is wrong, with
 * *err describing it (what is lost begins at err->position). */
int vmsnap_file_damage(const struct vmsnap_file *file, struct vmsnap_error *err);

struct vmsnap_file_entry {
	uint64_t offset, bytes; /* where the snapshot lies in the file */
	/* How many differences it is away from a snapshot that is stored whole (VMSNAP_SAVE_DELTA); 0: it is
	 * whole, or damaged so that nobody knows. */
	uint32_t deltas, unused;
};
int vmsnap_file_entry_sized(const struct vmsnap_file *file, size_t index, struct vmsnap_file_entry *out, size_t size,
                            struct vmsnap_error *err);
static inline int vmsnap_file_entry(const struct vmsnap_file *file, size_t index, struct vmsnap_file_entry *out,
                                    struct vmsnap_error *err)
{
	return vmsnap_file_entry_sized(file, index, out, sizeof(*out), err);
}
/* Identity and status only: a snapshot without VMAs and pages, cheap. */
int vmsnap_file_peek(const struct vmsnap_file *file, size_t index, struct vmsnap **out, struct vmsnap_error *err);
int vmsnap_file_load(const struct vmsnap_file *file, size_t index, struct vmsnap **out, struct vmsnap_error *err);
/* Two, of two files or of one, at the same time if they are large: each as vmsnap_file_load() does.  What
 * cannot be loaded is NULL in out, and says why in errs; gives the code of the first of them. */
int vmsnap_file_load_two(const struct vmsnap_file *const *files, const size_t *indices, struct vmsnap **out,
                         struct vmsnap_error *errs);
/* So many from `first` on, in order: the way to read many.  The file must stay open. */
struct vmsnap_walk;
int vmsnap_walk_new(const struct vmsnap_file *file, size_t first, size_t count, struct vmsnap_walk **out,
                    struct vmsnap_error *err);
/* The next one, and its index (may be NULL); VMSNAP_END after the last.  Of one that cannot be loaded *out is
 * NULL; the next call gives the one after it. */
int vmsnap_walk_next(struct vmsnap_walk *walk, struct vmsnap **out, size_t *index, struct vmsnap_error *err);
void vmsnap_walk_free(struct vmsnap_walk *walk);
/* Snapshots of a file.  This struct does not grow. */
struct vmsnap_copy_source {
	const struct vmsnap_file *file;
	size_t first, count;
};
struct vmsnap_copy_options {
	size_t size;                  /* sizeof(struct vmsnap_copy_options) */
	unsigned flags;               /* enum vmsnap_save_flag */
	unsigned strip;               /* enum vmsnap_strip: taken away */
	uint64_t interval;            /* ns: of each process at most one in each such stretch of time; 0: all */
	bool (*cancelled)(void *ctx); /* as in struct vmsnap_save_options */
	void *cancel_ctx;
	const uint32_t *pids; /* of each source only the process with this number; 0: all.  NULL: all of all */
	/* Called for each snapshot that is damaged, which is left out.  NULL: nothing is written then. */
	void (*unreadable)(void *ctx, size_t source, size_t index, const struct vmsnap_error *err);
	void *unreadable_ctx;
};
struct vmsnap_copied {
	uint64_t snapshots, thinned; /* written, and left out */
	uint64_t unreadable;         /* left out, too */
};
/* Copies snapshots of files into one, in the order in which they are given, to a path, as vmsnap_save() writes to it: if that fails, what was there is as it was.  copied: NULL is fine.
 * Needs memory for two snapshots of each process. */
int vmsnap_copy_sized(const char *path, const struct vmsnap_copy_source *sources, size_t count,
                      const struct vmsnap_copy_options *options, struct vmsnap_copied *copied, size_t size,
                      struct vmsnap_error *err);
static inline int vmsnap_copy(const char *path, const struct vmsnap_copy_source *sources, size_t count,
                              const struct vmsnap_copy_options *options, struct vmsnap_copied *copied,
                              struct vmsnap_error *err)
{
	return vmsnap_copy_sized(path, sources, count, options, copied, sizeof(*copied), err);
}
/* Which one a word means:
 *   "3"           counts from 1, "-1" is the last;
 *   "pid:1234"    the newest of that process, "pid:1234@3" the third of that number;
 *   "pid:1234@X"  the newest of it that has the label X;
 *   all else      is a label, of which the newest wins.  One that is made of digits, begins with
 *                 "pid:" or has ".." in it needs "label:…".
 * What is of several processes (a label of a tree, a number that was given out again) is refused:
 * VMSNAP_ERR_ARGUMENT, and the message says how to tell them apart. */
int vmsnap_file_find(const struct vmsnap_file *file, const char *which, size_t *index, struct vmsnap_error *err);
/* The same, *count of them, from *first on: a label of a tree means all that have it of the newest instant,
 * and "FIRST..LAST" all from the one to the other. */
int vmsnap_file_select(const struct vmsnap_file *file, const char *which, size_t *first, size_t *count,
                       struct vmsnap_error *err);
/* Those around `index` that were taken at the same instant as it, a tree's. */
int vmsnap_file_instant(const struct vmsnap_file *file, size_t index, size_t *first, size_t *count,
                        struct vmsnap_error *err);

#ifdef __cplusplus
}
#endif
#endif
