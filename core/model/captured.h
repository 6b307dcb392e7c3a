/* captured.h - the names that a debugger adds to a snapshot: their order, and their
 * strings, most of which come again and again (a function for each of its locals). */
#ifndef VMSNAP_CAPTURED_H
#define VMSNAP_CAPTURED_H

#include "snapshot.h"

/* By address, kind, tid and frame; <0, 0 or >0. */
int captured_order(const struct vmsnap_captured_name *a, const struct vmsnap_captured_name *b);

/* Which strings were kept lately.  A string that pushed another out of its slot is
 * found, the other is kept once more when it comes again: no string can make this
 * slow. */
enum { CAPTURED_SLOTS = 512 };
struct captured_slots {
	const char *latest[CAPTURED_SLOTS];
};
/* The slot of a string.  It holds this very string, or another one, or NULL: then the
 * caller makes a copy and puts it there. */
const char **captured_slot(struct captured_slots *slots, const char *string, size_t len);

#endif
