#define _GNU_SOURCE
#include "series_arg.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "say.h"

static const char pid_prefix[] = "pid:", range_mark[] = "..";

/* The number of "pid:PID" and what follows it; NULL: it is nothing of that kind. */
static const char *pid_of(const char *which, uint32_t *pid)
{
	char *end;
	if (strncmp(which, pid_prefix, strlen(pid_prefix)) != 0)
		return NULL;
	const char *digits = which + strlen(pid_prefix);
	errno = 0;
	unsigned long number = strtoul(digits, &end, 10);
	if (*digits < '0' || *digits > '9' || errno || number > UINT32_MAX || (*end && *end != '@'))
		return NULL;
	*pid = (uint32_t)number;
	return end;
}

/* "pid:7@2..5" is "pid:7@2..pid:7@5"; to be freed. */
static char *both_of_process(const char *which, uint32_t pid, const char *rest)
{
	const char *mark = strstr(rest, range_mark);
	char *both = NULL;
	const char *last = mark ? mark + strlen(range_mark) : NULL;
	if (!mark || !strncmp(last, pid_prefix, strlen(pid_prefix)))
		return strdup(which);
	if (asprintf(&both, "%.*s..pid:%u@%s", (int)(mark - which), which, (unsigned)pid, last) < 0)
		return NULL;
	return both;
}

int series_choose(const char *word, const char *which, struct series_arg *out)
{
	struct vmsnap_error err;
	size_t any;
	const char *rest = which ? pid_of(which, &out->pid) : NULL;
	/* All of the process, of which there is one at least; its number may have been given out again. */
	if (!which || (rest && !*rest))
		return which && vmsnap_file_find(out->file, which, &any, &err) == VMSNAP_ERR_NOT_FOUND
		               ? trouble_with(word, &err)
		               : STATUS_OK;
	char *written = rest ? both_of_process(which, out->pid, rest) : strdup(which);
	if (!written)
		return trouble("out of memory");
	int rc = vmsnap_file_select(out->file, written, &out->first, &out->count, &err);
	free(written);
	return rc ? trouble_with(word, &err) : STATUS_OK;
}

static int open_place(const struct options *options, const char *word, const struct place *place,
                      struct series_arg *out)
{
	struct sources sources;
	sources_init(&sources, options);
	int status = sources_open(&sources, place->path, &out->file);
	if (status)
		return status;
	out->count = vmsnap_file_count(out->file);
	if (!out->count)
		status = trouble("%s: the file holds no snapshot", word);
	status = status ? status : series_choose(word, place->which, out);
	if (status)
		vmsnap_file_close(out->file);
	return status;
}

int series_from_word(const struct options *options, const char *word, struct series_arg *out)
{
	struct place place;
	*out = (struct series_arg){ .file = NULL };
	if (word_is_process(word))
		return trouble(
		        "'%s' is a process; %s is of a file with several snapshots: vmsnap record %s -o FILE makes one",
		        word, options->history ? "a history" : "a series", word);
	int status = place_of_word(word, &place);
	if (status)
		return status;
	status = open_place(options, word, &place, out);
	free(place.path);
	return status;
}
