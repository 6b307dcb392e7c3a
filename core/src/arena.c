#include "arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 16 * 1024 };

struct arena_block {
	struct arena_block *next;
	size_t used, room;
	alignas(max_align_t) char bytes[];
};

void *arena_alloc(struct arena *arena, size_t len)
{
	size_t align = alignof(max_align_t);
	if (len > SIZE_MAX - sizeof(struct arena_block) - align)
		return NULL;
	len = (len + align - 1) / align * align;
	struct arena_block *block = arena->blocks;
	if (!block || block->room - block->used < len) {
		size_t room = len > BLOCK_BYTES ? len : BLOCK_BYTES;
		block = malloc(sizeof(*block) + room);
		if (!block)
			return NULL;
		*block = (struct arena_block){ .next = arena->blocks, .room = room };
		arena->blocks = block;
	}
	void *out = block->bytes + block->used;
	block->used += len;
	arena->total += len;
	return out;
}

char *arena_copy(struct arena *arena, const void *bytes, size_t len)
{
	char *copy = len < SIZE_MAX ? arena_alloc(arena, len + 1) : NULL;
	if (!copy)
		return NULL;
	if (len)
		memcpy(copy, bytes, len);
	copy[len] = '\0';
	return copy;
}

char *arena_string(struct arena *arena, const char *string)
{
	return arena_copy(arena, string, strlen(string));
}

void arena_free(struct arena *arena)
{
	while (arena->blocks) {
		struct arena_block *next = arena->blocks->next;
		free(arena->blocks);
		arena->blocks = next;
	}
	arena->total = 0;
}
