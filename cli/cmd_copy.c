/* vmsnap copy: snapshots of files into one. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "interrupt.h"
#include "say.h"
#include "series_arg.h"
#include "size_text.h"
#include "sources.h"
#include "strip_arg.h"

/* ---- what is wanted ------------------------------------------------------------------ */

/* "1/h": how many of each process in which time. */
static int thin_of(const char *word, uint64_t *interval)
{
	static const struct {
		const char *name;
		uint64_t seconds;
	} units[] = { { "s", 1 }, { "m", 60 }, { "min", 60 }, { "h", 3600 }, { "d", 86400 } };
	char *end;
	errno = 0;
	unsigned long long count = strtoull(word, &end, 10);
	if (*word >= '0' && *word <= '9' && !errno && count && *end == '/')
		for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
			if (!strcmp(end + 1, units[i].name) && units[i].seconds * UINT64_C(1000000000) >= count) {
				*interval = units[i].seconds * UINT64_C(1000000000) / count;
				return STATUS_OK;
			}
	return trouble("copy: '%s' is no rate: expected as in --thin 1/h, with s, m, h or d", word);
}

static int check(const struct options *options)
{
	if (!options->file || !*options->file)
		return trouble("copy: -o FILE is needed, where the snapshots are to go");
	if (options->delta && options->full)
		return trouble("copy: --delta and --full cannot both be");
	if (!strcmp(options->file, "-") && isatty(STDOUT_FILENO))
		return trouble(
		        "copy: standard output is a terminal, and a snapshot is not text; send it to a file or a "
		        "pipe");
	return STATUS_OK;
}

/* ---- from where ---------------------------------------------------------------------- */

struct copy {
	struct sources sources;
	struct vmsnap_file **files; /* one for each operand */
	struct vmsnap_copy_source *from;
	uint32_t *pids; /* of each only this process; 0: all */
	char **names;   /* of the files, for messages */
	size_t count;
};

static int open_word(struct copy *copy, const char *word)
{
	struct place place;
	if (word_is_process(word) && access(word, F_OK))
		return trouble(
		        "copy: '%s' is a process, and snapshots of files are copied: vmsnap capture %s makes one", word,
		        word);
	int status = place_of_word(word, &place);
	if (status)
		return status;
	struct series_arg chosen = { .file = NULL };
	status = sources_open(&copy->sources, place.path, &chosen.file);
	if (status) {
		free(place.path);
		return status;
	}
	size_t at = copy->count++;
	copy->files[at] = chosen.file;
	copy->names[at] = place.path;
	chosen.count = vmsnap_file_count(chosen.file);
	status = series_choose(NULL, place.which, &chosen);
	copy->from[at] = (struct vmsnap_copy_source){ chosen.file, chosen.first, chosen.count };
	copy->pids[at] = chosen.pid;
	return status;
}

static int open_all(struct copy *copy, const struct options *options)
{
	size_t count = (size_t)options->operand_count;
	sources_init(&copy->sources, options);
	copy->files = calloc(count, sizeof(struct vmsnap_file *));
	copy->from = calloc(count, sizeof(*copy->from));
	copy->pids = calloc(count, sizeof(*copy->pids));
	copy->names = calloc(count, sizeof(char *));
	if (!copy->files || !copy->from || !copy->pids || !copy->names)
		return trouble("out of memory");
	int status = STATUS_OK;
	for (size_t i = 0; !status && i < count; i++)
		status = open_word(copy, options->operands[i]);
	return status;
}

static void close_all(struct copy *copy)
{
	for (size_t i = 0; i < copy->count; i++) {
		sources_release(&copy->sources, copy->files[i]);
		free(copy->names[i]);
	}
	sources_close(&copy->sources);
	free(copy->files);
	free(copy->from);
	free(copy->pids);
	free(copy->names);
}

/* ---- the command --------------------------------------------------------------------- */

static void tell_unreadable(void *ctx, size_t source, size_t index, const struct vmsnap_error *err)
{
	const struct copy *copy = ctx;
	say("%s@%zu is left out: %s", copy->names[source], index + 1, err->message);
}

/* Whether some of the files have snapshots that are stored as differences. */
static bool any_differences(const struct copy *copy)
{
	struct vmsnap_file_entry entry;
	for (size_t i = 0; i < copy->count; i++)
		for (size_t k = 0; k < vmsnap_file_count(copy->files[i]); k++)
			if (!vmsnap_file_entry(copy->files[i], k, &entry, NULL) && entry.deltas)
				return true;
	return false;
}

static void tell(const struct copy *copy, const struct options *options, const struct vmsnap_copied *copied)
{
	bool grew = !options->delta && !options->full && any_differences(copy);
	struct stat st;
	char bytes[16], size[64] = "", thinned[64] = "", unreadable[64] = "";
	if (options->quiet)
		return;
	if (strcmp(options->file, "-") != 0 && !stat(options->file, &st) && S_ISREG(st.st_mode))
		snprintf(size, sizeof(size), ", %s on disk", size_text((uint64_t)st.st_size, bytes));
	if (copied->thinned)
		snprintf(thinned, sizeof(thinned), "; %" PRIu64 " thinned out", copied->thinned);
	if (copied->unreadable)
		snprintf(unreadable, sizeof(unreadable), "; %" PRIu64 " cannot be read", copied->unreadable);
	say("%s: %" PRIu64 " snapshot%s%s%s%s%s", options->file, copied->snapshots, copied->snapshots == 1 ? "" : "s",
	    size, grew ? ", each whole (with --delta as differences, as they were)" : "", thinned, unreadable);
}

static int copy_all(struct copy *copy, const struct options *options, struct vmsnap_copy_options *how)
{
	struct vmsnap_copied copied;
	struct vmsnap_error err;
	const char *path = strcmp(options->file, "-") ? options->file : "/dev/stdout";
	interrupts_notice();
	how->size = sizeof(*how);
	how->pids = copy->pids;
	how->flags = VMSNAP_SAVE_INTERRUPTIBLE | (options->delta ? VMSNAP_SAVE_DELTA : 0u);
	how->cancelled = was_interrupted;
	how->unreadable = tell_unreadable;
	how->unreadable_ctx = copy;
	int rc = vmsnap_copy(path, copy->from, copy->count, how, &copied, &err);
	if (rc == VMSNAP_ERR_CANCELLED && interrupted_by())
		return 128 + interrupted_by();
	if (rc == VMSNAP_ERR_SYSTEM && err.sys_errno == EPIPE)
		return STATUS_PIPE_CLOSED;
	if (rc)
		return trouble_with(NULL, &err);
	tell(copy, options, &copied);
	return copied.unreadable ? STATUS_TROUBLE : STATUS_OK;
}

int cmd_copy(const struct options *options)
{
	struct copy copy = { .count = 0 };
	struct vmsnap_copy_options how = { .flags = 0 };
	int status = check(options);
	if (!status && options->thin)
		status = thin_of(options->thin, &how.interval);
	if (!status && options->strip)
		status = strip_parse(options, &how.strip);
	status = status ? status : open_all(&copy, options);
	status = status ? status : copy_all(&copy, options, &how);
	close_all(&copy);
	return status;
}
