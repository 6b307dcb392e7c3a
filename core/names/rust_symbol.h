/* rust_symbol.h - one symbol of Rust while it is read and told: what its grammars are made of
 * (letters, numbers, identifiers), and the text that comes of it. */
#ifndef VMSNAP_RUST_SYMBOL_H
#define VMSNAP_RUST_SYMBOL_H

#include "scan.h"

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

/* ---- what is written: nothing once it failed, or while it is silent ----------------------- */

void rust_put_bytes(struct rust *r, const char *bytes, size_t len);
void rust_put(struct rust *r, const char *text);
void rust_put_number(struct rust *r, uint64_t value);
void rust_put_character(struct rust *r, uint32_t code);

/* ---- what is read: a symbol that is none fails --------------------------------------------- */

uint64_t rust_left(const struct cursor *c); /* bytes */
/* Numbers that lead back may be nested, so that little can be read very often: steps are counted,
 * and how deep it goes (who enters counts r->depth down again). */
bool rust_step(struct rust *r);
bool rust_enter(struct rust *r);
char rust_next(struct rust *r);
bool rust_take(struct rust *r, char wanted);
uint64_t rust_take_base_62(struct rust *r);            /* "_" is 0, "0_" 1, "a_" 11, "A_" 37 */
uint64_t rust_take_optional(struct rust *r, char tag); /* 0 if there is none */

struct rust_identifier {
	const char *at;
	size_t len;
	uint64_t disambiguator;
	bool punycode;
};
struct rust_identifier rust_take_plain_identifier(struct rust *r);
struct rust_identifier rust_take_identifier(struct rust *r);
void rust_put_identifier(struct rust *r, const struct rust_identifier *id);

#endif
