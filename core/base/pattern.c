#include "pattern.h"

#include <stddef.h>
#include <string.h>

/* A set at "[": where it ends, and whether it has c; a "[" that is not closed stands for itself. */
static const char *set_fits(const char *pattern, unsigned char c, bool *fits)
{
	const char *at = pattern + 1;
	bool not_these = *at == '!' || *at == '^', found = false;
	at += not_these;
	for (bool first = true; *at && (first || *at != ']'); first = false) {
		unsigned char low = (unsigned char)*at++, high = low;
		if (*at == '-' && at[1] && at[1] != ']') {
			high = (unsigned char)at[1];
			at += 2;
		}
		found |= low <= c && c <= high;
	}
	if (!*at) {
		*fits = c == '[';
		return pattern + 1;
	}
	*fits = found != not_these;
	return at + 1;
}

/* Whether one byte fits what stands at the pattern; *next: what stands behind that. */
static bool one_fits(const char *pattern, char c, const char **next)
{
	bool fits = *pattern == c;
	*next = pattern + 1;
	if (*pattern == '?')
		return true;
	if (*pattern == '[')
		*next = set_fits(pattern, (unsigned char)c, &fits);
	return fits;
}

/* Where something does not fit, the last star takes one byte more: no star before it need be
 * tried again. */
static bool fits(const char *pattern, const char *name)
{
	const char *after_star = NULL, *resume = NULL, *next;
	while (*name) {
		if (*pattern == '*') {
			after_star = ++pattern;
			resume = name;
		} else if (*pattern && one_fits(pattern, *name, &next)) {
			pattern = next;
			name++;
		} else if (after_star) {
			pattern = after_star;
			name = ++resume;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

/* "[heap]", "[anon:*]": the kernel calls mappings so, and nobody wants one of four letters. */
static bool is_bracketed(const char *pattern)
{
	const char *end = *pattern == '[' ? strchr(pattern, ']') : NULL;
	return end && !end[1];
}

bool pattern_fits(const char *pattern, const char *name)
{
	if (!is_bracketed(pattern))
		return fits(pattern, name);
	return *name == '[' && fits(pattern + 1, name + 1);
}
