/* Commands that look at one snapshot or several, or at two side by side. */
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "commands.h"
#include "filter_arg.h"
#include "names.h"
#include "output.h"
#include "say.h"
#include "series_arg.h"
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

/* ---- show, pages: of one snapshot, or of several in turn ---- */

struct several {
	const struct options *options;
	struct output *output;
	const char *range; /* of pages: what was given behind the snapshots; or NULL */
	int by;            /* of show: enum vmsnap_show_by, or -1 */
	bool many;         /* each gets a title; in JSON they stand in an array */
	size_t count;      /* of those that were printed */
	int rc;            /* of the text that failed, and why */
	struct vmsnap_error err;
};

static unsigned table_flags(const struct options *options)
{
	return (options->each ? VMSNAP_PRINT_EACH_PAGE : 0u) | (options->long_rows ? VMSNAP_PRINT_LONG : 0u);
}

/* How much of a text was written before it failed tells nobody: what is wrong is said by output_finish(). */
static int print_one(struct several *all, const char *name, const struct vmsnap *snap)
{
	struct output *output = all->output;
	uint64_t start = 0, end = UINT64_MAX;
	int status =
	        all->range ? address_range_parse(all->range, vmsnap_info(snap)->page_size, &start, &end) : STATUS_OK;
	if (status)
		return status;
	if (all->options->command->bit == CMD_SHOW) {
		output->to.names = names_quiet(all->options, snap);
		all->rc = all->by < 0 ? vmsnap_print_show_with(snap, table_flags(all->options), &output->to, &all->err)
		                      : vmsnap_print_show_by(snap, all->by, &output->to, &all->err);
		vmsnap_names_free(output->to.names);
		output->to.names = NULL;
	} else
		all->rc = vmsnap_print_pages_with(snap, start, end, table_flags(all->options), &output->to, &all->err);
	if (all->rc >= 0 && all->range && !all->options->json)
		range_tell_empty(snap, name, start, end);
	return all->rc < 0 ? STATUS_TROUBLE : STATUS_OK;
}

static int put_one(void *ctx, const char *name, const struct vmsnap *snap)
{
	struct several *all = ctx;
	struct vmsnap_filter filter;
	struct vmsnap_style *style = &all->output->to.style;
	int status = filter_from_options(all->options, snap, &filter, &all->output->to.filter);
	if (status)
		return status;
	all->output->to.title = all->many ? name : NULL;
	if (all->many && style->json)
		output_text(all->output, all->count ? ",\n" : "[\n");
	else if (all->count && !style->raw && !style->no_headings)
		output_text(all->output, "\n");
	all->count++;
	status = print_one(all, name, snap);
	return status || output_flush(all->output) ? status : STATUS_TROUBLE;
}

/* Live processes are captured with the first word that is one, all at one instant. */
static int put_all(const struct options *options, int words, const char *range, int by)
{
	struct output output;
	struct sources sources;
	struct several all = { .options = options, .output = &output, .range = range, .by = by, .many = words > 1 };
	int status = filter_check(options);
	if (status)
		return status;
	sources_init(&sources, options);
	output_init(&output, options);
	all.many |= word_is_several(options->operands[0]);
	for (int i = 0; !status && i < words; i++)
		status = sources_expect(&sources, options->operands[i]);
	for (int i = 0; !status && i < words; i++)
		status = snapshots_from_word(&sources, options->operands[i], put_one, &all);
	if (!status && all.many && options->json)
		output_text(&output, "]\n");
	sources_close(&sources);
	int finished = output_finish(&output, all.rc, &all.err);
	return finished ? finished : status;
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
	int by, status = show_by_parse(options, &by);
	return status ? status : put_all(options, options->operand_count, NULL, by);
}

/* Whether the last word says which addresses, not which snapshot.  What may be either is refused. */
static int last_is_range(const struct options *options, bool *yes)
{
	const char *word = options->operands[options->operand_count - 1];
	bool address = address_is_range(word), file = !access(word, F_OK);
	*yes = options->operand_count > 1 &&
	       (address || !(file || word_is_process(word) || strchr(word, '@') || !strcmp(word, "-")));
	if (*yes && address && file)
		return trouble("pages: '%s' is an address, and a file; say which is meant: 0x%s or ./%s", word, word,
		               word);
	return STATUS_OK;
}

/* A bad address is told before a process is stopped for it; page size 1 changes nothing of
 * what is good. */
int cmd_pages(const struct options *options)
{
	uint64_t start, end;
	bool is_range;
	int status = last_is_range(options, &is_range);
	const char *range = is_range ? options->operands[options->operand_count - 1] : NULL;
	if (!status && range && options->range)
		status = trouble("pages: '%s' and --range are two ranges; give one", range);
	if (!status && range)
		status = address_range_parse(range, 1, &start, &end);
	return status ? status : put_all(options, options->operand_count - is_range, range, -1);
}

static int print_history(const struct options *options, uint64_t address)
{
	struct series_arg arg;
	struct output output;
	struct vmsnap_error err;
	int status = series_from_word(options, options->operands[0], &arg);
	if (status)
		return status;
	const struct vmsnap_series_options which = {
		.size = sizeof(which), .first = arg.first, .count = arg.count, .pid = arg.pid
	};
	output_init(&output, options);
	status = output_finish(&output, vmsnap_print_file_history(arg.file, &which, address, &output.to, &err), &err);
	vmsnap_file_close(arg.file);
	return status;
}

int cmd_page(const struct options *options)
{
	struct vmsnap *snap, *none;
	struct output output;
	struct vmsnap_error err;
	uint64_t address;
	int status = address_parse(options->operands[1], &address);
	if (!status && options->history)
		return print_history(options, address);
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
