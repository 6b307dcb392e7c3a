/* fuzz_frames.c - a program in memory, its unwind tables and some words of a stack: who called, as far as they say. The
 * input lies in this process at a place that the seeds know, and is read from there like any other process's. */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "call_frames.h"
#include "call_rule.h"
#include "fuzz.h"

#if defined(__x86_64__)

/* As frames_seeds.py has them. */
#define BASE UINT64_C(0x500000000000)
enum { START = 0x7e0, STACK = 0x800, STACK_MOST = 0x800, ROOM = 1 << 20, TRIES = 64 };

static uint8_t *place;

static void begin(void)
{
	if (!place)
		place = mmap((void *)BASE, ROOM, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	FUZZ_CHECK(place == (uint8_t *)BASE);
}

/* Nothing can be read behind the last page of it. */
static void lay_out(const uint8_t *data, size_t size)
{
	FUZZ_CHECK(mmap(place, ROOM, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == place);
	FUZZ_CHECK(!size || !mprotect(place, size, PROT_READ | PROT_WRITE));
	memcpy(place, data, size);
}

static uint64_t word(const uint8_t *data, size_t size, size_t at)
{
	uint64_t value = 0;
	if (size >= at + sizeof(value))
		memcpy(&value, data + at, sizeof(value));
	return value;
}

/* What holds for one instruction depends on nothing else, and what is not known is not half told. */
static void check_rule(const struct call_object *object, uint64_t at)
{
	struct call_rule first = { .at = at }, again = { .at = at };
	bool found = call_rule_find(object, at, &first);
	FUZZ_CHECK(call_rule_find(object, at, &again) == found && !memcmp(&first, &again, sizeof(first)));
	FUZZ_CHECK(first.at == at && !first.pid && !first.known && !first.called && !first.c_library);
	FUZZ_CHECK(found ||
	           (!first.from_bp && !first.bp_saved && !first.bp_lost && !first.frame && !first.ra && !first.bp));
	FUZZ_CHECK(!first.bp_saved || !first.bp_lost);
}

/* A caller is told only where a call ends, and what words are not there is not told from. */
static void check_callers(const struct call_object *object, const uint8_t *data, size_t size)
{
	uint64_t words[STACK_MOST / sizeof(uint64_t)], out[CALL_FRAMES_MAX];
	size_t bytes = size < STACK ? 0 : size - STACK, outside;
	bytes = bytes < STACK_MOST ? bytes : STACK_MOST;
	memcpy(words, data + (bytes ? STACK : 0), bytes);
	struct call_frames frames = { .objects = calloc(CALL_OBJECTS, sizeof(*frames.objects)) };
	FUZZ_CHECK(frames.objects);
	frames.objects[frames.next++] = *object;
	const struct call_state state = {
		.pid = object->pid,
		.at = word(data, size, START),
		.sp = word(data, size, START + 8),
		.bp = word(data, size, START + 16),
		.words = words,
		.count = bytes / sizeof(*words),
	};
	size_t count = call_frames_find(&frames, &state, out, &outside);
	FUZZ_CHECK(count <= CALL_FRAMES_MAX && outside <= count && count <= state.count);
	for (size_t i = 0; i < count; i++) {
		bool among = false;
		for (size_t k = 0; k < state.count; k++)
			among |= words[k] == out[i] + 1;
		FUZZ_CHECK(among);
	}
	call_frames_free(&frames);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > ROOM)
		return 0;
	begin();
	lay_out(data, size);
	struct call_object object = {
		.pid = (uint32_t)getpid(), .code_start = BASE, .code_end = BASE + ROOM, .base = BASE
	};
	object.c_library = fuzz_hash(data, size) & 1;
	call_table_find(&object);
	FUZZ_CHECK(!object.count || object.table);
	for (uint64_t at = 0; object.count && at < TRIES; at++)
		check_rule(&object, BASE + 0x100 + at);
	check_callers(&object, data, size);
	return 0;
}

#else

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	(void)data;
	(void)size;
	return 0;
}

#endif
