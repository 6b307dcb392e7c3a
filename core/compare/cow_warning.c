#include "cow_warning.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "facts.h"
#include "relation.h"

struct line {
	char *text;
	size_t size, len;
};

/* Adds one reason; the reasons are joined by "; ". */
__attribute__((format(printf, 2, 3))) static void add(struct line *line, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	size_t room = line->size - line->len;
	int len = snprintf(line->text + line->len, room, "%s", line->len ? "; " : "");
	if (len >= 0 && (size_t)len < room) {
		line->len += (size_t)len;
		room -= (size_t)len;
		len = vsnprintf(line->text + line->len, room, format, args);
		if (len >= 0)
			line->len += (size_t)len < room ? (size_t)len : room - 1;
	}
	va_end(args);
}

static uint32_t process_of(const struct vmsnap *snap)
{
	return snap->info.tgid ? snap->info.tgid : snap->info.pid;
}

static void check_family(struct line *line, const struct vmsnap *parent, const struct vmsnap *child)
{
	uint32_t father = process_of(parent), son = process_of(child);
	if (facts_same_process(parent, child))
		add(line, "parent and child are the same process, %" PRIu32 ": diff tells what changed in it", father);
	else if (child->info.ppid != father)
		add(line,
		    "these two are not known to be parent and child: the parent of process %" PRIu32 " is %" PRIu32
		    ", not %" PRIu32,
		    son, child->info.ppid, father);
}

static void check_base_time(struct line *line, const struct vmsnap *child, const struct fork_base *base, bool went_on)
{
	switch (base->time) {
	case BASE_BEFORE:
		if (went_on)
			add(line, "the parent changed its memory between the base and the fork: what the base did "
			          "not have may have been there at the fork");
		break;
	case BASE_PARENT_LATE:
		add(line, "%s: what was copied by then is told as copied, not by whom",
		    fork_order(child, base->base) == FORK_EARLIER
		            ? "the base was taken after the fork"
		            : "it is not known whether the base was taken before the fork");
		break;
	case BASE_CHILD_LATE:
		add(line, "the base is of the child, which had run: what was copied by then is told as copied, "
		          "not by whom");
		break;
	default:
		break;
	}
}

static void check_base(struct line *line, const struct vmsnap *parent, const struct vmsnap *child,
                       const struct fork_base *given, bool went_on)
{
	const struct vmsnap *base = given->base;
	if (given->time == BASE_OF_ANOTHER)
		add(line, "the base is of process %" PRIu32 ", which is neither parent nor child, and tells nothing",
		    process_of(base));
	if (!facts_same_boot(base, parent) || !facts_same_boot(base, child))
		add(line, "the base is of another boot");
	else if ((parent->info.monotonic && base->info.monotonic > parent->info.monotonic) ||
	         (child->info.monotonic && base->info.monotonic > child->info.monotonic))
		add(line, "the base was taken after the others");
	else
		check_base_time(line, child, given, went_on);
}

static void check_program(struct line *line, const struct vmsnap *parent, const struct vmsnap *child,
                          const struct doubts *doubts)
{
	int relation = doubts->relation;
	uint32_t father = process_of(parent), son = process_of(child);
	if (relation == VMSNAP_RELATION_ONE_ADDRESS_SPACE)
		add(line,
		    "processes %" PRIu32 " and %" PRIu32
		    " have one address space: what one does to it the other has done, and nothing is copied",
		    father, son);
	else if (relation == VMSNAP_RELATION_ANOTHER_PROGRAM && father == son)
		add(line, "process %" PRIu32 " has executed another program since: not comparable page by page", son);
	else if (relation == VMSNAP_RELATION_ANOTHER_PROGRAM && child->info.ppid != father)
		add(line, "they are two processes without relation: not comparable page by page");
	else if (relation == VMSNAP_RELATION_ANOTHER_PROGRAM && child->info.executed)
		/* It has its parent's memory until it executes a program. */
		add(line, "process %" PRIu32 " has executed another program since: not comparable page by page",
		    child->info.executed == VMSNAP_EXECUTED_PROGRAM ? son : father);
	else if (relation == VMSNAP_RELATION_ANOTHER_PROGRAM)
		add(line,
		    "process %" PRIu32 " or process %" PRIu32
		    " has executed another program since: not comparable page by page",
		    son, father);
	else if (relation == VMSNAP_RELATION_ANOTHER_PROCESS)
		add(line, "these are two processes that had one number, %" PRIu32 ": not comparable page by page", son);
	else if (relation_may_be_one_memory(parent, child))
		add(line, "the two look alike in every page: they may have one address space, which is not known");
	else if (doubts->base_left_out)
		add(line, "the base is of another program, or of another process of that number: it is not used");
}

static void check_known(struct line *line, const struct vmsnap *const snaps[3])
{
	static const char *const who[] = { "parent", "child", "base" };
	bool frames = true, exclusive = true, recorded = false;
	for (size_t i = 0; i < 3; i++) {
		if (!snaps[i])
			continue;
		frames &= snaps[i]->info.known.pfn;
		exclusive &= snaps[i]->info.known.exclusive;
		if (!snaps[i]->info.consistent)
			add(line, "the %s changed while it was looked at", who[i]);
		if (snaps[i]->info.known_until)
			add(line, "of the %s nothing is known from %" PRIx64 " on", who[i], snaps[i]->info.known_until);
		recorded |= !vmsnap_consistent_known(&snaps[i]->info) && snaps[i]->info.tool && *snaps[i]->info.tool;
	}
	if (recorded)
		add(line, "of what was recorded it is not known whether it stood still");
	if (!frames)
		add(line, "PFNs are not known%s", exclusive ? "" : ", nor is which pages are exclusive");
}

/* Copies made between two looks are put down to one side only.  Processes that a
 * debugger holds may well be looked at one after the other. */
static void check_times(struct line *line, const struct vmsnap *parent, const struct vmsnap *child)
{
	const int64_t second = 1000000000;
	int64_t first = parent->info.monotonic, then = child->info.monotonic;
	if (first > then) {
		int64_t swap = first;
		first = then;
		then = swap;
	}
	uint64_t apart = (uint64_t)then - (uint64_t)first;
	bool held = parent->info.freeze == VMSNAP_FREEZE_DEBUGGER && child->info.freeze == VMSNAP_FREEZE_DEBUGGER;
	bool known = parent->info.monotonic && child->info.monotonic; /* of a recording it is not */
	if (known && !held && facts_same_boot(parent, child) && apart > (uint64_t)second)
		add(line, "parent and child were looked at %" PRIu64 ".%" PRIu64 " s apart", apart / (uint64_t)second,
		    apart / (uint64_t)(second / 10) % 10);
}

void cow_warning(const struct vmsnap *parent, const struct vmsnap *child, const struct doubts *doubts, char *out,
                 size_t size)
{
	struct line line = { .text = out, .size = size };
	*out = '\0';
	if (!facts_same_boot(parent, child))
		add(&line, "parent and child are %s: their PFNs cannot be compared",
		    *parent->info.boot_id && *child->info.boot_id ? "of different boots"
		                                                  : "not known to be of one boot");
	check_family(&line, parent, child);
	check_program(&line, parent, child, doubts);
	if (doubts->relation != VMSNAP_RELATION_COMPARABLE)
		return;
	if (doubts->base->base)
		check_base(&line, parent, child, doubts->base, doubts->went_on);
	if (doubts->merged)
		add(&line, "KSM may have merged and parted their pages: who copied one is not known");
	else if (doubts->moved)
		add(&line, "the kernel moved pages of theirs since the base: who copied one is not known");
	check_known(&line, (const struct vmsnap *const[]){ parent, child, doubts->base->base });
	check_times(&line, parent, child);
}
