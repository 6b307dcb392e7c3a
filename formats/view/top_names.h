/* top_names.h - names on changed pages: the few that say most, and how many more there are. */
#ifndef VMSNAP_TOP_NAMES_H
#define VMSNAP_TOP_NAMES_H

#include "vmsnap.h"

/* Where names come from, and which threads need not be told apart: the main ones of
 * the snapshots that are spoken of. */
enum { NAMING_SNAPSHOTS = 3 };
struct naming {
	struct vmsnap_names *names; /* NULL: none are known */
	uint32_t main_threads[NAMING_SNAPSHOTS];
};
/* Each snapshot may be NULL. */
struct naming naming_of(struct vmsnap_names *names, const struct vmsnap *a, const struct vmsnap *b,
                        const struct vmsnap *c);

/* Whether it is a variable of a function's frame. */
bool name_in_frame(const struct vmsnap_name *name);
/* Nearest and biggest first: locals and arguments by frame, the innermost first; then
 * what is a thread's own, variables, functions, the rest.  <0: a says more than b. */
int name_order(const struct vmsnap_name *a, const struct vmsnap_name *b);

enum { TOP_NAMES = 12, LINE_NAMES = 6 }; /* kept; written in one line or cell */
struct top_names {
	const struct naming *naming;
	struct vmsnap_name best[TOP_NAMES]; /* in name_order() */
	size_t kept;
	uint64_t total;
	uint64_t end; /* of the range counted last: a name on two ranges counts once */
};
void top_names_init(struct top_names *top, const struct naming *naming);
/* One name, whichever ranges it is on. */
void top_names_count(struct top_names *top, const struct vmsnap_name *name);
/* Counts the names on [start, end).  Ranges must come in address order.  A mapping's
 * own name does not count. */
int top_names_add(struct top_names *top, uint64_t start, uint64_t end, struct vmsnap_error *err);

#endif
