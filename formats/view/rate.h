/* rate.h - how much a second. */
#ifndef VMSNAP_RATE_H
#define VMSNAP_RATE_H

#include <stdint.h>

/* In so many nanoseconds, which are not 0; UINT64_MAX: more than can be told, of a file that says what cannot be. */
static inline uint64_t rate_of(uint64_t bytes, uint64_t elapsed)
{
	__extension__ typedef unsigned __int128 wide;
	wide each = (wide)bytes * 1000000000 / elapsed;
	return each > UINT64_MAX ? UINT64_MAX : (uint64_t)each;
}

#endif
