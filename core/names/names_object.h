/* names_object.h - the mapped files of a snapshot: which mappings are of one file,
 * whether the file found today is believed, where its segments lie in memory. */
#ifndef VMSNAP_NAMES_OBJECT_H
#define VMSNAP_NAMES_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "dwarf_lines.h"
#include "elf_verify.h"
#include "mapped_object.h"
#include "names_path.h"
#include "vmsnap.h"
#include "work.h"

/* What is kept of all files together, of the crafted ones that a process may have mapped,
 * too: beyond that, files are not read any more, and a warning says so.  A process of the
 * Rust compiler takes 65 MiB, with two libraries of 250,000 and 165,000 symbols; one of a
 * browser, 2 million symbols with names of 100 bytes, would take 350 MiB. */
#define OBJECTS_BYTES_MAX (UINT64_C(512) << 20)

struct objects {
	const struct vmsnap *snap;
	uint64_t room;                /* how many more bytes may be kept */
	int root;                     /* see names_path.h */
	struct names_process process; /* tried where root has not got the file */
	struct here here;
	struct elfutils elfutils; /* loaded with the first symbols */
	bool elfutils_tried;
	struct object *items;
	size_t count;
	struct member *members;  /* of all objects, one after another */
	uint32_t *vma_member;    /* for each VMA: index into members, or NO_MEMBER */
	uint32_t *member_object; /* for each member: index into items */
	struct arena strings;
	char *warnings; /* malloc'ed lines, or NULL */
	size_t warnings_len;
	bool no_memory;   /* something is missing for want of memory */
	struct work work; /* whether all this is still wanted; counts nothing */
	bool cancelled;   /* something was left for later since it is not */
};
#define NO_MEMBER UINT32_MAX

/* Opens nothing yet but the sysroot. */
int objects_init(struct objects *objects, const struct vmsnap *snap, const char *sysroot, struct vmsnap_error *err);
/* As if new for another snapshot, but keeps what was read of files that it maps too.
 * The snapshot so far is not looked at any more.  After a failure all is as it was. */
int objects_rebind(struct objects *objects, const struct vmsnap *snap, struct vmsnap_error *err);
void objects_free(struct objects *objects);

/* The ranges of one VMA in address order; reads headers, not symbols.  An anonymous
 * VMA has ranges too, where it is the .bss of the file before it.  Returns how many. */
size_t objects_segment_ranges(struct objects *objects, size_t vma, struct segment_range ranges[ELF_LOADS_MAX]);
/* The object's symbols, read now if they were not yet; NULL if there are none. */
const struct symbols *objects_symbols(struct objects *objects, struct object *object);
/* The types of its variables, likewise. */
struct dwarf_types *objects_types(struct objects *objects, struct object *object);
/* The source lines of addresses in it, as the file counts, in their order; names of files are in o->strings.  Whoever
 * asks twice has them read twice. */
void objects_lines(struct objects *objects, struct object *object, struct dwarf_line *items, size_t count);
/* The file that was mapped, believed to be that; -1 if it is not there any more. */
int objects_open(struct objects *objects, const struct object *object);
/* Adds a line to the warnings; a newline in it does not make it two. */
void objects_warn(struct objects *objects, const char *line);
void objects_warn_of(struct objects *objects, const char *path, const char *reason);

#endif
