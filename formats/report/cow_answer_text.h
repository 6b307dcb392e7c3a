/* cow_answer_text.h - how much of the sharing is lost, and to whom: a sentence, a bar, and whom it is about. */
#ifndef VMSNAP_COW_ANSWER_TEXT_H
#define VMSNAP_COW_ANSWER_TEXT_H

#include "cow_began.h"
#include "cow_rows.h"
#include "fork_when.h"
#include "kernel_moves.h"
#include "text_fit.h"
#include "text_out.h"

void put_cow_answer(struct text *text, const struct vmsnap_cow *cow, const struct cow_shares *shares);
/* The same as the answer, of all forks of a tree. */
struct forks_told {
	size_t forks;
	uint64_t distinct;       /* bytes that were copied, each frame once; 0: not known */
	enum kernel_moves moves; /* what is worst of them */
	uint64_t moved;          /* pages, the most of one */
};
void put_forks_answer(struct text *text, const struct cow_shares *shares, const struct forks_told *told);
/* When most of it was copied; whom it is about, and since when; briefly: in one line, which tells what was copied when
 * the base was taken.  began may be NULL. */
void put_cow_who(struct text *text, const struct vmsnap_cow *cow, const struct cow_began *began,
                 const struct fork_when *when, bool briefly);
/* ": 392K copied by then", behind a base; nothing, if it is not known. */
void put_cow_began(struct fit_line *line, const struct cow_began *began);
/* Why nothing is compared, or how far what is said can be trusted. */
void put_cow_warnings(struct text *text, const struct vmsnap_cow *cow);
/* The class whose colour stands for whoever copied. */
int cow_cost_class(enum cow_cost cost);
/* Of the word for a verdict: enum page_class, or one of palette.h. */
int cow_verdict_color(int verdict);

#endif
