/* file_decode.h - payloads of sections to the model (docs/format.md, section 4).
 * Trusts nothing; reads no file. */
#ifndef VMSNAP_FILE_DECODE_H
#define VMSNAP_FILE_DECODE_H

#include "builder.h"
#include "column.h"
#include "work.h"

struct decode {
	struct vmsnap *snap;
	const char *name; /* of the file, for messages */
	struct vmsnap_error *err;
	uint64_t offset; /* of the section's header */
	struct work work;
	uint64_t next_page;        /* where the next run may start, in pages */
	struct cursor missed;      /* SNAP's, for THRD */
	struct cursor smaps_texts; /* the same for SMAP */
	uint32_t known_pfn : 1;    /* frames are in the file */
	uint32_t absent_too : 1;   /* PAGE is a difference: runs without flags are pages that are gone */
};

/* Each takes a whole payload; SNAP before the others, VMAS before SMAP, EVNT before MEVT. */
int decode_snap(struct decode *decode, struct cursor payload);
int decode_stat(struct decode *decode, struct cursor payload);
int decode_vmas(struct decode *decode, struct cursor payload);
int decode_page(struct decode *decode, struct cursor payload);
int decode_thrd(struct decode *decode, struct cursor payload);
int decode_smap(struct decode *decode, struct cursor payload);
int decode_name(struct decode *decode, struct cursor payload);
int decode_types(struct decode *decode, struct cursor payload);
int decode_writ(struct decode *decode, struct cursor payload);
int decode_kpag(struct decode *decode, struct cursor payload);
int decode_faults(struct decode *decode, struct cursor payload);
int decode_memory_events(struct decode *decode, struct cursor payload);
int decode_node(struct decode *decode, struct cursor payload);
int decode_dump(struct decode *decode, struct cursor payload);

/* ---- for those ---- */

__attribute__((format(printf, 2, 3))) int decode_damaged(const struct decode *decode, const char *format, ...);
/* Counts memory that the snapshot will take, before it is allocated. */
int decode_charge(struct decode *decode, uint64_t bytes);
/* For loops: fails when the caller does not want it any more. */
int decode_step(struct decode *decode);
/* A zeroed array, counted; VMSNAP_OK with *out NULL if count is 0. */
int decode_array(struct decode *decode, uint64_t count, size_t size, void **out);
/* A copy in the snapshot's arena with a NUL behind it; NULL if that failed, and
 * then *rc says why. */
const char *decode_string(struct decode *decode, const void *bytes, size_t len, int *rc);
/* The highest address that a range may end at, in pages. */
static inline uint64_t decode_top(const struct decode *decode)
{
	return (0 - decode->snap->info.page_size) / decode->snap->info.page_size;
}

#endif
