/* Commands that say what two snapshots mean together, or two trees of them. */
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "commands.h"
#include "fork_arg.h"
#include "names.h"
#include "output.h"
#include "say.h"
#include "set_arg.h"
#include "snapshot_arg.h"

static unsigned print_flags(const struct options *options)
{
	return (options->totals ? VMSNAP_PRINT_TOTALS_ONLY : 0u) | (options->long_rows ? VMSNAP_PRINT_LONG : 0u) |
	       (options->map ? VMSNAP_PRINT_PICTURE : 0u);
}

static const struct vmsnap *only(const struct chosen *chosen)
{
	return vmsnap_set_at(chosen->set, 0);
}

static bool is_tree(const struct chosen *chosen)
{
	return vmsnap_set_count(chosen->set) > 1;
}

/* The "@LABEL" of "FILE@LABEL"; "" of other words. */
static const char *label_in(const char *word)
{
	const char *at = strrchr(word, '@');
	bool label = at && !strstr(at, "..") && !(at[1] >= '0' && at[1] <= '9') && strncmp(at, "@pid:", 5) != 0;
	return label ? at : "";
}

/* The two operands.  One process and a tree do not belong together: all but one would seem to have
 * come, or to have gone. */
static int load_operands(struct sources *sources, struct chosen *a, struct chosen *b)
{
	char **words = sources->options->operands;
	int status = sets_from_words(sources, words, a, b);
	if (!status && is_tree(a) != is_tree(b) && (a->one || b->one)) {
		int tree = is_tree(b), pid = (int)vmsnap_info(only(tree ? a : b))->pid;
		const char *label = label_in(words[tree]);
		status = trouble("%s is one process, and %s holds %zu of one instant; say which is meant, as in "
		                 "FILE@pid:%d%s",
		                 words[!tree], words[tree], vmsnap_set_count(tree ? b->set : a->set), pid, label);
		chosen_drop(b);
		chosen_drop(a);
	}
	return status;
}

/* Live processes are captured with the first word that is one, all at one instant. */
static int expect_all(struct sources *sources)
{
	const struct options *options = sources->options;
	int status = sources_expect(sources, options->base);
	for (int i = 0; !status && i < options->operand_count; i++)
		status = sources_expect(sources, options->operands[i]);
	return status;
}

/* ---- diff ---- */

static struct vmsnap_compare_options how_to_diff(const struct options *options)
{
	return (struct vmsnap_compare_options){ .size = sizeof(struct vmsnap_compare_options),
		                                .flags = options->written ? VMSNAP_COMPARE_WRITTEN_ONLY : 0 };
}

/* By name and type; both have to keep what their pages held. */
static int print_values(const struct options *options, const struct vmsnap *a, const struct vmsnap *b)
{
	struct vmsnap_value_options how = { .size = sizeof(how) };
	struct vmsnap_value_diff *diff;
	struct vmsnap_error err;
	struct output output;
	if (options->no_names || options->totals || options->long_rows)
		return trouble("diff: --values goes with neither --no-names nor --totals nor --long");
	how.names = names_open(options, b);
	if (!how.names)
		return STATUS_TROUBLE;
	int status = vmsnap_value_diff_new(a, b, &how, &diff, &err) ? trouble_with(NULL, &err) : STATUS_OK;
	if (!status) {
		output_init(&output, options);
		status = output_finish(&output, vmsnap_print_values(diff, &output.to, &err), &err);
		if (!status && (vmsnap_value_diff_count(diff) || vmsnap_value_diff_unnamed(diff)))
			status = STATUS_DIFFERENT;
		vmsnap_value_diff_free(diff);
	}
	names_close(how.names);
	return status;
}

/* Of two runs, or two workers: frames and places do not matter. */
static int print_aslr(const struct options *options, const struct vmsnap *a, const struct vmsnap *b)
{
	struct vmsnap_aslr *aslr;
	struct vmsnap_error err;
	struct output output;
	if (options->values || options->written)
		return trouble("diff: --aslr goes with neither --values nor --written");
	if (vmsnap_aslr_new(a, b, NULL, &aslr, &err))
		return trouble_with(NULL, &err);
	output_init(&output, options);
	int rc = vmsnap_print_aslr(aslr, print_flags(options), &output.to, &err);
	int status = output_finish(&output, rc, &err);
	if (!status && vmsnap_aslr_any(aslr))
		status = STATUS_DIFFERENT;
	vmsnap_aslr_free(aslr);
	return status;
}

/* between: of both, or NULL. */
static int print_diff(const struct options *options, const struct vmsnap *a, const struct vmsnap *b,
                      const struct between *between)
{
	struct vmsnap_diff *diff;
	struct vmsnap_error err;
	struct output output;
	struct vmsnap_compare_options how = how_to_diff(options);
	if (options->aslr)
		return print_aslr(options, a, b);
	if (options->values)
		return print_values(options, a, b);
	if (between) {
		how.between = (const struct vmsnap *const *)between->snaps;
		how.between_count = between->count;
	}
	if (vmsnap_diff_new_with(a, b, &how, &diff, &err))
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

static int print_set_diff(const struct options *options, const struct chosen *a, const struct chosen *b)
{
	struct vmsnap_set_diff *diff;
	struct vmsnap_error err;
	struct output output;
	struct vmsnap_compare_options how = how_to_diff(options);
	if (options->values || options->aslr)
		return trouble("diff: --%s compares two processes, and these are trees; say which are meant, as in "
		               "FILE@pid:N",
		               options->aslr ? "aslr" : "values");
	if (vmsnap_set_diff_new(a->set, b->set, &how, &diff, &err))
		return trouble_with(NULL, &err);
	output_init(&output, options);
	int status = output_finish(&output, vmsnap_print_set_diff(diff, print_flags(options), &output.to, &err), &err);
	if (!status && vmsnap_set_diff_any(diff))
		status = STATUS_DIFFERENT;
	vmsnap_set_diff_free(diff);
	return status;
}

/* Of a file with one instant, two processes can only be compared with each other. */
static int diff_one_instant(const struct options *options, const char *word, const struct chosen *last)
{
	size_t count = vmsnap_set_count(last->set);
	if (count == 1)
		return trouble("%s holds one snapshot; two are needed: name another file or process, too", word);
	if (count > 2)
		return trouble("%s holds %zu processes of one instant, and no other instant; say which two are meant, "
		               "as in %s@1 %s@2",
		               word, count, word, word);
	return print_diff(options, only(last), vmsnap_set_at(last->set, 1), NULL);
}

/* Who is there on one side, and on the other just not chosen, neither came nor went. */
static int leave_out_unasked(const struct options *options, struct chosen *a, struct chosen *b)
{
	int status = chosen_leave_out(a, b, options->operands[1]);
	return status ? status : chosen_leave_out(b, a, options->operands[0]);
}

/* Of one live process: what became of it since that look. */
static int diff_since_first(const struct options *options)
{
	struct sources sources;
	struct vmsnap *now;
	sources_init(&sources, options);
	int status = sources_expect(&sources, options->operands[0]);
	status = status ? status : snapshot_from_word(&sources, options->operands[0], &now);
	sources_close(&sources);
	if (status)
		return status;
	status = print_diff(options, options->first, now, NULL);
	vmsnap_unref(now);
	return status;
}

int cmd_diff(const struct options *options)
{
	if (options->first)
		return diff_since_first(options);
	struct chosen a = { .set = NULL }, b = { .set = NULL };
	struct sources sources;
	sources_init(&sources, options);
	const char *word = options->operands[0];
	size_t count;
	int status = expect_all(&sources);
	for (int i = 0; !status && !sources.contents && i < options->operand_count; i++)
		sources.contents = word_is_of_core(options->operands[i]);
	status = status                       ? status
	         : options->operand_count < 2 ? instants_from_word(&sources, word, &a, &b, &count)
	                                      : load_operands(&sources, &a, &b);
	sources_close(&sources);
	if (!status && options->operand_count > 1)
		status = leave_out_unasked(options, &a, &b);
	if (status) {
		chosen_drop(&a);
		chosen_drop(&b);
		return status;
	}
	if (!a.set)
		status = diff_one_instant(options, word, &b);
	else if (is_tree(&a) || is_tree(&b))
		status = print_set_diff(options, &a, &b);
	else
		status = print_diff(options, only(&a), only(&b), &b.between);
	chosen_drop(&a);
	chosen_drop(&b);
	return status;
}

/* ---- cow ---- */

/* found: the file that it is of, or NULL. */
static int print_cow(const struct options *options, const struct vmsnap *parent, const struct vmsnap *child,
                     const struct vmsnap *base, const struct vmsnap *other, const struct fork_found *found)
{
	struct vmsnap_cow *cow;
	struct vmsnap_error err;
	struct output output;
	if (vmsnap_cow_new_between(parent, child, base, other, NULL, &cow, &err))
		return trouble_with(NULL, &err);
	struct vmsnap_names *names = names_open(options, child);
	names_add_fallback(names, child, base);
	names_add_fallback(names, child, other);
	names_add_fallback(names, child, parent);
	output_init(&output, options);
	if (found) {
		output.to.file = found->file;
		output.to.first = found->first;
		output.to.end = found->end;
	}
	int rc = vmsnap_print_cow(cow, names, print_flags(options), &output.to, &err);
	int status = output_finish(&output, rc, &err);
	names_close(names);
	vmsnap_cow_free(cow);
	return status;
}

static int print_set_cow(const struct options *options, const struct vmsnap_set *set, const struct vmsnap_set *base)
{
	struct vmsnap_set_cow *cow;
	struct vmsnap_error err;
	struct output output;
	if (options->map)
		return trouble("cow: --map is of one fork; say which is meant, as in FILE@pid:PARENT FILE@pid:CHILD");
	if (vmsnap_set_cow_new(set, base, NULL, &cow, &err))
		return trouble_with(NULL, &err);
	output_init(&output, options);
	int status = output_finish(&output, vmsnap_print_set_cow(cow, print_flags(options), &output.to, &err), &err);
	vmsnap_set_cow_free(cow);
	return status;
}

/* Of a tree as base, that of the parent, else of the child; of one snapshot, that. */
static int base_of(const struct chosen *base, const struct vmsnap *parent, const struct vmsnap *child,
                   const struct vmsnap **out)
{
	*out = NULL;
	if (!base->set)
		return STATUS_OK;
	*out = is_tree(base) ? vmsnap_set_same(base->set, parent) : only(base);
	if (!*out)
		*out = vmsnap_set_same(base->set, child);
	if (!*out)
		return trouble("cow: the base holds neither process %" PRIu32 " nor process %" PRIu32,
		               vmsnap_info(parent)->pid, vmsnap_info(child)->pid);
	return STATUS_OK;
}

static int cow_of_two(const struct options *options, const struct vmsnap *parent, const struct vmsnap *child,
                      const struct chosen *base, const struct fork_found *found)
{
	const struct vmsnap *of_base;
	struct vmsnap *beside = NULL;
	bool core = vmsnap_info(parent)->source == VMSNAP_SOURCE_CORE; /* it is refused for another reason */
	if (!core && vmsnap_same_process(parent, child) && vmsnap_same_instant(parent, child))
		return trouble("cow: both are process %" PRIu32
		               ", and a parent needs a child; vmsnap diff compares one process at two times",
		               vmsnap_info(child)->pid);
	int status = base_of(base, parent, child, &of_base);
	if (status)
		return status;
	const struct vmsnap *needed =
	        of_base && vmsnap_info(of_base)->tgid == vmsnap_info(child)->tgid ? parent : child;
	const struct vmsnap *other = of_base && is_tree(base) ? vmsnap_set_same(base->set, needed) : NULL;
	if (of_base && !is_tree(base) && options->base)
		status = snapshot_beside(options, options->base, of_base, vmsnap_info(needed), &beside);
	status = status ? status : print_cow(options, parent, child, of_base, other ? other : beside, found);
	vmsnap_unref(beside);
	return status;
}

/* Where all is told of one fork of a tree: who was there besides. */
static void tell_went(const struct chosen *tree, const struct chosen *base)
{
	const struct vmsnap *snap;
	for (size_t i = 0; base->set && is_tree(base) && (snap = vmsnap_set_at(base->set, i)); i++)
		if (!vmsnap_set_same(tree->set, snap))
			say("process %" PRIu32 " %s is in the base, and not in the tree any more",
			    vmsnap_info(snap)->pid, vmsnap_info(snap)->comm);
}

/* All forks in it; of one fork all that is known. */
static int cow_of_tree(const struct options *options, const struct chosen *tree, const struct chosen *base,
                       const struct fork_found *found)
{
	const struct vmsnap *child, *forked = NULL;
	size_t forks = 0, count = vmsnap_set_count(tree->set);
	for (size_t i = 0; (child = vmsnap_set_at(tree->set, i)); i++) {
		if (!vmsnap_set_parent(tree->set, child))
			continue;
		forked = child;
		forks++;
	}
	if (!forks)
		return trouble("cow: none of these %zu processes is the parent of another", count);
	const struct vmsnap *parent = vmsnap_set_parent(tree->set, forked);
	if (count == 2 && (!base->set || vmsnap_set_same(base->set, parent) || vmsnap_set_same(base->set, forked))) {
		tell_went(tree, base);
		return cow_of_two(options, parent, forked, base, found);
	}
	return print_set_cow(options, tree->set, base->set);
}

/* In a file that holds two, either may have been captured first. */
static int cow_of_file_of_two(const struct options *options, const struct vmsnap *parent, const struct vmsnap *child,
                              const struct chosen *base)
{
	const struct vmsnap_info *a = vmsnap_info(parent), *b = vmsnap_info(child);
	bool other_way = a->ppid == b->pid && b->ppid != a->pid;
	return cow_of_two(options, other_way ? child : parent, other_way ? parent : child, base, NULL);
}

/* One operand: a tree, after the one before it, if the file holds that; or the only two. */
static int cow_of_file(const struct options *options, const struct chosen *earlier, const struct chosen *last,
                       size_t count, const struct chosen *base)
{
	const char *word = options->operands[0];
	if (count == 1)
		return trouble("%s holds one snapshot; two are needed: name another file or process, too", word);
	if (count > 2 && is_tree(last))
		return cow_of_tree(options, last, base->set ? base : earlier, NULL);
	if (count > 2)
		return trouble("%s holds %zu snapshots; say which two are meant, as in %s@1 %s@2", word, count, word,
		               word);
	if (is_tree(last)) {
		tell_went(last, base);
		return cow_of_file_of_two(options, only(last), vmsnap_set_at(last->set, 1), base);
	}
	return cow_of_file_of_two(options, only(earlier), only(last), base);
}

/* Two operands: parent and child, or a tree at two times, of which the earlier is the base. */
static int cow_of_operands(const struct options *options, struct chosen *a, struct chosen *b, const struct chosen *base)
{
	if (!is_tree(a) && !is_tree(b))
		return cow_of_two(options, only(a), only(b), base, NULL);
	if (base->set)
		return trouble("cow: of two trees the earlier one is the base; --base is one too many");
	if (vmsnap_same_instant(only(a), only(b)))
		return trouble("cow: %s and %s are of one instant; give it once, and the forks are found in it",
		               options->operands[0], options->operands[1]);
	bool in_order = vmsnap_info(only(a))->taken < vmsnap_info(only(b))->taken;
	struct chosen *now = in_order ? b : a, *before = in_order ? a : b;
	int status = chosen_leave_out(before, now, options->operands[in_order]);
	return status ? status : cow_of_tree(options, now, before, NULL);
}

int cmd_cow(const struct options *options)
{
	struct chosen a = { .set = NULL }, b = { .set = NULL }, base = { .set = NULL };
	struct fork_found found = { .file = NULL };
	struct sources sources;
	sources_init(&sources, options);
	bool one_word = options->operand_count < 2;
	size_t count = 0;
	int status = expect_all(&sources);
	if (!status && one_word && !options->base)
		status = fork_from_word(&sources, options->operands[0], &found);
	if (!status && !found.file)
		status = one_word ? instants_from_word(&sources, options->operands[0], &a, &b, &count)
		                  : load_operands(&sources, &a, &b);
	if (!status && options->base)
		status = set_from_word(&sources, options->base, &base);
	if (!status)
		status = found.file ? cow_of_tree(options, &found.tree, &found.base, &found)
		         : one_word ? cow_of_file(options, &a, &b, count, &base)
		                    : cow_of_operands(options, &a, &b, &base);
	chosen_drop(&found.tree);
	chosen_drop(&found.base);
	chosen_drop(&a);
	chosen_drop(&b);
	chosen_drop(&base);
	sources_release(&sources, found.file);
	sources_close(&sources);
	return status;
}
