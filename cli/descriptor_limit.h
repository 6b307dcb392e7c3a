/* descriptor_limit.h - how many files may be open at a time. */
#ifndef VMSNAP_CLI_DESCRIPTOR_LIMIT_H
#define VMSNAP_CLI_DESCRIPTOR_LIMIT_H

/* As many as is permitted: several processes take some descriptors each.  The soft limit is low for the sake of
 * programs that use select(2), and we do not. */
void descriptor_limit_raise(void);

#endif
