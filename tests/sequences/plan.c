/* plan.c - which operation comes next: random, but all that it does is allowed. */
#include "sequences.h"

uint64_t random_below(uint64_t *state, uint64_t end)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (z ^ (z >> 31)) % end;
}

static int below(uint64_t *random, int end)
{
	return (int)random_below(random, (uint64_t)end);
}

bool chance(uint64_t *state, unsigned percent)
{
	return random_below(state, 100) < percent;
}

static int16_t some_size(uint64_t *random)
{
	return (int16_t)(chance(random, 25) ? 1 + below(random, 8) : 8 + below(random, 33));
}

/* A free place for `count` pages, or NOWHERE. */
static int16_t free_place(uint64_t *random, const struct world *world, int count)
{
	for (int tries = 0; tries < 30; tries++) {
		int at = below(random, ARENA - count + 1);
		if (world_is_free(world, at, count))
			return (int16_t)at;
	}
	return NOWHERE;
}

/* Pages of one mapping: all of it that is neighbouring, or some. */
static bool some_mapped(uint64_t *random, const struct world *world, uint8_t needs, struct op *op)
{
	for (int tries = 0; tries < 30; tries++) {
		int at = below(random, ARENA);
		const struct slot *slot = &world->slots[at];
		if (!slot->memory || (slot->perms & needs) != needs)
			continue;
		while (at > 0 && world_run(world, at - 1) > 1)
			at--;
		int count = world_run(world, at);
		if (count > 1 && chance(random, 55)) {
			int first = below(random, count), size = 1 + below(random, count - first);
			at += first;
			count = size;
		}
		op->at = (int16_t)at;
		op->count = (int16_t)count;
		return true;
	}
	return false;
}

static void some_memory(uint64_t *random, struct op *op)
{
	static const uint8_t kinds[] = { PRIVATE_ANON, PRIVATE_ANON, PRIVATE_ANON, PRIVATE_ANON,
		                         PRIVATE_FILE, PRIVATE_FILE, SHARED_FILE,  SHARED_ANON };
	op->kind = OP_MAP;
	op->memory = kinds[random_below(random, sizeof(kinds))];
	op->perms = chance(random, 85) ? MAY_READ | MAY_WRITE : MAY_READ;
	if (op->memory == PRIVATE_FILE || op->memory == SHARED_FILE) {
		op->file = (uint8_t)below(random, FILES);
		op->index = (int16_t)below(random, FILE_PAGES - op->count + 1);
	}
}

static struct op write_all(const struct op *map)
{
	return (struct op){ .kind = OP_WRITE, .at = map->at, .count = map->count, .step = 1 };
}

static int plan_map(uint64_t *random, const struct world *world, struct op *out)
{
	*out = (struct op){ .count = some_size(random) };
	out->at = free_place(random, world, out->count);
	if (out->at == NOWHERE)
		return 0;
	some_memory(random, out);
	if (!(out->perms & MAY_WRITE) || chance(random, 30))
		return 1;
	out[1] = write_all(out);
	return 2;
}

/* Over whatever is there: MAP_FIXED. */
static int plan_map_over(uint64_t *random, const struct world *world, struct op *out)
{
	*out = (struct op){ .kind = OP_MAP };
	if (!some_mapped(random, world, 0, out))
		return 0;
	some_memory(random, out);
	if (!(out->perms & MAY_WRITE) || chance(random, 25))
		return 1;
	out[1] = write_all(out);
	return 2;
}

static int plan_unmap(uint64_t *random, const struct world *world, struct op *out)
{
	*out = (struct op){ .kind = OP_UNMAP };
	return some_mapped(random, world, 0, out);
}

static bool overlap(const struct op *op, int to)
{
	return to < op->at + op->count && op->at < to + op->size;
}

static int plan_move(uint64_t *random, const struct world *world, struct op *out)
{
	*out = (struct op){ .kind = OP_MOVE };
	if (!some_mapped(random, world, 0, out))
		return 0;
	out->size = out->count;
	if (world->slots[out->at].memory == PRIVATE_ANON && chance(random, 10) && out->size + 8 < ARENA / 2)
		out->size = (int16_t)(out->size + 1 + below(random, 8));
	int to = free_place(random, world, out->size);
	if (to == NOWHERE || chance(random, 25))
		to = below(random, ARENA - out->size + 1);
	if (overlap(out, to))
		return 0;
	out->to = (int16_t)to;
	return 1;
}

static int plan_protect(uint64_t *random, const struct world *world, struct op *out)
{
	static const uint8_t perms[] = { MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE, MAY_READ, MAY_READ, 0 };
	*out = (struct op){ .kind = OP_PROTECT };
	if (!some_mapped(random, world, 0, out))
		return 0;
	out->perms = perms[random_below(random, sizeof(perms))];
	return 1;
}

static int plan_touch(uint64_t *random, const struct world *world, struct op *out, uint8_t kind)
{
	*out = (struct op){ .kind = kind };
	if (!some_mapped(random, world, kind == OP_WRITE ? MAY_READ | MAY_WRITE : MAY_READ, out))
		return 0;
	out->step = (int16_t)(chance(random, 60) ? 1 : 1 + below(random, 4));
	out->down = chance(random, 20);
	return 1;
}

static int plan_drop(uint64_t *random, const struct world *world, struct op *out)
{
	*out = (struct op){ .kind = OP_DROP };
	return some_mapped(random, world, 0, out);
}

/* Unmapped, and as much mapped elsewhere: the kernel gives out the frames again that were
 * set free last, the more so if they are asked for in reverse. */
static int plan_fake_move(uint64_t *random, const struct world *world, struct op *out)
{
	out[0] = (struct op){ .kind = OP_UNMAP };
	if (!some_mapped(random, world, 0, &out[0]))
		return 0;
	int16_t to = free_place(random, world, out[0].count);
	if (to == NOWHERE)
		return 0;
	out[1] = (struct op){
		.kind = OP_MAP, .memory = PRIVATE_ANON, .perms = MAY_READ | MAY_WRITE, .at = to, .count = out[0].count
	};
	out[2] = write_all(&out[1]);
	out[2].down = chance(random, 50);
	return 3;
}

int plan_first(uint64_t *random, const struct world *world, struct op *out)
{
	int count = plan_map(random, world, out);
	if (count != 2)
		return count;
	/* Not every page is there. */
	out[1].step = (int16_t)(chance(random, 85) ? 1 : 2);
	return count;
}

int plan_next(uint64_t *random, const struct world *world, struct op *out)
{
	uint64_t choice = random_below(random, 100);
	if (choice < 28)
		return plan_touch(random, world, out, OP_WRITE);
	if (choice < 34)
		return plan_touch(random, world, out, OP_READ);
	if (choice < 56)
		return plan_move(random, world, out);
	if (choice < 64)
		return plan_unmap(random, world, out);
	if (choice < 71)
		return plan_map(random, world, out);
	if (choice < 82)
		return plan_map_over(random, world, out);
	if (choice < 91)
		return plan_protect(random, world, out);
	if (choice < 94)
		return plan_drop(random, world, out);
	return plan_fake_move(random, world, out);
}
