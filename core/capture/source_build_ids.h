/* source_build_ids.h - build IDs of the files that a process has mapped which somebody else reads (vmsnap/source.h). */
#ifndef VMSNAP_SOURCE_BUILD_IDS_H
#define VMSNAP_SOURCE_BUILD_IDS_H

#include "snapshot.h"
#include <vmsnap/source.h>

/* Of each file of which something can be executed, by its map_files there, its beginning alone.  What cannot be had
 * stays unknown.  VMSNAP_ERR_NO_MEMORY; VMSNAP_ERR_CANCELLED: the source wants no more. */
int source_build_ids(const struct vmsnap_capture_source *source, struct vmsnap *snap);

#endif
