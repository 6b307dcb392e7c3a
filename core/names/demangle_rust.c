#include "demangle_rust.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "scan.h"

/* ---- what is written ------------------------------------------------------------------ */

/* What is told of one symbol.  Numbers that lead back may be nested, so that little can be read
 * very often: steps are counted, and how deep it goes. */
enum { STEPS_MAX = 20000, DEPTH_MAX = 96 };

struct rust {
	struct cursor c;   /* what is still to be read */
	const char *start; /* where numbers that lead back count from */
	char *out;
	size_t len, room;
	unsigned steps, depth;
	unsigned silent;    /* >0: read, but not told */
	uint64_t lifetimes; /* of the binders around */
	bool open;          /* see put_open_path() */
	bool failed;
};

static uint64_t left_of(const struct cursor *c)
{
	return (uint64_t)(c->end - c->at);
}

static void put_bytes(struct rust *r, const char *bytes, size_t len)
{
	if (r->failed || r->silent)
		return;
	if (len >= r->room - r->len) {
		r->failed = true;
		return;
	}
	memcpy(r->out + r->len, bytes, len);
	r->len += len;
	r->out[r->len] = '\0';
}

static void put(struct rust *r, const char *text)
{
	put_bytes(r, text, strlen(text));
}

static void put_number(struct rust *r, uint64_t value)
{
	char text[24];
	snprintf(text, sizeof(text), "%" PRIu64, value);
	put(r, text);
}

static void put_character(struct rust *r, uint32_t code)
{
	char bytes[4];
	size_t len = 0;
	if (code < 0x80) {
		bytes[len++] = (char)code;
	} else if (code < 0x800) {
		bytes[len++] = (char)(0xc0 | code >> 6);
	} else if (code < 0x10000) {
		bytes[len++] = (char)(0xe0 | code >> 12);
		bytes[len++] = (char)(0x80 | (code >> 6 & 0x3f));
	} else {
		bytes[len++] = (char)(0xf0 | code >> 18);
		bytes[len++] = (char)(0x80 | (code >> 12 & 0x3f));
		bytes[len++] = (char)(0x80 | (code >> 6 & 0x3f));
	}
	if (code >= 0x80)
		bytes[len++] = (char)(0x80 | (code & 0x3f));
	if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		r->failed = true;
	put_bytes(r, bytes, len);
}

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
			put(r, escapes[i].means);
			return len;
		}
	}
	struct cursor c = { at, at + left };
	uint64_t code;
	if (!take_char(&c, '$') || !take_char(&c, 'u') || !take_hex(&c, &code) || !take_char(&c, '$') || code < 0x20 ||
	    code > UINT32_MAX)
		return 0;
	put_character(r, (uint32_t)code);
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
			put(r, "::");
			taken = 2;
		} else {
			put_bytes(r, at + i, 1);
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
	while (take_decimal(&ahead, &len) && len && len <= left_of(&ahead)) {
		hash = is_hash(ahead.at, (size_t)len) ? ahead.at : NULL;
		ahead.at += len;
	}
	if (!hash || !take_char(&ahead, 'E') || (ahead.at < ahead.end && *ahead.at != '.'))
		return false;
	for (bool first = true; take_decimal(&r->c, &len) && r->c.at != hash; first = false) {
		put(r, first ? "" : "::");
		put_element(r, r->c.at, (size_t)len);
		r->c.at += len;
	}
	return !r->failed && r->len;
}

/* ---- v0: small pieces ------------------------------------------------------------------ */

static bool step(struct rust *r)
{
	r->failed |= ++r->steps > STEPS_MAX;
	return !r->failed;
}

static bool enter(struct rust *r)
{
	r->failed |= ++r->depth > DEPTH_MAX;
	return step(r);
}

static char next(struct rust *r)
{
	if (r->c.at < r->c.end && !r->failed)
		return *r->c.at++;
	r->failed = true;
	return '\0';
}

static bool take(struct rust *r, char wanted)
{
	return !r->failed && take_char(&r->c, wanted);
}

/* "_" is 0, "0_" 1, "a_" 11, "A_" 37. */
static uint64_t take_base_62(struct rust *r)
{
	uint64_t value = 0;
	if (take(r, '_'))
		return 0;
	while (!r->failed) {
		char c = next(r);
		uint64_t digit = 62;
		if (c == '_')
			return value + 1;
		if (c >= '0' && c <= '9')
			digit = (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'z')
			digit = (uint64_t)(c - 'a') + 10;
		else if (c >= 'A' && c <= 'Z')
			digit = (uint64_t)(c - 'A') + 36;
		r->failed |= digit == 62 || value > (UINT64_MAX - 62) / 62 - 1;
		value = value * 62 + digit;
	}
	return 0;
}

/* 0 if there is none. */
static uint64_t take_optional(struct rust *r, char tag)
{
	if (!take(r, tag))
		return 0;
	uint64_t value = take_base_62(r);
	r->failed |= value == UINT64_MAX;
	return value + 1;
}

struct identifier {
	const char *at;
	size_t len;
	uint64_t disambiguator;
	bool punycode;
};

static struct identifier take_plain_identifier(struct rust *r)
{
	struct identifier id = { .punycode = take(r, 'u') };
	uint64_t len = 0;
	/* "0" is a whole number: a digit behind it is the next one's. */
	if (r->failed || (!take_char(&r->c, '0') && !take_decimal(&r->c, &len))) {
		r->failed = true;
		return id;
	}
	take_char(&r->c, '_');
	if (len > left_of(&r->c)) {
		r->failed = true;
		return id;
	}
	id.at = r->c.at;
	id.len = (size_t)len;
	r->c.at += len;
	return id;
}

static struct identifier take_identifier(struct rust *r)
{
	uint64_t disambiguator = take_optional(r, 's');
	struct identifier id = take_plain_identifier(r);
	id.disambiguator = disambiguator;
	return id;
}

/* ---- identifiers that are not ASCII: Punycode (RFC 3492) with '_' for '-' ----------------- */

enum { PUNYCODE_MAX = 128 };

static uint64_t adapt(uint64_t delta, uint64_t count, bool first)
{
	uint64_t k = 0;
	delta = first ? delta / 700 : delta / 2;
	for (delta += delta / count; delta > 455; k += 36)
		delta /= 35;
	return k + 36 * delta / (delta + 38);
}

/* One number of variable length; false if it is damaged. */
static bool take_delta(const char **at, const char *end, uint64_t bias, uint64_t *index)
{
	uint64_t weight = 1;
	for (uint64_t k = 36;; k += 36) {
		if (*at == end || weight > UINT32_MAX)
			return false;
		char c = *(*at)++;
		uint64_t digit = c >= 'a' && c <= 'z' ? (uint64_t)(c - 'a') : (uint64_t)(c - '0') + 26;
		uint64_t low = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
		if (digit >= 36)
			return false;
		*index += digit * weight;
		if (digit < low)
			return *index <= UINT32_MAX;
		weight *= 36 - low;
	}
}

static bool decode_punycode(const struct identifier *id, uint32_t codes[PUNYCODE_MAX], size_t *count)
{
	const char *end = id->at + id->len, *at = id->at;
	for (const char *c = id->at; c < end; c++)
		at = *c == '_' ? c + 1 : at;
	*count = 0;
	if (at - id->at > PUNYCODE_MAX)
		return false;
	for (const char *c = id->at; c + 1 < at; c++)
		codes[(*count)++] = (uint8_t)*c;
	uint64_t code = 128, index = 0, bias = 72;
	for (bool first = true; at < end; first = false) {
		uint64_t before = index, length = *count + 1;
		if (length > PUNYCODE_MAX || !take_delta(&at, end, bias, &index))
			return false;
		bias = adapt(index - before, length, first);
		code += index / length;
		index %= length;
		if (code > 0x10ffff)
			return false;
		memmove(codes + index + 1, codes + index, (*count - index) * sizeof(*codes));
		codes[index++] = (uint32_t)code;
		(*count)++;
	}
	return true;
}

static void put_identifier(struct rust *r, const struct identifier *id)
{
	uint32_t codes[PUNYCODE_MAX + 1];
	size_t count;
	if (r->failed || r->silent)
		return;
	if (!id->punycode) {
		put_bytes(r, id->at, id->len);
	} else if (decode_punycode(id, codes, &count)) {
		for (size_t i = 0; i < count; i++)
			put_character(r, codes[i]);
	} else {
		put(r, "punycode{");
		put_bytes(r, id->at, id->len);
		put(r, "}");
	}
}

/* ---- v0: paths, types, constants ---------------------------------------------------------- */

static void put_path(struct rust *r, bool in_value);
static void put_type(struct rust *r);
static void put_const(struct rust *r);

/* Reads once more what was read before; where it stands is noted by who calls. */
static void go_back(struct rust *r, void (*read)(struct rust *))
{
	const char *tag = r->c.at - 1;
	uint64_t offset = take_base_62(r);
	if (r->failed || offset >= (uint64_t)(tag - r->start)) {
		r->failed = true;
		return;
	}
	const char *here = r->c.at;
	r->c.at = r->start + offset;
	/* Where nothing is told, nothing need be read again. */
	if (!r->silent)
		read(r);
	r->c.at = here;
}

static void put_lifetime(struct rust *r, uint64_t index)
{
	if (!index) {
		put(r, "'_");
		return;
	}
	if (index > r->lifetimes) {
		r->failed = true;
		return;
	}
	uint64_t depth = r->lifetimes - index;
	put(r, "'");
	if (depth < 26) {
		put_bytes(r, &"abcdefghijklmnopqrstuvwxyz"[depth], 1);
	} else {
		put(r, "_");
		put_number(r, depth);
	}
}

/* "for<'a, 'b> " */
static uint64_t open_binder(struct rust *r)
{
	uint64_t count = take_optional(r, 'G');
	if (!count || r->failed)
		return 0;
	put(r, "for<");
	for (uint64_t i = 0; i < count && step(r); i++) {
		r->lifetimes++;
		put(r, i ? ", " : "");
		put_lifetime(r, 1);
	}
	put(r, "> ");
	return count;
}

static void put_generic_argument(struct rust *r)
{
	if (take(r, 'L'))
		put_lifetime(r, take_base_62(r));
	else if (take(r, 'K'))
		put_const(r);
	else
		put_type(r);
}

/* Until 'E'; how many. */
static uint64_t put_list(struct rust *r, void (*item)(struct rust *))
{
	uint64_t count = 0;
	for (; !take(r, 'E') && step(r); count++) {
		put(r, count ? ", " : "");
		item(r);
	}
	return count;
}

static void put_nested(struct rust *r, bool in_value)
{
	char name_space = next(r);
	put_path(r, in_value);
	struct identifier id = take_identifier(r);
	if (name_space >= 'A' && name_space <= 'Z') {
		put(r, name_space == 'C' ? "::{closure" : name_space == 'S' ? "::{shim" : "::{");
		if (name_space != 'C' && name_space != 'S')
			put_bytes(r, &name_space, 1);
		put(r, id.len ? ":" : "");
		put_identifier(r, &id);
		put(r, "#");
		put_number(r, id.disambiguator);
		put(r, "}");
	} else if (name_space >= 'a' && name_space <= 'z') {
		put(r, id.len ? "::" : "");
		put_identifier(r, &id);
	} else {
		r->failed = true;
	}
}

/* "<T as Trait>"; where the impl stands is not told. */
static void put_impl(struct rust *r, char tag)
{
	if (tag != 'Y') {
		take_optional(r, 's');
		r->silent++;
		put_path(r, false);
		r->silent--;
	}
	put(r, "<");
	put_type(r);
	if (tag != 'M') {
		put(r, " as ");
		put_path(r, false);
	}
	put(r, ">");
}

static void put_path_in_value(struct rust *r)
{
	put_path(r, true);
}

static void put_path_in_type(struct rust *r)
{
	put_path(r, false);
}

static void put_path(struct rust *r, bool in_value)
{
	char tag = enter(r) ? next(r) : '\0';
	if (tag == 'C') {
		struct identifier id = take_identifier(r);
		put_identifier(r, &id);
	} else if (tag == 'N') {
		put_nested(r, in_value);
	} else if (tag == 'M' || tag == 'X' || tag == 'Y') {
		put_impl(r, tag);
	} else if (tag == 'I') {
		put_path(r, in_value);
		put(r, in_value ? "::<" : "<");
		put_list(r, put_generic_argument);
		put(r, ">");
	} else if (tag == 'B') {
		go_back(r, in_value ? put_path_in_value : put_path_in_type);
	} else {
		r->failed = true;
	}
	r->depth--;
}

static const char *basic_type(char tag)
{
	static const char *const names['z' - 'a' + 1] = {
		"i8",   "bool", "char", "f64", "str", "f32", NULL,  "u8", "isize", "usize", NULL,  "i32", "u32",
		"i128", "u128", "_",    NULL,  NULL,  "i16", "u16", "()", "...",   NULL,    "i64", "u64", "!",
	};
	return tag >= 'a' && tag <= 'z' ? names[tag - 'a'] : NULL;
}

static void put_fn(struct rust *r)
{
	uint64_t before = r->lifetimes;
	open_binder(r);
	put(r, take(r, 'U') ? "unsafe " : "");
	if (take(r, 'K')) {
		struct identifier abi = { .at = "C", .len = 1 };
		if (!take(r, 'C'))
			abi = take_plain_identifier(r);
		put(r, "extern \"");
		for (size_t i = 0; i < abi.len && !r->failed; i++)
			put_bytes(r, abi.at[i] == '_' ? "-" : &abi.at[i], 1);
		put(r, "\" ");
	}
	put(r, "fn(");
	put_list(r, put_type);
	put(r, ")");
	if (!take(r, 'u')) {
		put(r, " -> ");
		put_type(r);
	}
	r->lifetimes = before;
}

/* A trait, with its list of generic arguments left open (`open`) for those that have names. */
static void put_open_path(struct rust *r)
{
	r->open = false;
	if (take(r, 'B')) {
		go_back(r, put_open_path);
	} else if (take(r, 'I')) {
		put_path(r, false);
		put(r, "<");
		put_list(r, put_generic_argument);
		r->open = true;
	} else {
		put_path(r, false);
	}
}

static void put_dyn_trait(struct rust *r)
{
	put_open_path(r);
	bool open = r->open;
	while (take(r, 'p') && step(r)) {
		put(r, open ? ", " : "<");
		open = true;
		struct identifier id = take_plain_identifier(r);
		put_identifier(r, &id);
		put(r, " = ");
		put_type(r);
	}
	put(r, open ? ">" : "");
}

static void put_dyn(struct rust *r)
{
	uint64_t before = r->lifetimes, count = 0;
	put(r, "dyn ");
	open_binder(r);
	for (; !take(r, 'E') && step(r); count++) {
		put(r, count ? " + " : "");
		put_dyn_trait(r);
	}
	r->lifetimes = before;
	if (!take(r, 'L'))
		r->failed = true;
	uint64_t lifetime = take_base_62(r);
	if (lifetime) {
		put(r, " + ");
		put_lifetime(r, lifetime);
	}
}

static void put_reference(struct rust *r, const char *what)
{
	put(r, "&");
	if (take(r, 'L')) {
		uint64_t lifetime = take_base_62(r);
		if (lifetime) {
			put_lifetime(r, lifetime);
			put(r, " ");
		}
	}
	put(r, what);
	put_type(r);
}

static void put_compound(struct rust *r, char tag)
{
	if (tag == 'A' || tag == 'S') {
		put(r, "[");
		put_type(r);
		if (tag == 'A') {
			put(r, "; ");
			put_const(r);
		}
		put(r, "]");
	} else if (tag == 'T') {
		put(r, "(");
		uint64_t count = put_list(r, put_type);
		put(r, count == 1 ? ",)" : ")");
	} else if (tag == 'R' || tag == 'Q') {
		put_reference(r, tag == 'Q' ? "mut " : "");
	} else if (tag == 'P' || tag == 'O') {
		put(r, tag == 'P' ? "*const " : "*mut ");
		put_type(r);
	} else if (tag == 'F') {
		put_fn(r);
	} else if (tag == 'D') {
		put_dyn(r);
	} else if (tag == 'B') {
		go_back(r, put_type);
	} else { /* a path */
		r->c.at--;
		put_path(r, false);
	}
}

static void put_type(struct rust *r)
{
	char tag = enter(r) ? next(r) : '\0';
	const char *basic = basic_type(tag);
	if (basic)
		put(r, basic);
	else if (!r->failed)
		put_compound(r, tag);
	r->depth--;
}

static void put_integer(struct rust *r, bool negative)
{
	const char *digits = r->c.at;
	uint64_t value = 0;
	while (r->c.at < r->c.end && hex_digit(*r->c.at) >= 0)
		r->c.at++;
	size_t len = (size_t)(r->c.at - digits);
	if (!take(r, '_')) {
		r->failed = true;
		return;
	}
	put(r, negative ? "-" : "");
	if (len > 16) {
		put(r, "0x");
		put_bytes(r, digits, len);
		return;
	}
	for (size_t i = 0; i < len; i++)
		value = value << 4 | (uint64_t)hex_digit(digits[i]);
	put_number(r, value);
}

static uint32_t take_code(struct rust *r)
{
	uint64_t value = 0;
	if (r->failed || !take_hex(&r->c, &value) || !take(r, '_') || value > UINT32_MAX)
		r->failed = true;
	return (uint32_t)value;
}

/* Numbers, truth values and characters; of others, which are new and rare, nothing is told. */
static void put_const(struct rust *r)
{
	char tag = enter(r) ? next(r) : '\0';
	if (tag == 'p') {
		put(r, "_");
	} else if (tag == 'B') {
		go_back(r, put_const);
	} else if (tag == 'b') {
		uint32_t code = take_code(r);
		r->failed |= code > 1;
		put(r, code ? "true" : "false");
	} else if (tag == 'c') {
		uint32_t code = take_code(r);
		put(r, "'");
		put_character(r, code < 0x20 || code == 0x7f ? 0xfffd : code);
		put(r, "'");
	} else if (tag && strchr("asxlni", tag)) {
		put_integer(r, take(r, 'n'));
	} else if (tag && strchr("htymoj", tag)) {
		put_integer(r, false);
	} else {
		r->failed = true;
	}
	r->depth--;
}

/* What follows is the crate that a generic function was made for, and what a compiler adds
 * (".llvm.1234"). */
static bool demangle_v0(struct rust *r)
{
	uint64_t version;
	if (take_decimal(&r->c, &version))
		return false; /* of the format: none has a number yet */
	r->start = r->c.at;
	put_path(r, true);
	if (!r->failed && r->c.at < r->c.end && *r->c.at >= 'A' && *r->c.at <= 'Z') {
		r->silent++;
		put_path(r, false);
	}
	return !r->failed && (r->c.at == r->c.end || *r->c.at == '.' || *r->c.at == '$') && r->len;
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
