/* name_text.h - how a name is written, and several in one line. */
#ifndef VMSNAP_NAME_TEXT_H
#define VMSNAP_NAME_TEXT_H

#include "text_out.h"
#include "top_names.h"

/* "counter", "buf in parse() #1", "buf in parse() #1 of thread 12", "errno (thread-local)";
 * raw bytes, to be given back.  NULL if there is no memory: then the text has failed. */
char *name_words(const struct naming *naming, const struct vmsnap_name *name, struct text *text);
void name_words_free(char *words, struct text *text);
/* "counter, table, and 12 more": as many as fit into the line, of which `column`
 * columns are used, but one at least. */
void top_names_put(const struct top_names *top, struct text *text, size_t column);

#endif
