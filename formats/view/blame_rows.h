/* blame_rows.h - which rows a blame has: pages added up by the code that made them what they are, or by where they
 * lie. */
#ifndef VMSNAP_BLAME_ROWS_H
#define VMSNAP_BLAME_ROWS_H

#include "arena.h"
#include "vmsnap.h"
#include "work.h"

enum blame_who {
	BLAME_SEEN,
	BLAME_SEVERAL,     /* one of several, nobody knows which */
	BLAME_UNSEEN,      /* no fault was seen that can have done it */
	BLAME_FAULTS_ONLY, /* made no page what it is */
};
enum { BLAME_PLACES = 4 };
struct blame_row {
	enum blame_who who;
	uint64_t bytes[VMSNAP_BECAME_COUNT];
	uint64_t faults;
	int32_t pid, tid;                 /* of the first one */
	const struct vmsnap_fault *fault; /* NULL: there was none, or several */
	const char *function;             /* as it is shown; "" */
	const char *file;                 /* "" if it is not known, or not one */
	uint32_t line;                    /* 0 likewise */
	const char *object;               /* the file that the code is of; "" */
	const char *label;                /* by stack, variable, thread: what it is called; else "" */
	const struct vmsnap *snap;        /* of the pages; NULL: there are none, or of several */
	uint64_t start, end;              /* by page */
	struct blame_place {
		const struct vmsnap *snap;
		const struct vmsnap_vma *vma;
		uint64_t bytes;
	} places[BLAME_PLACES]; /* those that came first; the rest is counted by none */
	uint32_t hash;
	const char *key;
};
struct blame_rows {
	const struct vmsnap_blame *blame;
	struct vmsnap_names *names; /* may be NULL */
	int by;
	struct blame_row *items; /* the most pages first; those of unknown origin last */
	size_t count, room;
	uint32_t *slots; /* a hash table: 1 + index */
	size_t slot_count;
	struct arena strings;
	struct work *work;
	uint64_t pages[VMSNAP_BECAME_COUNT]; /* in bytes, all */
	uint64_t unseen, several, moved;     /* in bytes, but for what is only mapped */
	uint64_t left;                       /* of the unseen: others had them, too, and may have let go of them */
	uint64_t inherited;
	uint64_t faults, begin, end; /* between the snapshots */
	size_t processes, unknown;   /* unknown: of which nobody knows what became of their pages */
};
int blame_rows_make(struct blame_rows *rows, const struct vmsnap_blame *blame, int by, struct vmsnap_names *names,
                    struct work *work, struct vmsnap_error *err);
void blame_rows_free(struct blame_rows *rows);
/* Of none is it known what became of its pages: sums are not 0, but unknown. */
static inline bool blame_rows_unknown(const struct blame_rows *rows)
{
	return rows->unknown == rows->processes;
}
/* The place that most of its pages are in; NULL: none. */
const struct blame_place *blame_row_place(const struct blame_row *row, bool *others);

#endif
