#include "set_arg.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "say.h"

/* Snapshots of a file, one behind the other. */
struct file_range {
	size_t first, count;
};

static int load_range(const char *word, const struct vmsnap_file *file, struct file_range range,
                      struct vmsnap_set **out)
{
	struct vmsnap **snaps = calloc(range.count, sizeof(*snaps));
	struct vmsnap_error err;
	int status = snaps ? STATUS_OK : trouble("out of memory");
	for (size_t i = 0; !status && i < range.count; i++)
		status = file_load(word, file, range.first + i, &snaps[i]);
	if (!status && vmsnap_set_new((const struct vmsnap *const *)snaps, range.count, out, &err))
		status = trouble_with(word, &err);
	for (size_t i = 0; snaps && i < range.count; i++)
		vmsnap_unref(snaps[i]);
	free(snaps);
	return status;
}

/* The last instant within a range that is not empty. */
static int last_instant(const char *word, const struct vmsnap_file *file, struct file_range within,
                        struct file_range *out)
{
	struct vmsnap_error err;
	size_t end = within.first + within.count;
	if (vmsnap_file_instant(file, end - 1, &out->first, &out->count, &err))
		return trouble_with(word, &err);
	out->first = out->first > within.first ? out->first : within.first;
	out->count = end - out->first;
	return STATUS_OK;
}

/* What a word says of a file; which NULL: all of it. */
static int select_range(const char *word, const struct vmsnap_file *file, const char *which, struct file_range *out)
{
	struct vmsnap_error err;
	*out = (struct file_range){ 0, vmsnap_file_count(file) };
	if (!out->count)
		return trouble("%s: the file holds no snapshot", word);
	if (which && vmsnap_file_select(file, which, &out->first, &out->count, &err))
		return trouble_with(word, &err);
	return STATUS_OK;
}

static int new_set(const char *word, struct vmsnap **snaps, size_t count, struct vmsnap_set **out)
{
	struct vmsnap_error err;
	return vmsnap_set_new((const struct vmsnap *const *)snaps, count, out, &err) ? trouble_with(word, &err)
	                                                                             : STATUS_OK;
}

/* What lies around a range in its instant. */
static int load_rest(const char *word, const struct vmsnap_file *file, struct file_range range, struct vmsnap_set **out)
{
	struct vmsnap_error err;
	struct file_range all;
	if (vmsnap_file_instant(file, range.first, &all.first, &all.count, &err))
		return trouble_with(word, &err);
	if (all.count <= range.count)
		return STATUS_OK;
	struct vmsnap **snaps = calloc(all.count, sizeof(*snaps));
	int status = snaps ? STATUS_OK : trouble("out of memory");
	size_t count = 0;
	for (size_t i = all.first; !status && i < all.first + all.count; i++) {
		if (i >= range.first && i < range.first + range.count)
			continue;
		if (vmsnap_file_peek(file, i, &snaps[count], &err))
			status = trouble_with(word, &err);
		else
			count++;
	}
	/* Not of files that were joined and have them over and over. */
	if (!status && vmsnap_set_new((const struct vmsnap *const *)snaps, count, out, NULL))
		*out = NULL;
	for (size_t i = 0; i < count; i++)
		vmsnap_unref(snaps[i]);
	free(snaps);
	return status;
}

static int set_of_one(struct vmsnap *snap, struct chosen *out)
{
	struct vmsnap_error err;
	const struct vmsnap *const snaps[] = { snap };
	*out = (struct chosen){ 0 };
	int status = vmsnap_set_new(snaps, 1, &out->set, &err) ? trouble_with(NULL, &err) : STATUS_OK;
	out->one = true;
	vmsnap_unref(snap);
	return status;
}

/* Opens what the word names; the caller frees place->path and releases *file. */
static int open_word(struct sources *sources, const char *word, struct place *place, struct vmsnap_file **file)
{
	int status = place_of_word(word, place);
	if (status)
		return status;
	status = sources_open(sources, place->path, file);
	if (status)
		free(place->path);
	return status;
}

/* A word that names a file, opened, and which of its snapshots are meant. */
struct picked {
	const char *word;
	struct place place;
	struct vmsnap_file *file;
	struct file_range range;
};

static void picked_release(const struct sources *sources, struct picked *picked)
{
	sources_release(sources, picked->file);
	free(picked->place.path);
}

static int pick(struct sources *sources, const char *word, struct picked *out)
{
	*out = (struct picked){ .word = word };
	int status = open_word(sources, word, &out->place, &out->file);
	if (status)
		return status;
	status = select_range(word, out->file, out->place.which, &out->range);
	if (!status && !out->place.which)
		status = last_instant(word, out->file, out->range, &out->range);
	if (status)
		picked_release(sources, out);
	return status;
}

static bool is_one(const struct picked *picked)
{
	return picked->place.which && picked->range.count == 1;
}

/* What was picked, and what there is beside it. */
static int load_picked(const struct picked *picked, struct chosen *out)
{
	*out = (struct chosen){ 0 };
	int status = load_range(picked->word, picked->file, picked->range, &out->set);
	out->one = is_one(picked);
	if (!status && picked->place.which && !out->one)
		status = load_rest(picked->word, picked->file, picked->range, &out->rest);
	if (status)
		chosen_drop(out);
	return status;
}

int set_from_word(struct sources *sources, const char *word, struct chosen *out)
{
	struct vmsnap *snap;
	struct picked picked;
	if (word_is_process(word)) {
		int status = sources_capture(sources, word, &snap);
		return status ? status : set_of_one(snap, out);
	}
	int status = pick(sources, word, &picked);
	if (status)
		return status;
	status = load_picked(&picked, out);
	picked_release(sources, &picked);
	return status;
}

/* Of one file, in its order; for others there is nothing between. */
static int load_between(const struct picked picked[2], struct chosen *const out[2])
{
	const struct vmsnap *a = vmsnap_set_at(out[0]->set, 0), *b = vmsnap_set_at(out[1]->set, 0);
	if (strcmp(picked[0].place.path, picked[1].place.path) != 0 || !vmsnap_same_process(a, b))
		return STATUS_OK;
	int status = between_load(picked[1].word, picked[1].file, picked[0].range.first, picked[1].range.first, b,
	                          &out[1]->between);
	if (status) {
		chosen_drop(out[0]);
		chosen_drop(out[1]);
	}
	return status;
}

/* One snapshot each, at the same time: nothing is beside them. */
static int load_two(const struct picked picked[2], struct chosen *const out[2])
{
	const struct vmsnap_file *const files[2] = { picked[0].file, picked[1].file };
	const size_t indices[2] = { picked[0].range.first, picked[1].range.first };
	struct vmsnap *snaps[2];
	struct vmsnap_error errs[2];
	*out[0] = *out[1] = (struct chosen){ 0 };
	if (vmsnap_file_load_two(files, indices, snaps, errs)) {
		int first = snaps[0] ? 1 : 0;
		vmsnap_unref(snaps[!first]);
		return trouble_with(picked[first].word, &errs[first]);
	}
	int status = set_of_one(snaps[0], out[0]);
	if (status) {
		vmsnap_unref(snaps[1]);
		return status;
	}
	status = set_of_one(snaps[1], out[1]);
	if (status)
		chosen_drop(out[0]);
	for (size_t i = 0; !status && i < 2; i++)
		out[i]->one = is_one(&picked[i]);
	return status ? status : load_between(picked, out);
}

static int load_both(const struct picked picked[2], struct chosen *const out[2])
{
	if (picked[0].range.count == 1 && picked[1].range.count == 1)
		return load_two(picked, out);
	int status = load_picked(&picked[0], out[0]);
	if (status)
		return status;
	status = load_picked(&picked[1], out[1]);
	if (status)
		chosen_drop(out[0]);
	return status;
}

static int sets_in_turn(struct sources *sources, char *const words[2], struct chosen *a, struct chosen *b)
{
	int status = set_from_word(sources, words[0], a);
	if (status)
		return status;
	status = set_from_word(sources, words[1], b);
	if (status)
		chosen_drop(a);
	return status;
}

int sets_from_words(struct sources *sources, char *const words[2], struct chosen *a, struct chosen *b)
{
	struct chosen *const out[2] = { a, b };
	struct picked picked[2];
	if (word_is_process(words[0]) || word_is_process(words[1]))
		return sets_in_turn(sources, words, a, b);
	int status = pick(sources, words[0], &picked[0]);
	if (status)
		return status;
	status = pick(sources, words[1], &picked[1]);
	if (!status) {
		status = load_both(picked, out);
		picked_release(sources, &picked[1]);
	}
	picked_release(sources, &picked[0]);
	return status;
}

void chosen_drop(struct chosen *chosen)
{
	vmsnap_set_free(chosen->set);
	vmsnap_set_free(chosen->rest);
	between_drop(&chosen->between);
	chosen->set = chosen->rest = NULL;
}

int chosen_leave_out(struct chosen *chosen, const struct chosen *other, const char *other_word)
{
	size_t count = vmsnap_set_count(chosen->set), kept = 0, used = 0;
	const struct vmsnap *snap;
	char pids[128] = "";
	if (!other->rest)
		return STATUS_OK;
	struct vmsnap **snaps = calloc(count, sizeof(*snaps));
	if (!snaps)
		return trouble("out of memory");
	for (size_t i = 0; (snap = vmsnap_set_at(chosen->set, i)); i++) {
		if (vmsnap_set_same(other->set, snap) || !vmsnap_set_same(other->rest, snap))
			snaps[kept++] = vmsnap_ref(snap);
		else if (used < sizeof(pids) - 16)
			used += (size_t)snprintf(pids + used, sizeof(pids) - used, "%s%" PRIu32, used ? ", " : "",
			                         vmsnap_info(snap)->pid);
		else if (pids[used - 1] != '.')
			used += (size_t)snprintf(pids + used, sizeof(pids) - used, ", ...");
	}
	struct vmsnap_set *set = NULL;
	int status = STATUS_OK;
	if (kept < count)
		say("%s leaves out %s: not compared", other_word, pids);
	if (!kept)
		status = trouble("%s has none of the processes that it is to be compared with", other_word);
	else if (kept < count)
		status = new_set(other_word, snaps, kept, &set);
	if (set) {
		vmsnap_set_free(chosen->set);
		chosen->set = set;
	}
	for (size_t i = 0; i < kept; i++)
		vmsnap_unref(snaps[i]);
	free(snaps);
	return status;
}

int instants_from_word(struct sources *sources, const char *word, struct chosen *earlier, struct chosen *last,
                       size_t *count)
{
	struct place place;
	struct vmsnap_file *file;
	struct file_range all, now, before = { 0 };
	if (word_is_process(word))
		return trouble("'%s' is one process; two snapshots are needed: name another file or process, too",
		               word);
	int status = open_word(sources, word, &place, &file);
	if (status)
		return status;
	*earlier = *last = (struct chosen){ .set = NULL };
	status = select_range(word, file, place.which, &all);
	if (!status && place.which && all.count == 1)
		status = trouble("'%s' is one snapshot; two are needed, or a file that holds them", word);
	status = status ? status : last_instant(word, file, all, &now);
	status = status ? status : load_range(word, file, now, &last->set);
	if (!status && now.first > all.first) {
		status = last_instant(word, file, (struct file_range){ all.first, now.first - all.first }, &before);
		status = status ? status : load_range(word, file, before, &earlier->set);
	}
	if (status)
		chosen_drop(last);
	else
		*count = all.count;
	sources_release(sources, file);
	free(place.path);
	return status;
}
