#include "relation_text.h"

#include <string.h>

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

static uint32_t process_of(const struct vmsnap_info *info)
{
	return info->tgid ? info->tgid : info->pid;
}

static bool different(const char *a, const char *b)
{
	return *a && *b && strcmp(a, b) != 0;
}

/* Neither one process at two times, nor one that forked the other. */
static bool unrelated(const struct vmsnap_info *a, const struct vmsnap_info *b)
{
	uint32_t in_a = process_of(a), in_b = process_of(b);
	return different(a->boot_id, b->boot_id) || (in_a != in_b && a->ppid != in_b && b->ppid != in_a);
}

void put_relation(struct text *text, int relation, const struct vmsnap *a, const struct vmsnap *b)
{
	if (relation == VMSNAP_RELATION_COMPARABLE)
		return;
	if (relation == VMSNAP_RELATION_ANOTHER_PROGRAM && unrelated(vmsnap_info(a), vmsnap_info(b)))
		put_alarm(
		        text,
		        "two processes without relation (neither is the other's parent); not comparable page by page");
	else
		put_alarm(text, sentence(relation));
}

bool taken_later(const struct vmsnap *a, const struct vmsnap *b)
{
	const struct vmsnap_info *of_a = vmsnap_info(a), *of_b = vmsnap_info(b);
	bool one = process_of(of_a) == process_of(of_b) && of_a->start_time == of_b->start_time;
	if (!one || different(of_a->boot_id, of_b->boot_id))
		return false;
	if (of_a->monotonic && of_b->monotonic && *of_a->boot_id && *of_b->boot_id)
		return of_a->monotonic > of_b->monotonic;
	return of_a->taken && of_b->taken && of_a->taken > of_b->taken;
}

void put_order(struct text *text, bool later)
{
	if (later)
		text_string(text,
		            "A is the later one: what is told as new was there before, what is gone came since.\n");
}
