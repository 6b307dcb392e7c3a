/* text_out.h - where text goes: collects small pieces and hands them to the
 * caller's write function.  Knows nothing about what is written. */
#ifndef VMSNAP_TEXT_OUT_H
#define VMSNAP_TEXT_OUT_H

#include <stdbool.h>
#include <stddef.h>

#include "text_wrap.h"
#include "vmsnap.h"
#include "work.h"

/* A failure sticks: after it nothing is written, and text_close() reports it.
 * Loops over something long ask text_failed() now and then, which asks the caller whether
 * the text is still wanted. */
struct text {
	struct vmsnap_output out;
	const struct vmsnap_style *style; /* in out */
	int failed;                       /* errno */
	int code;                         /* enum vmsnap_rc, if what failed was our own work */
	struct work work;                 /* what is allocated for the text is counted there (text_limit.h) */
	unsigned asked;
	uint32_t pictured; /* classes of pages in strips that were drawn: what a key has to tell (report/strip_key.h) */
	bool begun, blank; /* something was written; a blank line is to come before what is written next */
	struct text_wrap wrap;
	size_t len;
	char buffer[8192];
};

/* Refuses a filter: a text must not tell more than it was asked for. */
int text_open(struct text *text, const struct vmsnap_output *out, struct vmsnap_error *err);
/* For a text that does as its filter says. */
int text_open_filtered(struct text *text, const struct vmsnap_output *out, struct vmsnap_error *err);
int text_close(struct text *text, struct vmsnap_error *err);
/* Asks the caller now. */
bool text_unwanted(struct text *text);
enum { TEXT_STEPS = 64 };
static inline bool text_failed(struct text *text)
{
	return text->failed || (++text->asked % TEXT_STEPS == 0 && text_unwanted(text));
}
/* For whoever writes through `text` and runs out of something. */
void text_fail(struct text *text, int saved_errno);
/* The same with what work.h says; VMSNAP_OK does nothing. */
void text_stop(struct text *text, int code);
/* So that what is compared for it ends when it does. */
struct vmsnap_compare_options text_compare_options(const struct text *text);

void text_put(struct text *text, const char *bytes, size_t len);
/* What sees to its width itself, whole lines, or is not to be broken: puts until text_exact_end() are written as they
 * are.  Gives what text_exact_end() is to be told. */
bool text_exact(struct text *text);
void text_exact_end(struct text *text, bool before);
/* A blank line between what was written, whole lines, and what comes, if either comes: there are never two
 * of them, and none at the begin and the end. */
static inline void text_blank(struct text *text)
{
	text->blank = text->begun;
}
void text_string(struct text *text, const char *string);
void text_repeat(struct text *text, char c, size_t count);
/* For short, harmless pieces: at most 511 bytes.  Never for names. */
__attribute__((format(printf, 2, 3))) void text_format(struct text *text, const char *format, ...);

#endif
