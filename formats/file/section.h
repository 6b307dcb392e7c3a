/* section.h - the frame of the file (docs/format.md, sections 2 and 3): the
 * header of a stream, the header of a section, the END.  Fixed-width fields to
 * structs and back; no I/O, no payloads. */
#ifndef VMSNAP_SECTION_H
#define VMSNAP_SECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STREAM_HEADER_BYTES = 16, SECTION_HEADER_BYTES = 32, END_PAYLOAD_BYTES = 16, END_BYTES = 48, MAGIC_BYTES = 8 };

enum section_flag { SECTION_REQUIRED = 1, SECTION_DEFLATED = 2, SECTION_FLAGS = 3 };

/* The four letters as they lie in the file, read as a little-endian number. */
#define SECTION_TYPE(a, b, c, d) ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)
#define SECTION_SNAP             SECTION_TYPE('S', 'N', 'A', 'P')
#define SECTION_STAT             SECTION_TYPE('S', 'T', 'A', 'T')
#define SECTION_VMAS             SECTION_TYPE('V', 'M', 'A', 'S')
#define SECTION_PAGE             SECTION_TYPE('P', 'A', 'G', 'E')
#define SECTION_THRD             SECTION_TYPE('T', 'H', 'R', 'D')
#define SECTION_SMAP             SECTION_TYPE('S', 'M', 'A', 'P')
#define SECTION_NAME             SECTION_TYPE('N', 'A', 'M', 'E')
#define SECTION_HASH             SECTION_TYPE('H', 'A', 'S', 'H')
#define SECTION_CONT             SECTION_TYPE('C', 'O', 'N', 'T')
#define SECTION_WRIT             SECTION_TYPE('W', 'R', 'I', 'T')
#define SECTION_KPAG             SECTION_TYPE('K', 'P', 'A', 'G')
#define SECTION_DUMP             SECTION_TYPE('D', 'U', 'M', 'P')
#define SECTION_NODE             SECTION_TYPE('N', 'O', 'D', 'E')
#define SECTION_TYPES            SECTION_TYPE('T', 'Y', 'P', 'E')
#define SECTION_EVNT             SECTION_TYPE('E', 'V', 'N', 'T')
#define SECTION_MEVT             SECTION_TYPE('M', 'E', 'V', 'T')
#define SECTION_DELT             SECTION_TYPE('D', 'E', 'L', 'T')
#define SECTION_END              SECTION_TYPE('E', 'N', 'D', ' ')

/* What of KPAG there is; and node numbers are no higher. */
enum { KPAG_FLAGS = 1, KPAG_COUNTS = 2, NODE_MOST = 65535 };

/* What a byte says of each access in EVNT: enum vmsnap_fault_kind, enum vmsnap_fault_flag, and what comes of it. */
enum { EVNT_WATCHED = 15 }; /* what of enum vmsnap_faults_flag it has */
enum { MEVT_ALL = 1 };      /* all that became of memory was told */
enum { EVNT_KIND = 7, EVNT_FLAGS_SHIFT = 3, EVNT_OWN_IP = 32, EVNT_SYSCALL = 64, EVNT_NOTHING = 128 };

struct section {
	uint32_t type;
	uint16_t flags, reserved;
	uint64_t stored, raw;
	uint32_t crc; /* of the payload as stored */
};

void section_write(const struct section *section, uint8_t bytes[SECTION_HEADER_BYTES]);
/* False if the header's own checksum is wrong; nothing else is judged. */
bool section_read(const uint8_t bytes[SECTION_HEADER_BYTES], struct section *out);

struct section_end {
	uint64_t distance; /* from SNAP to END, header to header */
	uint32_t sections; /* between these, SNAP included */
	uint32_t crc;      /* of their headers */
};

void end_write(const struct section_end *end, uint8_t bytes[END_BYTES]);
/* False if this is no END, or not one that this version writes. */
bool end_read(const uint8_t bytes[END_BYTES], struct section_end *out);

void stream_header_write(uint8_t bytes[STREAM_HEADER_BYTES]);
/* VMSNAP_OK, or VMSNAP_ERR_NOT_SNAPSHOT, _TRUNCATED (len is too small for it, and
 * what is there could become one), _CORRUPT or _NEWER. */
int stream_header_read(const uint8_t *bytes, size_t len);

uint32_t crc_of(uint32_t crc, const void *bytes, size_t len);

#endif
