/* What both parts of the page for browsers without scripts put into it. */
#include "escape.h"
#include "plain.h"

enum { SHOWN_MAX = 200 }; /* of a label, in a table with a row for each snapshot */

/* Names come from the target: nothing they hold becomes markup. */
void plain_put_text(struct text *text, const struct string *string)
{
	struct escaped one;
	const char *bytes = string->bytes;
	size_t left = string->len < SHOWN_MAX ? string->len : SHOWN_MAX;
	for (; left && !text_failed(text); bytes += one.used, left -= one.used) {
		escape_one(bytes, left, 0, &one);
		for (size_t i = 0; i < one.len; i++) {
			char c = one.text[i];
			if (c == '<' || c == '>' || c == '&' || c == '"' || c == '\'')
				text_format(text, "&#%d;", c);
			else
				text_put(text, &c, 1);
		}
	}
}

void plain_put_string(struct text *text, const struct vmsnap_html *html, uint32_t string)
{
	plain_put_text(text, &html->strings.items[string]);
}
