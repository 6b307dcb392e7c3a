/* snapshot.h - the model: what one snapshot holds.  Filled by capture or by the
 * file reader, then never changed.  No I/O. */
#ifndef VMSNAP_SNAPSHOT_H
#define VMSNAP_SNAPSHOT_H

#include <stdatomic.h>
#include <string.h>

#include "arena.h"
#include "contents.h"
#include "faults.h"
#include "layer.h"
#include "runs.h"
#include "vmsnap.h"

/* smaps as a table: value of key k of VMA v is values[v * key_count + k]. */
struct smaps {
	const char **keys;
	size_t key_count;
	uint64_t *values;   /* UINT64_MAX: no such line, or no number in it */
	const char **texts; /* in the same places: what is there instead of a number; NULL: no text anywhere */
	const char **flags; /* a VMA each */
};

struct vmsnap {
	atomic_uint holders;
	struct vmsnap *self; /* those that hold it have it const */
	struct vmsnap *base; /* whose arrays and strings it shares, and which it holds; or NULL */
	struct vmsnap_info info;
	const char *status; /* NUL after status_len bytes */
	size_t status_len;
	struct vmsnap_vma *vmas; /* in address order, not overlapping */
	size_t vma_count;
	struct run_list runs; /* in address order, not overlapping */
	bool own_runs;        /* although there is a base */
	struct vmsnap_thread *threads;
	size_t thread_count;
	bool own_threads; /* as well */
	struct vmsnap_annotation *annotations; /* in annotation_order() */
	size_t annotation_count;
	const uint8_t *types; /* of what annotations tell (type_table.h), readable, in the arena */
	size_t types_len;
	struct vmsnap_faults *faults; /* held; NULL: none */
	struct layer layers[VMSNAP_LAYER_COUNT];
	struct contents contents; /* what pages hold */
	bool own_contents;        /* although there is a base */
	struct smaps smaps;       /* arrays malloc'ed, strings in the arena */
	struct arena strings;     /* everything that the above points to */
	uint64_t memory_limit;    /* bytes, for it and what is made of it (spare.h); 0: it is no file's */
};

/* An empty snapshot: all strings "", nothing known; builder.h is for those who fill it.  NULL if
 * there is no memory. */
struct vmsnap *snapshot_new(void);
/* One that begins with all that another has, which it holds.  NULL if there is no memory. */
struct vmsnap *snapshot_above(const struct vmsnap *base);
/* One of the same process at another instant: its mappings and strings are the other's, which it holds; runs, threads
 * and all that is not of the capture itself it has of its own.  Runs and annotations are empty.  NULL without memory. */
struct vmsnap *snapshot_again(const struct vmsnap *base);
/* One that has the contents of another in a store, where that has them backed (contents_backed.h). */
int snapshot_with_store(const struct vmsnap *snap, struct work *work, struct vmsnap **out, struct vmsnap_error *err);
/* Fills in what its source does not tell of its mappings. */
void snapshot_note_unknown(struct vmsnap *snap);
/* Bytes of all its strings, those that it shares included. */
uint64_t snapshot_string_bytes(const struct vmsnap *snap);
/* Index of the first VMA that ends after address; vma_count if there is none. */
size_t snapshot_vma_find(const struct vmsnap *snap, uint64_t address);

static inline bool snapshot_is_core(const struct vmsnap *snap)
{
	return snap->info.source == VMSNAP_SOURCE_CORE;
}

/* Whether a mapping is of a file, or of what the kernel keeps as one.  The inode of a SysV segment is its
 * id, which may be 0; a device it has all the same. */
static inline bool vma_has_file(uint64_t inode, uint32_t dev_major, uint32_t dev_minor)
{
	return inode || dev_major || dev_minor;
}
/* By what the kernel tells files apart by: 0 if both are of one. */
static inline int vma_file_order(const struct vmsnap_vma *a, const struct vmsnap_vma *b)
{
	/* All that is known of one is its name. */
	if ((a->unknown | b->unknown) & VMSNAP_VMA_UNKNOWN_FILE)
		return strcmp(a->name, b->name);
	if (a->inode != b->inode)
		return a->inode < b->inode ? -1 : 1;
	if (a->dev_major != b->dev_major)
		return a->dev_major < b->dev_major ? -1 : 1;
	return a->dev_minor < b->dev_minor ? -1 : a->dev_minor > b->dev_minor;
}
/* What struct vmsnap_vma, .deleted is, of a mapping with this name. */
bool vma_named_deleted(bool file, const char *name, size_t len);

#endif
