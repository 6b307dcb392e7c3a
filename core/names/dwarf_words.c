#define _GNU_SOURCE
#include "dwarf_words.h"

#include <dwarf.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "dwarf_tables.h"

enum { CHAIN_MAX = 4, DEPTH_MAX = 12, PARAMETERS_MAX = 8 };

void dwarf_words_add(struct dwarf_words *words, const char *more)
{
	size_t len = strnlen(more, DWARF_WORDS_MAX + 1), left = DWARF_WORDS_MAX - words->len;
	if (words->len > DWARF_WORDS_MAX)
		return;
	if (len > left) {
		memcpy(words->text + words->len, more, left);
		memcpy(words->text + DWARF_WORDS_MAX, "...", 4);
		words->len = DWARF_WORDS_MAX + 3;
		return;
	}
	memcpy(words->text + words->len, more, len + 1);
	words->len += len;
}

void dwarf_words_context(struct dwarf_words *words, const struct dwarf_context *contexts, uint32_t context)
{
	uint32_t chain[64];
	size_t count = 0;
	for (; context && count < 64; context = contexts[context - 1].outer)
		chain[count++] = context;
	while (count--) {
		dwarf_words_add(words, contexts[chain[count] - 1].name);
		dwarf_words_add(words, "::");
	}
}

static const char *text_of(const struct dwarf_die *die, enum dwarf_attribute attribute)
{
	struct dwarf_die at = *die;
	for (int i = 0; i < CHAIN_MAX; i++) {
		const char *text = dwarf_text(&at, attribute);
		if (text)
			return text;
		if (!dwarf_die_of(&at, DWARF_AT_SPECIFICATION, &at) &&
		    !dwarf_die_of(&at, DWARF_AT_ABSTRACT_ORIGIN, &at))
			return NULL;
	}
	return NULL;
}

const char *dwarf_name_of(const struct dwarf_die *die)
{
	return text_of(die, DWARF_AT_NAME);
}

const char *dwarf_linkage_of(const struct dwarf_die *die)
{
	return text_of(die, DWARF_AT_LINKAGE_NAME);
}

uint64_t dwarf_dimension(const struct dwarf_die *subrange)
{
	uint64_t count, low = 0;
	if (dwarf_has(subrange, DWARF_AT_COUNT))
		return dwarf_unsigned(subrange, DWARF_AT_COUNT, &count) ? count : 0;
	dwarf_unsigned(subrange, DWARF_AT_LOWER_BOUND, &low);
	if (!dwarf_unsigned(subrange, DWARF_AT_UPPER_BOUND, &count) || count < low)
		return 0;
	return count - low + 1; /* 0 of what has no elements */
}

static void add_dimensions(struct dwarf_words *words, const struct dwarf_die *array)
{
	struct dwarf_die child;
	char number[32];
	if (!array->children)
		return;
	dwarf_words_add(words, " ");
	for (uint64_t at = array->after; dwarf_die_read(array->unit, at, &child) && child.tag;) {
		if (child.tag == DW_TAG_subrange_type) {
			uint64_t count = dwarf_dimension(&child);
			snprintf(number, sizeof(number), count ? "[%" PRIu64 "]" : "[]", count);
			dwarf_words_add(words, number);
		}
		if (!dwarf_next(&child, &at) || words->len > DWARF_WORDS_MAX)
			return;
	}
}

static void add_parameters(struct dwarf_words *words, const struct dwarf_die *function, int depth)
{
	struct dwarf_die child;
	int count = 0;
	dwarf_words_add(words, "(");
	for (uint64_t at = function->after;
	     function->children && dwarf_die_read(function->unit, at, &child) && child.tag;) {
		bool parameter = child.tag == DW_TAG_formal_parameter;
		if (parameter || child.tag == DW_TAG_unspecified_parameters)
			dwarf_words_add(words, count++ ? ", " : "");
		if (count > PARAMETERS_MAX || !parameter)
			dwarf_words_add(words, "...");
		else
			dwarf_words_type(words, &child, depth + 1);
		if (count > PARAMETERS_MAX || !dwarf_next(&child, &at))
			break;
	}
	dwarf_words_add(words, count ? ")" : "void)");
}

static void add_function(struct dwarf_words *words, const struct dwarf_die *function, const char *star, int depth)
{
	dwarf_words_type(words, function, depth + 1);
	dwarf_words_add(words, " ");
	dwarf_words_add(words, star);
	add_parameters(words, function, depth);
}

static void add_pointer(struct dwarf_words *words, const struct dwarf_die *pointer, const char *star, int depth)
{
	struct dwarf_die target;
	bool has = dwarf_die_of(pointer, DWARF_AT_TYPE, &target);
	char stars[16];
	if (has && target.tag == DW_TAG_subroutine_type) {
		snprintf(stars, sizeof(stars), "(%s)", star);
		add_function(words, &target, stars, depth);
		return;
	}
	if (has)
		dwarf_words_of_type(words, &target, depth + 1);
	else
		dwarf_words_add(words, "void");
	size_t len = words->len;
	bool again = len && strchr("*&", words->text[len - 1]);
	dwarf_words_add(words, again ? "" : " ");
	dwarf_words_add(words, star);
}

/* "const char", but "char *const". */
static void add_qualified(struct dwarf_words *words, const struct dwarf_die *type, const char *word, int depth)
{
	struct dwarf_die target;
	bool pointer = dwarf_die_of(type, DWARF_AT_TYPE, &target) && target.tag == DW_TAG_pointer_type;
	if (!pointer) {
		dwarf_words_add(words, word);
		dwarf_words_add(words, " ");
	}
	dwarf_words_type(words, type, depth + 1);
	if (pointer)
		dwarf_words_add(words, word);
}

void dwarf_words_of_type(struct dwarf_words *words, const struct dwarf_die *type, int depth)
{
	const char *name = dwarf_name_of(type);
	if (depth > DEPTH_MAX) {
		dwarf_words_add(words, "...");
		return;
	}
	if (name) {
		dwarf_words_add(words, name);
		return;
	}
	switch (type->tag) {
	case DW_TAG_pointer_type:
		add_pointer(words, type, "*", depth);
		break;
	case DW_TAG_reference_type:
		add_pointer(words, type, "&", depth);
		break;
	case DW_TAG_rvalue_reference_type:
		add_pointer(words, type, "&&", depth);
		break;
	case DW_TAG_ptr_to_member_type:
		add_pointer(words, type, "::*", depth);
		break;
	case DW_TAG_const_type:
		add_qualified(words, type, "const", depth);
		break;
	case DW_TAG_volatile_type:
		add_qualified(words, type, "volatile", depth);
		break;
	case DW_TAG_atomic_type:
		add_qualified(words, type, "_Atomic", depth);
		break;
	case DW_TAG_array_type:
		dwarf_words_type(words, type, depth + 1);
		add_dimensions(words, type);
		break;
	case DW_TAG_subroutine_type:
		add_function(words, type, "", depth);
		break;
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
		dwarf_words_add(words, "struct {...}");
		break;
	case DW_TAG_union_type:
		dwarf_words_add(words, "union {...}");
		break;
	case DW_TAG_enumeration_type:
		dwarf_words_add(words, "enum {...}");
		break;
	default:
		if (dwarf_has(type, DWARF_AT_TYPE))
			dwarf_words_type(words, type, depth + 1);
		else
			dwarf_words_add(words, "?");
	}
}

void dwarf_words_type(struct dwarf_words *words, const struct dwarf_die *die, int depth)
{
	struct dwarf_die type;
	if (!dwarf_has(die, DWARF_AT_TYPE))
		dwarf_words_add(words, "void");
	else if (depth <= DEPTH_MAX && dwarf_die_of(die, DWARF_AT_TYPE, &type))
		dwarf_words_of_type(words, &type, depth);
	else
		dwarf_words_add(words, "...");
}
