/* Commands that look at one snapshot, or at two side by side. */
#include <string.h>

#include "address.h"
#include "commands.h"
#include "filter_arg.h"
#include "names.h"
#include "output.h"
#include "say.h"
#include "snapshot_arg.h"

/* A and, if a second operand was given, B; *b is NULL otherwise. */
static int load_operands(const struct options *options, int count, struct vmsnap **a, struct vmsnap **b)
{
	struct sources sources;
	*a = *b = NULL;
	sources_init(&sources, options);
	int status = STATUS_OK;
	for (int i = 0; !status && i < count; i++)
		status = sources_expect(&sources, options->operands[i]);
	status = status ? status : snapshot_from_word(&sources, options->operands[0], a);
	if (!status && count > 1)
		status = snapshot_from_word(&sources, options->operands[1], b);
	sources_close(&sources);
	if (status) {
		vmsnap_unref(*a);
		*a = NULL;
	}
	return status;
}

/* A snapshot, and what of it is to be shown. */
static int load_filtered(const struct options *options, struct vmsnap **snap, struct vmsnap_filter *filter,
                         const struct vmsnap_filter **wanted)
{
	struct vmsnap *none;
	int status = filter_check(options);
	status = status ? status : load_operands(options, 1, snap, &none);
	if (status)
		return status;
	status = filter_from_options(options, *snap, filter, wanted);
	if (status)
		vmsnap_unref(*snap);
	return status;
}

/* *by: enum vmsnap_show_by, or -1 if it is not wanted. */
static int show_by_parse(const struct options *options, int *by)
{
	*by = -1;
	if (!options->by)
		return STATUS_OK;
	for (int i = 0; i < VMSNAP_SHOW_BY_COUNT; i++)
		if (!strcmp(options->by, vmsnap_show_by_name(i)))
			*by = i;
	return *by < 0 ? trouble("show --by %s: expected kind, file or node", options->by) : STATUS_OK;
}

int cmd_show(const struct options *options)
{
	int by;
	struct vmsnap *snap;
	struct vmsnap_filter filter;
	const struct vmsnap_filter *wanted;
	struct output output;
	struct vmsnap_error err;
	int status = show_by_parse(options, &by);
	status = status ? status : load_filtered(options, &snap, &filter, &wanted);
	if (status)
		return status;
	output_init(&output, options);
	output.to.filter = wanted;
	output.to.names = names_quiet(options, snap);
	int rc = by < 0 ? vmsnap_print_show(snap, &output.to, &err) : vmsnap_print_show_by(snap, by, &output.to, &err);
	status = output_finish(&output, rc, &err);
	vmsnap_names_free(output.to.names);
	vmsnap_unref(snap);
	return status;
}

/* A bad address is told before a process is stopped for it; page size 1 changes nothing of
 * what is good. */
static int check_range(const struct options *options)
{
	uint64_t start, end;
	if (options->operand_count < 2)
		return STATUS_OK;
	if (options->range)
		return trouble("pages: '%s' and --range are two ranges; give one", options->operands[1]);
	return address_range_parse(options->operands[1], 1, &start, &end);
}

int cmd_pages(const struct options *options)
{
	struct vmsnap *snap;
	struct vmsnap_filter filter;
	const struct vmsnap_filter *wanted;
	uint64_t start = 0, end = UINT64_MAX;
	int status = check_range(options);
	status = status ? status : load_filtered(options, &snap, &filter, &wanted);
	if (status)
		return status;
	if (options->operand_count > 1)
		status = address_range_parse(options->operands[1], vmsnap_info(snap)->page_size, &start, &end);
	if (!status) {
		struct output output;
		struct vmsnap_error err;
		output_init(&output, options);
		output.to.filter = wanted;
		int rc = vmsnap_print_pages(snap, start, end, options->each, &output.to, &err);
		status = output_finish(&output, rc, &err);
	}
	vmsnap_unref(snap);
	return status;
}

int cmd_page(const struct options *options)
{
	struct vmsnap *snap, *none;
	struct output output;
	struct vmsnap_error err;
	uint64_t address;
	int status = address_parse(options->operands[1], &address);
	status = status ? status : load_operands(options, 1, &snap, &none);
	if (status)
		return status;
	struct vmsnap_names *names = names_open(options, snap);
	output_init(&output, options);
	status = output_finish(&output, vmsnap_print_page(snap, names, address, &output.to, &err), &err);
	names_close(names);
	vmsnap_unref(snap);
	return status;
}

int cmd_status(const struct options *options)
{
	struct vmsnap *a, *b;
	struct output output;
	struct vmsnap_error err;
	int status = load_operands(options, options->operand_count, &a, &b);
	if (status)
		return status;
	output_init(&output, options);
	status = output_finish(&output, vmsnap_print_status(a, b, &output.to, &err), &err);
	vmsnap_unref(a);
	vmsnap_unref(b);
	return status;
}

int cmd_map(const struct options *options)
{
	struct vmsnap *a, *b;
	struct vmsnap_filter filter;
	struct output output;
	struct vmsnap_error err;
	int status = filter_check(options);
	status = status ? status : load_operands(options, options->operand_count, &a, &b);
	if (status)
		return status;
	output_init(&output, options);
	output.to.names = names_quiet(options, b ? b : a);
	status = filter_from_options(options, a, &filter, &output.to.filter);
	status = status ? status : output_finish(&output, vmsnap_print_map(a, b, &output.to, &err), &err);
	vmsnap_names_free(output.to.names);
	vmsnap_unref(a);
	vmsnap_unref(b);
	return status;
}
