/* world.c - what is where in the arena, as the operations make it. */
#include <string.h>

#include "sequences.h"

bool slot_is_private(const struct slot *slot)
{
	return slot->memory == PRIVATE_ANON || slot->memory == PRIVATE_FILE;
}

bool slot_is_file(const struct slot *slot)
{
	return slot->memory == PRIVATE_FILE || slot->memory == SHARED_FILE;
}

bool slots_look_alike(const struct slot *a, const struct slot *b)
{
	if (a->memory != b->memory)
		return false;
	return a->memory == PRIVATE_ANON || (a->object == b->object && a->index == b->index);
}

int world_run(const struct world *world, int at)
{
	const struct slot *first = &world->slots[at];
	int count = 0;
	while (first->memory && at + count < ARENA) {
		const struct slot *slot = first + count;
		if (slot->map != first->map || slot->perms != first->perms || slot->index != first->index + count)
			break;
		count++;
	}
	return count;
}

bool world_is_free(const struct world *world, int at, int count)
{
	for (int i = at; i < at + count; i++)
		if (world->slots[i].memory)
			return false;
	return true;
}

void world_mark(struct world *world)
{
	for (int i = 0; i < ARENA; i++) {
		world->slots[i].origin = world->slots[i].memory ? (int16_t)i : NOWHERE;
		world->slots[i].touched = 0;
	}
}

static void clear(struct world *world, int at, int count)
{
	for (int i = at; i < at + count; i++)
		world->slots[i] = (struct slot){ .origin = NOWHERE };
}

static void map(struct world *world, const struct op *op)
{
	uint16_t number = ++world->maps, object = 0;
	if (op->memory == SHARED_ANON)
		object = (uint16_t)(FILES + number);
	else if (op->memory != PRIVATE_ANON)
		object = (uint16_t)(op->file + 1);
	for (int i = 0; i < op->count; i++)
		world->slots[op->at + i] = (struct slot){ .memory = op->memory,
			                                  .perms = op->perms,
			                                  .map = number,
			                                  .object = object,
			                                  .index = (uint16_t)(op->index + i),
			                                  .origin = NOWHERE };
}

static void move(struct world *world, const struct op *op)
{
	struct slot moved[ARENA];
	memcpy(moved, world->slots + op->at, (size_t)op->count * sizeof(moved[0]));
	for (int i = op->count; i < op->size; i++) {
		moved[i] = moved[0];
		moved[i].index = (uint16_t)(moved[0].index + i);
		moved[i].origin = NOWHERE;
		moved[i].touched = 0;
	}
	clear(world, op->at, op->count);
	memcpy(world->slots + op->to, moved, (size_t)op->size * sizeof(moved[0]));
}

static void touch(struct world *world, const struct op *op, uint8_t how)
{
	int step = op->step ? op->step : 1;
	for (int i = 0; i < op->count; i += step)
		world->slots[op->at + i].touched |= how;
}

static void protect(struct world *world, const struct op *op)
{
	for (int i = 0; i < op->count; i++)
		world->slots[op->at + i].perms = op->perms;
}

void world_do(struct world *world, const struct op *op)
{
	switch (op->kind) {
	case OP_MAP:
		map(world, op);
		break;
	case OP_UNMAP:
	case OP_CLEAR:
		clear(world, op->at, op->count);
		break;
	case OP_MOVE:
		move(world, op);
		break;
	case OP_PROTECT:
		protect(world, op);
		break;
	case OP_WRITE:
		touch(world, op, WROTE_IT);
		break;
	case OP_READ:
		touch(world, op, READ_IT);
		break;
	case OP_DROP:
		touch(world, op, DROPPED_IT);
		break;
	default:
		break;
	}
}

static const char *const memory_names[] = { "nothing", "private", "shared", "private file", "shared file" };
static const char *const perm_names[] = { "---", "r--", "-w-", "rw-" };

void op_print(FILE *out, const struct op *op)
{
	static const char *const names[] = { "mmap", "munmap", "mremap", "mprotect",         "write",
		                             "read", "drop",   "fork",   "end of the child", "clear" };
	fprintf(out, "%s: %s", op->side ? "child" : "parent", names[op->kind]);
	if (op->kind < OP_FORK)
		fprintf(out, " %d+%d", op->at, op->count);
	if (op->kind == OP_MAP)
		fprintf(out, " %s %s", memory_names[op->memory], perm_names[op->perms]);
	if (op->kind == OP_MAP && op->memory >= PRIVATE_FILE)
		fprintf(out, " %d page %d", op->file, op->index);
	if (op->kind == OP_MOVE)
		fprintf(out, " to %d+%d", op->to, op->size);
	if (op->kind == OP_PROTECT)
		fprintf(out, " %s", perm_names[op->perms]);
	if ((op->kind == OP_READ || op->kind == OP_WRITE) && (op->step > 1 || op->down))
		fprintf(out, " every %d%s", op->step, op->down ? " downwards" : "");
	fputc('\n', out);
}
