#define _GNU_SOURCE
#include "dwarf_split.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "dwarf_dies.h"
#include "error.h"
#include "names_path.h"

struct skeleton {
	const struct dwarf_unit *unit;
	const char *folder, *name; /* of the .dwo file; folder "": not told */
	uint64_t id;
};

/* Up to DWARF 4 the first entry has it, and not the header. */
static uint64_t id_of(const struct dwarf_unit *unit, const struct dwarf_die *die)
{
	return dwarf_has(die, DWARF_AT_DWO_ID) ? die->at[DWARF_AT_DWO_ID].number : unit->dwo_id;
}

/* Compilers call it .dwo, or leave it in the object file (clang's -gsplit-dwarf=single); a crafted file is not to name
 * any other.  What no file can be called is not gone through to its end, for each unit again. */
static bool is_split_name(const char *name)
{
	size_t len = strnlen(name, PATH_MAX);
	const char *dot = len < PATH_MAX ? strrchr(name, '.') : NULL;
	return dot && (strcmp(dot, ".dwo") == 0 || strcmp(dot, ".o") == 0);
}

static bool skeleton_of(const struct dwarf_unit *unit, struct skeleton *out)
{
	struct dwarf_die die;
	if (unit->holds_types || !dwarf_die_read(unit, unit->first, &die))
		return false;
	const char *folder = dwarf_text(&die, DWARF_AT_COMP_DIR), *name = dwarf_text(&die, DWARF_AT_DWO_NAME);
	if (!name || !is_split_name(name))
		return false;
	*out = (struct skeleton){ unit, folder ? folder : "", name, id_of(unit, &die) };
	return true;
}

/* ---- where it lies --------------------------------------------------------------------- */

static int open_joined(int root, const char *folder, size_t folder_len, const char *name)
{
	char *path = NULL;
	if (folder_len >= PATH_MAX || asprintf(&path, "%.*s/%s", (int)folder_len, folder, name) < 0)
		return -1;
	int fd = names_open_regular(root, path);
	free(path);
	return fd;
}

/* Where the compiler was, or, of a program that was carried elsewhere with its .dwo files, beside it. */
enum place { PLACE_COMPILED, PLACE_BESIDE, PLACE_BESIDE_BARE, PLACES };

static int open_place(const struct dwarf_source *source, const struct skeleton *s, enum place place)
{
	const char *slash = strrchr(source->path, '/'), *last = strrchr(s->name, '/');
	size_t beside = slash ? (size_t)(slash - source->path) : 0;
	switch (place) {
	case PLACE_COMPILED:
		return *s->name == '/' ? names_open_regular(source->root, s->name)
		                       : open_joined(source->root, s->folder, strnlen(s->folder, PATH_MAX), s->name);
	case PLACE_BESIDE:
		return open_joined(source->root, source->path, beside, s->name);
	default:
		return open_joined(source->root, source->path, beside, last ? last + 1 : s->name);
	}
}

/* ---- what is in it ---------------------------------------------------------------------- */

/* The file that was read last at a place: not again for one unit after the other that it is not of. */
struct looked_at {
	dev_t device;
	ino_t inode; /* 0: none yet */
	bool has_id; /* else it is none of split DWARF */
	uint64_t id;
};
struct search {
	const struct dwarf_source *source;
	struct looked_at last[PLACES];
	uint64_t room;   /* bytes that may still be kept */
	uint64_t effort; /* bytes that may still be gone through for nothing */
	bool gave_up;    /* something was not looked for, as nothing was left of that */
};

/* What it takes to look for a file, in bytes that could be read instead. */
enum { EFFORT_OF_OPENING = 1024 };
static void spend(struct search *search, uint64_t bytes)
{
	search->effort -= bytes < search->effort ? bytes : search->effort;
}

static bool is_another(const struct search *search, const struct stat *st, const struct skeleton *s)
{
	for (size_t i = 0; i < PLACES; i++) {
		const struct looked_at *last = &search->last[i];
		if (last->inode == st->st_ino && last->device == st->st_dev)
			return !last->has_id || last->id != s->id;
	}
	return false;
}

static bool find_id(const struct dwarf_file *split, uint64_t *id)
{
	struct dwarf_die die;
	for (size_t i = 0; i < split->unit_count; i++) {
		const struct dwarf_unit *unit = &split->units[i];
		if (unit->holds_types)
			continue;
		if (!dwarf_die_read(unit, unit->first, &die))
			return false;
		*id = id_of(unit, &die);
		return true;
	}
	return false;
}

/* NULL with VMSNAP_OK: it is none of split DWARF.  *read: what that took. */
static int read_split(int fd, const struct search *search, struct dwarf_file **out, uint64_t *read)
{
	struct dwarf_sections sections;
	const char *reason;
	*out = NULL;
	int rc = dwarf_sections_read_split(fd, search->room, search->source->work, &sections, &reason);
	*read = sections.read;
	if (rc == VMSNAP_ERR_NOT_FOUND || rc == VMSNAP_ERR_CORRUPT)
		return VMSNAP_OK;
	struct dwarf_file *split = rc ? NULL : calloc(1, sizeof(*split));
	if (!rc && !split) {
		dwarf_sections_free(&sections);
		rc = VMSNAP_ERR_NO_MEMORY;
	}
	rc = rc ? rc : dwarf_file_open(&sections, search->source->work, split);
	if (rc)
		free(split);
	else
		*out = split;
	return rc;
}

static void drop(struct dwarf_file **split)
{
	if (*split)
		dwarf_file_close(*split);
	free(*split);
	*split = NULL;
}

/* A file of the same name may be of a later compilation: then, too, NULL with VMSNAP_OK. */
static int try_place(struct search *search, const struct skeleton *s, enum place place, struct dwarf_file **out)
{
	struct stat st;
	uint64_t read;
	spend(search, EFFORT_OF_OPENING);
	CLEANUP_CLOSE int fd = open_place(search->source, s, place);
	if (fd < 0 || fstat(fd, &st) || is_another(search, &st, s))
		return VMSNAP_OK;
	struct looked_at *now = &search->last[place];
	*now = (struct looked_at){ .device = st.st_dev, .inode = st.st_ino };
	int rc = read_split(fd, search, out, &read);
	if (rc || !*out) {
		spend(search, read);
		return rc;
	}
	now->has_id = find_id(*out, &now->id);
	(*out)->skeleton = s->unit;
	rc = (*out)->failed;
	bool same = !rc && now->has_id && now->id == s->id;
	spend(search, same ? read - (*out)->sections.total : read);
	if (!same)
		drop(out);
	return rc;
}

static int find_split(struct search *search, const struct skeleton *s, struct dwarf_file **out)
{
	/* A name without a folder is the same at both places beside the program. */
	int rc = work_ask(search->source->work), places = strchr(s->name, '/') ? PLACES : PLACE_BESIDE_BARE;
	*out = NULL;
	for (int place = 0; !rc && !*out && place < places; place++) {
		if (search->effort)
			rc = try_place(search, s, (enum place)place, out);
		else
			search->gave_up = true;
	}
	return rc;
}

static int keep(struct search *search, struct dwarf_file *file, struct dwarf_file *split)
{
	/* Room for all of them was made at the first one. */
	if (!file->splits) {
		file->splits = calloc(file->unit_count, sizeof(*file->splits));
		file->split_capacity = file->splits ? file->unit_count : 0;
	}
	if (!file->splits) {
		drop(&split);
		return VMSNAP_ERR_NO_MEMORY;
	}
	uint64_t taken = dwarf_file_bytes(split);
	search->room -= taken < search->room ? taken : search->room;
	file->splits[file->split_count++] = split;
	return VMSNAP_OK;
}

static void tell_missing(const struct search *search, struct dwarf_file *file, const struct skeleton *first,
                         size_t count, const char **reason)
{
	char *line = NULL;
	int len = asprintf(&line, "types are missing: %zu file%s of split debug information %s not there%s (%.200s)",
	                   count, count == 1 ? "" : "s", count == 1 ? "is" : "are",
	                   search->gave_up ? ", or not looked for after so many others" : "", first->name);
	*reason = len < 0 ? NULL : arena_copy(&file->memory, line, (size_t)len);
	free(len < 0 ? NULL : line);
}

int dwarf_split_load(const struct dwarf_source *source, struct dwarf_file *file, const char **reason)
{
	struct skeleton s, first_missing = { 0 };
	struct search search = { .source = source, .effort = source->room };
	size_t missing = 0;
	uint64_t taken = dwarf_file_bytes(file) + file->unit_count * sizeof(*file->splits);
	int rc = VMSNAP_OK;
	search.room = source->room > taken ? source->room - taken : 0;
	for (size_t i = 0; !rc && !file->failed && i < file->unit_count; i++) {
		struct dwarf_file *split;
		if (!skeleton_of(&file->units[i], &s))
			continue;
		rc = find_split(&search, &s, &split);
		if (!rc && split)
			rc = keep(&search, file, split);
		else if (!rc && !missing++)
			first_missing = s;
	}
	rc = rc ? rc : file->failed;
	if (!rc && missing)
		tell_missing(&search, file, &first_missing, missing, reason);
	return rc;
}
