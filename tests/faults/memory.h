/* memory.h - a process that runs out of memory where a test says so.
 *
 * By the linker's --wrap, so only what the library itself asks for is counted: what it
 * has and what it gave back must be equal in the end, with a sanitizer or without. */
#ifndef FAULTS_MEMORY_H
#define FAULTS_MEMORY_H

#include <stdbool.h>

/* The request of this number fails, from 1; 0: none does. */
void memory_fail_at(unsigned long number);
/* Whether that request was made. */
bool memory_failed(void);
/* Blocks that were asked for and not given back. */
long memory_live(void);

#endif
