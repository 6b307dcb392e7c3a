/* value_pages.h - what memory held in a snapshot: what it keeps, and what can be known besides. */
#ifndef VMSNAP_VALUE_PAGES_H
#define VMSNAP_VALUE_PAGES_H

#include "names.h"

struct value_pages {
	const struct vmsnap *snap;
	struct vmsnap_names *names; /* of B */
	/* The file that was last asked for. */
	const struct object *object;
	int fd;
};

void value_pages_init(struct value_pages *pages, const struct vmsnap *snap, struct vmsnap_names *names);
void value_pages_close(struct value_pages *pages);
/* Whether the snapshot itself keeps the page. */
bool value_pages_kept(const struct value_pages *pages, uint64_t address);
/* All of [address, address + len), or false: of a private mapping of a file (object, NULL: none) that was not
 * written to there, as the file has it.  B's mapping has to be of the same place in it. */
bool value_pages_read(struct value_pages *pages, const struct object *object, uint64_t address, void *to, size_t len);

#endif
