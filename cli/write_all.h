/* write_all.h - bytes to a descriptor, all of them. */
#ifndef VMSNAP_CLI_WRITE_ALL_H
#define VMSNAP_CLI_WRITE_ALL_H

#include <stddef.h>

/* Gives errno; a signal is no reason to stop. */
int write_all(int fd, const char *bytes, size_t len);

#endif
