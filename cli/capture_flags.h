/* capture_flags.h - how processes are captured, as the options of every command that does say. */
#ifndef VMSNAP_CLI_CAPTURE_FLAGS_H
#define VMSNAP_CLI_CAPTURE_FLAGS_H

#include "options.h"

/* VMSNAP_CAPTURE_...: --no-freeze, --tree, --no-realtime, and what holds for all that the command captures. */
unsigned capture_flags(const struct options *options);

#endif
