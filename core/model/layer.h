/* layer.h - columns beside the pages: what is known of some of them, each with its own known.
 * The 16-byte run is not widened for what few pages have. */
#ifndef VMSNAP_LAYER_H
#define VMSNAP_LAYER_H

#include "snapshot.h"
#include "work.h"

/* VMSNAP_LAYER_DEBUGGER_WRITES of the annotations: whole pages, in address order, with a gap
 * between any two. */
int layer_of_debugger_writes(struct vmsnap *snap, struct work *work);
void layer_free(struct layer *layer);

#endif
