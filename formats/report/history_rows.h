/* history_rows.h - one page in snapshots one after another: a row for each, of a history in memory and of one in a file
 * alike. */
#ifndef VMSNAP_HISTORY_ROWS_H
#define VMSNAP_HISTORY_ROWS_H

#include "row.h"
#include "vmsnap.h"

/* One row: the page, and what happened since the row before of the same process. */
struct moment {
	const struct vmsnap *snap;
	const char *name;
	size_t number; /* of the snapshot in a file, from 1 on; 0: it is in none */
	bool one_day;  /* all of them are of one */
	uint64_t address;
	const struct vmsnap_vma *vma;
	struct vmsnap_run page; /* flags 0: absent */
	const char *state;
	bool physical_known;
	uint64_t physical;
	bool compared; /* there is such a row */
	struct vmsnap_page_diff diff;
};
void moment_look(struct moment *moment, const struct vmsnap *snap, uint64_t address);
int moment_compare(struct moment *moment, const struct vmsnap *last, struct text *text, struct vmsnap_error *err);
bool moment_same_number(const struct vmsnap *a, const struct vmsnap *b);

int put_moment(struct row *row, const struct moment *moment, struct vmsnap_error *err);

/* of_file: rows is called once, and each row has a time. */
int put_history(struct text *text, rows_fn rows, bool of_file, void *ctx, uint64_t address, struct vmsnap_error *err);

#endif
