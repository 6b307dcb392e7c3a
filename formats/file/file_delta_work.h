/* file_delta_work.h - how much there is to do before a snapshot is loaded that is stored as a difference
 * (docs/format.md, section 4.14).  The unit is what it takes to inflate and decode a byte of one that is stored whole.
 */
#ifndef VMSNAP_FILE_DELTA_WORK_H
#define VMSNAP_FILE_DELTA_WORK_H

#include "file_delta.h"

/* As measured with programs of many mappings, of scattered pages, of few, that grow and that shrink. */
enum {
	WORK_EACH = 5600,       /* to load any, however little it has */
	WORK_LINK = 650,        /* to read a difference, however small */
	WORK_PAGES_BYTE = 2,    /* of the pages of a difference, that is laid over others */
	WORK_STRETCH = 24,      /* and for each place in which they are */
	WORK_PATCHED_BYTES = 16 /* that are copied as quickly as one is decoded */
};

/* Of one that is stored whole: the bytes of its payloads, inflated. */
static inline uint64_t delta_work_whole(uint64_t payloads, uint64_t pages)
{
	return WORK_EACH + payloads + pages;
}

/* What a difference adds to that, of so many bytes, inflated. */
uint64_t delta_work_link(struct delta delta, uint64_t bytes);

#endif
