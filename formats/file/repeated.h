/* repeated.h - keys out of a file or of the kernel's text that come more than once.
 * A JSON object has each key once: what reads it may take the first, the last, or fail. */
#ifndef VMSNAP_REPEATED_H
#define VMSNAP_REPEATED_H

#include <stdbool.h>
#include <stddef.h>

struct repeated_key {
	const char *bytes;
	size_t len;
	size_t index; /* among the keys */
	bool again;   /* out: one before it is the same */
};
/* Fills in index and again; how many come again.  The order stays.  It takes as long as
 * sorting them, however many there are. */
size_t repeated_mark(struct repeated_key *keys, size_t count);

#endif
