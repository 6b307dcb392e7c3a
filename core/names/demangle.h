/* demangle.h - what a symbol of C++ or Rust is called in its language.  Symbols come from files
 * that nobody vouches for. */
#ifndef VMSNAP_DEMANGLE_H
#define VMSNAP_DEMANGLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is longer is left as it is. */
enum { DEMANGLED_MAX = 8192 };

/* The C++ runtime's own demangler, loaded when the first name of C++ is met (elfutils.h says why
 * not before).  All zero: nothing loaded yet. */
struct demangler {
	void *runtime; /* never given back: the library asks to stay */
	char *(*cxa_demangle)(const char *symbol, char *buffer, size_t *room, int *status);
	bool tried;
	uint64_t spent; /* bytes that it wrote until now */
	char text[DEMANGLED_MAX];
};

/* NULL: it is no name of C++ or Rust, or not one that can be told.  Valid until the next call. */
const char *demangle(struct demangler *demangler, const char *symbol);

/* At the most so many bytes does the C++ name become (UINT64_MAX: more than can be counted).  What
 * was named before is named again by a number of one or two letters, and what that stands for
 * may hold such numbers too: a few hundred letters can stand for more than there is memory. */
uint64_t demangled_bound(const char *symbol);

#endif
