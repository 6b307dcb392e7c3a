/* payloads.h - the payloads of one snapshot that are kept as patches in a DELT (docs/format.md, section 4.14), by
 * the type of their section: what comes once in a snapshot.  Of SNAP only the fields that are not in it. */
#ifndef VMSNAP_PAYLOADS_H
#define VMSNAP_PAYLOADS_H

#include "column.h"

enum { PAYLOADS_MAX = 24 };
struct payloads {
	struct {
		uint32_t type;
		struct bytes bytes;
	} items[PAYLOADS_MAX];
	size_t count;
};
void payloads_free(struct payloads *payloads);
/* NULL: it has no such section. */
const struct bytes *payloads_find(const struct payloads *payloads, uint32_t type);
/* Room for that of a section, new or as it was; NULL: there are too many. */
struct bytes *payloads_place(struct payloads *payloads, uint32_t type);
void payloads_remove(struct payloads *payloads, uint32_t type);
bool payloads_copy(struct payloads *to, const struct payloads *from);
uint64_t payloads_size(const struct payloads *payloads);

/* The fields of a SNAP by which a snapshot is found, and the others; both are appended to.  False: it is none. */
bool snap_split(struct cursor snap, struct bytes *finding, struct bytes *rest);

#endif
