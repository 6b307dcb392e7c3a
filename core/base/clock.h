/* clock.h - the time since some point in the past, which only goes on. */
#ifndef VMSNAP_CLOCK_H
#define VMSNAP_CLOCK_H

#include <stdint.h>

uint64_t monotonic_now(void); /* CLOCK_MONOTONIC, ns */

#endif
