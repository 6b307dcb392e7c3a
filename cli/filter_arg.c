#include "filter_arg.h"

#include "address.h"
#include "say.h"

static int filter_make(const struct options *options, uint64_t page_size, struct vmsnap_filter *filter)
{
	*filter = (struct vmsnap_filter){ .size = sizeof(*filter),
		                          .name = options->name,
		                          .perm = options->perm,
		                          .only = options->only,
		                          .pfn = options->pfn };
	return options->range ? address_range_parse(options->range, page_size, &filter->start, &filter->end)
	                      : STATUS_OK;
}

int filter_check(const struct options *options)
{
	struct vmsnap_filter filter;
	struct vmsnap_error err;
	/* Page size 1 changes nothing of what is good. */
	int status = filter_make(options, 1, &filter);
	if (!status && vmsnap_filter_check(&filter, &err))
		status = trouble_with(NULL, &err);
	return status;
}

int filter_from_options(const struct options *options, const struct vmsnap *snap, struct vmsnap_filter *filter,
                        const struct vmsnap_filter **out)
{
	bool any = options->name || options->perm || options->only || options->pfn || options->range;
	*out = any ? filter : NULL;
	return filter_make(options, vmsnap_info(snap)->page_size, filter);
}
