#include "arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A block is as large as all before it together, within these: a small process takes
 * little, and many snapshots of it may be kept. */
enum { BLOCK_LEAST = 2 * 1024, BLOCK_MOST = 64 * 1024 };

struct arena_block {
	struct arena_block *next;
	size_t used, room;
	alignas(max_align_t) char bytes[];
};

static void *alloc_aligned(struct arena *arena, size_t len, size_t align)
{
	if (len > SIZE_MAX / 2)
		return NULL;
	struct arena_block *block = arena->blocks;
	size_t start = block ? (block->used + align - 1) / align * align : 0;
	if (!block || start > block->room || block->room - start < len) {
		size_t room = arena->total < BLOCK_LEAST ? BLOCK_LEAST : arena->total;
		room = room > BLOCK_MOST ? BLOCK_MOST : room;
		room = room < len ? len : room;
		block = malloc(sizeof(*block) + room);
		if (!block)
			return NULL;
		*block = (struct arena_block){ .next = arena->blocks, .room = room };
		arena->blocks = block;
		start = 0;
	}
	arena->total += start - block->used + len;
	block->used = start + len;
	return block->bytes + start;
}

void *arena_alloc(struct arena *arena, size_t len)
{
	return alloc_aligned(arena, len, alignof(max_align_t));
}

char *arena_copy(struct arena *arena, const void *bytes, size_t len)
{
	char *copy = len < SIZE_MAX ? alloc_aligned(arena, len + 1, 1) : NULL;
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
