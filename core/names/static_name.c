#include "static_name.h"

#include <stdbool.h>
#include <string.h>

static const char anonymous[] = "(anonymous namespace)";

/* The bracket that one before `end` closes; NULL: none does. */
static char *opening(char *name, char *end)
{
	int depth = 0;
	for (char *at = end; at-- > name;) {
		depth += *at == ')' ? 1 : *at == '(' ? -1 : 0;
		if (!depth)
			return at;
	}
	return NULL;
}

/* The last "::" that is in no brackets of any kind.  What "operator<" has are none; what comes before is left alone
 * then. */
static char *last_scope(char *name)
{
	int depth = 0;
	for (char *at = name + strlen(name); at-- > name;) {
		depth += strchr(")>}", *at) ? 1 : strchr("(<{", *at) ? -1 : 0;
		if (depth < 0)
			return NULL;
		if (!depth && at > name && at[0] == ':' && at[-1] == ':')
			return at - 1;
	}
	return NULL;
}

static bool ends_with(const char *name, const char *end, const char *word)
{
	size_t len = strlen(word);
	return (size_t)(end - name) > len && !memcmp(end - len, word, len);
}

void static_name(char *name)
{
	static const char *const qualifiers[] = { " &&", " &", " volatile", " const" };
	char *scope = last_scope(name), *end = scope;
	for (int i = 0; scope && i < (int)(sizeof(qualifiers) / sizeof(*qualifiers)); i++)
		end -= ends_with(name, end, qualifiers[i]) ? strlen(qualifiers[i]) : 0;
	if (!scope || end == name || end[-1] != ')')
		return;
	char *start = opening(name, end);
	bool is_namespace = start && (size_t)(end - start) == sizeof(anonymous) - 1 &&
	                    !memcmp(start, anonymous, sizeof(anonymous) - 1);
	/* "operator()" is a name. */
	if (!start || start == name || is_namespace || ends_with(name, end, "operator()"))
		return;
	memmove(start, scope, strlen(scope) + 1);
}
