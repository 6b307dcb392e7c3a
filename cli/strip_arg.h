/* strip_arg.h - --strip: what is taken away. */
#ifndef VMSNAP_CLI_STRIP_ARG_H
#define VMSNAP_CLI_STRIP_ARG_H

#include "options.h"

/* *strip: enum vmsnap_strip.  STATUS_OK, or STATUS_TROUBLE after saying what was expected. */
int strip_parse(const struct options *options, unsigned *strip);

#endif
