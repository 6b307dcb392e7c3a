/* json_valid.c - RFC 8259, as strict as it is: no library's leniency. */
#include <string.h>

#include "sink.h"

enum { DEPTH_MAX = 32 };

struct json_reader {
	const char *at, *end;
	unsigned depth;
};

static bool value(struct json_reader *r);

static void skip_space(struct json_reader *r)
{
	while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r'))
		r->at++;
}

static bool next_is(struct json_reader *r, char wanted)
{
	skip_space(r);
	if (r->at == r->end || *r->at != wanted)
		return false;
	r->at++;
	return true;
}

static bool word(struct json_reader *r, const char *wanted)
{
	size_t len = strlen(wanted);
	if ((size_t)(r->end - r->at) < len || memcmp(r->at, wanted, len) != 0)
		return false;
	r->at += len;
	return true;
}

static bool digits(struct json_reader *r)
{
	const char *start = r->at;
	while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
		r->at++;
	return r->at > start;
}

static bool number(struct json_reader *r)
{
	if (*r->at == '-')
		r->at++;
	const char *start = r->at;
	if (!digits(r) || (*start == '0' && r->at > start + 1))
		return false;
	if (r->at < r->end && *r->at == '.') {
		r->at++;
		if (!digits(r))
			return false;
	}
	if (r->at < r->end && (*r->at == 'e' || *r->at == 'E')) {
		r->at++;
		if (r->at < r->end && (*r->at == '+' || *r->at == '-'))
			r->at++;
		return digits(r);
	}
	return true;
}

static bool escape(struct json_reader *r)
{
	if (r->at == r->end)
		return false;
	char kind = *r->at++;
	if (kind != 'u')
		return kind && strchr("\"\\/bfnrt", kind);
	for (int i = 0; i < 4; i++, r->at++)
		if (r->at == r->end || !*r->at || !strchr("0123456789abcdefABCDEF", *r->at))
			return false;
	return true;
}

static bool string(struct json_reader *r)
{
	if (!next_is(r, '"'))
		return false;
	while (r->at < r->end) {
		char c = *r->at++;
		if (c == '"')
			return true;
		if ((unsigned char)c < 0x20 || (c == '\\' && !escape(r)))
			return false;
	}
	return false;
}

/* What stands between the brackets, members of an object or items of an array. */
static bool list(struct json_reader *r, char close, bool keys)
{
	if (next_is(r, close))
		return true;
	do {
		if (keys && (!string(r) || !next_is(r, ':')))
			return false;
		if (!value(r))
			return false;
	} while (next_is(r, ','));
	return next_is(r, close);
}

static bool value(struct json_reader *r)
{
	skip_space(r);
	if (r->at == r->end || r->depth == DEPTH_MAX)
		return false;
	r->depth++;
	bool ok;
	switch (*r->at) {
	case '{':
	case '[':
		ok = *r->at++ == '{' ? list(r, '}', true) : list(r, ']', false);
		break;
	case '"':
		ok = string(r);
		break;
	case 't':
		ok = word(r, "true");
		break;
	case 'f':
		ok = word(r, "false");
		break;
	case 'n':
		ok = word(r, "null");
		break;
	default:
		ok = number(r);
	}
	r->depth--;
	return ok;
}

bool json_valid(const char *text, size_t len)
{
	struct json_reader r = { .at = text, .end = text + len };
	if (!value(&r))
		return false;
	skip_space(&r);
	return r.at == r.end;
}
