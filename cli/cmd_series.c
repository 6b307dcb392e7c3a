/* vmsnap series: snapshots of a file in time. */
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "output.h"
#include "say.h"
#include "series_arg.h"

#define MIN_USUAL (UINT64_C(1) << 20)

static int parse_by(const struct options *options, int *by)
{
	*by = VMSNAP_SERIES_BY_MAPPING;
	if (!options->by)
		return STATUS_OK;
	for (*by = 0; *by < VMSNAP_SERIES_BY_COUNT; ++*by)
		if (!strcmp(options->by, vmsnap_series_by_name(*by)))
			return STATUS_OK;
	return trouble("series --by %s: expected mapping, kind, process or state", options->by);
}

/* "1M", "0", "4096"; in JSON everything is told unless something else is asked for. */
static int parse_min(const struct options *options, uint64_t *min)
{
	static const char units[] = "KMGT";
	char *end;
	*min = options->json ? 0 : MIN_USUAL;
	if (!options->min)
		return STATUS_OK;
	unsigned long long number = strtoull(options->min, &end, 10);
	const char *unit = *end ? strchr(units, *end) : NULL;
	unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
	bool good = *options->min >= '0' && *options->min <= '9' && (!*end || (unit && !end[1]));
	if (!good || number > UINT64_MAX >> shift)
		return trouble("series: --min takes a size, as 4096, 64K or 1M, not '%s'", options->min);
	*min = (uint64_t)number << shift;
	return STATUS_OK;
}

static int print_series(const struct options *options, const struct series_arg *arg,
                        const struct vmsnap_series_options *how, uint64_t min)
{
	struct vmsnap_series *series;
	struct vmsnap_error err;
	struct output output;
	int rc = vmsnap_series_open(arg->file, how, &series, &err);
	if (rc)
		return trouble_with(options->operands[0], &err);
	output_init(&output, options);
	int status = output_finish(&output, vmsnap_print_series(series, min, &output.to, &err), &err);
	vmsnap_series_close(series);
	return status;
}

static int print_forks(const struct options *options, const struct series_arg *arg,
                       const struct vmsnap_series_options *how)
{
	struct vmsnap_series_forks *forks;
	struct vmsnap_error err;
	struct output output;
	int rc = vmsnap_series_forks_open(arg->file, how, &forks, &err);
	if (rc)
		return trouble_with(options->operands[0], &err);
	output_init(&output, options);
	int status = output_finish(&output, vmsnap_print_series_forks(forks, &output.to, &err), &err);
	vmsnap_series_forks_close(forks);
	return status;
}

int cmd_series(const struct options *options)
{
	struct series_arg arg;
	uint64_t min;
	int by;
	if (options->cow && (options->by || options->min))
		return trouble("series: --cow tells of forks, and not --%s", options->by ? "by" : "min");
	int status = parse_by(options, &by);
	status = status ? status : parse_min(options, &min);
	status = status ? status : series_from_word(options, options->operands[0], &arg);
	if (status)
		return status;
	struct vmsnap_series_options how = {
		.size = sizeof(how), .by = by, .first = arg.first, .count = arg.count, .pid = arg.pid
	};
	if (options->cow && arg.pid)
		status = trouble("%s: --cow needs parent and child; pid: chooses one", options->operands[0]);
	else
		status = options->cow ? print_forks(options, &arg, &how) : print_series(options, &arg, &how, min);
	vmsnap_file_close(arg.file);
	return status;
}
