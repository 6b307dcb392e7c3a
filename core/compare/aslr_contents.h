/* aslr_contents.h - how much of two matched mappings holds the same. */
#ifndef VMSNAP_ASLR_CONTENTS_H
#define VMSNAP_ASLR_CONTENTS_H

#include "aslr_match.h"

struct aslr_contents {
	const struct aslr_side *sides; /* matched */
	struct work *work;
	bool known, bytes; /* both keep contents, and what pages hold of them */
	char *page[ASLR_SIDES];
};
/* Gives the codes of work.h. */
int aslr_contents_init(struct aslr_contents *contents, const struct aslr_side sides[ASLR_SIDES], struct work *work);
void aslr_contents_free(struct aslr_contents *contents);
/* Of two items that are matched.  Also other codes where contents cannot be read: err is filled then. */
int aslr_contents_compare(struct aslr_contents *contents, const struct aslr_item *a, const struct aslr_item *b,
                          struct vmsnap_aslr_contents *out, struct vmsnap_error *err);

#endif
