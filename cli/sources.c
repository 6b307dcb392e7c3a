#define _GNU_SOURCE
#include "sources.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture_flags.h"
#include "privilege.h"
#include "process_find.h"
#include "say.h"

static const char expected[] = "expected a snapshot: FILE, FILE@N, FILE@LABEL, FILE@pid:PID, PID, pid:PID or -";

void sources_init(struct sources *sources, const struct options *options)
{
	/* What became of a live process's variables is told by what they hold. */
	*sources = (struct sources){ .options = options, .contents = options->values || options->written };
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
	struct vmsnap_capture_options how = { .size = sizeof(how) };
	how.flags = capture_flags(options) & ~(unsigned)VMSNAP_CAPTURE_DESCENDANTS;
	/* All but what is wanted. */
	const struct vmsnap_range others[] = { { 0, sources->wanted.start }, { sources->wanted.end, UINT64_MAX } };
	bool range = sources->wanted.end;
	if (sources->contents)
		how.contents = range ? VMSNAP_WANT_ALL : VMSNAP_WANT_PRIVATE;
	if (sources->contents && range) {
		how.exclude_ranges = others;
		how.exclude_range_count = sizeof(others) / sizeof(others[0]);
	}
	/* Rights that were lent are for page states: what pages hold is read with those of who asks. */
	if (sources->contents)
		privilege_drop();
	struct vmsnap_error err;
	size_t count;
	int rc = vmsnap_capture_set(sources->processes.pids, sources->processes.count, &how, &sources->live, &count,
	                            &err);
	if (rc && file_too)
		return trouble("%s ('%s' was taken as a process; the file of that name is './%s')", err.message, word,
		               word);
	return rc ? trouble_with_process(NULL, &err) : STATUS_OK;
}

int sources_capture(struct sources *sources, const char *word, struct vmsnap **out)
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

bool place_is_input(const char *path)
{
	return !strcmp(path, "-");
}

/* A file that cannot be looked at may exist: opening it will tell why not. */
static bool exists(const char *path)
{
	return place_is_input(path) || !access(path, F_OK) ||
	       (errno != ENOENT && errno != ENOTDIR && errno != ENAMETOOLONG);
}

int place_of_word(const char *word, struct place *place)
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
	if (whole_errno == ENOENT && process_is_called(word))
		return trouble(
		        "%s: no file of that name; a process that is called so is named by its number: pgrep -x %s",
		        word, word);
	return trouble("%s: %s; %s", word, strerror(whole_errno), expected);
}

static const char *path_name(const char *path)
{
	return place_is_input(path) ? "standard input" : path;
}

int file_open(const char *path, struct vmsnap_file **out)
{
	if (place_is_input(path) && isatty(STDIN_FILENO))
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
	struct vmsnap *first = NULL;
	if (!vmsnap_file_damage(file, &err))
		return;
	bool core = vmsnap_file_count(file) == 1 && !vmsnap_file_peek(file, 0, &first, NULL) &&
	            vmsnap_info(first)->source == VMSNAP_SOURCE_CORE;
	vmsnap_unref(first);
	say(core ? "warning: %s" : "warning: %s; only whole snapshots are read", err.message);
}

int sources_open(struct sources *sources, const char *path, struct vmsnap_file **out)
{
	if (place_is_input(path) && sources->standard_input) {
		*out = sources->standard_input;
		return STATUS_OK;
	}
	int status = file_open(path, out);
	if (status)
		return status;
	warn_of_damage(*out);
	if (place_is_input(path))
		sources->standard_input = *out;
	return STATUS_OK;
}

void sources_release(const struct sources *sources, struct vmsnap_file *file)
{
	if (file && file != sources->standard_input)
		vmsnap_file_close(file);
}

int file_load(const char *word, const struct vmsnap_file *file, size_t index, struct vmsnap **out)
{
	struct vmsnap_error err;
	return vmsnap_file_load(file, index, out, &err) ? trouble_with(word, &err) : STATUS_OK;
}

int file_from_word(const char *word, bool warn, struct vmsnap_file **out)
{
	if (place_is_input(word) || exists(word)) {
		int status = file_open(word, out);
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
