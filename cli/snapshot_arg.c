#define _GNU_SOURCE
#include "snapshot_arg.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "privilege.h"
#include "process_arg.h"
#include "say.h"

static const char expected[] = "expected a snapshot: FILE, FILE@N, FILE@LABEL, FILE@pid:PID, PID, pid:PID or -";

void sources_init(struct sources *sources, const struct options *options)
{
	*sources = (struct sources){ .options = options };
}

void sources_close(struct sources *sources)
{
	if (sources->standard_input)
		vmsnap_file_close(sources->standard_input);
	if (sources->live)
		vmsnap_unref_all(sources->live, sources->processes.count);
	processes_free(&sources->processes);
	*sources = (struct sources){ .options = sources->options };
}

/* ---- live processes ---- */

int sources_expect(struct sources *sources, const char *word)
{
	size_t index;
	if (!word || !word_is_process(word))
		return STATUS_OK;
	return processes_add(&sources->processes, word, &index);
}

static int capture_all(struct sources *sources, const char *word, bool file_too)
{
	const struct options *options = sources->options;
	struct vmsnap_capture_options how = { .size = sizeof(how), .flags = VMSNAP_CAPTURE_DROP_OWN_MAPPINGS };
	if (options->no_freeze)
		how.flags |= VMSNAP_CAPTURE_NO_FREEZE;
	if (!options->no_realtime)
		how.flags |= VMSNAP_CAPTURE_REALTIME;
	if (privilege_is_lent())
		how.flags |= VMSNAP_CAPTURE_WATCHDOG;
	struct vmsnap_error err;
	size_t count;
	int rc = vmsnap_capture_set(sources->processes.pids, sources->processes.count, &how, &sources->live, &count,
	                            &err);
	if (rc && file_too)
		return trouble("%s ('%s' was taken as a process; the file of that name is './%s')", err.message, word,
		               word);
	return rc ? trouble_with(NULL, &err) : STATUS_OK;
}

static int capture_live(struct sources *sources, const char *word, struct vmsnap **out)
{
	size_t index;
	int status = processes_add(&sources->processes, word, &index);
	if (status)
		return status;
	bool file_too = !access(word, F_OK);
	if (!sources->live)
		status = capture_all(sources, word, file_too);
	if (status)
		return status;
	*out = vmsnap_ref(sources->live[index]);
	const struct vmsnap_info *info = vmsnap_info(*out);
	if (file_too)
		say("'%s' is taken as a process; the file of that name is './%s'", word, word);
	if (!sources->options->no_freeze && !info->consistent)
		say("process %" PRIu32 "%s while it was read: its pages may not be of one instant", info->pid,
		    info->memory_with_count ? ": its memory was in use" : " ran");
	return STATUS_OK;
}

/* ---- files ---- */

struct place {
	char *path;        /* malloc'ed */
	const char *which; /* after the '@'; NULL: the last one */
};

static bool is_input(const char *path)
{
	return !strcmp(path, "-");
}

/* A file that cannot be looked at may exist: opening it will tell why not. */
static bool exists(const char *path)
{
	return is_input(path) || !access(path, F_OK) || (errno != ENOENT && errno != ENOTDIR && errno != ENAMETOOLONG);
}

/* An existing file wins, and of several the one with the longest name: both a
 * file's name and a label may hold '@'. */
static int place_find(const char *word, struct place *place)
{
	if (!*word)
		return trouble("a word is empty; %s", expected);
	*place = (struct place){ .path = strdup(word) };
	if (!place->path)
		return trouble("out of memory");
	if (exists(place->path))
		return STATUS_OK;
	int whole_errno = errno;
	for (char *at; (at = strrchr(place->path, '@')) != NULL;) {
		*at = '\0';
		if (at > place->path && exists(place->path)) {
			place->which = word + (at - place->path) + 1;
			return STATUS_OK;
		}
	}
	const char *first_at = strchr(word, '@');
	free(place->path);
	place->path = NULL;
	if (first_at && first_at > word)
		return trouble("%s: there is no file '%.*s'", word, (int)(first_at - word), word);
	return trouble("%s: %s; %s", word, strerror(whole_errno), expected);
}

static const char *path_name(const char *path)
{
	return is_input(path) ? "standard input" : path;
}

static int open_path(const char *path, struct vmsnap_file **out)
{
	if (is_input(path) && isatty(STDIN_FILENO))
		return trouble("standard input is a terminal, not a snapshot file");
	struct vmsnap_error err;
	privilege_pause();
	int rc = vmsnap_file_open(path, NULL, out, &err);
	privilege_resume();
	return rc ? trouble_with(path_name(path), &err) : STATUS_OK;
}

/* The message names the file. */
static void warn_of_damage(const struct vmsnap_file *file)
{
	struct vmsnap_error err;
	if (vmsnap_file_damage(file, &err))
		say("warning: %s; only whole snapshots are read", err.message);
}

/* Standard input is read by the first word that names it and kept for others. */
static int sources_open(struct sources *sources, const char *path, struct vmsnap_file **out)
{
	if (is_input(path) && sources->standard_input) {
		*out = sources->standard_input;
		return STATUS_OK;
	}
	int status = open_path(path, out);
	if (status)
		return status;
	warn_of_damage(*out);
	if (is_input(path))
		sources->standard_input = *out;
	return STATUS_OK;
}

static void sources_release(const struct sources *sources, struct vmsnap_file *file)
{
	if (file && file != sources->standard_input)
		vmsnap_file_close(file);
}

static int load_index(const char *word, const struct vmsnap_file *file, size_t index, struct vmsnap **out)
{
	struct vmsnap_error err;
	return vmsnap_file_load(file, index, out, &err) ? trouble_with(word, &err) : STATUS_OK;
}

static int load_which(const char *word, const struct vmsnap_file *file, const char *which, struct vmsnap **out)
{
	size_t count = vmsnap_file_count(file), index = count - 1;
	struct vmsnap_error err;
	if (!count)
		return trouble("%s: the file holds no snapshot", word);
	if (which && vmsnap_file_find(file, which, &index, &err))
		return trouble_with(word, &err);
	return load_index(word, file, index, out);
}

int snapshot_from_word(struct sources *sources, const char *word, struct vmsnap **out)
{
	if (word_is_process(word))
		return capture_live(sources, word, out);
	struct place place;
	int status = place_find(word, &place);
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

/* ---- beside a base ---- */

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
	int status = place_find(word, &place);
	sources_init(&sources, options);
	/* What is wrong with it was said when the base was read; a pipe was read then. */
	if (!status && !is_input(place.path) && !open_path(place.path, &file)) {
		size_t index = find_beside(file, vmsnap_info(base), process);
		if (index < vmsnap_file_count(file))
			status = load_index(word, file, index, out);
		sources_release(&sources, file);
	}
	if (!status)
		free(place.path);
	return status;
}

/* ---- several ---- */

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
		status = load_index(word, file, range.first + i, &snaps[i]);
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
	int status = vmsnap_set_new(snaps, 1, &out->set, &err) ? trouble_with(NULL, &err) : STATUS_OK;
	out->one = true;
	vmsnap_unref(snap);
	return status;
}

/* Opens what the word names; the caller frees place->path and releases *file. */
static int open_word(struct sources *sources, const char *word, struct place *place, struct vmsnap_file **file)
{
	int status = place_find(word, place);
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
	int status = load_range(picked->word, picked->file, picked->range, &out->set);
	out->one = is_one(picked);
	out->rest = NULL;
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
		int status = capture_live(sources, word, &snap);
		return status ? status : set_of_one(snap, out);
	}
	int status = pick(sources, word, &picked);
	if (status)
		return status;
	status = load_picked(&picked, out);
	picked_release(sources, &picked);
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
	return status;
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
		return trouble("'%s' is one process; two snapshots are needed, or a file that holds them", word);
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

int file_from_word(const char *word, bool warn, struct vmsnap_file **out)
{
	if (is_input(word) || exists(word)) {
		int status = open_path(word, out);
		if (!status && warn)
			warn_of_damage(*out);
		return status;
	}
	int missing = errno;
	const char *at = strrchr(word, '@');
	if (!*word)
		return trouble("a word is empty; expected a file");
	if (word_is_process(word))
		return trouble("'%s': no file of that name; expected a file, not a process", word);
	if (at)
		return trouble("'%s': no file of that name; expected a file, all of it, without @%s", word, at + 1);
	return trouble("%s: %s", word, strerror(missing));
}
