/* core_contents.h - which pages a core file holds the bytes of, and where. */
#ifndef VMSNAP_CORE_CONTENTS_H
#define VMSNAP_CORE_CONTENTS_H

#include "builder.h"
#include "core_memory.h"

/* Fills the snapshot's contents, which have a descriptor of their own from then on, and VMSNAP_LAYER_DUMPED.  Reads no
 * page.  *cut: where the file ends, if it should have more. */
int core_contents_make(const struct core_memory *memory, struct vmsnap *snap, struct work *work, uint64_t *cut,
                       struct vmsnap_error *err);

#endif
