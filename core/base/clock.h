/* clock.h - the time since some point in the past, which only goes on. */
#ifndef VMSNAP_CLOCK_H
#define VMSNAP_CLOCK_H

#include <stdint.h>

uint64_t monotonic_now(void); /* CLOCK_MONOTONIC, ns */
uint64_t boottime_now(void);  /* CLOCK_BOOTTIME, ns: it goes on while the machine is suspended */

#endif
