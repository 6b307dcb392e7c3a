/* sparkline.h - how a number went, in a few characters. */
#ifndef VMSNAP_SPARKLINE_H
#define VMSNAP_SPARKLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SPARKLINE_MOST = 60, SPARKLINE_ROOM = SPARKLINE_MOST * 3 + 1 };
/* One character for each of the values, of which there are SPARKLINE_MOST at the most: a block from the lowest to the
 * highest, or a digit; a blank for UINT64_MAX, which is nothing.  All are in the middle if all are equal. */
void sparkline(char out[SPARKLINE_ROOM], const uint64_t *values, size_t count, bool unicode);

#endif
