/* group_text.h - a group of processes, and what it was before: the lines above its tables. */
#ifndef VMSNAP_GROUP_TEXT_H
#define VMSNAP_GROUP_TEXT_H

#include "text_out.h"

struct grouped {
	const struct vmsnap_group *group, *before; /* before and change: both NULL, or both there */
	const struct vmsnap_group_change *change;
	unsigned flags; /* enum vmsnap_print_flag */
};

void put_group_heading(struct text *text, const struct grouped *grouped);
/* Of each of them. */
bool group_pss_known(const struct vmsnap_group *group);
/* What is not known, and why. */
void put_group_doubts(struct text *text, const struct grouped *grouped);
/* Bytes that all processes lost, of each for itself; SIZE_MAX for *index: none. */
uint64_t group_lost(const struct grouped *grouped);
/* What may be taken for the text. */
void text_limit_group(struct text *text, const struct grouped *grouped);

#endif
