/* annotate.h - annotations for a snapshot that a test fills itself. */
#ifndef TEST_ANNOTATE_H
#define TEST_ANNOTATE_H

#include "annotation.h"
#include "snapshot.h"

static inline int test_annotate(struct vmsnap *snap, const struct vmsnap_annotation *annotations, size_t count,
                                struct vmsnap_error *err)
{
	struct work work = { .limit = WORK_UNLIMITED };
	int rc = annotations_add(snap, annotations, count, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < VMSNAP_LAYER_COUNT; i++)
		layer_free(&snap->layers[i]);
	return layer_of_debugger_writes(&snap->layers[VMSNAP_LAYER_DEBUGGER_WRITES], snap->annotations,
	                                snap->annotation_count, snap->info.page_size, &work);
}

#endif
