/* value_type.h - what bytes mean: the types of variables, whoever told them.  Knows neither
 * DWARF nor snapshots. */
#ifndef VMSNAP_VALUE_TYPE_H
#define VMSNAP_VALUE_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum value_type_kind {
	TYPE_BYTES, /* whatever it is, it is shown as bytes */
	TYPE_SIGNED,
	TYPE_UNSIGNED,
	TYPE_BOOL,
	TYPE_CHAR,  /* of one byte: text, where there are several */
	TYPE_UCHAR, /* the same, counted from 0 */
	TYPE_WIDE,  /* a character of 2 or 4 bytes */
	TYPE_FLOAT,
	TYPE_ENUM,
	TYPE_POINTER,
	TYPE_STRUCT, /* members one after another */
	TYPE_UNION,  /* members in one place */
	TYPE_ARRAY,
	TYPE_VARIANT, /* Rust's enum: of its members the one whose .value the discriminant has */
};

struct value_type;
struct value_member {
	const char *name; /* "": it has none */
	const struct value_type *type;
	uint64_t offset;
	/* Of a bit-field: counted from the beginning of what it is in, in the order in which numbers of this
	 * byte order count bits; size 0: it is none. */
	uint64_t bit_offset;
	uint32_t bit_size;
	bool is_base;    /* of a class */
	bool is_default; /* the variant that has no value of its own */
	uint64_t value;  /* of the discriminant */
};

struct value_enumerator {
	const char *name;
	uint64_t value;
};

struct value_type {
	uint8_t kind;
	bool big_endian;
	bool is_signed;      /* of an enumeration */
	bool incomplete;     /* some of its members are not known */
	uint8_t significant; /* so many of its bytes count, the first ones; 0: all */
	uint64_t size;       /* bytes; 0: not known, or none */
	const char *name;
	/* Of an array; its elements may be of any number, also of more than there is memory.  Of a pointer, where it is
	 * known: what it points to. */
	const struct value_type *element;
	uint64_t count;                     /* 0: not known (a flexible one) */
	const struct value_member *members; /* of a variant: the first one is the discriminant */
	size_t member_count;
	const struct value_enumerator *enumerators;
	size_t enumerator_count;
};

enum { VALUE_MEMBERS_MAX = 4096, VALUE_DEPTH_MAX = 32 };

#endif
