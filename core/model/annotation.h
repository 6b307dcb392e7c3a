/* annotation.h - the names that a debugger adds to a snapshot: their order, and their
 * strings, most of which come again and again (a function for each of its locals). */
#ifndef VMSNAP_ANNOTATION_H
#define VMSNAP_ANNOTATION_H

#include "snapshot.h"

/* By address, kind, tid and frame; <0, 0 or >0. */
int annotation_order(const struct vmsnap_annotation *a, const struct vmsnap_annotation *b);

/* Which strings were kept lately.  A string that pushed another out of its slot is
 * found, the other is kept once more when it comes again: no string can make this
 * slow. */
enum { ANNOTATION_SLOTS = 512 };
struct annotation_slots {
	const char *latest[ANNOTATION_SLOTS];
};
/* The slot of a string.  It holds this very string, or another one, or NULL: then the
 * caller makes a copy and puts it there. */
const char **annotation_slot(struct annotation_slots *slots, const char *string, size_t len);

/* Adds copies to those of a snapshot in the making, in their order.  After a failure nothing was
 * added. */
int annotations_add(struct vmsnap *snap, const struct vmsnap_annotation *annotations, size_t count,
                    struct vmsnap_error *err);

/* The first that begins at an address or above it. */
size_t annotation_first_at(const struct vmsnap *snap, uint64_t address);

#endif
