/* punycode.h - identifiers that are not ASCII: Punycode (RFC 3492) with '_' for '-'. */
#ifndef VMSNAP_PUNYCODE_H
#define VMSNAP_PUNYCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PUNYCODE_MAX = 128 };

/* Its characters; false if it is damaged, or has more. */
bool punycode_decode(const char *bytes, size_t len, uint32_t codes[PUNYCODE_MAX], size_t *count);

#endif
