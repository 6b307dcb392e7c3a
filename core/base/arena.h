/* arena.h - memory for the strings of one object, released at once. */
#ifndef VMSNAP_ARENA_H
#define VMSNAP_ARENA_H

#include <stddef.h>

struct arena_block;
struct arena {
	struct arena_block *blocks;
	size_t total; /* bytes handed out */
};

/* Uninitialised memory aligned for any type; NULL if there is none. */
void *arena_alloc(struct arena *arena, size_t len);
/* A copy of len bytes with a NUL after them, aligned for bytes only. */
char *arena_copy(struct arena *arena, const void *bytes, size_t len);
char *arena_string(struct arena *arena, const char *string);
void arena_free(struct arena *arena);

#endif
