#define _GNU_SOURCE
#include "dwarf_split.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
 * any other. */
static bool is_split_name(const char *name)
{
	const char *dot = strrchr(name, '.');
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
	if (folder_len > 65536 || asprintf(&path, "%.*s/%s", (int)folder_len, folder, name) < 0)
		return -1;
	int fd = names_open_regular(root, path);
	free(path);
	return fd;
}

/* Where the compiler was, or, of a program that was carried elsewhere with its .dwo files, beside it. */
static int open_place(const struct dwarf_source *source, const struct skeleton *s, int place)
{
	const char *slash = strrchr(source->path, '/'), *last = strrchr(s->name, '/');
	size_t beside = slash ? (size_t)(slash - source->path) : 0;
	switch (place) {
	case 0:
		return *s->name == '/' ? names_open_regular(source->root, s->name)
		                       : open_joined(source->root, s->folder, strlen(s->folder), s->name);
	case 1:
		return open_joined(source->root, source->path, beside, s->name);
	default:
		return open_joined(source->root, source->path, beside, last ? last + 1 : s->name);
	}
}

/* ---- what is in it ---------------------------------------------------------------------- */

/* A file of the same name may be of a later compilation. */
static bool is_of(const struct dwarf_file *split, const struct skeleton *s)
{
	struct dwarf_die die;
	for (size_t i = 0; i < split->unit_count; i++) {
		const struct dwarf_unit *unit = &split->units[i];
		if (!unit->holds_types)
			return dwarf_die_read(unit, unit->first, &die) && id_of(unit, &die) == s->id;
	}
	return false;
}

/* NULL with VMSNAP_OK: it is none, or not the one. */
static int read_split(int fd, const struct dwarf_source *source, uint64_t room, const struct skeleton *s,
                      struct dwarf_file **out)
{
	struct dwarf_sections sections;
	const char *reason;
	*out = NULL;
	int rc = dwarf_sections_read_split(fd, room, source->work, &sections, &reason);
	if (rc == VMSNAP_ERR_NOT_FOUND || rc == VMSNAP_ERR_CORRUPT)
		return VMSNAP_OK;
	struct dwarf_file *split = rc ? NULL : calloc(1, sizeof(*split));
	if (!rc && !split) {
		dwarf_sections_free(&sections);
		rc = VMSNAP_ERR_NO_MEMORY;
	}
	rc = rc ? rc : dwarf_file_open(&sections, source->work, split);
	if (rc) {
		free(split);
		return rc;
	}
	bool same = is_of(split, s);
	split->skeleton = s->unit;
	if (same) {
		*out = split;
		return VMSNAP_OK;
	}
	rc = split->failed;
	dwarf_file_close(split);
	free(split);
	return rc;
}

static int find_split(const struct dwarf_source *source, uint64_t room, const struct skeleton *s,
                      struct dwarf_file **out)
{
	enum { PLACES = 3 };
	int rc = VMSNAP_OK;
	*out = NULL;
	for (int place = 0; !rc && !*out && place < PLACES; place++) {
		CLEANUP_CLOSE int fd = open_place(source, s, place);
		if (fd >= 0)
			rc = read_split(fd, source, room, s, out);
	}
	return rc;
}

static int keep(struct dwarf_file *file, struct dwarf_file *split)
{
	/* Room for all of them was made at the first one. */
	if (!file->splits)
		file->splits = calloc(file->unit_count, sizeof(*file->splits));
	if (!file->splits) {
		dwarf_file_close(split);
		free(split);
		return VMSNAP_ERR_NO_MEMORY;
	}
	file->splits[file->split_count++] = split;
	return VMSNAP_OK;
}

static void tell_missing(struct dwarf_file *file, const struct skeleton *first, size_t count, const char **reason)
{
	char *line = NULL;
	int len = asprintf(&line, "types are missing: %zu file%s of split debug information %s not there (%.200s)",
	                   count, count == 1 ? "" : "s", count == 1 ? "is" : "are", first->name);
	*reason = len < 0 ? NULL : arena_copy(&file->memory, line, (size_t)len);
	free(len < 0 ? NULL : line);
}

int dwarf_split_load(const struct dwarf_source *source, struct dwarf_file *file, const char **reason)
{
	struct skeleton s, first_missing = { 0 };
	size_t missing = 0;
	uint64_t taken = dwarf_file_bytes(file);
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && !file->failed && i < file->unit_count; i++) {
		struct dwarf_file *split;
		if (!skeleton_of(&file->units[i], &s))
			continue;
		rc = find_split(source, source->room > taken ? source->room - taken : 0, &s, &split);
		taken += split ? dwarf_file_bytes(split) : 0;
		if (!rc && split)
			rc = keep(file, split);
		else if (!rc && !missing++)
			first_missing = s;
	}
	if (!rc && missing)
		tell_missing(file, &first_missing, missing, reason);
	return rc ? rc : file->failed;
}
