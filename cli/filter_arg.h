/* filter_arg.h - which mappings and pages are shown: --name, --range, --perm, --only, --pfn. */
#ifndef VMSNAP_CLI_FILTER_ARG_H
#define VMSNAP_CLI_FILTER_ARG_H

#include "options.h"
#include "vmsnap.h"

/* Whether the options are a filter, before a process is stopped for it. */
int filter_check(const struct options *options);
/* The filter for a snapshot; *out is NULL if none was asked for, else it is *filter. */
int filter_from_options(const struct options *options, const struct vmsnap *snap, struct vmsnap_filter *filter,
                        const struct vmsnap_filter **out);

#endif
