/* file_contents.h - what the pages of a file's snapshots hold (docs/format.md, HASH and CONT): which pages
 * there are is read with a snapshot, their bytes when somebody asks. */
#ifndef VMSNAP_FILE_CONTENTS_H
#define VMSNAP_FILE_CONTENTS_H

#include "builder.h"
#include "file_source.h"
#include "work.h"

enum { CONTENTS_BLOCK = 64 * 1024, CONTENTS_LINKS_MAX = 8, CONTENTS_DEPTH_MAX = 7, CONTENTS_XXH3 = 1 };
/* Whose a run's pages are: nobody knows what they hold, they are its own, or those of another snapshot. */
enum { ORIGIN_NONE, ORIGIN_OWN, ORIGIN_OTHERS };

struct contents_run {
	uint64_t start, pages; /* address; how many */
	uint64_t first;        /* page of the origin */
	uint64_t origin;
};
/* What one snapshot's HASH says, and where its CONTs are. */
struct contents_table {
	bool there;     /* it has a HASH */
	unsigned kind;  /* enum vmsnap_contents */
	unsigned depth; /* of snapshots whose runs hold where it has none itself */
	size_t base;    /* which that is, if depth */
	uint64_t page_size;
	size_t *origins, origin_count; /* snapshots of the file, for origins from ORIGIN_OTHERS on */
	struct contents_run *runs;
	size_t run_count;
	struct page_hash *hashes; /* of its own pages */
	uint8_t *links;           /* how many differences each is away from a whole one */
	struct contents_base {
		uint64_t origin, page; /* what it differs from, if it has links */
	} * bases;
	size_t own;
	uint8_t *checked; /* own pages whose bytes were compared with their hashes; NULL: not yet */
	uint64_t *blocks; /* where its CONTs are, in order */
	size_t block_count;
};
/* Of the snapshot at an index.  work is charged for what stays, and that only, if it is VMSNAP_OK. */
int contents_table_read(const struct file_source *source, const struct vmsnap_file_entry *entries, size_t count,
                        size_t index, struct work *work, struct contents_table *out, struct vmsnap_error *err);
void contents_table_free(struct contents_table *table);

/* Of one open file, and of the snapshots loaded from it: counted. */
struct file_contents;
/* memory: how much may stay of what it reads of which pages there are, for all snapshots together. */
struct file_contents *file_contents_new(const struct file_source *source, const struct vmsnap_file_entry *entries,
                                        size_t count, uint64_t memory);
void file_contents_close(struct file_contents *contents); /* by the file; NULL is fine */
/* Of one of its snapshots; lent. */
int file_contents_table(struct file_contents *contents, size_t index, struct work *work,
                        const struct contents_table **out, struct vmsnap_error *err);
/* Fills those of a snapshot that is being loaded.  check: reads all bytes, too. */
int file_contents_load(struct file_contents *contents, size_t index, struct vmsnap *snap, bool check, struct work *work,
                       struct vmsnap_error *err);

#endif
