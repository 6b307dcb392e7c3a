/* dictionary.h - what deflate knows before it starts (docs/format.md, section 6):
 * the names and lines that nearly every process has.  It is part of the format
 * and never changes. */
#ifndef VMSNAP_DICTIONARY_H
#define VMSNAP_DICTIONARY_H

#include <stdint.h>

enum { DICTIONARY_BYTES = 2941 };
#define DICTIONARY_ADLER UINT32_C(0x03708423)

extern const char dictionary_text[DICTIONARY_BYTES + 1];

#endif
