/* values.h - which variables changed from one snapshot to another, and from what to what.
 * Included by vmsnap.h, which tells what holds for all of it. */
#ifndef VMSNAP_VALUES_API_H
#define VMSNAP_VALUES_API_H

#include <vmsnap/contents.h>
#include <vmsnap/names.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of two snapshots that keep contents (contents.h): the global and static variables of programs and
 * libraries whose bytes differ, by the types that DWARF tells of them, and without those by symbols; and the locals,
 * arguments and thread-locals that a debugger told of in both (annotations), by the types that came with them.
 * Only pages are looked at whose contents differ and are known of both; and those of which one snapshot
 * keeps none because nothing had been written there: anonymous memory that was not there yet is
 * zeros, and a page of a private mapping is what the file has there. */
struct vmsnap_value_diff;
struct vmsnap_value_options {
	size_t size;                  /* sizeof(struct vmsnap_value_options) */
	struct vmsnap_names *names;   /* of B, used meanwhile and not kept; NULL: looked up in this system's files */
	bool (*cancelled)(void *ctx); /* asked now and then; NULL: never cancelled */
	void *cancel_ctx;
	uint64_t each_most; /* so many changes of one variable are told, the first ones; 0: 8 */
};
/* VMSNAP_ERR_NOT_FOUND: one of the snapshots keeps no bytes of pages.  VMSNAP_ERR_ARGUMENT: they are of
 * other programs, or processes that have nothing to do with each other.  options may be NULL. */
int vmsnap_value_diff_new(const struct vmsnap *a, const struct vmsnap *b, const struct vmsnap_value_options *options,
                          struct vmsnap_value_diff **out, struct vmsnap_error *err);
/* The part of a variable that a byte is of, in one snapshot: the only change that *out has (of a union one for each
 * member), whose .after is what it held; .before is VMSNAP_VALUE_UNKNOWN.  VMSNAP_ERR_NOT_FOUND: no variable is known
 * there, or not what it held. */
int vmsnap_value_at(const struct vmsnap *snap, uint64_t address, const struct vmsnap_value_options *options,
                    struct vmsnap_value_diff **out, struct vmsnap_error *err);
void vmsnap_value_diff_free(struct vmsnap_value_diff *diff);
const struct vmsnap *vmsnap_value_diff_a(const struct vmsnap_value_diff *diff);
const struct vmsnap *vmsnap_value_diff_b(const struct vmsnap_value_diff *diff);

enum vmsnap_value_kind {
	VMSNAP_VALUE_UNKNOWN, /* not all of its bytes are known */
	VMSNAP_VALUE_BYTES,
	VMSNAP_VALUE_SIGNED,
	VMSNAP_VALUE_UNSIGNED,
	VMSNAP_VALUE_BOOL,
	VMSNAP_VALUE_CHARACTER,
	VMSNAP_VALUE_FLOAT,
	VMSNAP_VALUE_ENUM,
	VMSNAP_VALUE_POINTER,
	VMSNAP_VALUE_TEXT,
	VMSNAP_VALUE_KIND_COUNT
};
const char *vmsnap_value_kind_name(int kind); /* "pointer" */
/* This struct does not grow, for it is part of another. */
struct vmsnap_value {
	int kind;
	bool big_endian;       /* .bytes are */
	uint64_t number, high; /* of 128 bits; below 0: all of them as two's complement */
	const uint8_t *bytes;  /* as they lay in memory; of a bit-field, those that it lies in */
	size_t len;            /* of a text: up to its NUL */
	const char *word;      /* "RED", "READ | WRITE"; the symbol that a pointer points to; NULL: none */
	uint64_t offset;       /* so far behind the symbol */
};
/* One part of a variable that changed; all bytes and strings are the diff's.  Names are raw bytes. */
struct vmsnap_value_change {
	uint64_t address, size; /* in B */
	const char *symbol;     /* the variable, as its language names it: "shop::orders", "main::calls" */
	const char *object;     /* the file that it is of */
	uint64_t symbol_address, symbol_size;
	const char *path; /* within it: "[3].qty", ".Base::x"; "": the variable itself */
	const char *type; /* "int"; NULL: not known */
	struct vmsnap_value before, after;
	uint64_t more; /* of the variable's last one: so many more parts of it changed and are not told */
	/* Of one that a debugger told of, and that is there in both: the function whose local it is, "" of others, and
	 * the thread; 0: none. */
	const char *function;
	uint32_t tid;
};
size_t vmsnap_value_diff_count(const struct vmsnap_value_diff *diff);
int vmsnap_value_change_sized(const struct vmsnap_value_diff *diff, size_t index, struct vmsnap_value_change *out,
                              size_t size);
static inline int vmsnap_value_change(const struct vmsnap_value_diff *diff, size_t index,
                                      struct vmsnap_value_change *out)
{
	return vmsnap_value_change_sized(diff, index, out, sizeof(*out));
}
/* A block of malloc's in which bytes changed that are no variable's.  This struct does not grow. */
struct vmsnap_value_block {
	struct vmsnap_heap_block block; /* as B has it */
	uint64_t changed;               /* bytes */
};
size_t vmsnap_value_diff_block_count(const struct vmsnap_value_diff *diff);
/* In the order of addresses.  VMSNAP_ERR_NOT_FOUND: past the end. */
int vmsnap_value_diff_block(const struct vmsnap_value_diff *diff, size_t index, struct vmsnap_value_block *out);
/* Bytes that differ where no variable is known: heap (those of blocks, too), stacks, what has no symbol. */
uint64_t vmsnap_value_diff_unnamed(const struct vmsnap_value_diff *diff);
/* Pages of which only one snapshot knows what they held, so that nothing is said of them. */
uint64_t vmsnap_value_diff_unknown_pages(const struct vmsnap_value_diff *diff);

#ifdef __cplusplus
}
#endif
#endif
