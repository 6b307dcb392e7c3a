/* builder.h - a snapshot in the making, and the only header of the model that formats see: this folder
 * is on their path, the model's own is not.  Rooms that know where all of it comes from at once
 * (capture, the reader of files) fill the model itself; what they fill it with is checked by
 * them.  Everybody gets it from finish, and never changes it again. */
#ifndef VMSNAP_BUILDER_H
#define VMSNAP_BUILDER_H

#include "../annotation.h"      /* their order, and how to keep a string once */
#include "../contents_backed.h" /* where a core file has the bytes of pages */
#include "../snapshot.h"
#include "../type_table.h" /* to check what a file says */
#include "work.h"

struct vmsnap_builder {
	struct vmsnap *snap; /* nobody has seen it yet; NULL: finished */
	size_t vma_room, thread_room;
};

/* Empty, all strings "", nothing known.  VMSNAP_ERR_NO_MEMORY. */
int builder_begin(struct vmsnap_builder *builder);
void builder_drop(struct vmsnap_builder *builder); /* may be finished, or zero */
/* What is made of the rest, and counted: the layers.  Gives the codes of work.h. */
int builder_finish(struct vmsnap_builder *builder, struct work *work, struct vmsnap **out);

#endif
