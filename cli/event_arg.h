/* event_arg.h - record --on: at which events a snapshot is taken. */
#ifndef VMSNAP_CLI_EVENT_ARG_H
#define VMSNAP_CLI_EVENT_ARG_H

#include "options.h"

struct event_arg {
	bool fork, exec, exit;
	uint64_t growth; /* bytes; 0: not */
};
/* STATUS_OK, or STATUS_TROUBLE after saying why. */
int events_parse(const struct options *options, struct event_arg *out);

#endif
