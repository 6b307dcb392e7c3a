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

/* The source line of an address, as the compiler noted it: of code that was inlined there, the inlined code's. */
struct names_line {
	uint64_t address;
	uint32_t line;    /* 0: unknown */
	const char *file; /* NULL: unknown; the names', until they go to another snapshot */
};
/* Of many, as those of one file are looked up at once. */
int names_lines(struct vmsnap_names *names, struct names_line *wanted, size_t count);

/* What a mapping of anonymous memory is, as vmsnap_name_of_mapping() says; files: those that lie below it may be
 * read, too, for their .bss. */
int names_of_anonymous(struct vmsnap_names *names, size_t index, bool files, struct vmsnap_name *out);

#endif
