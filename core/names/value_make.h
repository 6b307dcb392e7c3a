/* value_make.h - what the bytes of one part of a variable say, as numbers and words. */
#ifndef VMSNAP_VALUE_MAKE_H
#define VMSNAP_VALUE_MAKE_H

#include "arena.h"
#include "type_table.h"
#include "value_walk.h"
#include "vmsnap.h"
#include "work.h"

enum { VALUE_LEAF_MAX = 256 };

struct value_maker {
	struct arena *strings;
	struct work *work;              /* they count there */
	struct vmsnap_names *names;     /* for what pointers point to; may be NULL */
	const struct type_table *types; /* two, for where names know nothing; NULL: none */
};

/* bytes: of the leaf; NULL: not all of them are known.  VMSNAP_OK, or why there is no memory. */
int value_make(const struct value_maker *maker, const struct value_leaf *leaf, const uint8_t *bytes,
               struct vmsnap_value *out);
/* A copy, counted; NULL and *rc if there is no room. */
char *value_copy(const struct value_maker *maker, const void *bytes, size_t len, int *rc);

#endif
