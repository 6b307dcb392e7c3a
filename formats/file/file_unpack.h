/* file_unpack.h - the payload of one section: read, its checksum looked at, inflated.  Knows no kind of
 * section, and nothing but its own, so that several threads may have one each. */
#ifndef VMSNAP_FILE_UNPACK_H
#define VMSNAP_FILE_UNPACK_H

#include "column.h"
#include "file_source.h"
#include "inflater.h"
#include "section.h"
#include "work.h"

struct placed {
	struct section section;
	uint64_t offset; /* of the header */
};
struct unpacked {
	const struct file_source *source;
	const struct placed *placed;
	struct bytes copy, raw;
	struct cursor payload;
	int rc;
	struct vmsnap_error err;
};
/* Fills .payload, or gives a code and fills .err.  inflater: NULL where it does not pay; then `work` is asked. */
int unpack(struct unpacked *unpacked, struct inflater *inflater, struct work *work);
void unpacked_free(struct unpacked *unpacked);

#endif
