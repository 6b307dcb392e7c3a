#define _GNU_SOURCE
#include "dwarf_types.h"

#include <stdlib.h>
#include <string.h>

#include "build_id.h"
#include "dwarf_model.h"
#include "dwarf_split.h"
#include "dwarf_words.h"
#include "elf_debug.h"
#include "error.h"
#include "names_path.h"
#include "sorted.h"

#include <dwarf.h>

/* ---- which variables there are -------------------------------------------------------- */

enum { NESTED_MAX = 64 };

struct level {
	uint64_t offset; /* of a namespace's or a function's entry; 0: it gives no name */
	uint32_t context;
	bool made;
};
struct index_walk {
	struct dwarf_types *types;
	const struct elf_file *elf;
	const struct dwarf_unit *unit;
	struct level levels[NESTED_MAX];
	unsigned depth;
};

static void *more_room(struct dwarf_types *types, void *items, size_t count, size_t *capacity, size_t size)
{
	if (count < *capacity)
		return items;
	size_t more = *capacity ? *capacity * 2 : 64;
	if (more * size > types->room) {
		types->file.failed = VMSNAP_ERR_TOO_LARGE;
		return NULL;
	}
	void *larger = realloc(items, more * size);
	if (!larger) {
		types->file.failed = VMSNAP_ERR_NO_MEMORY;
		return NULL;
	}
	*capacity = more;
	return larger;
}

/* Made where something is in it: of most functions no name is ever asked for. */
static uint32_t context_of(struct index_walk *w)
{
	struct dwarf_types *types = w->types;
	struct dwarf_die die;
	uint32_t outer = 0;
	for (unsigned i = 0; i < w->depth; i++) {
		struct level *level = &w->levels[i];
		if (!level->offset)
			continue;
		if (!level->made) {
			struct dwarf_context *contexts = more_room(types, types->contexts, types->context_count,
			                                           &types->context_capacity, sizeof(*contexts));
			if (!contexts || !dwarf_die_read(w->unit, level->offset, &die))
				return 0;
			types->contexts = contexts;
			const char *name = dwarf_name_of(&die);
			contexts[types->context_count++] = (struct dwarf_context){
				.outer = outer,
				.name = name                          ? name
				        : die.tag == DW_TAG_namespace ? "(anonymous namespace)"
				                                      : "?",
			};
			level->context = (uint32_t)types->context_count;
			level->made = true;
		}
		outer = level->context;
	}
	return outer;
}

/* The linker leaves 0, or numbers near the highest, where it dropped a variable. */
static void add_variable(struct index_walk *w, const struct dwarf_die *die)
{
	struct dwarf_types *types = w->types;
	uint64_t address;
	if (!dwarf_address(die, &address) || !elf_file_load(w->elf, address))
		return;
	uint32_t context = context_of(w);
	struct dwarf_variable *items = more_room(types, types->items, types->count, &types->capacity, sizeof(*items));
	if (!items)
		return;
	types->items = items;
	items[types->count++] = (struct dwarf_variable){
		.address = address,
		.unit = die->unit,
		.offset = die->offset,
		.context = context,
	};
}

static bool holds_variables(unsigned tag)
{
	switch (tag) {
	case DW_TAG_compile_unit:
	case DW_TAG_partial_unit:
	case DW_TAG_namespace:
	case DW_TAG_module:
	case DW_TAG_subprogram:
	case DW_TAG_inlined_subroutine:
	case DW_TAG_lexical_block:
	case DW_TAG_common_block:
	case DW_TAG_try_block:
	case DW_TAG_catch_block:
		return true;
	default:
		return false;
	}
}

static bool gives_name(unsigned tag)
{
	return tag == DW_TAG_namespace || tag == DW_TAG_module || tag == DW_TAG_subprogram ||
	       tag == DW_TAG_inlined_subroutine;
}

static void index_unit(struct index_walk *w)
{
	struct dwarf_die die;
	uint64_t offset = w->unit->first;
	w->depth = 0;
	while (dwarf_die_read(w->unit, offset, &die)) {
		offset = die.after;
		if (!die.tag) {
			if (w->depth <= 1)
				return;
			w->depth--;
			continue;
		}
		if (die.tag == DW_TAG_variable)
			add_variable(w, &die);
		if (!die.children)
			continue;
		if (!holds_variables(die.tag) || w->depth == NESTED_MAX) {
			if (!dwarf_next(&die, &offset))
				return;
			continue;
		}
		w->levels[w->depth++] = (struct level){ .offset = gives_name(die.tag) ? die.offset : 0 };
	}
}

static int by_address(const void *a, const void *b)
{
	const struct dwarf_variable *x = a, *y = b;
	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return x->unit != y->unit ? (x->unit < y->unit ? -1 : 1) : x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* One that several units have (of C++, inline) is told once. */
static void settle(struct dwarf_types *types)
{
	size_t kept = 0;
	if (types->count)
		qsort(types->items, types->count, sizeof(*types->items), by_address);
	for (size_t i = 0; i < types->count; i++)
		if (!kept || types->items[kept - 1].address != types->items[i].address)
			types->items[kept++] = types->items[i];
	types->count = kept;
}

static void index_file(struct index_walk *walk, const struct dwarf_file *file)
{
	for (size_t i = 0; i < file->unit_count && !walk->types->file.failed; i++) {
		walk->unit = &file->units[i];
		if (!walk->unit->holds_types)
			index_unit(walk);
	}
}

static int make_index(struct dwarf_types *types, const struct elf_file *elf)
{
	struct index_walk walk = { .types = types, .elf = elf };
	index_file(&walk, &types->file);
	for (size_t i = 0; i < types->file.split_count; i++)
		index_file(&walk, types->file.splits[i]);
	settle(types);
	return types->file.failed;
}

/* ---- files ---------------------------------------------------------------------------- */

static int open_debug_file(const struct dwarf_source *source, const uint8_t *id, size_t id_len,
                           const struct dwarf_link *link, char **path)
{
	struct debug_query query = {
		.root = source->root,
		.path = source->path,
		.fd = source->fd,
		.build_id = id,
		.build_id_len = id_len,
		.link = link && *link->name ? link->name : NULL,
		.link_crc = link ? link->crc : 0,
		.work = source->work,
	};
	return debug_file_find(&query, path);
}

/* What several debug files have in common: by its build ID, or, for Debian keeps it elsewhere, by its
 * name, if that lies in the folder of debug files. */
static int open_alternate(const struct dwarf_source *source, int fd)
{
	static const char folder[] = "/usr/lib/debug/", inside[] = ".dwz/";
	struct dwarf_link link;
	uint8_t id[BUILD_ID_MAX];
	size_t len;
	char *path = NULL;
	if (!dwarf_link_read(fd, ".gnu_debugaltlink", &link))
		return -1;
	int found = open_debug_file(source, link.id, link.id_len, NULL, &path);
	free(path);
	const char *rest = found < 0 ? strstr(link.name, inside) : NULL;
	if (!rest || strstr(rest, ".."))
		return found;
	char joined[sizeof(folder) + DWARF_LINK_MAX];
	snprintf(joined, sizeof(joined), "%s%s", folder, rest);
	CLEANUP_CLOSE int named = names_open_regular(source->root, joined);
	if (named < 0 || build_id_of_sections(named, id, sizeof(id), &len) || len != link.id_len ||
	    memcmp(id, link.id, len) != 0)
		return -1;
	found = named;
	named = -1;
	return found;
}

static int load_alternate(const struct dwarf_source *source, int fd, struct dwarf_file *file)
{
	struct dwarf_sections sections;
	const char *reason;
	CLEANUP_CLOSE int alternate = open_alternate(source, fd);
	if (alternate < 0)
		return VMSNAP_OK;
	uint64_t room = source->room - file->sections.total;
	int rc = dwarf_sections_read(alternate, room, source->work, &sections, &reason);
	if (rc) /* then types of it are not known */
		return rc == VMSNAP_ERR_NO_MEMORY || rc == VMSNAP_ERR_CANCELLED ? rc : VMSNAP_OK;
	struct dwarf_file *other = calloc(1, sizeof(*other));
	if (!other) {
		dwarf_sections_free(&sections);
		return VMSNAP_ERR_NO_MEMORY;
	}
	rc = dwarf_file_open(&sections, source->work, other);
	if (rc)
		free(other);
	else
		file->alternate = other;
	return rc == VMSNAP_ERR_NO_MEMORY || rc == VMSNAP_ERR_CANCELLED ? rc : VMSNAP_OK;
}

/* The sections of the file itself, or of its debug file, whose descriptor is in *fd then. */
typedef int (*sections_fn)(int fd, uint64_t room, struct work *work, struct dwarf_sections *out, const char **reason);
static int find_sections(const struct dwarf_source *source, sections_fn read, struct dwarf_sections *out, int *fd,
                         const char **reason)
{
	int rc = read(source->fd, source->room, source->work, out, reason);
	if (rc != VMSNAP_ERR_NOT_FOUND)
		return rc;
	uint8_t id[BUILD_ID_MAX];
	size_t id_len = 0;
	struct dwarf_link link;
	char *path = NULL;
	if (build_id_of_file(source->fd, id, sizeof(id), &id_len))
		id_len = 0;
	dwarf_link_read(source->fd, ".gnu_debuglink", &link);
	*fd = open_debug_file(source, id, id_len, &link, &path);
	free(path);
	return *fd < 0 ? VMSNAP_ERR_NOT_FOUND : read(*fd, source->room, source->work, out, reason);
}

static const char *why(int rc, const char *reason)
{
	if (rc == VMSNAP_ERR_TOO_LARGE && !reason)
		return "its debug information would take too much memory or time";
	return rc == VMSNAP_ERR_TOO_LARGE || rc == VMSNAP_ERR_CORRUPT ? reason : NULL;
}

int dwarf_source_lines(const struct dwarf_source *source, struct dwarf_sections *out, const char **reason)
{
	CLEANUP_CLOSE int debug = -1;
	const char *told = NULL;
	int rc = find_sections(source, dwarf_sections_read_lines, out, &debug, &told);
	*reason = why(rc, told);
	return rc;
}

int dwarf_types_read(const struct dwarf_source *source, struct dwarf_types **out, const char **reason)
{
	struct dwarf_sections sections;
	CLEANUP_CLOSE int debug = -1;
	const char *told = NULL, *missing = NULL; /* the latter is types' own, and gone with it */
	struct dwarf_types *types = NULL;
	int rc = find_sections(source, dwarf_sections_read, &sections, &debug, &told);
	if (!rc) {
		types = calloc(1, sizeof(*types));
		if (!types) {
			dwarf_sections_free(&sections);
			rc = VMSNAP_ERR_NO_MEMORY;
		}
	}
	rc = rc ? rc : dwarf_file_open(&sections, source->work, &types->file);
	rc = rc ? rc : load_alternate(source, debug >= 0 ? debug : source->fd, &types->file);
	rc = rc ? rc : dwarf_split_load(source, &types->file, &missing);
	if (!rc) {
		uint64_t taken = dwarf_file_bytes(&types->file);
		types->room = source->room > taken ? source->room - taken : 0;
		rc = make_index(types, source->elf);
	}
	*reason = rc ? why(rc, told) : missing;
	if (rc) {
		dwarf_types_free(types);
		return rc;
	}
	*out = types;
	return VMSNAP_OK;
}

void dwarf_types_free(struct dwarf_types *types)
{
	if (!types)
		return;
	dwarf_file_close(&types->file);
	free(types->items);
	free(types->contexts);
	free(types->slots);
	arena_free(&types->memory);
	free(types);
}

uint64_t dwarf_types_bytes(const struct dwarf_types *types)
{
	return types ? dwarf_file_bytes(&types->file) + types->memory.total + types->capacity * sizeof(*types->items) +
	                       types->context_capacity * sizeof(*types->contexts) +
	                       types->slot_count * sizeof(*types->slots)
	             : 0;
}

/* ---- one variable --------------------------------------------------------------------- */

static bool learn(struct dwarf_types *types, struct dwarf_variable *variable)
{
	struct dwarf_die die, other;
	struct dwarf_words words = { .len = 0 };
	if (!dwarf_die_read(variable->unit, variable->offset, &die))
		return false;
	const char *name = dwarf_name_of(&die);
	/* One that is declared in a class: it lies outside of it, and has no other context. */
	bool elsewhere = dwarf_has(&die, DWARF_AT_SPECIFICATION);
	if (!elsewhere)
		dwarf_words_context(&words, types->contexts, variable->context);
	dwarf_words_add(&words, name ? name : "?");
	variable->name = arena_copy(&types->memory, words.text, words.len);
	variable->linkage = dwarf_linkage_of(&die);
	variable->unscoped = elsewhere;
	other = die;
	for (int i = 0; i < 4 && !dwarf_has(&other, DWARF_AT_TYPE); i++)
		if (!dwarf_die_of(&other, DWARF_AT_SPECIFICATION, &other) &&
		    !dwarf_die_of(&other, DWARF_AT_ABSTRACT_ORIGIN, &other))
			break;
	/* An array whose size only the definition tells has a type of its own there. */
	variable->type = dwarf_type_of(types, &other, 0);
	variable->known = variable->name && variable->type && !types->file.failed;
	return variable->known;
}

const struct dwarf_variable *dwarf_types_at(struct dwarf_types *types, uint64_t address)
{
	size_t above = SORTED_ABOVE(struct dwarf_variable, address, types->items, types->count, address);
	struct dwarf_variable *variable = above ? &types->items[above - 1] : NULL;
	return variable && (variable->known || learn(types, variable)) ? variable : NULL;
}
