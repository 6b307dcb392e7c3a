/* libdeflate.h - libdeflate 1.x where there is one: its header need not be installed. */
#ifndef VMSNAP_LIBDEFLATE_H
#define VMSNAP_LIBDEFLATE_H

/* NULL: there is none.  To be given back with dlclose(); it is not unloaded then, as many files may be read or
 * written one after the other. */
void *libdeflate_load(void);

#endif
