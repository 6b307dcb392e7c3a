/* print_names.h - names on changed pages: how one is written, the few that say most,
 * and how many more there are. */
#ifndef VMSNAP_PRINT_NAMES_H
#define VMSNAP_PRINT_NAMES_H

#include "json.h"
#include "table.h"
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

/* "counter", "buf in parse() #1", "buf in parse() #1 of thread 12", "errno (thread-local)";
 * raw bytes, to be given back.  NULL if there is no memory: then the text has failed. */
char *name_words(const struct naming *naming, const struct vmsnap_name *name, struct text *text);
void name_words_free(char *words, struct text *text);
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
/* "counter, table, and 12 more": as many as fit into the line, of which `column`
 * columns are used, but one at least. */
void top_names_put(const struct top_names *top, struct text *text, size_t column);
void top_names_cell(const struct top_names *top, struct table *table, size_t column);

/* "names": the first names on the range, else the mapping; "names_total". */
enum { JSON_NAMES_MAX = 64 };
int json_names(struct json *json, struct vmsnap_names *names, uint64_t start, uint64_t end, struct vmsnap_error *err);
/* One of them, as an object; offset: of what is spoken of, from where the name begins. */
void json_name(struct json *json, const char *key, const struct vmsnap_name *name, uint64_t offset);

#endif
