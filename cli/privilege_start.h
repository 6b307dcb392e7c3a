/* privilege_start.h - whether a command keeps the capabilities that it was given. */
#ifndef VMSNAP_CLI_PRIVILEGE_START_H
#define VMSNAP_CLI_PRIVILEGE_START_H

#include "options.h"

/* Refuses to run set-user-ID: files would be read and written with another's rights.
 * Gives up all capabilities if the words on the command line name no process. */
int privilege_start(const struct options *options);

#endif
