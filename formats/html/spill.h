/* spill.h - bytes that are written in one go and read in one go later, and may be many: what is more than some
 * megabytes goes to a temporary file without a name. */
#ifndef VMSNAP_HTML_SPILL_H
#define VMSNAP_HTML_SPILL_H

#include "work.h"

enum { SPILL_MEMORY = 4 << 20 };
/* Begin with { 0 }. */
struct spill {
	uint8_t *bytes; /* not yet in the file */
	size_t count, room;
	int file;      /* plus 1; 0: none */
	uint64_t size; /* of all */
	struct work *work;
	int failed; /* enum vmsnap_rc: sticks */
	int saved_errno;
};
void spill_put(struct spill *spill, const void *bytes, size_t len);
void spill_byte(struct spill *spill, uint8_t byte);
void spill_varint(struct spill *spill, uint64_t number); /* LEB128 */
static inline uint64_t zigzag(uint64_t from, uint64_t to)
{
	uint64_t d = to - from;
	return d >> 63 ? ~d << 1 | 1 : d << 1;
}
/* The code of what failed. */
int spill_end(struct spill *spill, struct vmsnap_error *err);
void spill_free(struct spill *spill);

/* Reads from the begin to the end, once spill_end() said that all is there. */
struct spill_reader {
	const struct spill *spill;
	uint8_t buffer[8192];
	size_t at, filled;
	uint64_t read; /* bytes that came from the spill until now */
	int saved_errno;
};
void spill_read(struct spill_reader *reader, const struct spill *spill);
/* At most len bytes; less only at the end, or where reading failed. */
size_t spill_get(struct spill_reader *reader, void *to, size_t len);
uint64_t spill_get_varint(struct spill_reader *reader);
static inline uint64_t spill_told(const struct spill_reader *reader)
{
	return reader->read - (reader->filled - reader->at);
}

#endif
