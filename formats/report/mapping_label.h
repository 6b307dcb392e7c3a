/* mapping_label.h - what a mapping of anonymous memory is that has no name of its own. */
#ifndef VMSNAP_MAPPING_LABEL_H
#define VMSNAP_MAPPING_LABEL_H

#include "row.h"
#include "text_out.h"

struct mapping_label {
	char *words; /* "stack of thread 12 (worker)", "/lib/libc.so.6 (.bss)"; raw bytes; NULL: nothing is known */
	const char *kind; /* "thread_stack", "stack_guard", "malloc_heap" or "bss" */
};
/* names may be NULL; index: of the mapping in their snapshot.  To be given back.  If there is no
 * memory, the text has failed. */
struct mapping_label mapping_label(struct text *text, struct vmsnap_names *names, const struct vmsnap_vma *vma,
                                   size_t index);
void mapping_label_free(struct mapping_label *label, struct text *text);
/* Of a mapping that may be one of snap's, of which the names are; otherwise nothing is known. */
struct mapping_label mapping_label_in(struct text *text, struct vmsnap_names *names, const struct vmsnap *snap,
                                      const struct vmsnap_vma *vma);
/* A column with what it is called: for people, if it has no name, by its label. */
void row_put_mapping(struct row *row, unsigned column, struct vmsnap_names *names, const struct vmsnap *snap,
                     const struct vmsnap_vma *vma);

#endif
