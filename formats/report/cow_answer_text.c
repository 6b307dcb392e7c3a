#include "cow_answer_text.h"

#include <stdio.h>
#include <string.h>

#include "alarm_text.h"
#include "bar_text.h"
#include "diff_view.h"
#include "fork_time.h"
#include "format_value.h"
#include "identity_text.h"
#include "kernel_moves_text.h"
#include "text_color.h"
#include "text_fit.h"
#include "when_text.h"

int cow_cost_class(enum cow_cost cost)
{
	return cost == COST_BY_PARENT ? CLASS_COPIED : cost == COST_BY_CHILD ? CLASS_CHILD : CLASS_OTHER;
}

/* A text of no class that stands out is written as all others. */
int cow_verdict_color(int verdict)
{
	int page_class = verdict_class(verdict);
	return page_class == CLASS_PRIVATE || page_class == CLASS_OTHER ? COLOR_DEFAULT : page_class;
}

/* As they are told, and drawn. */
static const enum cow_cost order[COST_KINDS] = { COST_BY_PARENT, COST_BY_CHILD, COST_BY_BOTH, COST_BY_UNKNOWN };

/* ---- the sentence ------------------------------------------------------------------------ */

/* Neither nothing nor all, unless it is. */
static struct word share(uint64_t part, uint64_t whole)
{
	struct word word = word_percent(part, whole);
	if (part && !strcmp(word.text, "0.0%"))
		return (struct word){ "less than 0.1%" };
	if (part < whole && !strcmp(word.text, "100%"))
		return (struct word){ "more than 99.9%" };
	return word;
}

static void put_colored(struct fit_line *line, const char *words, int color)
{
	color_start(line->text, color);
	fit_words(line, words);
	color_end(line->text, color);
}

/* As the bar has what is inferred. */
static const char *inferred_sign(const struct vmsnap_style *style, const char *letters)
{
	return !style->unicode || style->color == VMSNAP_COLOR_NONE ? letters : "(\xe2\x96\x92)";
}

/* Whether all that no copier is known of is inferred, and nothing else that is lost: it is said once. */
static bool only_unknown_inferred(const struct cow_shares *shares)
{
	uint64_t unknown = shares->by[COST_BY_UNKNOWN];
	return cow_shares_known(shares) && unknown && unknown == shares->unknown_inferred &&
	       unknown == shares->lost_inferred;
}

/* "36.6M by the parent, 420K by the child"; what is no colour is told by its letter. */
static void put_copiers(struct fit_line *line, const struct cow_shares *shares, bool many)
{
	static const char *const by[][COST_KINDS] = {
		[false] = { "by the child", "by the parent", "by both", "by whom is not known" },
		[true] = { "by children", "by parents", "by both", "by whom is not known" },
	};
	const struct vmsnap_style *style = line->text->style;
	bool any = false;
	for (int i = 0; i < COST_KINDS; i++) {
		uint64_t bytes = shares->by[order[i]];
		char letter[] = { '(', class_letter(cow_cost_class(order[i])), ')', '\0' };
		if (!bytes)
			continue;
		if (any)
			fit_glue(line, ",");
		any = true;
		put_colored(line, word_size(style, bytes).text, cow_cost_class(order[i]));
		if (order[i] == COST_BY_UNKNOWN && only_unknown_inferred(shares)) {
			fit_words(line, "by whom is not known, inferred");
			fit_words(line, inferred_sign(style, "(~?)"));
			continue;
		}
		fit_words(line, by[many][order[i]]);
		if (style->color == VMSNAP_COLOR_NONE)
			fit_words(line, letter);
	}
}

/* " in 3 forks", or nothing of one. */
static struct word in_forks(size_t forks)
{
	struct word word = { "" };
	if (forks > 1)
		snprintf(word.text, sizeof(word.text), " in %zu forks", forks);
	return word;
}

/* What rests on frames is told as a fact; of all else it is said.  at_least: one side was not looked at later. */
static void put_how_much(struct fit_line *line, const struct cow_shares *shares, size_t forks, bool at_least)
{
	const struct vmsnap_style *style = line->text->style;
	uint64_t all = shares->lost + shares->shared;
	char words[128];
	if (!all && !shares->unknown) {
		fit_words(line, "Nothing is shared, and nothing was copied");
		return;
	}
	if (!cow_shares_known(shares)) {
		put_colored(line, "How much of the sharing is lost is not known", COLOR_BOLD);
		if (!all)
			return;
		fit_glue(line, ";");
		snprintf(words, sizeof(words), "inferred: %s%s", share(shares->lost, all).text,
		         shares->lost ? "," : " of");
		fit_words(line, words);
	} else if (!shares->lost) {
		snprintf(words, sizeof(words), "None of the sharing is %s%s", at_least ? "known to be lost" : "lost",
		         in_forks(forks).text);
		put_colored(line, words, COLOR_BOLD);
		fit_glue(line, ":");
	} else {
		snprintf(words, sizeof(words), "%s%s of the sharing is lost%s", at_least ? "At least " : "",
		         share(shares->lost, all).text, in_forks(forks).text);
		color_start(line->text, COLOR_BOLD);
		put_colored(line, words, CLASS_COPIED);
		fit_glue(line, ":");
	}
	if (shares->lost) {
		put_copiers(line, shares, forks > 1);
		return;
	}
	put_colored(line, word_size(style, shares->shared).text, CLASS_SHARED);
	if (cow_shares_known(shares))
		fit_words(line, "is shared");
}

/* "; 392K of that inferred", with how the bar has it. */
static void put_inferred(struct fit_line *line, const struct cow_shares *shares)
{
	const struct vmsnap_style *style = line->text->style;
	char words[96];
	if (!cow_shares_known(shares))
		return;
	if (shares->lost_inferred && !only_unknown_inferred(shares)) {
		fit_glue(line, ";");
		snprintf(words, sizeof(words), "%s of that inferred", word_size(style, shares->lost_inferred).text);
		fit_words(line, words);
	}
	if (shares->shared_inferred) {
		fit_glue(line, ";");
		snprintf(words, sizeof(words), "that %s is shared is inferred %s",
		         word_size(style, shares->shared_inferred).text, inferred_sign(style, "(=?)"));
		fit_words(line, words);
	}
}

static void put_not_known(struct fit_line *line, const struct cow_shares *shares, enum cow_side side)
{
	static const char *const unseen[] = { "", "what the parent copied later is not known",
		                              "what the child copied later is not known" };
	char words[96];
	if (shares->unknown) {
		fit_glue(line, ";");
		snprintf(words, sizeof(words), "of %s nothing is known",
		         word_size(line->text->style, shares->unknown).text);
		fit_words(line, words);
	}
	if (side) {
		fit_glue(line, ";");
		fit_words(line, unseen[side]);
	}
}

/* Where it may be why something is not known, or not for certain. */
static void put_moves(struct fit_line *line, const struct cow_shares *shares, enum kernel_moves moves, uint64_t pages)
{
	if (shares->by[COST_BY_UNKNOWN] || shares->lost_inferred || shares->shared_inferred || shares->unknown)
		put_kernel_moves(line, moves, pages);
}

/* ---- the bar ------------------------------------------------------------------------------ */

static void put_shares_bar(struct text *text, const struct cow_shares *shares)
{
	enum { PARTS = COST_KINDS + 4 };
	bool known = cow_shares_known(shares);
	struct bar_part parts[PARTS];
	size_t count = 0;
	/* Which pages of a known copier are inferred the sums do not tell. */
	for (int i = 0; i < COST_KINDS; i++) {
		uint64_t inferred = order[i] == COST_BY_UNKNOWN ? shares->unknown_inferred : 0;
		int page_class = cow_cost_class(order[i]);
		if (inferred)
			parts[count++] = (struct bar_part){ inferred, page_class, true };
		parts[count++] = (struct bar_part){ shares->by[order[i]] - inferred, page_class, !known };
	}
	parts[count++] = (struct bar_part){ shares->shared_inferred, CLASS_SHARED, true };
	parts[count++] = (struct bar_part){ shares->shared - shares->shared_inferred, CLASS_SHARED, false };
	parts[count++] = (struct bar_part){ shares->unknown, CLASS_HOLE, false };
	put_bar(text, parts, count);
}

void put_cow_answer(struct text *text, const struct vmsnap_cow *cow, const struct cow_shares *shares)
{
	struct fit_line line = fit_line(text, 0, 2);
	enum cow_side side = cow_side_unseen(cow);
	uint64_t pages;
	enum kernel_moves moves =
	        kernel_moves_of_fork(vmsnap_cow_parent(cow), vmsnap_cow_child(cow), vmsnap_cow_base(cow), &pages);
	put_how_much(&line, shares, 1, side != COW_SIDE_NONE);
	put_inferred(&line, shares);
	put_moves(&line, shares, moves, pages);
	put_not_known(&line, shares, side);
	text_string(text, "\n");
	put_shares_bar(text, shares);
}

void put_forks_answer(struct text *text, const struct cow_shares *shares, const struct forks_told *told)
{
	size_t forks = told->forks;
	uint64_t distinct = told->distinct;
	struct fit_line line = fit_line(text, 0, 2);
	char words[96];
	put_how_much(&line, shares, forks, false);
	put_inferred(&line, shares);
	put_moves(&line, shares, told->moves, told->moved);
	put_not_known(&line, shares, COW_SIDE_NONE);
	if (distinct && forks > 1) {
		fit_glue(&line, ";");
		snprintf(words, sizeof(words), "%s copied in distinct frames", word_size(text->style, distinct).text);
		fit_words(&line, words);
	}
	text_string(text, "\n");
	put_shares_bar(text, shares);
}

/* ---- whom it is about ------------------------------------------------------------------------ */

/* Since when sharing is lost.  more: something follows. */
static void put_forked(struct fit_line *line, const struct fork_time *time, bool more)
{
	fit_words(line, word_time_brief(time->at).text);
	fit_glue(line, ";");
	fit_words(line, "seen");
	fit_piece(line, word_ticks(time->before).text);
	fit_words(line, more ? "later;" : "later");
}

/* How long the base was taken after the fork.  False: that is not known, nor within the tick in which the child was
 * made, unless the child is in the base. */
static bool base_after_fork(const struct vmsnap_cow *cow, uint64_t *after)
{
	const struct vmsnap *base = vmsnap_cow_base(cow), *child = vmsnap_cow_child(cow);
	struct fork_time time;
	if (!same_boot(base, child) || !fork_time_of(vmsnap_cow_parent(cow), child, &time) ||
	    !fork_before(child, base, after))
		return false;
	return vmsnap_cow_base_other(cow) || vmsnap_same_process(base, child) || *after >= FORK_TICK_NS;
}

/* "392K copied by then", which is when copying began, or as good as. */
void put_cow_began(struct fit_line *line, const struct cow_began *began)
{
	if (!began || !began->known)
		return;
	fit_glue(line, ":");
	if (began->least)
		fit_words(line, "at least");
	if (began->by_base)
		fit_piece(line, word_size(line->text->style, began->by_base).text);
	fit_words(line, began->by_base ? "copied by then" : "nothing copied by then");
}

/* By its label, if it has one, of whom it is, and when it was: after the fork, if that is known. */
static void put_base(struct fit_line *line, const struct vmsnap_cow *cow)
{
	const struct vmsnap *base = vmsnap_cow_base(cow), *child = vmsnap_cow_child(cow);
	const struct vmsnap_info *from = vmsnap_info(base), *to = vmsnap_info(child);
	char words[96];
	fit_identity(line, "base", base, false, NULL);
	if (vmsnap_cow_base_other(cow))
		fit_words(line, "of both");
	else
		fit_words(line, vmsnap_same_process(base, child) ? "of the child" : "of the parent");
	uint64_t after;
	if (base_after_fork(cow, &after)) {
		fit_glue(line, ",");
		fit_piece(line, word_ticks(after).text);
		fit_words(line, "after the fork");
		return;
	}
	if (from->taken)
		fit_piece(line, word_time_brief(from->taken).text);
	if (!from->taken || !to->taken || to->taken == from->taken)
		return;
	fit_glue(line, ",");
	bool later = to->taken > from->taken;
	uint64_t ns = later ? (uint64_t)to->taken - (uint64_t)from->taken : (uint64_t)from->taken - (uint64_t)to->taken;
	snprintf(words, sizeof(words), "%s %s the child", word_duration(ns).text, later ? "before" : "after");
	fit_piece(line, words);
}

enum { ROLE = 8 };

static void put_line(struct text *text, const char *role, const struct vmsnap *snap)
{
	text_format(text, "%-*s", ROLE, role);
	print_identity_line(text, snap);
	text_string(text, "\n");
}

static bool frames_known(const struct vmsnap_cow *cow)
{
	const struct vmsnap *base = vmsnap_cow_base(cow), *other = vmsnap_cow_base_other(cow);
	return vmsnap_info(vmsnap_cow_parent(cow))->known.pfn && vmsnap_info(vmsnap_cow_child(cow))->known.pfn &&
	       (!base || vmsnap_info(base)->known.pfn) && (!other || vmsnap_info(other)->known.pfn);
}

static void put_brief(struct text *text, const struct vmsnap_cow *cow, const struct cow_began *began)
{
	struct fit_line line = fit_line(text, 0, 2);
	struct fork_time time;
	fit_identity(&line, "parent", vmsnap_cow_parent(cow), true, NULL);
	fit_glue(&line, ",");
	fit_identity(&line, "child", vmsnap_cow_child(cow), true, vmsnap_cow_parent(cow));
	if (fork_time_of(vmsnap_cow_parent(cow), vmsnap_cow_child(cow), &time)) {
		fit_glue(&line, ",");
		fit_words(&line, "forked");
		put_forked(&line, &time, vmsnap_cow_base(cow));
	} else if (vmsnap_cow_base(cow)) {
		fit_glue(&line, ",");
	}
	if (vmsnap_cow_base(cow)) {
		put_base(&line, cow);
		put_cow_began(&line, began);
	}
	text_string(text, "\n");
}

void put_cow_warnings(struct text *text, const struct vmsnap_cow *cow)
{
	const char *warning = vmsnap_cow_warning(cow);
	if (*warning)
		put_alarm(text, warning);
	if (vmsnap_cow_relation(cow) == VMSNAP_RELATION_COMPARABLE && !frames_known(cow))
		put_alarm(text, "without PFNs, who shares and who copied is inferred where it can be, "
		                "and may be wrong");
}

/* Where it is known. */
static void put_when_line(struct text *text, const struct fork_when *when)
{
	struct fit_line line = fit_line(text, 0, 2);
	put_when(&line, when);
	if (when->known)
		text_string(text, "\n");
}

void put_cow_who(struct text *text, const struct vmsnap_cow *cow, const struct cow_began *began,
                 const struct fork_when *when, bool briefly)
{
	struct fork_time time;
	put_when_line(text, when);
	if (briefly) {
		put_brief(text, cow, began);
	} else {
		put_line(text, "parent", vmsnap_cow_parent(cow));
		put_line(text, "child", vmsnap_cow_child(cow));
		if (fork_time_of(vmsnap_cow_parent(cow), vmsnap_cow_child(cow), &time)) {
			struct fit_line line = fit_line(text, ROLE, ROLE);
			text_format(text, "%-*s", ROLE, "forked");
			put_forked(&line, &time, false);
			text_string(text, "\n");
		}
		if (vmsnap_cow_base(cow))
			put_line(text, "base", vmsnap_cow_base(cow));
		if (vmsnap_cow_base_other(cow))
			put_line(text, "and", vmsnap_cow_base_other(cow));
	}
	put_cow_warnings(text, cow);
}
