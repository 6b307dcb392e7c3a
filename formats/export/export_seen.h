/* export_seen.h - what was exported of each process's mappings last, to tell what changed. */
#ifndef VMSNAP_EXPORT_SEEN_H
#define VMSNAP_EXPORT_SEEN_H

#include "export_row.h"

struct export_seen;
struct export_process; /* lent */

/* A process at its next instant; *all: nothing was seen of it before.  Each gives VMSNAP_ERR_NO_MEMORY or VMSNAP_OK. */
int export_seen_process(struct export_seen **seen, const struct vmsnap_info *info, struct export_process **out,
                        bool *all);
/* The mapping that begins at start, in order of address. */
int export_seen_vma(struct export_process *process, uint64_t start, const struct export_cell *cells, size_t count,
                    bool *changed);
/* After the last of them: where one began before, and none does now; false after the last. */
bool export_seen_gone(struct export_process *process, uint64_t *start);
void export_seen_free(struct export_seen *seen); /* NULL is fine */

#endif
