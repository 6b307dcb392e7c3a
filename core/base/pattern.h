/* pattern.h - names that fit a pattern of *, ? and [a-z], byte by byte: whatever the locale, and
 * whatever bytes a name has. */
#ifndef VMSNAP_PATTERN_H
#define VMSNAP_PATTERN_H

#include <stdbool.h>

bool pattern_fits(const char *pattern, const char *name);

#endif
