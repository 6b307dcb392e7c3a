#include "escape.h"

#include <string.h>

#include "error.h"
#include "text_utf8.h"

static void hex_bytes(const char *name, size_t count, struct escaped *out)
{
	static const char digits[] = "0123456789abcdef";
	out->len = 0;
	for (size_t i = 0; i < count; i++) {
		unsigned byte = (unsigned char)name[i];
		out->text[out->len++] = '\\';
		out->text[out->len++] = 'x';
		out->text[out->len++] = digits[byte >> 4];
		out->text[out->len++] = digits[byte & 15];
	}
	out->used = count;
	out->width = (unsigned)out->len;
}

/* How many bytes at `name`, which follow an emoji, go with it: a selector of how it is
 * shown, and a joiner if it joins.  Behind anything else nobody would see that they are
 * there, and one name could pass for another. */
static size_t emoji_rest(const char *name, size_t len)
{
	enum { TEXT_STYLE = 0xfe0e, EMOJI_STYLE = 0xfe0f, JOINER = 0x200d };
	uint32_t character;
	size_t rest = 0, bytes = utf8_decode(name, len, &character);
	if (bytes && (character == TEXT_STYLE || character == EMOJI_STYLE)) {
		rest = bytes;
		bytes = utf8_decode(name + rest, len - rest, &character);
	}
	if (!bytes || character != JOINER)
		return rest;
	size_t joined = rest + bytes;
	bytes = utf8_decode(name + joined, len - joined, &character);
	return bytes && utf8_is_emoji(character) ? joined : rest;
}

void escape_one(const char *name, size_t len, unsigned flags, struct escaped *out)
{
	uint32_t character;
	size_t bytes = utf8_decode(name, len, &character);
	if (!bytes) {
		hex_bytes(name, 1, out);
	} else if (utf8_is_hidden(character) || character == '\\' || (character == ' ' && (flags & ESCAPE_SPACES)) ||
	           (character > 0x7f && (flags & ESCAPE_ASCII))) {
		hex_bytes(name, bytes, out);
	} else {
		if (utf8_is_emoji(character))
			bytes += emoji_rest(name + bytes, len - bytes);
		memcpy(out->text, name, bytes);
		out->len = out->used = bytes;
		out->width = utf8_width(character);
	}
}

size_t escape_plain(const char *name, size_t len)
{
	size_t count = 0;
	while (count < len && name[count] > ' ' && name[count] <= '~' && name[count] != '\\')
		count++;
	return count;
}

unsigned escape_flags(const struct vmsnap_style *style)
{
	return style->unicode ? 0 : ESCAPE_ASCII;
}

void escape_put(struct text *text, const char *name, size_t len)
{
	unsigned flags = escape_flags(text->style);
	struct escaped one;
	for (; !text_failed(text); name += one.used, len -= one.used) {
		size_t easy = escape_plain(name, len);
		text_put(text, name, easy);
		name += easy;
		len -= easy;
		if (!len)
			break;
		escape_one(name, len, flags, &one);
		text_put(text, one.text, one.len);
	}
}

void escape_string(struct text *text, const char *name)
{
	escape_put(text, name, strlen(name));
}

VMSNAP_API int vmsnap_print_escaped(const char *name, size_t len, const struct vmsnap_output *out,
                                    struct vmsnap_error *err)
{
	struct text text;
	int rc = text_open(&text, out, err);
	if (!rc)
		text_exact(&text);
	if (rc)
		return rc;
	escape_put(&text, name, len);
	return text_close(&text, err);
}
