/* status_value.h - the value of a line of /proc/PID/status: a size, a number or a text. */
#ifndef VMSNAP_STATUS_VALUE_H
#define VMSNAP_STATUS_VALUE_H

#include "text_out.h"
#include "vmsnap.h"

/* Whether the value is a count.  Masks, lists and names may look like numbers, but
 * not on every process, and a key has one type. */
bool status_is_number(const struct vmsnap_status_field *field);
/* At most STATUS_VALUE_MAX bytes of it, the tabs that the kernel puts between numbers as
 * blanks; returns how many. */
enum { STATUS_VALUE_MAX = 4096 }; /* the kernel writes no line as long as a page */
size_t status_value_copy(const struct vmsnap_status_field *field, char *out);

/* As text: its width, and cut to so many columns. */
size_t status_value_width(const struct text *text, const struct vmsnap_status_field *field);
void text_status_value(struct text *text, const struct vmsnap_status_field *field, size_t room);

#endif
