/* file_watch.h - whether what passes by can still become a file of ours: judges headers as
 * they come, for a stream may have no end.  Keeps nothing but the header it waits for. */
#ifndef VMSNAP_FILE_WATCH_H
#define VMSNAP_FILE_WATCH_H

#include "section.h"
#include "vmsnap.h"

struct file_watch {
	uint64_t limit; /* no stream is longer than that */
	uint64_t at;    /* of what comes next */
	uint64_t skip;  /* how much of a payload is still to pass */
	bool inside;    /* a snapshot: only sections may follow */
	bool whole;     /* one has ended, as far as headers tell */
	size_t held;
	uint8_t head[SECTION_HEADER_BYTES];
	/* What was found wrong first, and where; then nothing is judged any more. */
	int code; /* enum vmsnap_rc */
	uint64_t wrong;
	const char *what;
};

struct file_watch file_watch_begin(uint64_t limit);
/* The next bytes. */
void file_watch_pass(struct file_watch *watch, const uint8_t *bytes, size_t len);
/* Whether there is nothing in it that could be read, whatever follows. */
static inline bool file_watch_hopeless(const struct file_watch *watch)
{
	return watch->code && !watch->wrong;
}
/* Whether a file would give something, whatever follows. */
static inline bool file_watch_useful(const struct file_watch *watch)
{
	return watch->whole && watch->code != VMSNAP_ERR_TOO_LARGE;
}

#endif
