/* privilege.h - the capabilities that the command was given (setcap, ambient ones) serve
 * to look at processes, and nothing else.  Root stays root: who says sudo means it. */
#ifndef VMSNAP_CLI_PRIVILEGE_H
#define VMSNAP_CLI_PRIVILEGE_H

#include <stdbool.h>

/* Whether there are any, and whoever called us has fewer, but may stop us. */
bool privilege_is_lent(void);
/* For good: what follows is done with the rights of whoever called us. */
void privilege_drop(void);
/* Around the opening of a file that the caller named: capabilities (CAP_DAC_READ_SEARCH)
 * must not open to them what they may not read. */
void privilege_pause(void);
void privilege_resume(void);

#endif
