/* look.h - what is true of any snapshot, and what the kernel says of the process itself. */
#ifndef SOAK_LOOK_H
#define SOAK_LOOK_H

#include <stdbool.h>
#include <sys/types.h>
#include <vmsnap.h>

void look_order(const struct vmsnap *snap); /* mappings and runs, in order and within each other */
void look_smaps(const struct vmsnap *snap); /* pages against smaps of the same instant */
/* Present pages as smaps counts them: not the zero page, nor what is no page at all. */
uint64_t look_resident(const struct vmsnap *snap);
uint64_t look_fingerprint(const struct vmsnap *snap); /* of all that was captured of its memory */

void look_let_go(pid_t pid, bool stopped); /* no thread is traced; stopped or not, as it was before */
void look_await_stop(pid_t pid);
uint64_t look_rollup(pid_t pid); /* Rss of smaps_rollup, bytes */

#endif
