#include "demangle_rust.h"

#include <string.h>

#include "demangle_rust_v0.h"

/* ---- the older kind --------------------------------------------------------------------- */

enum { HASH_LEN = 17 };

static bool is_hash(const char *at, size_t len)
{
	if (len != HASH_LEN || *at != 'h')
		return false;
	for (size_t i = 1; i < len; i++)
		if (hex_digit(at[i]) < 0)
			return false;
	return true;
}

/* "$LT$" and its like; what it takes of the text, or 0. */
static size_t put_escape(struct rust *r, const char *at, size_t left)
{
	static const struct {
		const char *code, *means;
	} escapes[] = { { "$SP$", "@" }, { "$BP$", "*" }, { "$RF$", "&" }, { "$LT$", "<" },
		        { "$GT$", ">" }, { "$LP$", "(" }, { "$RP$", ")" }, { "$C$", "," } };
	for (size_t i = 0; i < sizeof(escapes) / sizeof(*escapes); i++) {
		size_t len = strlen(escapes[i].code);
		if (len <= left && memcmp(at, escapes[i].code, len) == 0) {
			rust_put(r, escapes[i].means);
			return len;
		}
	}
	struct cursor c = { at, at + left };
	uint64_t code;
	if (!take_char(&c, '$') || !take_char(&c, 'u') || !take_hex(&c, &code) || !take_char(&c, '$') || code < 0x20 ||
	    code > UINT32_MAX)
		return 0;
	rust_put_character(r, (uint32_t)code);
	return (size_t)(c.at - at);
}

static void put_element(struct rust *r, const char *at, size_t len)
{
	/* An identifier begins with no '$'. */
	size_t i = len > 1 && at[0] == '_' && at[1] == '$';
	while (i < len && !r->failed) {
		size_t taken = 1;
		if (at[i] == '$') {
			taken = put_escape(r, at + i, len - i);
			r->failed |= !taken;
		} else if (at[i] == '.' && i + 1 < len && at[i + 1] == '.') {
			rust_put(r, "::");
			taken = 2;
		} else {
			rust_put_bytes(r, at + i, 1);
		}
		i += taken;
	}
}

/* The last one is a hash, which tells it from a name of C++. */
static bool demangle_legacy(struct rust *r)
{
	struct cursor ahead = r->c;
	const char *hash = NULL;
	uint64_t len;
	while (take_decimal(&ahead, &len) && len && len <= rust_left(&ahead)) {
		hash = is_hash(ahead.at, (size_t)len) ? ahead.at : NULL;
		ahead.at += len;
	}
	if (!hash || !take_char(&ahead, 'E') || (ahead.at < ahead.end && *ahead.at != '.'))
		return false;
	for (bool first = true; take_decimal(&r->c, &len) && r->c.at != hash; first = false) {
		rust_put(r, first ? "" : "::");
		put_element(r, r->c.at, (size_t)len);
		r->c.at += len;
	}
	return !r->failed && r->len;
}

bool demangle_rust(const char *symbol, char *out, size_t room)
{
	struct rust r = { .c = { symbol, symbol + strlen(symbol) }, .out = out, .room = room };
	if (take_char(&r.c, '_') && take_char(&r.c, 'R'))
		return demangle_v0(&r);
	r.c.at = symbol;
	if (take_char(&r.c, '_') && take_char(&r.c, 'Z') && take_char(&r.c, 'N'))
		return demangle_legacy(&r);
	return false;
}
