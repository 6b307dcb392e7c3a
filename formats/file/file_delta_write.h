/* file_delta_write.h - snapshots as what differs from the one before of their process, or of a relative
 * (docs/format.md, section 4.14): which of them are, and the payload of their DELT. */
#ifndef VMSNAP_FILE_DELTA_WRITE_H
#define VMSNAP_FILE_DELTA_WRITE_H

#include "file_deflate.h"
#include "payloads.h"
#include "vmsnap.h"

/* Of one stream that is being written, or added to. */
struct delta_writer;
/* The file that is added to, whose last stream goes on; NULL: none.  Borrowed.  NULL: no memory. */
struct delta_writer *delta_writer_new(struct vmsnap_file *before);
void delta_writer_free(struct delta_writer *writer);

/* The payload of the DELT of a snapshot that begins at an offset of the file, of its own payloads.  VMSNAP_END:
 * it is to be stored whole. */
int delta_writer_make(struct delta_writer *writer, const struct vmsnap *snap, uint64_t offset,
                      const struct payloads *own, struct payload *out, struct vmsnap_error *err);
/* It was written, as what make() gave or whole. */
struct delta_written {
	uint64_t offset;
	bool whole;
	uint64_t bytes; /* without what pages hold */
	uint64_t pages; /* if whole, in sections PAGE, before they were deflated */
	uint32_t crc;   /* what its END says of its headers */
};
/* Takes over the payloads. */
void delta_writer_wrote(struct delta_writer *writer, const struct vmsnap *snap, const struct delta_written *as,
                        struct payloads *own);

#endif
