#define _GNU_SOURCE
#include "demangle.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "demangle_rust.h"
#include "library.h"

/* SYMBOL_MAX: the runtime itself takes no longer ones.  BOUND_MAX: what one name may become, for
 * us to ask; SPENT_MAX: what all may. */
#define SYMBOL_MAX 1024
#define BOUND_MAX  (UINT64_C(16) << 20)
#define SPENT_MAX  (UINT64_C(256) << 20)

/* ---- how long it may become --------------------------------------------------------- */

/* "S_" is 0, "S0_" 1, "SA_" 11: base 36.  -1: no number stands here ("St", "Sa"). */
static int take_sequence(const char **at)
{
	const char *c = *at;
	int value = 0;
	bool any = false;
	for (; (*c >= '0' && *c <= '9') || (*c >= 'A' && *c <= 'Z'); c++, any = true) {
		value = value * 36 + (*c <= '9' ? *c - '0' : *c - 'A' + 10);
		if (value >= SYMBOL_MAX - 1)
			return -1;
	}
	if (*c != '_')
		return -1;
	*at = c + 1;
	return any ? value + 1 : 0;
}

/* What is written once: an identifier as it is, a letter of its own at most like this. */
static uint64_t literal_size(const char *at)
{
	static const char longest[] = "std::basic_iostream<char, std::char_traits<char> >";
	static const char letter[] = "unsigned long long, ";
	if (at[0] == 'S' && strchr("sabiod", at[1]) && at[1])
		return 2 * sizeof(longest); /* a constructor's name is told twice */
	return sizeof(letter);
}

/* Whatever looks like a number counts, also where it is part of an identifier: so that none is
 * missed.  The n-th number stands for something that was complete before it was first used, or
 * one above it was: it is no longer than all that was told before. */
uint64_t demangled_bound(const char *symbol)
{
	uint64_t sizes[SYMBOL_MAX] = { 0 }, so_far = 0, parameter = 0;
	int known = 0; /* so many numbers have a size */
	for (const char *at = symbol; *at && so_far < UINT64_MAX / 4;) {
		const char *next = at + 1;
		int number = *at == 'S' || *at == 'T' ? take_sequence(&next) : -1;
		if (number < 0) {
			so_far += literal_size(at);
			/* Another list of template arguments may be meant from here on. */
			if (*at == 'I')
				parameter = 0;
		} else if (*at == 'T') {
			parameter = parameter ? parameter : so_far;
			so_far += parameter;
		} else {
			for (; known <= number; known++)
				sizes[known] = so_far;
			so_far += sizes[number];
		}
		at = next;
	}
	return so_far < UINT64_MAX / 4 ? so_far : UINT64_MAX;
}

/* ---- the names ---------------------------------------------------------------------- */

static bool load(struct demangler *d)
{
	if (!d->tried) {
		d->tried = true;
		d->runtime = dlopen("libstdc++.so.6", RTLD_NOW | RTLD_LOCAL);
		library_find(d->runtime, "__cxa_demangle", (void *)&d->cxa_demangle);
	}
	return d->cxa_demangle;
}

/* A conversion operator may be told by what is written behind it: then nothing is known
 * of its length. */
static bool may_become_long(const char *symbol)
{
	enum { SHORT = 128 };
	return strlen(symbol) > SHORT && (strstr(symbol, "cv") || demangled_bound(symbol) > BOUND_MAX);
}

static const char *demangle_cxx(struct demangler *d, const char *symbol)
{
	int status = 0;
	if (strnlen(symbol, SYMBOL_MAX) == SYMBOL_MAX || d->spent > SPENT_MAX || may_become_long(symbol) || !load(d))
		return NULL;
	/* Ours, so that it is ours to free; a larger one takes its place where it does not fit. */
	size_t room = 256;
	char *given = malloc(room);
	char *text = given ? d->cxa_demangle(symbol, given, &room, &status) : NULL;
	if (!text) {
		free(given);
		return NULL;
	}
	size_t len = strlen(text);
	d->spent += len;
	bool fits = !status && len < sizeof(d->text);
	if (fits)
		memcpy(d->text, text, len + 1);
	free(text);
	return fits ? d->text : NULL;
}

const char *demangle(struct demangler *d, const char *symbol)
{
	if (symbol[0] != '_')
		return NULL;
	if (demangle_rust(symbol, d->text, sizeof(d->text)))
		return d->text;
	return symbol[1] == 'Z' ? demangle_cxx(d, symbol) : NULL;
}
