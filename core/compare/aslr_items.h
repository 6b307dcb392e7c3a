/* aslr_items.h - the mappings of a snapshot by what they are: kind, whose file's, in which order.  What
 * the two sides of vmsnap_aslr_new() are matched by (aslr_match.h).  Pure. */
#ifndef VMSNAP_ASLR_ITEMS_H
#define VMSNAP_ASLR_ITEMS_H

#include "snapshot.h"
#include "work.h"

#define ASLR_NONE UINT32_MAX

/* A mapping, or a part of one that the other side has as several. */
struct aslr_item {
	uint64_t start, end, offset;
	const struct vmsnap_vma *vma;
	uint32_t name;    /* index in .names */
	uint32_t partner; /* index in the other side's items; ASLR_NONE */
	uint8_t kind;     /* enum vmsnap_aslr_kind */
};
/* A distinct file, or a distinct name of memory of one kind. */
struct aslr_name {
	const char *bytes;
	size_t len; /* without " (deleted)" */
	uint32_t group;
	uint8_t kind;                 /* enum vmsnap_aslr_kind, of a file's VMSNAP_ASLR_FILE */
	bool program;                 /* the file that was executed */
	const struct vmsnap_vma *vma; /* the first one */
};
struct aslr_side {
	const struct vmsnap *snap;
	struct aslr_item *items; /* by address */
	size_t count, room;
	struct aslr_name *names;
	size_t name_count, name_room;
	uint32_t anonymous; /* index of the name of anonymous memory without one, which there always is */
};

/* Gives the codes of work.h.  aslr_side_free() in any case. */
int aslr_side_init(struct aslr_side *side, const struct vmsnap *snap, struct work *work);
void aslr_side_free(struct aslr_side *side, struct work *work);

#endif
