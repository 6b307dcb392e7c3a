/* Commands that say what two snapshots mean together. */
#include "commands.h"
#include "names.h"
#include "output.h"
#include "say.h"
#include "snapshot_arg.h"

static unsigned print_flags(const struct options *options)
{
	return (options->totals ? VMSNAP_PRINT_TOTALS_ONLY : 0u) | (options->long_rows ? VMSNAP_PRINT_LONG : 0u);
}

/* Two operands, or one file that holds both. */
static int load_pair(struct sources *sources, enum pair pair, struct vmsnap **a, struct vmsnap **b)
{
	const struct options *options = sources->options;
	struct vmsnap *first, *second;
	int status;
	if (options->operand_count < 2)
		return snapshots_from_word(sources, options->operands[0], pair, a, b);
	status = snapshot_from_word(sources, options->operands[0], &first);
	if (status)
		return status;
	status = snapshot_from_word(sources, options->operands[1], &second);
	if (status) {
		vmsnap_unref(first);
		return status;
	}
	*a = first;
	*b = second;
	return STATUS_OK;
}

static int print_diff(const struct options *options, const struct vmsnap *a, const struct vmsnap *b)
{
	struct vmsnap_diff *diff;
	struct vmsnap_error err;
	struct output output;
	if (vmsnap_diff_new(a, b, &diff, &err))
		return trouble_with(NULL, &err);
	struct vmsnap_names *names = names_open(options, b);
	names_add_fallback(names, b, a);
	output_init(&output, options);
	int rc = vmsnap_print_diff(diff, names, print_flags(options), &output.to, &err);
	int status = output_finish(&output, rc, &err);
	if (!status && vmsnap_diff_any(diff))
		status = STATUS_DIFFERENT;
	names_close(names);
	vmsnap_diff_free(diff);
	return status;
}

int cmd_diff(const struct options *options)
{
	struct vmsnap *a, *b;
	struct sources sources;
	sources_init(&sources, options);
	int status = load_pair(&sources, PAIR_LAST_TWO, &a, &b);
	sources_close(&sources);
	if (status)
		return status;
	status = print_diff(options, a, b);
	vmsnap_unref(a);
	vmsnap_unref(b);
	return status;
}

static int print_cow(const struct options *options, const struct vmsnap *parent, const struct vmsnap *child,
                     const struct vmsnap *base)
{
	struct vmsnap_cow *cow;
	struct vmsnap_error err;
	struct output output;
	if (vmsnap_cow_new(parent, child, base, &cow, &err))
		return trouble_with(NULL, &err);
	struct vmsnap_names *names = names_open(options, child);
	names_add_fallback(names, child, base);
	names_add_fallback(names, child, parent);
	output_init(&output, options);
	int rc = vmsnap_print_cow(cow, names, print_flags(options), &output.to, &err);
	int status = output_finish(&output, rc, &err);
	names_close(names);
	vmsnap_cow_free(cow);
	return status;
}

/* In a file that holds two, either may have been captured first. */
static void parent_first(struct vmsnap **parent, struct vmsnap **child)
{
	const struct vmsnap_info *a = vmsnap_info(*parent), *b = vmsnap_info(*child);
	if (a->ppid == b->pid && b->ppid != a->pid) {
		struct vmsnap *swap = *parent;
		*parent = *child;
		*child = swap;
	}
}

int cmd_cow(const struct options *options)
{
	struct vmsnap *parent, *child, *base = NULL;
	struct sources sources;
	sources_init(&sources, options);
	int status = load_pair(&sources, PAIR_ONLY_TWO, &parent, &child);
	if (status) {
		sources_close(&sources);
		return status;
	}
	if (options->operand_count < 2)
		parent_first(&parent, &child);
	if (options->base)
		status = snapshot_from_word(&sources, options->base, &base);
	sources_close(&sources);
	if (!status)
		status = print_cow(options, parent, child, base);
	vmsnap_unref(parent);
	vmsnap_unref(child);
	vmsnap_unref(base);
	return status;
}
