/* processors.h - how many there are for us, and who else wants them. */
#ifndef VMSNAP_PROCESSORS_H
#define VMSNAP_PROCESSORS_H

/* That the calling thread may run on. */
unsigned processors_available(void);
/* How many others run or wait for one right now.  It is the machine's number: for who may not use all of
 * its processors, a guess. */
unsigned processors_wanted(void);

#endif
