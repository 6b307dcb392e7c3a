#define _GNU_SOURCE
#include "call_frames.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "call_rule.h"
#include "error.h"
#include "object_file.h"
#include "process_bytes.h"

/* ---- which program ---------------------------------------------------------------------- */

struct map_line {
	struct object_range range;
	uint64_t inode;
	unsigned major, minor;
	bool code, c_library;
};

/* glibc's and musl's; that of a program that is linked with it is the program's own. */
static bool is_c_library(const char *path)
{
	static const char *const names[] = { "libc.so", "libc-2.", "libpthread.so", "libpthread-2.", "ld-musl-" };
	const char *name = strrchr(path, '/');
	for (size_t i = 0; name && i < sizeof(names) / sizeof(names[0]); i++)
		if (!strncmp(name + 1, names[i], strlen(names[i])))
			return true;
	return false;
}

static bool take_line(const char *text, struct map_line *line)
{
	char perms[5];
	bool whole =
	        sscanf(text, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64, &line->range.start,
	               &line->range.end, perms, &line->range.offset, &line->major, &line->minor, &line->inode) == 7;
	line->code = whole && perms[2] == 'x';
	line->c_library = whole && is_c_library(text);
	return whole;
}

static bool same_file(const struct map_line *a, const struct map_line *b)
{
	return a->inode && a->inode == b->inode && a->major == b->major && a->minor == b->minor;
}

/* Of the mapping in which `at` lies, and before.  False: it lies in none, or not in code. */
static bool find_mapping(FILE *maps, char **text, size_t *room, uint64_t at, struct map_line *first,
                         struct map_line *line)
{
	*first = (struct map_line){ .inode = 0 };
	while (getline(text, room, maps) > 0 && take_line(*text, line)) {
		if (!line->range.offset)
			*first = *line;
		if (at < line->range.end)
			return at >= line->range.start && line->code;
	}
	return false;
}

static struct object_file *open_file(uint32_t pid, const struct map_line *line, char *text)
{
	char *name = strchr(text, '/');
	if (!line->inode || !name)
		return NULL;
	name[strcspn(name, "\n")] = '\0';
	return object_file_open(pid, &line->range, name, line->inode);
}

static void add_ranges(FILE *maps, char **text, size_t *room, const struct map_line *of, struct object_file *file)
{
	struct map_line line;
	rewind(maps);
	while (file && getline(text, room, maps) > 0 && take_line(*text, &line))
		if (same_file(of, &line))
			object_file_add(file, &line.range);
}

/* The first mapping of its file below, that of the file's begin, has the headers. */
static bool find_object(uint32_t pid, uint64_t at, struct call_object *object)
{
	char path[32];
	snprintf(path, sizeof(path), "/proc/%u/maps", (unsigned)pid);
	CLEANUP_FCLOSE FILE *maps = fopen(path, "re");
	CLEANUP_FREE char *text = NULL;
	size_t room = 0;
	struct map_line first, line;
	if (!maps || !find_mapping(maps, &text, &room, at, &first, &line))
		return false;
	*object = (struct call_object){
		.pid = pid,
		.code_start = line.range.start,
		.code_end = line.range.end,
		.base = same_file(&first, &line) ? first.range.start : line.range.start,
		.c_library = line.c_library,
		.file = open_file(pid, &line, text),
	};
	add_ranges(maps, &text, &room, &line, object->file);
	return true;
}

static const struct call_object *object_of(struct call_frames *frames, uint32_t pid, uint64_t at)
{
	if (!frames->objects)
		frames->objects = calloc(CALL_OBJECTS, sizeof(*frames->objects));
	for (size_t i = 0; frames->objects && i < CALL_OBJECTS; i++) {
		const struct call_object *object = &frames->objects[i];
		if (object->pid == pid && at >= object->code_start && at < object->code_end)
			return object;
	}
	struct call_object found;
	if (!frames->objects || !find_object(pid, at, &found))
		return NULL;
	call_table_find(&found);
	struct call_object *kept = &frames->objects[frames->next++ % CALL_OBJECTS];
	object_file_close(kept->file);
	*kept = found;
	return kept;
}

/* ---- what holds there ------------------------------------------------------------------- */

/* `call rel32`, and `call r/m64` with an operand of each length. */
static bool is_call_before(const struct call_object *object, uint64_t behind)
{
	enum { LONGEST = 7 };
	uint8_t bytes[LONGEST];
	/* A child has none of its parent's pages of files until it goes there. */
	if (behind < LONGEST || (!process_bytes(object->pid, behind - LONGEST, bytes, LONGEST) &&
	                         !object_file_bytes(object->file, behind - LONGEST, bytes, LONGEST)))
		return false;
	if (bytes[LONGEST - 5] == 0xe8)
		return true;
	for (size_t length = 2; length <= LONGEST; length++) {
		const uint8_t *at = bytes + LONGEST - length;
		if (at[0] == 0xff && (at[1] >> 3 & 7) == 2)
			return true;
	}
	return false;
}

static const struct call_rule *rule_at(struct call_frames *frames, uint32_t pid, uint64_t at)
{
	if (!frames->rules)
		frames->rules = calloc(CALL_SLOTS, sizeof(*frames->rules));
	if (!frames->rules)
		return NULL;
	struct call_rule *rule =
	        &frames->rules[((at ^ (uint64_t)pid << 32) * 0x9e3779b97f4a7c15) >> 50 & (CALL_SLOTS - 1)];
	if (rule->pid == pid && rule->at == at)
		return rule;
	*rule = (struct call_rule){ .pid = pid, .at = at };
	const struct call_object *object = object_of(frames, pid, at);
	if (object) {
		rule->c_library = object->c_library;
		rule->known = object->count && call_rule_find(object, at, rule);
		rule->called = is_call_before(object, at + 1);
	}
	return rule;
}

/* ---- from one to the next --------------------------------------------------------------- */

struct unwinding {
	const struct call_state *state;
	uint64_t sp, bp;
	bool bp_known;
};

static bool word_at(const struct unwinding *unwinding, uint64_t address, uint64_t *out)
{
	uint64_t behind = address - unwinding->state->sp;
	if (address < unwinding->state->sp || behind % 8 || behind / 8 >= unwinding->state->count)
		return false;
	*out = unwinding->state->words[behind / 8];
	return true;
}

/* The stack grows down: a caller's frame is above. */
static bool step(struct unwinding *unwinding, const struct call_rule *rule, uint64_t *return_address)
{
	if (!rule->known || (rule->from_bp && !unwinding->bp_known))
		return false;
	uint64_t frame = (rule->from_bp ? unwinding->bp : unwinding->sp) + (uint64_t)rule->frame;
	if (frame <= unwinding->sp || !word_at(unwinding, frame + (uint64_t)rule->ra, return_address))
		return false;
	if (rule->bp_lost)
		unwinding->bp_known = false;
	else if (rule->bp_saved)
		unwinding->bp_known = word_at(unwinding, frame + (uint64_t)rule->bp, &unwinding->bp);
	unwinding->sp = frame;
	return true;
}

size_t call_frames_find(struct call_frames *frames, const struct call_state *state, uint64_t out[CALL_FRAMES_MAX],
                        size_t *outside)
{
	struct unwinding unwinding = { .state = state, .sp = state->sp, .bp = state->bp, .bp_known = true };
	const struct call_rule *rule = rule_at(frames, state->pid, state->at);
	size_t count = 0, inside = 0;
	bool library = rule && rule->c_library;
	uint64_t return_address;
	while (rule && count < CALL_FRAMES_MAX && step(&unwinding, rule, &return_address)) {
		rule = return_address ? rule_at(frames, state->pid, return_address - 1) : NULL;
		if (!rule || !rule->called)
			break;
		out[count++] = return_address - 1;
		inside += inside + 1 == count && rule->c_library;
	}
	*outside = library ? inside : count;
	return count;
}

void call_frames_forget(struct call_frames *frames, const struct pid_list *pids)
{
	for (size_t i = 0; frames->objects && i < CALL_OBJECTS; i++)
		if (frames->objects[i].pid && pid_list_has(pids, frames->objects[i].pid)) {
			object_file_close(frames->objects[i].file);
			frames->objects[i] = (struct call_object){ .pid = 0 };
		}
	for (size_t i = 0; frames->rules && i < CALL_SLOTS; i++)
		if (frames->rules[i].pid && pid_list_has(pids, frames->rules[i].pid))
			frames->rules[i] = (struct call_rule){ .pid = 0 };
}

void call_frames_free(struct call_frames *frames)
{
	for (size_t i = 0; frames->objects && i < CALL_OBJECTS; i++)
		object_file_close(frames->objects[i].file);
	free(frames->objects);
	free(frames->rules);
	*frames = (struct call_frames){ .next = 0 };
}
