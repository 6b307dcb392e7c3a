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

/* A whole snapshot, for who wants to know whether all of it is whole: also the payloads
 * of optional sections that this version does not know.  (A reader that only wants what
 * it knows is better off without: they may be large, and their damage is not its.) */
int file_load_check(const struct vmsnap_file *file, size_t index, struct vmsnap_error *err);

/* Who it is of, and when it was taken: nothing else of it is read. */
int file_load_identity(const struct vmsnap_file *file, size_t index, struct vmsnap **out, struct vmsnap_error *err);

struct file_contents *file_contents_of(const struct vmsnap_file *file);

/* For messages. */
const char *file_name(const struct vmsnap_file *file);
int file_no_such_number(const struct vmsnap_file *file, const char *which, struct vmsnap_error *err);

/* work: with its limit, which the snapshot keeps.  threads: that may help. */
struct file_contents;
struct file_part {
	const struct file_source *source;
	const struct vmsnap_file_entry *entry;
	enum file_load_part part;
	unsigned threads;
	struct file_contents *contents; /* NULL: without what pages hold */
	/* file_contents_load(), which itself loads parts of other snapshots. */
	int (*load_contents)(struct file_contents *contents, size_t index, struct vmsnap *snap, bool check,
	                     struct work *work, struct vmsnap_error *err);
	size_t index; /* of the snapshot, for that */
};
int file_load_part(const struct file_part *part, struct work work, struct vmsnap **out, struct vmsnap_error *err);

#endif
