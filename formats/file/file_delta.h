/* file_delta.h - snapshots that are stored as what differs from an earlier one of their process (docs/format.md,
 * section 4.14): the way from one back to a whole one, and what is made along it but for pages. */
#ifndef VMSNAP_FILE_DELTA_H
#define VMSNAP_FILE_DELTA_H

#include "file_source.h"
#include "payloads.h"
#include "work.h"

enum { DELTA_DEPTH_MAX = 128 };

/* A DELT's payload. */
struct delta {
	unsigned depth;    /* how many differences it is away from a whole one, at least 1 */
	uint64_t distance; /* from its SNAP back to that of its base */
	uint32_t base_crc; /* which is what the base's END says of its headers */
	struct cursor patches, pages;
	uint64_t patch_count, page_count;
};
bool delta_take(struct cursor payload, struct delta *out);
/* The next of them; false: there is none, or it is damaged. */
struct delta_patch {
	uint32_t type;
	bool there; /* the snapshot has that section */
	uint64_t len;
	struct cursor steps;
};
bool delta_next_patch(struct delta *delta, struct delta_patch *out);

/* What was made last, for who reads one snapshot after another; of an open file.  Several threads may. */
struct delta_states;
struct delta_states *delta_states_new(void); /* NULL: no memory */
void delta_states_free(struct delta_states *states);

/* One on the way. */
struct delta_link {
	size_t index;
	uint64_t offset; /* of its DELT */
	struct bytes copy, raw;
	struct delta delta;
};
struct delta_chain {
	const struct file_source *source;
	const struct vmsnap_file_entry *entries;
	size_t entry_count;
	bool (*once)(uint32_t type); /* sections that are known and come once */
	struct delta_states *states; /* NULL: nothing is kept */
	struct work *work;
	struct vmsnap_error *err;
	/* Found: from the newest to the oldest, and what that one is a difference to. */
	struct delta_link *links;
	size_t count, base;
	size_t from;          /* so many links are to be applied to the payloads */
	bool whole;           /* base was read, and is stored whole */
	bool have_payloads;   /* of what the link at `from` differs from: they were made before */
	uint64_t bytes;       /* of the links, without what pages hold */
	uint64_t whole_bytes; /* the same of the base, if whole */
	uint64_t whole_pages; /* and its sections PAGE, inflated */
	struct payloads payloads;
	struct bytes base_snap; /* SNAP of the base, if whole */
	struct bytes read;      /* of the file, from read_at on */
	uint64_t read_at;
	uint64_t charged;
	/* What may be taken grows with what is read; NULL: it stays. */
	uint64_t (*usual_memory)(uint64_t stored);
	uint64_t file_bytes;
};
/* known: gives true for a snapshot whose pages are there already; NULL: no pages are wanted.  Then fills in
 * what is found, down to a whole one or what is known. */
int delta_chain_find(struct delta_chain *chain, size_t index, bool (*known)(void *ctx, size_t index), void *ctx);
/* Of a failure further down the chain, in chain->err, it is told which one hangs on which. */
void delta_chain_tell(const struct delta_chain *chain, size_t failed, int rc);
/* The payloads of the first one. */
int delta_chain_make(struct delta_chain *chain);
/* What the first one is a difference to; after delta_chain_find(). */
size_t delta_chain_base(const struct delta_chain *chain);
/* For the next one, once they have proved good. */
void delta_chain_keep(const struct delta_chain *chain);
void delta_chain_free(struct delta_chain *chain);

/* How many differences the snapshot is away from a whole one; 0: it is whole, or cannot be read. */
unsigned delta_depth(const struct file_source *source, const struct vmsnap_file_entry *entry,
                     bool (*once)(uint32_t type));

#endif
