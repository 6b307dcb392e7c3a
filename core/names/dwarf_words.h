/* dwarf_words.h - what variables and types are called. */
#ifndef VMSNAP_DWARF_WORDS_H
#define VMSNAP_DWARF_WORDS_H

#include "dwarf_dies.h"

/* What is longer ends in "..."; bytes of the file, which may be any. */
enum { DWARF_WORDS_MAX = 240 };
struct dwarf_words {
	char text[DWARF_WORDS_MAX + 4];
	size_t len;
};
void dwarf_words_add(struct dwarf_words *words, const char *more);
struct dwarf_context;
/* "shop::Shop::"; context: index plus 1. */
void dwarf_words_context(struct dwarf_words *words, const struct dwarf_context *contexts, uint32_t context);

/* Its own, or that of what it stands for; NULL if it has none. */
const char *dwarf_name_of(const struct dwarf_die *die);
const char *dwarf_linkage_of(const struct dwarf_die *die);
/* Of the type that an entry has: "const char *", "order", "int [4]". */
void dwarf_words_type(struct dwarf_words *words, const struct dwarf_die *die, int depth);
/* Of a type itself. */
void dwarf_words_of_type(struct dwarf_words *words, const struct dwarf_die *type, int depth);

/* How many elements a dimension of an array has; 0: not known. */
uint64_t dwarf_dimension(const struct dwarf_die *subrange);

#endif
