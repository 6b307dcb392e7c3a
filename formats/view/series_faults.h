/* series_faults.h - what page faults tell of a step of a series: by which functions pages were made and copied. */
#ifndef VMSNAP_SERIES_FAULTS_H
#define VMSNAP_SERIES_FAULTS_H

#include "arena.h"
#include "vmsnap.h"
#include "work.h"

enum { SERIES_BLAMED = 20 };
struct series_blamed {
	const char *function, *syscall; /* syscall: "" if it was in none that is known */
	bool in_kernel;
	uint64_t copied, made, written, faults; /* bytes, but for faults */
};
struct series_faults {
	bool there;                                      /* some are kept */
	bool known;                                      /* what became of the pages is */
	uint64_t seen, lost;                             /* lost: UINT64_MAX: some */
	uint64_t copied, made, written, unseen, several; /* bytes */
	struct series_blamed by[SERIES_BLAMED];          /* those with the most first */
	size_t by_count;
};
/* Of the step that was read last.  Names are in `strings`. */
int series_faults_read(struct series_faults *out, const struct vmsnap_series *series, struct arena *strings,
                       struct work *work, struct vmsnap_error *err);

#endif
