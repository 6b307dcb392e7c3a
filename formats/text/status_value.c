#include "status_value.h"

#include <string.h>

#include "format_value.h"
#include "text_fit.h"

size_t status_value_copy(const struct vmsnap_status_field *field, char *out)
{
	size_t len = field->text_len < STATUS_VALUE_MAX ? field->text_len : STATUS_VALUE_MAX;
	for (size_t i = 0; i < len; i++)
		out[i] = field->text[i] == '\t' ? ' ' : field->text[i];
	return len;
}

bool status_is_number(const struct vmsnap_status_field *field)
{
	/* Beginnings of keys, as of Linux 6.18. */
	static const char *const texts[] = { "Name", "Umask", "Groups",       "NS",           "Sig",       "Shd",
		                             "Cap",  "untag", "Cpus_allowed", "Mems_allowed", "x86_Thread" };
	if (!field->is_number)
		return false;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (field->key_len >= strlen(texts[i]) && memcmp(field->key, texts[i], strlen(texts[i])) == 0)
			return false;
	return true;
}

size_t status_value_width(const struct text *text, const struct vmsnap_status_field *field)
{
	char value[STATUS_VALUE_MAX];
	if (field->is_size)
		return strlen(word_size(text->style, field->number).text);
	return fit_width(text, value, status_value_copy(field, value));
}

void text_status_value(struct text *text, const struct vmsnap_status_field *field, size_t room)
{
	char value[STATUS_VALUE_MAX];
	if (field->is_size)
		text_string(text, word_size(text->style, field->number).text);
	else
		fit_name(text, value, status_value_copy(field, value), room);
}
