/* interrupt.h - Ctrl-C and its like end what is going on, and then the program: in order. */
#ifndef VMSNAP_CLI_INTERRUPT_H
#define VMSNAP_CLI_INTERRUPT_H

#include <stdbool.h>

/* From now on the first one is noted; a second one ends the program as usual. */
void interrupts_notice(void);
/* Its number; 0: there was none. */
int interrupted_by(void);
/* For the library's functions that can be cancelled. */
bool was_interrupted(void *ctx);

#endif
