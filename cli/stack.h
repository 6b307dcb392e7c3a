/* stack.h - how far the stack may grow: ulimit -s. */
#ifndef VMSNAP_CLI_STACK_H
#define VMSNAP_CLI_STACK_H

/* Lets it grow as far as any command needs, within the hard limit; or says that this is
 * not far enough.  Returns the exit status.  Before all else: with too small a stack
 * whatever is called next may end the process. */
int stack_prepare(void);

#endif
