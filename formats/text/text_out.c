#include "text_out.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "options.h"

/* The style lies within the output, and each of them grows on its own: what stands behind
 * the style of an older or newer program begins where that ends. */
static int take_output(struct vmsnap_output *to, const struct vmsnap_output *from, struct vmsnap_error *err)
{
	static const char *const what = "struct vmsnap_output";
	const size_t head = offsetof(struct vmsnap_output, style), rest = offsetof(struct vmsnap_output, write);
	const char *bytes = (const char *)from;
	*to = (struct vmsnap_output){ .size = sizeof(*to) };
	/* No more of it is read than there is. */
	size_t style = from->size > head + sizeof(style) ? from->style.size : 0;
	if (from->size % sizeof(size_t) || from->size <= head || style >= from->size - head)
		return fail(err, VMSNAP_ERR_ARGUMENT,
		            "%s: no sizes are %zu and %zu; expected %zu and, of the style, %zu", what, from->size,
		            style, sizeof(*to), sizeof(to->style));
	int rc = options_take(&to->style, sizeof(to->style), &from->style, "struct vmsnap_style", err);
	if (rc)
		return rc;
	return struct_take((char *)to + rest, sizeof(*to) - rest, bytes + head + style, from->size - head - style, what,
	                   err);
}

int text_open(struct text *text, const struct vmsnap_output *out, struct vmsnap_error *err)
{
	int rc = text_open_filtered(text, out, err);
	if (!rc && text->out.filter)
		rc = fail(err, VMSNAP_ERR_ARGUMENT, "this text has no filter");
	return rc;
}

int text_open_filtered(struct text *text, const struct vmsnap_output *out, struct vmsnap_error *err)
{
	int rc = take_output(&text->out, out, err);
	if (rc)
		return rc;
	if (!text->out.write)
		return fail(err, VMSNAP_ERR_ARGUMENT, "struct vmsnap_output: expected a write function");
	text->style = &text->out.style;
	if (text->out.style.color == VMSNAP_COLOR_LIGHT)
		text->out.style.color = VMSNAP_COLOR_NONE;
	text->failed = text->code = 0;
	text->work = (struct work){ .limit = WORK_UNLIMITED,
		                    .cancelled = text->out.cancelled,
		                    .cancel_ctx = text->out.cancel_ctx };
	text->asked = 0;
	text->pictured = 0;
	text->begun = text->blank = false;
	text->len = 0;
	bool for_people = !text->style->json && !text->style->raw;
	text->wrap = (struct text_wrap){ .on = for_people && text->style->width >= WRAP_WIDTH_MIN,
		                         .limit = text->style->width };
	return VMSNAP_OK;
}

struct vmsnap_compare_options text_compare_options(const struct text *text)
{
	return (struct vmsnap_compare_options){ .size = sizeof(struct vmsnap_compare_options),
		                                .cancelled = text->work.cancelled,
		                                .cancel_ctx = text->work.cancel_ctx };
}

void text_stop(struct text *text, int code)
{
	if (code && !text->failed) {
		text->code = code;
		text->failed = code == VMSNAP_ERR_NO_MEMORY ? ENOMEM : ECANCELED;
	}
}

bool text_unwanted(struct text *text)
{
	if (!text->failed)
		text_stop(text, work_ask(&text->work));
	return text->failed;
}

void text_fail(struct text *text, int saved_errno)
{
	if (!text->failed)
		text->failed = saved_errno;
}

static void flush(struct text *text)
{
	if (text->len && !text->failed)
		text_fail(text, text->out.write(text->out.ctx, text->buffer, text->len));
	text->len = 0;
}

static void put_bytes(struct text *text, const char *bytes, size_t len);

int text_close(struct text *text, struct vmsnap_error *err)
{
	if (text->wrap.on)
		text_wrap_flush(&text->wrap, text, put_bytes);
	flush(text);
	if (!text->failed)
		return VMSNAP_OK;
	if (text->code)
		return work_fail(&text->work, text->code, err);
	if (text->failed == ENOMEM)
		return fail_no_memory(err);
	return fail_sys(err, text->failed, "cannot write the output");
}

static void put_bytes(struct text *text, const char *bytes, size_t len)
{
	while (len && !text->failed) {
		size_t room = sizeof(text->buffer) - text->len;
		size_t now = len < room ? len : room;
		memcpy(text->buffer + text->len, bytes, now);
		text->len += now;
		bytes += now;
		len -= now;
		if (text->len == sizeof(text->buffer))
			flush(text);
	}
}

void text_put(struct text *text, const char *bytes, size_t len)
{
	if (len && text->blank) {
		text->blank = false;
		text_put(text, "\n", 1);
	}
	text->begun |= len != 0;
	if (text->wrap.on && !text->failed)
		text_wrap_put(&text->wrap, bytes, len, text, put_bytes);
	else
		put_bytes(text, bytes, len);
}

bool text_exact(struct text *text)
{
	bool before = text->wrap.on;
	if (before)
		text_wrap_flush(&text->wrap, text, put_bytes);
	text->wrap.on = false;
	return before;
}

void text_exact_end(struct text *text, bool before)
{
	text->wrap.on = before;
}

void text_string(struct text *text, const char *string)
{
	text_put(text, string, strlen(string));
}

void text_repeat(struct text *text, char c, size_t count)
{
	char some[64];
	memset(some, c, sizeof(some));
	while (count && !text->failed) {
		size_t now = count < sizeof(some) ? count : sizeof(some);
		text_put(text, some, now);
		count -= now;
	}
}

void text_format(struct text *text, const char *format, ...)
{
	char piece[512];
	va_list args;
	va_start(args, format);
	int len = vsnprintf(piece, sizeof(piece), format, args);
	va_end(args);
	if (len > 0)
		text_put(text, piece, (size_t)len < sizeof(piece) ? (size_t)len : sizeof(piece) - 1);
}
