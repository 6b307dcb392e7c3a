/* print_touched.h - by what a debugger touched pages: "breakpoint 2".  A page may hold
 * thousands of such bytes; the first few that differ are told. */
#ifndef VMSNAP_PRINT_TOUCHED_H
#define VMSNAP_PRINT_TOUCHED_H

#include "json.h"
#include "table.h"
#include "text_fit.h"
#include "vmsnap.h"

/* What one snapshot tells, in the order of address. */
struct touched_bytes {
	const struct vmsnap_annotation *name;
	uint64_t reach; /* the highest end of this and those before it */
};
struct touched_by {
	struct touched_bytes *items;
	size_t count, room;
};
int touched_by_init(struct touched_by *by, const struct vmsnap *snap, struct work *work);
void touched_by_free(struct touched_by *by, struct work *work);

enum { TOUCHED_REASONS = 16, TOUCHED_REASONS_TEXT = 3 };
struct touched_reasons {
	const struct vmsnap_annotation *first[TOUCHED_REASONS]; /* no two with one symbol */
	size_t count;
	size_t looks;
	bool more;            /* there are others, or there may be */
	bool not_breakpoints; /* some of them are something else, or may be */
};
/* Adds what touched a byte of [start, end). */
void touched_reasons_add(struct touched_reasons *reasons, const struct touched_by *by, uint64_t start, uint64_t end);

/* "(breakpoint 2, inferior call and more)" between two marks; nothing if no reason is
 * known.  with_places: "breakpoint 2 at 555555555151". */
void touched_reasons_put(const struct touched_reasons *reasons, struct fit_line *line, const char *open,
                         const char *close, bool with_places);
/* A cell: "breakpoint 2,inferior call"; empty for a page that was not touched. */
void touched_reasons_cell(const struct touched_reasons *reasons, bool touched, struct table *table, size_t column);
/* "touched_by_debugger": whether, "touched_by": by what. */
void json_touched(struct json *json, bool touched, const struct touched_reasons *reasons);

#endif
