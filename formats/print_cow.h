/* print_cow.h - the two shapes of vmsnap_print_cow(): for people and JSON. */
#ifndef VMSNAP_PRINT_COW_H
#define VMSNAP_PRINT_COW_H

#include "print_names.h"
#include "print_parts.h"

/* One mapping's ranges, which follow each other. */
struct cow_group {
	const struct vmsnap_vma *vma;
	size_t first, count;
	uint64_t pages[VMSNAP_VERDICTS];
};
/* The group that begins at range `first`; false if there is none. */
bool cow_group_at(const struct vmsnap_cow *cow, size_t first, struct cow_group *group);
/* Verdicts that say nothing happened. */
bool verdict_is_quiet(int verdict);

int print_cow_text(struct text *text, const struct vmsnap_cow *cow, struct vmsnap_names *names, unsigned flags,
                   struct vmsnap_error *err);
int print_cow_json(struct text *text, const struct vmsnap_cow *cow, struct vmsnap_names *names, unsigned flags,
                   struct vmsnap_error *err);

#endif
