/* print_names.h - the symbols on changed pages: the few that say most, and how
 * many more there are. */
#ifndef VMSNAP_PRINT_NAMES_H
#define VMSNAP_PRINT_NAMES_H

#include "json.h"
#include "table.h"
#include "vmsnap.h"

enum { TOP_NAMES = 6 };
struct top_names {
	struct vmsnap_name best[TOP_NAMES]; /* variables before functions, big before small */
	size_t kept;
	uint64_t total;
	uint64_t last; /* the highest address counted: a symbol on two ranges counts once */
};

/* Counts the symbols on [start, end).  Ranges must come in address order.  names
 * may be NULL.  A mapping's own name is no symbol. */
int top_names_add(struct top_names *top, struct vmsnap_names *names, uint64_t start, uint64_t end,
                  struct vmsnap_error *err);
/* "counter, table, and 12 more": as many as fit into the line, of which `column`
 * columns are used, but one at least. */
void top_names_put(const struct top_names *top, struct text *text, size_t column);
void top_names_cell(const struct top_names *top, struct table *table, size_t column);

/* "names": the first symbols on the range, else the mapping; "names_total". */
enum { JSON_NAMES_MAX = 64 };
int json_names(struct json *json, struct vmsnap_names *names, uint64_t start, uint64_t end, struct vmsnap_error *err);

#endif
