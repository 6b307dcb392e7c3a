/* group_names.h - the variables and what else has a name on private pages of a group's processes: how much of each is
 * shared, how much is one process's own, and what lost the sharing. */
#ifndef VMSNAP_GROUP_NAMES_H
#define VMSNAP_GROUP_NAMES_H

#include "group_text.h"

/* Bytes of the pages that the name lies on, in all processes, each for itself. */
struct group_name {
	char *name, *object; /* object: path or [name] of the mapping; "" */
	uint64_t shared, own, lost;
	size_t processes, last; /* last: the one that was counted last, + 1 */
	int counted;            /* in it, as what and up to which address: several may have one name */
	uint64_t counted_to;
};
struct group_names {
	struct text *text;
	struct group_name *items; /* most lost first, then most own */
	size_t count, capacity;
	uint32_t *table; /* by hash: index + 1 */
	size_t table_size;
};
/* names: of one of the processes; goes from one to the next. */
int group_names_find(struct group_names *found, struct text *text, const struct grouped *grouped,
                     struct vmsnap_names *names, struct vmsnap_error *err);
void group_names_free(struct group_names *found);

#endif
