/* text_out.h - where text goes: collects small pieces and hands them to the
 * caller's write function.  Knows nothing about what is written. */
#ifndef VMSNAP_TEXT_OUT_H
#define VMSNAP_TEXT_OUT_H

#include <stdbool.h>
#include <stddef.h>

#include "vmsnap.h"

/* A failure sticks: after it nothing is written, and text_close() reports it.
 * Loops over something long ask text_failed() now and then. */
struct text {
	const struct vmsnap_output *out;
	const struct vmsnap_style *style;
	int failed; /* errno */
	size_t len;
	char buffer[8192];
};

int text_open(struct text *text, const struct vmsnap_output *out, struct vmsnap_error *err);
int text_close(struct text *text, struct vmsnap_error *err);
static inline bool text_failed(const struct text *text)
{
	return text->failed != 0;
}
/* For whoever writes through `text` and runs out of something. */
void text_fail(struct text *text, int saved_errno);

void text_put(struct text *text, const char *bytes, size_t len);
void text_string(struct text *text, const char *string);
void text_repeat(struct text *text, char c, size_t count);
/* For short, harmless pieces: at most 511 bytes.  Never for names. */
__attribute__((format(printf, 2, 3))) void text_format(struct text *text, const char *format, ...);

#endif
