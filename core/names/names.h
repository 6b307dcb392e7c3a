/* names.h - the names of one snapshot's addresses, from within. */
#ifndef VMSNAP_NAMES_H
#define VMSNAP_NAMES_H

#include "demangle.h"
#include "names_annotations.h"
#include "names_object.h"
#include "names_stacks.h"
#include "perf_map.h"

struct vmsnap_names {
	const struct vmsnap *snap;
	struct objects objects;
	struct stacks stacks;
	struct arena strings;
	uint64_t walks; /* how many there were */
	/* Snapshots whose annotations are used: this one, and the fallbacks. */
	const struct vmsnap **sources;
	size_t source_count;
	struct annotation_names annotations; /* collected when first asked for */
	bool collected;
	struct perf_map jit; /* read when first asked for */
	bool jit_tried;
	bool as_mangled; /* nothing is demangled */
	struct demangler demangler;
};

/* What a mapping of anonymous memory is, as vmsnap_name_of_mapping() says; files: those that lie below it may be
 * read, too, for their .bss. */
int names_of_anonymous(struct vmsnap_names *names, size_t index, bool files, struct vmsnap_name *out);

#endif
