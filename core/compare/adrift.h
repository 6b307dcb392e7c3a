/* adrift.h - memory of the base that parent or child has not in its place, where that side has other memory that
 * was not there: it may be the same, moved and written to, so that no frame tells. */
#ifndef VMSNAP_ADRIFT_H
#define VMSNAP_ADRIFT_H

#include "pair.h"

/* A pairing of base, parent and child. */
int adrift_find(const struct pairing *pairing, struct work *work, bool *parent, bool *child);

#endif
