#include "sink.h"

#include <errno.h>
#include <string.h>

#include "fuzz.h"

static int take(void *ctx, const char *text, size_t len)
{
	struct sink *sink = ctx;
	FUZZ_CHECK(!sink->full); /* who was told to stop must stop */
	if (len > SINK_BYTES - sink->len) {
		sink->full = true;
		return ENOSPC;
	}
	memcpy(sink->text + sink->len, text, len);
	sink->len += len;
	return 0;
}

void sink_init(struct sink *sink, uint32_t choice)
{
	static const unsigned widths[] = { 0, 1, 20, 80, 132, 0, 80, 4000 };
	sink->len = 0;
	sink->full = false;
	sink->out = (struct vmsnap_output){ .size = sizeof(sink->out), .write = take, .ctx = sink };
	struct vmsnap_style *style = &sink->out.style;
	style->size = sizeof(*style);
	style->json = choice & 1;
	style->unicode = choice >> 1 & 1;
	style->raw = (choice >> 2 & 3) == 3;
	style->bytes = choice >> 4 & 1;
	style->no_headings = (choice >> 5 & 3) == 3;
	style->color = choice >> 7 & 1 ? (int)(choice >> 8 & 3) : VMSNAP_COLOR_NONE;
	style->width = widths[choice >> 10 & 7];
}

/* The length of the character that begins here; 0: not UTF-8, or a control. */
static size_t printable(const unsigned char *at, size_t left)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	if (*at < 0x80)
		return *at == '\n' || (*at >= 0x20 && *at != 0x7f);
	size_t len = *at >= 0xf0 && *at < 0xf8 ? 4 : *at >= 0xe0 ? 3 : *at >= 0xc0 ? 2 : 0;
	if (!len || len > left || *at >= 0xf8)
		return 0;
	uint32_t code = *at & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (at[i] & 0x3f);
	}
	bool surrogate = code >= 0xd800 && code < 0xe000;
	/* C1, line ends, and what turns the direction of writing (Unicode's Bidi_Control). */
	bool control = (code >= 0x80 && code < 0xa0) || code == 0x61c || (code >= 0x200e && code <= 0x200f) ||
	               (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
	return code >= least[len] && code <= 0x10ffff && !surrogate && !control ? len : 0;
}

/* ESC [ numbers m: a colour, and nothing else. */
static size_t color(const char *at, size_t left)
{
	size_t len = 2;
	if (left < 3 || at[0] != '\x1b' || at[1] != '[')
		return 0;
	while (len < left && strchr("0123456789;:", at[len]) && at[len])
		len++;
	return len < left && at[len] == 'm' ? len + 1 : 0;
}

static void check_text(const struct sink *sink)
{
	for (size_t i = 0; i < sink->len;) {
		size_t len = sink->out.style.color ? color(sink->text + i, sink->len - i) : 0;
		if (!len)
			len = printable((const unsigned char *)sink->text + i, sink->len - i);
		FUZZ_CHECK(len);
		i += len;
	}
}

void sink_check(struct sink *sink, int rc, const struct vmsnap_error *err)
{
	if (rc == VMSNAP_ERR_ARGUMENT || rc == VMSNAP_ERR_NO_MEMORY)
		FUZZ_CHECK(err->code == rc && err->message[0]);
	else if (sink->full)
		FUZZ_CHECK(rc == VMSNAP_ERR_SYSTEM && err->sys_errno == ENOSPC);
	/* What was refused may end in the middle of a character. */
	if (!sink->full) {
		check_text(sink);
		if (sink->len && sink->out.style.json)
			FUZZ_CHECK(json_valid(sink->text, sink->len));
	}
	sink->len = 0;
	sink->full = false;
}
