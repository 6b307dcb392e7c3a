#include "demangle_rust_v0.h"

#include <string.h>

static void put_path(struct rust *r, bool in_value);
static void put_type(struct rust *r);
static void put_const(struct rust *r);

/* Reads once more what was read before; where it stands is noted by who calls. */
static void go_back(struct rust *r, void (*read)(struct rust *))
{
	const char *tag = r->c.at - 1;
	uint64_t offset = rust_take_base_62(r);
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
		rust_put(r, "'_");
		return;
	}
	if (index > r->lifetimes) {
		r->failed = true;
		return;
	}
	uint64_t depth = r->lifetimes - index;
	rust_put(r, "'");
	if (depth < 26) {
		rust_put_bytes(r, &"abcdefghijklmnopqrstuvwxyz"[depth], 1);
	} else {
		rust_put(r, "_");
		rust_put_number(r, depth);
	}
}

/* "for<'a, 'b> " */
static uint64_t open_binder(struct rust *r)
{
	uint64_t count = rust_take_optional(r, 'G');
	if (!count || r->failed)
		return 0;
	rust_put(r, "for<");
	for (uint64_t i = 0; i < count && rust_step(r); i++) {
		r->lifetimes++;
		rust_put(r, i ? ", " : "");
		put_lifetime(r, 1);
	}
	rust_put(r, "> ");
	return count;
}

static void put_generic_argument(struct rust *r)
{
	if (rust_take(r, 'L'))
		put_lifetime(r, rust_take_base_62(r));
	else if (rust_take(r, 'K'))
		put_const(r);
	else
		put_type(r);
}

/* Until 'E'; how many. */
static uint64_t put_list(struct rust *r, void (*item)(struct rust *))
{
	uint64_t count = 0;
	for (; !rust_take(r, 'E') && rust_step(r); count++) {
		rust_put(r, count ? ", " : "");
		item(r);
	}
	return count;
}

static void put_nested(struct rust *r, bool in_value)
{
	char name_space = rust_next(r);
	put_path(r, in_value);
	struct rust_identifier id = rust_take_identifier(r);
	if (name_space >= 'A' && name_space <= 'Z') {
		rust_put(r, name_space == 'C' ? "::{closure" : name_space == 'S' ? "::{shim" : "::{");
		if (name_space != 'C' && name_space != 'S')
			rust_put_bytes(r, &name_space, 1);
		rust_put(r, id.len ? ":" : "");
		rust_put_identifier(r, &id);
		rust_put(r, "#");
		rust_put_number(r, id.disambiguator);
		rust_put(r, "}");
	} else if (name_space >= 'a' && name_space <= 'z') {
		rust_put(r, id.len ? "::" : "");
		rust_put_identifier(r, &id);
	} else {
		r->failed = true;
	}
}

/* "<T as Trait>"; where the impl stands is not told. */
static void put_impl(struct rust *r, char tag)
{
	if (tag != 'Y') {
		rust_take_optional(r, 's');
		r->silent++;
		put_path(r, false);
		r->silent--;
	}
	rust_put(r, "<");
	put_type(r);
	if (tag != 'M') {
		rust_put(r, " as ");
		put_path(r, false);
	}
	rust_put(r, ">");
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
	char tag = rust_enter(r) ? rust_next(r) : '\0';
	if (tag == 'C') {
		struct rust_identifier id = rust_take_identifier(r);
		rust_put_identifier(r, &id);
	} else if (tag == 'N') {
		put_nested(r, in_value);
	} else if (tag == 'M' || tag == 'X' || tag == 'Y') {
		put_impl(r, tag);
	} else if (tag == 'I') {
		put_path(r, in_value);
		rust_put(r, in_value ? "::<" : "<");
		put_list(r, put_generic_argument);
		rust_put(r, ">");
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
	rust_put(r, rust_take(r, 'U') ? "unsafe " : "");
	if (rust_take(r, 'K')) {
		struct rust_identifier abi = { .at = "C", .len = 1 };
		if (!rust_take(r, 'C'))
			abi = rust_take_plain_identifier(r);
		rust_put(r, "extern \"");
		for (size_t i = 0; i < abi.len && !r->failed; i++)
			rust_put_bytes(r, abi.at[i] == '_' ? "-" : &abi.at[i], 1);
		rust_put(r, "\" ");
	}
	rust_put(r, "fn(");
	put_list(r, put_type);
	rust_put(r, ")");
	if (!rust_take(r, 'u')) {
		rust_put(r, " -> ");
		put_type(r);
	}
	r->lifetimes = before;
}

/* A trait, with its list of generic arguments left open (`open`) for those that have names. */
static void put_open_path(struct rust *r)
{
	r->open = false;
	if (rust_take(r, 'B')) {
		go_back(r, put_open_path);
	} else if (rust_take(r, 'I')) {
		put_path(r, false);
		rust_put(r, "<");
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
	while (rust_take(r, 'p') && rust_step(r)) {
		rust_put(r, open ? ", " : "<");
		open = true;
		struct rust_identifier id = rust_take_plain_identifier(r);
		rust_put_identifier(r, &id);
		rust_put(r, " = ");
		put_type(r);
	}
	rust_put(r, open ? ">" : "");
}

static void put_dyn(struct rust *r)
{
	uint64_t before = r->lifetimes, count = 0;
	rust_put(r, "dyn ");
	open_binder(r);
	for (; !rust_take(r, 'E') && rust_step(r); count++) {
		rust_put(r, count ? " + " : "");
		put_dyn_trait(r);
	}
	r->lifetimes = before;
	if (!rust_take(r, 'L'))
		r->failed = true;
	uint64_t lifetime = rust_take_base_62(r);
	if (lifetime) {
		rust_put(r, " + ");
		put_lifetime(r, lifetime);
	}
}

static void put_reference(struct rust *r, const char *what)
{
	rust_put(r, "&");
	if (rust_take(r, 'L')) {
		uint64_t lifetime = rust_take_base_62(r);
		if (lifetime) {
			put_lifetime(r, lifetime);
			rust_put(r, " ");
		}
	}
	rust_put(r, what);
	put_type(r);
}

static void put_compound(struct rust *r, char tag)
{
	if (tag == 'A' || tag == 'S') {
		rust_put(r, "[");
		put_type(r);
		if (tag == 'A') {
			rust_put(r, "; ");
			put_const(r);
		}
		rust_put(r, "]");
	} else if (tag == 'T') {
		rust_put(r, "(");
		uint64_t count = put_list(r, put_type);
		rust_put(r, count == 1 ? ",)" : ")");
	} else if (tag == 'R' || tag == 'Q') {
		put_reference(r, tag == 'Q' ? "mut " : "");
	} else if (tag == 'P' || tag == 'O') {
		rust_put(r, tag == 'P' ? "*const " : "*mut ");
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
	char tag = rust_enter(r) ? rust_next(r) : '\0';
	const char *basic = basic_type(tag);
	if (basic)
		rust_put(r, basic);
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
	if (!rust_take(r, '_')) {
		r->failed = true;
		return;
	}
	rust_put(r, negative ? "-" : "");
	if (len > 16) {
		rust_put(r, "0x");
		rust_put_bytes(r, digits, len);
		return;
	}
	for (size_t i = 0; i < len; i++)
		value = value << 4 | (uint64_t)hex_digit(digits[i]);
	rust_put_number(r, value);
}

static uint32_t take_code(struct rust *r)
{
	uint64_t value = 0;
	if (r->failed || !take_hex(&r->c, &value) || !rust_take(r, '_') || value > UINT32_MAX)
		r->failed = true;
	return (uint32_t)value;
}

/* Numbers, truth values and characters; of others, which are new and rare, nothing is told. */
static void put_const(struct rust *r)
{
	char tag = rust_enter(r) ? rust_next(r) : '\0';
	if (tag == 'p') {
		rust_put(r, "_");
	} else if (tag == 'B') {
		go_back(r, put_const);
	} else if (tag == 'b') {
		uint32_t code = take_code(r);
		r->failed |= code > 1;
		rust_put(r, code ? "true" : "false");
	} else if (tag == 'c') {
		uint32_t code = take_code(r);
		rust_put(r, "'");
		rust_put_character(r, code < 0x20 || code == 0x7f ? 0xfffd : code);
		rust_put(r, "'");
	} else if (tag && strchr("asxlni", tag)) {
		put_integer(r, rust_take(r, 'n'));
	} else if (tag && strchr("htymoj", tag)) {
		put_integer(r, false);
	} else {
		r->failed = true;
	}
	r->depth--;
}

/* What follows is the crate that a generic function was made for, and what a compiler adds
 * (".llvm.1234"). */
bool demangle_v0(struct rust *r)
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
