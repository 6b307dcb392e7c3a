/* cow_text.c - the verdicts for people: totals, then mapping by mapping. */
#include "cow_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "alarm_text.h"
#include "identity_text.h"
#include "mapping_label.h"
#include "name_pages_text.h"
#include "name_text.h"
#include "page_state.h"
#include "text_color.h"
#include "text_fit.h"
#include "touched_text.h"

int verdict_color(int verdict)
{
	switch (verdict) {
	case VMSNAP_VERDICT_SHARED:
	case VMSNAP_VERDICT_ZERO_SHARED:
	case VMSNAP_VERDICT_ZERO_IN_CHILD:
	case VMSNAP_VERDICT_ZERO_IN_PARENT:
	case VMSNAP_VERDICT_ZERO_IN_BOTH:
		return CLASS_SHARED;
	case VMSNAP_VERDICT_COPIED_BY_CHILD:
	case VMSNAP_VERDICT_COPIED_BY_PARENT:
	case VMSNAP_VERDICT_COPIED_BY_BOTH:
	case VMSNAP_VERDICT_COPIED:
		return CLASS_COPIED;
	case VMSNAP_VERDICT_FILE:
	case VMSNAP_VERDICT_SHARED_MAPPING:
		return CLASS_FILE;
	case VMSNAP_VERDICT_DROPPED_BY_CHILD:
	case VMSNAP_VERDICT_DROPPED_BY_PARENT:
	case VMSNAP_VERDICT_DROPPED_BY_BOTH:
		return CLASS_GONE;
	case VMSNAP_VERDICT_SWAPPED:
		return CLASS_SWAPPED;
	case VMSNAP_VERDICT_UNKNOWN:
		return COLOR_DEFAULT;
	default:
		return CLASS_NEW;
	}
}

static void put_snapshot(struct text *text, const char *role, const struct vmsnap *snap)
{
	text_format(text, "%-8s", role);
	print_identity_line(text, snap);
	text_string(text, "\n");
}

static bool frames_known(const struct vmsnap_cow *cow)
{
	const struct vmsnap *base = vmsnap_cow_base(cow), *other = vmsnap_cow_base_other(cow);
	return vmsnap_info(vmsnap_cow_parent(cow))->known.pfn && vmsnap_info(vmsnap_cow_child(cow))->known.pfn &&
	       (!base || vmsnap_info(base)->known.pfn) && (!other || vmsnap_info(other)->known.pfn);
}

/* "18 pages", and "67,983" where the word was said before. */
static void put_cost(struct fit_line *line, uint64_t pages, const char *by, bool *any)
{
	char piece[64], *at = piece + sizeof(piece) - 1;
	if (!pages)
		return;
	*at = '\0';
	for (uint64_t left = pages, digits = 0; left; left /= 10, digits++) {
		if (digits && digits % 3 == 0)
			*--at = ',';
		*--at = (char)('0' + left % 10);
	}
	fit_glue(line, *any ? "," : ":");
	fit_piece(line, at);
	if (!*any)
		fit_words(line, pages == 1 ? "page" : "pages");
	fit_words(line, by);
	*any = true;
}

/* "326M copied: 18 pages by the child, 67,983 by the parent; 31M new" */
static void put_costs(struct text *text, const struct vmsnap_cow *cow)
{
	static const char *const by[COST_KINDS] = { "by the child", "by the parent", "by both",
		                                    "by whom is not known" };
	uint64_t page_size = vmsnap_info(vmsnap_cow_child(cow))->page_size, copied = 0;
	static const char *const seen[] = { "", "by the child", "by the parent" };
	static const char *const unseen[] = { "", "what the parent copied later is not known",
		                              "what the child copied later is not known" };
	struct cow_costs costs = cow_costs(cow);
	enum cow_side side = cow_side_unseen(cow);
	for (int i = 0; i < COST_KINDS; i++)
		copied += costs.copied[i];
	/* Nothing was compared. */
	if (vmsnap_cow_relation(cow) != VMSNAP_RELATION_COMPARABLE)
		return;
	text_format(text, "%-8s", "cost");
	struct fit_line line = fit_line(text, 8, 8);
	fit_piece(&line, copied ? word_size(text->style, copied * page_size).text : "nothing");
	fit_words(&line, "copied");
	fit_words(&line, copied ? "" : seen[side]);
	bool any = false;
	for (int i = 0; i < COST_KINDS; i++)
		put_cost(&line, costs.copied[i], by[i], &any);
	fit_glue(&line, ";");
	fit_piece(&line, costs.made ? word_size(text->style, costs.made * page_size).text : "nothing");
	fit_words(&line, "new");
	if (costs.alone) {
		fit_glue(&line, ";");
		fit_piece(&line, word_size(text->style, costs.alone * page_size).text);
		fit_words(&line, "in one of them alone");
	}
	if (side) {
		fit_glue(&line, ";");
		fit_words(&line, unseen[side]);
	}
	text_string(text, "\n");
}

static void put_heading(struct text *text, const struct vmsnap_cow *cow)
{
	const char *warning = vmsnap_cow_warning(cow);
	put_snapshot(text, "parent", vmsnap_cow_parent(cow));
	put_snapshot(text, "child", vmsnap_cow_child(cow));
	if (vmsnap_cow_base(cow))
		put_snapshot(text, "base", vmsnap_cow_base(cow));
	if (vmsnap_cow_base_other(cow))
		put_snapshot(text, "and", vmsnap_cow_base_other(cow));
	put_costs(text, cow);
	if (*warning)
		put_alarm(text, warning);
	if (vmsnap_cow_relation(cow) == VMSNAP_RELATION_COMPARABLE && !frames_known(cow))
		put_alarm(text, "without PFNs, who shares and who copied is inferred where it can be, "
		                "and may be wrong");
	text_blank(text);
}

static const char touched_words[] = "touched by gdb";

static void put_total(struct text *text, uint64_t pages, uint64_t page_size, int verdict, bool touched)
{
	if (!pages)
		return;
	text_format(text, "%10" PRIu64 " page%s %6s  ", pages, pages == 1 ? " " : "s",
	            word_size(text->style, pages * page_size).text);
	color_start(text, verdict_color(verdict));
	text_string(text, vmsnap_verdict_name(verdict));
	color_end(text, verdict_color(verdict));
	if (touched)
		text_format(text, ", %s", touched_words);
	text_string(text, "\n");
}

/* The program's pages, and apart from them those that gdb wrote to. */
static void put_totals(struct text *text, const struct vmsnap_cow *cow)
{
	uint64_t page_size = vmsnap_info(vmsnap_cow_child(cow))->page_size;
	for (int i = 0; i < VMSNAP_VERDICT_COUNT; i++) {
		uint64_t touched = vmsnap_cow_touched_pages(cow, i);
		put_total(text, vmsnap_cow_pages(cow, i) - touched, page_size, i, false);
		put_total(text, touched, page_size, i, true);
	}
}

/* "16 copied_by_child, 1 copied_by_child touched by gdb" */
static void put_group_verdicts(struct fit_line *line, const struct cow_group *group)
{
	bool any = false;
	for (int i = 0; i < 2 * VMSNAP_VERDICT_COUNT; i++) {
		bool touched = i % 2;
		uint64_t pages = touched ? group->touched[i / 2] : group->pages[i / 2];
		char piece[64];
		if (!pages)
			continue;
		if (any)
			fit_glue(line, ",");
		snprintf(piece, sizeof(piece), "%" PRIu64 " %s", pages, vmsnap_verdict_name(i / 2));
		fit_piece(line, piece);
		if (touched)
			fit_words(line, touched_words);
		any = true;
	}
}

static void put_group_line(struct text *text, const struct vmsnap_cow *cow, const struct cow_group *group,
                           struct vmsnap_names *names)
{
	const char *name = "(not mapped)";
	char where[160] = "";
	struct mapping_label label = { .words = NULL };
	if (group->vma) {
		label = mapping_label_in(text, names, vmsnap_cow_child(cow), group->vma);
		name = *group->vma->name ? group->vma->name : label.words ? label.words : "(anonymous)";
		snprintf(where, sizeof(where), "%s-%s %s ", word_address(group->start).text,
		         word_address(group->end).text, word_perms(group->vma).text);
	}
	size_t room = fit_room(text, strlen(where) + 1), width = fit_width(text, name, strlen(name));
	struct fit_line line = fit_line(text, strlen(where) + (width < room ? width : room), 4);
	color_start(text, COLOR_BOLD);
	text_string(text, where);
	fit_path(text, name, room);
	color_end(text, COLOR_BOLD);
	line.fresh = false;
	fit_glue(&line, ":");
	put_group_verdicts(&line, group);
	text_string(text, "\n");
	mapping_label_free(&label, text);
}

/* Goes on at `column`; returns where it ends. */
static size_t put_touched(struct text *text, size_t column, const struct touched_reasons *reasons,
                          const struct vmsnap_cow_range *range)
{
	struct fit_line line = fit_line(text, column, 4);
	if (!range->touched)
		return column;
	line.fresh = false;
	fit_glue(&line, ",");
	fit_words(&line, touched_words);
	fit_glue(&line, reasons->count ? ":" : "");
	touched_reasons_put(reasons, &line, "", "", false);
	return line.column;
}

enum { NAMES_ROOM = 32 }; /* with less, they go on in the next line */

static int put_range(struct text *text, const struct vmsnap_cow *cow, const struct cow_touched *touched,
                     const struct vmsnap_cow_range *range, const struct naming *naming, unsigned flags,
                     struct vmsnap_error *err)
{
	struct top_names top;
	struct touched_reasons reasons = { .count = 0 };
	uint64_t pages = pages_of(vmsnap_cow_child(cow), range->end - range->start);
	cow_touched_reasons(touched, range, &reasons);
	top_names_init(&top, naming);
	/* A breakpoint tells where it is; what else lies on its page nobody wrote, and what lies in
	 * a file's pages nobody changed. */
	bool unchanged = touched_by_breakpoints(&reasons) || range->verdict == VMSNAP_VERDICT_FILE;
	int rc = unchanged ? VMSNAP_OK : top_names_add(&top, range->start, range->end, err);
	if (rc)
		return rc;
	char where[96];
	const char *verdict = vmsnap_verdict_name(range->verdict), *inferred = range->inferred ? " (inferred)" : "";
	snprintf(where, sizeof(where), "  %-12s %6" PRIu64 " page%s ", word_address(range->start).text, pages,
	         pages == 1 ? " " : "s");
	text_string(text, where);
	color_start(text, verdict_color(range->verdict));
	text_string(text, verdict);
	color_end(text, verdict_color(range->verdict));
	text_string(text, inferred);
	size_t column = strlen(where) + strlen(verdict) + strlen(inferred);
	column = put_touched(text, column, &reasons, range);
	const char *before = !top.total ? "" : range->touched ? "; holds " : ": ";
	if (top.total && range->touched && fit_room(text, column) < NAMES_ROOM) {
		text_string(text, ";\n    ");
		before = "holds ";
		column = 4;
	}
	text_string(text, before);
	top_names_put(&top, text, column + strlen(before));
	text_string(text, "\n");
	/* Where nothing happened, it does not matter on which page. */
	if (!top.total || verdict_is_quiet(range->verdict))
		return VMSNAP_OK;
	uint64_t page_size = vmsnap_info(vmsnap_cow_child(cow))->page_size;
	return print_range_names(text, naming, page_size, range->start, range->end, flags, err);
}

static bool find_local(void *ctx, const struct vmsnap_name *name)
{
	bool *found = ctx;
	*found = name->kind == VMSNAP_NAME_LOCAL || name->kind == VMSNAP_NAME_ARGUMENT;
	return !*found;
}

/* Whether it is worth a line: something happened, or it is the frames in which a
 * debugger stands, of which one wants to hear that they are still shared. */
static bool range_speaks(const struct vmsnap_cow_range *range, const struct naming *naming)
{
	bool found = false;
	if (!verdict_is_quiet(range->verdict))
		return true;
	/* No file has locals: its symbols need not be read to look for them. */
	if (range->verdict != VMSNAP_VERDICT_SHARED || !naming->names || !range->vma || range->vma->inode)
		return false;
	return !vmsnap_names_in(naming->names, range->start, range->end, find_local, &found, NULL) && found;
}

enum { RANGES_SHOWN = 16 }; /* of a mapping, if not asked for all */

static int put_group(struct text *text, const struct vmsnap_cow *cow, const struct cow_touched *touched,
                     const struct cow_group *group, const struct naming *naming, unsigned flags,
                     struct vmsnap_error *err)
{
	struct vmsnap_cow_range range;
	bool all = flags & VMSNAP_PRINT_LONG;
	size_t shown = 0, left = 0;
	put_group_line(text, cow, group, naming->names);
	for (size_t i = 0; i < group->count && !text_failed(text); i++) {
		if (vmsnap_cow_range(cow, group->first + i, &range) || (!all && !range_speaks(&range, naming)))
			continue;
		if (!all && shown == RANGES_SHOWN) {
			left++;
			continue;
		}
		int rc = put_range(text, cow, touched, &range, naming, flags, err);
		if (rc)
			return rc;
		shown++;
	}
	if (left)
		text_format(text, "  and %zu more range%s\n", left, word_plural(left));
	return VMSNAP_OK;
}

/* Whether it is worth no lines of its own: nothing happened in it, and nobody asks where it lies. */
static bool only_shared(const struct vmsnap_cow *cow, const struct cow_group *group, const struct naming *naming)
{
	struct vmsnap_cow_range range;
	for (int i = 0; i < VMSNAP_VERDICT_COUNT; i++)
		if ((group->pages[i] || group->touched[i]) && (!verdict_is_quiet(i) || i == VMSNAP_VERDICT_SWAPPED))
			return false;
	for (size_t i = 0; i < group->count && !vmsnap_cow_range(cow, group->first + i, &range); i++)
		if (range_speaks(&range, naming))
			return false;
	return true;
}

struct left_out {
	size_t mappings;
	uint64_t pages, zero;
};

static void leave_out(struct left_out *left_out, const struct cow_group *group)
{
	left_out->mappings++;
	for (int i = 0; i < VMSNAP_VERDICT_COUNT; i++)
		left_out->pages += group->pages[i] + group->touched[i];
	static const int zero[] = { VMSNAP_VERDICT_ZERO_SHARED, VMSNAP_VERDICT_ZERO_IN_CHILD,
		                    VMSNAP_VERDICT_ZERO_IN_PARENT, VMSNAP_VERDICT_ZERO_IN_BOTH };
	for (size_t i = 0; i < sizeof(zero) / sizeof(*zero); i++)
		left_out->zero += group->pages[zero[i]] + group->touched[zero[i]];
}

static void put_left_out(struct text *text, const struct left_out *left_out, uint64_t page_size)
{
	struct fit_line line = fit_line(text, 0, 1);
	char words[160];
	/* They are in the sums above, and there are no rows of theirs. */
	snprintf(words, sizeof(words), "(%zu mapping%s, %s, with nothing but shared%s or file pages not listed)",
	         left_out->mappings, word_plural(left_out->mappings),
	         word_size(text->style, left_out->pages * page_size).text, left_out->zero ? ", zero" : "");
	fit_words(&line, words);
	text_string(text, "\n");
}

static int put_groups(struct text *text, const struct vmsnap_cow *cow, const struct cow_touched *touched,
                      const struct naming *naming, unsigned flags, struct vmsnap_error *err)
{
	struct cow_group group;
	struct left_out left_out = { 0 };
	for (size_t at = 0; !text_failed(text) && cow_group_at(cow, at, &group); at += group.count) {
		if (!(flags & VMSNAP_PRINT_LONG) && only_shared(cow, &group, naming)) {
			leave_out(&left_out, &group);
			continue;
		}
		int rc = put_group(text, cow, touched, &group, naming, flags, err);
		if (rc)
			return rc;
	}
	if (left_out.mappings)
		put_left_out(text, &left_out, vmsnap_info(vmsnap_cow_child(cow))->page_size);
	return VMSNAP_OK;
}

/* The ranges say it one by one only where they are all listed. */
static void put_moved(struct text *text, const struct vmsnap_cow *cow)
{
	struct vmsnap_cow_range range;
	struct fit_line line = fit_line(text, 0, 2);
	uint64_t bytes = 0;
	char words[160];
	for (size_t i = 0; !vmsnap_cow_range(cow, i, &range); i++)
		bytes += range.moved ? range.end - range.start : 0;
	if (!bytes)
		return;
	snprintf(words, sizeof(words),
	         "%s lie at another address than in the parent or the base (column PARENT: -o +PARENT)",
	         word_size(text->style, bytes).text);
	fit_words(&line, words);
	text_string(text, "\n");
}

int put_cow_text(struct text *text, const struct vmsnap_cow *cow, const struct cow_touched *touched,
                 const struct naming *naming, unsigned flags, struct vmsnap_error *err)
{
	put_heading(text, cow);
	if (vmsnap_cow_relation(cow) != VMSNAP_RELATION_COMPARABLE)
		return VMSNAP_OK;
	put_totals(text, cow);
	put_moved(text, cow);
	if (flags & VMSNAP_PRINT_TOTALS_ONLY)
		return VMSNAP_OK;
	text_blank(text);
	return put_groups(text, cow, touched, naming, flags, err);
}
