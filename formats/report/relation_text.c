#include "relation_text.h"

#include "alarm_text.h"

const char *relation_words(int relation)
{
	switch (relation) {
	case VMSNAP_RELATION_ONE_ADDRESS_SPACE:
		return "one address space";
	case VMSNAP_RELATION_ANOTHER_PROGRAM:
		return "another program since";
	case VMSNAP_RELATION_ANOTHER_PROCESS:
		return "another process of that number since";
	default:
		return "";
	}
}

static const char *sentence(int relation)
{
	switch (relation) {
	case VMSNAP_RELATION_ONE_ADDRESS_SPACE:
		return "one address space, at one instant: there is nothing to compare";
	case VMSNAP_RELATION_ANOTHER_PROGRAM:
		return "another program since; not comparable page by page";
	default:
		return "another process of that number since; not comparable page by page";
	}
}

void put_relation(struct text *text, int relation)
{
	if (relation == VMSNAP_RELATION_COMPARABLE)
		return;
	put_alarm(text, sentence(relation));
}
