/* status_pairs.h - the lines of two status texts side by side, by their keys.  The only
 * place that knows which line of one belongs to which of the other. */
#ifndef VMSNAP_STATUS_PAIRS_H
#define VMSNAP_STATUS_PAIRS_H

#include "snapshot.h"
#include "work.h"

/* Where a pair's lines begin in their texts. */
struct status_pair {
	uint32_t a, b;
};
#define STATUS_NO_LINE UINT32_MAX

void status_pair_read(const struct vmsnap *a, const struct vmsnap *b, struct status_pair pair,
                      struct vmsnap_diff_status *out);

/* Calls fn for the lines of A in its order, then for those that only B has, until it
 * returns something else than 0, which is given back.  A key that comes twice in both is met
 * twice. */
typedef int (*status_pair_fn)(void *ctx, struct status_pair pair);
int status_pairs_each(const struct vmsnap *a, const struct vmsnap *b, struct work *work, status_pair_fn fn, void *ctx);

#endif
