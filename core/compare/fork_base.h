/* fork_base.h - when a base was taken, as seen from the fork.  Only what was there at the fork
 * tells who copied a page since; a base of another time tells that of some pages. */
#ifndef VMSNAP_FORK_BASE_H
#define VMSNAP_FORK_BASE_H

#include "snapshot.h"

enum base_time {
	BASE_NONE,
	BASE_AT,          /* both sides, held by a debugger, and the child had not run yet */
	BASE_AT_CHILD,    /* the child, which had not run yet */
	BASE_BEFORE,      /* the parent, before the fork */
	BASE_BOTH,        /* both sides at one instant, after the fork */
	BASE_PARENT_LATE, /* the parent, after the fork, or it cannot be told */
	BASE_CHILD_LATE,  /* the child, which had run */
	BASE_OF_ANOTHER,  /* neither parent nor child */
};

struct fork_base {
	/* The base; other: the other side, where both are used.  Either may be NULL. */
	const struct vmsnap *base, *other;
	enum base_time time;
	bool after; /* the base is from after the fork, for certain */
	/* Since the base, the child since the fork, it made no page: there was no page fault. */
	bool parent_idle, child_idle;
};
/* one, two: of the fork's two sides at one instant, in either order; or NULL.  Where both are
 * given, .base is the parent. */
struct fork_base fork_base_of(const struct vmsnap *parent, const struct vmsnap *child, const struct vmsnap *one,
                              const struct vmsnap *two);

/* The time of a fork, by the child's start: ticks after boot. */
enum fork_order { FORK_UNKNOWN, FORK_LATER, FORK_EARLIER };
/* Whether it was later or earlier than a snapshot. */
enum fork_order fork_order(const struct vmsnap *child, const struct vmsnap *snap);
/* Whether it had been started when a set was taken: if that has it not, it was not asked for. */
bool fork_was_before(const struct vmsnap *child, const struct vmsnap_set *set);

#endif
