/* file_deflate.h - payloads to what is stored of them and back.  Knows zlib and
 * the preset dictionary; knows no section. */
#ifndef VMSNAP_FILE_DEFLATE_H
#define VMSNAP_FILE_DEFLATE_H

#include "column.h"
#include "work.h"

enum { DEFLATE_RATIO = 1032 }; /* deflate cannot expand by more */

/* A payload, and where in it another kind of bytes begins: there it pays to
 * start a deflate block of its own. */
enum { PAYLOAD_CUTS = 64 };
struct payload {
	struct bytes bytes;
	size_t cuts[PAYLOAD_CUTS];
	size_t cut_count;
};
void payload_clear(struct payload *payload); /* keeps the memory */
void payload_free(struct payload *payload);
/* Here begins something else. */
void payload_cut(struct payload *payload);

enum deflate_effort {
	DEFLATE_SMALL,      /* as small as it gets */
	DEFLATE_SMALL_TEXT, /* the same, with the dictionary */
	DEFLATE_FAST,
};

/* A deflater is big and slow to make; use it again. */
struct deflater;
struct deflater *deflater_new(void);
void deflater_free(struct deflater *deflater);
/* Replaces what is in `out`.  False: it would not become smaller (or there is no
 * memory: out->failed). */
bool deflate_payload(struct deflater *deflater, const struct payload *payload, enum deflate_effort effort,
                     struct bytes *out);

/* VMSNAP_ERR_CORRUPT if `stored` is not one zlib stream of exactly raw_len bytes; else what
 * is wrong with us.  Asks `work` now and then. */
int inflate_payload(const uint8_t *stored, size_t stored_len, uint8_t *raw, size_t raw_len, struct work *work);

#endif
