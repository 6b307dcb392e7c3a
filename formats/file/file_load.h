/* file_load.h - one snapshot of a file: its sections, checked, inflated and handed
 * to the decoders. */
#ifndef VMSNAP_FILE_LOAD_H
#define VMSNAP_FILE_LOAD_H

#include "file_source.h"
#include "work.h"

enum file_load_part {
	FILE_LOAD_SNAP, /* identity alone */
	FILE_LOAD_PEEK, /* and status */
	FILE_LOAD_ALL,
	FILE_LOAD_CHECK, /* all, and the checksums of what is skipped */
};

/* Who it is of, and when it was taken: nothing else of it is read. */
int file_load_identity(const struct vmsnap_file *file, size_t index, struct vmsnap **out, struct vmsnap_error *err);

/* As vmsnap_file_load(), where others are loaded already.  out->snap is the caller's.  check: for who wants to know
 * whether all of it is whole, also the payloads of optional sections that this version does not know.  (A reader that
 * only wants what it knows is better off without: they may be large, and their damage is not its.) */
struct file_known;
int file_load_knowing(const struct vmsnap_file *file, size_t index, bool check, const struct file_known *known,
                      size_t known_count, struct file_known *out, struct vmsnap_error *err);
/* The same, but of its pages there may be no more than those that lie around one address: the others are not read where
 * that can be avoided, and look absent.  For who asks for that page alone; known: of the same kind. */
int file_load_around(const struct vmsnap_file *file, size_t index, uint64_t address, const struct file_known *known,
                     size_t known_count, struct file_known *out, struct vmsnap_error *err);
/* As vmsnap_walk_new(); check: as above. */
int file_walk_new(const struct vmsnap_file *file, size_t first, size_t count, bool check, struct vmsnap_walk **out,
                  struct vmsnap_error *err);
/* As vmsnap_file_entry(), of offset and size alone. */
int file_entry(const struct vmsnap_file *file, size_t index, struct vmsnap_file_entry *out, struct vmsnap_error *err);
/* The payloads of a snapshot, and how it is stored: for who adds a difference to it. */
struct payloads;
struct file_stored {
	unsigned depth;                            /* 0: whole */
	uint32_t crc;                              /* what its END says of its headers */
	uint64_t offset, delta_bytes, whole_bytes; /* along the chain, and of the whole one, without what pages hold */
	size_t whole;                              /* the number of that, in the file that was read */
	uint64_t whole_offset, whole_runs;
	uint64_t whole_pages; /* bytes of its sections PAGE, inflated */
	uint64_t work;        /* file_delta_work.h: all that there is to do to load it */
};
int file_load_stored(const struct vmsnap_file *file, size_t index, struct payloads *payloads, struct file_stored *out,
                     struct vmsnap_error *err);

struct file_contents *file_contents_of(const struct vmsnap_file *file);

/* For messages. */
const char *file_name(const struct vmsnap_file *file);
int file_no_such_number(const struct vmsnap_file *file, const char *which, struct vmsnap_error *err);

#define FILE_MEMORY_DEFAULT (UINT64_C(4) << 30)
/* What no honest snapshot of so many bytes needs more of: deflate makes a thousand bytes of one at the
 * most, and nothing that is loaded takes more than sixteen times its bytes, but for runs of
 * terabytes, which are cut. */
uint64_t file_usual_memory(uint64_t stored);
/* Sections that this version knows, and that a snapshot has once. */
bool file_section_once(uint32_t type);

/* A snapshot that is loaded already, which others may be differences to. */
struct file_known {
	size_t index;
	struct vmsnap *snap;
	unsigned depth; /* how many differences it is away from a whole one */
	size_t base;    /* what it is a difference to, if depth is not 0 */
};

/* work: with its limit, which the snapshot keeps.  threads: that may help. */
struct file_contents;
struct delta_states;
struct file_part {
	const struct file_source *source;
	const struct vmsnap_file_entry *entries; /* all of the file */
	size_t entry_count, index;
	enum file_load_part part;
	unsigned threads;
	const uint64_t *around;         /* file_load_around(); NULL: all pages */
	bool usual_limit;               /* of memory: it grows with what is read of other snapshots */
	struct file_contents *contents; /* NULL: without what pages hold */
	/* file_contents_load(), which itself loads parts of other snapshots. */
	int (*load_contents)(struct file_contents *contents, size_t index, struct vmsnap *snap, bool check,
	                     struct work *work, struct vmsnap_error *err);
	struct delta_states *states;
	const struct file_known *known;
	size_t known_count;
	struct file_known *stored; /* of which depth and base are filled in; NULL: they are not wanted */
};
int file_load_part(const struct file_part *part, struct work work, struct vmsnap **out, struct vmsnap_error *err);

#endif
