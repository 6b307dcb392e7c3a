#define _GNU_SOURCE
#include "snapshot_arg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "privilege.h"
#include "say.h"

static int load_which(const char *word, const struct vmsnap_file *file, const char *which, struct vmsnap **out)
{
	size_t count = vmsnap_file_count(file), index = count - 1;
	struct vmsnap_error err;
	if (!count)
		return trouble("%s: the file holds no snapshot", word);
	if (which && vmsnap_file_find(file, which, &index, &err))
		return trouble("%s ('vmsnap list' tells what is in the file)", err.message);
	return file_load(word, file, index, out);
}

int snapshot_from_word(struct sources *sources, const char *word, struct vmsnap **out)
{
	if (word_is_process(word))
		return sources_capture(sources, word, out);
	struct place place;
	int status = place_of_word(word, &place);
	if (status)
		return status;
	struct vmsnap_file *file;
	status = sources_open(sources, place.path, &file);
	if (!status) {
		status = load_which(word, file, place.which, out);
		sources_release(sources, file);
	}
	free(place.path);
	return status;
}

bool word_is_of_core(const char *word)
{
	struct vmsnap_limits limits = { .size = sizeof(limits), .regular_only = true };
	struct vmsnap_file *file;
	struct vmsnap *snap;
	const char *at = strrchr(word, '@');
	char *path = strdup(word);
	bool core = false;
	if (path && at && access(path, F_OK))
		path[at - word] = '\0';
	privilege_pause();
	if (path && !word_is_process(word) && !place_is_input(path) && !vmsnap_file_open(path, &limits, &file, NULL)) {
		size_t count = vmsnap_file_count(file);
		if (count && !vmsnap_file_peek(file, count - 1, &snap, NULL)) {
			core = vmsnap_info(snap)->source == VMSNAP_SOURCE_CORE;
			vmsnap_unref(snap);
		}
		vmsnap_file_close(file);
	}
	privilege_resume();
	free(path);
	return core;
}

static bool is_range(const char *which)
{
	return which && strncmp(which, "label:", strlen("label:")) != 0 && strstr(which, "..");
}

bool word_is_several(const char *word)
{
	const char *at = word_is_process(word) || !access(word, F_OK) ? NULL : strrchr(word, '@');
	return at && is_range(at + 1);
}

/* Each by its number in the file. */
static int range_from_file(const char *word, const struct place *place, const struct vmsnap_file *file, snapshot_fn fn,
                           void *ctx)
{
	struct vmsnap_error err;
	size_t first, count, room = strlen(place->path) + 32;
	if (vmsnap_file_select(file, place->which, &first, &count, &err))
		return trouble_with(word, &err);
	char *name = malloc(room);
	int status = name ? STATUS_OK : trouble("out of memory");
	for (size_t i = first; !status && i < first + count; i++) {
		struct vmsnap *snap;
		snprintf(name, room, "%s@%zu", place->path, i + 1);
		status = file_load(name, file, i, &snap);
		if (status)
			break;
		status = fn(ctx, name, snap);
		vmsnap_unref(snap);
	}
	free(name);
	return status;
}

static int one_from_word(struct sources *sources, const char *word, snapshot_fn fn, void *ctx)
{
	struct vmsnap *snap;
	int status = snapshot_from_word(sources, word, &snap);
	if (status)
		return status;
	status = fn(ctx, word, snap);
	vmsnap_unref(snap);
	return status;
}

int snapshots_from_word(struct sources *sources, const char *word, snapshot_fn fn, void *ctx)
{
	struct place place;
	struct vmsnap_file *file;
	if (!word_is_several(word))
		return one_from_word(sources, word, fn, ctx);
	int status = place_of_word(word, &place);
	if (status)
		return status;
	status = sources_open(sources, place.path, &file);
	if (!status) {
		status = range_from_file(word, &place, file, fn, ctx);
		sources_release(sources, file);
	}
	free(place.path);
	return status;
}

static bool is_process(const struct vmsnap_info *a, const struct vmsnap_info *b)
{
	return a->tgid == b->tgid && a->start_time == b->start_time && !strcmp(a->boot_id, b->boot_id);
}

static bool is_instant(const struct vmsnap_info *a, const struct vmsnap_info *b)
{
	return a->monotonic == b->monotonic && a->taken == b->taken;
}

/* Processes that are captured together have one time.  A debugger that holds both looks at them one
 * after the other, and they lie side by side. */
static bool is_beside(const struct vmsnap_info *candidate, const struct vmsnap_info *neighbour,
                      const struct vmsnap_info *base)
{
	if (is_instant(candidate, base))
		return true;
	return candidate->freeze == VMSNAP_FREEZE_DEBUGGER && base->freeze == VMSNAP_FREEZE_DEBUGGER && neighbour &&
	       is_process(neighbour, base) && is_instant(neighbour, base);
}

/* The index of it; the count if there is none. */
static size_t find_beside(const struct vmsnap_file *file, const struct vmsnap_info *base,
                          const struct vmsnap_info *process)
{
	size_t count = vmsnap_file_count(file), found = count;
	struct vmsnap *before = NULL, *snap = NULL;
	for (size_t i = 0; i < count && found == count; i++) {
		if (vmsnap_file_peek(file, i, &snap, NULL))
			break;
		const struct vmsnap_info *info = vmsnap_info(snap), *last = before ? vmsnap_info(before) : NULL;
		if (is_process(info, process) && is_beside(info, last, base))
			found = i;
		else if (last && is_process(last, process) && is_beside(last, info, base))
			found = i - 1;
		vmsnap_unref(before);
		before = snap;
	}
	vmsnap_unref(before);
	return found;
}

int snapshot_beside(const struct options *options, const char *word, const struct vmsnap *base,
                    const struct vmsnap_info *process, struct vmsnap **out)
{
	struct sources sources;
	struct place place;
	struct vmsnap_file *file;
	*out = NULL;
	if (word_is_process(word))
		return STATUS_OK;
	int status = place_of_word(word, &place);
	sources_init(&sources, options);
	/* What is wrong with it was said when the base was read; a pipe was read then. */
	if (!status && !place_is_input(place.path) && !file_open(place.path, &file)) {
		size_t index = find_beside(file, vmsnap_info(base), process);
		if (index < vmsnap_file_count(file))
			status = file_load(word, file, index, out);
		sources_release(&sources, file);
	}
	if (!status)
		free(place.path);
	return status;
}
