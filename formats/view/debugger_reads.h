/* debugger_reads.h - pages that both sides of a fork copied, perhaps because a debugger had read them:
 * docs/verdicts.md, "What a verdict says, and what it does not". */
#ifndef VMSNAP_DEBUGGER_READS_H
#define VMSNAP_DEBUGGER_READS_H

#include "vmsnap.h"
#include "work.h"

enum { DEBUGGER_READS_SAID = 3 };
struct debugger_reads {
	uint64_t pages;
	uint64_t first[DEBUGGER_READS_SAID]; /* where, in the child */
};
/* Of pages that are copied_by_both, those that were read for names of variables, as the base and its other side tell.
 */
int debugger_reads(const struct vmsnap_cow *cow, struct work *work, struct debugger_reads *out);

#endif
