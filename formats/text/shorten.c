#include "shorten.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* "vector<int, std::less<int>>" is told, "vector<int, std::allocator<int> >" is not. */
enum { ARGUMENTS_MAX = 24 };

static bool in_identifier(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
	       (unsigned char)c >= 0x80;
}

/* How long the sign of an operator is that comes next: "operator<<", "operator->", and the arrow
 * of a type; 0 if none does.  [name, end) is what was written until now. */
static size_t sign_len(const char *name, const char *end, const char *next)
{
	static const char word[] = "operator";
	static const char *const signs[] = { "<=>", "<<=", ">>=", "->*", "<<", ">>", "<=", ">=", "->", "<", ">" };
	ptrdiff_t len = sizeof(word) - 1;
	bool after_word = end - name >= len && memcmp(end - len, word, (size_t)len) == 0 &&
	                  (end - name == len || !in_identifier(end[-len - 1]));
	if (!after_word)
		return next[0] == '-' && next[1] == '>' ? 2 : 0;
	for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++)
		if (strncmp(next, signs[i], strlen(signs[i])) == 0)
			return strlen(signs[i]);
	return 0;
}

/* Of brackets that are open, where each stands; deeper ones are only counted. */
enum { DEPTH_MAX = 64 };
struct brackets {
	char *open[DEPTH_MAX]; /* NULL: no list of arguments */
	size_t depth;
};

static void open_bracket(struct brackets *brackets, char *at, bool list)
{
	if (brackets->depth < DEPTH_MAX)
		brackets->open[brackets->depth] = list ? at : NULL;
	brackets->depth++;
}

/* Where the name goes on behind what the bracket at `at` closes. */
static char *close_bracket(struct brackets *brackets, char *at)
{
	char *open = NULL;
	if (brackets->depth && --brackets->depth < DEPTH_MAX)
		open = brackets->open[brackets->depth];
	if (!open || at - open - 1 <= ARGUMENTS_MAX)
		return at;
	memcpy(open + 1, "...", 3);
	return open + 4;
}

void shorten_templates(char *name)
{
	struct brackets brackets = { .depth = 0 };
	char *to = name;
	for (const char *from = name; *from;) {
		size_t sign = sign_len(name, to, from);
		if (!sign && *from == '<')
			open_bracket(&brackets, to, to > name && (in_identifier(to[-1]) || to[-1] == ':'));
		else if (!sign && *from == '>')
			to = close_bracket(&brackets, to);
		for (size_t i = 0; i < (sign ? sign : 1); i++)
			*to++ = *from++;
	}
	*to = '\0';
}
