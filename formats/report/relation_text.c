#include "relation_text.h"

#include "text_color.h"
#include "text_fit.h"

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
	struct fit_line line = fit_line(text, 2, 2);
	color_start(text, COLOR_ALARM);
	text_string(text, "! ");
	fit_words(&line, sentence(relation));
	color_end(text, COLOR_ALARM);
	text_string(text, "\n");
}
